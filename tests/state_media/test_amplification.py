from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

import workbench.state_media as sm
from workbench.privacy import protect_release
from workbench.schema import About, Accounts, Posts, Release, SchemaError, empty_table
from workbench.state_media.facts import Outlets
from workbench.state_media.ratios import estimate_ratio

START = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
KEY = b"a key of sixteen bytes or more"
LONG = "The new pier of Tidehaven opens on Monday and every ferry stops there twice a day."


def make_posts(*rows: dict) -> pl.DataFrame:
    """Rows give what matters: account, minute, and any column of posts."""
    schema = {name: column.dtype for name, column in Posts.columns().items()}
    made = []
    for n, row in enumerate(rows):
        row = dict(row)
        blank = {name: [] if dtype == pl.List(pl.String) else None for name, dtype in schema.items()}
        minute = row.pop("minute", n)
        known = {"post_id": f"p{n}", "platform": "twitter", "time_resolution_s": 1.0}
        made.append({**blank, **known, "posted_at": START + timedelta(minutes=minute), **row})
    return pl.DataFrame(made, schema=schema)


def make_outlets(*rows: dict) -> pl.DataFrame:
    schema = Outlets.create_empty().schema
    blank = {"names": [], "countries": [], "domains": [], "handles": []}
    made = [{name: {**blank, **row}.get(name) for name in schema} for row in rows]
    return pl.DataFrame(made, schema=schema).with_columns(pl.col("name").fill_null(pl.col("outlet_id")))


def make_accounts(*rows: tuple[str, str]) -> pl.DataFrame:
    schema = {name: column.dtype for name, column in Accounts.columns().items()}
    made = [
        {**dict.fromkeys(schema), "account_id": a, "handle": h, "platform": "twitter", "kind": "account",
         "is_pseudonymous": False}
        for a, h in rows
    ]  # fmt: skip
    return pl.DataFrame(made, schema=schema)


HERALD = {"outlet_id": "herald", "domains": ["herald.example"], "handles": ["twitter:TheHerald"]}
WAVE = {"outlet_id": "wave", "domains": ["wave.example"], "handles": ["twitter:wave"]}
OWN = pl.DataFrame({"account_id": ["h"], "outlet_id": ["herald"]})
NONE = OWN.clear()


def kinds(posts: pl.DataFrame, outlets: pl.DataFrame, own: pl.DataFrame = NONE) -> list[tuple]:
    found = sm.find_references(posts, outlets, outlet_accounts=own)
    return found.select("post_id", "outlet_id", "how").rows()


def test_the_four_ways_to_refer_to_an_outlet():
    posts = make_posts(
        {"account_id": "h", "text": LONG, "urls": ["https://herald.example/pier"]},
        {"account_id": "a", "text": "look", "urls": ["https://news.herald.example/pier?utm_source=x"]},
        {"account_id": "b", "text": "RT @theherald: " + LONG},
        {"account_id": "c", "text": LONG, "repost_of_id": "p0", "repost_of_account_id": "h"},
        {"account_id": "d", "text": "so", "quote_of_id": "p0"},
        {"account_id": "e", "text": "so", "urls": ["https://twitter.com/TheHerald/status/99"]},
        {"account_id": "f", "text": LONG.upper()},
        {"account_id": "g", "text": "@theherald I disagree", "mentions": ["theherald"], "reply_to_id": "p0"},
        {"account_id": "i", "text": "nothing", "urls": ["https://other.example/herald.example"]},
    )
    assert kinds(posts, make_outlets(HERALD, WAVE), OWN) == [
        ("p1", "herald", "link"),
        ("p2", "herald", "repost"),
        ("p3", "herald", "repost"),
        ("p4", "herald", "quote"),
        ("p5", "herald", "quote"),
        ("p6", "herald", "copy"),
    ]


def test_a_post_counts_once_per_outlet_and_an_earlier_text_is_no_copy():
    posts = make_posts(
        {"account_id": "a", "text": LONG, "minute": 0},
        {"account_id": "h", "text": LONG, "minute": 5},
        {"account_id": "b", "text": LONG, "minute": 9, "urls": ["https://herald.example/1", "https://wave.example/2"]},
        {"account_id": "h", "text": "short", "minute": 10},
        {"account_id": "b", "text": "short", "minute": 11},
    )
    assert kinds(posts, make_outlets(HERALD, WAVE), OWN) == [("p2", "herald", "link"), ("p2", "wave", "link")]


def test_outlets_sharing_a_domain_are_marked():
    posts = make_posts({"account_id": "a", "urls": ["https://press.example/x"]})
    shared = make_outlets(
        {"outlet_id": "de", "domains": ["press.example"]}, {"outlet_id": "fr", "domains": ["www.press.example"]}
    )
    found = sm.find_references(posts, shared, outlet_accounts=NONE)
    assert found.select("outlet_id", "is_ambiguous").rows() == [("de", True), ("fr", True)]


def test_outlet_accounts_by_platform_and_handle():
    accounts = make_accounts(("1", "TheHerald"), ("2", "theherald2"))
    found = sm.find_outlet_accounts(accounts, make_outlets(HERALD))
    assert found.rows() == [("1", "herald")]
    elsewhere = accounts.with_columns(platform=pl.lit("facebook"))
    assert sm.find_outlet_accounts(elsewhere, make_outlets(HERALD)).is_empty()


def test_amplification_against_the_rest_with_outlets_own_accounts_on_neither_side():
    link = {"urls": ["https://herald.example/x"]}
    posts = make_posts(
        *({"account_id": "h", **link} for _ in range(50)),
        *({"account_id": "a", **link} for _ in range(3)), {"account_id": "a"},
        *({"account_id": "b", **link} for _ in range(3)), {"account_id": "b"},
        *({"account_id": f"r{n}", **(link if n == 0 else {})} for n in range(20)),
    )  # fmt: skip
    clusters = pl.DataFrame({"account_id": ["a", "b", "h"], "cluster_id": [1, 1, 1]})
    references = sm.find_references(posts, make_outlets(HERALD), outlet_accounts=OWN)
    row = sm.measure_amplification(references, posts, clusters, outlet_accounts=OWN).filter(outlet_id="herald")
    expected = {
        "n_accounts": 2, "n_referring_accounts": 2, "n_outlet_accounts": 1, "n_posts": 8, "n_references": 6,
        "n_link": 6, "n_repost": 0, "rest_n_accounts": 20, "rest_n_posts": 20, "rest_n_references": 1,
        "references_frac": 0.75, "rest_frac": 0.05, "ratio": 15.0,
    }  # fmt: skip
    assert row.select(list(expected)).row(0, named=True) == pytest.approx(expected)
    assert row["ratio_low"].item() < 15 < row["ratio_high"].item()
    every = sm.measure_amplification(references, posts, clusters, outlet_accounts=OWN)
    assert every["outlet_id"].to_list() == [None, "herald"]


def test_a_post_that_refers_to_two_outlets_counts_once_in_any():
    both = {"urls": ["https://herald.example/x", "https://wave.example/y"]}
    posts = make_posts({"account_id": "a", **both}, {"account_id": "b"}, {"account_id": "c"})
    clusters = pl.DataFrame({"account_id": ["a", "b"], "cluster_id": [1, 1]})
    references = sm.find_references(posts, make_outlets(HERALD, WAVE), outlet_accounts=NONE)
    found = sm.measure_amplification(references, posts, clusters, outlet_accounts=NONE)
    assert dict(found.select("outlet_id", "n_references").iter_rows()) == {None: 1, "herald": 1, "wave": 1}
    row = found.row(0, named=True)
    assert (row["ratio"], row["ratio_high"]) == (None, None)  # the rest has none: nothing bounds it above
    with pytest.raises(SchemaError, match="names an account twice"):
        sm.measure_amplification(references, posts, pl.concat([clusters, clusters]), outlet_accounts=NONE)


def test_by_day_and_who_was_first():
    posts = make_posts(
        {"account_id": "h", "minute": 0, "urls": ["https://herald.example/1"]},
        {"account_id": "a", "minute": 10, "urls": ["https://herald.example/1"]},
        {"account_id": "a", "minute": 20, "urls": ["https://herald.example/2"]},
        {"account_id": "h", "minute": 30, "urls": ["https://herald.example/2"]},
        {"account_id": "b", "minute": 24 * 60, "urls": ["https://herald.example/3"]},
        {"account_id": "z", "minute": 24 * 60, "urls": ["https://herald.example/3"]},
    )
    clusters = pl.DataFrame({"account_id": ["a", "b"], "cluster_id": [1, 1]})
    references = sm.find_references(posts, make_outlets(HERALD), outlet_accounts=OWN)
    days = sm.count_references_by_day(references, clusters)
    assert days.select(pl.col("day").cast(pl.String), "cluster_id", "n_posts").rows() == [
        ("2026-03-01", 1, 2), ("2026-03-02", 1, 1), ("2026-03-02", None, 1),
    ]  # fmt: skip
    first = sm.compare_first(references, posts, clusters, outlet_accounts=OWN).row(0, named=True)
    expected = {"n_objects": 3, "n_outlet_first": 1, "n_cluster_first": 1, "n_same_time": 0, "n_unknown": 1}
    assert {name: first[name] for name in expected} == expected
    assert first["median_lead_s"] == 0.0  # ten minutes behind and ten ahead


def test_a_link_through_an_archive_or_a_forward_is_the_link_it_carries():
    posts = make_posts(
        {"account_id": "h", "urls": ["https://www.google.com/url?q=https://herald.example/1"]},
        {"account_id": "a", "urls": ["https://web.archive.org/web/2026/https://herald.example/1"]},
        {"account_id": "b", "urls": ["https://l.facebook.com/l.php?u=https%3A%2F%2Fherald.example%2F1"]},
    )
    references = sm.find_references(posts, make_outlets(HERALD), outlet_accounts=OWN)
    assert references.select("account_id", "how").rows() == [("a", "link"), ("b", "link")]
    assert references["object_id"].n_unique() == 1
    clusters = pl.DataFrame({"account_id": ["a", "b"], "cluster_id": [1, 1]})
    first = sm.compare_first(references, posts, clusters, outlet_accounts=OWN).row(0, named=True)
    assert (first["n_objects"], first["n_outlet_first"], first["n_unknown"]) == (1, 1, 0)


def test_handles_hidden_by_protection_are_still_found():
    def protect(release: Release, *, key: bytes) -> Release:
        hidden = release.posts.with_columns(
            pl.col("text").str.replace("(?i)@theherald", "@acct_hidden"),
            mentions=pl.col("mentions").list.eval(
                pl.lit("acct_") + pl.element().str.replace("(?i)theherald", "hidden")
            ),
        )
        return Release(release.accounts, hidden, release.decisions, release.quarantine, release.about)

    posts = make_posts({"account_id": "a", "text": "RT @TheHerald: ahoy"})
    about = About(name="t", title="t", platform="twitter")
    empty = (empty_table("decisions"), empty_table("quarantine"))
    release = Release(make_accounts(("a", "aa")), posts, *empty, about)
    outlets = sm.hide_handles(make_outlets(HERALD, {"outlet_id": "none"}), release, protect=protect, key=KEY)
    assert outlets["handles"].to_list() == [["twitter:TheHerald", "twitter:acct_hidden"], []]
    assert kinds(protect(release, key=KEY).posts, outlets) == [("p0", "herald", "repost")]
    only_other = make_outlets({"outlet_id": "v", "handles": ["vk:v"]})
    assert sm.hide_handles(only_other, release, protect=protect, key=KEY)["handles"].to_list() == [["vk:v"]]


def simulate_side(
    rng: np.random.Generator, *, n_accounts: int, share: float, is_heavy: bool = False
) -> tuple[pl.Series, pl.Series]:
    """Accounts differ in how much they post and in how often they link: posts of one account are alike."""
    posts = 1 + (np.minimum(rng.zipf(1.6, n_accounts), 2000) if is_heavy else rng.poisson(20, n_accounts))
    own = rng.beta(share * 4, (1 - share) * 4, n_accounts)
    return pl.Series(rng.binomial(posts, own)), pl.Series(posts)


@pytest.mark.parametrize("seed", [11, 12])
@pytest.mark.parametrize(
    ("n_accounts", "share", "rest_share", "is_heavy"),
    [(40, 0.3, 0.1, False), (6, 0.3, 0.1, False), (40, 0.02, 0.005, False), (40, 0.3, 0.1, True),
     (10, 0.1, 0.1, False)],
)  # fmt: skip
def test_the_interval_covers_the_planted_ratio(seed, n_accounts, share, rest_share, is_heavy):
    rng = np.random.default_rng(seed)
    n_worlds, covered, naive = 150, 0, 0
    for _ in range(n_worlds):
        cluster = simulate_side(rng, n_accounts=n_accounts, share=share, is_heavy=is_heavy)
        rest = simulate_side(rng, n_accounts=400, share=rest_share, is_heavy=is_heavy)
        covered += holds(estimate_ratio(*cluster, *rest), share / rest_share)
        naive += holds(estimate_ratio(*as_single_posts(*cluster), *as_single_posts(*rest)), share / rest_share)
    assert covered / n_worlds >= 0.93
    assert naive / n_worlds < 0.92  # posts counted as if independent: the interval lies


def holds(found, ratio: float) -> bool:
    return found.low is None or (found.low <= ratio and (found.high is None or ratio <= found.high))


def as_single_posts(hits: pl.Series, posts: pl.Series) -> tuple[pl.Series, pl.Series]:
    n_hits, n_posts = int(hits.sum()), int(posts.sum())
    return pl.Series([1] * n_hits + [0] * (n_posts - n_hits)), pl.Series([1] * n_posts)


def test_ratio_of_nothing_is_nothing():
    zero, some = pl.Series([0, 0]), pl.Series([5, 5])
    assert estimate_ratio(zero, some, zero, some) == (None, None, None)
    assert estimate_ratio(pl.Series([], dtype=pl.Int64), pl.Series([], dtype=pl.Int64), zero, some).ratio is None
    never = estimate_ratio(zero, some, pl.Series([3, 2]), some)
    assert (never.ratio, never.low) == (0.0, 0.0)
    assert never.high < 4  # two accounts know little of their own spread


def test_the_real_protection_hides_handles_and_loses_no_reference():
    posts = make_posts(
        {"account_id": "a", "text": "RT @TheHerald: ahoy from the pier"},
        {"account_id": "b", "text": "see", "urls": ["https://twitter.com/TheHerald/status/99"]},
        {"account_id": "c", "text": "see", "urls": ["https://herald.example/x"]},
        {"account_id": "d", "text": "RT @TheHerald2: not this one"},
    )
    empty = (empty_table("decisions"), empty_table("quarantine"))
    about = About(name="t", title="t", platform="twitter")
    release = Release(make_accounts(("a", "aa"), ("b", "bb"), ("c", "cc"), ("d", "dd")), posts, *empty, about)
    before = sm.find_references(posts, make_outlets(HERALD), outlet_accounts=NONE)
    hidden = protect_release(release, key=KEY)
    assert "TheHerald" not in str(hidden.posts.to_dicts())
    after = sm.find_references(
        hidden.posts,
        sm.hide_handles(make_outlets(HERALD), release, protect=protect_release, key=KEY),
        outlet_accounts=NONE,
    )
    assert after.select("outlet_id", "how").sort("how").rows() == before.select("outlet_id", "how").sort("how").rows()
    assert before["how"].sort().to_list() == ["link", "quote", "repost"]


def test_an_upper_bound_that_only_arithmetic_sets_is_none():
    few = estimate_ratio(pl.Series([2, 2]), pl.Series([3, 2]), pl.Series([1, 0]), pl.Series([2, 1]))
    assert few.ratio == pytest.approx(2.4)
    assert few.high is None
