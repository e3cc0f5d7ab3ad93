"""Invented tables about a fictional city, for tests of charts, sections and the report. Nothing here is real."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl

from workbench.schema import About, PublishedFigure, Release, check_table, empty_table

DAY_0 = datetime(2031, 3, 1, tzinfo=UTC)
N_ACCOUNTS = 420
CLUSTER_SIZES = {1: 40, 2: 18, 3: 9}


def about(**changes) -> About:
    content = {
        "name": "harbour_city",
        "title": "Harbour City ferry accounts (synthetic)",
        "platform": "twitter",
        "origin": "simulated",
        "licence": "CC0-1.0",
        "collected": "2031-06-01",
        "source": "workbench simulate, seed 7",
        "is_synthetic": True,
        "files": {"tweets.csv": "0" * 64},
        "announced_accounts": 430,
        "announced_posts": 2000,
        "published": (PublishedFigure("n_accounts", 420, "simulation, seed 7"),),
        "notes": ("Every account, post and place in this dataset is invented.",),
    }
    return About(**{**content, **changes})


def account_ids() -> list[str]:
    return [f"acct_{number:04d}" for number in range(N_ACCOUNTS)]


def clusters() -> pl.DataFrame:
    rows, start = [], 0
    grades = {1: "beyond shared interest", 2: "beyond shared interest", 3: "closed group"}
    ratios = {1: 27.3, 2: 6.1, 3: 11.8}
    for cluster_id, size in CLUSTER_SIZES.items():
        for position, account_id in enumerate(account_ids()[start : start + size]):
            rows.append(
                {
                    "account_id": account_id,
                    "cluster_id": cluster_id,
                    "strength": float(size - position),
                    "is_core": position < size * 0.7,
                    "grade": grades[cluster_id],
                    "ratio": ratios[cluster_id],
                    "z": 18.0 / cluster_id,
                    "p_within": 1 / 21 if cluster_id < 3 else 0.62,
                    "p_swap": 1 / 21,
                    "outsiders_frac": [0.64, 0.55, 0.08][cluster_id - 1],
                }
            )
        start += size
    return pl.DataFrame(rows)


def accounts() -> pl.DataFrame:
    rng = np.random.default_rng(7)
    rows = []
    for number, account_id in enumerate(account_ids()):
        burst = number < 30
        created = datetime(2031, 1, 14, tzinfo=UTC) if burst else DAY_0 - timedelta(days=int(rng.integers(30, 2000)))
        rows.append(
            {
                "account_id": account_id,
                "platform": "twitter",
                "kind": "account",
                "handle": None,
                "display_name": None,
                "created_at": created,
                "n_followers": int(rng.integers(0, 900)),
                "n_following": int(rng.integers(0, 900)),
                "location": None,
                "description": None,
                "language": "zh-cn" if number % 3 == 0 else "en",
                "is_pseudonymous": True,
            }
        )
    return check_table(pl.DataFrame(rows, infer_schema_length=None), "accounts")


def posts() -> pl.DataFrame:
    rng = np.random.default_rng(11)
    rows = []
    for number in range(1800):
        account = int(rng.integers(0, 400))
        hour = int(np.clip(rng.normal(4.5, 2.5), 0, 23)) if account < 67 else int(rng.integers(0, 24))
        moment = DAY_0 + timedelta(days=int(rng.integers(0, 75)), hours=hour, seconds=int(rng.integers(0, 3600)))
        rows.append(
            {
                "post_id": f"p{number:05d}",
                "account_id": account_ids()[account],
                "platform": "twitter",
                "posted_at": moment,
                "time_resolution_s": 0.001 if number % 10 else 60.0,
                "text": "The new ferry timetable is out." if number % 3 else "新的渡轮时刻表已经公布。",
                "lang": "en" if number % 3 else "zh",
                "urls": ["https://ferry.example/timetable"] if number % 2 else [],
                "hashtags": ["ferry"],
                "mentions": [],
                "media_hashes": [],
                "client": "Web",
                **dict.fromkeys(
                    (
                        "repost_of_id",
                        "repost_of_account_id",
                        "reply_to_id",
                        "reply_to_account_id",
                        "quote_of_id",
                        "n_reposts",
                        "n_likes",
                        "n_replies",
                    )
                ),
            }
        )
    frame = pl.DataFrame(rows, infer_schema_length=None)
    return check_table(frame, "posts")


def decisions() -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "stage": "load",
                "action": "set aside records that could not be read",
                "reason": "broken quote",
                "n_before": 1803,
                "n_after": 1800,
            },
            {
                "stage": "judge",
                "action": "kept edges beyond chance",
                "reason": "false discovery rate at most 5%",
                "n_before": 940,
                "n_after": 311,
            },
        ]
    )


def release(**changes) -> Release:
    quarantine = pl.DataFrame(
        {"file": ["tweets.csv"] * 3, "line": [17, 90, 1204], "reason": ["broken quote", "broken quote", "no time"]}
    )
    content = {
        "accounts": accounts(),
        "posts": posts(),
        "decisions": decisions(),
        "quarantine": quarantine,
        "about": about(),
    }
    return Release(**{**content, **changes})


def empty_release() -> Release:
    return release(
        accounts=empty_table("accounts"),
        posts=empty_table("posts"),
        decisions=empty_table("decisions"),
        quarantine=empty_table("quarantine"),
    )


def scored() -> pl.DataFrame:
    rng = np.random.default_rng(5)
    ids, rows, start = account_ids(), [], 0
    for size in CLUSTER_SIZES.values():
        members = ids[start : start + size]
        for i, a in enumerate(members):
            for b in members[i + 1 : i + 6]:
                n = int(rng.integers(4, 22))
                rows.append(("url", a, b, n, round(0.2 * n / 5, 3), float(n), 0.01))
        start += size
    seen = {(row[1], row[2]) for row in rows}
    while len(rows) < 900:
        a, b = sorted(rng.choice(N_ACCOUNTS, 2, replace=False))
        if (ids[a], ids[b]) not in seen:
            seen.add((ids[a], ids[b]))
            rows.append(("repost", ids[a], ids[b], int(rng.integers(1, 4)), 1.4, 0.3, 0.8))
    columns = ["trace", "account_a", "account_b", "n_co_actions", "expected_n", "score", "fdr"]
    return check_table(pl.DataFrame(rows, schema=columns, orient="row"), "scored")


def actions() -> pl.DataFrame:
    rng = np.random.default_rng(3)
    rows = [
        {
            "account_id": account_ids()[int(rng.integers(0, 67 if number % 2 else 400))],
            "post_id": f"p{number:05d}",
            "trace": "url" if number % 2 else "repost",
            "object_id": f"https://ferry.example/{number % 40}" if number % 2 else f"p{number % 90:05d}",
            "acted_at": DAY_0 + timedelta(minutes=int(rng.integers(0, 60 * 24 * 70))),
        }
        for number in range(1500)
    ]
    return check_table(pl.DataFrame(rows), "actions")


def per_day() -> pl.DataFrame:
    rng = np.random.default_rng(2)
    days = [date(2031, 3, 1) + timedelta(days=n) for n in range(75)]
    return pl.DataFrame(
        [
            {"day": day, "group": group, "n_posts": int(rng.poisson(level * (1 + (day.day % 9) / 3)))}
            for day in days
            for group, level in (("clustered accounts", 9), ("all other accounts", 16))
        ]
    )


def per_month() -> pl.DataFrame:
    rng = np.random.default_rng(4)
    months = [date(2029 + n // 12, n % 12 + 1, 1) for n in range(26)]
    return pl.DataFrame(
        {
            "created_at": months,
            "n_accounts": [int(n) for n in rng.poisson(6, 24)] + [95, 47],
            "is_burst": [False] * 24 + [True, True],
        }
    )


def week_hours() -> pl.DataFrame:
    rng = np.random.default_rng(6)
    return pl.DataFrame(
        [
            {
                "weekday": weekday,
                "hour": hour,
                "n_posts": int(rng.poisson((60 if 9 <= hour < 18 else 4) * (1 if weekday < 6 else 0.4))),
            }
            for weekday in range(1, 8)
            for hour in range(24)
        ]
    )


def languages() -> pl.DataFrame:
    rng = np.random.default_rng(8)
    months = [date(2030 + n // 12, n % 12 + 1, 1) for n in range(14)]
    return pl.DataFrame(
        [
            {"period": month, "language": language, "n_posts": int(rng.poisson(level))}
            for index, month in enumerate(months)
            for language, level in (("zh", 10 + 12 * index), ("en", 90), ("id", max(1, 120 - 9 * index)))
        ]
    )


def weights() -> pl.DataFrame:
    return pl.DataFrame(
        [
            {"n_co_actions": n, "kind": kind, "n_edges": max(0.0, round(level / n**power, 1))}
            for kind, level, power, most in (("observed", 9000, 2.1, 40), ("by chance", 8400, 3.4, 9))
            for n in range(1, most)
        ]
    )


def cluster_sizes() -> pl.DataFrame:
    return (
        clusters()
        .group_by("cluster_id", pl.when("is_core").then(pl.lit("core")).otherwise(pl.lit("periphery")).alias("role"))
        .agg(pl.len().cast(pl.Int64).alias("n_accounts"))
        .sort("cluster_id", "role")
    )


def cluster_ratios() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "cluster_id": [1, 2, 3],
            "ratio": [27.3, 6.1, 11.8],
            "ratio_low": [21.0, 3.9, 7.7],
            "ratio_high": [35.1, 9.4, None],
            "grade": ["beyond shared interest", "beyond shared interest", "closed group"],
        }
    )


def sensitivity() -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "time_window_s": window,
                "max_fdr": limit,
                "n_accounts": int(67 * (0.6 + 0.1 * i) * (1 if limit > 0.02 else 0.8)),
            }
            for i, window in enumerate((10, 30, 60, 300))
            for limit in (0.01, 0.05, 0.1)
        ]
    )


def network() -> tuple[pl.DataFrame, pl.DataFrame]:
    rng = np.random.default_rng(9)
    members = clusters()
    centres = {1: (0.0, 0.0), 2: (9.0, 3.0), 3: (4.0, 8.0)}
    spots = [
        (centres[c][0] + rng.normal() * 1.6, centres[c][1] + rng.normal() * 1.6)
        for c in members["cluster_id"].to_list()
    ]
    nodes = members.select("account_id", "cluster_id", "is_core").with_columns(
        pl.Series("x", [x for x, _ in spots]), pl.Series("y", [y for _, y in spots])
    )
    rows = nodes.to_dicts()
    edges = [
        {"x": a["x"], "y": a["y"], "x2": b["x"], "y2": b["y"], "cluster_id": a["cluster_id"]}
        for i, a in enumerate(rows)
        for b in rows[i + 1 : i + 5]
        if a["cluster_id"] == b["cluster_id"]
    ]
    return nodes, pl.DataFrame(edges)
