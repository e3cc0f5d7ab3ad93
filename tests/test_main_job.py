"""The main job, whole: a small synthetic case through every notebook, by the runner, to a report one can read."""

import base64
import csv
import gzip
import hashlib
import html
import io
import json
import re
import zipfile
from pathlib import Path
from urllib.parse import unquote

import nbformat
import polars as pl
import pytest
from faults.shuffled_case import make_case

from workbench.case import home
from workbench.run import run_case
from workbench.sources import load_release

QUICK = {"n_shuffles": 3}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run on a release of 1,000 accounts, a second platform and lists; the repository itself is left alone."""
    root = tmp_path_factory.mktemp("main job")
    dataset = make_case(root)
    talk_of_the_second_platform(dataset)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_KEY_FILE", str(root / "key"))
        # Any notebook's process that looks for a way out of this machine ends at once, and says where it wanted to go.
        patch.setenv("PYTHONPATH", str(Path(__file__).parent / "faults" / "no_network"))
        patch.setenv("NETWORK_LOG", str(root / "network.log"))
        notebooks = home() / "notebooks"
        patch.setenv("WORKBENCH_HOME", str(root))
        run = run_case(str(dataset), parameters=QUICK, out=root / "reports", notebooks=notebooks)
    return dataset, run


@pytest.mark.notebook
def test_a_release_becomes_a_report_in_one_go(finished):
    _, run = finished
    assert run.is_new
    assert run.version == 1
    names = {path.name for path in run.folder.iterdir()}
    expected = {"report.html", "findings.json", "manifest.json", "tables", "notebooks"}
    assert names == expected | {"narrative_labels.csv", "package", "package.zip"}
    assert (run.folder / "report.html").stat().st_size < 3_000_000
    assert [path.name for path in run.folder.parent.iterdir() if path.suffix != ".lock"] == [run.folder.name]


@pytest.mark.notebook
def test_no_stage_of_it_opened_a_way_out_of_this_machine(finished):
    _, run = finished
    assert not (run.folder.parents[1] / "network.log").exists()


@pytest.mark.notebook
def test_the_planted_core_is_found_and_nobody_is_called_inauthentic(finished):
    dataset, run = finished
    findings = json.loads((run.folder / "findings.json").read_text(encoding="utf-8"))
    claims = [claim for section in findings["sections"] for claim in section["claims"]]
    # What a dataset quotes of others is theirs; nothing found here goes further than coordination.
    own = [claim for claim in claims if not any(evidence["kind"] == "Citation" for evidence in claim["evidence"])]
    assert {claim["level"] for claim in own} <= {"co-action", "coordination"}
    assert {claim["level"] for claim in claims} <= {"co-action", "coordination", "attributed"}
    assert all(claim["denominator"] and claim["confidence"]["basis"] for claim in claims)
    n_operation = pl.read_csv(dataset / "truth.csv", infer_schema=False).filter(pl.col("is_operation") == "true").height
    members = pl.read_csv(run.folder / "tables" / "cluster_members.csv").height
    assert 0 < members <= n_operation + 20, "the core, its amplifiers and a newsroom; not the fans"


@pytest.mark.notebook
def test_every_notebook_ran_in_order_without_an_error(finished):
    _, run = finished
    files = sorted((run.folder / "notebooks").glob("*.ipynb"))
    assert [file.name for file in files] == sorted(file.name for file in (home() / "notebooks").glob("*.ipynb"))
    for file in files:
        cells = [cell for cell in nbformat.read(file, 4).cells if cell.cell_type == "code"]
        assert all(cell.execution_count for cell in cells), f"{file.name} has a cell that did not run"
        assert not [out for cell in cells for out in cell.outputs if out.output_type == "error"]


@pytest.mark.notebook
def test_every_number_of_the_manifest_is_that_of_the_run(finished):
    _, run = finished
    manifest = json.loads((run.folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["parameters"]["n_shuffles"] == QUICK["n_shuffles"]
    assert manifest["parameters"]["seed"] == 7
    text = json.dumps(manifest)
    assert str(run.folder) not in text, "a machine's path is nobody's business"


def protected_names(dataset):
    """Ids, handles and names of whoever may not be named, straight from the files, by none of the workbench's code."""
    clear, hidden = set(), set()
    for file in sorted(dataset.glob("*_synthetic_*.csv.gz")):
        with gzip.open(file, "rt", encoding="utf-8-sig", newline="") as stream:
            for row in csv.DictReader(stream):
                own = {row["userid"], row["user_screen_name"], row["user_display_name"]}
                (clear if int(row["follower_count"] or 0) >= 5_000 else hidden).update(own)
                others = (row.get(name) or "" for name in ("user_mentions", "in_reply_to_userid", "retweet_userid"))
                hidden.update(name for cell in others for name in re.findall(r"[\w+/=]+", cell))
                hidden.update(re.findall(r"[@＠](\w+)", row.get("tweet_text") or ""))
    return {name for name in hidden - clear if len(name) >= 3}


def every_text(name, content):
    """A file's text as it stands and as HTML, URLs and JSON hide it, and what archives and data links hold."""
    if content.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for member in archive.namelist():
                yield f"{name} > {member}", member
                yield from every_text(f"{name} > {member}", archive.read(member))
        return
    text = content.decode("utf-8", "replace")
    for seen in (
        text,
        html.unescape(text),
        unquote(text),
        re.sub(r"\\u([0-9a-f]{4})", lambda c: chr(int(c[1], 16)), text),
    ):
        yield name, seen
    for packed in re.findall(r"base64,([A-Za-z0-9+/]{16,}={0,2})", text):
        yield name, base64.b64decode(packed + "===").decode("utf-8", "replace")


def names_in(folder, hidden):
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    spaced = [name for name in hidden if not re.fullmatch(r"[\w+/=]+", name)]
    return {
        (name, place)
        for file, content in files.items()
        for place, text in every_text(file, content)
        for name in (hidden & {*re.findall(r"[\w+/=]+", text), *re.findall(r"\w+", text, re.ASCII)})
        | {phrase for phrase in spaced if phrase in text}
    }  # fmt: skip


@pytest.mark.notebook
def test_no_file_of_it_names_anybody_who_may_not_be_named(finished):
    dataset, run = finished
    assert len(hidden := protected_names(dataset)) > 500
    assert names_in(run.folder, hidden) == set()


def hidden_on_the_second_platform(dataset):
    accounts = load_release(dataset.with_name(f"{dataset.name}_platform_b")).accounts
    return accounts.filter(pl.col("n_followers").fill_null(0) < 5_000)


def talk_of_the_second_platform(dataset):
    """Write handles and names of accounts of the other platform into the posts of this one, as people do, without @."""
    second = hidden_on_the_second_platform(dataset)
    said = second.select(pl.format("{} ({})", "display_name", "handle")).to_series().drop_nulls().to_list()
    n_said = 0
    about = (dataset / "dataset.toml").read_text(encoding="utf-8")
    for file in sorted(dataset.glob("*_synthetic_tweets_*.csv.gz")):
        announced = hashlib.sha256(file.read_bytes()).hexdigest()
        with gzip.open(file, "rt", encoding="utf-8", newline="") as stream:
            header, *rows = list(csv.reader(stream))
        text = header.index("tweet_text")
        for row in rows[::5]:
            row[text] += f" says {said[n_said % len(said)]}"
            n_said += 1
        with gzip.open(file, "wt", encoding="utf-8", newline="") as stream:
            csv.writer(stream).writerows([header, *rows])
        about = about.replace(announced, hashlib.sha256(file.read_bytes()).hexdigest())
    (dataset / "dataset.toml").write_text(about, encoding="utf-8")
    assert n_said > 1_000


@pytest.mark.notebook
def test_nor_anybody_of_the_second_platform_whom_the_first_one_talks_of(finished):
    dataset, run = finished
    second = hidden_on_the_second_platform(dataset)
    handles = set(second["handle"].drop_nulls())
    called = {name for name in second["display_name"].drop_nulls() if " " in name}
    assert min(len(handles), len(called)) > 50
    assert names_in(run.folder, handles | called) == set()


def test_the_search_for_names_would_find_them(tmp_path):
    hidden = {"tram_fan99", "Anna of Quay", "aB+/c=", "北岸"}
    with zipfile.ZipFile(tmp_path / "p.zip", "w") as archive:
        archive.writestr("a.csv", "id\naB+/c=\n")
    (tmp_path / "b.html").write_text("看@tram_fan99你 &#65;nna of Quay", encoding="utf-8")
    (tmp_path / "c.json").write_text('"\\u5317\\u5cb8"', encoding="utf-8")
    assert {name for name, _ in names_in(tmp_path, hidden)} == hidden
