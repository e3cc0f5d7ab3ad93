"""One small valid input for every reader of the workbench, made of the samples the other tests have."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / name) for name in ("sources_more", "sharing")]

import samples as s  # noqa: E402
import small_case  # noqa: E402

from workbench.findings import Findings  # noqa: E402
from workbench.holidays import read_holidays  # noqa: E402
from workbench.narratives import read_narrative_labels  # noqa: E402
from workbench.sharing import collect_evidence, read_indicators, write_package  # noqa: E402
from workbench.sources import load_release  # noqa: E402
from workbench.sources.twitter_archive import ACCOUNT_COLUMNS, TWEETS  # noqa: E402
from workbench.state_media import (  # noqa: E402
    read_adverts,
    read_facts,
    read_outlet_list,
    read_outlets,
    read_policies,
    read_screening_lists,
    read_state_media_matrix,
)


@dataclass(frozen=True)
class Sample:
    """A valid input: its files by name, which of them is damaged, how it is read."""

    files: dict[str, bytes]
    damaged: str
    """the file a mutation changes"""
    read: Callable[[Path], Any]
    """takes the path of what is read: the folder, or the one file"""
    form: str
    """csv, lines (JSON lines), json, toml, text or binary: which mutations make sense"""
    is_folder: bool = False
    mend: Callable[[dict[str, bytes]], dict[str, bytes]] = dict
    """makes the other files agree with the damaged one, where a checksum would stop the reader at once"""


USER = {
    **dict.fromkeys(ACCOUNT_COLUMNS, ""),
    "userid": "1001",
    "user_display_name": "Harbour Lamp",
    "user_screen_name": "harbour_lamp",
    "follower_count": "12",
    "following_count": "3",
    "account_creation_date": "2017-08-30",
    "account_language": "en",
}
TWEET = {
    **USER,
    **dict.fromkeys(TWEETS.read[10:], ""),
    "tweetid": "20",
    "tweet_text": 'The ferry, "they say", is late',
    "tweet_time": "2019-06-30 06:07",
    "is_retweet": "false",
    "like_count": "1",
    "hashtags": "['Ferry', 'East']",
    "urls": "['https://linden.example/a']",
    "user_mentions": "[]",
}
SHARE = {"object_id": "link 1", "account_id": "a1", "content_id": "c1", "timestamp_share": "1600000000"}
MESSAGE = {
    "message_id": "m1",
    "user_id": "u1",
    "username": "lamp",
    "repost_id": "",
    "reply_id": "",
    "message": "The ferry\nis late",
    "timestamp": "1600000000",
    "urls": "https://linden.example/a https://linden.example/b",
}
GENERIC_TOML = """title = "Invented"
platform = "harbour"
origin = "Lantern Bay"
licence = "research use"
collected = "2021-05-04"
notes = ["synthetic"]

[announced]
accounts = 3
posts = 5

[files]
"posts.csv" = { holds = "posts", obtain = "write to the harbour" }

[[published]]
name = "n_posts"
value = 5
tolerance = 0.5
source = "the harbour's own page"

[options.columns]
post_id = "Post number"
account_id = "Writer"
posted_at = "Date"
text = "Words"
urls = "Links"
n_likes = "Hearts"
"""
GENERIC = {
    "Post number": "1",
    "Writer": "w1",
    "Date": "2021-01-31 10:00",
    "Words": "The ferry",
    "Links": "https://linden.example/a",
    "Hearts": "1,234",
}
META_KILLCHAIN = (
    "Tactic,Technique,Procedure,Indicator\r\n"
    "Acquiring Assets,Acquiring Facebook accounts,Fake accounts,12 Facebook accounts\r\n"
    'Acquiring Assets,Acquiring domains,"Domains, many",linden-truth[.]example\r\n'
    "Coordinating,Hashtags,,#LindenAwake\r\n"
    "Disguising Assets,Names,,https://www.facebook.com/lindenvoice\r\n"
)
META_FLAT = (
    "indicator_type,indicator_value,comment\r\n"
    "domain,linden-truth[.]example,first seen in May\r\n"
    "url,hxxps://linden-truth[.]example/bridge,\r\n"
    "hashtag,#LindenAwake,\r\n"
)
MATRIX = (
    "Region,Country,Media company,Main assets,URL,Typology,Twitter Link\n"
    "Coast,Tidehaven,City Press,Herald,https://herald.example/,SC,https://www.twitter.com/TheHerald\n"
    "Coast,Tidehaven,City Press,Wave,wave.example,CaPr,\n"
    "Coast,Tidehaven,City Radio,Mole,https://mole.example,ISFM?,\n"
)
DAYS = "day,is_workday\n2019-02-04,false\n2019-02-05,False\n2019-02-02,true\n"
LABELS = (
    "narrative_id,label,translation,terms,n_posts,exemplar,fingerprints\n1,Bridge,,bridge|closed,4,The bridge,a1 b2\n"
)


@cache
def list_samples() -> dict[str, Sample]:
    """Name of the format -> its sample. Rows differ in their ids, so that none repeats another."""
    tweets = _csv([{**TWEET, "tweetid": str(20 + n), "userid": str(1001 + n % 3)} for n in range(8)])
    users = _csv([{**USER, "userid": str(1001 + n)} for n in range(5)])
    shares = _csv([{**SHARE, "content_id": f"c{n}", "account_id": f"a{n % 3}"} for n in range(9)])
    return {
        "twitter users": _release("users.csv", users, "csv"),
        "twitter tweets": _release("tweets.csv", tweets, "csv"),
        "twitter tweets, gzip": _release("tweets.csv.gz", gzip.compress(tweets, mtime=0), "binary"),
        "twitter zip": _release("archive.zip", _zip({"a/users.csv": users, "tweets.csv": tweets}), "binary"),
        "share log": _release("shares.csv", shares, "csv"),
        "share log, parquet": _release("shares.parquet", _parquet(shares), "binary"),
        "messages": _release("messages.csv", _csv([{**MESSAGE, "message_id": f"m{n}"} for n in range(6)]), "csv"),
        **_captures(),
        **_described(),
        **_sharing(),
        **_state_media(),
        "narrative labels": Sample({"labels.csv": LABELS.encode()}, "labels.csv", read_narrative_labels, "csv"),
        "calendar of holidays": _one("days.csv", DAYS.encode(), _read_days, "csv"),
        "findings record": _one("findings.json", small_case.findings_a().to_json().encode(), Findings.load, "json"),
    }


def _read_days(path: Path) -> pl.DataFrame:
    return read_holidays(str(path))


def _captures() -> dict[str, Sample]:
    lines = {
        "twarc v2 pages": (s.V2_PAGE,),
        "twarc v2 flat": (s.V2_FLAT, s.V2_TWEET),
        "twarc v1": (s.V1_TWEET, s.V1_RETWEET),
        "zeeschuimer X": (s.ZEESCHUIMER_X,),
        "zeeschuimer TikTok": (s.ZEESCHUIMER_TIKTOK,),
        "telegram telethon": (s.TELETHON,),
        "mastodon": (s.MASTODON, s.MASTODON_BOOST),
        "bluesky views": (s.BLUESKY, s.BLUESKY_FEED),
        "bluesky jetstream": (s.JETSTREAM, s.JETSTREAM_REPOST),
        "reddit": (s.SUBMISSION, s.COMMENT),
    }
    tables = {
        "4CAT": s.FOUR_CAT,
        "CrowdTangle page": s.CROWDTANGLE,
        "CrowdTangle group": s.CROWDTANGLE_GROUP,
        "CrowdTangle Instagram": s.CROWDTANGLE_INSTAGRAM,
        "Content Library": s.CONTENT_LIBRARY,
        "YouTube videos": s.YOUTUBE_VIDEO,
        "YouTube comments": s.YOUTUBE_COMMENT,
    }
    return {
        **{name: _release("capture.ndjson", _lines(*records), "lines") for name, records in lines.items()},
        **{name: _release("capture.csv", _csv([row] * 3), "csv") for name, row in tables.items()},
        "4CAT, parquet": _release("capture.parquet", _parquet(_csv([s.FOUR_CAT] * 3)), "binary"),
        "telegram desktop": _release("result.json", json.dumps(s.DESKTOP).encode(), "json"),
        "bluesky page": _release("page.json", json.dumps({"posts": [s.BLUESKY]}, indent=1).encode(), "json"),
    }


def _described() -> dict[str, Sample]:
    files = {"dataset.toml": GENERIC_TOML.encode(), "posts.csv": _csv([GENERIC, {**GENERIC, "Post number": "2"}])}
    return {
        "generic, its table": Sample(files, "posts.csv", load_release, "csv", is_folder=True),
        "generic, dataset.toml": Sample(files, "dataset.toml", load_release, "toml", is_folder=True),
    }


def _sharing() -> dict[str, Sample]:
    with TemporaryDirectory() as folder:
        evidence = collect_evidence(
            small_case.platform_a(), clusters=small_case.clusters_a(), scored=small_case.scored_a(), time_window_s=60
        )
        package = write_package(small_case.findings_a(), Path(folder) / "p", level="trusted", evidence=evidence)
        files = {file.relative_to(package.folder).as_posix(): file.read_bytes() for file in _files_of(package.folder)}
        archive = package.archive.read_bytes()
    sheet = "exports/meta_indicators"
    return {
        "package, its manifest": Sample(files, "manifest.json", read_indicators, "json", is_folder=True),
        "package, its indicators": Sample(
            files, "indicators.csv", read_indicators, "csv", is_folder=True, mend=_list_hashes
        ),
        "package, zip": _one("p.zip", archive, read_indicators, "binary"),
        "Meta sheet, kill chain": _one("meta.csv", META_KILLCHAIN.encode(), read_indicators, "csv"),
        "Meta sheet, flat": _one("meta.csv", META_FLAT.encode(), read_indicators, "csv"),
        "Meta sheet, tabs": _one("meta.tsv", files[f"{sheet}.tsv"], read_indicators, "text"),
        "STIX 2.1": _one("stix.json", files["exports/stix21.json"], read_indicators, "json"),
        "MISP": _one("misp.json", files["exports/misp_event.json"], read_indicators, "json"),
    }


def _list_hashes(files: dict[str, bytes]) -> dict[str, bytes]:
    manifest = json.loads(files["manifest.json"])
    for entry in manifest["files"]:
        entry["sha256"] = hashlib.sha256(files[entry["path"]]).hexdigest()
    return {**files, "manifest.json": json.dumps(manifest).encode()}


def _state_media() -> dict[str, Sample]:
    package = Path(sys.modules["workbench.state_media"].__file__).parent
    facts, outlets = (package / "facts.csv").read_bytes(), (package / "outlets.csv").read_bytes()
    advert = {
        "id": "1",
        "page_id": "9",
        "page_name": "Herald",
        "ad_delivery_start_time": "2026-01-02",
        "currency": "EUR",
        "spend": {"lower_bound": "100"},
    }
    day = date(2023, 9, 1)
    demo = TESTS.parent / "datasets" / "demo_state_media"
    adverts = {name: (demo / f"adverts_{name}.csv").read_bytes() for name in ("meta", "google", "twitter")}
    layouts = (package / "advert_layouts.toml").read_bytes()
    return {
        "facts": _one("facts.csv", facts, read_facts, "csv"),
        "outlets": _one("outlets.csv", outlets, read_outlets, "csv"),
        "screening lists": Sample(
            {"facts.csv": facts, "outlets.csv": outlets}, "outlets.csv", read_screening_lists, "csv", is_folder=True
        ),
        "State Media Matrix": _one(
            "matrix.csv",
            MATRIX.encode(),
            lambda path: read_state_media_matrix(path, as_of=day),
            "csv",
        ),
        "outlet list": _one(
            "list.csv", b"name,url,country\nHerald,herald.example,TH\nWave,wave.example,TH\n", read_outlet_list, "csv"
        ),
        "policies": _one("policies.toml", (package / "policies.toml").read_bytes(), read_policies, "toml"),
        **{f"adverts, {name}": _one("adverts.csv", content, read_adverts, "csv") for name, content in adverts.items()},
        "adverts, Meta's API": _one(
            "api.json", json.dumps({"data": [advert], "paging": {}}).encode(), read_adverts, "json"
        ),
        "adverts, JSON lines": _one("api.jsonl", _lines(advert, {**advert, "id": "2"}), read_adverts, "lines"),
        "advert layouts": Sample(
            {"layouts.toml": layouts, "adverts.csv": adverts["meta"]},
            "layouts.toml",
            lambda path: read_adverts(path / "adverts.csv", layouts=path / "layouts.toml"),
            "toml",
            is_folder=True,
        ),
    }


def _release(name: str, content: bytes, form: str) -> Sample:
    return _one(name, content, load_release, form)


def _one(name: str, content: bytes, read: Callable[[Path], Any], form: str) -> Sample:
    return Sample({name: content}, name, read, form)


def _csv(rows: list[dict[str, str]]) -> bytes:
    stream = io.StringIO(newline="")
    writer = csv.DictWriter(stream, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue().encode()


def _lines(*records: object) -> bytes:
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records).encode()


def _zip(members: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return stream.getvalue()


def _parquet(table: bytes) -> bytes:
    stream = io.BytesIO()
    pl.read_csv(table, infer_schema=False).write_parquet(stream)
    return stream.getvalue()


def _files_of(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob("*") if file.is_file())
