"""The same question put to several engines: who co-acted within the window, and how often. One engine per process.

Two things are timed. `whole`: from reading the log as parquet to edges (account_a, account_b, n_co_actions) written as
parquet. `counting`: the log already read and its names already numbered, to the number of edges and their sum, nothing
written. Competitors get what helps them: ids as small integers, time buckets as wide as the window, one pass per
neighbouring bucket, their own spilling and all processors.

Usage: python tests/benchmarks/coaction_engines.py ENGINE whole|counting LOG.parquet WINDOW_S OUT_FOLDER
"""

from __future__ import annotations

import json
import resource
import sqlite3
import sys
import time
from contextlib import redirect_stdout
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

ROWS_PER_READ = 1_000_000
PLAIN: dict[str, Any] = {"compression": "uncompressed", "statistics": False, "row_group_size": 1_000_000}
"""how edges are written: packing them is not what is measured"""


class Workbench(NamedTuple):
    """This package: edges as they come."""

    log: pl.DataFrame
    window_s: int
    out: Path

    @classmethod
    def read(cls, log: Path, window_s: int, out: Path) -> Workbench:
        """Return the engine with the log read; nothing is numbered yet."""
        return cls(pl.read_parquet(log), window_s, out)

    def number(self) -> Any:
        """Return the log as numbers."""
        from workbench.coaction import pack_traces

        return pack_traces(self.log, with_posts=False)[0]

    def count(self, packed: Any) -> tuple[int, int]:
        """Return how many edges there are, and their sum."""
        from workbench.coaction import count_partners
        from workbench.pairs import iterate_counts, window_in_us

        n_after = count_partners(packed, window_us=window_in_us(self.window_s))
        sizes = [(len(n), int(n.sum())) for _, _, n in iterate_counts(packed, n_after=n_after)]
        return sum(edges for edges, _ in sizes), sum(total for _, total in sizes)

    def write(self) -> None:
        """Number, count and write the edges."""
        from workbench.coaction import scan_co_actions

        edges = scan_co_actions(self.log, time_window_s=self.window_s).drop("trace")
        edges.sink_parquet(self.out / "edges.parquet", engine="streaming", **PLAIN)


class Polars(NamedTuple):
    """A bucketed self-join in polars, streaming."""

    log: pl.DataFrame
    window_s: int
    out: Path

    @classmethod
    def read(cls, log: Path, window_s: int, out: Path) -> Polars:
        """Return the engine with the log read; nothing is numbered yet."""
        return cls(pl.read_parquet(log, columns=["account_id", "object_id", "acted_at"]), window_s, out)

    def number(self) -> tuple[pl.LazyFrame, pl.Enum]:
        """Return the log as numbers, with what the account numbers mean."""
        names = pl.Enum(self.log["account_id"].unique().sort())
        seconds = pl.col("acted_at").dt.epoch("s")
        numbered = self.log.select(
            a=pl.col("account_id").cast(names).to_physical().cast(pl.UInt32),
            o=pl.col("object_id").cast(pl.Categorical).to_physical(),
            t=seconds,
            bucket=seconds // self.window_s,
        )
        return numbered.with_row_index("row").lazy(), names

    def pairs(self, actions: pl.LazyFrame) -> pl.LazyFrame:
        """Return pair (both account numbers in one), n_co_actions; not yet computed."""
        same = actions.join(actions, on=["o", "bucket"]).filter(pl.col("row") < pl.col("row_right"))
        following = actions.join(actions.with_columns(bucket=pl.col("bucket") - 1), on=["o", "bucket"])
        following = following.filter(pl.col("t_right") - pl.col("t") <= self.window_s)
        both = pl.concat([part.select("a", "a_right") for part in (same, following)])
        both = both.filter(pl.col("a") != pl.col("a_right"))
        low, high = pl.min_horizontal("a", "a_right").cast(pl.UInt64), pl.max_horizontal("a", "a_right")
        return both.select(pair=low * 2**32 + high.cast(pl.UInt64)).group_by("pair").agg(n_co_actions=pl.len())

    def count(self, numbered: tuple[pl.LazyFrame, pl.Enum]) -> tuple[int, int]:
        """Return how many edges there are, and their sum."""
        sums = self.pairs(numbered[0]).select(pl.len(), pl.col("n_co_actions").cast(pl.Int64).sum())
        return sums.collect(engine="streaming").row(0)

    def write(self) -> None:
        """Number, count and write the edges."""
        actions, names = self.number()
        self.pairs(actions).select(
            (pl.col("pair") // 2**32).cast(pl.UInt32).cat.to(names).alias("account_a"),
            (pl.col("pair") % 2**32).cast(pl.UInt32).cat.to(names).alias("account_b"),
            "n_co_actions",
        ).sink_parquet(self.out / "edges.parquet", engine="streaming", **PLAIN)


class DuckDB(NamedTuple):
    """The same bucketed self-join in DuckDB, which spills to disk past its memory limit."""

    db: Any
    window_s: int
    out: Path

    @classmethod
    def read(cls, log: Path, window_s: int, out: Path) -> DuckDB:
        """Return the engine with the log as a table."""
        import duckdb

        config = {"memory_limit": "12GB", "temp_directory": str(out / "spill")}
        db = duckdb.connect(str(out / "work.db"), config=config)
        db.execute("set preserve_insertion_order = false")
        db.execute(f"create view log as from read_parquet('{log}')")
        return cls(db, window_s, out)

    def number(self) -> str:
        """Make the tables of numbers; return the query that counts them."""
        for column in ("account", "object"):
            self.db.execute(
                f"create table {column}s as select {column}_id, (row_number() over (order by {column}_id))::uinteger "
                f"as code from (select distinct {column}_id from log)"
            )
        self.db.execute(
            f"""create table actions as
            select row_number() over () as row, a.code as a, o.code as o, epoch(acted_at)::bigint as t,
                   epoch(acted_at)::bigint // {self.window_s} as bucket
            from log join accounts a using (account_id) join objects o using (object_id)"""
        )
        return f"""with pairs as (
                select l.a as x, r.a as y from actions l join actions r on l.o = r.o and l.bucket = r.bucket
                where l.row < r.row
                union all
                select l.a, r.a from actions l join actions r on l.o = r.o and r.bucket = l.bucket + 1
                where r.t - l.t <= {self.window_s}),
            counted as (
                select least(x, y) as x, greatest(x, y) as y, count(*) as n from pairs where x <> y group by 1, 2)"""

    def count(self, query: str) -> tuple[int, int]:
        """Return how many edges there are, and their sum."""
        return self.db.execute(f"{query} select count(*), coalesce(sum(n), 0)::bigint from counted").fetchone()

    def write(self) -> None:
        """Number, count and write the edges."""
        self.db.execute(
            f"""copy ({self.number()}
            select p.account_id as account_a, q.account_id as account_b, n as n_co_actions
            from counted join accounts p on p.code = x join accounts q on q.code = y
            ) to '{self.out / "edges.parquet"}' (format parquet, compression uncompressed)"""
        )


class Toolkit(NamedTuple):
    """coordination-network-toolkit from PyPI: co-retweet, by way of its CSV and SQLite files."""

    log: pl.DataFrame
    window_s: int
    out: Path

    @classmethod
    def read(cls, log: Path, window_s: int, out: Path) -> Toolkit:
        """Return the engine with the log read."""
        return cls(pl.read_parquet(log), window_s, out)

    def number(self) -> str:
        """Bring the log into the toolkit's database; return its path."""
        from coordination_network_toolkit.preprocess import preprocess_csv_files

        empty = pl.lit("")
        self.log.select(
            message_id="post_id", user_id="account_id", username=empty, repost_id="object_id", reply_id=empty,
            message=empty, timestamp=pl.col("acted_at").dt.epoch("s"), urls=empty,
        ).write_csv(self.out / "log.csv")  # fmt: skip
        database = str(self.out / "work.db")
        with redirect_stdout(sys.stderr):
            preprocess_csv_files(database, [str(self.out / "log.csv")])
        return database

    def count(self, database: str) -> tuple[int, int]:
        """Return how many edges there are, and their sum (of messages, not pairs)."""
        return self.edges(database, "count(*), coalesce(sum(weight), 0)").fetchone()

    def edges(self, database: str, columns: str) -> sqlite3.Cursor:
        """Make the network; return the columns of its edges, each once and without loops."""
        from coordination_network_toolkit.compute_networks import compute_co_retweet_parallel

        with redirect_stdout(sys.stderr):
            compute_co_retweet_parallel(database, self.window_s, n_threads=2)
        return sqlite3.connect(database).execute(f"select {columns} from co_retweet_network where user_1 < user_2")

    def write(self) -> None:
        """Number, count and write the edges."""
        rows = self.edges(self.number(), "*")
        schema = {"account_a": pl.String, "account_b": pl.String, "n_co_actions": pl.Int64}
        for k, some in enumerate(iter(lambda: rows.fetchmany(ROWS_PER_READ), [])):
            pl.DataFrame(some, schema=schema, orient="row").write_parquet(self.out / f"{k:05d}.parquet")


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
ENGINES: dict[str, Any] = {"workbench": Workbench, "polars": Polars, "duckdb": DuckDB, "toolkit": Toolkit}


def run(engine: str, part: str, log: Path, window_s: int, out: Path) -> dict[str, float]:
    """Run one engine; return its seconds and processor seconds, and for `counting` what it counted."""
    import_module(MODULES.get(engine, "polars"))
    found: dict[str, float] = {}
    if part == "whole":
        started = clocks()
        ENGINES[engine].read(log, window_s, out).write()
    else:
        ready = ENGINES[engine].read(log, window_s, out)
        numbered = ready.number()
        started = clocks()
        found["n_edges"], found["n_co_actions"] = ready.count(numbered)
    return found | {name: now - started[name] for name, now in clocks().items()} | {"peak_gb": peak_gb()}


def clocks() -> dict[str, float]:
    """Return the time of day, and the processor time of this process and those it started, in seconds."""
    spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return {"seconds": time.monotonic(), "cpu_seconds": sum(one.ru_utime + one.ru_stime for one in spent)}


def peak_gb() -> float:
    """Return the most memory this process held; what the system says of its end includes its parent's."""
    status = Path("/proc/self/status")
    lines = status.read_text(encoding="utf-8").splitlines() if status.exists() else []
    held = next((int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), 0)
    return (held or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) / 1e6


if __name__ == "__main__":
    engine, part, log_path, window, folder = sys.argv[1:6]
    to = Path(folder)
    said = summarise(to) if engine == "summarise" else run(engine, part, Path(log_path), int(window), to)
    sys.stdout.write(json.dumps(said))
