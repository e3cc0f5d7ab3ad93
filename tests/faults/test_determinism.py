"""The same tables however the input was sorted and however many threads there are; `make determinism` has the rest."""

import gzip
import hashlib
import json
import os
import subprocess
import sys

import determinism
import pytest
from determinism import THREADS, Variant, check_crossings, compare_reports
from shuffled_case import CASE, make_case, shuffle_datasets

import workbench as wb

TRACES = ["repost", "url", "hashtag_sequence", "same_text", "reply"]
TEST = {"time_window_s": 60, "n_shuffles": 5, "seed": 7}
WRITE_TABLES = f"""
import sys
from pathlib import Path
import polars as pl
import workbench as wb

dataset, out = map(Path, sys.argv[1:])
release = wb.protect_release(wb.load_release(dataset), key=b"k" * 32)
second = wb.load_second(dataset)
actions = wb.extract_actions(release.posts, traces={TRACES})
edges = wb.count_co_actions(actions, time_window_s=60)
scored = wb.score_edges(edges, actions, **{TEST})
clusters = wb.find_coordinated_clusters(actions, max_fdr=0.05, **{TEST})
profiles = wb.profile_accounts(release.accounts, release.posts)

evidence = wb.collect_evidence(release, clusters=clusters, scored=scored, time_window_s=60)
findings = wb.Findings(about=release.about, sections=())
tip = wb.read_indicators(wb.write_package(findings, out / "package", level="public", evidence=evidence).archive)
found = wb.match_indicators(tip, second)
both = wb.combine_releases([release, second], name="both", title="Both platforms")
crossing = wb.extract_actions(both.posts, traces=["url", "same_text"])
crossed = wb.score_edges(wb.count_co_actions(crossing, time_window_s=60), crossing, **{TEST})

lists = wb.read_screening_lists(dataset=dataset)
screened = wb.screen_outlets(lists.facts, policies=lists.policies, outlets=lists.outlets)
own = wb.find_outlet_accounts(release.accounts, lists.outlets)
adverts = wb.match_adverts(lists.adverts, lists.outlets)
tables = {{
    "actions": actions,
    "edges": edges,
    "scored": scored,
    "clusters": clusters,
    "profiles": profiles,
    "tip": tip,
    "matched": found.accounts,
    "hits": found.hits,
    "bridges": wb.list_bridges(crossed, both.accounts),
    "screened": screened,
    "references": wb.find_references(release.posts, lists.outlets, outlet_accounts=own),
    "adverts": wb.judge_adverts(adverts, screened, policies=lists.policies).drop("line", "repeats"),
}}
for name, table in tables.items():
    table.write_ndjson(out / f"{{name}}.ndjson")
"""


@pytest.fixture(scope="module")
def datasets(tmp_path_factory):
    """A case of two platforms and lists, and the same with its rows in another order."""
    root = tmp_path_factory.mktemp("determinism")
    plain = make_case(root / "plain")
    shuffle_datasets(root / "plain", root / "shuffled", seed=5)
    return plain, root / "shuffled" / CASE


def write_tables(dataset, out, n_threads):
    out.mkdir()
    environment = {**os.environ, **dict.fromkeys(THREADS, str(n_threads))}
    subprocess.run([sys.executable, "-c", WRITE_TABLES, dataset, out], env=environment, check=True)
    return {file.stem: file.read_bytes() for file in out.glob("*.ndjson")}


@pytest.mark.parametrize("load", [wb.load_release, wb.load_second])
def test_a_release_is_the_same_however_its_files_are_sorted(datasets, load):
    plain, shuffled = map(load, datasets)
    assert plain.about.files != shuffled.about.files
    assert plain.accounts.equals(shuffled.accounts)
    assert plain.posts.equals(shuffled.posts)
    assert plain.decisions.equals(shuffled.decisions)
    assert plain.posts.height > 4_000


def test_tables_are_the_same_with_one_thread_and_rows_shuffled_as_with_four(datasets, tmp_path):
    plain, shuffled = datasets
    tables = write_tables(plain, tmp_path / "plain", 4)
    others = write_tables(shuffled, tmp_path / "shuffled", 1)
    assert tables["matched"].count(b'"corroborated"') >= 3
    assert tables["bridges"].count(b'"is_bridge":true') >= 100
    assert all(tables.values())
    assert [name for name, table in tables.items() if table != others[name]] == []


def test_shuffling_moves_rows_and_changes_none(tmp_path):
    folder = tmp_path / "plain" / "case"
    folder.mkdir(parents=True)
    rows = [f'{n},"two\nlines, {n}"\n' for n in range(9)]
    whole = "".join(["id,text\n", *rows]).encode()
    (folder / "users.csv.gz").write_bytes(gzip.compress(whole))
    (folder / "list.csv").write_text("# a remark\nid\n" + "".join(f"{n}\n" for n in range(9)).rstrip())
    (folder / "adverts.json").write_text(json.dumps({"data": [{"id": n} for n in range(9)]}))
    (folder / "adverts.jsonl").write_text("".join(f'{{"id": {n}}}\n' for n in range(9)))
    (folder / "dataset.toml").write_text(hashlib.sha256((folder / "users.csv.gz").read_bytes()).hexdigest())
    made = shuffle_datasets(tmp_path / "plain", tmp_path / "out", seed=1)
    assert made == ["case/adverts.json", "case/adverts.jsonl", "case/list.csv", "case/users.csv.gz"]

    out = tmp_path / "out" / "case"
    users = gzip.decompress((out / "users.csv.gz").read_bytes()).decode()
    assert users.startswith("id,text\n")
    assert users.encode() != whole
    assert all(users.count(row) == 1 for row in rows)
    assert len(users.encode()) == len(whole)
    assert (out / "dataset.toml").read_text() == hashlib.sha256((out / "users.csv.gz").read_bytes()).hexdigest()
    remark, head, *ids = (out / "list.csv").read_text().splitlines()
    assert (remark, head) == ("# a remark", "id")
    for found in (
        [int(one) for one in ids],
        [one["id"] for one in json.loads((out / "adverts.json").read_text())["data"]],
        [json.loads(line)["id"] for line in (out / "adverts.jsonl").read_text().splitlines()],
    ):
        assert sorted(found) == list(range(9)) != found

    (folder / "more.parquet").write_bytes(b"x")
    with pytest.raises(ValueError, match=r"more\.parquet cannot be shuffled"):
        shuffle_datasets(tmp_path / "plain", tmp_path / "again", seed=1)


def test_a_report_in_which_nothing_crosses_is_refused(tmp_path):
    tables = {
        "matched_accounts": "account_id,verdict\na,corroborated\n",
        "spanning_clusters": "cluster_id,platform\n1,Facebook\n1,Twitter\n2,Twitter\n",
        "bridge": "account_a,is_bridge\na,False\nb,True\n",
        "presence": "platform,n_accounts\nFacebook,4\nTwitter,5\n",
        "state_media_advert_lines": 'advert_id,repeats\nx,\nx,"a.csv, line 2"\n',
    }
    (tmp_path / "tables").mkdir()
    for name, text in tables.items():
        (tmp_path / "tables" / f"{name}.csv").write_text(text)
    assert list(check_crossings(tmp_path).values()) == [1, 1, 1, 4, 1, 1]
    (tmp_path / "tables" / "bridge.csv").write_text("account_a,is_bridge\na,False\n")
    with pytest.raises(RuntimeError, match="pairs across platforms"):
        check_crossings(tmp_path)


def test_reports_are_graded_file_by_file(tmp_path):
    for name, version, figure in (("one", "2.4.6", "1"), ("other", "2.5.5", "2")):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "findings.json").write_text(f'{{"provenance": {{"versions": {{"numpy": "{version}"}}}}}}')
        (folder / "sums.txt").write_text(hashlib.sha256(name.encode()).hexdigest())
        (folder / "adverts.csv").write_text(f'x,adverts_b.csv,{figure},"adverts_a.json, line {figure}"')
        (folder / "figure.csv").write_text(f"posts_b.csv,{figure}")
        cell = {"text/html": "a table", "text/plain": f"a ta\nble line\n{figure}"}
        notebook = {"cells": [{"outputs": [{"data": cell}]}, {}], "nbformat": 4}
        (folder / "tables.ipynb").write_text(json.dumps(notebook))
        cell.pop("text/html")
        (folder / "text.ipynb").write_text(json.dumps(notebook))
        (folder / "page.html").write_text("the same")
        (folder / "manifest.json").write_text(name)
    (tmp_path / "one" / "more.csv").write_text("")
    masked = "same but for versions, checksums and lines"
    assert compare_reports(tmp_path / "one", tmp_path / "other") == {
        "adverts.csv": masked,
        "figure.csv": "other",
        "findings.json": masked,
        "more.csv": "other",
        "page.html": "same",
        "sums.txt": masked,
        "tables.ipynb": masked,
        "text.ipynb": "other",
    }


@pytest.mark.parametrize(("only", "absent", "n"), [(set(), ["3.13"], 1), (set(), [], 0), ({"3.13"}, ["3.13"], 0)])
def test_a_python_that_is_absent_is_no_success_unless_variants_were_named(
    tmp_path, monkeypatch, capsys, only, absent, n
):
    def write_report(variant, home, datasets, key):
        home.mkdir()
        (home / "findings.json").write_text('{"provenance": {"versions": {}}}')
        (home / "manifest.json").write_text(str(home))
        return home, 1.0

    monkeypatch.setattr(determinism, "run_variant", write_report)
    monkeypatch.setattr(determinism, "check_crossings", lambda *_: {})
    monkeypatch.setattr(determinism, "make_case", lambda *_: None)
    monkeypatch.setattr(determinism, "shuffle_datasets", lambda *_, **__: None)
    variants = [Variant("Python 3.11, many threads", "python"), Variant("Python 3.11, one thread", "python")]
    monkeypatch.setattr(determinism, "list_variants", lambda *_: (variants, absent))
    assert determinism.main(tmp_path / "out", None, only) == n
    assert ("not found on this machine" in capsys.readouterr().out) == bool(absent)
    figures = json.loads((tmp_path / "out" / "figures.json").read_text())
    assert (figures["not_found"], figures["left_out"]) == (absent, "manifest.json, which holds the times")
