"""A tip against one's own data: the planted found, the innocent left alone, chance priced in."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_case import NEWS, SITES, STORY, account, clusters_a, platform_a, platform_b, post, release, scored_a

from workbench.schema import ParameterError
from workbench.sharing import collect_evidence, match_indicators
from workbench.sharing.indicators import build_indicators
from workbench.sharing.levels import apply_level
from workbench.sharing.near_text import find_near, read_signatures, sign_texts, write_signature
from workbench.sharing.salts import derive_key
from workbench.sharing.weigh import _pin

SALT = "a long agreed salt"


def tip(level="trusted"):
    found = collect_evidence(platform_a(), clusters=clusters_a(), scored=scored_a(), time_window_s=60)
    key = derive_key(SALT) if level == "hashed" else b""
    return build_indicators(apply_level(found, level=level, key=key).indicator_rows)


@pytest.mark.parametrize("level", ["trusted", "hashed"])
def test_the_tip_finds_page_and_group_and_not_the_sharer(level):
    report = match_indicators(tip(level), platform_b(), salt=SALT if level == "hashed" else None)
    assert sorted(report.implicated) == ["900", "901"]
    sharer = report.accounts.filter(account_id="sharer").row(0, named=True)
    assert (sharer["verdict"], sharer["n_kinds"]) == ("chance", 1)


def test_names_alone_are_seen_across_platforms():
    kinds = match_indicators(tip(), platform_b()).hits.filter(account_id="900")["match_kind"].unique()
    assert {"handle_stem", "url", "text", "near_text", "hashtag"} <= set(kinds)


def test_an_account_of_the_same_platform_is_itself():
    report = match_indicators(tip(), platform_a())
    assert report.accounts.head(4)["verdict"].to_list() == ["same account"] * 4
    assert report.accounts.height == 4


def test_a_link_everybody_shares_weighs_nothing_and_is_disputed():
    row = {"indicator_value": NEWS, "declared": "url"}
    report = match_indicators(build_indicators([row]), platform_b())
    assert report.implicated == []
    assert report.indicators["organic_frac"].item() > 0.9
    assert "common among accounts not implicated" in report.disputes["dispute"].item()


def test_one_post_with_link_and_text_is_one_hit():
    who = [account("x", platform="facebook"), account("y", platform="facebook")]
    posts = [post("1", "x", platform="facebook", minutes=1, text=STORY[0], urls=[SITES[0]])]
    report = match_indicators(tip(), release(who, posts, name="g", platform="facebook"))
    row = report.accounts.row(0, named=True)
    assert (row["n_independent"], row["n_kinds"], row["verdict"]) == (1, 1, "single")


def test_a_repost_is_no_original():
    posts = [
        post("1", "x", platform="facebook", minutes=1, text=STORY[0], repost_of_id="9"),
        post("2", "x", platform="facebook", minutes=2, text="RT @a: " + STORY[1], urls=[SITES[1]]),
    ]
    report = match_indicators(tip(), release([account("x", platform="facebook")], posts, name="g", platform="facebook"))
    assert report.accounts.is_empty()


def test_statuses_say_what_could_not_be_looked_for():
    rows = [
        {"indicator_value": "gone.example", "declared": "domain"},
        {"indicator_value": "sha256:" + "a" * 64},
        {"indicator_value": "info@linden.example"},
        {"indicator_value": "clinic.example", "tactic": "8. Compromising", "procedure": "8.2.1"},
        {"indicator_value": "18 accounts", "procedure": "0.9.1"},
        {"indicator_value": "youtube[.]com", "declared": "domain"},
    ]
    report = match_indicators(build_indicators(rows), platform_b())
    assert report.indicators["status"].to_list() == [
        "miss", "not checkable", "miss", "not to be matched", "not to be matched", "miss",
    ]  # fmt: skip
    assert report.misses.height == 3
    assert "many unrelated people" in report.disputes["dispute"].item()
    assert any("whom the operation attacked" in line for line in report.decisions)


def test_domains_cover_subdomains_and_profiles_are_found_in_links():
    rows = [{"indicator_value": "linden.example"}, {"indicator_value": "t.me/lindentalk", "procedure": "0.9.7"}]
    posts = [
        post("1", "x", platform="facebook", minutes=1, urls=["https://news.linden.example/a"]),
        post("2", "x", platform="facebook", minutes=2, urls=["https://t.me/LindenTalk"]),
        post("3", "x", platform="facebook", minutes=2, urls=["https://notlinden.example/a"]),
    ]
    own = release([account("x", platform="facebook")], posts, name="g", platform="facebook")
    hits = match_indicators(build_indicators(rows), own).hits
    assert hits.select("match_kind", "n_posts").rows() == [("domain", 1), ("profile_link", 1)]


def test_pictures_match_within_the_radius():
    near = int("0f" * 32, 16) ^ ((1 << 31) - 1)
    far = int("0f" * 32, 16) ^ ((1 << 32) - 1)
    posts = [
        post("1", "x", platform="facebook", minutes=1, media_hashes=[f"pdq:{near:064x}"]),
        post("2", "x", platform="facebook", minutes=1, media_hashes=[f"{far:064x}"]),
    ]
    own = release([account("x", platform="facebook")], posts, name="g", platform="facebook")
    hits = match_indicators(build_indicators([{"indicator_value": "pdq:" + "0f" * 32}]), own).hits
    assert hits["n_posts"].to_list() == [1]


def test_keyed_hashes_need_the_salt():
    with pytest.raises(ParameterError, match="agreed salt"):
        match_indicators(tip("hashed"), platform_b())
    assert match_indicators(tip("hashed"), platform_b(), salt="another long salt").implicated == []


def test_control_data_prices_the_indicators():
    control = replace(platform_b(), posts=platform_b().posts.filter(pl.col("account_id").str.starts_with("in")))
    with_control = match_indicators(tip(), platform_b(), control=control).accounts
    without = match_indicators(tip(), platform_b()).accounts
    expected = [frame.filter(account_id="901")["expected_n"].item() for frame in (with_control, without)]
    assert expected[0] < expected[1]


def test_nothing_is_implicated_among_people_who_share_at_random():
    """Sixty people pick links and texts of the tip now and then; a false verdict is due in at most one of twenty."""
    wrong = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        posts = []
        for n in range(60):
            for k in range(10):
                more = {"text": f"own words {n} {k} about the weather in the hills", "urls": []}
                if rng.random() < 0.1:
                    more["urls"] = [SITES[rng.integers(3)]]
                elif rng.random() < 0.05:
                    more["text"] = STORY[rng.integers(4)]
                posts.append(post(f"{n}_{k}", f"in{n}", platform="facebook", minutes=k, **more))
        people = [account(f"in{n}", platform="facebook") for n in range(60)]
        wrong += bool(match_indicators(tip(), release(people, posts, name="g", platform="facebook")).implicated)
    assert wrong <= 1


def test_pinning_prefers_kinds_and_never_uses_a_post_twice():
    both = {("link", "1"): ["a"], ("text", "2"): ["a"]}
    assert len(_pin(both)) == 1
    chain = {("link", "1"): ["a"], ("link", "2"): ["a", "b"], ("text", "3"): ["b", "c"]}
    assert _pin(chain) == [("link", "1"), ("link", "2"), ("text", "3")]
    full = {("link", "1"): ["a"], ("link", "2"): ["b"], ("text", "3"): ["a"]}
    assert {family for family, _ in _pin(full)} == {"link", "text"}


@settings(max_examples=60)
@given(st.lists(st.sets(st.integers(0, 6), min_size=1), min_size=1, max_size=6))
def test_pinning_is_as_large_as_can_be(posts):
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import maximum_bipartite_matching

    table = np.array([[n in row for n in range(7)] for row in posts])
    best = (maximum_bipartite_matching(csr_array(table), perm_type="column") >= 0).sum()
    assert len(_pin({("k", str(n)): [str(p) for p in sorted(row)] for n, row in enumerate(posts)})) == best


def test_near_texts():
    texts = pl.Series(
        [STORY[0].lower(), STORY[0].lower().replace("secret", "full secrecy"), STORY[1].lower(), "", None]
    )
    signed = sign_texts(texts)
    pairs = find_near(signed[:1], signed, min_similarity=0.5)
    assert pairs["own_row"].to_list() == [0, 1]
    assert pairs["similarity"].to_list()[0] == 1.0
    assert (read_signatures(pl.Series([write_signature(signed[0])])) == signed[:1]).all()
    assert find_near(sign_texts(texts, key=b"12345678")[:1], signed, min_similarity=0.5).is_empty()


def test_unsegmented_chinese_is_not_dropped():
    changed = STORY[3].replace("居民", "全体居民")
    pairs = find_near(sign_texts(pl.Series([STORY[3]])), sign_texts(pl.Series([changed])), min_similarity=0.5)
    assert pairs.height == 1


def test_signatures_of_another_method_are_refused():
    with pytest.raises(ParameterError, match="another method"):
        read_signatures(pl.Series(["text-minhash:00"]))
    with pytest.raises(ParameterError, match="min_similarity"):
        find_near(sign_texts(pl.Series(["a"])), sign_texts(pl.Series(["a"])), min_similarity=0)


@settings(max_examples=50)
@given(st.text(max_size=60), st.text(max_size=60))
def test_similarity_estimates_the_share_of_common_shingles(a, b):
    """64 bins: the estimate lies within four standard errors of the truth, where there are shingles to speak of."""

    def shingles(text):
        bare = "".join(text.split())
        return {bare[n : n + 4] for n in range(max(len(bare) - 3, 1))} if bare else set()

    signed = sign_texts(pl.Series([a, b]))
    either, both = shingles(a) | shingles(b), shingles(a) & shingles(b)
    if len(either) < 8:
        return
    filled = ((signed[0] != 0xFFFFFFFF) | (signed[1] != 0xFFFFFFFF)).sum()
    estimate = ((signed[0] == signed[1]) & (signed[0] != 0xFFFFFFFF)).sum() / filled
    truth = len(both) / len(either)
    assert abs(estimate - truth) <= 4 * 0.5 / np.sqrt(filled) + 1e-9
