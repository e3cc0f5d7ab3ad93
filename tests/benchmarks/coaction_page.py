"""The benchmark of the co-action engines as one small HTML page: ratios, growth drawn, forecast against finding."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import re
from datetime import UTC, datetime
from html import escape
from pathlib import Path

import altair as alt
import polars as pl
import vl_convert

NAMES = {
    "workbench": "this package",
    "polars": "bucketed self-join in polars",
    "duckdb": "bucketed self-join in DuckDB",
    "toolkit": "coordination-network-toolkit",
}
PACKAGES = {"polars": "polars", "numpy": "numpy", "scipy": "scipy", "duckdb": "duckdb"}
PACKAGES |= {"coordination_network_toolkit": "coordination-network-toolkit"}
STYLE = """body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse}td,th{padding:.3rem .7rem;border-bottom:1px solid #ccc;text-align:right}
td:nth-child(2),th:nth-child(2){text-align:left}svg{max-width:100%;height:auto}"""
HEADS = {
    "Shares": "n_shares", "Engine": "engine", "Runs": "n_runs", "Seconds": "seconds", "Times as long": "times_as_long",
    "CPU seconds": "cpu_seconds", "Times the CPU": "times_the_cpu", "Peak GB": "peak_gb", "Edges": "n_edges",
    "Co-actions": "n_co_actions",
}  # fmt: skip


def render_page(table: pl.DataFrame, told: pl.DataFrame, *, window_s: int, max_s: float, max_gb: float) -> str:
    """Return the benchmark as one small HTML page."""
    low, high, runs = table["load"].min(), table["load"].max(), table["n_runs"].max()
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Co-action benchmark</title>
<style>{STYLE}</style></head><body>
<h1>Counting co-actions: this package beside others</h1>
<p>Synthetic stress log (Zipf 1.1 objects capped at 1 % of shares, lognormal delays), window {window_s} s, inclusive.
Every engine in its own process, all processors its own, one after the other and in turn, up to {runs} times: medians
of time, highest memory. Number and sum of edges, and checksums of what was written, are the same for all that
finished; the toolkit's weight counts messages instead of pairs, so of it only the edges are compared.
At most {max_s:,.0f} s and {max_gb:g} GB for a run. Seconds are on the clock, CPU seconds those of all processors.</p>
<p>{escape(describe_machine())}; {datetime.now(UTC):%Y-%m-%d}. {escape(describe_versions())}. Other work on the machine:
load {low:.1f} to {high:.1f} over the run (more than the number of processors means waiting). Read the multiples, and
under such load those of CPU seconds before those of seconds on the clock: waiting hits long runs hardest.</p>
<h2>From a parquet file to a parquet file</h2>
<p>Reading the log, numbering its names, counting, writing all edges with their names.</p>
{_table(_results(table, "whole"))}
<h2>Counting only</h2>
<p>The log already read and its names already numbered; the edges are made, counted and summed, and not written.</p>
{_table(_results(table, "counting"))}
<h2>How it grows</h2>
<p>From file to file. The number of pairs grows with the square of an object's shares, and time with the pairs.</p>
{_draw(table.filter(part="whole", outcome="done"))}
<h2>What was foretold</h2>
<p><code>predict_cost</code> counts the pairs exactly before any is made, among them those of one account with itself,
which are no co-actions; how many edges they make it estimates from 400 accounts.</p>
{_table(_forecast(table, told))}
</body></html>
"""


def describe_machine() -> str:
    """Return the processor, how many and how much memory: no name of the machine, no path."""
    info = Path("/proc/cpuinfo")
    text = info.read_text(encoding="utf-8") if info.exists() else ""
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9 if hasattr(os, "sysconf") else 0
    name = found.group(1) if found else platform.machine()
    return f"{name}, {os.cpu_count()} processors, {memory:.0f} GB of memory"


def describe_versions() -> str:
    """Return the versions of Python and of the engines that are installed."""
    there = [name for module, name in PACKAGES.items() if importlib.util.find_spec(module)]
    return ", ".join([f"Python {platform.python_version()}", *(f"{n} {importlib.metadata.version(n)}" for n in there)])


def _results(table: pl.DataFrame, part: str) -> list[list[str]]:
    forms = ["{:,}", "{:,.2f}", "{:,.1f}", "{:,.2f}", "{:,.1f}", "{:,.2f}", "{:,}", "{:,}"]
    rows = [list(HEADS)]
    for row in table.filter(part=part).iter_rows(named=True):
        cells = [f"{row['n_shares']:,}", NAMES[row["engine"]]]
        if row["outcome"] != "done":
            cells += ["1", row["outcome"], "", "", "", f"{row['peak_gb']:,.2f}", "", ""]
        else:
            values = [row[name] for name in list(HEADS.values())[2:]]
            cells += ["" if v is None else form.format(v) for form, v in zip(forms, values, strict=True)]
        rows.append(cells)
    return rows


def _forecast(table: pl.DataFrame, told: pl.DataFrame) -> list[list[str]]:
    ours = table.filter(engine="workbench", part="counting").select("n_shares", "n_co_actions", found="n_edges")
    rows = [["Shares", "Seconds to tell", "Pairs told", "Co-actions", "Edges told", "Edges found", "Off by"]]
    for row in told.join(ours, on="n_shares", maintain_order="left").drop_nulls().iter_rows(named=True):
        cells = [f"{row['n_shares']:,}", f"{row['predicted_in_s']:.2f}"]
        cells += [f"{row[name]:,}" for name in ("n_pairs", "n_co_actions", "n_edges", "found")]
        rows.append([*cells, f"{100 * (row['n_edges'] / max(row['found'], 1) - 1):+.1f} %"])
    return rows


def _table(rows: list[list[str]]) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in rows[0])
    body = "\n".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows[1:])
    return f"<table><thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table>"


def _draw(done: pl.DataFrame) -> str:
    """Return the growth as one picture: seconds and memory by shares, a line per engine, all scales logarithmic."""
    data = done.with_columns(engine=pl.col("engine").replace(NAMES))
    base = alt.Chart(data).mark_line(point=True).properties(width=320, height=280)
    shares = alt.X("n_shares:Q", title="shares", scale=alt.Scale(type="log"), axis=alt.Axis(format="~s"))
    colour = alt.Color("engine:N", title=None, sort=list(NAMES.values()))
    parts = [("cpu_seconds", "CPU seconds"), ("peak_gb", "peak memory, GB")]
    charts = [
        base.encode(shares, alt.Y(f"{y}:Q", title=what, scale=alt.Scale(type="log")), colour) for y, what in parts
    ]
    return vl_convert.vegalite_to_svg(alt.hconcat(*charts).to_json())
