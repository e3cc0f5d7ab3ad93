"""What each sharing level hands over: pseudonyms, or ids for a partner, or hashes under an agreed salt.

A public or hashed package rounds what would find an account again in another copy of the data: times to the day,
followers and posts to two leading digits. A partner gets them exact; under a salt creation and followers are left out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from workbench.privacy import N_FOLLOWERS_CLEAR, PrivacyError
from workbench.sharing.addresses import profile_address
from workbench.sharing.evidence import Evidence
from workbench.sharing.near_text import sign_texts, write_signature
from workbench.sharing.salts import hash_value
from workbench.sharing.techniques import place_in_kill_chain

_ACCOUNT_COLUMNS = (
    "platform",
    "kind",
    "account_id",
    "handle",
    "display_name",
    "cluster_id",
    "grade",
    "is_core",
    "evidence_level",
    "created_at",
    "n_followers",
    "n_posts",
    "first_seen",
    "last_seen",
)
_CARRIED = ("account_id", "handle", "display_name", "cluster_id", "evidence_level")
_BLURRED = ("n_followers", "n_posts")
_HASHED_AWAY = ("created_at", "n_followers", "display_name")


@dataclass(frozen=True)
class Shareable:
    """The tables of a package as one level shows them, and what `build_indicators` takes."""

    tables: dict[str, pl.DataFrame]
    indicator_rows: pl.DataFrame


def apply_level(evidence: Evidence, *, level: str, key: bytes = b"") -> Shareable:
    """Return the evidence as a sharing level shows it.

    Args:
        evidence: from `collect_evidence`: of the protected release for "public", as loaded for the others.
        level: public, trusted or hashed.
        key: for "hashed", from `derive_key`.

    Raises:
        PrivacyError: "public", and an account of fewer than 5,000 followers is in the clear.
    """
    if level == "public":
        _refuse_clear_names(evidence.accounts)
    hide = _hasher(level, key)
    accounts, signals = _accounts(evidence.accounts, level, hide), evidence.signals
    if level == "hashed":
        names = dict(zip(evidence.accounts["account_id"], accounts["account_id"], strict=True))
        signals = signals.with_columns(pl.col("account_a", "account_b").replace_strict(names, default=None))
    tables = {
        "accounts": accounts,
        "signals": signals,
        "urls": _things(evidence.urls.drop("host"), "url", hide),
        "domains": _things(evidence.domains, "domain", hide),
        "contents": _contents(evidence.contents, level, key, hide),
        "hashtags": _things(evidence.hashtags, "hashtag", hide),
    }
    if level != "trusted":
        tables = {name: _blur(table) for name, table in tables.items()}
    accounts_listed = pl.DataFrame(_account_rows(tables["accounts"], level), infer_schema_length=None)
    rows = pl.concat([accounts_listed, *_things_listed(tables, level)], how="diagonal_relaxed")
    return Shareable(tables, rows.select(sorted(rows.columns)))


def _blur(table: pl.DataFrame) -> pl.DataFrame:
    """Round what singles an account out: times to the day, followers and posts to two leading digits.

    The second an account was created, with its exact number of followers, finds it again in any copy of the data.
    """
    counts = [name for name in _BLURRED if name in table.columns and "account_id" in table.columns]
    moments = [name for name, dtype in table.schema.items() if isinstance(dtype, pl.Datetime)]
    return table.with_columns(
        *[pl.col(name).dt.date() for name in moments],
        *[pl.col(name).cast(pl.Float64).round_sig_figs(2).cast(pl.Int64) for name in counts],
    )


def _refuse_clear_names(accounts: pl.DataFrame) -> None:
    shown = accounts.filter(~pl.col("is_pseudonymous") & (pl.col("n_followers").fill_null(0) < N_FOLLOWERS_CLEAR))
    shown = shown.filter(~pl.col("account_id").str.starts_with("acct_"))
    if shown.height:
        raise PrivacyError(
            f"A public package shows no account under {N_FOLLOWERS_CLEAR:,} followers in the clear; {shown.height} of "
            f"{accounts.height} would be. Collect the evidence from protect_release(release, key=read_key())."
        )


def _hasher(level: str, key: bytes) -> Callable[[str, str | None], str | None]:
    if level != "hashed":
        return lambda _kind, value: value
    return lambda kind, value: None if value is None else hash_value(kind, value, key=key)


def _accounts(accounts: pl.DataFrame, level: str, hide: Callable[[str, str | None], str | None]) -> pl.DataFrame:
    shown = accounts.select(
        [pl.col(name) if name in accounts.columns else pl.lit(None).alias(name) for name in _ACCOUNT_COLUMNS]
    )
    if level != "hashed":
        return shown
    ids = [hide("account", f"{row['platform']}:{row['account_id']}") for row in shown.iter_rows(named=True)]
    handles = [hide("handle", handle.casefold() if handle else None) for handle in shown["handle"]]
    columns = [pl.Series("account_id", ids, dtype=pl.String), pl.Series("handle", handles, dtype=pl.String)]
    hidden = [pl.lit(None, dtype=shown.schema[name]).alias(name) for name in _HASHED_AWAY]
    return shown.with_columns(*columns, *hidden)


def _things(table: pl.DataFrame, kind: str, hide: Callable[[str, str | None], str | None]) -> pl.DataFrame:
    values = pl.Series("value", [hide(kind, value) for value in table["value"]], dtype=pl.String)
    return table.with_columns(values).rename({"value": kind})


def _contents(
    contents: pl.DataFrame, level: str, key: bytes, hide: Callable[[str, str | None], str | None]
) -> pl.DataFrame:
    """Texts leave as hashes and signatures; only a trusted partner sees words."""
    is_text = contents["kind"] == "text"
    texts = contents.filter(is_text)
    signatures = sign_texts(texts["value"], key=key if level == "hashed" else b"")
    digests = [
        hide("text", value)
        if level == "hashed"
        else "text-sha256:" + hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()
        for value in texts["value"]
    ]
    described = texts.with_columns(
        pl.Series("hash", digests, dtype=pl.String),
        pl.Series("minhash", [write_signature(signature) for signature in signatures], dtype=pl.String),
        text=pl.col("value") if level == "trusted" else pl.lit(None, dtype=pl.String),
    )
    media = contents.filter(~is_text)
    digests = [hide("media", value) for value in media["value"]]
    described_media = media.with_columns(
        pl.Series("hash", digests, dtype=pl.String),
        minhash=pl.lit(None, dtype=pl.String),
        text=pl.lit(None, dtype=pl.String),
    )
    return pl.concat([described, described_media]).drop("value")


def _account_rows(accounts: pl.DataFrame, level: str) -> list[dict[str, object]]:
    rows = []
    for row in accounts.iter_rows(named=True):
        kind, platform = row["kind"], row["platform"]
        step = place_in_kill_chain(kind, platform=platform)
        is_named = row["handle"] and level != "hashed" and not str(row["account_id"]).startswith("acct_")
        value = profile_address(platform, kind, row["handle"]) if is_named else row["account_id"]
        rows.append(
            {
                "declared": "keyed_hash" if level == "hashed" else kind,
                "indicator_value": value,
                "platform": platform,
                "tactic": step.tactic,
                "technique": step.technique,
                "procedure": step.procedure,
                "note": _account_note(row),
                "hashed_kind": "account" if level == "hashed" else None,
                "kind": kind,
                **{name: row[name] for name in _CARRIED},
            }
        )
        if level == "hashed" and row["handle"]:
            rows.append({**rows[-1], "indicator_value": row["handle"], "hashed_kind": "handle"})
    return rows


def _account_note(row: dict[str, object]) -> str:
    return f"Cluster {row['cluster_id']}; evidence level: {row['evidence_level']}; {row['n_posts']} posts in the data."


def _things_listed(tables: dict[str, pl.DataFrame], level: str) -> list[pl.DataFrame]:
    """Only what is distinctive becomes an indicator: a link everybody shared accuses nobody."""
    parts = []
    for name, column, kind in (
        ("urls", "url", "url"),
        ("domains", "domain", "domain"),
        ("hashtags", "hashtag", "hashtag"),
        ("contents", "hash", "text"),
        ("contents", "minhash", "minhash"),
    ):
        table = tables[name].filter(pl.col("is_distinctive").fill_null(value=True) & pl.col(column).is_not_null())
        if table.height:
            parts.append(_list_things(table, column=column, kind=kind, level=level))
    return parts


def _list_things(table: pl.DataFrame, *, column: str, kind: str, level: str) -> pl.DataFrame:
    is_hidden = level == "hashed"
    is_media = pl.col("kind") == "media" if kind == "text" else pl.lit(False)
    declared = pl.when(is_media).then(pl.lit("media_hash")).otherwise(pl.lit("text_hash" if kind == "text" else kind))
    hidden_kind = pl.when(is_media).then(pl.lit("media")).otherwise(pl.lit(kind))
    step = place_in_kill_chain(kind, platform=None)
    unknown = pl.lit(" No other accounts in the data to compare with.")
    return table.select(
        declared=pl.lit("keyed_hash") if is_hidden and kind != "minhash" else declared,
        indicator_value=pl.format("#{}", column) if kind == "hashtag" and not is_hidden else pl.col(column),
        tactic=pl.lit(step.tactic),
        technique=pl.lit(step.technique),
        procedure=pl.lit(step.procedure),
        note=pl.format(
            "Posted by {} of the accounts, by {} others in the data.{}",
            "n_accounts",
            "n_accounts_outside",
            pl.when(pl.col("is_distinctive").is_null()).then(unknown).otherwise(pl.lit("")),
        ),
        hashed_kind=hidden_kind if is_hidden else pl.lit(None, dtype=pl.String),
        n_sharers="n_accounts",
    )
