"""Measure the chance baseline and the cluster test on worlds with planted truth; one CSV per question.

Usage: python tests/benchmarks/evaluate_worlds.py OUT_FOLDER [N_SEEDS] [FIRST_SEED] [MEASURE ...]

Measures are controls, clusters, edges, clocks, silence, p_values and sizes; all of them unless some are named.

The methods were tuned on seeds below 100; the figures reported start at FIRST_SEED = 1000, which no tuning has seen.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import polars as pl

sys.path.insert(0, str(Path(__file__).parents[1]))
import worlds
from benign_worlds import CONTROLS, make_control

from workbench.chance import score_edges
from workbench.coaction import count_co_actions
from workbench.coordinated import SHARED_CLOCK, find_coordinated_clusters, find_groups, list_clusters
from workbench.coordinated.candidates import count_tail, find_candidates, weigh_groups
from workbench.coordinated.confirm import split_objects
from workbench.coordinated.half import fuse_traces
from workbench.evaluate import cut_by_similarity, cut_by_weight, evaluate_clusters

WINDOW_S, MAX_FDR = 60, 0.05
REGIMES = ("bursts", "alternating", "rotating", "drip", "camouflage", "closed")
EDGE_REGIMES = ("bursts", "alternating", "rotating", "drip", "camouflage")
KEEP_HOURS = ("time_zones", "by_day", "among_sleepers")
SIZES = ((5,), (8,), (15,), (150,), (500,), (40, 40), (5, 20, 80))
N_SEEDS_ALL_SIZES = 3
ALL_WINDOWS_S = (10, 60, 600, 3600)
SMALL = {"n_organic": 800, "n_objects": 1000, "n_events": 40}
P_LINES = (0.01, 0.05, 0.1, 0.2, 0.5, 0.8, 0.95)
KEPT = (100, 200, 500, 1000, 2000, 5000, 10000)
QUANTILES = (0.5, 0.9, 0.95, 0.99, 0.995, 0.999)
TOP_FRACS = (0.005, 0.001, 0.0005, 0.0001)


def calibrate_edges(seed: int) -> list[dict]:
    """Estimated against true false discovery rate at every kept size, and power at the line.

    By the plain shuffle as well where accounts keep hours; where they do not, both shuffles are one.
    """
    rows = []
    for regime in (*EDGE_REGIMES, *worlds.ORGANIC, "by_day", "among_sleepers"):
        world = worlds.make_world(regime, seed=seed)
        edges = count_co_actions(world.actions, time_window_s=WINDOW_S)
        for null, keeps_hours in (("hours kept", True), ("plain", False))[: 1 + (regime in KEEP_HOURS)]:
            scored = score_edges(
                edges, world.actions, time_window_s=WINDOW_S, n_shuffles=10, seed=seed, keeps_hours=keeps_hours
            )
            about = {"null": null, "regime": regime, "seed": seed}
            rows += [about | row for row in _judge_edges(scored, world.truth["account_id"])]
    return rows


def _judge_edges(scored: pl.DataFrame, planted: pl.Series) -> list[dict]:
    both = scored.select(pl.col("account_a").is_in(planted.implode()) & pl.col("account_b").is_in(planted.implode()))
    ordered = scored.with_columns(is_true=both.to_series()).sort("score", descending=True)
    is_true, fdr = ordered["is_true"].to_numpy(), ordered["fdr"].to_numpy()
    true_fdr = np.cumsum(~is_true) / np.arange(1, len(is_true) + 1)
    rows = [{"kept": n, "estimated": fdr[n - 1], "true": true_fdr[n - 1]} for n in KEPT if n <= len(fdr)]
    at_line = fdr <= MAX_FDR
    by_count = ordered.sort("n_co_actions", descending=True).head(int(at_line.sum()))["is_true"].sum()
    rows.append(
        {
            "kept": -1, "estimated": MAX_FDR, "n_kept": int(at_line.sum()),
            "true": float((~is_true[at_line]).mean()) if at_line.any() else 0.0,
            "recall": is_true[at_line].sum() / max(is_true.sum(), 1),
            "recall_by_count": by_count / max(is_true.sum(), 1),
        }
    )  # fmt: skip
    return rows


def measure_clusters(seed: int, sizes: tuple[tuple[int, ...], ...]) -> list[dict]:
    """Accounts found by the cluster test and by the two customary methods, per regime and sizes of groups."""
    rows = []
    cases = [(regime, size) for regime in REGIMES for size in sizes]
    cases += [("touching", size) for size in sizes if len(size) > 1]
    for regime, size in cases:
        world = worlds.make_world(regime, seed=seed, group_sizes=size)
        edges = count_co_actions(world.actions, time_window_s=WINDOW_S)
        start = time.process_time()
        ours = find_coordinated_clusters(
            world.actions, time_window_s=WINDOW_S, n_shuffles=20, max_fdr=MAX_FDR, seed=seed
        )
        rows.append(_row("cluster test", ours, world, regime, size, seed) | {"cpu_s": time.process_time() - start})
        rows += [_row(name, cut, world, regime, size, seed) for name, cut in _customary(world, edges, ours.height)]
    return rows


def measure_controls(seed: int) -> list[dict]:
    """Worlds without a campaign: how many accounts each method reports, and how many of them act alike openly."""
    rows = []
    for control in CONTROLS:
        world = make_control(control, seed=seed)
        edges = count_co_actions(world.actions, time_window_s=WINDOW_S)
        ours = find_coordinated_clusters(
            world.actions, time_window_s=WINDOW_S, n_shuffles=20, max_fdr=MAX_FDR, seed=seed
        )
        n_all = world.actions["account_id"].n_unique()
        for method, found in [("cluster test", ours), *_customary(world, edges, None)]:
            n_alike = found["account_id"].is_in(world.truth["account_id"].implode()).sum()
            rows.append(
                {
                    "method": method, "regime": control, "seed": seed, "n_clusters": found["cluster_id"].n_unique(),
                    "n_accounts": found.height, "n_alike": n_alike, "n_alike_in_world": world.truth.height,
                    "n_in_world": n_all,
                }
            )  # fmt: skip
    return rows


def measure_clocks(seed: int) -> list[dict]:
    """Worlds where unrelated accounts keep a clock: what is called coordinated, and what is set apart as a clock."""
    cases = [(regime, WINDOW_S) for regime in worlds.CLOCKS + worlds.ALERTS + worlds.PLANTED_ON_CLOCKS]
    rows = []
    for regime, window_s in [*cases, ("by_day", ALL_WINDOWS_S), *((name, ALL_WINDOWS_S) for name in worlds.ORGANIC)]:
        world = worlds.make_world(regime, seed=seed, group_sizes=(20,), **SMALL)
        groups = find_groups(world.actions, time_window_s=window_s, n_shuffles=10, max_fdrs=[MAX_FDR], seed=seed)[0]
        found = groups.filter(pl.col("grade") != SHARED_CLOCK)
        windows = "+".join(f"{w:g}" for w in (window_s if isinstance(window_s, tuple) else (window_s,)))
        rows.append(
            _row("cluster test", found, world, regime, (20,), seed)
            | {"windows_s": windows, "n_clocked": groups.height - found.height}
            | {"at_start_frac": list_clusters(found)["at_start_frac"].mean()}
        )
    return rows


def measure_silence(seed: int) -> list[dict]:
    """Worlds where nothing is planted, at all windows at once, in one trace and in several: a report is an error."""
    rows = []
    for regime in (*worlds.ORGANIC, "by_day"):
        actions = worlds.make_world(regime, seed=seed, **SMALL).actions
        for traces, own in (("one", actions), ("three", worlds.in_several_traces(actions))):
            test = {"time_window_s": ALL_WINDOWS_S, "n_shuffles": 10, "max_fdrs": [MAX_FDR], "seed": seed}
            groups = find_groups(own, **test)[0]
            found = groups.filter(pl.col("grade") != SHARED_CLOCK)
            rows.append(
                {
                    "regime": regime, "seed": seed, "traces": traces, "n_clusters": found["cluster_id"].n_unique(),
                    "n_accounts": found.height, "n_clocked": groups.height - found.height,
                }
            )  # fmt: skip
    return rows


def measure_p_values(seed: int) -> list[dict]:
    """How many p-values of candidate groups are at or below each line where accounts are dealt at random.

    Ties are broken at random, and groups due fewer than five co-actions left out: of small counts none is uniform.
    """
    rng, rows = np.random.default_rng(seed), []
    for regime in ("fans", "fans_and_news"):
        actions = worlds.make_world(regime, seed=seed, **SMALL).actions
        for traces, own in (("one", actions), ("three", worlds.in_several_traces(actions))):
            halves = split_objects(fuse_traces(own), [WINDOW_S * 1_000_000], np.random.default_rng(seed))
            found_on, asked = halves[0, WINDOW_S * 1_000_000], halves[1, WINDOW_S * 1_000_000]
            p = np.array(
                [
                    g.p_within - rng.random() * (g.p_within - count_tail(g.seen + 1, *g.within))
                    for found in find_candidates(found_on, seed=seed)
                    for g in weigh_groups(asked, found, found_on=0)
                    if g.within[0] >= 5
                ]
            )
            rows += [
                {"regime": regime, "seed": seed, "traces": traces, "line": line, "n": len(p), "n_below": int(n)}
                for line, n in zip(P_LINES, [(p <= line).sum() for line in P_LINES], strict=True)
            ]
    return rows


def _customary(world: worlds.World, edges: pl.DataFrame, n_accounts: int | None) -> list[tuple[str, pl.DataFrame]]:
    """The two customary methods at every line, and (where a number is given) reaching as many accounts as ours."""
    cuts = [(f"weight above {q}", cut_by_weight(edges, quantile=q)) for q in QUANTILES]
    cuts += [(f"cosine, top {100 * f:g} %", cut_by_similarity(world.actions, top_frac=f)) for f in TOP_FRACS]
    if n_accounts is not None:
        cuts.append(("weight, as many accounts", cut_by_weight(edges, n_accounts=n_accounts)))
        cuts.append(("cosine, as many accounts", cut_by_similarity(world.actions, n_accounts=n_accounts)))
    return cuts


def _row(method: str, clusters: pl.DataFrame, world: worlds.World, regime: str, size: tuple, seed: int) -> dict:
    accounts = world.actions.select("account_id").unique()
    labels = accounts.join(world.truth.rename({"group_id": "label"}), on="account_id", how="left")
    measured = dict(evaluate_clusters(clusters, labels, n_bootstrap=0).select("measure", "value").iter_rows())
    about = {"method": method, "regime": regime, "sizes": "+".join(map(str, size)), "seed": seed}
    return about | {"n_clusters": clusters["cluster_id"].n_unique()} | measured


def measure_sizes(seed: int) -> list[dict]:
    """As `measure_clusters`, groups of other sizes and several at once."""
    return [row for size in SIZES for row in measure_clusters(seed, (size,))]


MEASURES = {
    "controls": measure_controls,
    "clusters": lambda seed: measure_clusters(seed, ((40,),)),
    "edges": calibrate_edges,
    "clocks": measure_clocks,
    "silence": measure_silence,
    "p_values": measure_p_values,
    "sizes": measure_sizes,
}


def main(out: Path, n_seeds: int, first_seed: int, measures: list[str]) -> None:
    out.mkdir(parents=True, exist_ok=True)
    tables: dict[str, list[dict]] = {name: [] for name in measures}
    for k, seed in enumerate(range(first_seed, first_seed + n_seeds)):
        for name in measures:
            if name == "sizes" and k >= N_SEEDS_ALL_SIZES:
                continue
            tables[name] += MEASURES[name](seed)
            pl.DataFrame(tables[name], infer_schema_length=None).write_csv(out / f"{name}.csv")


if __name__ == "__main__":
    arguments = sys.argv[1:] + ["10", "1000"][len(sys.argv) - 2 :]
    main(Path(arguments[0]), int(arguments[1]), int(arguments[2]), arguments[3:] or list(MEASURES))
