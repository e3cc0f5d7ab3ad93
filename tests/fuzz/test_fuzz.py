"""The short run: some damaged inputs through every reader, and one test for each trap the long runs found."""

import gzip
import io
import re
import zipfile

import pytest
from fuzz_samples import list_samples
from fuzz_trial import try_input

from workbench.schema import SourceError
from workbench.sources import load_release
from workbench.sources.parts import Part
from workbench.state_media import read_adverts, read_policies

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
    with pytest.raises(SourceError, match="no header has so many"):
        load_release(tmp_path / "t.csv")
    with pytest.raises(SourceError, match="its first line is none"):
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
