"""posts -> when an account fell silent, changed its language, its topics or its pace: signs of another use.

Each function takes posts and gives one row per account in which it finds something.
"""

from __future__ import annotations

import functools
import itertools
import operator

import numpy as np
import polars as pl
from scipy import sparse

MIN_POSTS_EACH_SIDE = 10
MIN_SWITCH_GAIN = 0.2
DORMANT_DAYS = 180
MIN_TOPIC_GAIN = 0.3
N_SLICES = 10
MIN_WEEKS = 20
MAX_P_VOLUME = 0.001
MIN_VOLUME_RATIO = 4.0


def find_gaps(posts: pl.DataFrame) -> pl.DataFrame:
    """Return account_id, longest_gap_days, gap_ended_at, is_revived for accounts with two posts or more."""
    names, account, _, moment = _put_in_order(posts.select("account_id", "posted_at"))
    starts, place = _runs(account)
    n = np.diff(np.append(starts, len(account)))
    gap_s = np.diff(moment, prepend=0) // 1_000_000
    gap_s[starts] = -1
    # The first of the longest, of each account.
    longest = np.maximum.reduceat(gap_s, starts) if len(starts) else gap_s
    at = np.flatnonzero(gap_s == np.repeat(longest, n))
    at = at[_runs(account[at])[0]][n > 1]
    n_before, n_after = place[at], n[n > 1] - place[at]
    days = gap_s[at] * (1 / 86_400)
    enough = (n_before >= MIN_POSTS_EACH_SIDE) & (n_after >= MIN_POSTS_EACH_SIDE)
    found = {
        "account_id": names.gather(account[at]),
        "longest_gap_days": pl.Series(days, dtype=pl.Float64),
        "gap_ended_at": _to_moments(moment[at]),
        "is_revived": pl.Series((days >= DORMANT_DAYS) & enough, dtype=pl.Boolean),
    }
    return pl.DataFrame(found).sort("longest_gap_days", "gap_ended_at", descending=[True, False])


def find_language_switches(posts: pl.DataFrame) -> pl.DataFrame:
    """For each account, the split in time that best tells a language before from a language after."""
    known = posts.select("account_id", "posted_at", "lang").filter(
        pl.col("lang").is_not_null(), pl.col("lang") != "und"
    )
    languages = known.group_by("account_id", "lang").len("n_lang").with_columns(pl.col("n_lang").cast(pl.Int64))
    # No split explains more than every post: where one language leaves too little, none needs trying.
    n, most = pl.col("n_lang").sum(), pl.col("n_lang").max()
    is_mixed = (n >= 2 * MIN_POSTS_EACH_SIDE) & (1 - most / n >= MIN_SWITCH_GAIN - 1e-9)
    mixed = languages.group_by("account_id").agg(is_mixed=is_mixed).filter("is_mixed")
    names, account, order, moment = _put_in_order(known.join(mixed, on="account_id", how="semi", maintain_order="left"))
    spoken = order["lang"].unique().sort()
    language = order.select(pl.col("lang").replace_strict(spoken, range(len(spoken)))).to_series().to_numpy()
    starts, _ = _runs(account)
    splits = [
        (int(account[start]), start, *found)
        for start, end in itertools.pairwise([*starts, len(account)])
        if (found := _split_languages(language[start:end])) is not None
    ]
    rows = [
        (names[number], spoken[before], spoken[after], int(moment[start + place + 1]), gain, place)
        for number, start, place, before, after, gain in splits
    ]
    found = pl.DataFrame(rows, schema={**_LANGUAGE_COLUMNS, "switched_at": pl.Int64, "place": pl.Int64}, orient="row")
    return (
        found.sort("switch_gain", "place", descending=[True, False])
        .with_columns(pl.from_epoch("switched_at", "us").dt.replace_time_zone("UTC"))
        .select(*_LANGUAGE_COLUMNS)
    )


def _split_languages(language: np.ndarray) -> tuple[int, int, int, float] | None:
    """Return the last place before the best split, the languages before and after, and the gain; None if too little."""
    n = len(language)
    used, code = np.unique(language, return_inverse=True)
    before = (code[:, None] == np.arange(len(used))).cumsum(axis=0)
    after = before[-1] - before
    gain = (before.max(axis=1) + after.max(axis=1) - before[-1].max()) / n
    place = MIN_POSTS_EACH_SIDE - 1 + int(gain[MIN_POSTS_EACH_SIDE - 1 : n - MIN_POSTS_EACH_SIDE].argmax())
    if gain[place] < MIN_SWITCH_GAIN:
        return None
    return place, int(used[before[place].argmax()]), int(used[after[place].argmax()]), float(gain[place])


def find_topic_switches(posts: pl.DataFrame) -> pl.DataFrame:
    """Return account_id, topic_switched_at, topic_gain: the split after which an account speaks of other things.

    What a post speaks of is its hashtags and the hosts of its links. The posts that have any are cut into ten slices in
    time; at each cut, the odd and the even posts of one side are compared (cosine), and the two sides. The gain is how
    much more alike the halves of the less coherent side are than the two sides. At least 10 such posts on each side.
    """
    row, token = _list_tokens(posts)
    is_first = np.diff(row, prepend=-1) > 0
    told = posts.select("account_id", "posted_at", "post_id")[row[is_first]]
    names, account, told, moment = _put_in_order(told.with_columns(row=pl.Series(row[is_first])), by="post_id")
    starts, place = _runs(account)
    n = np.repeat(counts := np.diff(np.append(starts, len(account))), counts)
    slices, is_enough = place * N_SLICES // np.maximum(n, 1), n >= 2 * MIN_POSTS_EACH_SIDE
    if not is_enough.any():
        return pl.DataFrame(schema=_TOPIC_COLUMNS)
    judged, number = np.unique(account[is_enough], return_inverse=True)
    part = np.full(posts.height, -1)
    part[told["row"].to_numpy()[is_enough]] = (number * N_SLICES + slices[is_enough]) * 2 + place[is_enough] % 2
    is_known = part[row] >= 0
    gains = _compare_sides(part[row][is_known], token[is_known], slices[is_enough], number, len(judged))
    best, gain = gains.argmax(axis=1) + 1, gains.max(axis=1)
    # The first post of each slice, of the accounts judged.
    begins = np.flatnonzero(is_enough & (np.diff(slices, prepend=-1) != 0))
    number_of = np.full(len(names), -1)
    number_of[judged] = np.arange(len(judged))
    first = np.zeros((len(judged), N_SLICES), np.int64)
    first[number_of[account[begins]], slices[begins]] = moment[begins]
    found = pl.DataFrame(
        {
            "account_id": names.gather(judged),
            "topic_switched_at": _to_moments(first[np.arange(len(judged)), best]),
            "topic_gain": gain,
        }
    )
    return found.filter(pl.col("topic_gain") >= MIN_TOPIC_GAIN)


def _list_tokens(posts: pl.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return the row of a post and the number of a hashtag or host in it, each pair once, in order of rows."""
    numbered = posts.select("urls", "hashtags", row=pl.int_range(pl.len()))
    host = pl.col("value").str.extract(r"(?i)^(?:https?://)?(?:www\.)?([^/:?#]+)")
    said = []
    for column, token in (("urls", host), ("hashtags", pl.format("#{}", pl.col("value").str.to_lowercase()))):
        values = numbered.filter(pl.col(column).list.len() > 0).select("row", value=column).explode("value")
        read = values.select("value").unique().with_columns(token=token).drop_nulls()  # each once: most are said often
        said.append((values, read))
    known = pl.concat([read["token"] for _, read in said]).unique()
    if known.is_empty():
        return np.empty(0, np.int64), np.empty(0, np.int64)
    number = pl.col("token").replace_strict(known, np.arange(len(known)), return_dtype=pl.Int64)
    parts = [
        values.join(read.select("value", number=number), on="value").select("row", "number") for values, read in said
    ]
    tokens = pl.concat(parts)
    pairs = np.sort(tokens["row"].to_numpy() * len(known) + tokens["number"].to_numpy())
    return np.divmod(pairs[np.diff(pairs, prepend=-1) > 0], len(known))


def _put_in_order(
    posts: pl.DataFrame, *, by: str | None = None
) -> tuple[pl.Series, np.ndarray, pl.DataFrame, np.ndarray]:
    """Return the accounts' names in order, and of the posts by account and time: account's number, rows, time in us."""
    names = posts["account_id"].unique().sort()
    number = posts["account_id"].replace_strict(names, np.arange(len(names)), return_dtype=pl.Int64)
    ordered = posts.drop("account_id").with_columns(number=number)
    if by:
        ordered = ordered.sort("number", "posted_at", by, maintain_order=True)
    else:  # one key after the other, the first last: the same order, in a third of the time
        ordered = ordered.sort("posted_at", maintain_order=True).sort("number", maintain_order=True)
    return names, ordered["number"].to_numpy(), ordered, ordered["posted_at"].dt.epoch("us").to_numpy()


def _runs(account: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return where each account's posts start, and the place of each post among its account's, from 0."""
    starts = np.flatnonzero(np.diff(account, prepend=-1))
    return starts, np.arange(len(account)) - np.repeat(starts, np.diff(np.append(starts, len(account))))


def _to_moments(us: np.ndarray) -> pl.Series:
    return pl.Series(us, dtype=pl.Int64).cast(pl.Datetime("us", "UTC"))


def find_volume_changes(posts: pl.DataFrame) -> pl.DataFrame:
    """Return account_id, volume_changed_at (first day of a week), volume_ratio: where an account's pace changed.

    Posts per week between an account's first and last (silent weeks included, at least 20 weeks) are ranked; the
    change is the split with the largest Pettitt statistic. Kept where p is 0.001 or less and the mean rate changes by
    four times or more, up (ratio above 1) or down.
    """
    week = pl.col("posted_at").dt.date().dt.truncate("1w")
    counted = posts.group_by("account_id", week=week).agg(n=pl.len().cast(pl.Int64))
    spans = counted.group_by("account_id").agg(first=pl.col("week").min(), last=pl.col("week").max())
    spans = spans.filter((pl.col("last") - pl.col("first")).dt.total_days() >= 7 * (MIN_WEEKS - 1))
    if spans.is_empty():
        return pl.DataFrame(schema=_VOLUME_COLUMNS)
    weeks = spans.select("account_id", week=pl.date_ranges("first", "last", "1w")).explode("week")
    every = weeks.join(counted, on=["account_id", "week"], how="left").with_columns(pl.col("n").fill_null(0))
    every = every.sort("account_id", "week").with_columns(
        size=pl.len().over("account_id"),
        place=pl.int_range(1, pl.len() + 1).over("account_id"),
        total=pl.col("n").sum().over("account_id"),
        n_before=pl.col("n").cum_sum().over("account_id"),
        rank_sum=pl.col("n").rank("average").cum_sum().over("account_id"),
        next_week=pl.col("week").shift(-1).over("account_id"),
    )
    distance = (2 * pl.col("rank_sum") - pl.col("place") * (pl.col("size") + 1)).abs()
    before, after = pl.col("n_before") / pl.col("place"), pl.col("total") - pl.col("n_before")
    split = (
        every.with_columns(distance=distance)
        .filter(pl.col("place") < pl.col("size"))
        .sort("distance", "week", descending=[True, False])
        .group_by("account_id", maintain_order=True)
        .first()
        .with_columns(
            p=2 * (-6.0 * pl.col("distance") ** 2 / (pl.col("size") ** 3.0 + pl.col("size") ** 2.0)).exp(),
            volume_ratio=after / (pl.col("size") - pl.col("place")) / before,
        )
    )
    is_large = (pl.col("volume_ratio") >= MIN_VOLUME_RATIO) | (pl.col("volume_ratio") <= 1 / MIN_VOLUME_RATIO)
    kept = split.filter((pl.col("p") <= MAX_P_VOLUME) & is_large & (pl.col("n_before") > 0))
    return kept.select("account_id", volume_changed_at="next_week", volume_ratio="volume_ratio")


_LANGUAGE_COLUMNS = {
    "account_id": pl.String, "language_before": pl.String, "language_after": pl.String,
    "switched_at": pl.Datetime("us", "UTC"), "switch_gain": pl.Float64,
}  # fmt: skip
_TOPIC_COLUMNS = {"account_id": pl.String, "topic_switched_at": pl.Datetime("us", "UTC"), "topic_gain": pl.Float64}
_VOLUME_COLUMNS = {"account_id": pl.String, "volume_changed_at": pl.Date, "volume_ratio": pl.Float64}


def _compare_sides(
    part: np.ndarray, token: np.ndarray, slices: np.ndarray, account: np.ndarray, n_accounts: int
) -> np.ndarray:
    """Per account and cut between slices, the gain; minus infinity where too few posts lie on a side.

    `part` says of each token in which account, slice and half (odd or even posts) it stands; `slices` and `account`
    are those of the posts.
    """
    shape = (n_accounts * N_SLICES * 2, int(token.max(initial=-1)) + 1)
    counts = sparse.csr_matrix((np.ones(len(part)), (part, token)), shape=shape)
    n_posts = np.bincount(account * N_SLICES + slices, minlength=n_accounts * N_SLICES).reshape(-1, N_SLICES).cumsum(1)
    halves = [[counts[2 * k + half :: 2 * N_SLICES] for k in range(N_SLICES)] for half in (0, 1)]
    then = [functools.reduce(operator.add, half) for half in halves]
    first = [sparse.csr_matrix(then[0].shape) for _ in halves]
    gains = np.full((n_accounts, N_SLICES - 1), -np.inf)
    for cut in range(1, N_SLICES):
        first = [side + half[cut - 1] for side, half in zip(first, halves, strict=True)]
        then = [side - half[cut - 1] for side, half in zip(then, halves, strict=True)]
        coherent = np.minimum(_cosine(*first), _cosine(*then))
        gain = coherent - _cosine(first[0] + first[1], then[0] + then[1])
        before, whole = n_posts[:, cut - 1], n_posts[:, -1]
        enough = (before >= MIN_POSTS_EACH_SIDE) & (whole - before >= MIN_POSTS_EACH_SIDE)
        gains[:, cut - 1] = np.where(enough, gain, -np.inf)
    return gains


def _cosine(a: sparse.csr_matrix, b: sparse.csr_matrix) -> np.ndarray:
    inner = np.asarray(a.multiply(b).sum(axis=1)).ravel()
    lengths = [np.sqrt(np.asarray(x.multiply(x).sum(axis=1)).ravel()) for x in (a, b)]
    return inner / np.maximum(lengths[0] * lengths[1], 1e-12)
