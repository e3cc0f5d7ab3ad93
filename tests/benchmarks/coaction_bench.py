"""Side by side: this package, a bucketed self-join in polars and in DuckDB, and coordination-network-toolkit.

Each run is a process of its own, one after the other on the same log; its time, processor time and highest memory are
taken by the system's own account. Edges are compared: number, sum and checksums must be the same. What takes longer
or more than is stated is ended, and shown as such.

Usage: python tests/benchmarks/coaction_bench.py [--sizes 100000,1000000] [--out reports/benchmarks]
Needs the optional extra `bench` (duckdb, coordination-network-toolkit).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any

import polars as pl
from coaction_log import make_stress_log

HERE = Path(__file__).parent
WINDOW_S = 60
SIZES = (100_000, 1_000_000, 3_600_000, 10_000_000)
ENGINES = {
    "workbench": "this package",
    "polars": "bucketed self-join in polars",
    "duckdb": "bucketed self-join in DuckDB",
    "toolkit": "coordination-network-toolkit",
}
TOOLKIT_UP_TO = 1_000_000
PAIR_COUNTERS = ("workbench", "polars", "duckdb")
"""the toolkit's weight counts messages with a partner, not pairs: its edges are compared, its sums are not"""


def run_engine(engine: str, log: Path, *, max_s: float, max_gb: float) -> dict[str, Any]:
    """Run one engine in a process of its own; return its time, memory and edges, or what it exceeded."""
    with tempfile.TemporaryDirectory(prefix="workbench-bench-") as folder:
        command = [sys.executable, str(HERE / "coaction_engines.py"), engine, str(log), str(WINDOW_S), folder]
        with (Path(folder) / "said").open("w+b") as said:
            process = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT)
            outcome, usage = watch(process, max_s=max_s, max_gb=max_gb)
            said.seek(0)
            last = said.read().decode(errors="replace").splitlines()[-1:]
        row = {"engine": engine, "outcome": outcome, "peak_gb": usage.ru_maxrss / 1e6, "load": os.getloadavg()[0]}
        if outcome != "done":
            return row | ({"outcome": f"failed: {last[0][:120]}"} if outcome == "failed" and last else {})
        spent = {"seconds": json.loads(last[0])["seconds"], "cpu_seconds": usage.ru_utime + usage.ru_stime}
        counted = subprocess.run([*command[:2], "summarise", *command[3:]], check=True, capture_output=True).stdout
        return row | spent | json.loads(counted)


def watch(process: subprocess.Popen, *, max_s: float, max_gb: float) -> tuple[str, Any]:
    """Wait for a process, ending it past a limit; return 'done', 'failed' or what it exceeded, and its usage."""
    started, outcome = time.monotonic(), "done"
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            return outcome if outcome != "done" or status == 0 else "failed", usage
        if time.monotonic() - started > max_s:
            outcome = f"ended after {max_s:,.0f} s"
        elif resident_gb(process.pid) > max_gb:
            outcome = f"ended past {max_gb:g} GB"
        if outcome != "done":
            process.kill()
        time.sleep(0.05)


def resident_gb(pid: int) -> float:
    """Return the memory a process holds now; 0 where the system does not say."""
    status = Path(f"/proc/{pid}/status")
    lines = status.read_text(encoding="utf-8").splitlines() if status.exists() else []
    return next((int(line.split()[1]) / 1e6 for line in lines if line.startswith("VmRSS:")), 0.0)


def compare(sizes: list[int], *, max_s: float, max_gb: float, seed: int) -> pl.DataFrame:
    """Return one row per size and engine, with the ratios to this package."""
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="workbench-bench-log-") as folder:
        for n_shares in sizes:
            log = Path(folder) / f"{n_shares}.parquet"
            make_stress_log(n_shares, seed=seed).write_parquet(log)
            for engine in ENGINES:
                if engine == "toolkit" and n_shares > TOOLKIT_UP_TO:
                    continue
                rows.append({"n_shares": n_shares} | run_engine(engine, log, max_s=max_s, max_gb=max_gb))
                sys.stderr.write(f"{rows[-1]}\n")
            log.unlink()
    return check_equal(with_ratios(rows))


def with_ratios(rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Return the rows as a table, each figure of time also as a multiple of this package's at the same size."""
    order = [
        "n_shares", "engine", "outcome", "seconds", "cpu_seconds", "peak_gb", "load",
        "n_edges", "n_co_actions", "pairs_checksum", "edges_checksum",
    ]  # fmt: skip
    table = pl.DataFrame(rows, infer_schema_length=None)
    ours = table.filter(engine="workbench").select("n_shares", own_s="seconds", own_cpu_s="cpu_seconds")
    return (
        table.select(pl.col(name) if name in table.columns else pl.lit(None).alias(name) for name in order)
        .join(ours, on="n_shares", how="left", maintain_order="left")
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
        differing = part.group_by("n_shares").agg(pl.col(columns).n_unique()).filter(pl.any_horizontal(columns) > 1)
        if differing.height:
            sys.exit(f"The engines differ:\n{done}")
    return table


def render_page(table: pl.DataFrame, *, max_s: float, max_gb: float) -> str:
    """Return the benchmark as one small HTML page."""
    heads = ["Shares", "Engine", "Seconds", "Times as long", "CPU seconds", "Times the CPU", "Peak GB"]
    heads += ["Edges", "Co-actions"]
    columns = ["seconds", "times_as_long", "cpu_seconds", "times_the_cpu", "peak_gb", "n_edges", "n_co_actions"]
    formats = ["{:,.1f}", "{:,.1f}", "{:,.1f}", "{:,.1f}", "{:,.2f}", "{:,}", "{:,}"]
    body = []
    for row in table.iter_rows(named=True):
        cells = [f"{row['n_shares']:,}", ENGINES[row["engine"]]]
        if row["outcome"] != "done":
            cells += [row["outcome"], "", "", "", f"{row['peak_gb']:,.2f}", "", ""]
        else:
            cells += [form.format(row[name]) for form, name in zip(formats, columns, strict=True)]
        body.append("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>")
    n_cpus, low, high = os.cpu_count(), table["load"].min(), table["load"].max()
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Co-action benchmark</title>
<style>body{{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}}
table{{border-collapse:collapse}}td,th{{padding:.3rem .7rem;border-bottom:1px solid #ccc;text-align:right}}
td:nth-child(2),th:nth-child(2){{text-align:left}}</style></head><body>
<h1>Counting co-actions: this package beside others</h1>
<p>Synthetic stress log (Zipf 1.1 objects capped at 1 % of shares, lognormal delays), window {WINDOW_S} s, inclusive.
Every engine in its own process, one after the other, reading parquet and writing its edges as parquet. Edges, sums and
checksums of all that finished are the same; the toolkit's weight counts messages instead of pairs, so of it only the
edges are compared. CPU seconds are of the whole process, start and imports included.
Limits: {max_s:,.0f} s and {max_gb:g} GB.</p>
<p>{escape(platform.machine())}, {n_cpus} processors, Python {platform.python_version()}, polars {pl.__version__};
{datetime.now(UTC):%Y-%m-%d}. Other work on the machine: load {low:.1f} to {high:.1f} over the run; the multiples
compare engines under the same conditions, the seconds alone do not carry over.</p>
<table><thead><tr>{"".join(f"<th>{head}</th>" for head in heads)}</tr></thead><tbody>
{chr(10).join(body)}
</tbody></table></body></html>
"""


def main() -> None:
    """Run the benchmark and write `coaction.csv` and `coaction.html`."""
    options = argparse.ArgumentParser(description="Compare co-action engines.")
    options.add_argument("--sizes", default=",".join(map(str, SIZES)), help="shares, comma-separated")
    options.add_argument("--out", type=Path, default=Path("reports/benchmarks"))
    options.add_argument("--max-s", type=float, default=900)
    options.add_argument("--max-gb", type=float, default=12)
    options.add_argument("--seed", type=int, default=7)
    chosen = options.parse_args()
    sizes = [int(size) for size in chosen.sizes.split(",")]
    table = compare(sizes, max_s=chosen.max_s, max_gb=chosen.max_gb, seed=chosen.seed)
    chosen.out.mkdir(parents=True, exist_ok=True)
    table.write_csv(chosen.out / "coaction.csv")
    page = render_page(table, max_s=chosen.max_s, max_gb=chosen.max_gb)
    (chosen.out / "coaction.html").write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
