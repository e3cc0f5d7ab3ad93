import invented
import polars as pl
import pytest

from workbench.findings import Findings, Section
from workbench.published import check_published
from workbench.schema import ParameterError, empty_table
from workbench.sections.accounts import describe_accounts
from workbench.sections.clusters import describe_clusters
from workbench.sections.coordination import describe_coordination
from workbench.sections.limits import describe_limits
from workbench.sections.method import describe_method
from workbench.sections.release import describe_release

CLUSTERING = {"n_accounts": 400, "n_shuffles": 20, "max_fdr": 0.05}
PARAMETERS = {"traces": ["url", "repost"], "time_window_s": 60, "n_shuffles": 20, "max_fdr": 0.05, "seed": 7}


def texts(section: Section) -> str:
    cards = [text for card in section.cards for text in (card.title, *card.facts.values(), *card.prose)]
    return "\n".join([*(claim.text for claim in section.all_claims), *section.prose, *cards])


def test_release_counts_announced_listed_and_active():
    section = describe_release(invented.release())
    active = invented.posts()["account_id"].n_unique()
    assert section.claims[0].text == (
        f"Twitter announced 430 accounts; the files list 420 accounts, of which {active} posted."
    )
    assert "1,800 posts from 1 March 2031" in section.claims[1].text
    assert section.claims[2].text == "3 records could not be read and are set aside, with the reason."
    rows = {row["what"]: row["value"] for row in section.tables[0].rows}
    assert rows["Accounts active"] == active
    assert rows["Posts timed to the minute"] == 180
    assert sum(row["n_posts"] for row in section.tables[1].rows) == 1800
    assert sum(row["n_posts"] for row in section.figures[0].table) == 1800


def test_a_log_of_shares_lists_no_accounts_and_is_timed_to_the_second():
    posts = invented.posts().with_columns(time_resolution_s=pl.lit(1.0))
    absent = ("handle", "display_name", "created_at", "n_followers", "n_following", "location", "description")
    accounts = invented.accounts().with_columns(
        *[pl.lit(None, invented.accounts().schema[name]).alias(name) for name in absent]
    )
    accounts = accounts.join(posts, on="account_id", how="semi")
    about = invented.about(announced_accounts=None)
    section = describe_release(invented.release(posts=posts, accounts=accounts, about=about))
    assert section.claims[0].text == f"The files hold posts by {accounts.height} accounts and no list of accounts."
    rows = {row["what"]: (row["value"], row["of_what"]) for row in section.tables[0].rows}
    assert rows["Accounts listed"] == (accounts.height, "accounts with a post; no list was given")
    assert rows["Posts timed to the second"] == (1800, "time as published")
    assert "Posts timed to the minute" not in rows
    assert {row["language"] for row in section.tables[1].rows} == {"English", "Chinese"}


def test_release_fills_days_without_posts_and_widens_the_period_of_long_ones():
    posts = (
        invented.posts()
        .head(2)
        .with_columns(
            posted_at=pl.Series([invented.DAY_0, invented.DAY_0.replace(year=2041)]).cast(pl.Datetime("us", "UTC"))
        )
    )
    figure = describe_release(invented.release(posts=posts)).figures[0]
    assert figure.title == "Posts per month"
    assert len(figure.table) == 121
    assert sum(row["n_posts"] for row in figure.table) == 2


def test_release_without_posts_or_without_anything_says_so():
    only_accounts = describe_release(invented.release(posts=empty_table("posts")))
    assert "and hold no posts" in only_accounts.claims[0].text
    assert not only_accounts.figures
    assert describe_release(invented.empty_release()).empty_reason == "The release holds neither accounts nor posts."


def test_release_prints_checked_figures_in_words_and_no_empty_column():
    tables = describe_release(invented.release(), checks=check_published(invented.release())).tables
    (checked,) = [table for table in tables if table.name == "published_figures"]
    assert "tolerance" not in checked.rows[0]
    assert [row["figure"] for row in checked.rows] == ["accounts"]


def test_clusters_say_the_ratio_sentence_and_never_inauthentic_without_a_not():
    section = describe_clusters(invented.clusters(), traces=["url"], **CLUSTERING)
    assert section.claims[0].text == "67 of 400 accounts (16.8%) acted together beyond chance, in 3 clusters."
    claim = section.cards[0].claims[0]
    assert claim.text == (
        "The 40 accounts of cluster 1 acted together 27 times as often as others did on the same links."
    )
    assert {claim.level for claim in section.all_claims} == {"coordination"}
    assert section.cards[2].claims[0].confidence.level == "low"
    for card in section.cards:
        assert "does not say inauthentic" in card.prose[1]


def test_clusters_of_several_kinds_of_traces_act_on_things():
    section = describe_clusters(invented.clusters(), traces=["url", "repost"], has_control=True, **CLUSTERING)
    assert "on the same things" in section.cards[0].claims[0].text
    assert section.cards[0].claims[0].confidence.level == "high"


def test_clusters_show_what_they_acted_on_and_where_known_windows_and_counts():
    top = pl.DataFrame({"cluster_id": [1, 2], "object_id": ["a", "b"], "n_accounts": [30, 9], "n_actions": [60, 11]})
    clusters = invented.clusters().with_columns(
        n_co_actions=pl.lit(1204), expected_n=pl.lit(44.1), time_window_s=pl.lit(60.0)
    )
    card = describe_clusters(clusters, traces=["url"], top_objects=top, **CLUSTERING).cards[0]
    assert card.facts["Co-actions seen and due"] == "1,204 seen, 44.1 due at the others' rate"
    assert card.facts["Time window"] == "60 seconds"
    assert [row["object_id"] for row in card.tables[0].rows] == ["a"]


def test_cards_say_how_stable_a_cluster_is_with_coverage_beside_and_whether_alerts_would_do():
    runs = pl.DataFrame(
        {
            "seed": [7, 8],
            "n_clusters": [3, 3],
            "n_accounts": [67, 60],
            "coverage_frac": [0.1675, 0.15],
            "ari": [1.0, 0.9],
        }
    )
    each = pl.DataFrame(
        {"cluster_id": [1, 2, 3], "n_repeats": [1] * 3, "n_found_again": [1, 1, 0], "mean_jaccard": [0.95, 0.9, 0.2]}
    )
    clusters = invented.clusters().with_columns(at_start_frac=pl.when(cluster_id=1).then(0.9).otherwise(0.2))
    section = describe_clusters(clusters, traces=["url"], repeats=(runs, each), **CLUSTERING)
    first, second, third = section.cards
    assert first.facts["Found again with other splits"] == "1 of 1, on average 95.0% the same accounts"
    assert third.facts["Found again with other splits"] == "0 of 1, on average 20.0% the same accounts"
    assert first.claims[0].confidence.level == "moderate"
    assert third.claims[0].confidence.basis == "Only 0 of 1 other splits of the objects find it again."
    assert first.prose[-1].endswith("times cannot tell these apart.")
    assert second.prose[-1].endswith("alerts about new things does not explain those.")
    table = next(table for table in section.tables if table.name == "cluster_repeats")
    assert [(row["coverage_frac"], row["ari"]) for row in table.rows] == [("16.8%", 1.0), ("15.0%", 0.9)]


AGREEMENT = pl.DataFrame(
    {
        "over": ["accounts in both", "all judged"], "n_accounts": [40, 300], "ari": [0.1, 0.42], "low": [0.0, 0.31],
        "high": [0.2, 0.5], "coverage_frac": [0.6, 1.0], "n_clusters": [3, 3], "n_groups": [2, 2],
    }
)  # fmt: skip
CROSSED = pl.DataFrame(
    [(1, 2, 30), (1, None, 20), (2, 2, 4), (None, 1, 200), (None, 2, 6), (None, None, 40)],
    schema=["cluster_id", "behaviour_id", "n_accounts"],
    orient="row",
)


def test_clusters_say_how_far_like_behaviour_agrees_with_coverage_beside():
    section = describe_clusters(invented.clusters(), traces=["url"], agreement=AGREEMENT, crossed=CROSSED, **CLUSTERING)
    claim = section.claims[1]
    assert claim.text == (
        "Grouped by how each behaves alone, without a look at who acted with whom, 300 accounts fall into 2 groups and "
        "a rest. In 1 of them most accounts are in a cluster: 34 of 40, and these are 34 of 54 clustered accounts "
        "(63.0%) that could be judged. The two groupings agree by 0.42 (95% interval 0.31 to 0.50; 0 is chance, 1 the "
        "same groups)."
    )
    assert (claim.level, claim.confidence.level) == ("co-action", "low")
    agreement, crossed = section.tables[-2:]
    assert [(row["ari"], row["coverage"]) for row in agreement.rows] == [(0.1, "60.0%"), (0.42, "100%")]
    assert crossed.rows[0] == {"cluster": "Cluster 1", "Group 1": 0, "Group 2": 30, "Like no group": 20}
    assert crossed.rows[-1] == {"cluster": "In no cluster", "Group 1": 200, "Group 2": 6, "Like no group": 40}


def test_clusters_without_groups_of_like_behaviour_say_nothing_of_them():
    none = AGREEMENT.with_columns(n_groups=pl.lit(0))
    section = describe_clusters(invented.clusters(), traces=["url"], agreement=none, crossed=CROSSED, **CLUSTERING)
    assert len(section.claims) == 1
    apart = CROSSED.filter(pl.col("cluster_id").is_null() | pl.col("behaviour_id").is_null())
    section = describe_clusters(invented.clusters(), traces=["url"], agreement=AGREEMENT, crossed=apart, **CLUSTERING)
    assert "In none of these groups are most accounts in a cluster." in section.claims[1].text


def test_no_cluster_is_a_finding_too():
    section = describe_clusters(invented.clusters().clear(), traces=["url"], **CLUSTERING)
    assert section.claims[0].text.startswith("No group of accounts acted together beyond chance")
    assert not section.cards


def test_no_actor_is_no_finding():
    nobody = describe_clusters(empty_table("clusters"), n_accounts=0, traces=["url"], n_shuffles=20, max_fdr=0.05)
    assert nobody.empty_reason == "No account acted by the traces asked for, so there is no group to test."


def test_coordination_counts_pairs_and_those_beyond_chance():
    scored, actions = invented.scored(), invented.actions()
    nodes, _ = invented.network()
    section = describe_coordination(
        scored,
        actions=actions,
        time_window_s=60,
        max_fdr=0.05,
        n_shuffles=20,
        clusters=invented.clusters(),
        places=nodes.select("account_id", "x", "y"),
        chance_weights=pl.DataFrame({"n_co_actions": [1, 2], "n_edges": [700.0, 20.5]}),
    )
    kept = scored.filter(pl.col("fdr") <= 0.05).height
    assert section.claims[0].text.startswith("900 pairs of accounts acted on the same thing within 60 seconds")
    assert section.claims[1].text.startswith(f"{kept} of 900 pairs")
    assert [claim.level for claim in section.claims] == ["co-action", "coordination"]
    assert {figure.name for figure in section.figures} == {"weight_distribution", "network"}
    by_trace = {row["trace"]: row for row in section.tables[0].rows}
    assert by_trace["link"]["n_pairs_kept"] == kept
    assert by_trace["repost"]["n_pairs_kept"] == 0


def test_groups_that_a_clock_explains_are_listed_and_not_called_coordinated():
    options = {"actions": invented.actions(), "time_window_s": 60, "max_fdr": 0.05, "n_shuffles": 20}
    none = pl.DataFrame(
        schema={"cluster_id": pl.Int64, "clock_s": pl.Float64, "ratio": pl.Float64, "clock_ratio": pl.Float64}
    )
    assert "No group that acted together was set apart" in texts(
        describe_coordination(invented.scored(), clocks=none, **options)
    )
    clocks = pl.DataFrame(
        {"cluster_id": [1, 1, 1], "clock_s": [3600.0] * 3, "ratio": [15.04] * 3, "clock_ratio": [0.9] * 3}
    )
    section = describe_coordination(invented.scored(), clocks=clocks, **options)
    assert "1 group of 3 accounts in all" in texts(section)
    assert list(section.tables[-1].rows) == [{"n_accounts": 3, "clock_minutes": 60, "ratio": 15.0, "clock_ratio": 0.9}]


def test_coordination_without_actions_pairs_or_pairs_beyond_chance():
    options = {"time_window_s": 60, "max_fdr": 0.05, "n_shuffles": 20}
    none = describe_coordination(empty_table("scored"), actions=empty_table("actions"), **options)
    assert "No post carries a trace" in none.empty_reason
    no_pairs = describe_coordination(empty_table("scored"), actions=invented.actions(), **options)
    assert no_pairs.empty_reason == "No two accounts acted on the same thing within 60 seconds."
    by_luck = invented.scored().with_columns(fdr=pl.lit(1.0))
    section = describe_coordination(by_luck, actions=invented.actions(), **options)
    assert section.claims[1].text.startswith("No pair of them, taken alone, acted together beyond chance")
    assert section.claims[1].is_absence
    assert "yet groups do" not in texts(section)
    with_groups = describe_coordination(by_luck, actions=invented.actions(), clusters=invented.clusters(), **options)
    assert "No single pair stands out, and yet groups do" in texts(with_groups)
    some = describe_coordination(invented.scored(), actions=invented.actions(), clusters=invented.clusters(), **options)
    assert "yet groups do" not in texts(some)


def profiles() -> pl.DataFrame:
    ids = invented.account_ids()
    return pl.DataFrame(
        {
            "account_id": ids,
            "is_revived": [number < 12 for number in range(len(ids))],
            "switched_at": [None] * len(ids),
            "n_resale_phrases": [0] * len(ids),
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


def test_accounts_count_the_traits_whose_features_are_there_and_explain_features():
    more = profiles().with_columns(
        n_similar_description=pl.lit(2), handle_surprise=pl.when(pl.col("is_revived")).then(9.0).otherwise(3.0)
    )
    features = pl.DataFrame({"feature": ["pace"], "what": ["How fast."], "source": ["Ours."], "beware": ["Hurry."]})
    section = describe_accounts(more, features=features)
    traits = {row["trait"]: row["n_accounts"] for row in section.tables[0].rows}
    assert traits["carry nearly the same biography as another account"] == more.height
    assert traits["carry a handle that reads like a random string"] == 12
    assert "turned to other hashtags and sites" not in traits
    assert section.tables[-1].name == "account_features"


def test_accounts_count_a_trait_out_of_those_of_which_the_source_tells():
    hashed = profiles().with_columns(
        n_followers=pl.lit(None, pl.Int64),
        handle_tail_digits=pl.when(pl.int_range(pl.len()) < 4).then(pl.lit(6)),
    )
    rows = {row["trait"]: row for row in describe_accounts(hashed).tables[0].rows}
    digits = rows["carry a handle that ends in five digits or more"]
    assert (digits["n_accounts"], digits["n_known"], digits["accounts_frac"]) == (4, 4, 1.0)
    assert "follow others and are followed by none" not in rows


def test_accounts_say_what_holidays_did():
    fitted = pl.DataFrame(
        {
            "utc_offset_h": [8], "office_frac": [0.8], "low": [0.75], "high": [0.85], "weekday_ratio": [2.0],
            "holiday_ratio": [0.21], "is_plausible": [True],
        }
    )  # fmt: skip
    said = describe_accounts(profiles(), fitted_hours=fitted).claims[-1].text
    assert "falls on working days between 9:00 and 17:59" in said
    assert "On the holidays of the calendar given they posted 0.21 times as much as on other weekdays." in said


def test_accounts_name_no_clock_where_free_time_would_look_the_same():
    fitted = pl.DataFrame(
        {
            "utc_offset_h": [-2], "office_frac": [0.342], "low": [0.333], "high": [0.351], "weekday_ratio": [0.6],
            "is_plausible": [True],
        }
    )  # fmt: skip
    said = describe_accounts(profiles(), fitted_hours=fitted).claims[-1].text
    assert said.startswith("No clock makes their posting look like office work: at best 34.2% of it falls on Monday")
    assert "UTC" not in said


def test_accounts_say_bursts_hours_and_traits_with_denominators():
    fitted = pl.DataFrame(
        {
            "utc_offset_h": [7, 8, 9],
            "office_frac": [0.7, 0.76, 0.71],
            "low": [0.65, 0.71, 0.66],
            "high": [0.74, 0.8, 0.75],
            "weekday_ratio": [2.0, 2.1, 2.0],
            "is_plausible": [False, True, True],
        }
    )
    section = describe_accounts(
        profiles(),
        bursts=bursts(),
        created=invented.per_month(),
        week_hours=invented.week_hours(),
        utc_offset_h=8,
        fitted_hours=fitted,
        languages=invented.languages(),
        who="in clusters",
    )
    said = texts(section)
    assert (
        "30 of 32 accounts (93.8%) in clusters were made on 1 day, where the days around them would give about 1."
        in said
    )
    assert "76.0% of their posting (95% interval 71.0% to 80.0%" in said
    assert "The clocks at UTC+8 and UTC+9 fit about as well." in said
    assert "Of 420 accounts in clusters, 40 (9.5%) carry a handle that ends in five digits or more." in said
    assert [figure.name for figure in section.figures] == ["account_creation", "week_hours", "languages_over_time"]
    assert "shows that an account is inauthentic" in said


def test_accounts_without_bursts_or_without_accounts():
    none = describe_accounts(profiles(), bursts=bursts().with_columns(is_burst=pl.lit(value=False)))
    assert none.claims[0].text.startswith("On no day were markedly more accounts made")
    assert "lists no accounts" in describe_accounts(profiles().clear()).empty_reason


def test_limits_are_never_empty_and_name_what_this_run_cannot_see():
    section = describe_limits(time_window_s=10, n_shuffles=20, coarse_posts_frac=0.4)
    said = texts(section)
    assert "40% of the posts are timed to the minute only, yet the window is 10 seconds" in said
    assert "mean and spread of 20 shuffles" in said
    assert "a shared clock explains" in said
    assert "No control dataset was loaded" in said
    assert "Coordination is not inauthentic behaviour." in said
    assert "minute only" not in texts(describe_limits(time_window_s=60, n_shuffles=20, coarse_posts_frac=0.4))


def test_limits_show_other_settings_and_controls():
    controls = pl.DataFrame({"dataset": ["fans"], "n_accounts": [900], "n_clustered": [0], "n_clusters": [0]})
    section = describe_limits(
        time_window_s=60, n_shuffles=20, sensitivity=invented.sensitivity(), controls=controls, has_control=True
    )
    assert section.claims[0].text == (
        "With 4 windows and 3 false discovery limits tried, the clusters hold between 32 and 60 accounts."
    )
    assert [table.name for table in section.tables] == ["controls"]
    assert "No control dataset" not in texts(section)


def test_limits_say_where_no_setting_shows_a_cluster():
    nothing = pl.DataFrame(
        {"time_window_s": [10.0, 60.0], "max_fdr": [0.05] * 2, "n_accounts": [0, 0], "n_clusters": [0, 0]}
    )
    section = describe_limits(time_window_s=60, n_shuffles=20, sensitivity=nothing)
    assert "no setting shows a cluster" in section.claims[0].text
    assert section.figures == ()


def test_the_method_card_has_its_eleven_rows_filled():
    section = describe_method(
        PARAMETERS, about=invented.about(), period="1 March to 14 May 2031", n_accounts=400, n_posts=1800
    )
    rows = {row["step"]: row["choice"] for row in section.tables[0].rows}
    assert len(rows) == 11
    assert "sharing the same link and reposting the same post within 60 seconds" in rows["Conjecture"]
    assert rows["Data period"] == "1 March to 14 May 2031"
    assert "seed 7" in rows["Edge filter"]


def test_the_method_card_refuses_gaps():
    with pytest.raises(ParameterError, match="needs the parameter seed"):
        describe_method(
            {key: value for key, value in PARAMETERS.items() if key != "seed"},
            about=invented.about(),
            period="",
            n_accounts=1,
            n_posts=1,
        )


def test_all_sections_together_give_three_to_five_headlines():
    record = Findings(
        invented.about(),
        [
            describe_release(invented.release()),
            describe_clusters(invented.clusters(), traces=["url"], **CLUSTERING),
            describe_accounts(profiles(), bursts=bursts()),
        ],
    )
    assert 3 <= len(record.headlines) <= 5
    assert Findings.from_json(record.to_json()) == record


def test_innocent_reasons_of_a_grade_are_told_once_and_pointed_to_after():
    cards = describe_clusters(invented.clusters(), traces=["url"], **CLUSTERING).cards
    told = [sum(paragraph.count("a fan club with a schedule") for paragraph in card.prose) for card in cards]
    assert told == [1, 0, 0]
    assert "the same as for cluster 1. It does not say inauthentic." in cards[1].prose[1]
    assert "a group with a common timetable" in cards[2].prose[1]
