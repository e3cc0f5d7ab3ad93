"""How long and how much memory 500,000 short posts take: `python tests/benchmarks/narratives_speed.py [n_posts]`.

Posts are invented: 300 stories over a Zipf vocabulary, a third of them near-copies, a fifth in Chinese characters.
Prints one line of JSON: posts, seconds, peak memory, narratives found, and agreement with the planted stories.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

from workbench.narratives import evaluate_narratives, find_narratives

N_STORIES = 300
N_WORDS = 20_000
SYLLABLES = [c + v for c in "bdfgklmnprstvz" for v in "aeiou"]


def invent_words(n: int, *, is_chinese: bool) -> list[str]:
    """Return n different invented words."""
    if is_chinese:
        return [chr(0x4E00 + i % 3000) + chr(0x5200 + (i * 7) % 3000) for i in range(n)]
    base = len(SYLLABLES)
    return [SYLLABLES[i % base] + SYLLABLES[i // base % base] + SYLLABLES[i // base**2 % base] for i in range(n)]


def invent_posts(n_posts: int, *, seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return posts and the story each was made from."""
    random = np.random.default_rng(seed)
    zipf = 1 / np.arange(1, N_WORDS + 1)
    common = random.choice(N_WORDS, size=(n_posts, 14), p=zipf / zipf.sum())
    size = 1 / np.arange(1, N_STORIES + 1) ** 0.8
    story = random.choice(N_STORIES, size=n_posts, p=size / size.sum())
    keys = random.integers(0, N_WORDS, size=(N_STORIES, 30))
    is_key = random.random((n_posts, 14)) < 0.5
    words = np.where(is_key, keys[story[:, None], random.integers(0, 30, size=(n_posts, 14))], common)
    copied = np.flatnonzero(random.random(n_posts) < 0.33)
    words[copied] = words[np.searchsorted(np.sort(copied), copied) // 20]
    story[copied] = story[np.searchsorted(np.sort(copied), copied) // 20]
    vocabulary = {flag: np.array(invent_words(N_WORDS, is_chinese=flag)) for flag in (False, True)}
    texts = [
        ("" if story[i] % 5 == 0 else " ").join(vocabulary[bool(story[i] % 5 == 0)][row[: 8 + i % 7]])
        for i, row in enumerate(words)
    ]
    start = datetime(2024, 1, 1, tzinfo=UTC)
    ids = [str(i) for i in range(n_posts)]
    posts = pl.DataFrame(
        {
            "post_id": ids,
            "account_id": [f"account_{i % 5000}" for i in range(n_posts)],
            "platform": "invented",
            "posted_at": [start + timedelta(seconds=17 * i) for i in range(n_posts)],
            "text": texts,
            "lang": ["zh" if s % 5 == 0 else "en" for s in story],
            "repost_of_id": pl.Series([None] * n_posts, dtype=pl.String),
            "urls": pl.Series([[]] * n_posts, dtype=pl.List(pl.String)),
            "hashtags": pl.Series([[]] * n_posts, dtype=pl.List(pl.String)),
            "mentions": pl.Series([[]] * n_posts, dtype=pl.List(pl.String)),
        }
    )
    return posts, pl.DataFrame({"post_id": ids, "label": story})


def main() -> None:
    """Run once and print the figures."""
    n_posts = int(sys.argv[1]) if len(sys.argv) > 1 else 500_000
    posts, labels = invent_posts(n_posts, seed=1)
    before_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    start = time.perf_counter()
    narratives = find_narratives(posts, seed=7)
    seconds = time.perf_counter() - start
    agreement = evaluate_narratives(narratives, labels)
    figures = {
        "n_posts": n_posts,
        "seconds": round(seconds, 1),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "mb_before": round(before_mb),
        "n_families": narratives.families["family_id"].n_unique(),
        "n_narratives": narratives.cards.height,
        **{row["measure"]: round(row["all"], 3) for row in agreement.iter_rows(named=True)},
    }
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
