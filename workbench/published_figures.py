"""The figures that can be computed of a release, by name: what `dataset.toml` may list as published.

A new figure is one line in `FIGURES`: its name with its arguments in braces, what it needs, what it means, and how it
is computed.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from workbench.schema import Release

ARGUMENTS = {
    "language": r"[A-Za-z][A-Za-z-]*",
    "languages": r"[A-Za-z-]+(?:\+[A-Za-z-]+)+",
    "day": r"\d{4}-\d{2}-\d{2}",
    "month": r"\d{4}-\d{2}",
    "year": r"\d{4}",
    "n": r"\d+",
    "count": r"followers|following",
}
WORKING_HOURS = (9, 17)
"""first and last hour of the day that count as working: 09:00 to 17:59"""
HOME_ZONE = "Asia/Shanghai"
"""Beijing and Hong Kong time, UTC+8 all year"""


@dataclass(frozen=True)
class Rows:
    """The rows figures are computed of: accounts as the release lists them, and posts."""

    listed: pl.DataFrame
    posts: pl.DataFrame

    @classmethod
    def of(cls, release: Release) -> Rows:
        """Those of a whole release; accounts known only from their posts are not listed."""
        accounts = release.accounts
        if "source_file" in accounts.columns:
            accounts = accounts.filter(pl.col("source_file").is_not_null())
        return cls(accounts, release.posts)

    def of_file(self, file: str) -> Rows:
        """Those that came from one file, named without its ending."""
        return Rows(*(_of_file(table, file) for table in (self.listed, self.posts)))

    def has(self, need: str) -> bool:
        """Whether there are any accounts, or any posts."""
        return not (self.listed if need == "accounts" else self.posts).is_empty()

    @property
    def not_rt(self) -> pl.DataFrame:
        """Posts whose text did not start with "RT @"."""
        return self.posts.filter(~_starts_rt())


Compute = Callable[..., "float | str | None"]


@dataclass(frozen=True)
class Computable:
    """A figure that can be computed."""

    name: str
    """with its arguments in braces"""
    needs: tuple[str, ...]
    meaning: str
    compute: Compute
    """called with the rows and the arguments, as text"""

    def match(self, name: str) -> tuple[str, ...] | None:
        """The arguments in a name, or None where it is another figure's."""
        pattern = re.sub(r"\{(\w+)\}", lambda found: f"({ARGUMENTS[found[1]]})", self.name.replace("+", r"\+"))
        found = re.fullmatch(pattern, name)
        return found.groups() if found else None


def find_figure(name: str) -> tuple[Computable | None, tuple[str, ...], str]:
    """Return the figure of this name with its arguments, or None with the name nearest to it."""
    for figure in FIGURES:
        arguments = figure.match(name)
        if arguments is not None:
            return figure, arguments, figure.name
    nearest = difflib.get_close_matches(name, [figure.name for figure in FIGURES], n=1, cutoff=0)
    return None, (), nearest[0]


def list_figures() -> pl.DataFrame:
    """Return every figure that `dataset.toml` may name: name, needs (accounts, posts or both), meaning."""
    rows = [(figure.name, " and ".join(figure.needs), figure.meaning) for figure in FIGURES]
    return pl.DataFrame(rows, schema={"name": pl.String, "needs": pl.String, "meaning": pl.String}, orient="row")


def _of_file(table: pl.DataFrame, file: str) -> pl.DataFrame:
    return table.filter(pl.col("source_file").cast(pl.String).str.starts_with(file)) if table.height else table


def _starts_rt() -> pl.Expr:
    """True where the text as released started with "RT @": the loader took the start off the reposts it marks."""
    return pl.col("repost_of_id").is_not_null() | pl.col("text").str.starts_with("RT @").fill_null(value=False)


def _number_of(column: str, statistic: str) -> Compute:
    """A statistic of the followers or of the accounts followed, quantiles as numpy and pandas interpolate them."""
    expressions = {
        "sum": pl.col(column).sum(),
        "mean": pl.col(column).mean(),
        "median": pl.col(column).median(),
        "p75": pl.col(column).quantile(0.75, "linear"),
        "max": pl.col(column).max(),
        "n_zero": (pl.col(column) == 0).sum(),
    }
    return lambda rows: rows.listed.select(expressions[statistic]).item()


def _n_where(condition: Callable[..., pl.Expr]) -> Compute:
    return lambda rows, *given: rows.listed.select(condition(*given).sum()).item()


def _created(form: str) -> Callable[[str], pl.Expr]:
    return lambda when: pl.col("created_at").dt.strftime(form) == when


def _n_commonest_day(rows: Rows) -> int:
    return rows.listed.group_by(pl.col("created_at").dt.date()).len().drop_nulls().select(pl.col("len").max()).item()


def _n_active_names(rows: Rows) -> int:
    active = rows.listed.filter(pl.col("account_id").is_in(rows.posts["account_id"].unique().implode()))
    return active.select(pl.coalesce("display_name", "account_id")).n_unique()


def _n_unique_texts(rows: Rows) -> int:
    """Texts as released, "RT @name: " included: a repost's name is its author's, so author and text stand for it."""
    owner = pl.when(_starts_rt()).then(pl.col("repost_of_account_id")).otherwise(None)
    return rows.posts.select(owner.alias("owner"), "text", pl.col("repost_of_id").is_null().alias("own")).n_unique()


def _n_minutes(rows: Rows) -> int:
    return rows.posts["posted_at"].dt.truncate("1m").n_unique()


def _n_hashtag_lists(rows: Rows) -> int:
    return rows.posts["hashtags"].list.join("\x1f").n_unique()


def _language_frac(rows: Rows, language: str) -> float | None:
    return rows.not_rt.select((pl.col("lang") == language).mean()).item()


def _n_in_year(rows: Rows, languages: str, year: str) -> int:
    local = pl.col("posted_at").dt.convert_time_zone(HOME_ZONE)
    return rows.not_rt.filter(pl.col("lang").is_in(languages.split("+")) & (local.dt.year() == int(year))).height


def _working_hours_frac(rows: Rows, language: str, day: str = "1970-01-01") -> float | None:
    local = pl.col("posted_at").dt.convert_time_zone(HOME_ZONE)
    chosen = rows.not_rt.filter((pl.col("lang") == language) & (local.dt.strftime("%Y-%m-%d") >= day))
    return chosen.select(local.dt.hour().is_between(*WORKING_HOURS).mean()).item()


_ACCOUNTS, _POSTS, _BOTH = ("accounts",), ("posts",), ("accounts", "posts")
_STATISTICS = {
    "sum": "added up",
    "mean": "on average",
    "median": "in the middle",
    "p75": "at the upper quartile",
    "max": "at most",
    "n_zero": ": accounts with none",
}
FIGURES = (
    Computable("n_accounts_listed", _ACCOUNTS, "rows of the accounts files", lambda rows: rows.listed.height),
    Computable(
        "n_accounts_active",
        _POSTS,
        "accounts with at least one post",
        lambda rows: rows.posts["account_id"].n_unique(),
    ),
    Computable("n_display_names_active", _BOTH, "different display names among the active", _n_active_names),
    Computable(
        "n_accounts_pseudonymous",
        _ACCOUNTS,
        "accounts whose id is a hash",
        _n_where(lambda: pl.col("is_pseudonymous")),
    ),
    Computable(
        "accounts_language_{language}",
        _ACCOUNTS,
        "accounts with this interface language, as written",
        _n_where(lambda language: pl.col("language") == language),
    ),
    Computable(
        "accounts_language_any_case_{language}",
        _ACCOUNTS,
        "the same, zh-CN being zh-cn",
        _n_where(lambda language: pl.col("language").str.to_lowercase() == language.lower()),
    ),
    Computable(
        "n_account_languages",
        _ACCOUNTS,
        "different interface languages, as written",
        lambda rows: rows.listed["language"].drop_nulls().n_unique(),
    ),
    Computable("accounts_created_on_{day}", _ACCOUNTS, "accounts made that day", _n_where(_created("%Y-%m-%d"))),
    Computable("accounts_created_in_{month}", _ACCOUNTS, "accounts made that month", _n_where(_created("%Y-%m"))),
    Computable("accounts_created_in_{year}", _ACCOUNTS, "accounts made that year", _n_where(_created("%Y"))),
    Computable(
        "n_creation_days",
        _ACCOUNTS,
        "different days on which accounts were made",
        lambda rows: rows.listed["created_at"].drop_nulls().dt.date().n_unique(),
    ),
    Computable("n_created_on_commonest_day", _ACCOUNTS, "accounts made on the day most were made", _n_commonest_day),
    Computable(
        "first_account_created_on",
        _ACCOUNTS,
        "day the oldest account was made",
        lambda rows: rows.listed.select(pl.col("created_at").min().dt.strftime("%Y-%m-%d")).item(),
    ),
    Computable(
        "last_account_created_on",
        _ACCOUNTS,
        "day the youngest account was made",
        lambda rows: rows.listed.select(pl.col("created_at").max().dt.strftime("%Y-%m-%d")).item(),
    ),
    *(
        Computable(f"{kind}_{statistic}", _ACCOUNTS, f"{kind}, {words}", _number_of(f"n_{kind}", statistic))
        for kind in ("followers", "following")
        for statistic, words in _STATISTICS.items()
    ),
    Computable(
        "{count}_n_at_least_{n}",
        _ACCOUNTS,
        "accounts with that many followers (or following) or more",
        _n_where(lambda count, n: pl.col(f"n_{count}") >= int(n)),
    ),
    Computable(
        "{count}_n_below_{n}",
        _ACCOUNTS,
        "accounts with fewer",
        _n_where(lambda count, n: pl.col(f"n_{count}") < int(n)),
    ),
    Computable(
        "n_locations_filled", _ACCOUNTS, "accounts that state a place", _n_where(lambda: _is_filled("location"))
    ),
    Computable(
        "n_locations",
        _ACCOUNTS,
        "different places stated",
        lambda rows: rows.listed.filter(_is_filled("location"))["location"].n_unique(),
    ),
    Computable("n_bios_filled", _ACCOUNTS, "accounts with a biography", _n_where(lambda: _is_filled("description"))),
    Computable("n_posts", _POSTS, "posts, reposts included", lambda rows: rows.posts.height),
    Computable(
        "n_reposts",
        _POSTS,
        "posts marked as repeating another",
        lambda rows: rows.posts["repost_of_id"].is_not_null().sum(),
    ),
    Computable(
        "posts_language_{language}",
        _POSTS,
        "posts in this language, reposts included",
        lambda rows, language: rows.posts.filter(pl.col("lang") == language).height,
    ),
    Computable("n_unique_texts", _POSTS, "different texts, 'RT @name:' being part of a text", _n_unique_texts),
    Computable("n_unique_minutes", _POSTS, "different minutes in which something was posted", _n_minutes),
    Computable("n_hashtag_lists", _POSTS, "different lists of hashtags, the empty one included", _n_hashtag_lists),
    Computable(
        "n_post_languages",
        _POSTS,
        "different languages of posts, und included",
        lambda rows: rows.posts["lang"].drop_nulls().n_unique(),
    ),
    Computable(
        "n_posts_rt",
        _POSTS,
        "posts whose text started with 'RT @'",
        lambda rows: rows.posts.select(_starts_rt().sum()).item(),
    ),
    Computable(
        "posts_rt_frac", _POSTS, "share of all posts", lambda rows: rows.posts.select(_starts_rt().mean()).item()
    ),
    Computable("n_posts_not_rt", _POSTS, "posts whose text did not", lambda rows: rows.not_rt.height),
    Computable(
        "posts_not_rt_language_{language}",
        _POSTS,
        "of those, posts in this language",
        lambda rows, language: rows.not_rt.filter(pl.col("lang") == language).height,
    ),
    Computable("posts_not_rt_language_{language}_frac", _POSTS, "share of those", _language_frac),
    Computable(
        "posts_not_rt_languages_{languages}",
        _POSTS,
        "of those, posts in any of these languages",
        lambda rows, languages: rows.not_rt.filter(pl.col("lang").is_in(languages.split("+"))).height,
    ),
    Computable(
        "posts_not_rt_languages_{languages}_in_{year}", _POSTS, "the same, in a year of Beijing time", _n_in_year
    ),
    Computable(
        "posts_working_hours_frac_{language}",
        _POSTS,
        "share of the posts in this language, 'RT @' left out, made 09:00 to 17:59 Beijing time",
        _working_hours_frac,
    ),
    Computable(
        "posts_working_hours_frac_{language}_since_{day}",
        _POSTS,
        "the same, from this day on (Beijing time)",
        _working_hours_frac,
    ),
)


def _is_filled(column: str) -> pl.Expr:
    return pl.col(column).is_not_null()
