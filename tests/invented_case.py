"""A whole invented record of findings, as a run on a synthetic release would give. Nothing here is real."""

import invented
import polars as pl

from workbench.findings import (
    ChanceTest,
    Citation,
    Claim,
    Confidence,
    Deception,
    Findings,
    Observation,
    Section,
)
from workbench.sections.accounts import describe_accounts
from workbench.sections.clusters import describe_clusters
from workbench.sections.coordination import describe_coordination
from workbench.sections.limits import describe_limits
from workbench.sections.method import describe_method
from workbench.sections.release import describe_release

PARAMETERS = {"traces": ["url", "repost"], "time_window_s": 60, "n_shuffles": 20, "max_fdr": 0.05, "seed": 7}


def profiles() -> pl.DataFrame:
    ids = invented.account_ids()
    return pl.DataFrame(
        {
            "account_id": ids,
            "is_revived": [number < 12 for number in range(len(ids))],
            "switched_at": [None] * len(ids),
            "n_resale_phrases": [1 if number < 5 else 0 for number in range(len(ids))],
            "n_same_description": [None] * len(ids),
            "handle_tail_digits": [8 if number < 40 else 0 for number in range(len(ids))],
            "n_following": [1] * len(ids),
            "n_followers": [5] * len(ids),
        },
        schema_overrides={"n_same_description": pl.Int64},
    )


def bursts() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "day": [invented.DAY_0.date(), invented.DAY_0.date().replace(day=2)],
            "n_accounts": [30, 2],
            "expected_n": [0.9, 1.1],
            "p_value": [1e-30, 0.3],
            "fdr": [1e-28, 0.6],
            "is_burst": [True, False],
        }
    )


def fitted_hours() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "utc_offset_h": [7, 8, 9],
            "office_frac": [0.7, 0.76, 0.71],
            "low": [0.65, 0.71, 0.66],
            "high": [0.74, 0.8, 0.75],
            "weekday_ratio": [2.0, 2.1, 2.0],
            "is_plausible": [False, True, True],
        }
    )


def top_objects() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "cluster_id": [1, 1, 2, 3],
            "object_id": [
                "https://ferry.example/timetable",
                "https://ferry.example/islands",
                "渡轮时刻表：新的码头已经开放，请大家转发。",
                "p00017",
            ],
            "trace": ["url", "url", "same_text", "repost"],
            "n_accounts": [38, 31, 17, 9],
            "n_actions": [112, 64, 40, 9],
        }
    )


def origin() -> Section:
    low = Confidence("low", "One published statement; its evidence was not shown to us.")
    said = Citation(
        "Harbour Platform",
        "2031-05-04",
        "these accounts were resold and run from one office",
        "Statement on ferry accounts",
        "https://harbour-platform.example/statement",
    )
    resold = Deception("accounts resold", "5 accounts posted phrases such as “test new owner”.", "post texts")
    return Section(
        "origin",
        [
            Claim(
                "Harbour Platform wrote that “these accounts were resold and run from one office”.",
                "attributed",
                low,
                (said,),
                "one statement of one publisher",
                is_headline=True,
            ),
            Claim(
                "Five accounts were inauthentic in one respect: they changed hands and kept their history.",
                "inauthentic",
                Confidence("moderate", "The phrases are plain, but others may write them in jest."),
                (resold,),
                "420 accounts listed",
            ),
            Claim(
                "It is likely that one timetable served cluster 1.",
                "coordination",
                low,
                (ChanceTest("swap of delays", "0 of 20 swaps gave as many.", n_shuffles=20, p_value=1 / 21),),
                "40 accounts of cluster 1",
                likelihood="likely",
            ),
        ],
        ["Posting hours are consistent with clocks at UTC+8 and UTC+9 and with nothing more."],
    )


def findings(**changes) -> Findings:
    nodes, _ = invented.network()
    clustering = {"n_accounts": 400, "n_shuffles": 20, "max_fdr": 0.05}
    content = {
        "about": invented.about(),
        "sections": [
            describe_release(invented.release()),
            describe_method(
                PARAMETERS, about=invented.about(), period="1 March to 14 May 2031", n_accounts=400, n_posts=1800
            ),
            describe_accounts(
                profiles(),
                bursts=bursts(),
                created=invented.per_month(),
                week_hours=invented.week_hours(),
                utc_offset_h=8,
                fitted_hours=fitted_hours(),
                languages=invented.languages(),
            ),
            describe_coordination(
                invented.scored(),
                actions=invented.actions(),
                time_window_s=60,
                max_fdr=0.05,
                n_shuffles=20,
                clusters=invented.clusters(),
                places=nodes.select("account_id", "x", "y"),
                chance_weights=invented.weights().filter(pl.col("kind") == "by chance").drop("kind"),
            ),
            describe_clusters(invented.clusters(), traces=["url", "repost"], top_objects=top_objects(), **clustering),
            origin(),
            describe_limits(time_window_s=60, n_shuffles=20, coarse_posts_frac=0.1, sensitivity=invented.sensitivity()),
        ],
        "decisions": invented.decisions(),
        "caveats": [
            "Who ran these accounts: nothing in the data says so.",
            "Whether posts deleted before the release would change the picture.",
            "How many people saw the posts: the release carries no figures of reach.",
        ],
        "parameters": PARAMETERS,
        "provenance": {
            "command": "make report CASE=harbour_city",
            "as_of": "2031-06-01",
            "version": 1,
            "version_of_workbench": "0.1.0",
            "seed": 7,
            "git_commit": "0123456789abcdef",
            "packages": {"polars": "2.1.0", "igraph": "1.0.0"},
        },
    }
    return Findings(**{**content, **changes})


def observed(text: str, **others) -> Claim:
    return Claim(
        text, "co-action", Confidence("low", "One day."), (Observation("counted"),), "400 accounts listed", **others
    )
