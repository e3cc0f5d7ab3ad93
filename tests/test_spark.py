"""Spark's edges are the local driver's, whatever the cut: skewed objects, any script, times before 1970.

Skipped where pyspark or Java is absent: both are optional.
"""

import importlib.util
import shutil
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from workbench import spark as spark_room
from workbench.coaction import count_co_actions
from workbench.schema import ParameterError, SchemaError
from workbench.spark import SparkError, count_co_actions_on_spark, open_spark

IS_THERE = all(importlib.util.find_spec(name) for name in spark_room.NEEDED) and shutil.which("java")
needs_spark = pytest.mark.skipif(
    not IS_THERE, reason="pyspark, pyarrow, pandas or Java is absent (optional extra `spark`)"
)


@pytest.fixture(scope="module")
def spark():
    session = open_spark(master="local[2]", driver_memory="1g")
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()


def make_skewed_actions(*, n_rows: int = 4_000, seed: int = 3) -> pl.DataFrame:
    """A third of all actions on one object, in bursts around 1970 and over slice ends; blank and odd names too."""
    rng = np.random.default_rng(seed)
    objects = np.array(["hub", "hub", "港口", "x", "y", " ", ""])[rng.integers(0, 7, n_rows)]
    accounts = np.array(["a", "b", "é", "账号", *[f"n{k}" for k in range(40)]])[rng.integers(0, 44, n_rows)]
    seconds = rng.choice([-7_200, 0, 960, 1_920, 50_000], n_rows) + rng.integers(-300, 300, n_rows) / 4
    start = datetime(1970, 1, 1, tzinfo=UTC)
    return pl.DataFrame(
        {
            "account_id": accounts,
            "post_id": [f"p{k}" for k in range(n_rows)],
            "trace": np.array(["repost", "url"])[rng.integers(0, 2, n_rows)],
            "object_id": objects,
            "acted_at": [start + timedelta(seconds=float(s)) for s in seconds],
        },
        schema_overrides={"acted_at": pl.Datetime("us", "UTC")},
    )


@pytest.mark.spark
@needs_spark
def test_edges_equal_the_local_drivers(spark, tmp_path):
    actions = make_skewed_actions()
    actions.write_parquet(tmp_path / "actions.parquet")
    on_spark = spark.read.parquet(str(tmp_path / "actions.parquet"))
    for window_s, least in ((0, 1), (0.25, 1), (60, 1), (60, 3), (None, 1)):
        found = count_co_actions_on_spark(on_spark, time_window_s=window_s, min_co_actions=least, n_partitions=4)
        edges = pl.DataFrame(pl.from_arrow(found.toArrow())).sort("trace", "account_a", "account_b")
        expected = count_co_actions(actions, time_window_s=window_s, min_co_actions=least)
        assert edges.equals(expected), f"window {window_s}"
    with pytest.raises(SchemaError, match="actions lack object_id"):
        count_co_actions_on_spark(on_spark.drop("object_id"), time_window_s=60)
    with pytest.raises(ParameterError, match="min_co_actions is 0"):
        count_co_actions_on_spark(on_spark, time_window_s=60, min_co_actions=0)


def test_what_is_absent_is_named(monkeypatch):
    monkeypatch.setattr(spark_room.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(SparkError, match=r"pyspark, pyarrow, pandas not found\. Install the optional extra"):
        open_spark()
    monkeypatch.setattr(spark_room.importlib.util, "find_spec", lambda name: str(name))
    monkeypatch.setattr(spark_room.shutil, "which", lambda _: None)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(SparkError, match="Spark needs Java 17 or newer; found none"):
        open_spark()
