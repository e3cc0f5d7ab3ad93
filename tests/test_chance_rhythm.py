import numpy as np
import polars as pl
import pytest
from test_chance import actions_of

from workbench.coaction import ActionLog, pack_actions
from workbench.rhythm import HOUR_US, Rhythm
from workbench.shuffle import Shuffle

N_DAYS, DAY_S, NIGHT_S = 30, 86_400, 12 * 3600


def two_shifts(*, keeps: bool = True) -> pl.DataFrame:
    """Eight accounts act on one object a day, four in its morning and four at night; or each whenever."""
    rng, rows = np.random.default_rng(1), []
    for day in range(N_DAYS):
        for number in range(8):
            at_night = number % 2 if keeps else int(rng.integers(0, 2))
            rows.append((f"a{number}", f"o{day}", day * DAY_S + at_night * NIGHT_S + rng.uniform(0, 3000)))
    return actions_of(rows)


def at_own_hour(dealt: ActionLog) -> float:
    """Share of the actions that stand at the hour of the account they were dealt to."""
    is_late = dealt.time_us % (DAY_S * 1_000_000) >= NIGHT_S * 1_000_000
    odd = np.array([int(name[1:]) % 2 for name in dealt.accounts])
    return float((is_late == odd[dealt.account_code]).mean())


def test_an_action_goes_to_an_account_that_acts_at_its_hour():
    log = pack_actions(two_shifts())
    rhythm, rng = Rhythm(log), np.random.default_rng(2)
    assert not rhythm.is_flat
    assert at_own_hour(Shuffle(log).deal(rng)) == pytest.approx(0.5, abs=0.1)
    assert at_own_hour(Shuffle(log, rhythm).deal(rng)) > 0.8


@pytest.mark.parametrize("keeps_hours", [False, True])
def test_dealing_keeps_times_objects_and_who_acted_on_what(keeps_hours):
    log = pack_actions(two_shifts())
    dealt = Shuffle(log, Rhythm(log) if keeps_hours else None).deal(np.random.default_rng(3))
    assert (dealt.time_us == log.time_us).all()
    assert (dealt.object_code == log.object_code).all()
    before, after = (np.sort(x.object_code * 1000 + x.account_code) for x in (log, dealt))
    assert (before == after).all()
    assert (dealt.account_code != log.account_code).any()


def test_actions_that_nobody_shares_are_left_out_of_the_dealing():
    log = pack_actions(actions_of([("a", "x", 0), ("b", "x", 9), ("c", "y", 5)]))
    dealt = Shuffle(log).deal(np.random.default_rng(1))
    assert dealt.objects.gather(dealt.object_code).to_list() == ["x", "x"]
    assert sorted(dealt.accounts.gather(dealt.account_code)) == ["a", "b"]


def test_a_plain_shuffle_makes_every_order_as_often():
    log = pack_actions(actions_of([(name, "x", k) for k, name in enumerate("abc")]))
    shuffle, rng = Shuffle(log), np.random.default_rng(5)
    orders = [tuple(shuffle.deal(rng).account_code) for _ in range(6000)]
    _, n = np.unique(orders, axis=0, return_counts=True)
    assert len(n) == 6
    assert np.abs(n - 1000).max() < 120  # four standard deviations


def test_accounts_of_one_shift_meet_in_one_hour_and_others_never():
    log = pack_actions(two_shifts())
    same, other = Rhythm(log).overlap(np.array([0, 0]), np.array([2, 1]))
    assert same == pytest.approx(2, rel=0.05)
    assert other < 0.1


def test_where_accounts_act_whenever_no_rhythm_is_seen():
    log = pack_actions(two_shifts(keeps=False))
    rhythm = Rhythm(log)
    assert rhythm.is_flat or rhythm.strength > 10
    assert rhythm.overlap(np.array([0]), np.array([1]))[0] == pytest.approx(1, abs=0.2)


def test_a_burst_is_no_habit():
    """Many actions within one hour of one day say as much about an account's hours as one."""
    once = actions_of([("a", f"o{k}", k * DAY_S) for k in range(9)] + [("b", "o0", 5000)])
    burst = pl.concat([once, actions_of([("a", f"p{k}", 7.5 * 3600 + k) for k in range(50)])])
    assert Rhythm(pack_actions(burst)).n_hours[0].sum() == Rhythm(pack_actions(once)).n_hours[0].sum() + 1


def test_the_dealing_is_in_balance(monkeypatch):
    """Two accounts, each of one hour: how often they stay there is what their profiles say."""
    log = pack_actions(actions_of([("a", "x", 0), ("b", "x", 7200)]))
    rhythm = Rhythm(log)
    rhythm.n_hours[:] = 0
    hours = log.time_us % (24 * HOUR_US) // HOUR_US
    rhythm.n_hours[np.arange(2), hours] = 4  # each acted there on three other days
    rhythm.strength = 2.0
    rhythm.everybody = np.full(24, 1 / 24)
    monkeypatch.setattr("workbench.shuffle.N_SWEEPS", 20)
    shuffle, rng = Shuffle(log, rhythm), np.random.default_rng(4)
    stayed = np.mean([(shuffle.deal(rng).account_code == log.account_code).all() for _ in range(2000)])
    keep, leave = (3 + 2 / 24) ** 2, (2 / 24) ** 2
    assert stayed == pytest.approx(keep / (keep + leave), abs=0.01)
