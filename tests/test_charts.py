import importlib
import json
import re
import sys

import altair as alt
import invented
import polars as pl
import pytest
import vl_convert

from workbench import charts
from workbench.chart_display import bundle_chart, draw_svg, enable_charts, read_title
from workbench.chart_library import _left_out
from workbench.chart_style import GREY, MAX_ROWS, PALETTE, cluster_colour, name_period, say_span
from workbench.schema import ParameterError, SchemaError

ALL = {
    "posts_per_day": lambda: charts.chart_posts_per_day(invented.per_day()),
    "account_creation": lambda: charts.chart_account_creation(invented.per_month()),
    "week_hours": lambda: charts.chart_week_hours(invented.week_hours(), time_zone="Asia/Shanghai"),
    "languages": lambda: charts.chart_languages_over_time(invented.languages()),
    "weights": lambda: charts.chart_weight_distribution(invented.weights()),
    "cluster_sizes": lambda: charts.chart_cluster_sizes(invented.cluster_sizes()),
    "cluster_ratios": lambda: charts.chart_cluster_ratios(invented.cluster_ratios()),
    "sensitivity": lambda: charts.chart_sensitivity(invented.sensitivity()),
    "network": lambda: charts.chart_network(*invented.network()),
}


def test_a_module_left_out_of_an_import_is_there_again_even_where_the_import_fails():
    with pytest.raises(ImportError, match="halted"), _left_out("nobodys_parser"):
        importlib.import_module("nobodys_parser")
    assert "nobodys_parser" not in sys.modules
    with _left_out("json"):
        assert sys.modules["json"] is json
    assert sys.modules["json"] is json


@pytest.mark.parametrize("name", ALL)
def test_every_chart_has_title_description_and_a_picture(name):
    spec = ALL[name]().to_dict()
    assert read_title(spec)
    assert len(spec["description"]) > 40
    svg = draw_svg(spec)
    assert svg.startswith('<svg aria-hidden="true"')
    assert "NaN" not in svg
    assert "Infinity" not in svg
    assert svg == draw_svg(ALL[name]().to_dict())


def test_small_numbers_on_an_axis_stay_as_they_are():
    small = {"ratio": pl.lit(0.001), "ratio_low": pl.lit(0.0005), "ratio_high": pl.lit(9.0)}
    table = invented.cluster_ratios().with_columns(**small)
    labels = re.findall(r">([\d.]+)</text>", draw_svg(charts.chart_cluster_ratios(table).to_dict()))
    assert "0.001" in labels
    assert "0" not in labels


@pytest.mark.parametrize("name", ALL)
def test_pictures_carry_no_style_script_or_address(name):
    svg = draw_svg(ALL[name]().to_dict())
    for forbidden in (" style=", "<style", "<script", " href=", "xlink:href=", " onclick=", " onload="):
        assert forbidden not in svg


def test_pictures_on_one_page_share_no_names():
    pictures = [draw_svg(ALL[name]().to_dict(), width_px=width) for name in ALL for width in (340, 640)]
    names = [name for svg in pictures for name in set(re.findall(r' id="([^"]+)"', svg))]
    assert len(names) == len(set(names)) > 4


def test_on_a_phone_labels_and_legends_leave_room_for_the_chart():
    groups = [f"a group with a long name, number {n}" for n in range(6)]
    days = [invented.DAY_0.date()] * 6
    table = pl.DataFrame({"day": days, "group": groups, "n_posts": [3] * 6})
    svg = draw_svg(charts.chart_posts_per_day(table).to_dict(), width_px=340)
    assert "…" in svg
    assert float(re.search(r'viewBox="0 0 ([\d.]+)', svg).group(1)) <= 350
    names = [name * 4 for name in ("a_case_", "b_case_")]
    cases = pl.DataFrame({"case": names, "first_day": days[:2], "last_day": days[:2], "platform": ["x", "x"]})
    assert "…" in draw_svg(charts.chart_case_timeline(cases).to_dict(), width_px=340)
    assert "…" not in draw_svg(charts.chart_case_timeline(cases).to_dict())


def test_descriptions_count():
    per_day = pl.DataFrame({"day": ["2031-05-04", "2031-05-05"], "group": ["a", "a"], "n_posts": [3, 8]})
    per_day = per_day.with_columns(pl.col("day").str.to_date())
    assert "busiest day is 5 May 2031, with 8 posts" in charts.chart_posts_per_day(per_day).to_dict()["description"]
    hours = pl.DataFrame({"weekday": [1, 5, 6], "hour": [9, 18, 12], "n_posts": [7, 2, 1]})
    assert "7 of 10 posts" in charts.chart_week_hours(hours, time_zone="UTC").to_dict()["description"]


@pytest.mark.parametrize(
    ("days", "step", "span"),
    [
        (["2031-05-01", "2031-06-01"], "month", "May 2031 to June 2031"),
        (["2031-05-05", "2031-05-19"], "week", "5 May 2031 to 19 May 2031"),
        (["2031-05-04", "2031-05-05"], "day", "4 May 2031 to 5 May 2031"),
        (["2031-05-01", "2031-05-01"], "month", "May 2031"),
    ],
)
def test_spans_are_said_by_their_step(days, step, span):
    dates = pl.Series(days).str.to_date()
    assert name_period(dates) == step
    assert say_span(dates, step) == span


def test_a_picture_of_some_says_how_many_there_are():
    nodes, edges = invented.network()
    some = charts.chart_network(nodes, edges.head(10), n_accounts=9_000, n_pairs=8_176).to_dict()["description"]
    assert some.startswith(f"{nodes.height:,} of 9,000 accounts in 3 clusters. 10 lines join two that acted")
    assert "the furthest beyond chance of 8,176 such pairs" in some
    whole = charts.chart_network(nodes, edges).to_dict()["description"]
    assert "such pairs" not in whole
    assert f"{nodes.height:,} accounts in 3 clusters. {edges.height:,} lines join" in whole


@pytest.mark.parametrize("column", ["day", "group", "n_posts"])
def test_a_missing_column_is_named(column):
    with pytest.raises(SchemaError, match=f"lacks column '{column}'"):
        charts.chart_posts_per_day(invented.per_day().drop(column))


def test_nothing_and_too_much_are_refused():
    with pytest.raises(ParameterError, match="found none"):
        charts.chart_posts_per_day(invented.per_day().clear())
    with pytest.raises(ParameterError, match="Aggregate the table first"):
        charts.chart_posts_per_day(pl.concat([invented.per_day()] * 40))
    nodes, edges = invented.network()
    with pytest.raises(ParameterError, match="Draw the backbone"):
        charts.chart_network(nodes, pl.concat([edges] * (MAX_ROWS // edges.height + 1)))
    with pytest.raises(SchemaError, match="lacks column 'x2'"):
        charts.chart_network(nodes, edges.drop("x2"))


def _luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(a: str, b: str) -> float:
    high, low = sorted((_luminance(a), _luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("colour", [*PALETTE, GREY])
@pytest.mark.parametrize("paper", ["#FFFFFF", "#14171C"])
def test_colours_stand_out_on_light_and_dark_paper(colour, paper):
    assert _contrast(colour, paper) >= 3


def test_a_cluster_keeps_its_colour():
    assert cluster_colour(1) == PALETTE[0]
    assert cluster_colour(8) == cluster_colour(None) == GREY
    alone = invented.cluster_ratios().filter(pl.col("cluster_id") == 2)
    assert PALETTE[1] in json.dumps(charts.chart_cluster_ratios(alone).to_dict())


def test_notebooks_get_vega_svg_and_words():
    spec = ALL["posts_per_day"]().to_dict()
    bundle = bundle_chart(spec)
    assert set(bundle) == {"application/vnd.vegalite.v5+json", "image/svg+xml", "text/plain"}
    assert "/v5." in bundle["application/vnd.vegalite.v5+json"]["$schema"]
    assert bundle["text/plain"].startswith("Posts per day, by group. Posts per day of")


def test_charts_can_be_enabled_for_notebooks():
    before = alt.renderers.active
    try:
        enable_charts()
        shown = ALL["posts_per_day"]()._repr_mimebundle_()
        assert "image/svg+xml" in shown
    finally:
        alt.renderers.enable(before)


def test_a_title_in_parts_is_read_as_one():
    assert read_title({"title": {"text": ["Posts", "per day"]}}) == "Posts per day"
    assert read_title({"title": "Posts"}) == "Posts"


@pytest.mark.parametrize("character", ["\x00", "\x1b", "\ufffe", "\u202e", "\ud800"])
def test_no_character_of_a_label_ends_the_drawing(character):
    table = pl.DataFrame({"cluster_id": [1], "role": ["core"], "n_accounts": [2]})
    spec = charts.chart_cluster_sizes(table).to_dict()
    spec["encoding"]["x"]["title"] = f"a{character}b"
    assert f"a⟨U+{ord(character):04X}⟩b" in draw_svg(spec)
    assert f"a⟨U+{ord(character):04X}⟩b" in bundle_chart(spec)["image/svg+xml"]


@pytest.mark.parametrize("name", ALL)
def test_charts_need_nothing_that_jupyterlabs_older_vega_lite_lacks(name):
    bundle = bundle_chart(ALL[name]().to_dict())
    older = vl_convert.vegalite_to_svg(bundle["application/vnd.vegalite.v5+json"], vl_version="5.8")
    marks = re.compile(r'class="mark-[a-z]+ role-mark[^"]*"')
    assert marks.findall(older) == marks.findall(bundle["image/svg+xml"]) != []
