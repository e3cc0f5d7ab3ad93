"""A second synthetic platform on which the same invented operation runs pages, groups and accounts of its own.

The first platform's campaign posts are taken, and on each wave some pages, groups and accounts here post the same text
and link within the minute, often with small changes. Around them live innocent pages, groups and accounts: some share
one of the links with words of their own, some quote a text to ask whether it is true.
"""

from __future__ import annotations

import csv
import hashlib
import re
import shutil
import tempfile
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from workbench.schema import ParameterError
from workbench.simulate.phrases import TOPICS, chatter, comments, load_texts

N_PLANTED = {"page": 7, "group": 3, "account": 5}
"""As many as Facebook named in August 2019, upon Twitter's tip."""
N_ORGANIC = {"page": 45, "group": 15, "account": 420}
N_SHARERS = 40
N_ASKERS = 4
TURNOUT_FRAC = 0.4
CHANGED_FRAC = 0.3
MEAN_ORGANIC_POSTS = 8
STORIES = ("tram", "toll")
_FIRST_ID = 100_000_000_000
_TRAILING_ID = re.compile(r"\s+k\d+(?=\s|$)|\s*https?://\S+")
_CHATTER_URL = "https://tidehaven-notes.example/{:06x}"


@dataclass(frozen=True)
class _Party:
    """A page, group or account."""

    own_id: str
    kind: str
    handle: str
    name: str
    n_followers: int
    role: str
    story: str


def simulate_second_platform(
    out: str | Path, *, posts: pl.DataFrame, truth_posts: pl.DataFrame, accounts: pl.DataFrame, seed: int
) -> Path:
    """Write the second platform's dataset folder and return it; same input, same bytes.

    Written are pages and groups in CrowdTangle's layout, accounts in Meta Content Library's, `truth.csv` (every party)
    and `dataset.toml`.

    Args:
        out: folder to make; must not exist or be empty.
        posts: table `posts` of the first platform, as loaded.
        truth_posts: its planted posts: post_id, story, wave.
        accounts: table `accounts` of the first platform: two pages here go by names of its accounts in the clear.
        seed: 0 or more.

    Raises:
        ParameterError: the folder holds something, or the first platform has no planted waves.

    Beware: everything here is invented and says nothing about any platform.
    """
    out = Path(out)
    if out.exists() and any(out.iterdir()):
        raise ParameterError(f"{out.name} must not exist or be an empty folder. Name another folder.")
    waves = _waves(posts, truth_posts)
    if waves.is_empty():
        raise ParameterError("The first platform has no planted waves of tram and toll. Pass its truth_posts.")
    rng = np.random.default_rng([seed, 20190819])
    known = _known_names(posts, truth_posts, accounts)
    parties = _parties(rng, known)
    rows = [*_planted_posts(rng, parties, waves), *_organic_posts(rng, parties, waves)]
    rows.sort(key=lambda row: (row["at"], row["party"].own_id))
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}-") as draft:
        folder = Path(draft) / "dataset"
        folder.mkdir()
        _write(folder, parties, rows)
        if out.exists():
            out.rmdir()
        shutil.move(folder, out)
    return out


def _waves(posts: pl.DataFrame, truth_posts: pl.DataFrame) -> pl.DataFrame:
    """First post of each wave: when, what, with which link and hashtags."""
    originals = posts.filter(pl.col("repost_of_id").is_null())
    planted = originals.join(truth_posts.select("post_id", "story", "wave"), on="post_id", how="inner")
    first = planted.filter(pl.col("story").is_in(STORIES)).sort("posted_at", "post_id")
    return first.unique(["story", "wave"], keep="first", maintain_order=True).select(
        "story", "posted_at", "text", "urls", "hashtags"
    )


def _known_names(posts: pl.DataFrame, truth_posts: pl.DataFrame, accounts: pl.DataFrame) -> list[tuple[str, str]]:
    """Handle and name of two operation accounts that the first platform shows in the clear."""
    planted = posts.join(truth_posts, on="post_id", how="semi").group_by("account_id").len("n")
    clear = accounts.filter(~pl.col("is_pseudonymous") & (pl.col("n_followers") >= 5_000)).join(
        planted, on="account_id"
    )
    top = clear.sort("n", "account_id", descending=[True, False]).filter(pl.col("handle").str.contains(r"^[a-z]{6,}"))
    return [(row["handle"], row["display_name"]) for row in top.head(2).iter_rows(named=True)]


def _parties(rng: np.random.Generator, known: list[tuple[str, str]]) -> list[_Party]:
    parties: list[_Party] = []
    for role, numbers in (("planted", N_PLANTED), ("organic", N_ORGANIC)):
        for kind, n in numbers.items():
            for i in range(n):
                own_id = str(_FIRST_ID + len(parties) * 7919)
                drawn = handle, name = _name(rng, kind)
                story = STORIES[i % 2] if role == "planted" else ""
                if role == "planted" and kind == "page" and i < len(known):
                    # The same name with other digits behind: how an operation reappears elsewhere.
                    handle = re.sub(r"[\d_]+.*$", "", known[i][0]) + str(rng.integers(10, 99))
                    name = known[i][1]
                n_followers = _followers(rng, kind, role)
                if (handle, name) != drawn:
                    # Whoever is named on the first platform has followers enough to be named on this one.
                    n_followers += 6_000
                parties.append(_Party(own_id, kind, handle, name, n_followers, role, story))
    return _cast_bystanders(rng, parties)


def _cast_bystanders(rng: np.random.Generator, parties: list[_Party]) -> list[_Party]:
    """Some of the organic ones share a link, a few quote a text to ask about it."""
    organic = [n for n, party in enumerate(parties) if party.role == "organic"]
    chosen = rng.choice(organic, N_SHARERS + N_ASKERS, replace=False)
    roles = {int(n): "sharer" for n in chosen[:N_SHARERS]} | {int(n): "asker" for n in chosen[N_SHARERS:]}
    return [replace(party, role=roles.get(n, party.role)) for n, party in enumerate(parties)]


def _name(rng: np.random.Generator, kind: str) -> tuple[str, str]:
    syllables = load_texts()["accounts"]["syllables"]
    first, last = ("".join(rng.choice(syllables, 2)).capitalize() for _ in range(2))
    number = int(rng.integers(100, 99_999))
    sort = {"page": "Tidehaven Daily", "group": "Tidehaven neighbours", "account": ""}[kind]
    name = f"{first} {last} {sort}".strip() if kind != "group" else f"{sort}: {first} {last}"
    return f"{first}.{last}.{number}".lower(), name


def _followers(rng: np.random.Generator, kind: str, role: str) -> int:
    scale = {"page": 7.3, "group": 6.5, "account": 4.8}[kind] + (0.4 if role == "planted" else 0.0)
    return int(rng.lognormal(scale, 1.1))


def _planted_posts(rng: np.random.Generator, parties: list[_Party], waves: pl.DataFrame) -> list[dict[str, Any]]:
    planted = [party for party in parties if party.role == "planted"]
    rows = []
    for wave in waves.iter_rows(named=True):
        for party in planted:
            if party.story != wave["story"] or rng.random() > TURNOUT_FRAC:
                continue
            text = _TRAILING_ID.sub("", wave["text"]).strip()
            if rng.random() < CHANGED_FRAC:
                text = _change(rng, text)
            tags = " ".join(f"#{tag}" for tag in wave["hashtags"] if f"#{tag}" not in text)
            url = wave["urls"][0] if wave["urls"] else ""
            at = wave["posted_at"] + timedelta(seconds=float(rng.uniform(3, 50)))
            rows.append({"party": party, "at": at, "text": f"{text} {tags}".strip(), "url": url})
    for party in planted:
        rows += _chatter(rng, party, waves, n=int(rng.poisson(MEAN_ORGANIC_POSTS)))
    return rows


def _change(rng: np.random.Generator, text: str) -> str:
    """A small change, as made to get past filters that look for equal texts."""
    kind = rng.integers(3)
    if kind == 0:
        return f"{text} 👍"
    if kind == 1:
        return f"Share this: {text}" if text.isascii() else f"请转发：{text}"
    return text.rstrip("!！.。") + ("..." if text.isascii() else "……")


def _organic_posts(rng: np.random.Generator, parties: list[_Party], waves: pl.DataFrame) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for party in parties:
        if party.role == "planted":
            continue
        rows += _chatter(rng, party, waves, n=1 + int(rng.poisson(MEAN_ORGANIC_POSTS)))
        if party.role == "sharer":
            for n in rng.choice(waves.height, int(rng.integers(1, 4)), replace=False):
                rows.append(_remark(rng, party, waves.row(int(n), named=True)))
        elif party.role == "asker":
            wave = waves.row(int(rng.integers(waves.height)), named=True)
            quoted = _TRAILING_ID.sub("", wave["text"]).strip()
            rows.append({**_remark(rng, party, wave), "text": f"Is this true? I keep seeing it: “{quoted}”"})
    return rows


def _remark(rng: np.random.Generator, party: _Party, wave: dict[str, Any]) -> dict[str, Any]:
    """One of the links with words of one's own, hours later."""
    words = comments("chatter").draw(rng, np.zeros(1, dtype=np.int64)).item()
    at = wave["posted_at"] + timedelta(hours=float(rng.lognormal(1.5, 1.0)))
    return {"party": party, "at": at, "text": words, "url": wave["urls"][0] if wave["urls"] else ""}


def _chatter(rng: np.random.Generator, party: _Party, waves: pl.DataFrame, *, n: int) -> list[dict[str, Any]]:
    start, end = waves["posted_at"].min(), waves["posted_at"].max()
    language = (rng.random(n) < 0.3).astype(np.int64)
    topic = rng.integers(len(TOPICS), size=n)
    texts = chatter().draw(rng, language, language * len(TOPICS) + topic, language, language)
    span = (end - start).total_seconds()  # ty: ignore[unsupported-operator]
    links = rng.random(n) < 0.3
    return [
        {
            "party": party,
            "at": start + timedelta(seconds=float(rng.uniform(0, span))),  # ty: ignore[unsupported-operator]
            "text": texts[i],
            # A few hundred addresses that people here share now and then.
            "url": _CHATTER_URL.format(int(rng.integers(300))) if links[i] else "",
        }
        for i in range(n)
    ]


def _write(folder: Path, parties: list[_Party], rows: list[dict[str, Any]]) -> None:
    numbered = [(n, row) for n, row in enumerate(rows)]
    places = [(n, row) for n, row in numbered if row["party"].kind != "account"]
    people = [(n, row) for n, row in numbered if row["party"].kind == "account"]
    files = {
        "tidehaven_synthetic_pages_and_groups.csv": [_crowdtangle(n, row) for n, row in places],
        "tidehaven_synthetic_accounts.csv": [_content_library(n, row) for n, row in people],
    }
    for name, table in files.items():
        _write_csv(folder / name, table)
    truth = [{**{name: getattr(party, name) for name in ("own_id", "kind", "role", "story")}} for party in parties]
    _write_csv(folder / "truth.csv", [{"account_id": row.pop("own_id"), **row} for row in truth])
    (folder / "dataset.toml").write_text(_describe(folder, list(files), len(parties), len(rows)), encoding="utf-8")


def _crowdtangle(n: int, row: dict[str, Any]) -> dict[str, object]:
    party = row["party"]
    place = f"groups/{party.own_id}/permalink" if party.kind == "group" else f"{party.own_id}/posts"
    return {
        "Page Name": party.name,
        "User Name": party.handle,
        "Facebook Id": party.own_id,
        "Page Category": "SYNTHETIC",
        "Followers at Posting": party.n_followers,
        "Post Created": row["at"].strftime("%Y-%m-%d %H:%M:%S UTC"),
        "Type": "Link" if row["url"] else "Status",
        "Likes": (n * 37) % 90,
        "Comments": (n * 17) % 12,
        "Shares": (n * 29) % 20,
        "URL": f"https://www.facebook.com/{place}/{n}",
        "Message": row["text"],
        "Link": row["url"],
        "Final Link": row["url"],
    }


def _content_library(n: int, row: dict[str, Any]) -> dict[str, object]:
    party = row["party"]
    return {
        "id": f"mcl{n}",
        "creation_time": row["at"].strftime("%Y-%m-%dT%H:%M:%S+00:00"),
        "text": row["text"],
        "post_owner.id": party.own_id,
        "post_owner.type": "Facebook Profile",
        "post_owner.name": party.name,
        "post_owner.username": party.handle,
        "link_attachment.link": row["url"],
        "statistics.reaction_count": (n * 37) % 40,
        "statistics.share_count": (n * 29) % 8,
        "statistics.comment_count": (n * 17) % 9,
        "mcl_url": f"https://www.facebook.com/mcl/{n}",
    }


def _write_csv(path: Path, rows: list[dict[str, object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _describe(folder: Path, files: list[str], n_parties: int, n_posts: int) -> str:
    hashes = "\n".join(f'"{name}" = "{hashlib.sha256((folder / name).read_bytes()).hexdigest()}"' for name in files)
    return f"""title = "SYNTHETIC second platform: pages, groups and accounts in Tidehaven, a city that does not exist"
platform = "facebook"
origin = "invented; no state, party or person is meant"
licence = "SYNTHETIC data, same licence as the workbench (GPL-3.0-or-later)"
collected = "invented"
source = "simulate_second_platform, from the demo release"
is_synthetic = true
notes = [
    "SYNTHETIC: every page, group, account, text and link was invented. Tidehaven does not exist.",
    "The layouts are those of CrowdTangle and Meta Content Library; nothing here was ever on a platform.",
    "truth.csv says who is planted ({sum(N_PLANTED.values())} of {n_parties}), who shared a link, who asked about one.",
]

[announced]
accounts = {n_parties}
posts = {n_posts}

[files]
{hashes}
"""
