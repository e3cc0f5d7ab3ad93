from pathlib import Path

import polars as pl
import pytest

import workbench.state_media as sm
from workbench.chart_state_media import chart_determinations, chart_reference_ratios, chart_references_per_day
from workbench.findings import Card, Findings, KeyNumber, Section
from workbench.report import render_report
from workbench.schema import About, ParameterError, SourceError
from workbench.sections.overt import mark_overt_clusters
from workbench.sections.state_media import describe_state_media
from workbench.sections.state_media_parts import draw_days
from workbench.state_media.policy_files import read_condition

DEMO = Path(__file__).parents[2] / "datasets" / "demo"
ABOUT = About(name="demo", title="synthetic", platform="twitter", is_synthetic=True)


@pytest.fixture(scope="module")
def lists() -> sm.ScreeningLists:
    return sm.read_screening_lists(dataset=DEMO)


def describe(lists: sm.ScreeningLists, **more) -> Section:
    screened = sm.screen_outlets(lists.facts, policies=lists.policies, outlets=lists.outlets)
    defence = sm.defend_screening(lists.facts, policies=lists.policies)
    judged = sm.judge_adverts(sm.match_adverts(lists.adverts, lists.outlets), screened, policies=lists.policies)
    return describe_state_media(
        screened, policies=lists.policies, defence=defence, judged=judged, adverts=sm.summarise_adverts(judged),
        n_adverts_read=lists.adverts.height, origin=lists.origin, **more,
    )  # fmt: skip


AMPLIFICATION = {
    "cluster_id": [1, 1, 2], "outlet_id": [None, "line-3", "courier"], "n_accounts": [40, 40, 7],
    "n_referring_accounts": [40, 40, 7], "n_outlet_accounts": [0, 0, 7], "n_posts": [400, 400, 0],
    "n_references": [200, 190, 0], "n_link": [200, 190, 0], "n_repost": [0, 0, 0], "n_quote": [0, 0, 0],
    "n_copy": [0, 0, 0], "references_frac": [0.5, 0.475, None], "rest_n_accounts": [900] * 3,
    "rest_n_posts": [9000] * 3, "rest_n_references": [900, 90, 900], "rest_frac": [0.1, 0.01, 0.1],
    "ratio": [5.0, 47.5, None], "ratio_low": [4.1, 35.0, None], "ratio_high": [6.0, 64.0, None],
}  # fmt: skip


def test_the_demo_lists_show_every_kind_of_outcome(lists):
    assert lists.origin == "demo_state_media"
    assert lists.quarantine.is_empty()
    screened = sm.screen_outlets(lists.facts, policies=lists.policies, outlets=lists.outlets)
    found = {(o, p): (out, ground) for o, p, out, ground in
             screened.select("outlet_id", "policy_id", "outcome", "ground").iter_rows()}  # fmt: skip
    assert {found["line-3", policy.policy_id][0] for policy in lists.policies.policies} == {"meets"}
    assert found["courier", "twitter_2019"][1].startswith("exempt")
    assert found["bay-video", "twitter_2019"][1].startswith("exempt: solely_leisure")
    assert found["north-span", "facebook_2020"][0] == "undetermined"
    assert found["times", "twitter_2019"][0] == "does not meet"
    assert found["gull-hill-fm", "facebook_2020"][0] != found["gull-hill-fm", "youtube_2018"][0]
    assert sorted(lists.adverts["platform"].unique()) == ["facebook", "google", "twitter"]


def test_section_says_each_policy_with_its_denominator_and_survives_json(lists):
    first = pl.DataFrame({
        "cluster_id": [1], "outlet_id": ["courier"], "n_objects": [9], "n_outlet_first": [5], "n_cluster_first": [1],
        "n_same_time": [0], "n_unknown": [3], "median_lead_s": [600.0],
    })  # fmt: skip
    by_day = pl.DataFrame(
        {"day": ["2021-05-01", "2021-05-01"], "cluster_id": [1, None], "outlet_id": ["line-3"] * 2, "n_posts": [9, 3],
         "n_accounts": [5, 3]},
        schema_overrides={"cluster_id": pl.Int64},
    ).with_columns(pl.col("day").str.to_date())  # fmt: skip
    section = describe(lists, amplification=pl.DataFrame(AMPLIFICATION), first=first, by_day=by_day)
    texts = [claim.text for claim in section.claims]
    assert texts[0] == (
        "Under “Twitter: no adverts from state-controlled news media” (2019), 1 of 6 outlets meets the policy "
        "(Line 3 Now), 3 do not, and 2 are undetermined for want of facts."
    )
    assert "190 of 400 posts (47.5%) refer to Line 3 Now, 48 times the share" in texts[3]
    assert "Of 6 addresses and texts that both cluster 1 and Tidehaven Courier posted" in texts[4]
    assert "would bar 5 of 10 matched adverts" in texts[5]
    lines = next(view for view in section.tables if view.name == "state_media_lines")
    assert f"All {len(lines.rows)} lines; " in lines.note
    assert "EUR 150 to 299" in texts[5]
    assert "USD 1,960 to 2,060" in texts[5]
    assert "in the United States, with" in texts[6]
    assert "2 of these ran before 22 September 2020, when it barred none" in texts[6]
    assert any("Overt is not covert" in paragraph for paragraph in section.prose)
    names = {view.name for view in section.tables}
    shown = {piece.shown_in for claim in section.claims for piece in claim.evidence if hasattr(piece, "shown_in")}
    assert shown <= names
    assert [figure.name for figure in section.figures] == [
        "state_media_outcomes", "state_media_ratios", "state_media_days",
    ]  # fmt: skip
    findings = Findings(about=ABOUT, sections=(section,))
    assert Findings.from_json(findings.to_json()).section("state_media") == section


def test_nothing_to_screen_and_nothing_but_screening(lists):
    screened = sm.screen_outlets(lists.facts.clear(), policies=lists.policies)
    assert describe_state_media(screened, policies=lists.policies).empty_reason
    plain = sm.screen_outlets(lists.facts, policies=lists.policies, outlets=lists.outlets)
    section = describe_state_media(plain, policies=lists.policies)
    unseen = describe_state_media(plain, policies=lists.policies, n_references=0)
    assert unseen.empty_reason.startswith("None of the ")
    assert len(section.claims) == 3
    assert [figure.name for figure in section.figures] == ["state_media_outcomes"]


@pytest.mark.parametrize(
    ("n_outlets", "n_posts", "start", "end"),
    [
        (2, 0, "There are no posts in this data, so none can refer to the 2 outlets screened", "no advert was given."),
        (1, 0, "There are no posts in this data, so none can refer to the 1 outlet screened", "no advert was given."),
        (2, 1, "None of the 2 outlets screened is linked, reposted, ", "in the 1 post of this data."),
        (1, 1200, "The outlet screened is not linked, reposted, ", "in the 1,200 posts of this data."),
    ],
)
def test_no_reference_is_said_by_what_there_is(lists, n_outlets, n_posts, start, end):
    few = lists.outlets["outlet_id"].head(n_outlets)
    screened = sm.screen_outlets(lists.facts, policies=lists.policies, outlets=lists.outlets)
    screened = screened.filter(pl.col("outlet_id").is_in(few.implode()))
    section = describe_state_media(screened, policies=lists.policies, n_references=0, n_posts=n_posts)
    assert section.empty_reason.startswith(start)
    assert section.empty_reason.endswith(end)


def test_what_shorteners_hide_is_said(lists):
    kinds = pl.DataFrame({"kind": ["shortener", "domain"], "n_links": [30, 10], "n_posts": [30, 10]})
    section = describe(lists, link_kinds=kinds, amplification=pl.DataFrame(AMPLIFICATION).clear())
    assert any(text.startswith("30 of 40 links (75.0%) go through shorteners") for text in section.prose)
    assert any("No cluster was found" in text for text in section.prose)
    assert not any("shorteners" in text for text in describe(lists, link_kinds=kinds.tail(1)).prose)


def test_a_long_list_is_not_drawn(lists):
    outlets = pl.concat([
        lists.outlets.with_columns(pl.format("{}-{}", "outlet_id", pl.lit(n)).alias("outlet_id")) for n in range(9)
    ])  # fmt: skip
    screened = sm.screen_outlets(lists.facts.clear(), policies=lists.policies, outlets=outlets)
    section = describe_state_media(screened, policies=lists.policies)
    assert not section.figures
    assert "All 162 determinations" in section.tables[0].note


def test_a_long_argument_is_whole_in_its_csv_and_cut_on_the_page_only(lists, tmp_path):
    facts = pl.concat([
        lists.facts.with_columns(outlet_id=pl.format("{}-{}", "outlet_id", pl.lit(n))) for n in range(50)
    ])  # fmt: skip
    screened = sm.screen_outlets(facts, policies=lists.policies)
    defence = sm.defend_screening(facts, policies=lists.policies)
    section = describe_state_media(screened, policies=lists.policies, defence=defence)
    lines = next(view for view in section.tables if view.name == "state_media_lines")
    assert defence.height > 5_000
    page = render_report(Findings(about=ABOUT, sections=(section,)), tmp_path).read_text("utf-8")
    written = pl.read_csv(tmp_path / "tables" / "state_media_lines.csv", infer_schema=False)
    assert written.height == defence.height
    roles = written["role"].to_list()
    n_idle = defence.filter(pl.col("role") == "not needed").height
    assert 0 < n_idle == roles[-n_idle:].count("not needed") == roles.count("not needed")
    assert f"All {defence.height:,} lines; the {n_idle:,} that no rule needed come last" in lines.note
    assert f"The first 100 of {defence.height:,} rows." in page
    assert len(pl.read_csv(tmp_path / "tables" / "state_media_determinations.csv")) == screened.height


def test_the_rules_are_printed_so_that_a_line_can_be_followed_to_its_rule(lists):
    section = describe(lists)
    rules = {(row["policy_id"], row["rule_id"]): row for view in section.tables
             if view.name == "state_media_policies" for row in view.rows}  # fmt: skip
    lines = next(view for view in section.tables if view.name == "state_media_lines")
    assert {(row["policy_id"], row["rule_id"]) for row in lines.rows} <= set(rules)
    assert rules["twitter_2019", "independent_public_broadcaster"]["asks"] == (
        "(taxpayer_funded is yes or public_broadcaster is yes) and editorial_control is no and interference is no"
    )
    assert rules["facebook_2020", "safeguards"]["asks"] == (
        "independence_statute is yes and independent_assessment is yes; the outlet has to show it"
    )


@pytest.mark.parametrize(("written", "said"), [
    ({"not": {"factor": "interference", "is": "yes"}}, "not (interference is yes)"),
    ({"any": [{"factor": "interference", "is": "yes"}]}, "interference is yes"),
    ({"at_least": 2, "of": [{"factor": f, "is": "yes"} for f in "abc"]},
     "at least 2 of: a is yes, b is yes, c is yes"),
    ({"any": [{"all": [{"factor": "a", "is": "no"}, {"factor": "b", "is": "yes"}]}, {"factor": "c", "is": "yes"}]},
     "(a is no and b is yes) or c is yes"),
    ({"not": {"at_least": 2, "of": [{"factor": f, "is": "no"} for f in "abc"]}},
     "not (at least 2 of: a is no, b is no, c is no)"),
])  # fmt: skip
def test_conditions_are_said_in_words(written, said):
    assert str(read_condition(written, where="a test")) == said


def test_lists_are_looked_for_beside_and_inside_the_dataset(tmp_path):
    assert "worked examples" in sm.read_screening_lists(dataset=tmp_path).origin
    assert "worked examples" in sm.read_screening_lists().origin
    inside = tmp_path / "case" / "state_media"
    inside.mkdir(parents=True)
    with pytest.raises(SourceError, match="holds no outlets"):
        sm.read_screening_lists(dataset=tmp_path / "case")
    (inside / "outlets.csv").write_text("outlet_id,name\nherald,Herald\n", "utf-8")
    found = sm.read_screening_lists(dataset=tmp_path / "case")
    assert (found.outlets["outlet_id"].to_list(), found.facts.height, found.adverts.height) == (["herald"], 0, 0)
    (inside / "facts.csv").write_text(
        "outlet_id,factor,finding,evidence_url,evidence_at,grade\n"
        "herlad,publishes_news,yes,https://x.example,2021-01-01,B2\n"
        "her*,state_funding,yes,https://x.example,2021-01-01,B2\n"
        "city-press/*,publishes_news,yes,https://x.example,2021-01-01,B2\n",
        "utf-8",
    )
    (inside / "list_own.csv").write_text("name,domain\nWave,wave.example\n", "utf-8")
    (inside / "matrix_2023-09-01.csv").write_text(
        "Country,Media company,Main assets,URL,Typology\nTH,City Press,Herald,https://herald.example,SC\n"
        "TH,City Press,Wave,https://en.wave.example,SC\n",
        "utf-8",
    )
    found = sm.read_screening_lists(dataset=tmp_path / "case")
    assert found.outlets["outlet_id"].to_list() == ["herald", "wave"]
    assert found.crosswalk["how"].to_list() == ["name", "domain"]
    assert found.quarantine["reason"].to_list() == [
        "a fact about 'herlad' (publishes_news), which is no outlet of the lists; did you mean 'herald'?"
    ]
    news = found.facts.filter(factor="publishes_news")
    assert news.select("outlet_id", "finding").rows() == [("herald", "yes"), ("wave", "yes")]
    (inside / "matrix_2023-09-01.csv").rename(inside / "matrix.csv")
    with pytest.raises(SourceError, match="which day the list describes"):
        sm.read_screening_lists(dataset=tmp_path / "case")
    (inside / "matrix.csv").rename(inside / "fact.csv")
    with pytest.raises(SourceError, match=r"holds fact.csv, which is none of outlets\*.csv"):
        sm.read_screening_lists(dataset=tmp_path / "case")
    with pytest.raises(SourceError, match="found none"):
        sm.read_screening_lists(tmp_path / "nowhere")


def test_charts_describe_what_they_show():
    outcomes = pl.DataFrame({"outlet": ["Herald"], "policy": ["Twitter 2019"], "outcome": ["meets"]})
    assert "Twitter 2019: 1 meets it" in chart_determinations(outcomes).to_dict()["description"]
    ratios = pl.DataFrame(
        {"label": ["Cluster 1, Herald"], "cluster_id": [1], "ratio": [4.0], "ratio_low": [2.0], "ratio_high": [8.0]}
    )
    assert "4.0 (2.0 to 8.0)" in chart_reference_ratios(ratios).to_dict()["description"]
    days = pl.DataFrame({"day": ["2021-05-01"], "group": ["cluster 1"], "n_posts": [9]}).with_columns(
        pl.col("day").str.to_date()
    )
    assert "9 (cluster 1, 1 May 2021)" in chart_references_per_day(days).to_dict()["description"]
    axes = str(chart_reference_ratios(ratios).to_dict())
    assert "~s" not in axes  # a ratio of 0.5 is no 500m
    for chart, table in (
        (chart_determinations, outcomes),
        (chart_reference_ratios, ratios),
        (chart_references_per_day, days),
    ):
        with pytest.raises(ParameterError, match="at least one row"):
            chart(table.clear())


def test_a_caption_names_the_ratios_above_one_and_counts_the_others():
    table = pl.DataFrame(
        {
            "label": ["Cluster 1, Wave", "Cluster 1, Bay", "Cluster 2, Bay", "Cluster 2, Wave"],
            "cluster_id": [1, 1, 2, 2], "ratio": [4.0, 0.2, 0.9, 0.1], "ratio_low": [2.0, 0.1, 0.6, 0.0],
            "ratio_high": [8.0, 0.4, 1.2, 0.3],
        }
    )  # fmt: skip
    said = chart_reference_ratios(table).to_dict()["description"]
    assert said.endswith(
        "Above 1: Cluster 1, Wave: 4.0 (2.0 to 8.0). Of 4 intervals: 2 below 1 and 1 on both sides of 1."
    )
    below = chart_reference_ratios(table.tail(1)).to_dict()["description"]
    assert below.endswith("scale. Of 1 interval: 1 below 1.")
    assert "Of 1" not in chart_reference_ratios(table.head(1)).to_dict()["description"]


def overt_findings(lists, **changes) -> Findings:
    """A case of three clusters, of which the third is an outlet's own accounts."""
    clusters = Section(
        "clusters",
        key_numbers=[KeyNumber("32×", "as often as others, at most", "cluster 3, on the same objects")],
        cards=[Card(f"Cluster {number}", prose=["Innocent reasons remain."]) for number in (1, 2, 3)],
        claims=describe(lists).claims[:1],
    )
    rows = pl.DataFrame({**AMPLIFICATION, "cluster_id": [1, 1, 3], "outlet_id": [None, "line-3", None], **changes})
    return Findings(about=ABOUT, sections=(clusters, describe(lists, amplification=rows)))


def test_a_cluster_of_outlets_own_accounts_says_so_at_its_card_and_its_number(lists):
    found = mark_overt_clusters(overt_findings(lists, n_accounts=[40, 40, 0])).section("clusters")
    assert [len(card.prose) for card in found.cards] == [1, 1, 2]
    assert found.cards[2].prose[0].startswith("All 7 accounts are outlets' own, by the list in the section")
    assert found.key_numbers[0].of_what == "cluster 3, on the same objects; all outlets' own accounts"


def test_a_cluster_with_others_among_outlets_keeps_its_number(lists):
    found = mark_overt_clusters(overt_findings(lists, n_accounts=[40, 40, 13])).section("clusters")
    assert found.cards[2].prose[0].startswith("7 of 20 accounts are outlets' own")
    assert found.key_numbers[0].of_what == "cluster 3, on the same objects"


def test_findings_without_overt_clusters_stay_as_they_are(lists):
    none = overt_findings(lists, n_outlet_accounts=[0, 0, 0])
    assert mark_overt_clusters(none) is none
    without = Findings(about=ABOUT, sections=none.sections[:1])
    assert mark_overt_clusters(without) is without


def test_days_without_a_post_are_drawn_as_none():
    days = pl.DataFrame(
        {"day": ["2021-05-01", "2021-05-04", "2021-05-04"], "group": ["a", "a", "b"], "n_posts": [9, 2, 5]}
    ).with_columns(pl.col("day").str.to_date())
    spec = chart_references_per_day(days).to_dict()
    (drawn,) = spec["datasets"].values()
    assert [row["n_posts"] for row in drawn if row["group"] == "a"] == [9, 0, 0, 2]
    assert [row["n_posts"] for row in drawn if row["group"] == "b"] == [0, 0, 0, 5]


@pytest.mark.parametrize(("last", "n_rows"), [("2021-05-31", 31), ("2031-05-01", 523), ("2081-05-01", 721)])
def test_long_spans_are_drawn_in_weeks_or_months(last, n_rows):
    by_day = pl.DataFrame({
        "day": ["2021-05-01", last], "cluster_id": [1, 1], "outlet_id": ["a", "a"], "n_posts": [3, 4],
        "n_accounts": [1, 1],
    }).with_columns(pl.col("day").str.to_date())  # fmt: skip
    (figure,) = draw_days(by_day)
    (drawn,) = figure.spec["datasets"].values()
    assert len(drawn) == n_rows
    assert sum(row["n_posts"] for row in drawn) == 7


def test_a_long_span_given_by_day_is_drawn_coarser_and_says_so():
    days = pl.DataFrame({"day": ["2011-05-01", "2021-05-04"], "group": ["a", "b"], "n_posts": [9, 5]}).with_columns(
        pl.col("day").str.to_date()
    )
    spec = chart_references_per_day(days).to_dict()
    (drawn,) = spec["datasets"].values()
    assert len(drawn) == 2 * 524
    assert "in one week: 9 (a, week of 25 April 2011)" in spec["description"]
