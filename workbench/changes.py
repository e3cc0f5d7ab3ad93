"""posts -> when an account fell silent, changed its language, its topics or its pace: signs of another use.

Each function takes posts and gives one row per account in which it finds something.
"""

from __future__ import annotations

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
    ordered = posts.select("account_id", "posted_at").sort("account_id", "posted_at")
    steps = ordered.with_columns(
        gap_days=pl.col("posted_at").diff().over("account_id").dt.total_seconds() / 86_400,
        n_before=pl.int_range(pl.len()).over("account_id"),
        n=pl.len().over("account_id"),
    )
    longest = steps.drop_nulls("gap_days").sort("gap_days", "posted_at", descending=[True, False])
    enough = (pl.col("n_before") >= MIN_POSTS_EACH_SIDE) & (pl.col("n") - pl.col("n_before") >= MIN_POSTS_EACH_SIDE)
    return (
        longest.group_by("account_id", maintain_order=True)
        .first()
        .select(
            "account_id",
            longest_gap_days="gap_days",
            gap_ended_at="posted_at",
            is_revived=(pl.col("gap_days") >= DORMANT_DAYS) & enough,
        )
    )


def find_language_switches(posts: pl.DataFrame) -> pl.DataFrame:
    """For each account, the split in time that best tells a language before from a language after."""
    known = (
        posts.select("account_id", "posted_at", "lang")
        .filter(pl.col("lang").is_not_null(), pl.col("lang") != "und")
        .sort("account_id", "posted_at")
        .with_columns(place=pl.int_range(pl.len()).over("account_id"), n=pl.len().over("account_id").cast(pl.Int64))
        .filter(pl.col("n") >= 2 * MIN_POSTS_EACH_SIDE)
    )
    languages = known.group_by("account_id", "lang").len("n_lang").with_columns(pl.col("n_lang").cast(pl.Int64))
    # No split explains more than every post: where one language leaves too little, none needs trying.
    left = 1 - pl.col("n_lang").max() / pl.col("n_lang").sum()
    mixed = languages.group_by("account_id").agg(left.alias("left")).filter(pl.col("left") >= MIN_SWITCH_GAIN - 1e-9)
    languages, known = (table.join(mixed, on="account_id", how="semi") for table in (languages, known))
    counted = (
        known.join(languages, on="account_id", suffix="_of")
        .sort("account_id", "lang_of", "place")
        .with_columns(
            before=(pl.col("lang") == pl.col("lang_of")).cast(pl.Int64).cum_sum().over("account_id", "lang_of")
        )
        .with_columns(after=pl.col("n_lang") - pl.col("before"))
    )
    split = (
        counted.sort("account_id", "place", "lang_of")
        .group_by("account_id", "place", maintain_order=True)
        .agg(
            pl.col("n").first(),
            one_language=pl.col("n_lang").max(),
            explained=pl.col("before").max() + pl.col("after").max(),
            language_before=pl.col("lang_of").get(pl.col("before").arg_max()),
            language_after=pl.col("lang_of").get(pl.col("after").arg_max()),
        )
        .with_columns(
            switch_gain=(pl.col("explained") - pl.col("one_language")) / pl.col("n"), n_before=pl.col("place") + 1
        )
        .filter(
            pl.col("n_before") >= MIN_POSTS_EACH_SIDE,
            pl.col("n") - pl.col("n_before") >= MIN_POSTS_EACH_SIDE,
            pl.col("switch_gain") >= MIN_SWITCH_GAIN,
        )
        .sort("switch_gain", "place", descending=[True, False])
        .group_by("account_id", maintain_order=True)
        .first()
    )
    after = known.select("account_id", place=pl.col("place") - 1, switched_at="posted_at")
    return split.join(after, on=["account_id", "place"], how="left").select(
        "account_id", "language_before", "language_after", "switched_at", "switch_gain"
    )


def find_topic_switches(posts: pl.DataFrame) -> pl.DataFrame:
    """Return account_id, topic_switched_at, topic_gain: the split after which an account speaks of other things.

    What a post speaks of is its hashtags and the hosts of its links. The posts that have any are cut into ten slices in
    time; at each cut, the odd and the even posts of one side are compared (cosine), and the two sides. The gain is how
    much more alike the halves of the less coherent side are than the two sides. At least 10 such posts on each side.
    """
    host = pl.col("urls").list.eval(pl.element().str.extract(r"(?i)^(?:https?://)?(?:www\.)?([^/:?#]+)"))
    tag = pl.col("hashtags").list.eval(pl.format("#{}", pl.element().str.to_lowercase()))
    spoken = (
        posts.select(
            "account_id", "post_id", "posted_at", token=pl.concat_list(tag, host.list.drop_nulls()).list.unique()
        )
        .filter(pl.col("token").list.len() > 0)
        .sort("account_id", "posted_at", "post_id")
        .with_columns(place=pl.int_range(pl.len()).over("account_id"), n=pl.len().over("account_id").cast(pl.Int64))
        .filter(pl.col("n") >= 2 * MIN_POSTS_EACH_SIDE)
        .with_columns(slice=(pl.col("place") * N_SLICES) // pl.col("n"))
    )
    if spoken.is_empty():
        return pl.DataFrame(schema=_TOPIC_COLUMNS)
    names = spoken["account_id"].unique(maintain_order=True)
    gains = _compare_sides(spoken, len(names))
    best = gains.argmax(axis=1)
    cuts = spoken.filter(pl.col("slice") != pl.col("slice").shift(1).over("account_id"))
    found = pl.DataFrame({"account_id": names, "slice": best + 1, "topic_gain": gains.max(axis=1)})
    starts = cuts.select("account_id", pl.col("slice").cast(pl.Int64), topic_switched_at="posted_at")
    return (
        found.filter(pl.col("topic_gain") >= MIN_TOPIC_GAIN)
        .join(starts, on=["account_id", "slice"], how="left", maintain_order="left")
        .select(*_TOPIC_COLUMNS)
    )


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


_TOPIC_COLUMNS = {"account_id": pl.String, "topic_switched_at": pl.Datetime("us", "UTC"), "topic_gain": pl.Float64}
_VOLUME_COLUMNS = {"account_id": pl.String, "volume_changed_at": pl.Date, "volume_ratio": pl.Float64}


def _compare_sides(spoken: pl.DataFrame, n_accounts: int) -> np.ndarray:
    """Per account (in order of appearance) and cut between slices, the gain; minus infinity where too few posts."""
    account = spoken["account_id"].rle_id().to_numpy().astype(np.int64)
    slices, odd = spoken["slice"].to_numpy(), spoken["place"].to_numpy() % 2
    tokens = spoken.select(pl.int_range(pl.len()).alias("post"), "token").explode("token")
    post, token = tokens["post"].to_numpy(), tokens.select(pl.col("token").rank("dense")).to_series().to_numpy() - 1
    n_tokens = int(token.max()) + 1
    n_posts = np.bincount(account * N_SLICES + slices, minlength=n_accounts * N_SLICES).reshape(-1, N_SLICES).cumsum(1)
    gains = np.full((n_accounts, N_SLICES - 1), -np.inf)
    for cut in range(1, N_SLICES):
        side = (slices >= cut).astype(np.int64)
        group = (account * 2 + side) * 2 + odd
        counts = sparse.csr_matrix((np.ones(len(post)), (group[post], token)), shape=(4 * n_accounts, n_tokens))
        first_odd, first_even, then_odd, then_even = (counts[k::4] for k in range(4))
        coherent = np.minimum(_cosine(first_odd, first_even), _cosine(then_odd, then_even))
        gain = coherent - _cosine(first_odd + first_even, then_odd + then_even)
        before, whole = n_posts[:, cut - 1], n_posts[:, -1]
        enough = (before >= MIN_POSTS_EACH_SIDE) & (whole - before >= MIN_POSTS_EACH_SIDE)
        gains[:, cut - 1] = np.where(enough, gain, -np.inf)
    return gains


def _cosine(a: sparse.csr_matrix, b: sparse.csr_matrix) -> np.ndarray:
    inner = np.asarray(a.multiply(b).sum(axis=1)).ravel()
    lengths = [np.sqrt(np.asarray(x.multiply(x).sum(axis=1)).ravel()) for x in (a, b)]
    return inner / np.maximum(lengths[0] * lengths[1], 1e-12)
