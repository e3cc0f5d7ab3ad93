"""Fetching, against a server on this machine: whole, broken and resumed, changed, too large, hostile."""

import hashlib
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests

from workbench.fetch import FETCHED, fetch_release, read_registry
from workbench.schema import ParameterError, SourceError
from workbench.sources import load_release

TABLE = b"object_id,account_id,content_id,timestamp_share\n" + b"".join(
    b"o%d,a%d,c%d,16000%05d\n" % (n % 7, n % 11, n, n) for n in range(3000)
)
N_BYTES = len(TABLE)
SHA256 = hashlib.sha256(TABLE).hexdigest()


class Server(ThreadingHTTPServer):
    """Serves bytes by path; `breaks`: after how many bytes each next answer breaks off; notes what is asked."""

    content: dict[str, bytes]
    breaks: list[int]
    asked: list[tuple[str, str]]
    resumes = True


class Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        wanted = self.headers.get("Range", "")
        self.server.asked.append((self.path, wanted))
        body = self.server.content.get(self.path)
        if body is None:
            self.send_error(404)
            return
        start = int(re.findall(r"\d+", wanted)[0]) if wanted and self.server.resumes else 0
        if start >= len(body):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        part = body[start:]
        if self.server.breaks:
            self.wfile.write(part[: self.server.breaks.pop(0)])
            self.close_connection = True
            return
        self.wfile.write(part)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    running = Server(("127.0.0.1", 0), Handler)
    running.content, running.breaks, running.asked = {"/shares.csv": TABLE}, [], []
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    yield running
    running.shutdown()
    running.server_close()


def address(server, path="/shares.csv"):
    return f"http://127.0.0.1:{server.server_port}{path}"


def registry(tmp_path, server, *, n_bytes=N_BYTES, digest=f"sha256:{SHA256}", name="shares.csv", url=""):
    path = tmp_path / "registry.toml"
    path.write_text(
        f"""[harbour]
title = "Harbour \\"shares\\""
licence = "CC0"
citation = "Nobody 2031"
platform = "twitter"
[harbour.files."{name}"]
url = "{url or address(server)}"
n_bytes = {n_bytes}
hash = "{digest}"
""",
        encoding="utf-8",
    )
    return path


def test_a_release_comes_whole_and_loads(tmp_path, server):
    told = []
    folder = fetch_release(
        "harbour", tmp_path, registry=registry(tmp_path, server), progress=lambda *step: told.append(step)
    )
    assert (folder / "shares.csv").read_bytes() == TABLE
    assert told[-1] == ("shares.csv", len(TABLE), len(TABLE))
    release = load_release(folder)
    assert release.posts.height == 3000
    assert (release.about.title, release.about.licence, release.about.origin) == (
        'Harbour "shares"',
        "CC0",
        "Nobody 2031",
    )


def test_what_is_there_and_whole_is_not_fetched_again(tmp_path, server):
    for _ in range(2):
        fetch_release("harbour", tmp_path, registry=registry(tmp_path, server))
    assert len(server.asked) == 1


def test_a_broken_transfer_goes_on_where_it_stopped(tmp_path, server):
    server.breaks = [20_000, 18_000]
    for _ in range(2):
        with pytest.raises(SourceError, match="goes on from there"):
            fetch_release("harbour", tmp_path, registry=registry(tmp_path, server))
        assert not (tmp_path / "harbour" / "shares.csv").exists()
    folder = fetch_release("harbour", tmp_path, registry=registry(tmp_path, server))
    assert (folder / "shares.csv").read_bytes() == TABLE
    # Of what came before the break, the last piece of 8 kB may be lost.
    starts = [int(wanted[6:-1] or 0) for _, wanted in server.asked]
    assert 0 == starts[0] < 20_000 - 8_192 < starts[1] <= 20_000 < starts[2] <= 35_000
    assert not list(folder.glob("*.part"))


def test_a_server_that_cannot_resume_sends_all_again(tmp_path, server):
    """The whole file must not be put behind what was there."""
    server.breaks, server.resumes = [20_000], False
    with pytest.raises(SourceError, match="broke off"):
        fetch_release("harbour", tmp_path, registry=registry(tmp_path, server))
    folder = fetch_release("harbour", tmp_path, registry=registry(tmp_path, server))
    assert (folder / "shares.csv").read_bytes() == TABLE


def test_leftovers_longer_than_the_file_are_thrown_away(tmp_path, server):
    (tmp_path / "harbour").mkdir()
    (tmp_path / "harbour" / "shares.csv.part").write_bytes(b"x" * 10 * len(TABLE))
    path = registry(tmp_path, server, n_bytes=0)
    folder = fetch_release("harbour", tmp_path, registry=path)
    assert (folder / "shares.csv").read_bytes() == TABLE


def test_a_changed_file_is_refused_and_removed(tmp_path, server):
    server.content["/shares.csv"] = TABLE[:-2] + b"8\n"
    with pytest.raises(SourceError, match="another sha256 than announced"):
        fetch_release("harbour", tmp_path, registry=registry(tmp_path, server))
    assert not (tmp_path / "harbour").exists()


def test_wrong_sizes_are_refused(tmp_path, server):
    with pytest.raises(SourceError, match="larger than announced"):
        fetch_release("harbour", tmp_path, registry=registry(tmp_path, server, n_bytes=100))
    (tmp_path / "harbour" / "shares.csv.part").unlink()
    with pytest.raises(SourceError, match="were announced and"):
        fetch_release("harbour", tmp_path, registry=registry(tmp_path, server, n_bytes=len(TABLE) + 5))


def test_no_connection_no_file_no_space(tmp_path, server, monkeypatch):
    with pytest.raises(SourceError, match="broke off at 0 bytes"):
        fetch_release("harbour", tmp_path, registry=registry(tmp_path, server, url=address(server, "/none")))
    with pytest.raises(SourceError, match="broke off at 0 bytes"):
        fetch_release("harbour", tmp_path, registry=registry(tmp_path, server, url="http://127.0.0.1:9/none"))
    monkeypatch.setattr("workbench.fetch._SPARE_BYTES", 10**18)
    with pytest.raises(SourceError, match="are free"):
        fetch_release("harbour", tmp_path, registry=registry(tmp_path, server))


def test_an_unwritable_place_is_said(tmp_path, server):
    (tmp_path / "harbour" / "shares.csv.part").mkdir(parents=True)
    with pytest.raises(SourceError, match="cannot be written"):
        fetch_release("harbour", tmp_path, registry=registry(tmp_path, server, n_bytes=10**6))


def record(server, *, digest="", name="shares.csv", size=N_BYTES):
    entry = {
        "key": name,
        "size": size,
        "checksum": digest or "md5:" + hashlib.md5(TABLE).hexdigest(),
        "links": {"self": address(server)},
    }
    return json.dumps({"files": [entry]}).encode()


def record_registry(tmp_path, server, path="/record"):
    file = tmp_path / "registry.toml"
    file.write_text(f'[harbour]\ntitle = "t"\nlicence = "l"\ncitation = "c"\nrecord = "{address(server, path)}"\n')
    return file


def test_files_listed_by_an_archive_are_pinned_at_the_first_fetch(tmp_path, server):
    server.content["/record"] = record(server)
    path = record_registry(tmp_path, server)
    folder = fetch_release("harbour", tmp_path, registry=path)
    assert SHA256 in (folder / FETCHED).read_text()
    changed = TABLE[:-2] + b"8\n"
    server.content["/shares.csv"] = changed
    server.content["/record"] = record(server, digest="md5:" + hashlib.md5(changed).hexdigest())
    (folder / "shares.csv").unlink()
    with pytest.raises(SourceError, match="another sha256 than announced"):
        fetch_release("harbour", tmp_path, registry=path)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"<html>", "no list of files"),
        (b'{"files": 3}', "no list of files"),
        (b'{"files": [{"key": "a"}]}', "no list of files"),
    ],
)
def test_records_we_cannot_read(tmp_path, server, answer, said):
    server.content["/record"] = answer
    with pytest.raises(SourceError, match=said):
        fetch_release("harbour", tmp_path, registry=record_registry(tmp_path, server))


def test_a_record_that_is_not_there(tmp_path, server):
    with pytest.raises(SourceError, match="cannot be reached"):
        fetch_release("harbour", tmp_path, registry=record_registry(tmp_path, server))


@pytest.mark.parametrize("name", ["../evil.csv", "/etc/evil", "a\\b", "..", "dataset.toml", "fetched.toml"])
def test_names_that_lead_out_are_refused(tmp_path, server, name):
    server.content["/record"] = record(server, name=name)
    with pytest.raises(SourceError, match="no name a fetched file may have"):
        fetch_release("harbour", tmp_path, registry=record_registry(tmp_path, server))


def test_only_web_addresses(tmp_path, server):
    secret = tmp_path / "secret"
    secret.write_bytes(TABLE)
    with pytest.raises(SourceError, match="https://"):
        fetch_release("harbour", tmp_path, registry=registry(tmp_path, server, url=f"file://{secret}"))


def test_misspelt_names_and_damaged_notes(tmp_path, server):
    with pytest.raises(ParameterError, match="Did you mean 'harbour'"):
        fetch_release("harbor", tmp_path, registry=registry(tmp_path, server))
    (tmp_path / "harbour").mkdir()
    (tmp_path / "harbour" / FETCHED).write_text("files = ")
    with pytest.raises(SourceError, match="Delete it and fetch again"):
        fetch_release("harbour", tmp_path, registry=registry(tmp_path, server))


GOOD = '[a]\ntitle = "t"\nlicence = "l"\ncitation = "c"\n'
FILE = '[a.files."x"]\nurl = "https://x.example"\nn_bytes = 1\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a =", "is no TOML"),
        ("a = 1", "expected to be a table"),
        (GOOD, "lacks files"),
        (GOOD.replace("licence", "licens"), "Did you mean 'licence'"),
        ('[a]\ntitle = "t"\n', "lacks licence"),
        (GOOD + FILE, "needs url, n_bytes, hash"),
        (GOOD + FILE + 'hash = "crc:1"\n', "expected a hash"),
    ],
)
def test_registries_that_are_wrong_say_how(tmp_path, text, said):
    path = tmp_path / "registry.toml"
    path.write_text(text)
    with pytest.raises(SourceError, match=said):
        read_registry(path)


def test_no_registry(tmp_path):
    with pytest.raises(SourceError, match="found none"):
        read_registry(tmp_path / "registry.toml")


def test_the_shipped_registry_names_the_labelled_sets():
    releases = read_registry(Path(__file__).parents[1] / "datasets" / "registry.toml")
    records = {release.record.rpartition("/")[2] for release in releases.values()}
    assert {"13357621", "10619747", "4647893"} <= records
    assert all(release.citation and release.licence for release in releases.values())


def test_without_a_connection_it_says_so_in_words_and_leaves_no_folder(tmp_path, server):
    path = record_registry(tmp_path, server)
    server.shutdown()
    server.server_close()
    with pytest.raises(SourceError, match=r"/record cannot be reached \(no connection\)\. Check the connection"):
        fetch_release("harbour", tmp_path, registry=path)
    assert not (tmp_path / "harbour").exists()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (requests.ReadTimeout("x"), "no answer within 60 seconds"),
        (requests.exceptions.SSLError("x"), "certificate cannot be trusted"),
        (requests.exceptions.InvalidURL("odd"), "odd"),
    ],
)
def test_what_goes_wrong_on_the_way_is_said_in_words(tmp_path, server, monkeypatch, error, said):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr("workbench.fetch.requests.get", fail)
    with pytest.raises(SourceError, match=said):
        fetch_release("harbour", tmp_path, registry=record_registry(tmp_path, server))


def test_an_answer_that_is_no_file_is_told_by_its_number(tmp_path, server):
    server.content.clear()
    with pytest.raises(SourceError, match="the server answers 404 Not Found"):
        fetch_release("harbour", tmp_path, registry=registry(tmp_path, server))
