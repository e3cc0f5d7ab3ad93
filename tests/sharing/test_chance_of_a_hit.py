"""The chance printed beside a hit holds where nobody is of the operation, and the planted stand out of it."""

from dataclasses import replace

import numpy as np
import pytest
from releases import make_release

from workbench.sharing import match_indicators
from workbench.sharing.indicators import build_indicators

N_ACCOUNTS, N_THINGS, N_LISTED = 150, 300, 24
PLANTED = [f"planted{k}" for k in range(6)]


def saying(number: int) -> str:
    """Three made-up words nobody else says, so that no two sayings are near each other."""
    digits = np.random.default_rng(number).integers(97, 123, size=27)
    letters = "".join(map(chr, digits))
    return f"{letters[:9]} {letters[9:18]} {letters[18:]}"


def a_post(number: int, account: str, thing: int, *, is_link: bool) -> dict:
    own = {"post_id": str(number), "account_id": account, "text": saying(10_000 + number)}
    return own | ({"urls": [f"https://s{thing}.example/a"]} if is_link else {"text": saying(thing)})


def town(seed: int, *, planted: bool):
    """Everybody picks links and sayings by popularity alone; the tip lists some, common ones among them."""
    rng = np.random.default_rng(seed)
    popularity = 1 / np.arange(1, N_THINGS + 1) ** 0.8
    popularity /= popularity.sum()
    listed = {is_link: rng.choice(N_THINGS, N_LISTED, replace=False) for is_link in (True, False)}
    posts: list[dict] = []
    for account in range(N_ACCOUNTS):
        for thing in rng.choice(N_THINGS, int(rng.integers(1, 30)), p=popularity):
            posts.append(a_post(len(posts), f"town{account}", thing, is_link=bool(rng.integers(2))))
    for account in PLANTED if planted else []:
        for thing in rng.choice(N_THINGS, 15, p=popularity):
            posts.append(a_post(len(posts), account, thing, is_link=bool(rng.integers(2))))
        for is_link, count in ((True, 8), (False, 6)):
            for thing in rng.choice(listed[is_link], count, replace=False):
                posts.append(a_post(len(posts), account, thing, is_link=is_link))
    names = {post["account_id"] for post in posts}
    tip = [{"declared": "url", "indicator_value": f"https://s{thing}.example/a"} for thing in listed[True]]
    tip += [{"declared": "text", "indicator_value": saying(thing)} for thing in listed[False]]
    return build_indicators(tip), make_release([{"account_id": name} for name in sorted(names)], posts)


@pytest.mark.parametrize("seed", range(4))
def test_the_chance_holds_where_all_are_innocent(seed):
    tip, release = town(seed, planted=False)
    report = match_indicators(tip, release)
    chance = report.accounts["chance_frac"]
    seen = report.accounts["n_independent"].sum()
    # Accounts without a hit are not in the table, but something was due from them: by their posts.
    due = report.accounts["expected_n"].sum() * release.posts.height / report.accounts["n_posts"].sum()

    assert (chance <= 0.05).sum() <= 0.05 * report.n_accounts
    assert (chance <= 0.01).sum() <= 0.01 * report.n_accounts
    assert 0.8 * due <= seen <= 1.1 * due
    assert report.implicated == []


@pytest.mark.parametrize("seed", range(4))
def test_the_planted_stand_out_of_it(seed):
    report = match_indicators(*town(seed, planted=True))

    assert len(set(report.implicated) & set(PLANTED)) >= 5
    assert len(set(report.implicated) - set(PLANTED)) <= 1


@pytest.mark.parametrize("seed", range(4))
def test_it_is_the_same_to_the_last_digit_however_the_posts_are_sorted(seed):
    tip, release = town(seed, planted=True)
    report = match_indicators(tip, release)
    again = [match_indicators(tip, replace(release, posts=release.posts.sample(fraction=1, shuffle=True, seed=seed)))]
    again += [match_indicators(tip, release) for _ in range(3)]
    for other in again:
        assert other.accounts.equals(report.accounts)
        assert other.hits.equals(report.hits)
        assert other.indicators.equals(report.indicators)
