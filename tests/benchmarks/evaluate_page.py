"""Write one page from the tables of `evaluate_worlds.py`, and the same methods on real accounts with known roles.

Usage: python tests/benchmarks/evaluate_page.py FOLDER_OF_TABLES OUT.html [SHARED_DATA]
"""

from __future__ import annotations

import html
import sys
from pathlib import Path

import polars as pl

from workbench.chance import score_edges
from workbench.clusters import find_clusters
from workbench.coaction import count_co_actions
from workbench.coordinated import find_coordinated_clusters
from workbench.evaluate import cut_by_similarity, cut_by_weight, evaluate_clusters
from workbench.network import build_network
from workbench.text import normalise_text

STYLE = "body{font:16px/1.5 system-ui;max-width:64rem;margin:2rem auto;padding:0 1rem}table{border-collapse:collapse}"
STYLE += "td,th{padding:.2rem .7rem;text-align:right;border-bottom:1px solid #ccc}"
STYLE += "td:first-child,th:first-child{text-align:left}"
ALTERNATING_NOTE = (
    "Means over n seeds. weight_best_line is the best of five quantiles, chosen with the truth at hand. In the "
    "alternating regime halves take turns and are two clusters; a half of two accounts is none, three are needed."
)
WINDOW_S = 600
MIN_TEXT = 20


def summarise_clusters(clusters: pl.DataFrame) -> pl.DataFrame:
    """Per regime and sizes: mean F1 of the cluster test, and of the customary cuts with the line truth would choose."""
    mean = clusters.group_by("regime", "sizes", "method").agg(pl.col("precision", "recall", "f1").mean(), n=pl.len())
    ours = mean.filter(method="cluster test").drop("method")
    others = mean.filter(pl.col("method") != "cluster test")
    by_weight = others.filter(pl.col("method").str.starts_with("weight"))
    default = by_weight.filter(method="weight above 0.5").select("regime", "sizes", weight_above_half="f1")
    best = by_weight.group_by("regime", "sizes").agg(weight_best_line=pl.col("f1").max())
    cosine = others.filter(pl.col("method").str.starts_with("cosine")).select("regime", "sizes", cosine_top="f1")
    for table in (default, best, cosine):
        ours = ours.join(table, on=["regime", "sizes"], how="left")
    return ours.sort("sizes", "regime")


def summarise_edges(edges: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Estimated minus true false discovery rate per regime and number of edges kept; and power at 5 %."""
    sizes = edges.filter(pl.col("kept") > 0).with_columns(difference=pl.col("estimated") - pl.col("true"))
    per_size = sizes.group_by("regime", "kept").agg(pl.col("difference").mean()).sort("kept")
    at_line = edges.filter(kept=-1).group_by("regime").agg(pl.col("n_kept", "true", "recall", "recall_by_count").mean())
    return per_size.pivot("kept", index="regime", values="difference").sort("regime"), at_line.sort("regime")


def measure_roles(shared: Path) -> pl.DataFrame:
    """One week of a troll factory: same text within ten minutes, clusters against the roles researchers gave."""
    rows = pl.read_parquet(shared / "ira" / "ira_tweets_2015-11-23_29.parquet").filter(pl.col("retweet") == 0)
    actions = rows.select(
        account_id="author_id",
        post_id=pl.format("post{}", pl.int_range(pl.len())),
        trace=pl.lit("same_text"),
        object_id=normalise_text(pl.col("content")),
        acted_at=pl.col("publish_date").str.to_datetime(time_unit="us").dt.replace_time_zone("UTC"),
    ).filter(pl.col("object_id").str.len_chars() >= MIN_TEXT)
    labels = rows.group_by(account_id="author_id").agg(label=pl.col("account_type").mode().sort().first())
    edges = count_co_actions(actions, time_window_s=WINDOW_S)
    network = build_network(edges.with_columns(expected_n=0.0, score=pl.col("n_co_actions") * 1.0, fdr=0.0), max_fdr=1)
    scored = score_edges(edges, actions, time_window_s=WINDOW_S, n_shuffles=10, seed=7)
    test = {"time_window_s": WINDOW_S, "n_shuffles": 20, "max_fdr": 0.05, "seed": 7}
    methods = {
        "Leiden on all co-actions": find_clusters(network, seed=7),
        "Leiden on edges beyond chance (fdr 0.05)": find_clusters(build_network(scored, max_fdr=0.05), seed=7),
        "cluster test": find_coordinated_clusters(actions, **test),
        "weight above 0.5": cut_by_weight(edges, quantile=0.5),
        "weight above 0.95": cut_by_weight(edges, quantile=0.95),
        "cosine, top 0.5 %": cut_by_similarity(actions),
    }
    return pl.DataFrame(
        [
            {"method": name, "n_clusters": found["cluster_id"].n_unique(), "n_accounts": found.height}
            | dict(evaluate_clusters(found, labels, n_bootstrap=0).select("measure", "value").rows())
            for name, found in methods.items()
        ],
        infer_schema_length=None,
    ).select("method", "n_clusters", "n_accounts", "weighted_precision", "ari", "coverage_frac")


def as_html(table: pl.DataFrame) -> str:
    def cell(value: object) -> str:
        return "" if value is None else html.escape(f"{value:.3f}" if isinstance(value, float) else str(value))

    head = "".join(f"<th>{html.escape(name)}</th>" for name in table.columns)
    body = "".join("<tr>" + "".join(f"<td>{cell(v)}</td>" for v in row) + "</tr>" for row in table.rows())
    return f"<table><tr>{head}</tr>{body}</table>"


def main(folder: Path, out: Path, shared: Path | None) -> None:
    clusters = pl.read_csv(folder / "clusters.csv", schema_overrides={"sizes": pl.String}, infer_schema_length=None)
    organic = pl.read_csv(folder / "organic.csv")
    difference, power = summarise_edges(pl.read_csv(folder / "edges.csv", infer_schema_length=None))
    alarms = organic.group_by("regime").agg(n_worlds=pl.len(), n_reporting=(pl.col("n_clusters") > 0).sum())
    parts = [
        ("Worlds where nothing is planted", "How many report any cluster; at most 5 % should.", alarms.sort("regime")),
        (
            "Accounts found",
            ALTERNATING_NOTE,
            summarise_clusters(clusters),
        ),
        ("Edges: estimated minus true false discovery rate", "By number of edges kept, mean over seeds.", difference),
        ("Edges kept at 5 %", "recall_by_count: as many edges, taken by raw count instead.", power),
    ]
    if shared:
        why = "All are trolls, so the question is whether clusters follow roles. No row of the data is shown."
        parts.append(("Real accounts: a week of one troll factory", why, measure_roles(shared)))
    sections = "".join(f"<h2>{html.escape(t)}</h2><p>{html.escape(note)}</p>{as_html(x)}" for t, note, x in parts)
    intro = "Synthetic worlds with known truth. Tuned on seeds below 100; measured on seeds from 1000 on."
    page = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>How sure are we</title><style>{STYLE}</style>'
    out.write_text(f"{page}<h1>How sure are we</h1><p>{intro}</p>{sections}</html>", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]) if len(sys.argv) > 3 else None)
