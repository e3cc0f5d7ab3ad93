"""Narratives against labels, with the number of topics unknown, beside GSDMM and LSA + HDBSCAN of our own.

`python tests/benchmarks/narratives_quality.py DATA_FOLDER` prints one JSON line per dataset and method; each runs in a
process of its own, so that peak memory is its own. DATA_FOLDER holds `narratives/` with StackOverflow.txt and
StackOverflow_gnd.txt, thucnews_dev.txt and io_topic_labels_3_campaigns.jsonl; what is absent is skipped and said.
`planted` needs no files.

What was looked at while the method was made: the prior, the number of rounds and the grid of resolutions were chosen
with the labels of all three files in view. Their figures are therefore no held-out test; `planted` is drawn anew.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import hdbscan
import numpy as np
import polars as pl
from sklearn.decomposition import TruncatedSVD
from sklearn.preprocessing import normalize

from workbench.narratives import evaluate_narratives, find_narratives
from workbench.narratives.vocabulary import learn_vocabulary, split_words
from workbench.text import normalise_text

DATASETS = ("stackoverflow", "thucnews", "io_topics", "planted")
METHODS = ("workbench", "gsdmm", "lsa_hdbscan")


def load_labelled(name: str, folder: Path) -> tuple[list[str], list[str]]:
    """Return the texts and labels of a dataset."""
    place = folder / "narratives"
    if name == "planted":
        return plant_stories(4_000, n_stories=80, seed=11)
    if name == "stackoverflow":
        texts = (place / "StackOverflow.txt").read_text(encoding="utf8", errors="replace").split("\n")
        labels = (place / "StackOverflow_gnd.txt").read_text(encoding="utf8").split()
        return texts[: len(labels)], labels
    if name == "thucnews":
        lines = (place / "thucnews_dev.txt").read_text(encoding="utf8").splitlines()
        pairs = [line.rsplit("\t", 1) for line in lines]
        return [text for text, _ in pairs], [label for _, label in pairs]
    lines = (place / "io_topic_labels_3_campaigns.jsonl").read_text(encoding="utf8").splitlines()
    rows = [json.loads(line) for line in lines]
    return [row["text"] for row in rows], ["|".join(row["annotations"]) for row in rows]


def plant_stories(n: int, *, n_stories: int, seed: int) -> tuple[list[str], list[str]]:
    """Return texts of invented words, half from a story's own, half from a common stock."""
    random = np.random.default_rng(seed)
    syllables = [c + v for c in "bdfgklmnprstvz" for v in "aeiou"]
    words = np.array([a + b + c for a in syllables[:20] for b in syllables[:20] for c in syllables[:15]])
    stock = 1 / np.arange(1, words.size + 1)
    own = random.integers(0, words.size, size=(n_stories, 25))
    size = 1 / np.arange(1, n_stories + 1) ** 0.8
    story = random.choice(n_stories, size=n, p=size / size.sum())
    texts = []
    for number in story:
        length = int(random.integers(6, 12))
        common = words[random.choice(words.size, length, p=stock / stock.sum())]
        special = words[own[number, random.integers(0, 25, length)]]
        texts.append(" ".join(np.where(random.random(length) < 0.5, special, common)))
    return texts, [str(number) for number in story]


def as_posts(texts: list[str]) -> pl.DataFrame:
    """Return the texts as a posts table."""
    n = len(texts)
    empty = pl.Series([[]] * n, dtype=pl.List(pl.String))
    return pl.DataFrame(
        {
            "post_id": [str(i) for i in range(n)],
            "account_id": [str(i) for i in range(n)],
            "platform": ["labelled"] * n,
            "posted_at": [datetime(2031, 1, 1, tzinfo=UTC) + timedelta(minutes=i) for i in range(n)],
            "text": texts,
            "repost_of_id": pl.Series([None] * n, dtype=pl.String),
            "urls": empty,
            "hashtags": empty,
            "mentions": empty,
        }
    )


def cluster_gsdmm(
    texts: list[str], *, seed: int, n_topics: int = 50, n_sweeps: int = 10, alpha: float = 0.1, beta: float = 0.1
) -> np.ndarray:
    """Return each text's topic by collapsed Gibbs sampling of the Dirichlet multinomial mixture.

    Source: Yin and Wang 2014, A Dirichlet multinomial mixture model-based approach for short text clustering.
    """
    random = np.random.default_rng(seed)
    _, matrix = learn_vocabulary(_normal(texts), split_words)
    counts = matrix.tocsr()
    n, n_words = counts.shape
    topic = random.integers(0, n_topics, n)
    docs = [counts.indices[counts.indptr[i] : counts.indptr[i + 1]] for i in range(n)]
    sizes = np.bincount(topic, minlength=n_topics).astype(float)
    totals, table = np.zeros(n_topics), np.zeros((n_words, n_topics))
    for words, own in zip(docs, topic, strict=True):
        table[words, own] += 1
        totals[own] += words.size
    for _ in range(n_sweeps):
        for i, words in enumerate(docs):
            own = topic[i]
            sizes[own] -= 1
            totals[own] -= words.size
            table[words, own] -= 1
            score = np.log(sizes + alpha) + np.log(table[words] + beta).sum(axis=0)
            score -= np.log(totals[:, None] + n_words * beta + np.arange(words.size)).sum(axis=1)
            weight = np.exp(score - score.max())
            own = int(np.searchsorted(np.cumsum(weight), random.random() * weight.sum()))
            topic[i] = own
            sizes[own] += 1
            totals[own] += words.size
            table[words, own] += 1
    return topic


def cluster_lsa_hdbscan(texts: list[str], *, seed: int) -> np.ndarray:
    """Return each text's cluster by HDBSCAN on 200 latent dimensions of TF-IDF; -1 is noise."""
    _, matrix = learn_vocabulary(_normal(texts), split_words)
    dense = TruncatedSVD(min(200, matrix.shape[1] - 1), random_state=seed).fit_transform(normalize(matrix))
    return hdbscan.HDBSCAN(min_cluster_size=5).fit_predict(normalize(dense))


def _normal(texts: list[str]) -> list[str]:
    frame = pl.DataFrame({"text": texts})
    return frame.select(normalise_text(pl.col("text")).fill_null(""))["text"].to_list()


def measure(name: str, method: str, folder: Path, *, seed: int = 7) -> dict:
    """Return the figures of one method on one dataset."""
    texts, labels = load_labelled(name, folder)
    start = time.perf_counter()
    if method == "workbench":
        found = find_narratives(as_posts(texts), seed=seed).posts
    else:
        cluster = cluster_gsdmm if method == "gsdmm" else cluster_lsa_hdbscan
        topic = cluster(texts, seed=seed)
        table = pl.DataFrame({"post_id": [str(i) for i in range(len(texts))], "narrative_id": topic})
        found = table.filter(pl.col("narrative_id") >= 0)
    seconds = time.perf_counter() - start
    truth = pl.DataFrame({"post_id": [str(i) for i in range(len(labels))], "label": labels})
    agreement = evaluate_narratives(found, truth)
    figures = {row["measure"]: round(row["all"], 3) for row in agreement.iter_rows(named=True)}
    placed = {row["measure"]: round(row["placed"], 3) for row in agreement.iter_rows(named=True)}
    return {
        "dataset": name,
        "method": method,
        **figures,
        "nmi_placed": placed["nmi"],
        "seconds": round(seconds, 1),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def main() -> None:
    """Run every method on every dataset present, each in its own process."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[3] / "shared" / "data"
    if len(sys.argv) == 4:
        sys.stdout.write(json.dumps(measure(sys.argv[2], sys.argv[3], folder)) + "\n")
        return
    for name in DATASETS:
        if name != "planted" and not (folder / "narratives").is_dir():
            sys.stdout.write(f"{name}: skipped, {folder.name}/narratives is not here\n")
            continue
        for method in METHODS:
            command = [sys.executable, __file__, str(folder), name, method]
            sys.stdout.write(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            sys.stdout.flush()


if __name__ == "__main__":
    main()
