"""What differs between two versions is computed, and a version is counted only where something differs or is said."""

from dataclasses import replace

import invented
import pytest

from workbench.editions import MOST_CHANGES, Edition, add_version, apply_edition, list_changes
from workbench.findings import Claim, Confidence, Figure, Findings, Observation, Section, TableView
from workbench.schema import ParameterError

SURE = Confidence("high", "Counted.")


def claim(text: str, *, of: str = "40 accounts") -> Claim:
    return Claim(text, "co-action", SURE, [Observation("Counted.", "members")], of)


def record(*claims: Claim, rows=({"n": 1}, {"n": 2}), **changes) -> Findings:
    table = TableView("members", "Members", "", rows)
    limits = Section("limits", empty_reason="Nothing.")
    return replace(Findings(invented.about(), [Section("clusters", claims, tables=[table]), limits]), **changes)


def edition(version: int = 2, **changes) -> Edition:
    return Edition(**{"version": version, "day": "2031-07-01", "command": "workbench report ferry", **changes})


FIRST = record(claim("3 posted that day."), parameters={"seed": 7})


def test_a_reworded_claim_stands_beside_what_it_was():
    second = record(claim("2 posted that day."), claim("Nobody else did anything."), parameters={"seed": 7})
    assert list_changes(second, FIRST) == [
        "The clusters: was “3 posted that day.”, is “2 posted that day.”",
        "The clusters: newly said: “Nobody else did anything.”",
    ]
    assert list_changes(FIRST, second)[-1] == "The clusters: no longer said: “Nobody else did anything.”"


def test_other_grounds_of_the_same_words_are_a_change():
    second = record(claim("3 posted that day.", of="41 accounts"), parameters={"seed": 7})
    assert list_changes(second, FIRST) == [
        "The clusters: the grounds of “3 posted that day.” differ: its level, confidence, denominator or evidence."
    ]


def test_tables_are_compared_row_by_row():
    second = record(*FIRST.section("clusters").claims, rows=({"n": 2}, {"n": 3}, {"n": 4}), parameters={"seed": 7})
    assert list_changes(second, FIRST) == [
        "The clusters: “Members” differs: 2 rows before, 3 now, 1 of them as before."
    ]


def test_tables_and_figures_come_and_go():
    figure = Figure("per_day", "Posts per day", "One bar per day.", {"mark": "bar"}, [{"n": 1}])
    clusters = replace(FIRST.section("clusters"), tables=[], figures=[figure])
    second = replace(FIRST, sections=[clusters, FIRST.section("limits")])
    assert list_changes(second, FIRST) == ["The clusters: “Members” is gone.", "The clusters: “Posts per day” is new."]


def test_parameters_data_decisions_and_tools_are_compared():
    about = replace(FIRST.about, title="Other", notes=("Changed.",), files={"b.csv": "1" * 64, "c.csv": "2" * 64})
    first = replace(
        FIRST,
        about=replace(FIRST.about, files={"a.csv": "0" * 64, "b.csv": "0" * 64}),
        decisions=[{"stage": "load", "n_after": 1}],
        parameters={"seed": 7, "old": 1},
        provenance={"version_of_workbench": "0.1.0", "versions": {"polars": "2.0"}},
    )
    second = replace(
        first,
        about=about,
        decisions=[],
        parameters={"seed": 8, "new": 2},
        provenance={"version_of_workbench": "0.2.0", "versions": {"polars": "2.1"}, "contact": "desk"},
    )
    assert list_changes(second, first) == [
        f"About the data: title was “{FIRST.about.title}”, is “Other”.",
        "About the data: notes differs.",
        "Input file a.csv is gone.",
        "Input file b.csv has other content.",
        "Input file c.csv is new.",
        "Parameter new is new: 2.",
        "Parameter old is gone.",
        "Parameter seed was 7, is 8.",
        "The address for replies differs.",
        "Made with workbench 0.2.0, before with 0.1.0.",
        "Package polars was 2.0, is 2.1.",
        "What was set aside, and why: 1 of 1 entries are gone, 0 are new.",
    ]


def test_another_reason_for_an_empty_section_is_a_change():
    second = replace(FIRST, sections=[FIRST.section("clusters"), Section("limits", empty_reason="Not asked.")])
    assert list_changes(second, FIRST) == ["What could be wrong: the reason why it is empty differs."]


def test_a_long_list_says_how_much_is_left():
    second = record(*(claim(f"{n} accounts posted that day.") for n in range(10, 110)), parameters={"seed": 7})
    changes = list_changes(second, FIRST)
    assert len(changes) == MOST_CHANGES + 1
    assert changes[-1] == "40 more differences; compare the two findings.json."


def test_the_first_version_has_a_number_and_no_correction():
    told = apply_edition(FIRST, edition(1, contact="desk@harbour.example"), previous=None).provenance
    assert told == {"command": "workbench report ferry", "contact": "desk@harbour.example", "version": 1}


def test_the_same_record_stays_the_version_it_was():
    first = apply_edition(FIRST, edition(1), previous=None)
    assert apply_edition(FIRST, edition(2), previous=first) == first


def test_a_new_reason_or_reply_makes_a_version_and_the_same_again_does_not():
    first = apply_edition(FIRST, edition(1), previous=None)
    said = {"correction": "A slip.", "replies": ("The desk: no.",)}
    second = apply_edition(FIRST, edition(2, **said), previous=first)
    assert second.provenance["version"] == 2
    assert second.provenance["replies"] == ["The desk: no."]
    assert second.provenance["corrections"] == [{"version": 2, "day": "2031-07-01", "reason": "A slip.", "changes": []}]
    assert apply_edition(FIRST, edition(3, **said), previous=second) == second
    third = apply_edition(FIRST, edition(3, replies=("The mayor: yes.",)), previous=second)
    assert third.provenance["replies"] == ["The desk: no.", "The mayor: yes."]
    assert [one["version"] for one in third.provenance["corrections"]] == [3, 2]


def test_a_changed_record_is_a_version_without_being_asked():
    first = apply_edition(FIRST, edition(1), previous=None)
    second = apply_edition(record(parameters={"seed": 8}), edition(2), previous=first)
    assert second.provenance["corrections"][0]["reason"] == ""
    assert "Parameter seed was 7, is 8." in second.provenance["corrections"][0]["changes"]


def test_an_unreadable_earlier_record_is_said():
    for told in (apply_edition(FIRST, edition(4), previous=None), add_version(FIRST, edition(4), previous=None)):
        assert told.provenance["version"] == 4
        assert "cannot be read by this workbench" in told.provenance["corrections"][0]["changes"][0]


@pytest.mark.parametrize(
    "texts",
    [
        {"correction": "a\nb"},
        {"contact": "\u200bdesk"},
        {"replies": ("x" * 3_001,)},
        {"command": "\x1b[31m"},
        {"contact": "x" * 201},
    ],
)
def test_texts_not_fit_to_print_are_refused(texts):
    with pytest.raises(ParameterError, match="is one line of at most"):
        edition(**texts)
