"""An account taken out leaves no name, no pseudonym and no word behind, in any file that is ours."""

import io
import json
import re
import shutil
import zipfile
from pathlib import Path

import nbformat
import polars as pl
import pytest
from rich.console import Console

from workbench import removal
from workbench.catalogue import write_catalogue
from workbench.findings import Findings, Section
from workbench.keys import read_key
from workbench.manifest import describe_outputs
from workbench.privacy import protect_release
from workbench.removal import REASON, find_remains, remove_account
from workbench.run import Run, RunError, hold_case, run_case
from workbench.schema import ParameterError, SourceError
from workbench.sharing.match import pair_names
from workbench.sources import load_release
from workbench.sources.removed import REMOVED_FILE, note_removal
from workbench.sources.twitter_archive import TWEETS, USERS
from workbench.versions import list_versions, mend_versions, move_in, next_version

GONE, HANDLE, WORDS = "10077001", "quietlamp", "The lamp at pier nine burns green tonight"
HEADER = "message_id,user_id,username,repost_id,reply_id,message,timestamp,urls\n"
ROWS = [
    ("m1", GONE, HANDLE, "", "", WORDS, "https://linden.example/lamp"),
    ("m2", "10077002", "ferrybell", "m1", "", WORDS, "https://linden.example/lamp"),
    ("m3", "10077002", "ferrybell", "", "m1", f"@{HANDLE} which pier? ask 10077001", ""),
    ("m4", "10077003", "eastquay", "", "", "Morning on the quay", f"https://twitter.com/{HANDLE}/status/m1"),
    ("m5", "10077003", "eastquay", "", "", "quietlamps are sold here", "https://linden.example/quietlamp-shop"),
]
SHARES = HEADER + "".join(
    ",".join([*row[:5], row[5], str(1_900_000_000 + n), row[6]]) + "\n" for n, row in enumerate(ROWS)
)
NAME, BIO = "Keeper of Pier Nine", "Lamps lit since 1999 between the ferries"
PERSONS = {
    GONE: (NAME, HANDLE, BIO),
    "10077002": ("Ferry Bell", "ferrybell", "Bells"),
    "10077003": ("East Quay", "eastquay", ""),
}
SPOKEN = [
    ("m6", "10077002", f"Ask {NAME} or {HANDLE} when the lamps go out", ""),
    ("m7", "10077003", f"Lights out #{HANDLE} say the quietlamps", f"[{HANDLE}]"),
]
GONE_B, HANDLE_B = "20088001", "lampkeeper_b"
SHARES_B = HEADER + (
    f"n1,{GONE_B},{HANDLE_B},,,{WORDS},1900000003,https://linden.example/lamp\n"
    "n2,20088002,bellringer_b,,,Bells at noon,1900000004,https://linden.example/bell\n"
)
PARAMETERS = 'dataset = "quay"\nreports_folder = ""\ncache_folder = ""\nseed = 7\nsecond_dataset = ""'
REPORT = """
from pathlib import Path

import workbench as wb
from workbench.findings import TableView

case = wb.open_case(dataset, reports_folder=reports_folder, cache_folder=cache_folder)
release = case.keep(wb.load_release, case.dataset)
shown = wb.protect_release(release, key=wb.read_key())
shown.posts.select("post_id", "account_id", "text").write_csv(Path(reports_folder, "posts.csv"))
second = wb.load_second(case.dataset, second=second_dataset)
if second.posts.height:
    second = wb.protect_release(second, key=wb.read_key())
    both = wb.combine_releases([shown, second], name="both", title="Both")
    both.posts.write_ndjson(Path(reports_folder, "both.jsonl"))
members = shown.accounts.select("account_id", "display_name", "description", cluster_id=1)
table = TableView("cluster_members", "Members", f"The seed is {seed}.", members)
section = wb.Section("clusters", tables=[table])
case.save("07_write_report", release, sections=[section], parameters={"seed": seed})
wb.render_report(case.gather(), case.folder)
shown.accounts
"""


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A case whose report shows every post under pseudonyms."""
    (tmp_path / "datasets" / "quay").mkdir(parents=True)
    (tmp_path / "datasets" / "quay" / "messages.csv").write_text(SHARES)
    (tmp_path / "datasets" / "quay" / "dataset.toml").write_text('title = "Invented quay"\nplatform = "twitter"\n')
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("## Step")])
    notebook.cells.append(nbformat.v4.new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]}))
    notebook.cells.append(nbformat.v4.new_code_cell(REPORT.strip()))
    (tmp_path / "notebooks").mkdir()
    nbformat.write(notebook, tmp_path / "notebooks" / "07_write_report.ipynb")
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    monkeypatch.setenv("WORKBENCH_KEY_FILE", str(tmp_path / "key"))
    return tmp_path


def dataset(home):
    return home / "datasets" / "quay"


def write_archive(place):
    """The same accounts in Twitter's layout: a table of them with display names and bios, and what they wrote."""
    (place / "messages.csv").unlink()
    persons = {
        account: {
            **dict.fromkeys([*USERS.read, *USERS.unread], ""),
            "userid": account,
            "user_display_name": name,
            "user_screen_name": handle,
            "user_profile_description": bio,
            "follower_count": "12",
            "following_count": "3",
            "account_creation_date": "2017-08-30",
        }
        for account, (name, handle, bio) in PERSONS.items()
    }
    pl.DataFrame(list(persons.values())).write_csv(place / "users.csv")
    said = [*((post, account, text, "") for post, account, _, repost, _, text, _ in ROWS if not repost), *SPOKEN]
    tweets = [
        {
            **dict.fromkeys([*TWEETS.read, *TWEETS.unread], ""),
            **persons[account],
            "tweetid": str(int(post[1:]) + 900),
            "tweet_text": text,
            "tweet_time": f"2019-06-30 06:{n:02}",
            "is_retweet": "false",
            "hashtags": tags,
        }
        for n, (post, account, text, tags) in enumerate(said)
    ]
    pl.DataFrame(tweets).write_csv(place / "tweets.csv")


def shown_as(place, account_id):
    """The pseudonym by which an account of a dataset is shown."""
    original = load_release(place)
    names = pair_names(original, protect_release(original, key=read_key()))
    return names.filter(pl.col("account_id") == account_id)["shown"].item()


def contents(place):
    """Every file under a place as text, tables and archives opened."""
    for file in sorted(place.rglob("*")):
        if file.is_dir():
            continue
        yield file, file.read_bytes()
        if file.suffix == ".parquet":
            yield file, pl.read_parquet(file).write_ndjson().encode()
        if zipfile.is_zipfile(file):
            with zipfile.ZipFile(file) as archive:
                yield from ((file, archive.read(name)) for name in archive.namelist())


@pytest.mark.notebook
def test_nothing_of_a_removed_account_is_left_and_a_new_version_says_only_that_something_was_removed(home):
    run_case("quay")
    run_case("quay", parameters={"seed": 8})
    pseudonym = shown_as(dataset(home), GONE)
    reports, cache = home / "reports", home / ".cache"
    (reports / "quay.package").mkdir()
    (reports / "quay.package" / "accounts.csv").write_text(pseudonym)
    with zipfile.ZipFile(reports / "quay.package.zip", "w") as archive:
        archive.writestr("accounts.csv", pseudonym)
    (reports / "quay.draft").mkdir()
    (reports / "quay.draft" / "page.html").write_text(f"@{HANDLE}")
    (dataset(home) / "narrative_labels.csv").write_text(f"label,translation,fingerprints,exemplar\nLamp,,a b,{WORDS}\n")
    assert find_remains([reports], {pseudonym}), "or the test would prove nothing"
    source = (dataset(home) / "messages.csv").read_bytes()

    done = remove_account("quay", GONE)

    assert done.withdrawn == (1, 2)
    assert (done.run.version, done.run.is_new) == (3, True)
    assert done.files_that_hold_it == ("messages.csv",)
    assert (dataset(home) / "messages.csv").read_bytes() == source, "the files are the user's"
    ours = [reports, cache, dataset(home) / REMOVED_FILE, dataset(home) / "narrative_labels.csv"]
    for name in (GONE, pseudonym, f"@{HANDLE}", WORDS):
        for place in ours:
            texts = contents(place) if place.is_dir() else [(place, place.read_bytes())]
            assert not [file for file, content in texts if name.encode() in content], f"{name} in {place}"
    assert "Lamp" in (dataset(home) / "narrative_labels.csv").read_text(), "what a human wrote stays"
    rows = list_versions(reports, "quay")
    assert [(row["version"], row["why"], row["files"]) for row in rows] == [
        (3, REASON, "as written"), (2, REASON, "as written"), (1, REASON, "as written"),
    ]  # fmt: skip
    assert "was withdrawn on" in (reports / "quay.history" / "v1" / "report.html").read_text()
    findings = json.loads((reports / "quay" / "findings.json").read_text())
    said = [row for row in findings["decisions"] if "request" in row["reason"]]
    assert [(row["action"][:10], row["n_before"] - row["n_after"]) for row in said] == [
        ("left out 1", 1),
        ("left out 2", 2),
    ]
    assert json.loads((reports / "quay" / "manifest.json").read_text())["parameters"]["seed"] == 8


@pytest.mark.notebook
def test_the_catalogue_an_account_table_and_a_second_platform_hold_nothing_of_it_either(home):
    second = home / "datasets" / "quay_platform_b"
    second.mkdir()
    (second / "messages.csv").write_text(SHARES_B)
    (second / "dataset.toml").write_text('title = "Invented quay, elsewhere"\nplatform = "facebook"\n')
    write_archive(dataset(home))
    shutil.copytree(dataset(home), home / "datasets" / "pier")
    reports = home / "reports"
    run_case("quay")
    run_case("pier")
    write_catalogue(reports, address="https://reports.example/lamps/")
    first = shown_as(dataset(home), GONE)
    other = shown_as(second, GONE_B)
    assert first in (reports / "index.html").read_text(), "or the test would prove nothing"
    assert first in (reports / "catalogue.json").read_text()
    assert [file for file, content in contents(reports) if other.encode() in content]

    removals = [remove_account("quay", GONE), remove_account("quay", GONE_B)]

    assert [removal.withdrawn for removal in removals] == [(1,), (1, 2)]
    assert [removal.files_that_hold_it for removal in removals] == [
        ("tweets.csv", "users.csv"),
        ("messages.csv",),
    ]
    # The copy of the data under another name is a case of its own: it keeps the account until it is removed there, too.
    ours = [reports / "quay", reports / "quay.history", home / ".cache" / "quay"]
    listing = [reports / name for name in ("index.html", "catalogue.json", "feed.xml")]
    texts = [(file, content) for place in ours for file, content in contents(place)]
    texts += [(file, file.read_bytes()) for file in listing]
    for name in (GONE, first, HANDLE, NAME, BIO, GONE_B, other, HANDLE_B, WORDS):
        stands = re.compile(rb"(?<![a-z0-9])" + re.escape(name.encode()) + rb"(?![a-z0-9])", re.IGNORECASE)
        assert not [file for file, content in texts if stands.search(content)], name
    listed = json.loads((reports / "catalogue.json").read_text())["reports"]
    assert [(row["case"], row["version"]) for row in listed if row["case"] == "quay"] == [("quay", 3)]
    assert 'xml:base="https://reports.example/lamps/"' in (reports / "feed.xml").read_text()


@pytest.mark.parametrize("named", ["pages", "datasets/pages"])
@pytest.mark.notebook
def test_a_second_platform_that_the_report_was_told_of_is_looked_through_too(home, named):
    second = home / "datasets" / "pages"
    second.mkdir()
    (second / "messages.csv").write_text(SHARES_B)
    (second / "dataset.toml").write_text('title = "Invented quay, elsewhere"\nplatform = "facebook"\n')
    run_case("quay", parameters={"second_dataset": named})
    other = shown_as(second, GONE_B)
    assert [file for file, content in contents(home / "reports") if other.encode() in content]

    removal = remove_account("quay", GONE_B)

    assert removal.withdrawn == (1,)
    assert removal.run.version == 2
    assert not [file for file, content in contents(home / "reports") if other.encode() in content]
    assert (second / "removed.toml").is_file()


@pytest.mark.notebook
def test_a_catalogue_is_renewed_even_where_the_new_report_cannot_be_made(home):
    reports = home / "reports"
    shutil.copytree(dataset(home), home / "datasets" / "pier")
    run_case("quay")
    run_case("pier")
    write_catalogue(reports)
    pseudonym = shown_as(dataset(home), GONE)
    assert pseudonym in (reports / "index.html").read_text()
    notebook = nbformat.read(home / "notebooks" / "07_write_report.ipynb", 4)
    notebook.cells.append(nbformat.v4.new_code_cell("raise OSError('the disk is gone')"))
    nbformat.write(notebook, home / "notebooks" / "07_write_report.ipynb")
    with pytest.raises(RunError, match="the disk is gone"):
        remove_account("quay", GONE)
    assert pseudonym not in (reports / "index.html").read_text()


def test_names_that_stand_for_the_account_without_a_sign_are_gone_from_what_others_say(home):
    write_archive(dataset(home))
    note_removal(dataset(home), GONE)
    release = load_release(dataset(home))
    texts = dict(release.posts.select("post_id", "text").iter_rows())
    assert texts["906"] == "Ask [removed] or [removed] when the lamps go out"
    assert texts["907"] == "Lights out #[removed] say the quietlamps"
    assert HANDLE not in release.posts["hashtags"].explode().drop_nulls().to_list()
    assert BIO not in release.accounts["description"].to_list()


def test_a_common_word_is_no_name_of_a_removed_account(home):
    rows = [f"c{n},3000{n},speaker_{n},,,number {n} has a quietlamp at home,{1900000100 + n},\n" for n in range(6)]
    (dataset(home) / "common.csv").write_text(HEADER + "".join(rows))
    note_removal(dataset(home), GONE)
    texts = load_release(dataset(home)).posts["text"].to_list()
    assert len([text for text in texts if text.endswith("has a quietlamp at home")]) == 6


def test_the_release_no_longer_holds_the_account_and_others_keep_what_is_theirs(home):
    note_removal(dataset(home), GONE)
    release = load_release(dataset(home))
    posts = {row["post_id"]: row for row in release.posts.iter_rows(named=True)}

    assert sorted(posts) == ["m3", "m4", "m5"], "its post and the repost of it are gone"
    assert posts["m3"]["text"] == "@[removed] which pier? ask [removed]"
    assert posts["m3"]["reply_to_id"] is None
    assert posts["m4"]["urls"] == []
    assert posts["m5"]["text"] == "quietlamps are sold here", "a longer word is no name"
    assert set(release.accounts["account_id"]) == {"10077002", "10077003"}


def test_a_removal_is_noted_once_and_names_nobody(home):
    file = note_removal(dataset(home), GONE)
    first = file.read_text()
    assert note_removal(dataset(home), GONE).read_text() == first
    assert GONE not in first
    note_removal(dataset(home), "10077002")
    assert load_release(dataset(home)).posts.height == 2


def test_a_single_file_has_its_list_beside_it(home):
    single = dataset(home) / "messages.csv"
    assert note_removal(single, GONE).name == "messages.csv.removed.toml"
    assert GONE not in load_release(single).accounts["account_id"]


@pytest.mark.parametrize("content", ["x", 'salt = ""\n[removed]\n', 'salt = "a"\n[removed]\na = 1\n', 'salt = "a"\n'])
def test_a_broken_list_stops_the_loading_so_that_nobody_comes_back(home, content):
    (dataset(home) / REMOVED_FILE).write_text(content)
    with pytest.raises(SourceError, match="would come back"):
        load_release(dataset(home))


def test_an_id_nobody_has_changes_nothing(home):
    with pytest.raises(ParameterError, match="nothing was changed"):
        remove_account("quay", HANDLE)
    assert not (dataset(home) / REMOVED_FILE).exists()


def test_a_case_under_way_is_left_alone(home):
    (home / "reports").mkdir()
    with hold_case(home / "reports", "quay"), pytest.raises(RunError, match="being run already"):
        remove_account("quay", GONE)
    assert not (dataset(home) / REMOVED_FILE).exists()


def test_a_case_without_a_report_needs_no_run(home):
    done = remove_account("quay", GONE)
    assert (done.withdrawn, done.run) == ((), None)


def test_what_still_holds_a_name_is_found_in_archives_too(tmp_path):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.csv", "acct_abcdef")
    (tmp_path / "p.zip").write_bytes(packed.getvalue())
    (tmp_path / "b.txt").write_text("short")
    assert find_remains([tmp_path], {"acct_abcdef", "short"}) == [tmp_path / "p.zip"], "short names are in any text"


def test_a_label_file_that_cannot_be_read_stops_a_removal_before_anything_is_changed(home):
    labels = dataset(home) / "narrative_labels.csv"
    labels.write_bytes(b"label,exemplar\n\xff\xfe" + b"a" * 20 + b'\n"')
    with pytest.raises(SourceError, match="nothing was removed"):
        remove_account("quay", GONE)
    assert not (dataset(home) / REMOVED_FILE).exists()


def put_version(place, number, *, parameters, release, correction=""):
    """A version as a run leaves it, in a moment: a page, a record and a table of posts, and what the manifest says."""
    place.mkdir(parents=True)
    shown = protect_release(release, key=read_key())
    shown.posts.select("post_id", "account_id", "text").write_csv(place / "posts.csv")
    Findings(shown.about, [Section("limits", empty_reason="Nothing.")]).save(place / "findings.json")
    (place / "report.html").write_text(f"<body><p>Version {number}, {shown.posts['account_id'].to_list()}</p></body>")
    told = {"case": "quay", "version": number, "correction": correction, "parameters": parameters}
    told |= {"ended_at": f"2031-07-0{number}T10:00:00+00:00", "outputs": describe_outputs(place)}
    (place / "manifest.json").write_text(json.dumps(told))


@pytest.fixture
def quick(home, monkeypatch):
    """The case with two versions and a catalogue, and a run that takes a moment."""

    def run(case, *, parameters, correction, **_):
        reports = home / "reports"
        mend_versions(reports, case)
        number = next_version(reports, case)
        draft = reports / f".{case}.running-0"
        put_version(draft, number, parameters=parameters, release=load_release(dataset(home)), correction=correction)
        assert move_in(draft, reports, case, number)
        return Run(reports / case, number, True, 0.0)

    monkeypatch.setattr(removal, "run_case", run)
    for number, seed in ((1, 7), (2, 8)):
        put_version(home / ".draft", number, parameters={"seed": seed}, release=load_release(dataset(home)))
        (home / "reports").mkdir(exist_ok=True)
        assert move_in(home / ".draft", home / "reports", "quay", number)
    (home / "reports" / "quay.package").mkdir()
    (home / "reports" / "quay.package" / "accounts.csv").write_text(shown_as(dataset(home), GONE))
    (dataset(home) / "narrative_labels.csv").write_text(f"label,exemplar\nLamp,{WORDS}\n")
    write_catalogue(home / "reports", address="https://reports.example/lamps/")
    return home


def end_state(home):
    """All that a removal leaves, but for the random salt of its note."""
    files = {file: file.read_bytes() for file in sorted((home / "reports").rglob("*")) if file.is_file()}
    labels = (dataset(home) / "narrative_labels.csv").read_text()
    posts = load_release(dataset(home)).posts["post_id"].to_list()
    return {file.relative_to(home).as_posix(): content for file, content in files.items()}, labels, posts


class CutOff(Exception):  # noqa: N818
    """The process ends here."""


def cut_off(monkeypatch, owner, step, *, at, after=False):
    """Let a step raise at its n-th call, before or after it has done its work."""
    real, calls = getattr(owner, step), []

    def broken(*args, **kwargs):
        calls.append(args)
        if len(calls) != at:
            return real(*args, **kwargs)
        if after:
            real(*args, **kwargs)
        raise CutOff

    monkeypatch.setattr(owner, step, broken)


STEPS = [
    (removal, "mend_versions", 1),
    (removal, "_withdraw", 1),
    (removal, "_withdraw", 2),
    (removal, "renew_catalogue", 1),
    (removal, "_forget_words", 1),
    (removal, "_clear", 1),
    (removal, "note_removal", 1),
    (removal, "run_case", 1),
    (removal, "renew_catalogue", 2),
    (removal, "find_remains", 1),
    *((Path, "rename", n) for n in (1, 2, 3, 4, 5, 6)),
    *((shutil, "rmtree", n) for n in (1, 2, 3)),
]


@pytest.fixture
def undisturbed(quick, tmp_path_factory):
    """What a removal leaves that nothing cuts off; the case is as before it again."""
    kept = tmp_path_factory.mktemp("kept")
    for name in ("reports", "datasets"):
        shutil.copytree(quick / name, kept / name)
    done = remove_account("quay", GONE)
    assert (done.withdrawn, done.run.version) == ((1, 2), 3)
    state = end_state(quick)
    for name in ("reports", "datasets"):
        shutil.rmtree(quick / name)
        shutil.copytree(kept / name, quick / name)
    return state


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(("owner", "step", "at"), STEPS, ids=lambda value: getattr(value, "__name__", str(value)))
def test_a_removal_cut_off_at_any_step_is_asked_again_and_ends_as_if_undisturbed(
    quick, undisturbed, monkeypatch, owner, step, at, after
):
    with monkeypatch.context() as patched:
        cut_off(patched, owner, step, at=at, after=after)
        with pytest.raises(CutOff):
            remove_account("quay", GONE)

    again = remove_account("quay", GONE)

    assert again.withdrawn == (1, 2)
    assert end_state(quick) == undisturbed
    assert json.loads((quick / "reports" / "quay" / "manifest.json").read_text())["parameters"] == {"seed": 8}


def test_a_finished_removal_asked_again_changes_nothing(quick):
    remove_account("quay", GONE)
    before = end_state(quick)
    (quick / "reports" / "quay.package").mkdir()  # made of the new version
    again = remove_account("quay", GONE)
    assert (again.withdrawn, again.run, again.files_that_hold_it) == ((1, 2), None, ())
    assert end_state(quick) == before
    assert (quick / "reports" / "quay.package").is_dir()


def test_an_account_noted_while_its_reports_stayed_public_is_withdrawn_when_asked_again(quick, undisturbed):
    """As a removal cut off under the order of before left it: noted, and nothing withdrawn."""
    pseudonym = shown_as(dataset(quick), GONE)
    note_removal(dataset(quick), GONE)
    again = remove_account("quay", GONE)
    assert (again.withdrawn, again.run.version) == ((1, 2), 3)
    assert not find_remains([quick / "reports"], {GONE, pseudonym})
    files = undisturbed[0].keys()
    assert end_state(quick)[0].keys() == files


def test_where_no_new_report_can_be_made_it_is_said_what_is_true(quick, undisturbed, monkeypatch):
    def fail(*_, **__):
        raise RunError("The disk is full. Reports are as they were.")

    with monkeypatch.context() as patched:
        patched.setattr(removal, "run_case", fail)
        for _ in range(2):
            with pytest.raises(
                RunError, match=r"2 versions of its report are withdrawn.*The disk is full\. Mend"
            ) as said:
                remove_account("quay", GONE)
            assert "as they were" not in str(said.value)
    assert remove_account("quay", GONE).run.version == 3
    assert end_state(quick) == undisturbed


@pytest.mark.parametrize("content", [b"[]", b'{"case": "quay", "ver', b'{"version": {}}', b"\xff", b""])
@pytest.mark.parametrize("where", ["quay", "quay.history/v1"])
def test_a_report_whose_manifest_is_damaged_is_withdrawn_all_the_same(quick, content, where):
    (quick / "reports" / where / "manifest.json").write_bytes(content)
    told = Console(file=io.StringIO(), width=500)
    done = remove_account("quay", GONE, console=told)
    assert (done.withdrawn, done.run.version) == ((1, 2), 3)
    assert [row["files"] for row in list_versions(quick / "reports", "quay")] == ["as written"] * 3
    assert ("the notebooks' own parameters" in told.file.getvalue()) == (where == "quay")
    title = (quick / "reports" / "quay.history" / "v2" / "report.html").read_text()
    assert "<h1>quay, version 2</h1>" in title


def test_another_report_that_is_damaged_does_not_stop_a_removal(quick):
    shutil.copytree(quick / "reports" / "quay", quick / "reports" / "pier")
    (quick / "reports" / "pier" / "manifest.json").write_text('{"version": {}}')
    (quick / "reports" / "pier" / "posts.csv").unlink()
    assert remove_account("quay", GONE).run.version == 3
