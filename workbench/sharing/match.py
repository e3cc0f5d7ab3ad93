"""A tip against one's own data: what hits, what misses, what we would dispute, and how easily chance hits as well."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import polars as pl

from workbench.addresses import defang_each
from workbench.schema import ParameterError, Release
from workbench.sharing.addresses import is_shared_host
from workbench.sharing.contacts import CONTACT_TYPES
from workbench.sharing.joins import first_lines
from workbench.sharing.salts import derive_key
from workbench.sharing.touches import find_touches, touchable
from workbench.sharing.weigh import name_things, touch_rates, weigh_accounts

VERDICTS = ("same account", "corroborated", "one kind only", "single", "chance")
"""Strongest first. `corroborated`: at least two independent indicators of at least two kinds, beyond chance."""

_FAMILIES = {
    "account": "account",
    "page": "account",
    "group": "account",
    "channel": "account",
    "persona": "persona",
    "url": "url",
    "domain": "url",
    "text": "text",
    "text_hash": "text",
    "minhash": "text",
    "hashtag": "hashtag",
    "media_hash": "media",
    **dict.fromkeys(CONTACT_TYPES, "contact"),
}
_ACCOUNT_COLUMNS = (
    "account_id",
    "platform",
    "kind",
    "verdict",
    "n_indicators",
    "n_independent",
    "n_kinds",
    "kinds",
    "n_posts_hit",
    "n_posts",
    "expected_n",
    "chance_frac",
    "fdr",
)
_COMMON_FRAC = 0.05


@dataclass(frozen=True)
class MatchReport:
    """What a tip gave against one's own data.

    Args:
        hits: line, indicator_type, indicator (defanged), match_kind, account_id, n_posts, first_at.
        accounts: one row per account hit, strongest first: n_indicators, n_independent, n_kinds, n_posts, expected_n,
            chance_frac (how often an ordinary account as active would be hit as much), fdr, verdict.
        indicators: one row per indicator: status (hit, miss, not checkable, not to be matched), n_accounts,
            organic_frac (share of the accounts not implicated that touch it too), dispute, reason.
        n_accounts: accounts in one's own data: the denominator.
        decisions: what was left out and why, in words.
    """

    hits: pl.DataFrame
    accounts: pl.DataFrame
    indicators: pl.DataFrame
    n_accounts: int
    decisions: tuple[str, ...] = field(default=())

    @property
    def misses(self) -> pl.DataFrame:
        """Indicators looked for and not found."""
        return self.indicators.filter(pl.col("status") == "miss")

    @property
    def disputes(self) -> pl.DataFrame:
        """Indicators the sender should look at again, with the reason."""
        return self.indicators.filter(pl.col("dispute").is_not_null())

    @property
    def implicated(self) -> list[str]:
        """Accounts worth a human's look: the same account, or corroborated. No verdict on anybody."""
        return self.accounts.filter(pl.col("verdict").is_in(VERDICTS[:2]))["account_id"].to_list()


def match_indicators(
    indicators: pl.DataFrame,
    release: Release,
    *,
    min_similarity: float = 0.5,
    max_fdr: float = 0.05,
    salt: str | None = None,
    control: Release | None = None,
) -> MatchReport:
    """Return what a tip gives against one's own data, accounts ranked by independent indicators.

    Two hits are independent where they can be pinned to two different posts (or to the account's own name): one post
    with a listed link in a listed text is one. An account is compared with what an ordinary account that posts as much
    would touch by chance, given how common each indicator is among all others; a link everybody shares weighs little.

    Args:
        indicators: from `read_indicators`.
        release: one's own data, as loaded.
        min_similarity: least share of common 4-character shingles for two texts to be nearly the same.
        max_fdr: expected share of false ones among the accounts called corroborated.
        salt: the agreed one, where the tip holds keyed hashes.
        control: data of ordinary accounts from which to take how common each indicator is; None takes one's own data,
            which counts the operation's own posts as common and so errs on the careful side.

    Returns:
        A `MatchReport`.

    Raises:
        ParameterError: the tip holds keyed hashes and no salt was given.

    Source: the caution in facebook/threat-research's README: sharing a link is not enough; hence two kinds.
    Beware: fans of the same topic touch several indicators too. A hit is a reason to look, never a finding.
    """
    if salt is None and (indicators["indicator_type"] == "keyed_hash").any():
        raise ParameterError("The tip holds keyed hashes; expected the agreed salt. Pass salt=...")
    key = derive_key(salt) if salt else None
    own = _originals(release)
    touches = _touch(indicators, own, min_similarity=min_similarity, key=key)
    plain = _originals(control) if control is not None else own
    compared = touches if control is None else _touch(indicators, plain, min_similarity=min_similarity, key=key)
    rates = touch_rates(touches, compared, n_posts=plain.posts.height)
    everybody = pl.concat([release.accounts["account_id"], release.posts["account_id"]]).unique()
    n_posts = own.posts.group_by("account_id").agg(n_posts=pl.len().cast(pl.Int64))
    weighed = weigh_accounts(touches, n_posts=n_posts, n_accounts=everybody.len(), rates=rates)
    accounts = _order_accounts(weighed, release, max_fdr=max_fdr)
    described = _describe_indicators(indicators, touches, release, accounts, n_accounts=everybody.len())
    return MatchReport(
        hits=_hits(touches, indicators, release),
        accounts=accounts,
        indicators=described,
        n_accounts=everybody.len(),
        decisions=_decide(described),
    )


def _touch(indicators: pl.DataFrame, release: Release, *, min_similarity: float, key: bytes | None) -> pl.DataFrame:
    once = indicators.filter(pl.col("line") == first_lines(indicators))
    return name_things(find_touches(once, release, min_similarity=min_similarity, key=key), once)


def _order_accounts(weighed: pl.DataFrame, release: Release, *, max_fdr: float) -> pl.DataFrame:
    listed = release.accounts.select("account_id", "platform", "kind").unique("account_id", keep="first")
    return (
        weighed.join(listed, on="account_id", how="left")
        .with_columns(
            pl.col("platform").fill_null(release.about.platform),
            pl.col("kind").fill_null("account"),
            verdict=_verdict(max_fdr),
        )
        .sort(pl.col("verdict").replace_strict(list(VERDICTS), list(range(len(VERDICTS)))), "chance_frac", "account_id")
        .select(*_ACCOUNT_COLUMNS)
    )


def _verdict(max_fdr: float) -> pl.Expr:
    beyond = (pl.col("fdr") <= max_fdr) & (pl.col("n_independent") >= 2)
    return (
        pl.when(pl.col("is_same"))
        .then(pl.lit("same account"))
        .when(beyond & (pl.col("n_kinds") >= 2))
        .then(pl.lit("corroborated"))
        .when(beyond)
        .then(pl.lit("one kind only"))
        .when(pl.col("n_independent") <= 1)
        .then(pl.lit("single"))
        .otherwise(pl.lit("chance"))
    )


def _originals(release: Release) -> Release:
    """Own words and links only: a repost is not an original."""
    is_repost = pl.col("repost_of_id").is_not_null() | pl.col("text").str.starts_with("RT @").fill_null(value=False)
    return replace(release, posts=release.posts.filter(~is_repost))


def _describe_indicators(
    indicators: pl.DataFrame, touches: pl.DataFrame, release: Release, accounts: pl.DataFrame, *, n_accounts: int
) -> pl.DataFrame:
    implicated = accounts.filter(pl.col("verdict").is_in(VERDICTS[:2]))["account_id"]
    n_organic = max(n_accounts - implicated.len(), 1)
    is_organic = ~pl.col("account_id").is_in(implicated.implode())
    counted = touches.group_by("line").agg(
        n_accounts=pl.col("account_id").n_unique().cast(pl.Int64),
        organic_frac=pl.col("account_id").filter(is_organic).n_unique() / n_organic,
    )
    present = touchable(release)
    family = pl.col("indicator_type").replace_strict(_FAMILIES, default=None)
    checkable = (
        pl.when(family.is_null())
        .then(pl.col("indicator_type") == "keyed_hash")
        .otherwise(family.replace_strict(present, default=0) > 0)
    )
    wanted = ("line", "indicator_type", "indicator_value", "match_key", "role", "problem")
    described = (
        indicators.select(*wanted, first_lines(indicators))
        .join(counted, left_on="first_line", right_on="line", how="left")
        .with_columns(pl.col("n_accounts").fill_null(0), pl.col("organic_frac").fill_null(0.0), is_checkable=checkable)
    )
    return described.select(
        "line",
        "indicator_type",
        indicator=_defanged("indicator_value"),
        status=_status(),
        n_accounts="n_accounts",
        organic_frac="organic_frac",
        dispute=_dispute(),
        reason=_reason(),
    )


def _status() -> pl.Expr:
    return (
        pl.when(pl.col("role") != "operation")
        .then(pl.lit("not to be matched"))
        .when(pl.col("n_accounts") > 0)
        .then(pl.lit("hit"))
        .when(pl.col("is_checkable") & pl.col("match_key").is_not_null())
        .then(pl.lit("miss"))
        .otherwise(pl.lit("not checkable"))
    )


def _reason() -> pl.Expr:
    return (
        pl.when(pl.col("role") == "target")
        .then(pl.lit("lists whom the operation attacked, not the operation"))
        .when(pl.col("role") == "context")
        .then(pl.lit("words or totals about the case"))
        .when(pl.col("problem").is_not_null() & pl.col("match_key").is_null())
        .then(pl.lit("cannot be compared; the dispute says why"))
        .when(~pl.col("is_checkable"))
        .then(pl.lit("our data holds nothing of this kind"))
        .when(pl.col("line") != pl.col("first_line"))
        .then(pl.lit("said in an earlier line of the tip already; its hits stand there"))
    )


def _dispute() -> pl.Expr:
    """What the sender should look at again."""
    domain = pl.when(pl.col("indicator_type") == "domain").then("match_key")
    is_shared = domain.map_elements(is_shared_host, return_dtype=pl.Boolean).fill_null(value=False)
    return (
        pl.when(pl.col("problem").is_not_null())
        .then(pl.col("problem"))
        .when(is_shared)
        .then(pl.lit("many unrelated people publish on this host; name the page or the blog"))
        .when(pl.col("organic_frac") > _COMMON_FRAC)
        .then(
            pl.format(
                "common among accounts not implicated ({}%): tells nothing apart",
                (pl.col("organic_frac") * 100).round(1).cast(pl.String),
            )
        )
    )


def _defanged(column: str) -> pl.Expr:
    return pl.col(column).map_batches(defang_each, return_dtype=pl.String)


def _hits(touches: pl.DataFrame, indicators: pl.DataFrame, release: Release) -> pl.DataFrame:
    hit = release.posts.select("post_id", "posted_at").join(
        touches.select("post_id").unique(), on="post_id", how="semi"
    )
    times = hit.unique("post_id", keep="first")
    named = indicators.join(touches, on="line", how="semi")
    shown = named.select("line", "indicator_type", indicator=_defanged("indicator_value"))
    return (
        touches.join(times, on="post_id", how="left")
        .group_by("line", "match_kind", "account_id")
        .agg(n_posts=pl.col("post_id").drop_nulls().n_unique().cast(pl.Int64), first_at=pl.col("posted_at").min())
        .join(shown, on="line", how="left")
        .select("line", "indicator_type", "indicator", "match_kind", "account_id", "n_posts", "first_at")
        .sort("line", "match_kind", "account_id")
    )


def _decide(described: pl.DataFrame) -> tuple[str, ...]:
    counts = described.group_by("status", "reason").len().sort("status", "reason", nulls_last=True)
    return tuple(
        f"{n} of {described.height} indicators: {status}" + (f" ({reason})" if reason else "")
        for status, reason, n in counts.iter_rows()
    )


def hide_accounts(report: MatchReport, original: Release, protected: Release) -> MatchReport:
    """Return the report with accounts shown as in the protected release: what tables, charts and reports may show.

    Args:
        report: made on the release as loaded, since pseudonyms would hide handles and links from matching.
        original: that release.
        protected: what `protect_release` made of it.
    """
    names = pair_names(original, protected)

    def shown(table: pl.DataFrame) -> pl.DataFrame:
        renamed = table.join(names, on="account_id", how="left", maintain_order="left")
        return renamed.with_columns(account_id=pl.col("shown")).drop("shown")

    return replace(report, hits=shown(report.hits), accounts=shown(report.accounts))


def pair_names(original: Release, protected: Release) -> pl.DataFrame:
    """Return how each account of a release is shown: account_id, shown; its rows keep their order when protected."""
    pairs = [
        pl.DataFrame({"account_id": before["account_id"], "shown": after["account_id"]})
        for before, after in ((original.accounts, protected.accounts), (original.posts, protected.posts))
    ]
    return pl.concat(pairs).unique("account_id", keep="first", maintain_order=True)
