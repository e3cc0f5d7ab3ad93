"""`make load POSTS=10000,100000`: the whole main job on synthetic releases of these sizes, its time and its memory.

Every size has a folder, a cache and a key of its own. Twice a second the memory of the runner and of all its children
is added up (a page that two of them share counts twice); the highest sum is the peak. A run that takes longer or more
than is stated is ended and shown as such. Rows of earlier runs stay in load.csv; the page is drawn from all of it.

    python tests/benchmarks/load_bench.py [--posts 10000,100000] [--accounts 5000] [--out reports/benchmarks]
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime
from html import escape
from itertools import pairwise
from pathlib import Path
from typing import Any

import altair as alt
import polars as pl
import vl_convert
from coaction_page import STYLE, describe_machine, describe_versions

from workbench.case import home
from workbench.notebooks import list_notebooks

Sample = tuple[float, float, float]
"""when, GB held, processor seconds used"""
CASE = "load"
_ALIGNED = """
td:nth-child(n),th:nth-child(n){text-align:right}.said:nth-child(n){text-align:left;white-space:nowrap}
.wide{overflow-x:auto}"""
SEED = 7
PROGRAM = [sys.executable, "-u", "-c", "from workbench.cli import main; main()"]
KEPT = "kept"
N_STAGES = 12
PROMISED_POSTS, PROMISED_S, PROMISED_GB = 3_600_000, 480, 6.0
COLUMNS = {
    "date": pl.String, "n_posts": pl.Int64, "n_accounts": pl.Int64, "part": pl.String, "outcome": pl.String,
    "seconds": pl.Float64, "cpu_seconds": pl.Float64, "peak_gb": pl.Float64, "load": pl.Float64,
}  # fmt: skip


def measure(n_posts: int, n_accounts: int, *, max_s: float, max_gb: float) -> list[dict[str, Any]]:
    """Return one row for making the release, one per notebook that was begun, one for what came after, and the sum.

    After them comes one per result that was kept.
    """
    with tempfile.TemporaryDirectory(prefix="workbench-load-") as place:
        root = Path(place)
        (root / "datasets").mkdir()
        (root / "notebooks").symlink_to(home() / "notebooks")
        sizes = ["--accounts", str(n_accounts), "--posts", str(n_posts), "--seed", str(SEED)]
        rows = watch(["simulate", str(root / "datasets" / CASE), *sizes], root, parts=["simulate"])
        parts = [file.stem for file in list_notebooks(root / "notebooks")]
        if rows[-1]["outcome"] == "done":
            rows = rows[:1] + watch(["report", CASE], root, parts=[*parts, "checks"], max_s=max_s, max_gb=max_gb)
            rows += list_stages(root / ".cache" / CASE)
    said = {"date": datetime.now(UTC).date().isoformat(), "n_posts": n_posts, "n_accounts": n_accounts}
    return [said | row for row in rows]


def watch(
    command: list[str], root: Path, *, parts: list[str], max_s: float = 3_600, max_gb: float = 64
) -> list[dict[str, Any]]:
    """Run the workbench; return seconds and peak of each part (each ends with a line marked ✓) and of the whole."""
    environment = {**os.environ, "WORKBENCH_HOME": str(root), "WORKBENCH_KEY_FILE": str(root / "key")}
    environment |= {"PYTHONIOENCODING": "utf-8", "COLUMNS": "200"}
    process = subprocess.Popen(
        [*PROGRAM, *command],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    ends: list[float] = []
    lines: list[str] = []
    reader = threading.Thread(target=_read_lines, args=(process, lines, ends), daemon=True)
    reader.start()
    began = time.monotonic()
    samples: list[Sample] = [(began, 0.0, 0.0)]
    outcome = ""
    while process.poll() is None:
        now = time.monotonic()
        samples.append((now, *ask_tree(process.pid)))
        if now - began > max_s:
            outcome = f"ended after {max_s:,.0f} s"
        elif samples[-1][1] > max_gb:
            outcome = f"ended past {max_gb:g} GB"
        if outcome:
            os.killpg(process.pid, signal.SIGKILL)
        time.sleep(0.5)
    reader.join()
    process.wait()
    outcome = outcome or ("done" if process.returncode == 0 else f"failed: {lines[-1][:160] if lines else ''}")
    edges = [began, *ends[: len(parts) - 1], time.monotonic()]
    rows = []
    for part, start, end in zip(parts, edges, edges[1:], strict=False):
        rows.append(_row(part, outcome if end == edges[-1] else "done", samples, start, end))
    return rows + ([_row("whole", outcome, samples, began, edges[-1])] if len(parts) > 1 else [])


def _row(part: str, outcome: str, samples: list[Sample], start: float, end: float) -> dict[str, Any]:
    before = max(used for at, _, used in samples if at <= start)
    used = max(used for at, _, used in samples if at <= end)
    return {
        "part": part,
        "outcome": outcome,
        "seconds": round(end - start, 1),
        "cpu_seconds": round(used - before, 1),
        "peak_gb": round(max((held for at, held, _ in samples if start <= at <= end), default=0.0), 2),
        "load": round(os.getloadavg()[0], 1),
    }


def _read_lines(process: subprocess.Popen[str], lines: list[str], ends: list[float]) -> None:
    for line in process.stdout or ():
        lines.append(line.rstrip())
        if "✓" in line:
            ends.append(time.monotonic())
            sys.stderr.write(f"  {line.strip()}\n")


def ask_tree(pid: int) -> tuple[float, float]:
    """Return the memory in GB and the processor time in seconds of a process and its children, ended ones' time too."""
    parents: dict[int, list[int]] = {}
    held: dict[int, float] = {}
    used: dict[int, float] = {}
    for place in Path("/proc").glob("[0-9]*"):
        try:
            fields = (place / "stat").read_text().rpartition(")")[2].split()
        except OSError:  # it ended while we looked
            continue
        held[int(place.name)] = int(fields[21]) * os.sysconf("SC_PAGE_SIZE") / 1e9
        used[int(place.name)] = sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
        parents.setdefault(int(fields[1]), []).append(int(place.name))
    tree = [pid]
    for one in tree:
        tree += parents.get(one, [])
    return sum(held.get(one, 0.0) for one in tree), sum(used.get(one, 0.0) for one in tree)


def list_stages(cache: Path) -> list[dict[str, Any]]:
    """Return a row per kept result in the order they were finished, each with the seconds since the one before."""
    done = sorted((entry.stat().st_mtime, entry.name.rpartition("-")[0]) for entry in cache.glob("[!.]*"))
    return [
        {"part": name, "outcome": KEPT, "seconds": round(at - before, 1)} for (before, _), (at, name) in pairwise(done)
    ]


def write_rows(rows: list[dict[str, Any]], folder: Path) -> pl.DataFrame:
    """Add rows to load.csv, in place of earlier ones of the same size, and return all."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "load.csv"
    new = pl.DataFrame(rows, schema=COLUMNS)
    keys = ["n_posts", "n_accounts"]
    old = pl.read_csv(file, schema=COLUMNS) if file.exists() else new.clear()
    table = pl.concat([old.join(new, on=keys, how="anti"), new]).sort("n_posts", "n_accounts", maintain_order=True)
    table.write_csv(file)
    return table


def render_page(table: pl.DataFrame) -> str:
    """Return the page: the whole job by size, drawn and as a table, then every part."""
    whole, kept = table.filter(part="whole"), pl.col("outcome") == KEPT
    parts = table.filter(~kept, ~pl.col("part").is_in(["whole", "simulate"]))
    largest = table.filter(kept, pl.col("n_posts") == pl.col("n_posts").filter(kept).max())
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>The main job under load</title>
<style>{STYLE}{_ALIGNED}</style></head><body>
<h1>The main job under load</h1>
<p>Synthetic releases (<code>workbench simulate --seed {SEED}</code>) through <code>workbench report</code>, all
notebooks, from an empty cache. The goal is {PROMISED_POSTS:,} posts within {PROMISED_S // 60} minutes and
{PROMISED_GB:g} GB on two processors. Memory is that of the runner and its kernels
together, looked at twice a second; what two processes share counts twice.</p>
<p>{escape(describe_machine())}. {escape(describe_versions())}. Load average as a run
ended, its own work included: {table["load"].min():.1f} to {table["load"].max():.1f}; more than the number of processors
means that something waited.</p>
<h2>How it grows</h2>
{_draw_growth(whole.filter(outcome="done"))}
{_table(whole)}
<h2>Where the time goes</h2>
{_draw_parts(parts)}
<p>The longest of the results that are kept, in the largest run, after the first, the release as loaded: seconds since
the result before was kept, all times together where one is made more than once. What a notebook does in between, also
showing its charts, counts for the next one.</p>
{_table(_list_longest(largest))}
<p>Every part of every run:</p>
{_table(table.filter(~kept, pl.col("part") != "whole"))}
</body></html>
"""


def _list_longest(kept: pl.DataFrame) -> pl.DataFrame:
    by_part = kept.group_by("n_posts", "part").agg(times=pl.len(), seconds=pl.col("seconds").sum())
    longest = by_part.filter(pl.col("seconds") >= 1).sort("seconds", "part", descending=[True, False]).head(N_STAGES)
    return longest.select("n_posts", "part", "times", "seconds")


def _table(table: pl.DataFrame) -> str:
    kinds = ["" if dtype.is_numeric() else ' class="said"' for dtype in table.dtypes]
    names = [name.replace("_", " ").replace(" gb", " GB") for name in table.columns]
    head = "".join(f"<th{kind}>{escape(name)}</th>" for name, kind in zip(names, kinds, strict=True))
    rows = (
        [f"<td{kind}>{escape(_say(cell))}</td>" for cell, kind in zip(row, kinds, strict=True)] for row in table.rows()
    )
    body = "\n".join(f"<tr>{''.join(cells)}</tr>" for cells in rows)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table></div>'


def _say(cell: object) -> str:
    if cell is None:
        return ""
    return f"{cell:,}" if isinstance(cell, int | float) else str(cell)


def _draw_growth(done: pl.DataFrame) -> str:
    if done.is_empty():
        return "<p>No run came to its end.</p>"
    base = alt.Chart(done).mark_line(point=True).properties(width=320, height=280)
    sizes = alt.Axis(format="~s", values=sorted({*done["n_posts"].to_list(), PROMISED_POSTS}))
    posts = alt.X("n_posts:Q", title="posts", scale=alt.Scale(type="log"), axis=sizes)
    goal = pl.DataFrame({"n_posts": [PROMISED_POSTS], "seconds": [PROMISED_S], "peak_gb": [PROMISED_GB]})
    aim = alt.Chart(goal.with_columns(said=pl.lit("goal")))
    charts = []
    for column, what in (("seconds", "seconds"), ("peak_gb", "peak memory, GB")):
        lowest, highest = (float(f([*done[column], goal[column][0]])) for f in (min, max))
        y = alt.Y(
            f"{column}:Q", title=what, scale=alt.Scale(type="log", domain=[lowest * 0.8, highest * 1.2], nice=False)
        )
        line = aim.mark_rule(color="#b3261e", strokeDash=[4, 3]).encode(y)
        words = aim.mark_text(color="#b3261e", align="right", dx=-6, dy=-6).encode(posts, y, text="said:N")
        charts.append(line + words + base.encode(posts, y))
    return vl_convert.vegalite_to_svg(alt.hconcat(*charts).to_json())


def _draw_parts(parts: pl.DataFrame) -> str:
    """Draw, per size, which share of the seconds each part took: the first notebook at the left."""
    if parts.is_empty():
        return "<p>No part came to its end.</p>"
    named = parts.with_columns(posts=pl.format("{} posts", pl.col("n_posts").map_elements("{:,}".format, pl.String)))
    sizes = named.sort("n_posts")["posts"].unique(maintain_order=True).to_list()
    chart = alt.Chart(named).mark_bar(stroke="white").properties(width=640, height=34 * len(sizes))
    drawn = chart.encode(
        alt.X("seconds:Q", stack="normalize", title="share of the time", axis=alt.Axis(format="%")),
        alt.Y("posts:N", sort=sizes, title=None),
        alt.Color("part:N", title=None, scale=alt.Scale(scheme="viridis")),
        alt.Order("part:N"),
    )
    return vl_convert.vegalite_to_svg(drawn.to_json())


def is_kept(n_posts: int, whole: dict[str, Any]) -> bool:
    """Whether the run came to its end, and within the goal where it is the size the goal is for."""
    is_in_time = whole["seconds"] <= PROMISED_S and whole["peak_gb"] <= PROMISED_GB
    return whole["outcome"] == "done" and (n_posts != PROMISED_POSTS or is_in_time)


def main() -> int:
    """Measure the sizes asked for, one after the other, and write load.csv and load.html.

    Returns:
        0, or 1 where a run did not come to its end or missed the goal.
    """
    parser = argparse.ArgumentParser(description="The whole main job on synthetic releases of several sizes.")
    parser.add_argument("--posts", default="10000,100000", help="sizes, with commas between")
    parser.add_argument("--accounts", type=int, default=5_000, help="at most one to ten posts")
    parser.add_argument("--out", type=Path, default=Path("reports/benchmarks"))
    parser.add_argument("--max-seconds", type=float, default=3_600)
    parser.add_argument("--max-gb", type=float, default=16)
    given = parser.parse_args()
    all_kept = True
    for n_posts in sorted({int(float(one)) for one in given.posts.split(",")}):
        n_accounts = max(1_000, min(given.accounts, n_posts // 10))
        rows = measure(n_posts, n_accounts, max_s=given.max_seconds, max_gb=given.max_gb)
        table = write_rows(rows, given.out)
        (given.out / "load.html").write_text(render_page(table), encoding="utf-8")
        whole = next(row for row in reversed(rows) if row["outcome"] != KEPT)
        sys.stdout.write(f"{n_posts:,} posts: {whole['outcome']}, {whole['seconds']} s, {whole['peak_gb']} GB\n")
        if not is_kept(n_posts, whole):
            all_kept = False
            sys.stdout.write(f"  not the promise: {PROMISED_POSTS:,} posts in {PROMISED_S} s and {PROMISED_GB:g} GB\n")
    return 0 if all_kept else 1


if __name__ == "__main__":
    sys.exit(main())
