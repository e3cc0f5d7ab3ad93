"""Names and translations a human gives narratives, kept between runs by what a narrative says, not by its number."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl

from workbench.addresses import defang
from workbench.csv_header import check_header
from workbench.narratives.find import Narratives
from workbench.schema import SourceError

_MIN_SHARED_FRAC = 0.3
_COLUMNS = ("narrative_id", "label", "translation", "terms", "n_posts", "exemplar", "fingerprints")
_FORMULA = r"^ *[=+\-@\t\r\n＝＋－＠]"
_GUARDED = ("terms", "exemplar")
"""columns made of what posts say; label and translation are a human's own, and come back as written"""


def read_narrative_labels(path: Path | str) -> pl.DataFrame:
    """Return a label file's rows: label, translation (null where empty) and fingerprints. No file: no rows.

    Raises:
        SourceError: the file is no CSV in UTF-8, or lacks a column.
    """
    file = Path(path)
    try:
        raw = file.read_bytes()
        check_header(raw, name=file.name)
        table = pl.read_csv(raw, infer_schema=False, encoding="utf8")
    except FileNotFoundError:
        return pl.DataFrame(schema=dict.fromkeys(_COLUMNS, pl.String))
    # polars lets some damage escape as a panic of its Rust side, which is no PolarsError
    except (OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise SourceError(
            f"{file.name[:200]} cannot be read as CSV in UTF-8: {(str(error).splitlines() or ['?'])[0]}. Save it so."
        ) from error
    for column in ("label", "translation", "fingerprints"):
        if column not in table.columns:
            found = ", ".join(f"'{name}'" for name in table.columns)
            raise SourceError(f"{file.name} lacks column '{column}' (has {found}). Restore it, or delete the file.")
    missing = [pl.lit(None, pl.String).alias(name) for name in _COLUMNS if name not in table.columns]
    blank = pl.col(pl.String).str.strip_chars().replace("", None)
    rows = table.with_columns(missing).select(_COLUMNS).with_columns(blank)
    return rows.filter(~pl.all_horizontal(pl.all().is_null()))  # an empty line is no label


def apply_narrative_labels(narratives: Narratives, labels: pl.DataFrame) -> Narratives:
    """Return the narratives with the labels and translations a human gave to the same content.

    A label goes to the narrative that shares most of the row's fingerprints, at least 30 % of them; each narrative
    gets one label, each label one narrative.
    """
    matched = _match_labels(narratives, labels)
    own = labels.with_row_index("row").select("row", human_label="label", human_translation="translation")
    given = matched.join(own, on="row").drop("row", "n_shared")
    cards = narratives.cards.join(given, on="narrative_id", how="left", maintain_order="left")
    cards = cards.with_columns(
        label=pl.coalesce("human_label", "label"), translation=pl.coalesce("human_translation", "translation")
    )
    return replace(narratives, cards=cards.select(narratives.cards.columns))


def write_narrative_labels(
    narratives: Narratives, path: Path | str, *, known: pl.DataFrame | None = None
) -> pl.DataFrame:
    """Write the label file for a human to fill, keeping what is already known; return its rows.

    One row per narrative, `label` and `translation` empty until filled; then the rows of the old file that were
    filled and match no narrative of this run, so that nobody's work is lost. Texts that a spreadsheet would run as a
    formula are written with an apostrophe before them; addresses in them are defanged.

    Args:
        narratives: from `find_narratives`.
        path: the file to write.
        known: labels from `read_narrative_labels` to keep; None: those in the file at `path`.
    """
    old = read_narrative_labels(path) if known is None else known
    matched = _match_labels(narratives, old).join(
        old.with_row_index("row").select("row", "label", "translation"), on="row"
    )
    rows = (
        narratives.cards.select(
            pl.col("narrative_id"),
            terms=pl.col("terms").list.join(" · "),
            n_posts=pl.col("n_posts").cast(pl.String),
            exemplar=pl.col("exemplars").list.first().map_elements(defang, return_dtype=pl.String),
            fingerprints=pl.col("fingerprints").list.join(" "),
        )
        .join(matched.select("narrative_id", "label", "translation"), on="narrative_id", how="left")
        .sort("narrative_id")
        .with_columns(pl.col("narrative_id").cast(pl.String))
    )
    is_filled = pl.col("label").is_not_null() | pl.col("translation").is_not_null()
    kept = old.with_row_index("row").filter(is_filled & ~pl.col("row").is_in(matched["row"].implode()))
    kept = kept.with_columns(narrative_id=pl.lit(None, pl.String))
    table = pl.concat([rows.select(_COLUMNS), kept.select(_COLUMNS)])
    table = table.with_columns(pl.col(_GUARDED).str.replace(_FORMULA, "'${0}"))
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    table.write_csv(Path(path))
    return table


def _match_labels(narratives: Narratives, labels: pl.DataFrame) -> pl.DataFrame:
    """Return narrative_id and row of the labels that belong together, strongest overlap first."""
    wanted = labels.with_row_index("row").select("row", hash=pl.col("fingerprints").str.split(" ")).drop_nulls("hash")
    wanted = wanted.with_columns(n_asked=pl.col("hash").list.len()).explode("hash", empty_as_null=True, keep_nulls=True)
    own = narratives.cards.select("narrative_id", "fingerprints").explode(
        "fingerprints", empty_as_null=True, keep_nulls=True
    )
    shared = (
        wanted.join(own, left_on="hash", right_on="fingerprints")
        .group_by("row", "narrative_id")
        .agg(n_shared=pl.len(), n_asked=pl.col("n_asked").first())
        .filter(pl.col("n_shared") >= _MIN_SHARED_FRAC * pl.col("n_asked"))
        .sort(["n_shared", "row", "narrative_id"], descending=[True, False, False])
    )
    used_rows: set[int] = set()
    used_ids: set[int] = set()
    chosen = []
    for row, narrative_id, n_shared in shared.select("row", "narrative_id", "n_shared").iter_rows():
        if row not in used_rows and narrative_id not in used_ids:
            used_rows.add(row)
            used_ids.add(narrative_id)
            chosen.append({"row": row, "narrative_id": narrative_id, "n_shared": n_shared})
    return pl.DataFrame(chosen, schema={"row": pl.UInt32, "narrative_id": pl.Int64, "n_shared": pl.UInt32})
