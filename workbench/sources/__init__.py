"""Files and folders -> a checked release: find out which source each table has, read it, account for every row.

A new source is one module with `LAYOUTS`, `OPTIONS` and `read`, and one line in `SOURCES`.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import polars as pl

from workbench.schema import (
    About,
    ParameterError,
    Release,
    SourceError,
    check_table,
    decision,
    empty_table,
)
from workbench.sources import (
    bluesky,
    four_cat,
    generic,
    mastodon,
    meta_pages,
    reddit,
    share_log,
    telegram,
    twarc,
    twitter_archive,
    youtube,
    zeeschuimer,
)
from workbench.sources.columnar import read_parquet_columns
from workbench.sources.dataset import Dataset, open_dataset
from workbench.sources.delimited import read_header
from workbench.sources.json_parts import is_json, read_keys
from workbench.sources.parts import Part, list_parts
from workbench.sources.removed import leave_out_removed
from workbench.sources.signature import Signature
from workbench.sources.tables import Layout, Recognised, Tables, recognise

SOURCES: dict[str, ModuleType] = {
    "twitter_archive": twitter_archive,
    "share_log": share_log,
    "meta_pages": meta_pages,
    "twarc": twarc,
    "zeeschuimer": zeeschuimer,
    "four_cat": four_cat,
    "telegram": telegram,
    "mastodon": mastodon,
    "bluesky": bluesky,
    "youtube": youtube,
    "reddit": reddit,
    "generic": generic,
}

__all__ = ["SOURCES", "load_release"]


def load_release(
    path: str | Path | Sequence[str | Path], *, source: str | None = None, files: str | Path | None = None
) -> Release:
    """Read a dataset folder, a file, or several files into the accounts and posts of a release.

    The format is told from the columns, not from the file names. Every input record becomes a row or stands in
    `.quarantine` with its file, line and reason; whatever was decided on the way stands in `.decisions`. Accounts that
    `workbench remove` took out of the dataset are left out.

    Args:
        path: a folder with a `dataset.toml` (which says what the files are), any other folder, a file, or several
            files of one release.
        source: name of the only source to look for; a key of `SOURCES`.
        files: folder where the files of a dataset lie, if not beside its `dataset.toml`. The environment variable
            `WORKBENCH_FILES` says the same for programs that take only the dataset's name.

    Returns:
        The release. Its accounts and posts have one column more than agreed: `source_file`, the file a row came from.
        Accounts are in the order of their ids, posts in that of their times and ids: how a file was sorted changes
        nothing that follows.

    Raises:
        SourceError: nothing is there, a format is unknown, a file is damaged or not the announced one, or no row can
            be read.
        ParameterError: there is no source of that name.
    """
    sources = _choose_sources(source)
    dataset = open_dataset(path, files=files)
    _check_options(dataset)
    parts, aside = list_parts(dataset.files)
    # A dataset that maps its columns itself is read by that map alone.
    layouts: list[Layout] = list(generic.layouts_for(dataset.about)) or [
        one for module in sources.values() for one in module.LAYOUTS
    ]
    found = [_recognise(part, layouts) for part in parts]
    tables = Tables()
    for name, module in sources.items():
        own = [item for item in found if item.layout.source == name]
        if own:
            _note_columns(own, tables)
            _extend(tables, module.read(own, dataset.about))
    release = _assemble(dataset, tables, aside=aside)
    return leave_out_removed(release, Path(path)) if isinstance(path, str | Path) else release


def _choose_sources(source: str | None) -> dict[str, ModuleType]:
    if source is None:
        return SOURCES
    if source not in SOURCES:
        near = difflib.get_close_matches(source, SOURCES, n=1)
        hint = f" Did you mean '{near[0]}'?" if near else ""
        raise ParameterError(f"source is '{source}', expected one of {', '.join(SOURCES)}.{hint}")
    return {source: SOURCES[source]}


def _check_options(dataset: Dataset) -> None:
    known = sorted({"holds", *(option for module in SOURCES.values() for option in module.OPTIONS)})
    for option in dataset.about.options:
        if option not in known:
            near = difflib.get_close_matches(option, known, n=1)
            hint = f"Did you mean '{near[0]}'?" if near else f"Known options: {', '.join(known)}."
            raise SourceError(f"dataset.toml of {dataset.about.name}: [options] key '{option}' is unknown. {hint}")


def _recognise(part: Part, layouts: list[Layout]) -> Recognised:
    """JSON is known by the keys of its first record, a table by its columns."""
    holds_json = not part.is_parquet and is_json(part)
    fitting = [one for one in layouts if (isinstance(one, Signature) and one.is_json) == holds_json]
    return recognise(part, read_keys(part) if holds_json else _columns(part), fitting)


def _columns(part: Part) -> list[str]:
    if part.is_parquet:
        return read_parquet_columns(part)
    return read_header(part).columns


def _note_columns(found: list[Recognised], tables: Tables) -> None:
    for item in found:
        layout: Layout = item.layout
        if isinstance(layout, Signature):
            continue
        extra = [column for column in item.columns if column not in (*layout.read, *layout.unread)]
        absent = [column for column in layout.unread if column not in item.columns]
        n = len(item.columns)
        if extra:
            action = f"left out columns {', '.join(repr(c) for c in extra)} of {item.part.label}"
            tables.decide(
                action,
                f"the {layout.source} {layout.name} layout does not have them",
                n_before=n,
                n_after=n - len(extra),
            )
        if absent:
            action = f"read {item.part.label} without its columns {', '.join(repr(c) for c in absent)}"
            tables.decide(action, "no table here is made of them", n_before=n, n_after=n)


def _extend(tables: Tables, more: Tables) -> None:
    tables.accounts += more.accounts
    tables.posts += more.posts
    tables.decisions += more.decisions
    tables.quarantine += more.quarantine


def _assemble(dataset: Dataset, tables: Tables, *, aside: list[str]) -> Release:
    accounts, twice_accounts = _drop_repeats(tables.accounts, "accounts", "account_id")
    posts, twice_posts = _drop_repeats(tables.posts, "posts", "post_id")
    quarantine = pl.concat([*tables.quarantine, twice_accounts, twice_posts, empty_table("quarantine")])
    decisions = [*dataset.decisions, *tables.decisions]
    for name, twice, kept in (("accounts", twice_accounts, accounts), ("posts", twice_posts, posts)):
        if twice.height:
            before = kept.height + twice.height
            action = f"kept the first of {twice.height:,} {name} whose id occurs twice"
            decisions.append(
                decision(
                    "load",
                    action,
                    "an id stands for one row; the others are in quarantine",
                    n_before=before,
                    n_after=kept.height,
                )
            )
    if aside:
        action = f"left {', '.join(aside[:5])} aside"
        decisions.append(decision("load", action, "no table by its name", n_before=len(aside), n_after=0))
    if not accounts.height and not posts.height:
        raise SourceError(_say_nothing_read(dataset, quarantine))
    about = _name_platform(dataset.about, accounts, posts)
    return Release(
        accounts=check_table(_put_in_order(accounts, "platform", "account_id"), "accounts"),
        posts=check_table(_put_in_order(posts, "platform", "posted_at", "post_id"), "posts"),
        decisions=pl.concat([*decisions, empty_table("decisions")]),
        quarantine=check_table(quarantine.sort("file", "line", maintain_order=True), "quarantine"),
        about=about,
    )


def _put_in_order(table: pl.DataFrame, *keys: str) -> pl.DataFrame:
    """Sort a table and use it up: its columns go one by one, so that no second copy of all of them is needed."""
    order = table.select(keys).with_row_index("row").sort(keys)["row"]
    return pl.DataFrame([table.drop_in_place(name).gather(order) for name in table.columns])


def _name_platform(about: About, accounts: pl.DataFrame, posts: pl.DataFrame) -> About:
    """A dataset that does not say its platform has the one its source implies."""
    implied = pl.concat([accounts["platform"], posts["platform"]]).unique().to_list()
    return replace(about, platform=implied[0]) if about.platform == "unknown" and len(implied) == 1 else about


def _drop_repeats(pieces: list[pl.DataFrame], name: str, key: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Keep the first row of each id; say of the others which row they repeat. The pieces are used up.

    An account that is only known from its posts has no line of its own: it stands back where it is listed too, and
    nothing that was in a file is lost by that.
    """
    if not pieces:
        return empty_table(name).with_columns(source_file=pl.lit(None, dtype=pl.Categorical)), empty_table("quarantine")
    table = pl.concat(pieces).with_columns(pl.col("file").cast(pl.Categorical))
    pieces.clear()
    if table["line"].null_count():
        table = table.sort(pl.col("line").is_null(), maintain_order=True)
        table = table.filter(pl.col("line").is_not_null() | pl.col(key).is_first_distinct())
    is_first = table[key].is_first_distinct()
    again = table.filter(~is_first).select(key, "file", "line")
    quarantine = empty_table("quarantine")
    if again.height:
        first = table.filter(is_first & table[key].is_in(again[key].implode())).select(
            key, first_file="file", first_line="line"
        )
        reason = pl.format("{} repeats the id of line {} of {}", pl.lit(key), "first_line", "first_file")
        quarantine = again.join(first, on=key, how="left").select(pl.col("file").cast(pl.String), "line", reason=reason)
        table = table.filter(is_first)
    return table.drop("line").rename({"file": "source_file"}), quarantine


def _say_nothing_read(dataset: Dataset, quarantine: pl.DataFrame) -> str:
    names = ", ".join(file.name for file in dataset.files)
    if quarantine.is_empty():
        return f"{names}: a header and no rows. Expected at least one account or post. Fetch the files again."
    top = quarantine["reason"].value_counts(sort=True).row(0)
    if "rounded" in top[0]:
        advice = "Load the file the spreadsheet was made from, or export it again with the id columns as text."
    else:
        advice = "Mend that in the file, or fetch it again."
    return (
        f"{names}: none of {quarantine.height:,} records can be read; most often: {top[0]} ({top[1]:,} records). "
        f"{advice}"
    )
