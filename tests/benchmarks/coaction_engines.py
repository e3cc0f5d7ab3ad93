"""The same question put to several engines: who co-acted within the window, and how often. One engine per process.

Every engine reads the log from parquet and writes its edges (account_a, account_b, n_co_actions) as parquet into a
folder; the clock runs from the first read to the last write. Competitors get what helps them: ids as small integers,
time buckets as wide as the window, one pass per neighbouring bucket, their own spilling and all processors.

Usage: python tests/benchmarks/coaction_engines.py ENGINE LOG.parquet WINDOW_S OUT_FOLDER
"""

from __future__ import annotations

import json
import sqlite3
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from importlib import import_module
from pathlib import Path
from typing import Any

import polars as pl

ROWS_PER_READ = 1_000_000
PLAIN: dict[str, Any] = {"compression": "uncompressed", "statistics": False, "row_group_size": 1_000_000}
"""how edges are written: packing them is not what is measured"""


def workbench(log: Path, window_s: int, out: Path) -> None:
    """This package: edges in parts, as they come."""
    from workbench.coaction import iterate_co_actions

    for k, edges in enumerate(iterate_co_actions(pl.read_parquet(log), time_window_s=window_s)):
        edges.drop("trace").write_parquet(out / f"{k:05d}.parquet", **PLAIN)


def polars_join(log: Path, window_s: int, out: Path) -> None:
    """A bucketed self-join in polars, streaming."""
    accounts = pl.read_parquet(log, columns=["account_id"])["account_id"].unique().sort()
    names = pl.Enum(accounts)
    actions = (
        pl.scan_parquet(log)
        .select(
            a=pl.col("account_id").cast(names).to_physical().cast(pl.UInt32),
            o=pl.col("object_id").cast(pl.Categorical).to_physical(),
            t=pl.col("acted_at").dt.epoch("s"),
            bucket=pl.col("acted_at").dt.epoch("s") // window_s,
        )
        .with_row_index("row")
        .collect()
        .lazy()
    )
    same = actions.join(actions, on=["o", "bucket"]).filter(pl.col("row") < pl.col("row_right"))
    following = actions.join(actions.with_columns(bucket=pl.col("bucket") - 1), on=["o", "bucket"])
    following = following.filter(pl.col("t_right") - pl.col("t") <= window_s)
    both = pl.concat([part.select("a", "a_right") for part in (same, following)]).filter(
        pl.col("a") != pl.col("a_right")
    )
    low, high = pl.min_horizontal("a", "a_right").cast(pl.UInt64), pl.max_horizontal("a", "a_right").cast(pl.UInt64)
    counted = both.select(pair=low * 2**32 + high).group_by("pair").agg(n_co_actions=pl.len())
    counted.select(
        (pl.col("pair") // 2**32).cast(pl.UInt32).cat.to(names).alias("account_a"),
        (pl.col("pair") % 2**32).cast(pl.UInt32).cat.to(names).alias("account_b"),
        "n_co_actions",
    ).sink_parquet(out / "edges.parquet", engine="streaming", **PLAIN)


def duckdb_join(log: Path, window_s: int, out: Path) -> None:
    """The same bucketed self-join in DuckDB, which spills to disk past its memory limit."""
    import duckdb

    db = duckdb.connect(str(out / "work.db"), config={"memory_limit": "12GB", "temp_directory": str(out / "spill")})
    db.execute("set preserve_insertion_order = false")
    db.execute(f"create view log as from read_parquet('{log}')")
    for column in ("account", "object"):
        db.execute(
            f"create table {column}s as select {column}_id, (row_number() over (order by {column}_id))::uinteger "
            f"as code from (select distinct {column}_id from log)"
        )
    db.execute(
        f"""create table actions as
        select row_number() over () as row, a.code as a, o.code as o, epoch(acted_at)::bigint as t,
               epoch(acted_at)::bigint // {window_s} as bucket
        from log join accounts a using (account_id) join objects o using (object_id)"""
    )
    db.execute(
        f"""copy (
        with pairs as (
            select l.a as x, r.a as y from actions l join actions r on l.o = r.o and l.bucket = r.bucket
            where l.row < r.row
            union all
            select l.a, r.a from actions l join actions r on l.o = r.o and r.bucket = l.bucket + 1
            where r.t - l.t <= {window_s}),
        counted as (
            select least(x, y) as x, greatest(x, y) as y, count(*) as n from pairs where x <> y group by 1, 2)
        select p.account_id as account_a, q.account_id as account_b, n as n_co_actions
        from counted join accounts p on p.code = x join accounts q on q.code = y
        ) to '{out / "edges.parquet"}' (format parquet, compression uncompressed)"""
    )
    db.close()
    (out / "work.db").unlink()


def toolkit(log: Path, window_s: int, out: Path) -> None:
    """coordination-network-toolkit from PyPI: co-retweet, by way of its CSV and SQLite files."""
    from coordination_network_toolkit.compute_networks import compute_co_retweet_parallel
    from coordination_network_toolkit.preprocess import preprocess_csv_files

    empty = pl.lit("")
    pl.read_parquet(log).select(
        message_id="post_id", user_id="account_id", username=empty, repost_id="object_id", reply_id=empty,
        message=empty, timestamp=pl.col("acted_at").dt.epoch("s"), urls=empty,
    ).write_csv(out / "log.csv")  # fmt: skip
    database = str(out / "work.db")
    with redirect_stdout(sys.stderr):
        preprocess_csv_files(database, [str(out / "log.csv")])
        compute_co_retweet_parallel(database, window_s, n_threads=2)
    rows = sqlite3.connect(database).execute("select * from co_retweet_network where user_1 < user_2")
    schema = {"account_a": pl.String, "account_b": pl.String, "n_co_actions": pl.Int64}
    for k, some in enumerate(iter(lambda: rows.fetchmany(ROWS_PER_READ), [])):
        pl.DataFrame(some, schema=schema, orient="row").write_parquet(out / f"{k:05d}.parquet")


def summarise(out: Path) -> dict[str, int]:
    """Return what a folder of edges holds: how many, their sum, and two numbers no two lists of edges share."""
    a, b = (pl.col(side).cast(pl.String).cast(pl.UInt64) for side in ("account_a", "account_b"))
    pair = (a % 2_147_483_647) * 31 + (b % 2_147_483_629) * 17
    n = pl.col("n_co_actions").cast(pl.UInt64)
    found = pl.scan_parquet(out / "*.parquet").select(
        n_edges=pl.len().cast(pl.Int64),
        n_co_actions=n.sum().cast(pl.Int64),
        pairs_checksum=(pair % 1_000_003).sum().cast(pl.Int64),
        edges_checksum=(pair % 1_000_003 * n).sum().cast(pl.Int64),
    )
    return found.collect(engine="streaming").row(0, named=True)


MODULES = {"workbench": "workbench.coaction", "duckdb": "duckdb", "toolkit": "coordination_network_toolkit"}
"""imported before the clock starts"""
ENGINES: dict[str, Callable[[Path, int, Path], None]] = {
    "workbench": workbench,
    "polars": polars_join,
    "duckdb": duckdb_join,
    "toolkit": toolkit,
}


if __name__ == "__main__":
    engine, log_path, window, folder = sys.argv[1:5]
    if engine == "summarise":
        sys.stdout.write(json.dumps(summarise(Path(folder))))
    else:
        import_module(MODULES.get(engine, "polars"))
        started = time.monotonic()
        ENGINES[engine](Path(log_path), int(window), Path(folder))
        sys.stdout.write(json.dumps({"seconds": time.monotonic() - started}))
