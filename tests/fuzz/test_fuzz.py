"""The short run: some damaged inputs through every reader, and one test for each trap the long runs found."""

import gzip
import io
import json
import re
import struct
import subprocess
import zipfile
from dataclasses import asdict, replace

import fuzz_trial
import polars as pl
import pytest
import run_fuzz
from fuzz_records import N_JUDGED, NOT_COUNTED
from fuzz_samples import list_samples
from fuzz_trial import Outcome, measure_unpacked, try_input

from workbench.findings import Findings
from workbench.holidays import read_holidays
from workbench.schema import Release, SourceError
from workbench.sources import load_release
from workbench.sources.parts import Part
from workbench.state_media import read_adverts, read_facts, read_outlets, read_policies
from workbench.state_media.adverts import AdvertFile
from workbench.state_media.policies import Policies

N_SEEDS = 4
TWEETS = list_samples()["twitter tweets"].files["tweets.csv"]


@pytest.mark.parametrize("name", list_samples())
def test_every_sample_can_be_read_before_it_is_damaged(name, tmp_path):
    sample = list_samples()[name]
    for file, content in sample.files.items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_bytes(content)
    sample.read(tmp_path if sample.is_folder else tmp_path / sample.damaged)


@pytest.mark.parametrize("name", list_samples())
def test_a_damaged_input_is_read_whole_or_refused_with_advice(name):
    broken = [outcome for outcome in (try_input(name, seed) for seed in range(N_SEEDS)) if outcome.verdict == "broken"]
    assert not broken


def drop_a_row(path):
    release = load_release(path)
    return replace(release, posts=release.posts.head(-1))


def drop_a_record_unsaid(path):
    release = load_release(path)
    read = pl.col("stage") == "load"
    less = release.decisions.with_columns(
        pl.when(read).then(pl.col("n_before", "n_after") - 1).otherwise(pl.col("n_before", "n_after"))
    )
    return replace(release, posts=release.posts.head(-1), decisions=less)


def drop_an_advert(path):
    read = read_adverts(path)
    return read._replace(adverts=read.adverts.head(-1))


def drop_a_fact(path):
    good, bad = read_facts(path)
    return good.head(-1), bad


def drop_an_outlet(path):
    good, bad = read_outlets(path)
    return good.head(-1), bad


def lose_last(read):
    """What a reader gives, without its last row."""
    if isinstance(read, pl.DataFrame):
        return read.head(-1)
    if isinstance(read, Policies | Findings):
        part = "policies" if isinstance(read, Policies) else "sections"
        return replace(read, **{part: getattr(read, part)[:-1]})
    if isinstance(read, Release):
        table = "posts" if read.posts.height else "accounts"
        return replace(read, **{table: getattr(read, table).head(-1)})
    if hasattr(read, "_replace"):
        table = "adverts" if isinstance(read, AdvertFile) else "outlets"
        return read._replace(**{table: getattr(read, table).head(-1)})
    return (read[0].head(-1), *read[1:])


@pytest.mark.parametrize("name", list_samples())
def test_a_reader_that_loses_its_last_row_is_called_broken(name, monkeypatch):
    monkeypatch.setattr(fuzz_trial, "damage", lambda _, content, **__: (content, "none"))
    read = list_samples()[name].read
    assert try_input(name, 0).verdict == "read"
    assert try_input(name, 0, read=lambda path: lose_last(read(path))).verdict == "broken"


def test_all_formats_are_judged_and_those_whose_rows_cannot_be_counted_are_named():
    assert len(list_samples()) == N_JUDGED
    assert set(NOT_COUNTED) <= set(list_samples())


def raise_value_error(path):
    raise ValueError(f"Remove {path.name}.")


def refuse_without_advice(path):
    raise SourceError(f"{path.name} is bad")


def change_the_file(path):
    release = load_release(path)
    path.write_bytes(path.read_bytes() + b"x")
    return release


def leave_a_file(path):
    (path.parent / "left.csv").touch()
    return load_release(path)


def take_much_memory(path):
    assert len(b"x" * 400_000_000) > 0
    return load_release(path)


def spin(path):
    while path:
        pass


@pytest.mark.parametrize(
    ("name", "read", "said"),
    [
        ("share log", drop_a_row, r"\d records read, .* but \d+ rows"),
        ("share log", drop_a_record_unsaid, r"\d+ records in the file, \d+ accounted for"),
        ("adverts, meta", drop_an_advert, r"\d+ records in the file, \d+ kept, \d+ in quarantine"),
        ("facts", drop_a_fact, r"\d+ records in the file, \d+ kept, \d+ in quarantine"),
        ("outlets", drop_an_outlet, r"\d+ records in the file, \d+ kept, \d+ in quarantine"),
        ("share log", raise_value_error, r"ValueError: Remove"),
        ("share log", refuse_without_advice, r"gives no advice: SourceError"),
        ("share log", change_the_file, r"a source file was changed"),
        ("share log", leave_a_file, r"or one was left behind"),
        ("share log", take_much_memory, r"took [34]\d\d,\d{3},\d{3} bytes of memory"),
        ("share log", spin, r"took too long"),
    ],
)
def test_a_reader_that_breaks_a_promise_is_called_broken(name, read, said, monkeypatch):
    if read is take_much_memory and not fuzz_trial._peak():
        pytest.skip("only Linux tells the highest memory of a process")
    monkeypatch.setattr(fuzz_trial, "damage", lambda _, content, **__: (content, "none"))
    assert try_input(name, 0).verdict == "read"
    monkeypatch.setattr(fuzz_trial, "MAX_SECONDS", 1 if read is spin else fuzz_trial.MAX_SECONDS)
    outcome = try_input(name, 0, read=read)
    assert outcome.verdict == "broken"
    assert re.search(said, outcome.said)


def make_lying_zip(n_packed, n_unpacked):
    """A zip of one table that says these sizes of it, in bytes."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("tweets.csv"), TWEETS * 20, zipfile.ZIP_DEFLATED)
    packed = bytearray(stream.getvalue())
    at = packed.find(b"PK\x01\x02")
    packed[at + 20 : at + 28] = struct.pack("<II", n_packed or struct.unpack_from("<I", packed, at + 20)[0], n_unpacked)
    return bytes(packed)


@pytest.mark.parametrize("n_packed", [0, 5, 2**31])
@pytest.mark.parametrize("n_unpacked", [0, 5, 2**31, 2**32 - 2])
def test_a_zip_that_lies_about_its_size_is_refused_and_gets_no_more_time_or_memory(tmp_path, n_packed, n_unpacked):
    lying = make_lying_zip(n_packed, n_unpacked)
    assert measure_unpacked(lying) <= len(TWEETS) * 20
    (tmp_path / "lying.zip").write_bytes(lying)
    with pytest.raises(SourceError, match=r"lying\.zip"):
        load_release(tmp_path / "lying.zip")


def test_an_honest_archive_counts_as_what_comes_out_of_it(monkeypatch):
    honest = make_lying_zip(0, len(TWEETS) * 20)
    assert measure_unpacked(honest) == measure_unpacked(gzip.compress(TWEETS * 20)) == len(TWEETS) * 20
    monkeypatch.setattr(fuzz_trial, "MAX_UNPACKED", 5_000_000)
    assert measure_unpacked(gzip.compress(b"a" * 50_000_000)) == 5_000_000


def test_a_line_cut_off_by_a_kill_ends_no_run(monkeypatch):
    whole = json.dumps(asdict(Outcome("share log", 1, "none", "read", "", 0.1, 9, 9))) + "\n"
    texts = iter([whole + whole[:30], whole])
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], -9, stdout=next(texts)))
    done = run_fuzz._try_chunk([("share log", seed) for seed in (1, 2, 3)])
    assert [outcome.verdict for outcome in done] == ["read", "broken", "read"]
    assert (done[1].seed, done[1].said) == (2, "the process died or hung")


def test_the_same_seed_is_the_same_damage():
    assert try_input("share log", 3).said == try_input("share log", 3).said


@pytest.mark.parametrize("filler", [b"\0", b" ", b"[", b"a", b",", b'"'])
def test_a_gzip_bomb_is_stopped_before_it_fills_the_memory(tmp_path, filler):
    bomb = tmp_path / "tweets.csv.gz"
    with gzip.open(bomb, "wb", compresslevel=1) as stream:
        for _ in range(130):
            stream.write(filler * 1_000_000)
    assert bomb.stat().st_size < 1_000_000
    with pytest.raises(SourceError):
        load_release(bomb)


def test_a_gzip_bomb_behind_honest_rows_is_named(tmp_path):
    bomb = tmp_path / "tweets.csv.gz"
    with gzip.open(bomb, "wb", compresslevel=9) as stream:
        stream.write(TWEETS)
        for _ in range(105):
            stream.write(b" " * 1_000_000)
    with pytest.raises(SourceError, match=r"unpacks to over 1\d\d,\d{3},\d{3} bytes from .* as traps do"):
        load_release(bomb)


def test_an_honest_gzip_of_much_text_is_no_bomb(tmp_path):
    file = tmp_path / "tweets.csv.gz"
    file.write_bytes(gzip.compress(TWEETS * 3, mtime=0))
    with Part(file).open() as stream:
        assert stream.read() == TWEETS * 3


def test_a_zip_bomb_is_refused_by_what_it_says_of_itself(tmp_path):
    bomb = tmp_path / "bomb.zip"
    with (
        zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive,
        archive.open("t.csv", "w") as one,
    ):
        for _ in range(120):
            one.write(b"\0" * 1_000_000)
    with pytest.raises(SourceError, match="would unpack to 120,000,000 bytes"):
        load_release(bomb)


def test_archives_that_lead_out_nest_or_hide_are_refused_and_write_nothing(tmp_path):
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("tweets.csv", TWEETS)
    for name, member, content in (("nested", "inner.zip", inner.getvalue()), ("empty", "notes.md", b"x")):
        with zipfile.ZipFile(tmp_path / f"{name}.zip", "w") as archive:
            archive.writestr(member, content)
        with pytest.raises(SourceError, match=r"zip inside a zip|holds no table"):
            load_release(tmp_path / f"{name}.zip")
    with zipfile.ZipFile(tmp_path / "out.zip", "w") as archive:
        archive.writestr("../../tweets.csv", TWEETS)
    load_release(tmp_path / "out.zip")  # read where it lies: nothing is unpacked to disk
    assert sorted(file.name for file in tmp_path.rglob("*")) == ["empty.zip", "nested.zip", "out.zip"]


@pytest.mark.parametrize("cut", [5, 12])
def test_a_gzip_cut_short_in_its_first_line_says_so(tmp_path, cut):
    (tmp_path / "tweets.csv.gz").write_bytes(gzip.compress(TWEETS, mtime=0)[:cut])
    with pytest.raises(SourceError, match=r"(?s)not one line of it can be read\. Fetch"):
        load_release(tmp_path / "tweets.csv.gz")


def test_a_calendar_in_a_gzip_cut_short_is_refused(tmp_path):
    packed = gzip.compress(list_samples()["calendar of holidays"].files["days.csv"], mtime=0)
    for cut in (1, 4, len(packed) // 2):
        (tmp_path / "days.csv").write_bytes(packed[:-cut])
        with pytest.raises(SourceError, match="is a gzip file, not a CSV"):
            read_holidays(str(tmp_path / "days.csv"))


def test_the_end_of_file_mark_of_old_programs_is_no_record(tmp_path):
    (tmp_path / "tweets.csv").write_bytes(TWEETS + b"\x1a")
    release = load_release(tmp_path / "tweets.csv")
    assert (release.posts.height, release.quarantine.height) == (8, 0)
    capture = list_samples()["mastodon"].files["capture.ndjson"]
    (tmp_path / "capture.ndjson").write_bytes(capture + b"\x1a")
    assert load_release(tmp_path / "capture.ndjson").quarantine.is_empty()


def test_ids_a_spreadsheet_rounded_say_how_to_get_whole_ones(tmp_path):
    (tmp_path / "tweets.csv").write_bytes(re.sub(rb"(?m)^1001,|^1002,|^1003,", b"1.14E+18,", TWEETS))
    with pytest.raises(SourceError, match=r"a spreadsheet rounded it .*export it again with the id columns as text"):
        load_release(tmp_path / "tweets.csv")


def test_a_header_of_a_million_columns_is_refused_at_once(tmp_path):
    (tmp_path / "t.csv").write_bytes(b"," * 900_000)
    with pytest.raises(SourceError, match=r"no header has so many|is no line of column names"):
        load_release(tmp_path / "t.csv")
    with pytest.raises(SourceError, match="no table has so many"):
        read_adverts(tmp_path / "t.csv")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"PK\x03\x04xx", "a zip archive or spreadsheet"),
        (b"\x1f\x8bxx", "a gzip file"),
        (b"a,b\n\0,1\n", "NUL bytes"),
    ],
)
def test_lists_that_are_no_text_are_refused(tmp_path, content, message):
    (tmp_path / "adverts.csv").write_bytes(content)
    with pytest.raises(SourceError, match=message):
        read_adverts(tmp_path / "adverts.csv")


@pytest.mark.parametrize(
    "text",
    [
        "policy = 1",
        "policy = [1]",
        "factors = 1",
        "[[policy]]\nrule = 1",
        "[[policy]]\nrule = [1]",
        '[[policy]]\n[[policy.rule]]\nrule_id = 1\nkind = "requirement"\ntext = ""\nreading = ""\nwhen = 1',
        '[[policy]]\n[[policy.rule]]\nrule_id = "a"\nkind = "requirement"\ntext = ""\nreading = ""\nwhen = {all = 1}',
    ],
)
def test_a_policy_file_of_other_types_is_refused(tmp_path, text):
    (tmp_path / "policies.toml").write_text(text)
    with pytest.raises(SourceError):
        read_policies(tmp_path / "policies.toml")
