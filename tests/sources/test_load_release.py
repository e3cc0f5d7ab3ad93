"""Finding out what a path holds."""

import io
import struct
import zipfile

import pytest

from workbench.schema import ParameterError, SourceError
from workbench.sources import load_release


def zipped(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def test_a_folder_without_a_description_is_read_whole(write, users_csv, tweets_csv):
    folder = write("case/u.csv", users_csv({})).parent
    write("case/t.csv", tweets_csv({}))
    release = load_release(folder)
    assert (release.accounts.height, release.posts.height, release.about.name) == (1, 1, "case")


def test_a_path_may_be_a_string_a_dataset_toml_or_several_files(write, users_csv, tweets_csv):
    users, tweets = write("case/u.csv", users_csv({})), write("case/t.csv", tweets_csv({}))
    assert load_release(str(users)).about.name == "u"
    assert load_release([str(users), tweets]).about.name == "case"
    toml = write("case/dataset.toml", 'title = "t"\nplatform = "twitter"\n')
    assert load_release(toml).posts.height == 1


def test_a_path_that_is_not_there_names_its_neighbour(write, users_csv):
    path = write("case/users.csv", users_csv({}))
    with pytest.raises(SourceError, match=r"user\.csv does not exist\. Did you mean .*users\.csv"):
        load_release(path.with_name("user.csv"))
    with pytest.raises(SourceError, match="Give a dataset folder"):
        load_release(path.parent / "nowhere" / "at" / "all")


def test_no_path_at_all_is_refused():
    with pytest.raises(ParameterError, match="no file"):
        load_release([])


def test_a_folder_without_tables_is_refused(tmp_path):
    with pytest.raises(SourceError, match="holds no table"):
        load_release(tmp_path)


def test_an_unknown_format_says_what_was_looked_for_and_found(write):
    with pytest.raises(
        SourceError, match=r"no format we know. Looked for .*twitter_archive users .*Found columns: 'x', 'y'"
    ):
        load_release(write("a.csv", "x,y\n1,2\n"))


def test_one_unknown_file_among_others_is_not_passed_over(write, users_csv):
    folder = write("case/u.csv", users_csv({})).parent
    write("case/other.csv", "x,y\n1,2\n")
    with pytest.raises(SourceError, match=r"other\.csv has no format we know"):
        load_release(folder)


def test_a_source_may_be_demanded(write, users_csv):
    path = write("u.csv", users_csv({}))
    assert load_release(path, source="twitter_archive").accounts.height == 1
    with pytest.raises(SourceError, match="Looked for the columns of: share_log shares"):
        load_release(path, source="share_log")
    with pytest.raises(ParameterError, match=r"source is 'twiter_archive', expected .* Did you mean 'twitter_archive'"):
        load_release(path, source="twiter_archive")


def test_an_empty_file_is_refused(write):
    with pytest.raises(SourceError, match=r"u\.csv is empty \(0 bytes\)"):
        load_release(write("u.csv", ""))


def test_a_header_and_no_rows_is_refused_unless_something_else_has_rows(write, users_csv, tweets_csv):
    users = write("case/u.csv", users_csv())
    with pytest.raises(SourceError, match="a header and no rows"):
        load_release(users)
    tweets = write("case/t.csv", tweets_csv({}))
    release = load_release([users, tweets])
    assert release.decisions.filter(action="read users from u.csv").select("n_before", "n_after").row(0) == (0, 0)


def test_no_readable_row_says_why(write, users_csv):
    with pytest.raises(SourceError, match=r"none of 2 records can be read; most often: lacks its userid \(2 records\)"):
        load_release(write("u.csv", users_csv({"userid": ""}, {"userid": ""})))


def test_a_damaged_zip_is_refused(write):
    with pytest.raises(SourceError, match="damaged zip"):
        load_release(write("r.zip", b"PK\x03\x04 and then nothing of the kind"))


def test_a_zip_inside_a_zip_is_refused(write):
    with pytest.raises(SourceError, match="zip inside a zip"):
        load_release(write("r.zip", zipped({"inner.zip": b"PK"})))


def test_an_encrypted_member_is_refused(write, users_csv):
    content = bytearray(zipped({"u.csv": users_csv({}).encode()}))
    central = content.index(b"PK\x01\x02")
    struct.pack_into("<H", content, central + 8, 1)
    with pytest.raises(SourceError, match=r"r\.zip/u\.csv is encrypted"):
        load_release(write("r.zip", bytes(content)))


def test_a_member_that_does_not_unpack_is_refused(write, users_csv):
    content = bytearray(zipped({"u.csv": users_csv(*[{"userid": str(i)} for i in range(50)]).encode()}))
    content[60] ^= 0xFF
    with pytest.raises(SourceError, match=r"u\.csv (is damaged|cannot be unpacked)"):
        load_release(write("r.zip", bytes(content)))


def test_a_member_packed_in_a_way_we_cannot_undo_is_refused(write, users_csv):
    content = bytearray(zipped({"u.csv": users_csv({}).encode()}))
    struct.pack_into("<H", content, content.index(b"PK\x01\x02") + 10, 99)
    struct.pack_into("<H", content, 8, 99)
    with pytest.raises(SourceError, match="cannot be unpacked"):
        load_release(write("r.zip", bytes(content)))


def test_a_trap_that_unpacks_to_very_much_is_refused(write):
    content = zipped({"u.csv": b"0" * 150_000_000})
    with pytest.raises(SourceError, match="more than 500 times its size"):
        load_release(write("r.zip", content))


def test_a_zip_without_a_table_is_refused(write):
    with pytest.raises(SourceError, match=r"holds no table: .* found r\.zip/readme\.pdf"):
        load_release(write("r.zip", zipped({"readme.pdf": b"x"})))


def test_a_spreadsheet_is_refused(write):
    with pytest.raises(SourceError, match="is a spreadsheet, which rounds long ids"):
        load_release(write("r.xlsx", zipped({"[Content_Types].xml": b"x", "xl/sheet.xml": b"x"})))
