"""Adverts placed by the accounts of a release themselves, by the advertiser's id or handle."""

from __future__ import annotations

import polars as pl

from workbench.schema import ParameterError, check_table
from workbench.state_media.adverts import ADVERTS


def find_own_adverts(adverts: pl.DataFrame, accounts: pl.DataFrame, *, shown: pl.DataFrame) -> pl.DataFrame:
    """Return the adverts whose advertiser is an account of the release: the adverts' columns and account_id.

    Args:
        adverts: from `read_adverts`.
        accounts: table `accounts` as loaded: pseudonyms would hide ids and handles from matching.
        shown: the same accounts, row by row, as they may be shown; account_id comes from here.

    Raises:
        ParameterError: the two tables are not of the same accounts.
        SchemaError: `accounts` is not a table of accounts.

    Beware: an account that pays through somebody else's name, or from a personal profile, is not found.
    """
    accounts = check_table(accounts, "accounts")
    if accounts.height != shown.height:
        raise ParameterError(
            f"accounts has {accounts.height:,} rows and shown {shown.height:,}; expected the same accounts in the same "
            "order. Pass the table before and after protect_release."
        )
    bare = pl.col("account_id").str.strip_prefix(pl.col("platform") + ":").str.to_lowercase()
    known = accounts.with_columns(as_shown=shown["account_id"])
    names = pl.concat(
        [
            known.select("platform", "as_shown", name=name)
            for name in (bare, pl.col("handle").str.strip_prefix("@").str.to_lowercase())
        ]
    ).drop_nulls()
    names = names.unique(["platform", "name"], keep="first", maintain_order=True)
    rows = adverts.select(*ADVERTS).with_row_index("row")
    found = pl.concat(
        [
            rows.select("row", "platform", name=pl.col(column).str.strip_prefix("@").str.to_lowercase())
            for column in ("advertiser_id", "handle")
        ]
    ).join(names, on=["platform", "name"], how="inner")
    first = found.sort("row", "name").unique("row", keep="first", maintain_order=True)
    return rows.join(first.select("row", account_id="as_shown"), on="row", how="inner", maintain_order="left").drop(
        "row"
    )
