"""A small invented case: six operation accounts, eight others, two platforms; what each posted is written out below."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl

from workbench.findings import ChanceTest, Claim, Confidence, Findings, Observation, Section
from workbench.schema import About, Accounts, Posts, Release, check_table, empty_table

START = datetime(2031, 3, 1, 9, 0, tzinfo=UTC)
STORY = [
    "The harbour bridge of Lindenport was closed in secret to hide the broken pillars",
    "Who paid for the new tram in Lindenport? The council will not say and we all know why",
    "Lindenport's clean water is a tale told by the council, ask the people of the east quay",
    "市政府隐瞒了林登港大桥的裂缝，居民要求公开全部检查报告",
]
SITES = [
    "https://lindenport-truth.example/bridge",
    "https://lindenport-truth.example/tram",
    "https://eastquay.example/water",
]
NEWS = "https://lindenport-times.example/today"
TAG = "LindenportAwake"


def account(account_id: str, *, platform: str, kind: str = "account", n_followers: int = 10, **more: object) -> dict:
    row = dict.fromkeys(("location", "description", "language", "n_following", "created_at", "display_name"))
    return row | {
        "account_id": account_id,
        "platform": platform,
        "kind": kind,
        "handle": f"h_{account_id}",
        "n_followers": n_followers,
        "is_pseudonymous": False,
        **more,
    }


def post(post_id: str, account_id: str, *, platform: str, minutes: float, **more: object) -> dict:
    row = dict.fromkeys(
        column
        for column in Posts.column_names()
        if column not in ("post_id", "account_id", "platform", "posted_at", "time_resolution_s")
    )
    lists = {name: [] for name in ("urls", "hashtags", "mentions", "media_hashes")}
    return {
        **row,
        **lists,
        "post_id": post_id,
        "account_id": account_id,
        "platform": platform,
        "posted_at": START + timedelta(minutes=minutes),
        "time_resolution_s": 1.0,
        **more,
    }


def release(accounts: list[dict], posts: list[dict], *, name: str, platform: str) -> Release:
    types = {name: column.dtype for name, column in Posts.columns().items()}
    known = {name: column.dtype for name, column in Accounts.columns().items()}
    about = About(name=name, title=f"Invented case {name}", platform=platform, is_synthetic=True)
    return Release(
        accounts=check_table(pl.DataFrame(accounts, schema=known), "accounts"),
        posts=check_table(pl.DataFrame(posts, schema=types), "posts"),
        decisions=empty_table("decisions"),
        quarantine=empty_table("quarantine"),
        about=about,
    )


def platform_a() -> Release:
    """Four operation accounts that copy texts and links within a minute, four others with the news."""
    ops = [
        account(f"op{n}", platform="twitter", handle=f"LindenVoice{n}", display_name="Linden Voice") for n in range(4)
    ]
    others = [account(f"org{n}", platform="twitter") for n in range(4)]
    posts = []
    for n, (text, url) in enumerate(zip(STORY, [*SITES, None], strict=True)):
        for k in range(4):
            more = {"text": f"{text} {url or ''}".strip(), "urls": [url] if url else [], "hashtags": [TAG]}
            posts.append(post(f"a{n}{k}", f"op{k}", platform="twitter", minutes=60 * n + 0.1 * k, lang="en", **more))
    posts += [
        post(f"n{k}", f"org{k}", platform="twitter", minutes=7 * k, text=f"Read this {k}", urls=[NEWS], lang="en")
        for k in range(4)
    ]
    posts.append(post("n9", "op0", platform="twitter", minutes=30, text="Morning papers", urls=[NEWS], lang="en"))
    posts.append(post("n8", "op1", platform="twitter", minutes=31, text="Papers again", urls=[NEWS], lang="en"))
    return release(ops + others, posts, name="alpha", platform="twitter")


def platform_b(*, n_innocent: int = 60) -> Release:
    """A page and a group of the operation, an innocent sharer of its link, and sixty with other things to do."""
    accounts = [
        account("900", platform="facebook", kind="page", handle="lindenvoice77", display_name="Linden Voice Daily"),
        account("901", platform="facebook", kind="group", handle="eastquaytalk", display_name="East Quay Talk"),
        account("sharer", platform="facebook", handle="anna.reads", display_name="Anna R"),
    ]
    accounts += [account(f"in{n}", platform="facebook", display_name=f"Person {n}") for n in range(n_innocent)]
    posts = []
    for n, who in enumerate(("900", "901")):
        for k, (text, url) in enumerate(zip(STORY[:3], SITES, strict=True)):
            changed = text.replace("secret", "full secrecy") if k == 0 else text
            posts.append(post(f"b{n}{k}", who, platform="facebook", minutes=60 * k + n, text=changed, urls=[url]))
        posts.append(post(f"c{n}", who, platform="facebook", minutes=400 + n, text=STORY[3], hashtags=[TAG]))
    for k, url in enumerate(SITES[:2]):
        posts.append(
            post(f"s{k}", "sharer", platform="facebook", minutes=90 * k, text=f"Is this true? {k}", urls=[url])
        )
    for n in range(n_innocent):
        for k in range(4):
            text = f"Person {n} writes about garden matter number {k} and {n * k} other things of the week"
            posts.append(post(f"i{n}_{k}", f"in{n}", platform="facebook", minutes=n + 50 * k, text=text, urls=[NEWS]))
    return release(accounts, posts, name="beta", platform="facebook")


def clusters_a() -> pl.DataFrame:
    rows = [{"account_id": f"op{n}", "cluster_id": 1, "strength": 3.0, "is_core": True} for n in range(4)]
    return check_table(pl.DataFrame(rows), "clusters").with_columns(grade=pl.lit("beyond shared interest"))


def scored_a() -> pl.DataFrame:
    pairs = [(a, b) for a in range(4) for b in range(a + 1, 4)]
    rows = [
        {
            "trace": trace,
            "account_a": f"op{a}",
            "account_b": f"op{b}",
            "n_co_actions": 4,
            "expected_n": 0.1,
            "score": 9.0,
            "fdr": 0.01,
        }
        for trace in ("same_text", "url")
        for a, b in pairs
    ]
    return check_table(pl.DataFrame(rows), "scored")


def findings_a() -> Findings:
    claim = Claim(
        text="Four accounts posted the same four texts within a minute, beyond chance.",
        level="coordination",
        confidence=Confidence("moderate", "one trace, one week of data"),
        evidence=(
            Observation("counted in the signals table", shown_in="signals"),
            ChanceTest("cluster test", "above both shuffles", n_shuffles=20, p_value=0.05),
        ),
        denominator="8 accounts in the data",
        is_headline=True,
    )
    about = platform_a().about
    caveat = "The data holds one week. See https://lindenport-truth.example/bridge for what they linked."
    return Findings(about=about, sections=(Section("clusters", claims=(claim,)),), caveats=(caveat,))
