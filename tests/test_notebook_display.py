"""Notebooks show a section's own figures and claims, or the one line why there are none."""

import polars as pl

from workbench.charts import chart_sensitivity
from workbench.findings import Card, Claim, Confidence, Observation, Section
from workbench.notebook_display import show_cards, show_claims, show_figure
from workbench.sections.base import make_figure

TABLE = pl.DataFrame(
    {"time_window_s": [10.0, 60.0], "max_fdr": [0.05, 0.05], "n_accounts": [3, 9], "n_clusters": [1, 1]}
)
SECTION = Section(
    "limits",
    claims=[
        Claim(
            "Other settings give 3 to 9 accounts.",
            "co-action",
            Confidence("high", "Counted."),
            [Observation("All settings tried.", "sensitivity")],
            "40 accounts",
        )
    ],
    figures=[make_figure("sensitivity", chart_sensitivity(TABLE), TABLE)],
)


def test_a_figure_comes_as_picture_and_words():
    forms = show_figure(SECTION, "sensitivity")._repr_mimebundle_()
    assert forms["image/svg+xml"].startswith("<svg")
    assert "between 3 and 9" in forms["text/plain"]


def test_a_figure_that_is_not_there_says_why():
    assert show_figure(SECTION, "network").forms == {"text/plain": "There is too little data for this figure."}
    assert show_figure(Section("limits", empty_reason="No posts."), "network").forms == {"text/plain": "No posts."}


def test_claims_come_with_denominator_and_confidence():
    text = show_claims(SECTION).forms["text/markdown"]
    assert text == "- Other settings give 3 to 9 accounts. *Of 40 accounts. Confidence high: Counted.*"
    assert show_claims(Section("limits", empty_reason="No posts.")).forms["text/plain"] == "No posts."


def test_cards_come_with_facts_and_what_would_be_innocent_and_no_tag_stays_one():
    cards = [Card("Cluster 1", SECTION.claims, {"Core": "3 of 9 accounts"}, ["Sister pages <b>earn</b> this too."])]
    text = show_cards(Section("clusters", cards=cards)).forms["text/markdown"]
    assert text == (
        "**Cluster 1**\n\nOther settings give 3 to 9 accounts.\n\n- Core: 3 of 9 accounts\n\n"
        "Sister pages &lt;b&gt;earn&lt;/b&gt; this too."
    )
    assert show_cards(Section("clusters", empty_reason="No posts.")).forms["text/plain"] == "No posts."
