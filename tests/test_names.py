"""What names look like: hand-written repeats, and random strings planted among syllables."""

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import roc_auc_score
from test_profiles import make_accounts

from workbench.names import MIN_HANDLES, describe_names, rate_surprise

SYLLABLES = [
    "tra",
    "mo",
    "fer",
    "ry",
    "ki",
    "lan",
    "tern",
    "bay",
    "tide",
    "ha",
    "ven",
    "mar",
    "ket",
    "bri",
    "dge",
    "ko",
    "sa",
]
LETTERS = np.array(list("abcdefghijklmnopqrstuvwxyz0123456789"))


def handles(seed: int, *, n: int, n_random: int) -> tuple[pl.Series, np.ndarray]:
    """Handles of three or four syllables, some with digits at the end; the last n_random are random strings."""
    rng = np.random.default_rng(seed)
    made = [
        "".join(rng.choice(SYLLABLES, rng.integers(3, 5))) + str(rng.integers(0, 9999)) for _ in range(n - n_random)
    ]
    made += ["".join(rng.choice(LETTERS, 10)) for _ in range(n_random)]
    return pl.Series(made), np.arange(n) >= n - n_random


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("n_random", [20, 200])
def test_planted_random_strings_are_the_most_surprising(seed, n_random):
    names, is_random = handles(seed, n=500, n_random=n_random)
    surprise = rate_surprise(names)
    rated = surprise.is_not_null().to_numpy()  # a random string may end in digits and leave too little
    assert rated.mean() > 0.98
    assert roc_auc_score(is_random[rated], surprise.to_numpy()[rated]) > 0.98


def test_names_alike_are_not_told_apart():
    names, _ = handles(3, n=400, n_random=0)
    surprise = rate_surprise(names).to_numpy()
    assert roc_auc_score(np.arange(400) % 2, surprise) == pytest.approx(0.5, abs=0.1)


def test_a_handle_does_not_vouch_for_itself():
    names, _ = handles(4, n=200, n_random=0)
    once = rate_surprise(pl.concat([names, pl.Series(["qxqxqxqxqx"])]))
    assert once[-1] > once[:-1].max(), "its own pairs must not make it usual"


def test_order_case_and_digits_at_the_end_do_not_matter():
    names, _ = handles(5, n=100, n_random=10)
    assert rate_surprise(names.reverse()).reverse().to_list() == pytest.approx(rate_surprise(names).to_list())
    assert rate_surprise(names.str.to_uppercase()).to_list() == pytest.approx(rate_surprise(names).to_list())
    bare = names.str.replace(r"\d+$", "")
    assert rate_surprise(bare + "77").to_list() == pytest.approx(rate_surprise(bare).to_list())


def test_what_cannot_be_read_is_not_rated():
    names, _ = handles(6, n=MIN_HANDLES, n_random=0)
    few = rate_surprise(names.head(MIN_HANDLES - 1))
    assert few.null_count() == MIN_HANDLES - 1
    more = pl.concat([names, pl.Series([None, "abc", "abc12345", "h" * 44])])
    assert rate_surprise(more)[-4:].null_count() == 4


def test_shape_and_repeats():
    accounts = make_accounts(
        {"account_id": "a", "handle": "Tram_48", "display_name": "Ferry Lane"},
        {"account_id": "b", "handle": "路灯7", "display_name": "ferry  lane"},
        {"account_id": "c", "display_name": "c"},  # a hash stands for both id and name
        {"account_id": "d", "platform": "facebook", "display_name": "Ferry Lane"},
    )
    looks = describe_names(accounts)
    assert looks["handle_shape"].to_list() == ["aaaa_00", "aa0", None, None]
    assert looks["n_same_name"].to_list() == [1, 1, None, 0]
    assert looks["handle_surprise"].null_count() == 4
    assert looks["name_tail_digits"].to_list() == [0, 0, None, 0]


def test_display_names_are_looked_at_like_handles():
    syllables = ["Ta", "ri", "no", "Mel", "Dor", "ka"]
    plain = [f"{a}{b} {c}{a}" for a in syllables for b in syllables for c in syllables][:120]
    names = [*plain, "Xq7vkzjw1p", "Tari Noka 48213", "渡口晚風2014", "acct"]
    accounts = make_accounts(*({"account_id": str(k), "display_name": name} for k, name in enumerate(names)))
    looks = describe_names(accounts)
    surprise = looks["name_surprise"]
    assert surprise[120] > surprise.head(120).max() + 2
    assert looks["name_tail_digits"][-4:].to_list() == [0, 5, 4, 0]
    assert surprise[122] is None  # not in Latin letters: beside Latin names every character would surprise
