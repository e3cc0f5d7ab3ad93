"""The accounts of a synthetic release: who they are, who runs them, how active they are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from workbench.simulate.calendar import DAY_MS, LEISURE, MACHINE, OFFICE, epoch_ms
from workbench.simulate.phrases import STORIES, TOPICS, load_texts

OPERATION_FRAC, FANS_FRAC, SILENT_FRAC = 0.073, 0.06, 0.04
ACCOUNTS_PER_NEWSROOM, ACCOUNTS_PER_FAN_CLUB, ACCOUNTS_PER_COMMUNITY = 8_000, 400, 450
OPERATION_ACCOUNTS_PER_TEAM = 330
TEAM_SHARES = {
    "tram core": 0.125,
    "tram amplifier": 0.345,
    "toll core": 0.095,
    "toll amplifier": 0.28,
    "market drip": 0.065,
    "none sleeper": 0.09,
}
BURST_DAYS = {date(2020, 8, 19): 0.18, date(2020, 8, 31): 0.16, date(2020, 9, 1): 0.03, date(2021, 1, 12): 0.05}
BURST_DAYS |= {date(2021, 2, 25): 0.04, date(2019, 11, 27): 0.02}
_LANGUAGE_OFFSETS_H = {
    0: (8, 8, 0, -5, -8, 10, 1),
    1: (8, 8, 8, 8, 8, 1, -8),
    2: (8, 8, 8, 8, -5),
    3: (-5, -6, 1),
    4: (7,),
}
_COMMUNITY_LANGUAGES = (0, 1, 0, 2, 1, 0, 3, 4)


@dataclass(frozen=True)
class Cast:
    """All accounts, as arrays in step; an account's number in them is its code.

    `community` numbers the group an account moves in (one numbering for interest communities, fan clubs, newsrooms and
    operation teams); `team` numbers teams of the same kind; `story` is an index into `STORIES`, -1 for none.
    """

    created_ms: np.ndarray
    community: np.ndarray
    topic: np.ndarray
    language: np.ndarray
    utc_offset_h: np.ndarray
    rhythm: np.ndarray
    activity: np.ndarray
    role: np.ndarray
    group: np.ndarray
    story: np.ndarray
    team: np.ndarray
    is_repurposed: np.ndarray

    def __len__(self) -> int:
        """Number of accounts."""
        return len(self.created_ms)

    def codes(self, *, group: str = "", role: str = "", story: int = -1) -> np.ndarray:
        """Return the codes of the accounts of a group, role and story; blank or negative means any."""
        wanted = np.ones(len(self), dtype=bool)
        for values, value in ((self.group, group), (self.role, role)):
            wanted &= (values == value) if value else True
        return np.flatnonzero(wanted & ((self.story == story) if story >= 0 else True))


def make_accounts(*, n_accounts: int, seed: int) -> Cast:
    """Return the cast of a release of `n_accounts`: operation teams, fan clubs, newsrooms, interest communities."""
    rng = np.random.default_rng([seed, 1])
    parts = _assign(n_accounts)
    group, role, story, team = (parts[name].to_numpy() for name in ("group", "role", "story", "team"))
    order = rng.permutation(n_accounts)
    group, role, story, team = group[order], role[order], story[order], team[order]
    is_operation = group == "operation"
    language, topic, community = _interests(rng, group, team)
    offset = np.zeros(n_accounts, dtype=np.int64)
    for code, offsets in _LANGUAGE_OFFSETS_H.items():
        here = language == code
        offset[here] = rng.choice(offsets, here.sum())
    offset[is_operation | (group == "newsroom")] = 8
    is_repurposed = is_operation & (rng.random(n_accounts) < 0.46)
    created = _creation_times(rng, group, role, is_repurposed)
    activity = np.exp(rng.normal(0.0, 1.1, n_accounts))
    activity[rng.random(n_accounts) < SILENT_FRAC] = 0.0
    activity[np.isin(role, ["sister", "idol", "core", "drip"]) & (activity == 0)] = 1.0
    activity[np.isin(role, ["sister", "idol"])] = 1.0
    rhythm = np.where(is_operation, OFFICE, np.where(group == "newsroom", MACHINE, LEISURE))
    return Cast(created, community, topic, language, offset, rhythm, activity, role, group, story, team, is_repurposed)


def _assign(n_accounts: int) -> pl.DataFrame:
    """Group, role, story and team number of every account, in blocks."""
    n_operation, n_fans = round(OPERATION_FRAC * n_accounts), round(FANS_FRAC * n_accounts)
    n_newsrooms = max(1, round(n_accounts / ACCOUNTS_PER_NEWSROOM))
    n_teams, n_clubs = (
        max(1, round(n_operation / OPERATION_ACCOUNTS_PER_TEAM)),
        max(1, round(n_fans / ACCOUNTS_PER_FAN_CLUB)),
    )
    n_sisters = len(load_texts()["accounts"]["sisters"])
    blocks: list[tuple[str, str, int, int, int]] = []
    left = n_operation
    for name, share in TEAM_SHARES.items():
        story, role = name.split()
        size = left if role == "sleeper" else round(share * n_operation)
        left -= size
        for team in range(n_teams):
            part = size // n_teams + (team < size % n_teams)
            blocks.append(("operation", role, STORIES.index(story) if story in STORIES else -1, team, part))
    blocks += [("newsroom", "sister", -1, team, n_sisters) for team in range(n_newsrooms)]
    for team in range(n_clubs):
        blocks += [("fans", "idol", -1, team, 1)]
        blocks += [("fans", "fan", -1, team, n_fans // n_clubs - 1 + (team < n_fans % n_clubs))]
    n_left = n_accounts - sum(block[-1] for block in blocks)
    n_communities = max(len(TOPICS), round(n_left / ACCOUNTS_PER_COMMUNITY))
    for team in range(n_communities):
        part = n_left // n_communities + (team < n_left % n_communities)
        blocks.append((TOPICS[team % len(TOPICS)], "member", -1, team, part))
    sizes = [block[-1] for block in blocks]
    columns = {"group": 0, "role": 1, "story": 2, "team": 3}
    return pl.DataFrame({name: np.repeat(np.array([b[i] for b in blocks]), sizes) for name, i in columns.items()})


def _interests(
    rng: np.random.Generator, group: np.ndarray, team: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Language, topic and community of every account."""
    n = len(group)
    is_member = np.isin(group, TOPICS)
    main = np.array(_COMMUNITY_LANGUAGES)[(team + team // len(TOPICS)) % len(_COMMUNITY_LANGUAGES)]
    language = np.where(is_member & (rng.random(n) < 0.75), main, rng.choice(5, n, p=[0.45, 0.27, 0.14, 0.07, 0.07]))
    language = np.where(group == "operation", rng.choice(3, n, p=[0.25, 0.6, 0.15]), language)
    language = np.where(group == "fans", rng.choice(3, n, p=[0.5, 0.35, 0.15]), language)
    language = np.where(group == "newsroom", 0, language)
    topic = np.where(is_member, team % len(TOPICS), rng.integers(0, len(TOPICS), n))
    kinds = np.array(["operation", "newsroom", "fans"])
    kind = np.where(is_member, len(kinds), (group[:, None] == kinds).argmax(axis=1))
    community = np.unique(kind * (team.max() + 1) + team, return_inverse=True)[1]
    return language, topic, community


def _creation_times(
    rng: np.random.Generator, group: np.ndarray, role: np.ndarray, is_repurposed: np.ndarray
) -> np.ndarray:
    """When each account was made: organic ones over years, bought ones before their adverts, new ones in bursts."""
    n = len(group)

    def between(first: date, last: date) -> np.ndarray:
        return rng.integers(epoch_ms(first), epoch_ms(last), n)

    created = between(date(2008, 3, 1), date(2021, 3, 1))
    grown = epoch_ms(date(2009, 1, 1)) + (rng.beta(2.0, 1.6, n) * 12.1 * 365 * DAY_MS).astype(np.int64)
    created = np.where(rng.random(n) < 0.7, grown, created)
    is_operation = group == "operation"
    created = np.where(is_repurposed, between(date(2011, 1, 1), date(2016, 3, 1)), created)
    days = np.array([epoch_ms(day) for day in BURST_DAYS])
    shares = np.array(list(BURST_DAYS.values()))
    # The shares are of all operation accounts; only those made for the purpose can be in a burst.
    is_new = is_operation & ~is_repurposed
    in_burst = is_new & (rng.random(n) < shares.sum() * is_operation.sum() / max(1, is_new.sum()))
    burst = days[rng.choice(len(days), n, p=shares / shares.sum())] + rng.integers(1, 9, n) * DAY_MS // 24
    created = np.where(is_new, between(date(2018, 6, 1), date(2021, 4, 1)), created)
    created = np.where(in_burst, burst, created)
    is_old = (group == "newsroom") | (role == "idol")
    return np.where(is_old, between(date(2010, 1, 1), date(2013, 1, 1)), created)
