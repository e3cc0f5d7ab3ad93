"""The 2019 loop on the demo: a tip from the first platform finds the second one's planted, and nobody else."""

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from small_case import clusters_a, platform_a, platform_b, release, scored_a

from workbench.actions import extract_actions
from workbench.coaction import count_co_actions
from workbench.network import connect_members, place_accounts
from workbench.platforms import combine_releases, list_bridges, load_second, summarise_bridges
from workbench.privacy import protect_release
from workbench.schema import ParameterError
from workbench.sections.indicators import describe_indicators
from workbench.sharing import collect_evidence, hide_accounts, match_indicators
from workbench.sharing.indicators import build_indicators
from workbench.sharing.levels import apply_level
from workbench.simulate.second_platform import simulate_second_platform
from workbench.sources import load_release

DATASETS = Path(__file__).parents[2] / "datasets"
KEY = b"k" * 32


@pytest.fixture(scope="module")
def first():
    return load_release(DATASETS / "demo")


@pytest.fixture(scope="module")
def second():
    return load_release(DATASETS / "demo_platform_b")


def read_truth(name):
    return pl.read_csv(DATASETS / name, infer_schema=False)


def public_tip(first):
    """The planted clusters as a public package hands them on: pseudonyms, links, hashes."""
    shown = protect_release(first, key=KEY)
    names = dict(zip(first.accounts["account_id"], shown.accounts["account_id"], strict=True))
    planted = read_truth("demo/truth.csv").filter(pl.col("cluster").is_in(["tram", "toll"]))
    clusters = planted.select(
        pl.col("account_id").replace_strict(names),
        cluster_id=pl.when(pl.col("cluster") == "tram").then(1).otherwise(2),
        strength=pl.lit(1.0),
        is_core=pl.col("is_core") == "true",
    )
    return build_indicators(apply_level(collect_evidence(shown, clusters=clusters), level="public").indicator_rows)


def test_the_tip_finds_every_planted_page_group_and_account_and_nobody_else(first, second):
    truth = read_truth("demo_platform_b/truth.csv")
    report = match_indicators(public_tip(first), second)
    planted = truth.filter(role="planted")
    assert planted.group_by("kind").len().sort("kind").rows() == [("account", 5), ("group", 3), ("page", 7)]
    assert sorted(report.implicated) == sorted(planted["account_id"])
    touched = truth.filter(pl.col("account_id").is_in(report.accounts["account_id"].implode()))
    assert {"sharer", "asker"} <= set(touched["role"])


def test_nothing_shown_of_a_match_names_small_accounts(first, second):
    report = match_indicators(public_tip(first), second)
    shown = hide_accounts(report, second, protect_release(second, key=KEY))
    small = second.accounts.filter(pl.col("n_followers").fill_null(0) < 5_000)["account_id"]
    assert not shown.accounts["account_id"].is_in(small.implode()).any()
    assert not shown.hits["account_id"].is_in(small.implode()).any()
    assert shown.accounts.drop("account_id").equals(report.accounts.drop("account_id"))


def test_the_shipped_folder_is_what_the_demo_gives(first, tmp_path):
    truth_posts = read_truth("demo/truth_posts.csv.gz")
    made = {"posts": first.posts, "truth_posts": truth_posts, "accounts": first.accounts, "seed": 2019}
    folder = simulate_second_platform(tmp_path / "demo_platform_b", **made)
    for file in folder.iterdir():
        assert file.read_bytes() == (DATASETS / "demo_platform_b" / file.name).read_bytes(), file.name


def test_a_folder_in_use_and_a_world_without_waves_are_refused(first, tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b").write_text("x")
    truth_posts = read_truth("demo/truth_posts.csv.gz")
    made = {"posts": first.posts, "accounts": first.accounts, "seed": 1}
    with pytest.raises(ParameterError, match="empty folder"):
        simulate_second_platform(tmp_path / "a", truth_posts=truth_posts, **made)
    with pytest.raises(ParameterError, match="no planted waves"):
        simulate_second_platform(tmp_path / "c", truth_posts=truth_posts.clear(), **made)


def combined():
    return combine_releases([platform_a(), platform_b(n_innocent=3)], name="both", title="Both")


def test_combined_ids_carry_their_platform():
    both = combined()
    assert set(both.accounts["account_id"].str.extract(r"^(\w+):")) == {"twitter", "facebook"}
    assert both.posts.height == platform_a().posts.height + platform_b(n_innocent=3).posts.height
    assert both.about.platform == "facebook and twitter"
    assert both.about.is_synthetic
    assert "joined 2 releases" in both.decisions["action"].to_list()


def test_co_actions_are_counted_across_platforms():
    """On A four accounts post a story within 18 seconds; on B the page posts it in the same minute."""
    both = combined()
    actions = extract_actions(both.posts, traces=["url", "same_text", "repost"])
    bridges = list_bridges(count_co_actions(actions, time_window_s=60), both.accounts)
    across = bridges.filter("is_bridge", trace="url")
    # Three links: four accounts 0 to 18 s in, the page on the minute, the group 60 s later; the sharer once on the
    # minute; and two people of B with the news link within a minute of one of A.
    assert across["n_co_actions"].sum() == 3 * (4 + 4) + 4 + 2
    assert set(across["platform_a"]) == {"facebook"}
    summary = summarise_bridges(bridges.filter(pl.col("trace") == "url"))
    assert summary.filter("is_bridge").select("platforms", "n_edges", "n_accounts").row(0) == (
        "facebook and twitter",
        14,
        10,
    )
    assert not (bridges["trace"] == "repost").any()


def test_releases_that_overlap_or_are_alone_are_refused():
    with pytest.raises(ParameterError, match="two or more"):
        combine_releases([platform_a()], name="a", title="a")
    with pytest.raises(ParameterError, match="in two of the releases"):
        combine_releases([platform_a(), platform_a()], name="a", title="a")
    both = combined()
    assert combine_releases([both, release([], [], name="c", platform="x")], name="d", title="d").accounts.equals(
        both.accounts
    )


def test_a_case_without_a_second_platform_gets_an_empty_one(tmp_path):
    (tmp_path / "case").mkdir()
    assert load_second(tmp_path / "case").posts.is_empty()
    assert load_second(DATASETS / "demo").accounts.height == 495
    assert load_second(tmp_path / "case", second="demo_platform_b").accounts.height == 495


def small_section():
    found = collect_evidence(platform_a(), clusters=clusters_a(), scored=scored_a(), time_window_s=60)
    tip = build_indicators(apply_level(found, level="trusted").indicator_rows)
    report = match_indicators(tip, platform_b())
    both = combined()
    edges = count_co_actions(extract_actions(both.posts, traces=["url"]), time_window_s=60)
    bridges = list_bridges(edges, both.accounts)
    members = both.accounts.select("account_id")
    clusters = pl.DataFrame({"account_id": ["twitter:op0", "facebook:900"], "cluster_id": 1, "grade": "closed group"})
    return describe_indicators(
        tip,
        n_accounts=8,
        report=report,
        platform="facebook",
        bridges=bridges,
        places=place_accounts(connect_members(edges, members), seed=1),
        clusters=clusters,
        n_shuffles=20,
    )


def test_the_section_says_it_in_sentences():
    section = small_section()
    texts = [claim.text for claim in section.claims]
    assert texts[0] == "4 accounts, 3 addresses, 2 domains, 1 hashtag and 4 texts are listed as indicators."
    assert texts[1].startswith("On Facebook, 1 page and 1 group are hit") or "1 group and 1 page are hit" in texts[1]
    assert "1 other touched something on the list and stays below that" in texts[1]
    assert "stand on two platforms" in texts[2]
    assert section.claims[3].level == "coordination"
    assert {figure.name for figure in section.figures} == {"match_verdicts", "bridge"}
    assert any("insufficient to attribute" in paragraph for paragraph in section.prose)


def test_every_indicator_in_the_section_is_defanged():
    """What the section prints are the package's rows; a live link would be the package's fault."""
    table = next(table for table in small_section().tables if table.name == "matched_accounts")
    assert table.rows[0]["verdict"] == "corroborated"


def test_the_section_says_why_it_is_empty():
    section = describe_indicators(build_indicators([]), n_accounts=8)
    assert "nothing distinctive" in section.empty_reason


def test_a_match_that_hits_nobody_is_said_too():
    tip = build_indicators([{"indicator_value": "gone.example"}])
    report = match_indicators(tip, replace(platform_b(), about=platform_b().about))
    section = describe_indicators(tip, n_accounts=8, report=report)
    assert "No account is hit" in section.claims[1].text
    assert {figure.name for figure in section.figures} == set()
