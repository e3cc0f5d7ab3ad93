"""The page of `make evaluate` builds from small tables, and says where the test fails as well as where it does not."""

import re
import sys
from pathlib import Path

import polars as pl
import pytest

sys.path.insert(0, str(Path(__file__).parent / "benchmarks"))
import benign_worlds
import evaluate_page

METHODS = ("cluster test", "weight above 0.5", "weight above 0.9", "cosine, top 0.5 %", "cosine, top 0.1 %")
AT_EQUAL = ("weight, as many accounts", "cosine, as many accounts")
# f1 per regime, in the order of METHODS and AT_EQUAL
F1 = {"bursts": (0.95, 0.2, 0.6, 0.1, 0.3, 0.9, 0.5), "drip": (0.85, 0.1, 0.9, 0.0, 0.2, 0.4, 0.3)}


@pytest.fixture
def tables(tmp_path):
    rows = [
        {"method": method, "regime": regime, "sizes": "40", "seed": seed, "f1": f1, "recall": f1, "coverage_frac": 0.01}
        for regime, values in F1.items()
        for seed in (1000, 1001)
        for method, f1 in zip((*METHODS, *AT_EQUAL), values, strict=True)
    ]
    pl.DataFrame(rows).with_columns(weighted_precision="f1").write_csv(tmp_path / "clusters.csv")
    rows = [
        {
            "method": method, "regime": name, "seed": seed, "n_accounts": n, "n_alike": min(n, n_alike),
            "n_alike_in_world": n_alike,
        }
        for name, n_alike in (("organic", 0), ("newsroom", 7))
        for seed in (1000, 1001)
        for method, n in (("cluster test", n_alike), ("weight above 0.5", 400), ("cosine, top 0.5 %", 90))
    ]  # fmt: skip
    pl.DataFrame(rows).write_csv(tmp_path / "controls.csv")
    return tmp_path


def test_the_page_builds_and_opens_with_where_the_test_fails(tables):
    evaluate_page.main(tables, tables / "page.html", None)
    page = (tables / "page.html").read_text(encoding="utf-8")
    assert re.findall("<h2>(.*?)</h2>", page)[0] == "Where it fails"
    assert "other seeds (clusters 1000 to 1001, controls 1000 to 1001)" in page
    assert "reported a group in 0 of 2 worlds (0 to 84 %)" in page
    assert "on average 7 of its 7 accounts, with 0.0 others" in page
    assert "In drip it has an F1 of 0.850; ahead of it: weight above 0.9 (0.900)." in page
    assert "F1 was below 0.9 in 2 worlds of drip" in page


def test_worlds_with_a_clock_say_what_was_set_apart():
    clocks = pl.DataFrame(
        {
            "regime": "full_hour", "windows_s": "60", "seed": [1, 2], "n_clusters": [0, 1], "n_clocked": [20, 10],
            "f1": [None, 0.5], "at_start_frac": [None, 0.9],
        }
    )  # fmt: skip
    row = evaluate_page.judge_clocks(clocks).row(0, named=True)
    assert row["worlds reporting"].startswith("1 of 2 worlds")
    assert (row["set apart"], row["F1"]) == ("15.0", "0.50 (0.50 to 0.50)")


def test_a_line_is_chosen_without_the_campaign_it_is_judged_on(tables):
    clusters = pl.read_csv(tables / "clusters.csv", schema_overrides={"sizes": pl.String})
    held_out = {row["held out"]: row for row in evaluate_page.leave_one_campaign_out(clusters, sizes="40").to_dicts()}
    assert held_out["bursts"]["weight line"] == "above 0.9"
    assert held_out["drip"]["cosine, line from the others"].startswith("0.20")
    assert held_out["bursts"]["weight, best line in hindsight"] == "0.60"


def test_equal_coverage_compares_with_the_better_of_both(tables):
    clusters = pl.read_csv(tables / "clusters.csv", schema_overrides={"sizes": pl.String})
    compared = evaluate_page.compare_at_equal_coverage(clusters, sizes="40")
    assert compared["ahead of the better one by"].to_list() == ["0.05 (0.05 to 0.05)", "0.45 (0.45 to 0.45)"]
    assert compared["coverage of all accounts"].to_list() == ["1.0 %", "1.0 %"]


def test_innocent_groups_are_in_their_worlds_as_said():
    newsroom = benign_worlds.make_control("newsroom", seed=1, n_organic=300)
    sisters = newsroom.actions.filter(pl.col("account_id").is_in(newsroom.truth["account_id"].implode()))
    spread = sisters.group_by("object_id").agg(
        s=(pl.col("acted_at").max() - pl.col("acted_at").min()).dt.total_seconds()
    )
    assert (newsroom.truth.height, spread["s"].max() <= 20) == (7, True)
    clock = benign_worlds.make_control("schedulers", seed=1, n_organic=300)
    moved = clock.actions.filter(pl.col("account_id").is_in(clock.truth["account_id"].implode()))
    assert (moved["acted_at"].dt.minute() == 0).all()
    assert (moved["acted_at"].dt.second() < 2).all()


def test_real_roles_are_measured_with_intervals(shared_data):
    roles = evaluate_page.measure_roles(shared_data)
    leiden = roles.row(by_predicate=pl.col("method") == "Leiden on all co-actions", named=True)
    assert re.fullmatch(r"0\.\d\d \(0\.\d\d to [01]\.\d\d\)", leiden["ARI with roles"])
    assert "Silence of the test is no acquittal." in evaluate_page.say_of_real_accounts(roles)


def test_errors_of_edges_are_named_where_they_exceed_the_aim():
    rows = [
        {
            "null": null,
            "regime": regime,
            "seed": seed,
            "kept": kept,
            "estimated": 0.5 + error + 0.01 * seed,
            "true": 0.5,
        }
        for null, seed in (("hours kept", -1), ("hours kept", 1), ("plain", 60))
        for regime, kept, error in (("drip", 100, 0.3), ("drip", 200, 0.02), ("by_day", 200, -0.4))
    ]
    shares = {"true": 0.1, "recall": 0.4, "recall_by_count": 0.2}
    at_line = {"null": "hours kept", "seed": 1, "kept": -1, "n_kept": 3} | shares
    rows += [{"regime": regime} | at_line for regime in ("drip", "by_day")]
    edges = pl.DataFrame(rows, infer_schema_length=None)
    assert evaluate_page.say_edge_errors(edges) == (
        "The false discovery rate of edges is within 0.05 of the true one, on average over worlds, at 1 of 2 "
        "combinations of world and number of edges above 100. Beyond: by_day at 200 (-0.40); below 0 it flatters. "
        "Of the true edges few pass the line of 5 % singly where a group acts in small parts: 40 % in drip; the test "
        "of groups, which adds their signs up, finds these groups."
    )
    difference, power = evaluate_page.summarise_edges(edges)
    drip = difference.filter(regime="drip", shuffle="hours kept")
    assert drip["200"].to_list() == ["0.02 (0.01 to 0.03)"]
    assert power["recall_by_count"].to_list() == [0.2, 0.2]


def test_silence_is_counted_by_world_and_over_all_but_those_that_keep_days():
    silence = pl.DataFrame(
        {
            "regime": ["organic", "organic", "fans", "by_day"], "seed": [1, 2, 1, 1], "traces": "one",
            "n_clusters": [0, 1, 0, 1], "n_accounts": [0, 5, 0, 4], "n_clocked": [0, 0, 0, 9],
        }
    )  # fmt: skip
    rows = {row["world"]: row for row in evaluate_page.judge_silence(silence).to_dicts()}
    assert rows["organic"]["worlds reporting"].startswith("1 of 2 worlds")
    assert rows["all but by_day"]["worlds reporting"].startswith("1 of 3 worlds")
    assert rows["all"]["worlds reporting"].startswith("2 of 4 worlds")
    assert (rows["by_day"]["accounts reported"], rows["by_day"]["accounts set apart"]) == (4, 9)


def test_p_values_are_shared_out_by_world_and_traces():
    p_values = pl.DataFrame(
        {"regime": "fans", "seed": [1, 2], "traces": "one", "line": 0.05, "n": [40, 60], "n_below": [2, 3]}
    )
    row = evaluate_page.judge_p_values(p_values).row(0, named=True)
    assert (row["candidates"], row["at or below 0.05"][:4]) == (100, "0.05")


def test_alerts_are_among_the_failures():
    alerts = {"regime": "alerts", "seed": [1, 2], "n_clusters": [1, 1], "at_start_frac": [0.9, 0.9]}
    said = evaluate_page.say_alerts(pl.DataFrame(alerts))
    assert "reported in 2 of 2 worlds (16 to 100 %)" in said[0]
    assert "in 0.90 (0.90 to 0.90) of their meetings" in said[0]
    assert evaluate_page.say_alerts(pl.DataFrame(alerts).clear()) == []


def test_the_kept_page_is_what_its_tables_give(tmp_path):
    kept = Path(__file__).parents[1] / "docs" / "evaluation"
    evaluate_page.main(kept, tmp_path / "page.html", None)
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == (kept / "page.html").read_text(encoding="utf-8")
