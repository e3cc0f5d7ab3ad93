"""Signs of origin: a planted clock is found, a flat one is not, and nothing is attributed but in others' words."""

import re
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from workbench.hours import fit_working_hours
from workbench.origin_signs import count_origin_signs, fit_cluster_clocks
from workbench.schema import Quote, check_table, empty_table
from workbench.sections.origin import describe_origin, read_clock

MONDAY = datetime(2031, 3, 3, tzinfo=UTC)
CLUSTERS = pl.DataFrame({"account_id": [f"n{n}" for n in range(30)], "cluster_id": [1] * 30})


def posts(*, offset_h: int | None, seed: int, n: int = 900, who: str = "n") -> pl.DataFrame:
    """Posts of thirty accounts in office hours of one clock, or at any hour where there is none."""
    rng = np.random.default_rng(seed)
    hour = (
        rng.integers(0, 168, n) if offset_h is None else rng.integers(0, 5, n) * 24 + rng.integers(9, 18, n) - offset_h
    )
    rows = {
        "post_id": [f"{who}-{k}" for k in range(n)],
        "account_id": [f"{who}{k}" for k in rng.integers(0, 30, n)],
        "platform": "twitter",
        "posted_at": [
            MONDAY + timedelta(hours=int(h), minutes=int(m)) for h, m in zip(hour, rng.integers(0, 60, n), strict=True)
        ],
        "time_resolution_s": 1.0,
        "lang": "zh" if who == "n" else "en",
        "client": "Web",
        **dict.fromkeys(
            ("text", "repost_of_id", "repost_of_account_id", "reply_to_id", "reply_to_account_id", "quote_of_id")
        ),
        **dict.fromkeys(("n_reposts", "n_likes", "n_replies")),
    }
    lists = {name: [[]] * n for name in ("urls", "hashtags", "mentions", "media_hashes")}
    return check_table(pl.DataFrame({**rows, **lists}), "posts")


def accounts(**changes) -> pl.DataFrame:
    absent = (
        "handle",
        "display_name",
        "created_at",
        "n_followers",
        "n_following",
        "location",
        "description",
        "language",
    )
    ids = [*CLUSTERS["account_id"], *[f"x{n}" for n in range(30)]]
    table = pl.DataFrame({"account_id": ids}).with_columns(platform=pl.lit("twitter"), kind=pl.lit("account"))
    return check_table(
        table.with_columns(**dict.fromkeys(absent), is_pseudonymous=True).with_columns(**changes), "accounts"
    )


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("offset_h", [-5, 0, 8])
def test_a_planted_clock_is_found_in_words_of_stated_probability(offset_h, seed):
    clocks = fit_cluster_clocks(posts(offset_h=offset_h, seed=seed), CLUSTERS, seed=seed)
    found = read_clock(clocks)
    assert found["stands_out"]
    assert found["low_h"] <= offset_h <= found["high_h"]
    claim = describe_origin(empty_signs(), clocks=clocks).claims[0]
    assert claim.likelihood in ("very likely", "almost certain")
    assert claim.text.startswith(f"If cluster 1 kept office hours, it is {claim.likelihood} that the clock was UTC")
    assert claim.confidence.level == "low"
    assert claim.level == "co-action"


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_posting_at_any_hour_points_at_no_clock(seed):
    clocks = fit_cluster_clocks(posts(offset_h=None, seed=seed), CLUSTERS, seed=seed)
    assert not read_clock(clocks)["stands_out"]
    assert (
        describe_origin(empty_signs(), clocks=clocks)
        .claims[0]
        .text.startswith("No clock makes the posting of cluster 1 look like office work")
    )


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_free_evenings_are_not_taken_for_office_hours_far_to_the_west(seed):
    rng = np.random.default_rng(seed)
    base = posts(offset_h=0, seed=seed, n=3000)
    awake = rng.choice([*range(7, 24), *range(17, 24), *range(18, 23)], base.height)
    moment = [
        MONDAY + timedelta(days=int(day), hours=int(hour) - 3)
        for day, hour in zip(rng.integers(0, 28, base.height), awake, strict=True)
    ]
    evenings = base.with_columns(posted_at=pl.Series(moment).cast(pl.Datetime("us", "UTC")))
    clocks = fit_cluster_clocks(evenings, CLUSTERS, seed=seed)
    assert not read_clock(clocks)["stands_out"]


def empty_signs() -> pl.DataFrame:
    return count_origin_signs(accounts(), posts(offset_h=0, seed=1).clear(), CLUSTERS).clear()


def test_the_narrowest_run_of_clocks_with_four_fifths_of_the_draws_is_taken():
    fit = fit_working_hours(posts(offset_h=8, seed=1), n_bootstrap=20, seed=1)
    shares = {7: 0.3, 8: 0.45, 9: 0.15, 10: 0.1}
    fit = fit.with_columns(best_frac=pl.col("utc_offset_h").replace_strict(shares, default=0.0))
    found = read_clock(fit)
    assert (found["low_h"], found["high_h"], round(found["probability"], 2)) == (7, 9, 0.9)
    assert read_clock(fit.clear()) is None


def test_signs_are_counted_beside_everybody_else_and_rare_places_left_out():
    place = pl.when(pl.col("account_id").str.starts_with("n")).then(
        pl.when(pl.col("account_id").is_in(["n1", "n2"])).then(pl.lit("Third Pier")).otherwise(pl.lit("Harbour City"))
    )
    both = pl.concat([posts(offset_h=8, seed=1), posts(offset_h=None, seed=2, who="x")])
    signs = count_origin_signs(accounts(location=place, language=pl.lit("zh-CN")), both, CLUSTERS)
    assert signs.select("sign", "value", "n", "n_whole", "others_frac").rows() == [
        ("language of posts", "zh", 900, 900, 0.0),
        ("interface language", "zh-cn", 30, 30, 1.0),
        ("place stated", "Harbour City", 28, 30, None),
        ("application", "Web", 900, 900, 1.0),
    ]


def test_the_table_says_what_else_would_look_the_same():
    both = pl.concat([posts(offset_h=8, seed=1), posts(offset_h=None, seed=2, who="x")])
    section = describe_origin(
        count_origin_signs(accounts(), both, CLUSTERS), clocks=fit_cluster_clocks(both, CLUSTERS, seed=1)
    )
    rows = {row["sign"]: row for row in section.tables[0].rows}
    assert rows["Language of posts"]["seen"] == "Chinese 100%"
    assert rows["Language of posts"]["others"] == "Chinese 0%"
    assert "every other place on such a clock" in section.prose[2]
    assert len(section.claims) == 1
    assert section.claims[0].text.endswith(
        "100% of the posts of cluster 1 are labelled Chinese, against 0% among everybody else; that says whom they "
        "address, not who wrote them."
    )
    assert "none is quoted" in section.prose[0]


def several(offsets: dict[int, int | None]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Signs and clocks of clusters of thirty accounts each, by the clock they keep (none = posting at any hour)."""
    tables, members = [], []
    for number, offset_h in offsets.items():
        tables.append(
            posts(offset_h=offset_h, seed=number).with_columns(
                account_id=pl.format("c{}{}", pl.lit(number), "account_id"), lang=pl.lit("en" if number == 4 else "zh")
            )
        )
        members.append(tables[-1].select("account_id", cluster_id=pl.lit(number)).unique())
    both, clusters = pl.concat([*tables, posts(offset_h=None, seed=9, who="x")]), pl.concat(members)
    return count_origin_signs(accounts(), both, clusters), fit_cluster_clocks(both, clusters, seed=1)


def test_clusters_of_the_same_result_share_one_sentence():
    signs, clocks = several({1: 8, 2: None, 3: 8, 4: None})
    texts = [claim.text for claim in describe_origin(signs, clocks=clocks).claims]
    assert len(texts) == 4
    assert texts[0].startswith("If clusters 1 and 3 kept office hours, it is almost certain that the clock was UTC+8: ")
    assert ": 100% of their posting falls into those hours there. Such a clock is kept in central" in texts[0]
    assert texts[1].startswith("No clock makes the posting of clusters 2 and 4 look like office work: at best, ")
    assert re.search(r": at best, [\d.]+% and [\d.]+% \(in this order\) of their posting falls into those", texts[1])
    assert texts[2] == (
        "100% of the posts of clusters 1, 2 and 3 are labelled Chinese, against 0% among everybody else; that says "
        "whom they address, not who wrote them."
    )
    assert texts[3].startswith("100% of the posts of cluster 4 are labelled English, against 100% among")


def test_every_cluster_is_spoken_of_once_whatever_is_grouped():
    signs, clocks = several({1: 8, 2: None, 3: 0, 4: 8, 5: -5})
    section = describe_origin(signs, clocks=clocks)
    about_clocks = [claim for claim in section.claims if "office" in claim.text]
    heads = [re.split(" look like| kept", claim.text)[0] for claim in about_clocks]
    named = [number for head in heads for number in re.findall(r"[1-5]", head)]
    assert sorted(named) == ["1", "2", "3", "4", "5"]
    assert all(claim.evidence and claim.denominator and claim.confidence.level == "low" for claim in section.claims)


def test_what_is_said_of_two_groups_and_the_same_two_stands_in_one_claim():
    signs, clocks = several({1: 8, 2: 8})
    (claim,) = describe_origin(signs, clocks=clocks).claims
    assert claim.text.startswith("If clusters 1 and 2 kept office hours")
    assert claim.text.endswith("not who wrote them.")
    assert claim.denominator.endswith("900 and 900 posts with a language")


def test_more_clusters_than_are_looked_at_are_counted():
    signs, clocks = several(dict.fromkeys(range(1, 8), 8))
    assert "Looked at are the 5 largest of 7 clusters." in describe_origin(signs, clocks=clocks).prose


def test_attribution_stands_only_in_quotation_marks_with_publisher_and_day():
    quote = Quote("origin", "The platform", "2031-05-04", "a state-backed operation", "Statement", "https://a.example")
    section = describe_origin(
        empty_signs(), clocks=fit_cluster_clocks(empty_table("posts"), CLUSTERS, seed=1), quoted=[quote]
    )
    claim = section.claims[0]
    assert (claim.level, claim.text) == ("attributed", "The platform wrote on 4 May 2031: “a state-backed operation”")
    assert claim.evidence[0].published_on == "2031-05-04"
    assert "Without times of posting" in section.prose[0]


def test_without_clusters_everybody_is_one_group():
    nobody = CLUSTERS.clear()
    table = posts(offset_h=8, seed=1)
    clocks = fit_cluster_clocks(table, nobody, seed=1)
    section = describe_origin(count_origin_signs(accounts(), table, nobody), clocks=clocks)
    assert section.claims[0].text.startswith("If the accounts of this release kept office hours")


def test_without_any_sign_it_says_why_it_is_empty():
    clocks = fit_cluster_clocks(empty_table("posts"), CLUSTERS, seed=1)
    assert "no time of posting" in describe_origin(empty_signs(), clocks=clocks).empty_reason
