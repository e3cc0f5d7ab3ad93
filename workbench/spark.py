"""The kernel on many machines: Spark deals out the objects, each task counts its own, Spark adds up the pairs.

There is one definition of a co-action, and it is not here: each task runs `coaction.iterate_co_actions` on its share.
Objects are cut into slices of time, so that one object shared by everybody is the work of many tasks. A slice gets the
actions of one window before it as well; what these make among themselves is counted by the slice before, and taken off
here again. So the sum is exact whatever the cut.
"""

from __future__ import annotations

import importlib.util
import shutil
import sys
from collections.abc import Iterable, Iterator
from functools import partial
from os import environ
from typing import TYPE_CHECKING

import polars as pl

from workbench.coaction import iterate_co_actions, window_in_us
from workbench.schema import ParameterError, SchemaError, WorkbenchError, empty_table

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession

SLICE_WINDOWS = 16
"""a slice is as long as so many windows: one row in sixteen is dealt out twice"""
NEEDED = ("pyspark", "pyarrow", "pandas")
"""pandas because pyspark asks for it even where only Arrow passes"""
SHORTEST_SLICE_US = 1_000_000
ROWS_PER_BATCH = 500_000
_EDGES = "trace string, account_a string, account_b string, n_co_actions bigint"


class SparkError(WorkbenchError):
    """Spark, or what it needs, is not there."""


def open_spark(*, master: str = "local[*]", driver_memory: str = "4g") -> SparkSession:
    """Return a Spark session as the workbench needs it: times in UTC, this Python for the workers, no web page.

    Args:
        master: where Spark runs; `local[2]` is this machine with two tasks at a time. On a cluster let `spark-submit`
            say where, and pass its own session to `count_co_actions_on_spark`.
        driver_memory: for the Java side on this machine.

    Raises:
        SparkError: pyspark, pyarrow, pandas or Java is absent.
    """
    _need_spark()
    if not environ.get("JAVA_HOME") and shutil.which("java") is None:
        raise SparkError("Spark needs Java 17 or newer; found none. Install a JRE, or set JAVA_HOME.")
    from pyspark.sql import SparkSession

    settings = {
        "spark.driver.memory": driver_memory,
        "spark.sql.session.timeZone": "UTC",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }
    environ.setdefault("PYSPARK_PYTHON", sys.executable)  # PySpark asks only this; else workers run the first python3
    builder = SparkSession.builder.appName("takedown-workbench").master(master)
    for name, value in settings.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def count_co_actions_on_spark(
    actions: DataFrame, *, time_window_s: float | None, min_co_actions: int = 1, n_partitions: int | None = None
) -> DataFrame:
    """Count co-actions as `count_co_actions` does, on a Spark cluster.

    Args:
        actions: Spark frame with the columns of table `actions`.
        time_window_s: longest gap in seconds, inclusive; None = any gap (then no object is cut into slices).
        min_co_actions: lightest edge returned.
        n_partitions: shares to deal the actions into; each must fit a worker's memory. Spark's own number if None.

    Returns:
        Spark frame: trace, account_a < account_b, n_co_actions; in no order, not yet computed.

    Raises:
        ParameterError: a window or minimum out of range.
        SchemaError: a column is missing.
        SparkError: pyspark, pyarrow or pandas is absent.

    Differs: `min_participation` and `min_actions` are not offered; filter the actions before.
    """
    _need_spark()
    from pyspark.sql import functions as f

    window_us = window_in_us(time_window_s)
    if min_co_actions < 1:
        raise ParameterError(f"min_co_actions is {min_co_actions}; expected 1 or more.")
    wanted = empty_table("actions").columns
    missing = [column for column in wanted if column not in actions.columns]
    if missing:
        raise SchemaError(f"actions lack {', '.join(missing)} (have {', '.join(actions.columns)}). Rename or add them.")
    slices = _slices(actions.select(*wanted), window_us)
    keys = ["trace", "object_id", "slice"]
    dealt = slices.repartition(n_partitions, *keys) if n_partitions else slices.repartition(*keys)
    counted = dealt.mapInArrow(partial(_count_share, time_window_s=time_window_s), _EDGES)
    total = counted.groupBy("trace", "account_a", "account_b").agg(f.sum("n_co_actions").alias("n_co_actions"))
    return total.filter(f.col("n_co_actions") >= min_co_actions)


def _slices(actions: DataFrame, window_us: int | None) -> DataFrame:
    """Add slice and is_before: each action in its own slice, and where near enough, before the next one too."""
    from pyspark.sql import functions as f

    if window_us is None:
        return actions.withColumn("slice", f.lit(0).cast("long")).withColumn("is_before", f.lit(False))
    length = max(SLICE_WINDOWS * window_us, SHORTEST_SLICE_US)
    time_us = f.unix_micros("acted_at")
    # pmod, since times before 1970 are negative and must be cut like others
    own = ((time_us - f.pmod(time_us, f.lit(length))) / f.lit(length)).cast("long")
    to_next = f.lit(length) - f.pmod(time_us, f.lit(length))
    places = f.when(to_next <= window_us, f.array(own, own + 1)).otherwise(f.array(own))
    placed = actions.withColumn("own", own).withColumn("slice", f.explode(places))
    return placed.withColumn("is_before", f.col("slice") != f.col("own")).drop("own")


def _count_share(batches: Iterable[pa.RecordBatch], *, time_window_s: float | None) -> Iterator[pa.RecordBatch]:
    """Count one task's share: all its pairs, less those among the actions from before their slice."""
    held = [pl.DataFrame(pl.from_arrow(batch)) for batch in batches if batch.num_rows]
    if not held:
        return
    share = pl.concat(held).filter(pl.col("object_id").str.strip_chars() != "")
    placed = pl.concat_str("object_id", pl.col("slice").cast(pl.String), separator="\x1f")
    share = share.with_columns(pl.col("acted_at").dt.convert_time_zone("UTC"), object_id=placed)
    for rows, sign in ((share, 1), (share.filter("is_before"), -1)):
        if rows.height:
            for edges in iterate_co_actions(rows, time_window_s=time_window_s):
                signed = edges.with_columns(
                    pl.col("account_a", "account_b").cast(pl.String), n_co_actions=sign * pl.col("n_co_actions")
                )
                yield from signed.to_arrow(compat_level=pl.CompatLevel.oldest()).to_batches(ROWS_PER_BATCH)


def _need_spark() -> None:
    absent = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if absent:
        raise SparkError(f"{', '.join(absent)} not found. Install the optional extra: pip install '.[spark]'.")
