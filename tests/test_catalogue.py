import html
import json
import random
import re
import shutil
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote, urljoin

import hostile
import invented
import invented_case
import pytest

from workbench.catalogue import name_size, read_manifest, renew_catalogue, write_catalogue
from workbench.findings import Findings, Section
from workbench.schema import ParameterError, SourceError
from workbench.versions import are_equal, list_versions, mend_versions

sys.path.append(str(Path(__file__).parent / "fuzz"))
from fuzz_mutations import damage

ATOM = "{http://www.w3.org/2005/Atom}"
N_FUZZ_SEEDS = 34
XML_BASE = "{http://www.w3.org/XML/1998/namespace}base"


def put(record: Findings, folder: Path) -> None:
    """A report as the catalogue sees it: the record, and a page it links to and does not read."""
    folder.mkdir()
    record.save(folder / "findings.json")
    (folder / "report.html").write_text("")


@pytest.fixture(scope="module")
def reports(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("reports")
    record = invented_case.findings()
    put(record, root / "harbour_city")
    for name in ("harbour_city.draft", "harbour_city.failed", "harbour_city.package", ".harbour_city.running-0a1b2c3d"):
        shutil.copytree(root / "harbour_city", root / name)
    clusters = replace(record, sections=[record.section("clusters")], about=invented.about(title="A second look"))
    put(clusters, root / "second")
    manifest = {"version": 3, "ended_at": "2031-07-02T10:00:00+00:00", "correction": "Two accounts were a newsroom's."}
    (root / "second" / "manifest.json").write_text(json.dumps(manifest))
    for number in (1, 2):
        shutil.copytree(root / "harbour_city", root / "second.history" / f"v{number}")
    (root / "second.history" / "v2" / "manifest.json").write_text('{"version": 2, "ended_at": "2031-06-30T09:00:00Z"}')
    (root / "broken").mkdir()
    (root / "broken" / "report.html").write_text("")
    (root / "broken" / "findings.json").write_text("{")
    write_catalogue(root)
    return root


def listed(reports: Path) -> dict[str, dict]:
    content = json.loads((reports / "catalogue.json").read_text(encoding="utf-8"))
    return {entry["case"]: entry for entry in content["reports"]}


def test_reports_are_listed_with_what_they_hold(reports):
    entries = listed(reports)
    assert set(entries) == {"harbour_city", "second"}
    assert entries["harbour_city"] | {"headline": ""} == {
        "case": "harbour_city",
        "title": "Harbour City ferry accounts (synthetic)",
        "href": "harbour_city/report.html",
        "platform": "twitter",
        "origin": "simulated",
        "target": "not stated",
        "is_synthetic": True,
        "as_of": "2031-06-01",
        "version": 1,
        "versions": [{"version": 1, "href": "harbour_city/report.html", "made_at": "", "reason": ""}],
        "size": "100 to 999 accounts",
        "goes_as_far_as": "attributed",
        "n_accounts": 420,
        "n_posts": 1800,
        "n_clustered": 67,
        "n_clusters": 3,
        "first_day": "2031-03-01",
        "last_day": "2031-05-14",
        "headline": "",
    }
    assert entries["second"]["n_accounts"] is None
    assert entries["second"]["size"] == "accounts not listed"


def test_every_version_is_listed_with_its_reason(reports):
    assert listed(reports)["second"]["versions"] == [
        {
            "version": 3,
            "href": "second/report.html",
            "made_at": "2031-07-02T10:00:00+00:00",
            "reason": "Two accounts were a newsroom's.",
        },
        {"version": 2, "href": "second.history/v2/report.html", "made_at": "2031-06-30T09:00:00Z", "reason": ""},
        {"version": 1, "href": "second.history/v1/report.html", "made_at": "", "reason": ""},
    ]
    page = html.unescape((reports / "index.html").read_text(encoding="utf-8"))
    assert "Two accounts were a newsroom's." in page
    assert page.count("no reason was given") == page.count("first version") == page.count("not recorded") == 1


@pytest.mark.parametrize(
    ("n_accounts", "size"),
    [
        (None, "accounts not listed"),
        (0, "accounts not listed"),
        (99, "under 100 accounts"),
        (100, "100 to 999 accounts"),
        (9_999, "1,000 to 9,999 accounts"),
        (10_000, "10,000 accounts or more"),
    ],
)
def test_cases_are_filed_by_size(n_accounts, size):
    assert name_size(n_accounts) == size


def test_what_cases_share_is_counted_and_defanged(reports):
    shared = json.loads((reports / "catalogue.json").read_text(encoding="utf-8"))["shared"]
    assert [(row["kind"], row["n_shared"]) for row in shared] == [("account", 67), ("object", 4)]
    assert "hxxps://ferry[.]example/islands" in shared[1]["examples"]


def test_a_report_that_cannot_be_read_is_named_with_the_reason(reports):
    page = (reports / "index.html").read_text(encoding="utf-8")
    assert "Reports that could not be read" in page
    assert "<b>broken</b>: Expected the JSON of a findings record" in page


def test_every_link_of_the_page_and_the_feed_leads_to_a_file(reports):
    page = (reports / "index.html").read_text(encoding="utf-8")
    links = set(re.findall(r'href="([^"#]+)"', page))
    feed = ET.parse(reports / "feed.xml").getroot()
    links |= {link.get("href") for link in feed.iter(f"{ATOM}link")}
    assert len(links) == 7
    assert all((reports / link).is_file() for link in links)


def test_the_feed_has_what_atom_asks_for(reports):
    feed = ET.parse(reports / "feed.xml").getroot()
    for node in (feed, *feed.iter(f"{ATOM}entry")):
        assert all(node.find(f"{ATOM}{name}") is not None for name in ("id", "title", "updated"))
    ids = [node.text for node in feed.iter(f"{ATOM}id")]
    assert len(ids) == len(set(ids)) == 3
    assert [node.text for node in feed.iter(f"{ATOM}updated")] == [
        "2031-07-02T10:00:00Z", "2031-07-02T10:00:00Z", "2031-06-01T00:00:00Z",
    ]  # fmt: skip
    assert feed.find(f"{ATOM}entry/{ATOM}summary").text.startswith("Version 3: Two accounts were a newsroom's. ")


@pytest.mark.parametrize("address", ["https://desk.example/reports", "https://desk.example/reports/"])
def test_a_feed_kept_elsewhere_still_leads_to_the_reports(reports, tmp_path, address):
    """RFC 4287: links are resolved against xml:base, or else against where the feed was found."""
    shutil.copytree(reports, tmp_path / "copy")
    plain = ET.parse(tmp_path / "copy" / "feed.xml").getroot()
    assert XML_BASE not in plain.attrib
    write_catalogue(tmp_path / "copy", address=address)
    feed = ET.parse(tmp_path / "copy" / "feed.xml").getroot()
    base = feed.get(XML_BASE)
    assert base == "https://desk.example/reports/"
    links = {(link.get("rel"), urljoin(base, link.get("href"))) for link in feed.iter(f"{ATOM}link")}
    assert ("self", "https://desk.example/reports/feed.xml") in links
    assert ("alternate", "https://desk.example/reports/second/report.html") in links


@pytest.mark.parametrize("address", ["reports", "javascript:alert(1)", "https://", "https://a b/"])
def test_only_an_address_of_the_web_is_a_base(tmp_path, address):
    with pytest.raises(ParameterError, match="begins with https"):
        write_catalogue(tmp_path, address=address)


def test_the_same_reports_give_the_same_bytes(reports):
    names = ("index.html", "feed.xml", "catalogue.json")
    before = [(reports / name).read_bytes() for name in names]
    write_catalogue(reports)
    assert [(reports / name).read_bytes() for name in names] == before


def test_the_page_loads_nothing(reports):
    page = html.unescape((reports / "index.html").read_text(encoding="utf-8"))
    assert "default-src 'none'; script-src 'sha256-" in page
    assert not re.findall(r'\s(?:src|srcset|action)="', page)
    assert ' style="' not in page


def test_an_empty_folder_has_an_honest_page(tmp_path):
    page = write_catalogue(tmp_path).read_text(encoding="utf-8")
    assert "There is no report in this folder yet." in page
    ET.parse(tmp_path / "feed.xml")


def test_no_folder_is_an_error(tmp_path):
    with pytest.raises(SourceError, match="Run a case first"):
        write_catalogue(tmp_path / "absent")


def test_hostile_titles_stay_text(tmp_path):
    about = hostile.findings().about
    put(Findings(about, [Section("limits", empty_reason="Nothing.")]), tmp_path / "hostile")
    for name in ("<img src=x onerror=window.pwned=1>", "javascript:window.pwned=1", "\u202e=cmd"):
        put(hostile.findings(), tmp_path / name)
    page = write_catalogue(tmp_path).read_text(encoding="utf-8")
    assert "<script>window" not in page
    assert "onerror=window" not in re.sub(r"&lt;.*?&gt;", "", page)
    links = re.findall(r'href="([^"]+)"', page)
    assert all(link.startswith("#") or "javascript:" not in link for link in links)
    assert not set(page) & set("\u202e\u2066\x00\x1b")
    feed = ET.parse(tmp_path / "feed.xml").getroot()
    assert all((tmp_path / unquote(link.get("href"))).is_file() for link in feed.iter(f"{ATOM}link"))
    assert len(json.loads((tmp_path / "catalogue.json").read_text(encoding="utf-8"))["reports"]) == 4


MANIFEST = {
    "case": "ferry",
    "version": 2,
    "correction": "Two accounts were a newsroom's.",
    "parameters": {"seed": 7, "traces": ["url"]},
    "started_at": "2031-07-02T09:00:00+00:00",
    "ended_at": "2031-07-02T10:00:00+00:00",
    "outputs": {"report.html": "0" * 64, "findings.json": "1" * 64},
}
UNREADABLE = {
    "empty": b"",
    "nothing in it": b"{}",
    "a list": b"[]",
    "cut off": json.dumps(MANIFEST).encode()[:100],
    "version is a table": b'{"version": {}}',
    "version is a text": b'{"version": "2"}',
    "version is below one": b'{"version": 0}',
    "version is yes": b'{"version": true}',
    "not utf-8": b'{"case": "\xff"}',
    "half a character": b'{"correction": "\\ud800"}',
    "deep": b"[" * 100_000,
    "a reason that is none": b'{"correction": ["a"]}',
    "a day that is none": b'{"ended_at": {"day": 1}}',
    "outputs are a list": b'{"outputs": ["report.html"]}',
    "a hash that is none": b'{"outputs": {"report.html": 1}}',
    "parameters are a text": b'{"parameters": "seed"}',
}


def put_versions(root: Path) -> Path:
    """A report of two versions, the second with its reason; beside it another case that must not suffer."""
    put(invented_case.findings(), root / "ferry")
    put(invented_case.findings(), root / "quay")
    shutil.copytree(root / "ferry", root / "ferry.history" / "v1")
    (root / "ferry.history" / "v1" / "manifest.json").write_text(json.dumps(MANIFEST | {"version": 1}))
    (root / "ferry" / "manifest.json").write_text(json.dumps(MANIFEST))
    return root / "ferry"


@pytest.mark.parametrize("content", UNREADABLE.values(), ids=UNREADABLE)
def test_a_manifest_that_cannot_be_read_makes_its_report_unreadable_and_stops_nothing(tmp_path, content):
    report = put_versions(tmp_path)
    shutil.copytree(report, tmp_path / ".draft")
    (report / "manifest.json").write_bytes(content)
    with pytest.raises(SourceError, match=r"manifest\.json of ferry cannot be read .*Restore.*workbench report ferry"):
        read_manifest(report)
    page = html.unescape(write_catalogue(tmp_path).read_text(encoding="utf-8"))
    assert "<b>ferry</b>: The manifest.json of ferry cannot be read" in re.sub(r"</?(?:span|bdi)[^>]*>", "", page)
    assert set(listed(tmp_path)) == {"quay"}
    mend_versions(tmp_path, "ferry")  # as `workbench report` begins
    rows = list_versions(tmp_path, "ferry")
    assert [row["version"] for row in rows] == [2, 1]
    assert rows[0]["files"].startswith("changed or gone: manifest.json. The manifest.json of ferry cannot be read")
    assert not are_equal(tmp_path / ".draft", report), "or `workbench report` would leave it as it is"


def test_an_earlier_manifest_that_cannot_be_read_is_said_and_hides_no_report(tmp_path):
    put_versions(tmp_path)
    (tmp_path / "ferry.history" / "v1" / "manifest.json").write_bytes(b"[]")
    write_catalogue(tmp_path)
    versions = listed(tmp_path)["ferry"]["versions"]
    assert [(one["version"], one["made_at"]) for one in versions] == [(2, MANIFEST["ended_at"]), (1, "")]
    assert versions[1]["reason"] == "Its manifest.json cannot be read. Restore it from a copy."
    assert list_versions(tmp_path, "ferry")[1]["files"].startswith("changed or gone: manifest.json. ")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("about", "title"), ["a"]),
        (("about", "title"), "\ud800"),
        (("about", "is_synthetic"), "yes"),
        (("about", "options"), ["target"]),
        (("provenance",), ["a"]),
        (("sections", 0, "tables"), [{"name": "cluster_members", "title": "a", "note": "", "rows": [{"x": 1}]}]),
        (("sections", 0, "tables"), [
            {"name": "release_numbers", "title": "a", "note": "", "rows": [{"what": "Posts", "value": "many"}]}
        ]),
        (("decisions",), [{"stage": {"a": 1}}]),
    ],
)  # fmt: skip
def test_findings_that_hold_something_else_are_an_unreadable_report(tmp_path, path, value):
    report = put_versions(tmp_path)
    record = json.loads((report / "findings.json").read_text(encoding="utf-8"))
    record["sections"] = [record["sections"][0]]
    place = record
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    (report / "findings.json").write_text(json.dumps(record))
    page = write_catalogue(tmp_path).read_text(encoding="utf-8")
    assert set(listed(tmp_path)) == {"quay"}
    assert re.search(r"<b>ferry</b>: .*(?:Restore it from|Run the case again)", page)


@pytest.mark.parametrize("feed", [b"\xff", b'<feed xml:base="javascript:1">', b""])
def test_a_damaged_feed_does_not_keep_a_catalogue_from_being_renewed(tmp_path, feed):
    put_versions(tmp_path)
    write_catalogue(tmp_path)
    (tmp_path / "feed.xml").write_bytes(feed)
    renew_catalogue(tmp_path)
    assert len(ET.parse(tmp_path / "feed.xml").getroot().findall(f"{ATOM}entry")) == 2


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+23:00", "9999-12-31T23:59:59-23:00"])
def test_a_moment_at_the_end_of_time_is_no_moment_for_the_feed(tmp_path, moment):
    report = put_versions(tmp_path)
    (report / "manifest.json").write_text(json.dumps(MANIFEST | {"ended_at": moment}))
    write_catalogue(tmp_path)
    assert "1970-01-01T00:00:00Z" in (tmp_path / "feed.xml").read_text(encoding="utf-8")


@pytest.mark.parametrize("file", ["manifest.json", "findings.json", "ferry.history/v1/manifest.json"])
def test_damaged_files_of_a_report_are_read_or_refused_with_advice(tmp_path, file):
    """A seeded fuzz: whatever is in a report's files, its folder can be listed, checked and made anew."""
    report = put_versions(tmp_path)
    (tmp_path / "quay" / "report.html").unlink()  # one report is quicker to draw
    record = replace(invented_case.findings(), sections=[invented_case.findings().section("clusters")])
    record.save(report / "findings.json")
    damaged = tmp_path / file if "/" in file else report / file
    whole, n_unread = damaged.read_bytes(), 0
    for seed in range(N_FUZZ_SEEDS):
        content, how = damage(random.Random(seed), whole, form="json")
        damaged.write_bytes(content)
        try:
            write_catalogue(tmp_path)
            mend_versions(tmp_path, "ferry")
            rows = list_versions(tmp_path, "ferry")
        except Exception as error:
            raise AssertionError(f"seed {seed} of {file} ({how})") from error
        assert [row["version"] for row in rows][1:] == [1]
        catalogue = json.loads((tmp_path / "catalogue.json").read_text(encoding="utf-8"), parse_constant=pytest.fail)
        ET.parse(tmp_path / "feed.xml")
        page = (tmp_path / "index.html").read_text(encoding="utf-8")
        assert ("<b>ferry</b>" in page) != bool(catalogue["reports"]), f"seed {seed} of {file} ({how})"
        n_unread += not catalogue["reports"]
        if not catalogue["reports"]:
            assert re.search(r"<b>ferry</b>: .*(?:Restore it|again)", page), how
    assert ("/" in file) == (n_unread == 0), "an earlier version's manifest hides no report; the others' often do"
