"""Side by side: this package, a bucketed self-join in polars and in DuckDB, and coordination-network-toolkit.

Each run is a process of its own, one after the other on the same log, engines in turn, several times; the median of
its time and processor time and the highest memory are kept. Two things are timed, `whole` and `counting`: see
`coaction_engines.py`. Edges are compared: number, sum and checksums must be the same. What takes longer or more than
is stated is ended, and shown as such.

Usage: python tests/benchmarks/coaction_bench.py [--sizes 100000,1000000] [--out reports/benchmarks]
Engines that are not installed are left out; the optional extra `bench` has them (duckdb, coordination-network-toolkit).
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from itertools import product
from pathlib import Path
from typing import Any

import polars as pl
from coaction_engines import MODULES
from coaction_log import make_stress_log
from coaction_page import render_page

from workbench.cost import predict_cost

HERE = Path(__file__).parent
WINDOW_S = 60
SIZES = (100_000, 1_000_000, 3_600_000, 10_000_000)
ENGINES = ("workbench", "polars", "duckdb", "toolkit")
PARTS = ("whole", "counting")
TOOLKIT_UP_TO = 1_000_000
ONCE_FROM = {"workbench": 10_000_000, "polars": 10_000_000, "duckdb": 3_600_000, "toolkit": 1_000_000}
"""shares from which on one run must do"""
CHECKSUMS_UP_TO = 4_000_000
"""past this many shares only the number of edges and their sum are compared"""
PAIR_COUNTERS = ("workbench", "polars", "duckdb")
"""the toolkit's weight counts messages with a partner, not pairs: its edges are compared, its sums are not"""
COLUMNS = (
    "n_shares", "engine", "part", "outcome", "n_runs", "seconds", "cpu_seconds", "peak_gb", "load",
    "n_edges", "n_co_actions", "pairs_checksum", "edges_checksum",
)  # fmt: skip


def run_engine(
    engine: str, part: str, log: Path, *, max_s: float, max_gb: float, with_checksums: bool
) -> dict[str, Any]:
    """Run one engine in a process of its own; return its time, memory and edges, or what it exceeded."""
    with tempfile.TemporaryDirectory(prefix="workbench-bench-") as folder:
        script, rest = str(HERE / "coaction_engines.py"), [part, str(log), str(WINDOW_S), folder]
        with (Path(folder) / "said").open("w+b") as said:
            process = subprocess.Popen([sys.executable, script, engine, *rest], stdout=said, stderr=subprocess.STDOUT)
            outcome, peak_gb = watch(process, max_s=max_s, max_gb=max_gb)
            said.seek(0)
            last = said.read().decode(errors="replace").splitlines()[-1:]
        row = {"engine": engine, "part": part, "outcome": outcome, "peak_gb": peak_gb, "load": os.getloadavg()[0]}
        if outcome != "done":
            return row | ({"outcome": f"failed: {last[0][:120]}"} if outcome == "failed" and last else {})
        row |= json.loads(last[0])
        if part == "counting" or not with_checksums:
            return row
        counted = subprocess.run([sys.executable, script, "summarise", *rest], check=True, capture_output=True).stdout
        return row | json.loads(counted)


def watch(process: subprocess.Popen, *, max_s: float, max_gb: float) -> tuple[str, float]:
    """Wait for a process, ending it past a limit; return 'done', 'failed' or what it exceeded, and its size in GB."""
    started, outcome, held = time.monotonic(), "done", 0.0
    while process.poll() is None:
        held = resident_gb(process.pid) or held
        if time.monotonic() - started > max_s:
            outcome = f"ended after {max_s:,.0f} s"
        elif held > max_gb:
            outcome = f"ended past {max_gb:g} GB"
        if outcome != "done":
            process.kill()
        time.sleep(0.02)
    return outcome if outcome != "done" or process.returncode == 0 else "failed", held


def resident_gb(pid: int) -> float:
    """Return the memory a process holds now; 0 where the system does not say."""
    status = Path(f"/proc/{pid}/status")
    lines = status.read_text(encoding="utf-8").splitlines() if status.exists() else []
    return next((int(line.split()[1]) / 1e6 for line in lines if line.startswith("VmRSS:")), 0.0)


def compare(
    n_shares: int, *, n_runs: int, max_s: float, max_gb: float, seed: int
) -> tuple[list[dict[str, Any]], pl.DataFrame]:
    """Return all runs over a log of this size, and what `predict_cost` said of it."""
    rows: list[dict[str, Any]] = []
    beyond: set[str] = set()
    with tempfile.TemporaryDirectory(prefix="workbench-bench-log-") as folder:
        log = Path(folder) / f"{n_shares}.parquet"
        make_stress_log(n_shares, seed=seed).write_parquet(log)
        told = tell_cost(log, n_shares)
        for turn, engine, part in product(range(n_runs), ENGINES, PARTS):
            if can_run(engine, n_shares, turn) and engine not in beyond:
                with_checksums = turn == 0 and n_shares <= CHECKSUMS_UP_TO
                found = run_engine(engine, part, log, max_s=max_s, max_gb=max_gb, with_checksums=with_checksums)
                rows.append({"n_shares": n_shares} | found)
                sys.stderr.write(f"{rows[-1]}\n")
                beyond |= set() if found["outcome"] == "done" else {engine}
    return rows, told


def can_run(engine: str, n_shares: int, turn: int) -> bool:
    """Whether an engine is installed and meant for logs of this size, and for yet another turn."""
    is_there = engine not in MODULES or importlib.util.find_spec(MODULES[engine].split(".")[0]) is not None
    is_meant = engine != "toolkit" or n_shares <= TOOLKIT_UP_TO
    return is_there and is_meant and (turn == 0 or n_shares < ONCE_FROM[engine])


def tell_cost(log: Path, n_shares: int) -> pl.DataFrame:
    """Return what counting the log is predicted to give, and how long the prediction took."""
    actions, started = pl.read_parquet(log), time.monotonic()
    cost = predict_cost(actions, time_window_s=WINDOW_S)
    seconds = time.monotonic() - started
    return cost.select(
        pl.lit(n_shares).alias("n_shares"), "n_accounts", "n_objects", "n_pairs", "n_edges", predicted_in_s=seconds
    )


def summarise_runs(rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Return one row per size, engine and part: medians, and times also as multiples of this package's."""
    table = pl.DataFrame([dict.fromkeys(COLUMNS) | {"n_runs": 1} | row for row in rows], infer_schema_length=None)
    keys = ["n_shares", "engine", "part"]
    order = pl.col("outcome").filter(pl.col("outcome") != "done").first()
    runs = table.group_by(keys, maintain_order=True).agg(
        order.fill_null("done").alias("outcome"),
        pl.col("n_runs").sum(),
        pl.col("seconds", "cpu_seconds").median(),
        pl.col("peak_gb", "load").max(),
        *[pl.col(name).drop_nulls().unique() for name in COLUMNS[9:]],
    )
    differing = runs.filter(pl.any_horizontal(pl.col(COLUMNS[9:]).list.len() > 1))
    if differing.height:
        sys.exit(f"An engine differs from itself:\n{differing}")
    runs = runs.with_columns(pl.col(COLUMNS[9:]).list.first())
    ours = runs.filter(engine="workbench").select("n_shares", "part", own_s="seconds", own_cpu_s="cpu_seconds")
    return (
        runs.select(COLUMNS)
        .join(ours, on=["n_shares", "part"], how="left", maintain_order="left")
        .with_columns(
            times_as_long=pl.col("seconds") / pl.col("own_s"),
            times_the_cpu=pl.col("cpu_seconds") / pl.col("own_cpu_s"),
        )
        .drop("own_s", "own_cpu_s")
    )


def check_equal(table: pl.DataFrame) -> pl.DataFrame:
    """Return the table, or stop where two engines that finished found different edges."""
    done = table.filter(outcome="done")
    counters = done.filter(pl.col("engine").is_in(PAIR_COUNTERS))
    for part, columns in ((done, ["n_edges", "pairs_checksum"]), (counters, ["n_co_actions", "edges_checksum"])):
        found = part.group_by("n_shares").agg(pl.col(columns).drop_nulls().n_unique())
        if found.filter(pl.any_horizontal(pl.col(columns) > 1)).height:
            sys.exit(f"The engines differ:\n{done}")
    return table


def main() -> None:
    """Run the benchmark and write `coaction.csv`, `coaction_predicted.csv` and `coaction.html`."""
    options = argparse.ArgumentParser(description="Compare co-action engines.")
    options.add_argument("--sizes", default=",".join(map(str, SIZES)), help="shares, comma-separated")
    options.add_argument("--out", type=Path, default=Path("reports/benchmarks"))
    options.add_argument("--runs", type=int, default=3, help="how often each is run; the median is kept")
    options.add_argument("--max-s", type=float, default=900)
    options.add_argument("--max-gb", type=float, default=12)
    options.add_argument("--seed", type=int, default=7)
    chosen = options.parse_args()
    sizes = [int(size) for size in chosen.sizes.split(",")]
    limits = {"max_s": chosen.max_s, "max_gb": chosen.max_gb}
    chosen.out.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Any]] = []
    forecasts: list[pl.DataFrame] = []
    for n_shares in sizes:  # written after each size: a run that is stopped leaves what it found
        found, forecast = compare(n_shares, n_runs=chosen.runs, seed=chosen.seed, **limits)
        rows += found
        forecasts.append(forecast)
        table, told = check_equal(summarise_runs(rows)).sort("n_shares", maintain_order=True), pl.concat(forecasts)
        table.write_csv(chosen.out / "coaction.csv")
        told.sort("n_shares").write_csv(chosen.out / "coaction_predicted.csv")
        page = render_page(table, told.sort("n_shares"), window_s=WINDOW_S, **limits)
        (chosen.out / "coaction.html").write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
