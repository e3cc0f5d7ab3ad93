from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import workbench.state_media as sm
from workbench.schema import ParameterError, SourceError
from workbench.state_media.facts import Facts
from workbench.state_media.policies import Condition
from workbench.state_media.policy_files import read_condition

PACKAGE = Path(sm.__file__).parent


def make_facts(*rows: tuple) -> pl.DataFrame:
    """Rows are outlet, factor, finding and, where they matter, day and grade."""
    made = []
    for row in rows:
        outlet, factor, finding, day, grade = (*row, "2020-01-01", "B2")[:5] if len(row) == 3 else row
        made.append(
            (outlet, factor, finding, f"https://evidence.example/{day}/{grade}",
             datetime.fromisoformat(day).replace(tzinfo=UTC), grade, None, None)
        )  # fmt: skip
    return pl.DataFrame(made, schema=Facts.create_empty().schema, orient="row")


def outcomes(facts: pl.DataFrame, policies: sm.Policies | None = None, **kwargs) -> dict[tuple[str, str], str]:
    screened = sm.screen_outlets(facts, policies=policies or sm.read_policies(), **kwargs)
    return {(o, p): outcome for o, p, outcome in screened.select("outlet_id", "policy_id", "outcome").iter_rows()}


@pytest.fixture(scope="module")
def examples() -> pl.DataFrame:
    facts, quarantine = sm.read_facts(PACKAGE / "facts.csv")
    assert quarantine.is_empty()
    outlets, bad = sm.read_outlets(PACKAGE / "outlets.csv")
    assert bad.is_empty()
    return sm.screen_outlets(facts, policies=sm.read_policies(), outlets=outlets)


def test_worked_examples_come_out_as_the_platforms_words_have_it(examples):
    found = {(o, p): out for o, p, out in examples.select("outlet_id", "policy_id", "outcome").iter_rows()}
    barred = {"xinhua", "rt", "cgtn", "al-jazeera"}
    free = {"bbc", "npr", "deutsche-welle"}
    assert {o for (o, p), out in found.items() if p == "twitter_2019" and out == "meets"} == barred
    assert {o for (o, p), out in found.items() if p == "facebook_2020" and out == "meets"} == barred
    assert {o for (o, p), out in found.items() if p == "youtube_2018" and out == "meets"} == barred | free
    assert {o for (o, p), out in found.items() if p == "twitter_2019" and out == "does not meet"} == free


def test_bbc_is_exempt_under_twitter_and_names_the_facts_of_that(examples):
    row = examples.filter(outlet_id="bbc", policy_id="twitter_2019").row(0, named=True)
    assert row["ground"].startswith("exempt: independent_public_broadcaster")
    factors = {line.split("=")[0] for line in row["decided_by"]}
    assert {"editorial_control", "taxpayer_funded", "public_broadcaster"} <= factors
    assert all("https://" in line or "http://" in line for line in row["decided_by"])
    assert row["right_of_reply"] == "no record of the outlet having been asked"


def test_nothing_is_determined_without_a_deciding_fact(examples):
    settled = examples.filter(pl.col("outcome") != "undetermined")
    assert settled["decided_by"].list.len().min() >= 1


def test_undetermined_names_exactly_the_facts_that_could_decide():
    facts = make_facts(("gazette", "editorial_control", "no"), ("gazette", "financial_ownership", "no"))
    screened = sm.screen_outlets(facts, policies=sm.read_policies())
    twitter = screened.filter(policy_id="twitter_2019").row(0, named=True)
    assert twitter["outcome"] == "undetermined"
    assert twitter["missing"] == sorted(
        # news and control are open; the exemption needs public money; leisure needs both of its facts
        ["publishes_news", "interference", "political_pressure", "distribution_control", "taxpayer_funded",
         "public_broadcaster", "solely_leisure"]
    )  # fmt: skip
    assert twitter["decided_by"] == []
    facebook = screened.filter(policy_id="facebook_2020").row(0, named=True)
    assert (facebook["outcome"], facebook["missing"]) == ("does not meet", [])


def test_policies_disagree_by_design():
    """State money with an independent newsroom: no label for control, a panel for funding."""
    facts = make_facts(
        ("harbour-radio", "publishes_news", "yes"),
        ("harbour-radio", "state_funding", "yes"),
        ("harbour-radio", "editorial_control", "no"),
    )
    found = outcomes(facts)
    assert found["harbour-radio", "facebook_2020"] == "does not meet"
    assert found["harbour-radio", "youtube_2018"] == "meets"
    assert found["harbour-radio", "twitter_2019"] == "undetermined"


def test_leisure_alone_is_exempt_and_mixed_with_news_is_not():
    control = ("financial_ownership", "yes")
    facts = make_facts(
        ("goal-tv", *control), ("goal-tv", "solely_leisure", "yes"), ("goal-tv", "publishes_news", "no"),
        ("goal-news", *control), ("goal-news", "solely_leisure", "yes"), ("goal-news", "publishes_news", "yes"),
        ("goal-news", "editorial_control", "yes"),
    )  # fmt: skip
    found = outcomes(facts)
    assert found["goal-tv", "twitter_2019"] == "does not meet"
    assert found["goal-news", "twitter_2019"] == "meets"


def test_state_paid_and_state_edited_is_not_exempt_as_taxpayer_funded():
    facts = make_facts(
        ("herald", "publishes_news", "yes"),
        ("herald", "taxpayer_funded", "yes"),
        ("herald", "editorial_control", "yes"),
    )
    assert outcomes(facts)["herald", "twitter_2019"] == "meets"


def test_safeguards_must_be_shown_by_the_outlet():
    controlled = ("herald", "editorial_control", "yes")
    row = sm.screen_outlets(make_facts(controlled), policies=sm.read_policies()).filter(policy_id="facebook_2020")
    assert row["outcome"].item() == "meets"
    assert row["not_shown"].item().to_list() == ["independence_statute", "independent_assessment"]
    shown = make_facts(
        controlled, ("herald", "independence_statute", "yes"), ("herald", "independent_assessment", "yes")
    )
    row = sm.screen_outlets(shown, policies=sm.read_policies()).filter(policy_id="facebook_2020")
    assert (row["outcome"].item(), row["ground"].item()) == ("does not meet", "safeguard: safeguards")
    half = make_facts(controlled, ("herald", "independence_statute", "yes"))
    assert outcomes(half)["herald", "facebook_2020"] == "meets"


def test_a_contested_safeguard_is_undetermined_and_says_so():
    """Somebody showed it and somebody denies it: it is neither shown nor not shown."""
    disputed = [("herald", "independence_statute", finding, "2021-01-01", "A1") for finding in ("yes", "no")]
    base = [("herald", "editorial_control", "yes"), ("herald", "independent_assessment", "yes")]
    row = sm.screen_outlets(make_facts(*base, *disputed), policies=sm.read_policies()).filter(policy_id="facebook_2020")
    assert row.select("outcome", "ground", "contested", "not_shown").row(0) == (
        "undetermined", "facts contradict each other: independence_statute", ["independence_statute"], [],
    )  # fmt: skip
    # without the outside check the dispute does not matter: the safeguard asks for both
    row = sm.screen_outlets(make_facts(base[0], *disputed), policies=sm.read_policies()).filter(
        policy_id="facebook_2020"
    )
    assert row["outcome"].item() == "meets"
    assert row["ground"].item() == (
        "every requirement holds; no exemption or safeguard holds; "
        "the outlet has not shown: independence_statute, independent_assessment"
    )


def test_interference_ends_the_exemption_of_public_broadcasters():
    public = [("radio", "publishes_news", "yes"), ("radio", "taxpayer_funded", "yes"),
              ("radio", "editorial_control", "no")]  # fmt: skip
    assert outcomes(make_facts(*public, ("radio", "interference", "yes")))["radio", "twitter_2019"] == "meets"
    assert outcomes(make_facts(*public, ("radio", "interference", "no")))["radio", "twitter_2019"] == "does not meet"
    row = sm.screen_outlets(make_facts(*public), policies=sm.read_policies()).filter(policy_id="twitter_2019")
    assert "interference" in row["missing"].item()


def test_outlets_without_facts_have_their_lines_and_settled_facts_their_word(examples):
    outlets = sm.read_outlets(PACKAGE / "outlets.csv")[0].filter(pl.col("outlet_id") == "bbc")
    policies = sm.read_policies()
    bare = sm.defend_screening(make_facts(), policies=policies, outlets=outlets)
    n_factors = sum(len(rule.when.factors) for policy in policies.policies for rule in policy.rules)
    assert (bare.height, bare["name"].unique().to_list()) == (n_factors, ["BBC"])
    assert set(bare["role"]) == {"missing", "not shown by the outlet"}
    lines = sm.defend_screening(make_facts(("bbc", "publishes_news", "yes")), policies=policies)
    news = lines.filter(policy_id="twitter_2019", factor="publishes_news")
    assert news.select("rule_id", "rule_holds", "role").rows() == [
        ("news_media", "holds", "settles its rule"), ("solely_leisure", "does not hold", "settles its rule"),
    ]  # fmt: skip


def test_newer_and_better_graded_wins_and_both_are_shown():
    facts = make_facts(
        ("herald", "editorial_control", "yes", "2019-01-01", "C3"),
        ("herald", "editorial_control", "no", "2022-01-01", "B2"),
    )
    assert outcomes(facts)["herald", "facebook_2020"] == "does not meet"
    lines = sm.defend_screening(facts, policies=sm.read_policies()).filter(
        policy_id="facebook_2020", rule_id="editorial_control"
    )
    assert sorted(lines.select("finding", "role").rows()) == [("no", "decides"), ("yes", "outweighed")]


def test_newer_but_weaker_against_older_but_better_is_contested():
    facts = make_facts(
        ("herald", "editorial_control", "yes", "2019-01-01", "A1"),
        ("herald", "editorial_control", "no", "2022-01-01", "C3"),
    )
    row = sm.screen_outlets(facts, policies=sm.read_policies()).filter(policy_id="facebook_2020").row(0, named=True)
    assert (row["outcome"], row["contested"]) == ("undetermined", ["editorial_control"])
    assert row["missing"] == ["editorial_control"]


def test_a_fact_too_weak_neither_decides_nor_outweighs():
    facts = make_facts(
        ("herald", "editorial_control", "yes", "2019-01-01", "B2"),
        ("herald", "editorial_control", "no", "2024-01-01", "E3"),
    )
    assert outcomes(facts)["herald", "facebook_2020"] == "meets"
    # admitted, the weak but newer fact contests the older one
    assert outcomes(facts, weakest_grade="F6")["herald", "facebook_2020"] == "undetermined"


def test_a_fourth_policy_needs_no_code(tmp_path):
    own = tmp_path / "ours.toml"
    own.write_text(
        """
[factors]
licensed = "Does the city license it?"
[[policy]]
policy_id = "tidehaven_2026"
title = "Tidehaven Board: synthetic"
platform = "board"
publisher = "invented"
source_url = "https://board.tidehaven.example/rules"
published_on = 2026-01-01
in_force_on = 2026-01-01
consequence = "no notices"
adverts_barred_in = ["*"]
  [[policy.rule]]
  rule_id = "two_of_three"
  kind = "requirement"
  text = "two of three"
  reading = "two of three"
  when = { at_least = 2, of = [
    {factor = "licensed", is = "yes"}, {factor = "state_funding", is = "yes"},
    {not = {factor = "publishes_news", is = "no"}},
  ] }
""",
        "utf-8",
    )
    policies = sm.read_policies(own)
    assert len(policies.policies) == 4
    facts = make_facts(("herald", "licensed", "yes"), ("herald", "publishes_news", "yes"), ("sheet", "licensed", "no"))
    found = outcomes(facts, policies)
    assert found["herald", "tidehaven_2026"] == "meets"
    assert found["sheet", "tidehaven_2026"] == "undetermined"


WHEN = '{factor = "state_funding", is = "yes"}'
RULE = f'[[policy.rule]]\nrule_id = "r"\nkind = "requirement"\ntext = "t"\nreading = "r"\nwhen = {WHEN}\n'
HEAD = (
    '[[policy]]\npolicy_id = "p"\ntitle = "t"\nplatform = "x"\npublisher = "p"\nsource_url = "https://x.example"\n'
    'published_on = 2020-01-01\nin_force_on = 2020-01-01\nconsequence = "c"\nadverts_barred_in = []\n'
)


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        (HEAD + RULE.replace("state_funding", "state_fundin"), ParameterError, "Did you mean 'state_funding'"),
        (HEAD + RULE.replace("state_funding", "zzz"), ParameterError, "under \\[factors\\]"),
        (HEAD + RULE.replace("requirement", "wish"), ParameterError, "is one of requirement"),
        (HEAD + RULE.replace("requirement", "exemption"), SourceError, "has no requirement"),
        (HEAD.replace('title = "t"\n', "") + RULE, SourceError, "lacks 'title'"),
        (HEAD + RULE.replace('text = "t"\n', ""), SourceError, "lacks 'text'"),
        (HEAD + RULE.replace('is = "yes"', 'is = "maybe"'), SourceError, "Write it as one of these"),
        (HEAD + RULE.replace(WHEN, f"{{at_least = 3, of = [{WHEN}]}}"), SourceError, "Ask for 1 to 1"),
        (HEAD + RULE.replace(WHEN, f'{{at_least = "2", of = [{WHEN}]}}'), SourceError, "Write it as one of these"),
        (HEAD + RULE.replace(WHEN, '{all = ["state_funding"]}'), SourceError, "Write it as one of these"),
        (HEAD + RULE.replace(WHEN, f"{{at_least = 1, any = [{WHEN}]}}"), SourceError, "Write it as one of these"),
        (HEAD + RULE + "typo = 1\n", SourceError, "own.toml, policy 'p', rule 'r' has a key 'typo'; allowed are"),
        (HEAD + RULE + 'burden = "Outlet"\n', SourceError, "burden is 'Outlet'; allowed is \"outlet\""),
        (HEAD + RULE + 'source_url = "board"\n', SourceError, "an address with https"),
        (HEAD + 'consequenc = "c"\n' + RULE, SourceError, "Did you mean 'consequence'"),
        (HEAD.replace("adverts_barred_in = []", 'adverts_barred_in = "AT"') + RULE, SourceError, "country codes"),
        (HEAD.replace("adverts_barred_in = []", 'adverts_barred_in = ["at"]') + RULE, SourceError, "country codes"),
        (HEAD.replace("in_force_on = 2020-01-01", 'in_force_on = "2020-01-01"') + RULE, SourceError, "without quotes"),
        (HEAD.replace("on = 2020-01-01", "on = 2020-01-01T00:00:00") + RULE, SourceError, "expected a day"),
        (HEAD.replace('title = "t"', "title = 5") + RULE, SourceError, "expected a text"),
        (HEAD + RULE + RULE, SourceError, "rule_id 'r' twice"),
        ((HEAD + RULE) * 2, SourceError, "policy_id 'p' twice"),
        ("[[polcy]]\n", SourceError, "Did you mean 'policy'"),
        ('policy = "p"\n', SourceError, "expected tables"),
        ("factors = 1\n", SourceError, "expected a table of factor"),
        ('[factors]\nstate_funding = "Who?"\n', SourceError, "asks another question"),
        ("not toml at all", SourceError, "to be TOML"),
    ],
)  # fmt: skip
def test_a_policy_file_with_a_slip_is_refused_and_says_where(tmp_path, text, error, words):
    path = tmp_path / "own.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(error, match=words):
        sm.read_policies(path)


def test_absent_policy_file_and_unknown_policy(tmp_path):
    with pytest.raises(SourceError, match="no such file"):
        sm.read_policies(tmp_path / "none.toml")
    with pytest.raises(ParameterError, match="twitter_2019"):
        _ = sm.read_policies()["myspace_2005"]


def test_a_fact_about_an_undeclared_factor_and_a_bad_grade_are_refused():
    with pytest.raises(ParameterError, match="Did you mean 'editorial_control'"):
        outcomes(make_facts(("herald", "editorial_controll", "yes")))
    with pytest.raises(ParameterError, match="Try 'C3'"):
        outcomes(make_facts(("herald", "editorial_control", "yes")), weakest_grade="C")


def test_an_outlet_without_any_fact_is_listed_as_undetermined():
    outlets = sm.merge_outlets(sm.read_outlets(PACKAGE / "outlets.csv")[0].filter(pl.col("outlet_id") == "bbc"))
    screened = sm.screen_outlets(make_facts(), policies=sm.read_policies(), outlets=outlets)
    assert screened["outcome"].unique().to_list() == ["undetermined"]
    assert screened.filter(policy_id="youtube_2018")["missing"].item().to_list() == [
        "public_broadcaster", "publishes_news", "state_funding", "taxpayer_funded",
    ]  # fmt: skip


def test_right_of_reply_is_carried_to_the_determination():
    outlets = sm.read_outlets(PACKAGE / "outlets.csv")[0].filter(pl.col("outlet_id").is_in(["bbc", "rt"]))
    asked = outlets.with_columns(
        reply_asked_at=pl.datetime(2026, 1, 5, time_zone="UTC", time_unit="us"),
        reply_at=pl.when(outlet_id="rt").then(pl.datetime(2026, 1, 9, time_zone="UTC", time_unit="us")),
        reply=pl.when(outlet_id="rt").then(pl.lit("We disagree.")),
    )
    screened = sm.screen_outlets(make_facts(), policies=sm.read_policies(), outlets=asked)
    said = dict(screened.select("outlet_id", "right_of_reply").iter_rows())
    assert said == {"bbc": "asked on 2026-01-05; no reply recorded", "rt": "replied on 2026-01-09: We disagree."}


leaves = st.builds(lambda f, w: {"factor": f, "is": w}, st.sampled_from("abcd"), st.sampled_from(["yes", "no"]))
conditions = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(lambda parts: {"all": parts}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda parts: {"any": parts}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda part: {"not": part}, inner),
    ),
    max_leaves=6,
)


def every_completion(findings: dict[str, str]) -> list[dict[str, str]]:
    open_factors = [factor for factor in "abcd" if factor not in findings]
    worlds = [dict(findings)]
    for factor in open_factors:
        worlds = [{**world, factor: answer} for world in worlds for answer in ("yes", "no")]
    return worlds


@given(conditions, st.dictionaries(st.sampled_from("abcd"), st.sampled_from(["yes", "no"])))
def test_a_settled_condition_stays_settled_whatever_is_learnt(table, findings):
    condition: Condition = read_condition(table, where="test")
    verdict = condition.judge(findings)
    answers = {condition.judge(world).holds for world in every_completion(findings)}
    if verdict.holds is not None:
        assert answers == {verdict.holds}
        # the named facts alone carry it
        assert condition.judge({f: findings[f] for f in verdict.deciding}).holds is verdict.holds
        assert verdict.missing == frozenset()
    else:
        assert verdict.missing
        assert not verdict.missing & findings.keys()


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.tuples(st.just("herald"), st.sampled_from(["editorial_control", "publishes_news", "financial_ownership"]),
                  st.sampled_from(["yes", "no", "unclear"]), st.sampled_from(["2019-01-01", "2021-01-01"]),
                  st.sampled_from(["A1", "B2", "C3", "E5"])),
        min_size=1, max_size=7,
    ),
    st.randoms(),
)  # fmt: skip
def test_order_and_repetition_of_facts_change_nothing(rows, random):
    shuffled = [*rows, rows[0]]
    random.shuffle(shuffled)
    once, again = sm.merge_facts(make_facts(*rows)), sm.merge_facts(make_facts(*shuffled))
    assert outcomes(once) == outcomes(again)
    assert sm.name_version(once) == sm.name_version(again)
