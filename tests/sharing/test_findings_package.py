"""Packages out and in: whole, checked, private, and refused where anything was changed or hostile."""

import json
import shutil
import struct
import zipfile
from dataclasses import replace

import igraph as ig
import polars as pl
import pytest
from small_case import clusters_a, findings_a, platform_a, scored_a

from workbench.findings import Findings
from workbench.leaks import find_leaks
from workbench.privacy import PrivacyError, protect_release
from workbench.schema import ParameterError, SourceError
from workbench.sharing import PackageError, collect_evidence, read_indicators, read_package, write_package
from workbench.sharing.archive import open_files
from workbench.sharing.cover import Cover
from workbench.sharing.package import _read_csv
from workbench.sharing.salts import derive_key, hash_value, salt_check
from workbench.sharing.tables import write_table

KEY = b"k" * 32
SALT = "agreed over the telephone"


def evidence(release=None, clusters=None, scored=None):
    release = release or platform_a()
    clusters = clusters_a() if clusters is None else clusters
    return collect_evidence(
        release, clusters=clusters, scored=scored_a() if scored is None else scored, time_window_s=60
    )


def protected():
    """The same evidence with pseudonyms, as notebooks have it."""
    original = platform_a()
    shown = protect_release(original, key=KEY)
    names = dict(zip(original.accounts["account_id"], shown.accounts["account_id"], strict=True))
    clusters = clusters_a().with_columns(pl.col("account_id").replace_strict(names))
    scored = scored_a().with_columns(pl.col("account_a", "account_b").replace_strict(names))
    return evidence(shown, clusters, scored)


def written(tmp_path, level, **more):
    salt = SALT if level == "hashed" else None
    found = protected() if level == "public" else evidence()
    about = {"contact": "desk@newsroom.example", "producer": "Desk", "salt": salt}
    return write_package(findings_a(), tmp_path / "out" / level, level=level, evidence=found, **(about | more))


@pytest.mark.parametrize("level", ["public", "trusted", "hashed"])
def test_folder_and_archive_hold_the_same(tmp_path, level):
    package = written(tmp_path, level)
    folder, archive = read_package(package.folder), read_package(package.archive)
    assert folder.manifest == archive.manifest
    assert folder.indicators.equals(archive.indicators)
    assert folder.cover.tlp == {"public": "TLP:CLEAR"}.get(level, "TLP:AMBER")
    assert folder.cover.retention_until == "2032-02-29"
    assert {entry["path"] for entry in folder.manifest["files"]} >= {
        "summary.md", "limitations.md", "accounts.csv", "signals.csv", "urls.csv", "domains.csv", "contents.csv",
        "techniques.csv", "claims.csv", "indicators.csv", "exports/stix21.json", "exports/misp_event.json",
        "exports/meta_indicators.csv", "exports/meta_indicators.tsv", "exports/network.graphml",
    }  # fmt: skip


def test_same_findings_same_bytes(tmp_path):
    first, again = written(tmp_path / "a", "public"), written(tmp_path / "b", "public")
    assert first.sha256 == again.sha256


def test_a_link_everybody_shared_is_listed_but_accuses_nobody(tmp_path):
    package = read_package(written(tmp_path, "trusted").folder)
    news = package.tables["urls"].filter(pl.col("url").str.contains("times"))
    assert news.select("n_accounts", "n_accounts_outside", "is_distinctive").row(0) == ("2", "4", "False")
    assert not package.indicators["indicator_value"].str.contains("times").any()


def test_without_outsiders_nothing_is_called_distinctive(tmp_path):
    release = platform_a()
    only = replace(
        release,
        accounts=release.accounts.filter(pl.col("account_id").str.starts_with("op")),
        posts=release.posts.filter(pl.col("account_id").str.starts_with("op")),
    )
    found = evidence(only)
    assert found.urls["is_distinctive"].null_count() == found.urls.height
    package = write_package(findings_a(), tmp_path / "p", level="trusted", evidence=found)
    notes = read_package(package.folder).indicators["note"].drop_nulls()
    assert notes.str.contains("No other accounts in the data").any()


@pytest.mark.parametrize("level", ["public", "hashed"])
def test_nothing_leaks_from_any_file(tmp_path, level):
    package = written(tmp_path, level)
    for place in (package.folder, package.archive):
        assert find_leaks(place, platform_a()).height == 0


def test_trusted_package_names_them_so_the_test_above_means_something(tmp_path):
    assert find_leaks(written(tmp_path, "trusted").folder, platform_a()).height > 0


def test_hashed_package_shows_no_word_link_or_name(tmp_path):
    quiet = replace(findings_a(), caveats=())
    package = write_package(quiet, tmp_path / "p", level="hashed", evidence=evidence(), salt=SALT)
    files = open_files(package.folder)
    for name, content in files.items():
        if name not in ("summary.md", "limitations.md", "claims.csv"):
            assert b"lindenport-truth" not in content, name
            assert b"Linden Voice" not in content, name


def test_public_package_of_clear_names_is_refused(tmp_path):
    with pytest.raises(PrivacyError, match="protect_release"):
        write_package(findings_a(), tmp_path / "p", level="public", evidence=evidence())
    assert not (tmp_path / "p").exists()


def test_every_address_is_defanged_outside_machine_formats(tmp_path):
    for name, content in open_files(written(tmp_path, "trusted").folder).items():
        if not name.endswith(".json"):
            assert b"https://lindenport" not in content, name
            assert b"lindenport-truth.example" not in content, name


def test_network_opens_again(tmp_path):
    package = written(tmp_path, "trusted")
    graph = ig.Graph.Read_GraphML(str(package.folder / "exports" / "network.graphml"))
    assert (graph.vcount(), graph.ecount()) == (4, 12)
    assert set(graph.es["trace"]) == {"same_text", "url"}


def test_claims_alone_make_a_package(tmp_path):
    package = write_package(findings_a(), tmp_path / "p", level="public", as_of="2031-03-02")
    found = read_package(package.archive)
    assert found.indicators.is_empty()
    assert found.tables["claims"]["level"].to_list() == ["coordination"]
    assert found.cover.confidence == "moderate"


def test_changed_missing_and_surplus_files_are_refused_by_name(tmp_path):
    folder = written(tmp_path, "public").folder
    changed = shutil.copytree(folder, tmp_path / "changed")
    (changed / "accounts.csv").write_bytes((changed / "accounts.csv").read_bytes() + b" ")
    with pytest.raises(PackageError, match=r"'accounts\.csv' is not what the manifest describes"):
        read_package(changed)
    missing = shutil.copytree(folder, tmp_path / "missing")
    (missing / "exports" / "stix21.json").unlink()
    with pytest.raises(PackageError, match=r"'exports/stix21\.json' is in the manifest and not"):
        read_package(missing)
    surplus = shutil.copytree(folder, tmp_path / "surplus")
    (surplus / "notes.txt").write_text("hello")
    with pytest.raises(PackageError, match=r"'notes\.txt' is in the package and not"):
        read_package(surplus)


def edit_manifest(folder, **changes):
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    return folder


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"schema_version": "2.0"}, "expected schema version 1.x; found 2.0"),
        ({"schema": "something/else"}, "of schema"),
        ({"files": None}, "lists no files"),
        ({"files": ["a"]}, "lists no files"),
        ({"cover": {}}, "cover lacks fields"),
    ],
)
def test_unknown_manifests_are_refused(tmp_path, changes, said):
    folder = edit_manifest(written(tmp_path, "public").folder, **changes)
    with pytest.raises(PackageError, match=said):
        read_package(folder)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"caveats": None}, "'caveats' in the manifest's cover is no list"),
        ({"caveats": [1]}, "'caveats' in the manifest's cover is not text"),
        ({"as_of": 5}, "'as_of' in the manifest's cover is not text"),
        ({"level": "loud"}, "of no kind we know"),
    ],
)
def test_a_cover_of_other_kinds_is_refused_by_field(tmp_path, changes, said):
    folder = written(tmp_path, "public").folder
    cover = json.loads((folder / "manifest.json").read_text())["cover"]
    with pytest.raises(PackageError, match=said):
        read_package(edit_manifest(folder, cover=cover | changes))


def test_a_later_minor_version_is_read(tmp_path):
    assert read_package(edit_manifest(written(tmp_path, "public").folder, schema_version="1.7")).indicators.height


def test_no_manifest_or_no_json(tmp_path):
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "a.csv").write_text("a")
    with pytest.raises(PackageError, match=r"found a\.csv"):
        read_package(tmp_path / "p")
    (tmp_path / "p" / "manifest.json").write_text("{")
    with pytest.raises(PackageError, match="is no JSON"):
        read_package(tmp_path / "p")
    with pytest.raises(SourceError, match="nothing there"):
        read_package(tmp_path / "absent.zip")


def zipped(tmp_path, *members, **changes):
    path = tmp_path / "bad.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            for key, value in changes.items():
                setattr(info, key, value)
            archive.writestr(info, content)
    return path


@pytest.mark.parametrize("name", ["../evil.txt", "/etc/evil", "a/../../evil", "C:\\evil.txt", "a\\..\\evil"])
def test_paths_that_lead_out_are_refused(tmp_path, name):
    with pytest.raises(SourceError, match="leads outside"):
        read_package(zipped(tmp_path, (name, b"x")))
    assert not (tmp_path.parent / "evil.txt").exists()


def test_links_in_archives_are_refused(tmp_path):
    with pytest.raises(SourceError, match="is a link"):
        read_package(zipped(tmp_path, ("manifest.json", b"/etc/passwd"), external_attr=0o120777 << 16))


def test_links_in_folders_are_refused(tmp_path):
    folder = written(tmp_path, "public").folder
    (folder / "more.csv").symlink_to(folder / "accounts.csv")
    with pytest.raises(SourceError, match="is a link"):
        read_package(folder)


def test_bombs_are_refused_without_being_unpacked(tmp_path):
    with pytest.raises(SourceError, match="zip bomb"):
        read_package(zipped(tmp_path, ("manifest.json", b"0" * 60_000_000)))
    with pytest.raises(SourceError, match="zip bomb"):
        read_package(zipped(tmp_path, *[(f"{n}.txt", b"") for n in range(1001)]))


def test_a_lie_about_the_size_is_found(tmp_path):
    """The central directory says 10 bytes; zipfile then stops there and the checksum no longer fits."""
    path = zipped(tmp_path, ("manifest.json", b"0" * 100_000))
    raw = bytearray(path.read_bytes())
    at = raw.rindex(b"PK\x01\x02")
    raw[at + 24 : at + 28] = struct.pack("<I", 10)
    path.write_bytes(raw)
    with pytest.raises(SourceError):
        read_package(path)


def test_twice_named_encrypted_and_damaged_archives_are_refused(tmp_path):
    with pytest.warns(UserWarning, match="Duplicate"):
        twice = zipped(tmp_path, ("manifest.json", b"{}"), ("manifest.json", b"[]"))
    with pytest.raises(SourceError, match="is in it twice"):
        read_package(twice)
    raw = bytearray(zipped(tmp_path, ("manifest.json", b"{}")).read_bytes())
    raw[raw.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "locked.zip").write_bytes(raw)
    with pytest.raises(SourceError, match="is encrypted"):
        read_package(tmp_path / "locked.zip")
    (tmp_path / "cut.zip").write_bytes(bytes(raw[:30]))
    with pytest.raises(SourceError, match="damaged"):
        read_package(tmp_path / "cut.zip")


def test_damaged_table_inside_is_refused(tmp_path):
    folder = written(tmp_path, "public").folder
    for content in (b"a,b\r\n1\r\n", b'a\r\n"open', b"\xff\xfe\x00a", b""):
        (folder / "urls.csv").write_bytes(content)
        manifest = json.loads((folder / "manifest.json").read_text())
        entry = next(entry for entry in manifest["files"] if entry["path"] == "urls.csv")
        entry["sha256"] = __import__("hashlib").sha256(content).hexdigest()
        edit_manifest(folder, files=manifest["files"])
        with pytest.raises(PackageError, match=r"urls\.csv"):
            read_package(folder)


def test_what_a_package_needs(tmp_path):
    with pytest.raises(ParameterError, match="public, trusted, hashed"):
        write_package(findings_a(), tmp_path / "p", level="secret", as_of="2031-03-02")
    with pytest.raises(ParameterError, match="without one"):
        write_package(findings_a(), tmp_path / "p", level="hashed", evidence=evidence())
    with pytest.raises(ParameterError, match="with one"):
        write_package(findings_a(), tmp_path / "p", level="public", evidence=evidence(), salt=SALT)
    with pytest.raises(ParameterError, match="at least 12"):
        write_package(findings_a(), tmp_path / "p", level="hashed", evidence=evidence(), salt="short")
    with pytest.raises(ParameterError, match="the day"):
        write_package(Findings(about=findings_a().about, sections=()), tmp_path / "p", level="public")
    with pytest.raises(ParameterError, match="ISO date"):
        write_package(findings_a(), tmp_path / "p", level="public", as_of="last week")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "diary.txt").write_text("dear")
    with pytest.raises(ParameterError, match="it holds other files"):
        write_package(findings_a(), tmp_path / "mine", level="public", as_of="2031-03-02")
    assert (tmp_path / "mine" / "diary.txt").exists()


def test_an_older_package_is_replaced_whole(tmp_path):
    folder = written(tmp_path, "trusted").folder
    assert write_package(findings_a(), folder, level="public", as_of="2031-03-02").folder == folder
    assert read_package(folder).cover.level == "public"
    assert sorted(file.name for file in folder.parent.iterdir()) == ["trusted", "trusted.zip"]


def test_cover_refuses_unknown_levels():
    with pytest.raises(ParameterError, match="sharing level"):
        Cover("a", "a", "loud", "2031-03-01", "2031-03-01", "", "", "", "")


def test_clusters_of_other_ids_are_refused():
    with pytest.raises(ParameterError, match="None of the 4"):
        collect_evidence(
            platform_a(), clusters=clusters_a().with_columns(account_id=pl.lit("x") + pl.col("account_id"))
        )


def test_salts():
    key = derive_key(SALT)
    assert derive_key(f" {SALT} ") == key
    assert salt_check(key) != salt_check(derive_key(SALT + "!"))
    assert hash_value("url", "a", key=key) != hash_value("text", "a", key=key)


def test_a_package_is_a_tip_like_any_other(tmp_path):
    package = written(tmp_path, "trusted")
    assert read_indicators(package.archive).equals(read_indicators(package.folder))


def test_equal_values_that_are_written_in_two_ways_stay_two(tmp_path):
    table = pl.DataFrame({"n": [0.0, -0.0, None], "text": ["=1+1", "a.example", None], "is_core": [True, False, None]})
    written = write_table(table, tmp_path / "t.csv").read_text(encoding="utf-8-sig")
    assert written.splitlines() == ["n,text,is_core", "0.0,'=1+1,True", "-0.0,a[.]example,False", ",,"]


def test_a_table_is_read_in_parts_and_comes_out_as_in_one(tmp_path, monkeypatch):
    content = write_table(pl.DataFrame({"a": [f"={n}" for n in range(7)], "b": "x"}), tmp_path / "t.csv").read_bytes()
    at_once = _read_csv(content, name="t.csv")
    monkeypatch.setattr("workbench.sharing.package._PART_ROWS", 3)
    assert _read_csv(content, name="t.csv").equals(at_once)
    assert at_once["a"].to_list() == [f"={n}" for n in range(7)]
    for broken in (content + b"one cell\r\n", content + b'"never closed', b""):
        with pytest.raises(PackageError, match=r"t\.csv: expected"):
            _read_csv(broken, name="t.csv")
