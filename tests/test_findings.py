import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from workbench.findings import (
    SECTIONS,
    Card,
    ChanceTest,
    Citation,
    Claim,
    ClaimError,
    Confidence,
    Figure,
    Findings,
    KeyNumber,
    Observation,
    Section,
    TableView,
    to_rows,
)
from workbench.schema import About, PublishedFigure, SchemaError, SourceError

LOW = Confidence("low", "One day of posts.")


def claim(text="Nine accounts posted.", **others):
    return Claim(text, "co-action", LOW, (Observation("counted"),), "400 accounts listed", **others)


def findings(*sections, **others):
    about = About("harbour", "Harbour City", "twitter", published=(PublishedFigure("n", 1, "us"),), notes=("a",))
    return Findings(about, sections, **others)


def test_json_round_trip_keeps_everything():
    cited = Citation("Harbour Platform", "2031-05-04", "an operation")
    said = Claim("Harbour Platform named it.", "attributed", LOW, (cited,), "one statement")
    figure = Figure("per_day", "Posts per day", "A line.", {"mark": "line"}, [{"day": date(2031, 5, 4), "n": 3}])
    table = TableView("top", "Top links", "", pl.DataFrame({"link": ["a"], "n": [2]}), {"n": "Posts"})
    record = findings(
        Section("release", [claim(is_headline=True), said], ["Prose."], [figure], [table]),
        Section("narratives", empty_reason="Not run."),
        decisions=[{"stage": "load", "action": "dropped", "reason": "no time", "n_before": 3, "n_after": 2}],
        caveats=["Mind this."],
        parameters={"time_window_s": 60, "traces": ["url", "repost"]},
        provenance={"seed": 7},
    )
    text = record.to_json()
    assert Findings.from_json(text) == record
    assert Findings.from_json(text).to_json() == text
    assert json.loads(text)["schema_version"] == 1


def test_a_record_is_saved_and_loaded(tmp_path):
    record = findings(Section("release", claim_list := [claim()]))
    assert Findings.load(record.save(tmp_path / "findings.json")) == record
    assert claim_list
    with pytest.raises(SourceError, match="no such file"):
        Findings.load(tmp_path / "absent.json")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "something else"),
        ("[]", "something else"),
        ('{"schema_version": 99}', "found 99"),
        ('{"schema_version": 1}', "lacks a field"),
    ],
)
def test_other_json_is_refused(text, says):
    with pytest.raises(SourceError, match=says):
        Findings.from_json(text)


@pytest.mark.parametrize("name", ["parameters", "provenance"])
def test_what_should_be_a_table_of_names_and_values_is_one(name):
    about = About("tiny", "Tiny (synthetic)", "twitter")
    with pytest.raises(SchemaError, match=f"The {name} of findings are a table"):
        Findings(about=about, sections=(), **{name: ["a"]})


def test_a_claim_edited_upwards_in_the_json_is_refused():
    text = findings(Section("release", [claim()])).to_json().replace('"co-action"', '"inauthentic"')
    with pytest.raises(ClaimError, match="needs a Deception"):
        Findings.from_json(text)


def test_sections_come_in_the_fixed_order_and_missing_ones_say_so():
    record = findings(Section("limits", prose="Much."), Section("release", [claim()]))
    assert [section.name for section in record.sections] == ["release", "limits"]
    assert "Not part of this run" in record.section("narratives").empty_reason
    assert next(iter(SECTIONS)) == "findings"
    assert list(SECTIONS)[-1] == "reply"
    with pytest.raises(SchemaError, match="found 'gossip'"):
        record.section("gossip")


def test_a_section_is_known_and_either_full_or_says_why_not():
    with pytest.raises(SchemaError, match="found 'gossip'"):
        Section("gossip", prose="x")
    with pytest.raises(SchemaError, match="Say in empty_reason"):
        Section("release")
    with pytest.raises(SchemaError, match="Drop one of the two"):
        Section("release", prose="x", empty_reason="y")


def test_prose_stays_on_the_rung_of_its_claims_unless_it_takes_the_word_back():
    Section("clusters", [claim()], prose="Coordination is not inauthentic behaviour.")
    with pytest.raises(ClaimError, match="says 'inauthentic'"):
        Section("clusters", [claim()], prose="These accounts look inauthentic.")


def test_names_are_unique_and_file_safe():
    table = TableView("top", "Top", "", [{"n": 1}])
    with pytest.raises(SchemaError, match="'top' twice"):
        findings(Section("release", tables=[table]), Section("limits", tables=[table]))
    with pytest.raises(SchemaError, match="'release' twice"):
        findings(Section("release", prose="a"), Section("release", prose="b"))
    with pytest.raises(SchemaError, match="letters, digits"):
        TableView("../top", "Top", "", [{"n": 1}])
    with pytest.raises(SchemaError, match="needs a description"):
        Figure("f", "Title", "", {"mark": "line"}, [])


def test_headlines_are_the_marked_claims_filled_up_to_three():
    marked = claim("Marked one.", is_headline=True)
    first, second, other = claim("First."), claim("Second."), claim("Not first.")
    record = findings(Section("release", [first, other]), Section("clusters", [marked]), Section("limits", [second]))
    assert [c.text for c in record.headlines] == ["Marked one.", "First.", "Second."]
    sure = [replace(claim(f"Sure of {n}."), confidence=Confidence("high", "Counted.")) for n in range(3)]
    names = ("release", "method", "limits")
    counted = [Section(name, [one]) for name, one in zip(names, sure, strict=True)]
    weak = Section("accounts", [claim("Weak.")])
    assert [c.text for c in findings(weak, *counted).headlines] == ["Sure of 0.", "Sure of 1.", "Sure of 2."]
    assert [c.text for c in findings(weak, *counted[:2]).headlines] == ["Weak.", "Sure of 0.", "Sure of 1."]
    many = [claim(f"Number {n}.", is_headline=True) for n in range(7)]
    assert len(findings(Section("release", many)).headlines) == 5


def test_level_is_the_highest_claimed():
    assert findings().level is None
    cited = Claim(
        "Harbour Platform said so.", "attributed", LOW, (Citation("Harbour Platform", "2031-05-04", "so"),), "1"
    )
    assert findings(Section("release", [claim(), cited])).level == "attributed"


def test_cells_become_plain_values():
    frame = pl.DataFrame(
        {
            "at": [datetime(2031, 5, 4, 9, 30, tzinfo=UTC)],
            "day": [date(2031, 5, 4)],
            "gap": [timedelta(seconds=90)],
            "bad": [float("nan")],
            "tags": [["ferry", "tram"]],
            "none": [None],
        }
    )
    assert to_rows(frame) == (
        {
            "at": "2031-05-04 09:30:00 UTC",
            "day": "2031-05-04",
            "gap": 90.0,
            "bad": None,
            "tags": "ferry; tram",
            "none": None,
        },
    )
    with pytest.raises(SchemaError, match="found object"):
        to_rows([{"x": object()}])


def test_cards_carry_claims_facts_and_tables_through_json():
    table = TableView("top_1", "Top links", "", [{"link": "a", "n": 2}])
    card = Card("Cluster 1", [claim(is_headline=True)], {"Accounts": "9 of 400"}, ["Innocent."], [table], "#0072B2")
    record = findings(Section("clusters", cards=[card]))
    assert Findings.from_json(record.to_json()) == record
    assert record.headlines == card.claims
    assert record.section("clusters").all_tables == (table,)
    assert record.level == "co-action"


def test_a_card_has_a_title_and_a_true_colour_and_keeps_to_its_claims():
    with pytest.raises(SchemaError, match="needs a title"):
        Card(" ")
    with pytest.raises(SchemaError, match="hexadecimal"):
        Card("Cluster 1", colour="red; background: url(x)")
    with pytest.raises(ClaimError, match="Prose of card 'Cluster 1' says 'trolls'"):
        Card("Cluster 1", prose="These are trolls.")


def test_a_key_number_says_what_it_is_a_part_of():
    number = KeyNumber("67", "accounts in clusters", "of 400 accounts with an action")
    record = findings(Section("clusters", prose="Text.", key_numbers=[number]))
    assert Findings.from_json(record.to_json()) == record
    with pytest.raises(SchemaError, match="of_what"):
        KeyNumber("67", "accounts", "")


def test_a_finding_of_nothing_does_not_raise_how_far_a_report_goes():
    test = ChanceTest("shuffle", "None of 20.", n_shuffles=20)
    nothing = Claim("No group acted together beyond chance.", "coordination", LOW, (test,), "400", is_absence=True)
    record = findings(Section("release", [claim()]), Section("clusters", [nothing]))
    assert record.level == "co-action"
    assert Findings.from_json(record.to_json()) == record
