import json
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

import workbench.state_media as sm
import workbench.state_media.adverts as adverts_module
from workbench.schema import ParameterError, SchemaError, SourceError
from workbench.state_media.amounts import find_decimal_marks, read_amount
from workbench.state_media.cells import read_countries, read_day, read_items
from workbench.state_media.currencies import name_currency
from workbench.state_media.facts import Facts, Outlets


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


META = (
    "ad_archive_id,page_id,page_name,ad_creation_time,ad_delivery_start_time,ad_delivery_stop_time,"
    "ad_creative_bodies,ad_creative_link_captions,bylines,currency,spend,impressions,delivery_by_region\n"
    '1,901,Tidehaven Herald,2026-01-01,2026-01-02,2026-01-09,"[""A pier""]","[""herald.example""]",City Press,TPD,'
    '"lower_bound: 100, upper_bound: 199","lower_bound: 1000, upper_bound: 4999",'
    '"[{""region"": ""Harbour"", ""percentage"": ""0.7""}, {""region"": ""Hills"", ""percentage"": ""0.3""}]"\n'
    '2,902,Somebody,2026-01-01,,,,"[""https://herald.example/x""]",,TPD,lower_bound: 1000000,,\n'
    ",903,No Id,2026-01-01,,,,,,TPD,,,\n"
    "4,904,Bad Money,2026-01-01,,,,,,TPD,plenty,,\n"
)
GOOGLE = (
    "Ad_ID,Ad_URL,Ad_Type,Regions,Advertiser_ID,Advertiser_Name,Date_Range_Start,Date_Range_End,Impressions,"
    "Spend_USD,Spend_Range_Min_USD,Spend_Range_Max_USD,Spend_Range_Min_EUR,Spend_Range_Max_EUR\n"
    'CR1,https://x.example,TEXT,"US,EU",AR1,tidehaven  HERALD,2026-02-01,2026-02-03,10k-100k,,100,1000,90,900\n'
    "CR2,https://x.example,TEXT,IN,AR2,Wave,2026-02-01,,> 10M,,,,50,\n"
    "CR3,https://x.example,TEXT,US,AR3,Old,2018-06-01,2018-06-02,≤ 10k,100-1k,,,,\n"
)
TWITTER = (
    "Tweet ID,Screen Name,Spend (USD),Impressions,Start Date,End Date,Targeted Locations\n"
    '77,TheHerald,"$1,234.50","10,000",2018-07-01,2018-07-05,Harbour\n'
    "78,TheHerald,not stated,9,2018-07-01,,\n"
    "79,,5,9,2018-07-01,,\n"
    "80,TheHerald,5,9,yesterday,,\n"
)


def make_outlets(*rows: dict) -> pl.DataFrame:
    schema = Outlets.create_empty().schema
    blank = {"names": [], "countries": [], "domains": [], "handles": []}
    return pl.DataFrame([{name: {**blank, **row}.get(name) for name in schema} for row in rows], schema=schema)


HERALD = make_outlets(
    {"outlet_id": "herald", "name": "Tidehaven Herald", "domains": ["herald.example"],
     "handles": ["twitter:theherald", "facebook:901", "google:AR1"]},
    {"outlet_id": "wave", "name": "Wave"},
)  # fmt: skip


def test_meta_csv(tmp_path):
    read = sm.read_adverts(write(tmp_path, "meta.csv", META), countries=["us"])
    assert read.layout_id == "meta_ad_library"
    first, second = read.adverts.to_dicts()
    assert (first["spend_min"], first["spend_max"], first["currency"]) == (100, 199, "TPD")
    assert (first["impressions_min"], first["impressions_max"]) == (1000, 4999)
    assert (first["regions"], first["countries"], first["paid_by"]) == (["Harbour", "Hills"], ["US"], "City Press")
    assert first["started_at"] == datetime(2026, 1, 2, tzinfo=UTC)
    assert (second["spend_min"], second["spend_max"], second["started_at"].day) == (1_000_000, None, 1)
    assert read.quarantine.select("line", "reason").rows() == [
        (4, "the row has no advert id"), (5, "'plenty' is no amount or range"),
    ]  # fmt: skip


def test_meta_api_answers(tmp_path):
    advert = {
        "id": "1", "page_id": "901", "page_name": "Herald", "ad_delivery_start_time": "2026-01-02", "currency": "EUR",
        "spend": {"lower_bound": "100", "upper_bound": "199"}, "impressions": {"lower_bound": "1000"},
        "delivery_by_region": [{"region": "Harbour", "percentage": "1"}],
        "ad_creative_link_captions": ["herald.example"],
    }  # fmt: skip
    answer = write(tmp_path, "api.json", json.dumps({"data": [advert], "paging": {}}))
    lines = write(tmp_path, "api.jsonl", json.dumps(advert) + "\n")
    for path in (answer, lines):
        row = sm.read_adverts(path).adverts.row(0, named=True)
        assert (row["spend_min"], row["spend_max"], row["impressions_max"]) == (100, 199, None)
        assert (row["regions"], row["urls"]) == (["Harbour"], ["herald.example"])


def test_google_keeps_the_currency_it_is_given_and_open_ends_open(tmp_path):
    read = sm.read_adverts(write(tmp_path, "google.csv", GOOGLE))
    assert read.layout_id == "google_political_ads"
    rows = read.adverts.select("spend_min", "spend_max", "currency", "impressions_min", "impressions_max", "countries")
    assert rows.rows() == [
        (100, 1000, "USD", 10_000, 100_000, ["EU", "US"]),
        (50, None, "EUR", 10_000_000, None, ["IN"]),
        (100, 1000, "USD", 0, 10_000, ["US"]),
    ]


def test_twitter_2018_2019(tmp_path):
    read = sm.read_adverts(write(tmp_path, "twitter.csv", TWITTER))
    assert read.layout_id == "twitter_2018_2019"
    row = read.adverts.row(0, named=True)
    assert (row["handle"], row["spend_min"], row["spend_max"], row["currency"]) == ("TheHerald", 1234.5, 1234.5, "USD")
    assert row["impressions_min"] == 10_000
    assert read.adverts.height + read.quarantine.height == 4
    assert read.quarantine["line"].to_list() == [3, 4, 5]


def test_any_other_layout_by_a_map_or_a_file_of_layouts(tmp_path):
    path = write(tmp_path, "own.csv", "No,Who,Cost,From\n1,Wave,5-10,01/31/2026\n")
    with pytest.raises(SourceError, match="no known advert layout"):
        sm.read_adverts(path)
    read = sm.read_adverts(
        path, columns={"No": "advert_id", "Who": "advertiser", "Cost": "spend", "From": "started_at"},
        platform="board", currency="TPD",
    )  # fmt: skip
    assert read.adverts.select("platform", "spend_min", "spend_max", "currency").row(0) == ("board", 5, 10, "TPD")
    layouts = write(
        tmp_path, "layouts.toml",
        '[[layout]]\nlayout_id = "board"\ntitle = "Board"\nsource_url = ""\nplatform = "board"\n'
        'needs = [["no"], ["who"]]\n[layout.columns]\nadvert_id = ["no"]\nadvertiser = ["who"]\nspend = ["cost"]\n',
    )  # fmt: skip
    assert sm.read_adverts(path, layouts=layouts).layout_id == "board"
    assert "board" in sm.list_advert_layouts(layouts)["layout_id"].to_list()
    with pytest.raises(ParameterError, match="no column 'Nr'"):
        sm.read_adverts(path, columns={"Nr": "advert_id"}, platform="board")
    with pytest.raises(ParameterError, match="is no column of adverts"):
        sm.read_adverts(path, columns={"No": "id"}, platform="board")
    with pytest.raises(ParameterError, match="needs platform="):
        sm.read_adverts(path, columns={"No": "advert_id"})
    with pytest.raises(ParameterError, match="No advert layout 'myspace'"):
        sm.read_adverts(path, layout="myspace")


def test_what_is_no_export_says_so(tmp_path):
    with pytest.raises(SourceError, match="no such file"):
        sm.read_adverts(tmp_path / "none.csv")
    with pytest.raises(SourceError, match="Save it again"):
        sm.read_adverts(write(tmp_path, "empty.csv", ""))
    with pytest.raises(SourceError, match="to be JSON"):
        sm.read_adverts(write(tmp_path, "broken.json", "{"))
    with pytest.raises(SourceError, match="one object per advert"):
        sm.read_adverts(write(tmp_path, "list.json", "[1]"))


@pytest.mark.parametrize(
    ("cell", "bounds"),
    [
        (None, (None, None)), ("", (None, None)), ("1,234", (1234, 1234)), ("$5", (5, 5)), (7, (7, 7)),
        ("10k–100k", (10_000, 100_000)), ("1K-5K", (1000, 5000)), ("≤ 10k", (0, 10_000)), ("<100", (0, 100)),
        ("> 10M", (10_000_000, None)), (">1M", (1_000_000, None)), ("1M+", (1_000_000, None)), ("0-1K", (0, 1000)),
        ("500-1K", (500, 1000)), ("USD 1,000-2,000", (1000, 2000)), ("1 000 € - 2 000 €", (1000, 2000)),
        ("1’000 CHF", (1000, 1000)), ("1.5k to 2k", (1500, 2000)), ({"upper_bound": 99}, (None, 99)),
        ("lower_bound: 0, upper_bound: 99", (0, 99)), ("lower_bound: 1,000, upper_bound: 1,499", (1000, 1499)),
        ({"lower_bound": "1,000", "upper_bound": "1,499"}, (1000, 1499)), ("lower_bound: 1K", (1000, None)),
        ("1,50", (1.5, 1.5)), ("1.000,50", (1000.5, 1000.5)), ("1.234.567", (1_234_567, 1_234_567)),
        ("0.999", (0.999, 0.999)), ("1,234.50", (1234.5, 1234.5)),
    ],
)  # fmt: skip
def test_amounts_as_libraries_and_countries_write_them(cell, bounds):
    assert read_amount(cell)[:2] == bounds


@pytest.mark.parametrize(
    ("cell", "why"),
    [
        ("many", "is no amount"), ("10-", "is no amount"), ("10 20", "is no amount"), ("1,2,3", "is no amount"),
        ({"lower_bound": "x"}, "is no amount"), ("-5", "is no amount"), ("9-3", "ends below its start"),
        ("1.000", "a thousand or a decimal"), ("1-5K", "write both units"), ("$5 or €6", "names two currencies"),
    ],
)  # fmt: skip
def test_what_is_no_amount_or_can_be_read_in_two_ways(cell, why):
    with pytest.raises(ValueError, match=why):
        read_amount(cell)


def test_a_file_betrays_how_it_writes_decimals():
    assert find_decimal_marks(["1.000,50", "7", None, 3]) == {","}
    assert read_amount("1.000", marks=frozenset(",")).low == 1000
    with pytest.raises(ValueError, match="a thousand or a decimal"):
        read_amount("2,000", marks=frozenset(","))  # beside 1,50 it may be two
    assert find_decimal_marks(["1,50", "1.50"]) == {",", "."}
    assert find_decimal_marks(["1,000", "1.000"]) == set()


@given(st.integers(0, 10**9), st.sampled_from(["{:,}", "{:,}.00", "${:,}", "EUR {:,}", "lower_bound: {:,}"]))
def test_grouping_never_changes_an_amount(number, form):
    assert read_amount(form.format(number)).low == number


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ("USD", "USD"), ("us dollar", "USD"), ("US$", "USD"), ("€", "EUR"), ("£", "GBP"), ("HK$", "HKD"),
        ("NT$", "TWD"), ("A$", "AUD"), ("RMB", "CNY"), ("zł", "PLN"), ("tpd", "TPD"), ("$", None), ("¥", None),
        ("kr", None), ("Dollar", None), ("lei", None), ("", None), (None, None),
    ],
)  # fmt: skip
def test_a_currency_has_a_code_only_where_it_can_mean_one(given, code):
    assert name_currency(given) == code


SIGNS = (
    "ad_archive_id;page_id;page_name;ad_delivery_start_time;spend;impressions;currency\n"
    "1;901;Herald;2026-01-02;€100-€199;<1000;\n2;901;Herald;2026-01-02;A$1.000-A$1.999;<1000;\n"
    "3;901;Herald;2026-01-02;$5;<1000;\n4;901;Herald;2026-01-02;1.000,50;1K-5K;US Dollar\n"
    "5;901;Herald;2026-01-02;€5;<1000;USD\n6;901;Herald;2026-01-02;7;;\n7;901;Herald;2026-01-02;8;;\n"
)


def test_semicolons_european_decimals_and_signs_are_read_and_signs_kept(tmp_path):
    read = sm.read_adverts(write(tmp_path, "eu.csv", SIGNS))
    rows = read.adverts.select("advert_id", "spend_min", "spend_max", "currency", "currency_given").rows()
    assert rows == [
        ("1", 100, 199, "EUR", "€"), ("2", 1000, 1999, "AUD", "A$"), ("3", 5, 5, None, "$"),
        ("4", 1000.5, 1000.5, "USD", "US Dollar"), ("6", 7, 7, None, None), ("7", 8, 8, None, None),
    ]  # fmt: skip
    assert read.quarantine.rows() == [("eu.csv", 6, "the row names its amount in EUR and USD")]
    named = sm.read_adverts(write(tmp_path, "eu.csv", SIGNS), currency="CAD").adverts
    assert named.filter(advert_id="3").select("currency", "currency_given").row(0) == ("CAD", "$")


def judge(tmp_path, *names_and_texts: tuple[str, str]) -> pl.DataFrame:
    policies = sm.read_policies()
    adverts = pl.concat([sm.read_adverts(write(tmp_path, name, text)).adverts for name, text in names_and_texts])
    facts = make_facts(("herald", "publishes_news", "yes"), ("herald", "editorial_control", "yes"))
    screened = sm.screen_outlets(facts, policies=policies)
    return sm.judge_adverts(sm.match_adverts(adverts, HERALD), screened, policies=policies)


def test_money_is_summed_only_where_it_is_surely_one_currency(tmp_path):
    sums = sm.summarise_adverts(judge(tmp_path, ("a.csv", SIGNS), ("b.csv", SIGNS.replace(";901;", ";901;x"))))
    bare = sums.filter(policy_id="twitter_2019")
    assert bare.select("currency", "n_adverts", "spend_min", "spend_max").rows() == [
        ("$ as written in a.csv", 1, 5, 5), ("AUD", 1, 1000, 1999), ("EUR", 1, 100, 199), ("USD", 1, 1000.5, 1000.5),
        (None, 2, None, None),
    ]  # fmt: skip


def test_an_advert_in_two_exports_counts_once_and_the_other_row_is_on_record(tmp_path):
    head, row = META.split("\n")[:2]
    later = row.replace("lower_bound: 100, upper_bound: 199", "lower_bound: 200, upper_bound: 299")
    judged = judge(tmp_path, ("a.csv", f"{head}\n{row}\n"), ("b.csv", f"{head}\n{later}\n{later}\n"))
    twitter = judged.filter(policy_id="twitter_2019")
    assert twitter.select("file", "line", "repeats").rows() == [
        ("a.csv", 2, "b.csv, line 2"), ("b.csv", 2, None), ("b.csv", 3, "b.csv, line 2"),
    ]  # fmt: skip
    total = sm.summarise_adverts(judged).filter(policy_id="twitter_2019")
    assert total.select("n_adverts", "spend_min", "spend_max", "n_repeats").rows() == [(1, 200, 299, 2)]


def test_days_items_and_countries():
    assert read_day("2018-07-01 08:00:00 UTC") == datetime(2018, 7, 1, 8, tzinfo=UTC)
    assert read_day("Jul 01, 2018") == datetime(2018, 7, 1, tzinfo=UTC)
    assert read_day(" ") is None
    with pytest.raises(ValueError, match="is no date"):
        read_day("soon")
    assert read_items("[not json") == ["[not json"]
    assert read_items('{"Harbour": 0.5}') == ["Harbour"]
    assert read_countries("us, de; Harbour") == ["DE", "US"]


def make_facts(*rows: tuple[str, str, str]) -> pl.DataFrame:
    day = datetime(2025, 1, 1, tzinfo=UTC)
    made = [(o, f, v, "https://evidence.example", day, "B2", None, None) for o, f, v in rows]
    return pl.DataFrame(made, schema=Facts.create_empty().schema, orient="row")


def test_match_by_handle_name_and_link(tmp_path):
    meta = sm.match_adverts(sm.read_adverts(write(tmp_path, "meta.csv", META)).adverts, HERALD)
    assert meta.select("advert_id", "outlet_id", "matched_by", "is_advertiser").rows() == [
        ("1", "herald", "handle", True), ("2", "herald", "link", False),
    ]  # fmt: skip
    google = sm.match_adverts(sm.read_adverts(write(tmp_path, "google.csv", GOOGLE)).adverts, HERALD)
    assert google.select("advert_id", "outlet_id", "matched_by").rows() == [
        ("CR1", "herald", "handle"), ("CR2", "wave", "name"), ("CR3", None, None),
    ]  # fmt: skip
    linked = META.replace("902,Somebody", "902,Tidehaven Herald")
    both = sm.match_adverts(sm.read_adverts(write(tmp_path, "meta.csv", linked)).adverts, HERALD)
    assert both.select("matched_by", "is_advertiser").row(1) == ("name and link", False)
    with pytest.raises(SchemaError, match="Use read_adverts"):
        sm.match_adverts(google.drop("spend_min"), HERALD)


def with_handle(outlet: str, handle: str) -> pl.DataFrame:
    handles = pl.when(outlet_id=outlet).then(pl.concat_list("handles", pl.lit(handle))).otherwise("handles")
    return HERALD.with_columns(handles=handles)


def judged_of(outlets, adverts, screened, policies) -> dict:
    judged = sm.judge_adverts(sm.match_adverts(adverts, outlets), screened, policies=policies)
    return {(a, p): (v, w) for a, p, v, w in judged.select("advert_id", "policy_id", "verdict", "missing").iter_rows()}


def test_a_name_or_a_link_settles_nothing_and_an_id_does(tmp_path):
    """Neither barred nor cleared: anybody may call a page like the outlet, or link to it."""
    policies = sm.read_policies()
    free = sm.screen_outlets(make_facts(("wave", "editorial_control", "no")), policies=policies)
    adverts = sm.read_adverts(write(tmp_path, "google.csv", GOOGLE)).adverts
    named = judged_of(HERALD, adverts, free, policies)
    assert named["CR2", "facebook_2020"] == ("undetermined", ["who the advertiser is"])
    assert named["CR2", "youtube_2018"] == ("not barred", [])  # whoever it was: this policy bars no advert
    known = judged_of(with_handle("wave", "google:AR2"), adverts, free, policies)
    assert known["CR2", "facebook_2020"] == ("not barred", [])
    twins = with_handle("wave", "google:AR2").with_columns(handles=pl.lit(["google:AR2"]))
    shared = judged_of(twins, adverts, free, policies)
    assert shared["CR2", "facebook_2020"] == ("undetermined", ["which outlet the advertiser is"])


def test_what_each_policy_would_bar(tmp_path):
    policies = sm.read_policies()
    facts = make_facts(
        ("herald", "publishes_news", "yes"), ("herald", "editorial_control", "yes"), ("wave", "publishes_news", "yes")
    )
    screened = sm.screen_outlets(facts, policies=policies)
    files = {"google.csv": GOOGLE, "meta.csv": META, "twitter.csv": TWITTER}
    adverts = pl.concat([sm.read_adverts(write(tmp_path, name, text)).adverts for name, text in files.items()])
    judged = sm.judge_adverts(sm.match_adverts(adverts, HERALD), screened, policies=policies)
    verdicts = {
        (a, p): (v, w) for a, p, v, w in judged.select("advert_id", "policy_id", "verdict", "missing").iter_rows()
    }
    assert verdicts["CR1", "twitter_2019"] == ("barred", [])
    assert verdicts["CR1", "facebook_2020"] == ("barred", [])
    assert verdicts["CR1", "youtube_2018"] == ("not barred", [])
    assert verdicts["1", "facebook_2020"] == ("undetermined", ["country of delivery"])
    assert verdicts["2", "twitter_2019"] == ("undetermined", ["who the advertiser is"])
    assert verdicts["CR2", "twitter_2019"] == ("undetermined", ["who the advertiser is"])
    known = judged_of(with_handle("wave", "google:AR2"), adverts, screened, policies)
    wave, missing = known["CR2", "twitter_2019"]
    assert wave == "undetermined"
    assert "editorial_control" in missing
    before = dict(judged.filter(policy_id="twitter_2019").select("advert_id", "is_before_policy").iter_rows())
    assert (before["77"], before["CR1"]) == (True, False)
    with pytest.raises(SchemaError, match="lacks column 'missing'"):
        sm.judge_adverts(sm.match_adverts(adverts, HERALD), screened.drop("missing"), policies=policies)


def test_an_advert_that_ran_elsewhere_is_not_barred_where_the_bar_is_local(tmp_path):
    policies = sm.read_policies()
    screened = sm.screen_outlets(make_facts(("wave", "editorial_control", "yes")), policies=policies)
    adverts = sm.read_adverts(write(tmp_path, "google.csv", GOOGLE)).adverts
    outlets = with_handle("wave", "google:AR2")
    judged = sm.judge_adverts(sm.match_adverts(adverts, outlets), screened, policies=policies)
    row = judged.filter(advert_id="CR2", policy_id="facebook_2020").row(0, named=True)
    assert row["verdict"] == "not barred"
    # an outlet nobody screened is undetermined, not free
    other = judged.filter(advert_id="CR1", policy_id="twitter_2019").row(0, named=True)
    assert (other["verdict"], other["missing"]) == ("undetermined", ["any fact"])


def test_sums_never_cross_currencies_and_keep_open_ends(tmp_path):
    policies = sm.read_policies()
    text = GOOGLE.replace("AR2,Wave", "AR1,Tidehaven Herald").replace("AR3,Old", "AR1,Tidehaven Herald")
    adverts = sm.read_adverts(write(tmp_path, "google.csv", text)).adverts
    screened = sm.screen_outlets(
        make_facts(("herald", "publishes_news", "yes"), ("herald", "editorial_control", "yes")), policies=policies
    )
    judged = sm.judge_adverts(sm.match_adverts(adverts, HERALD), screened, policies=policies)
    sums = sm.summarise_adverts(judged).filter(policy_id="twitter_2019")
    shown = sums.select("currency", "n_adverts", "spend_min", "spend_max", "impressions_min", "impressions_max")
    assert shown.rows() == [
        ("EUR", 1, 50, None, 10_000_000, None), ("USD", 2, 200, 2000, 10_000, 110_000),
    ]  # fmt: skip
    assert sums["countries"].to_list() == [["IN"], ["EU", "US"]]
    assert sums["first_at"].to_list()[1].year == 2018


def test_a_long_export_is_read_in_parts_and_rows_in_are_adverts_and_quarantine(tmp_path, monkeypatch):
    header, *rows = GOOGLE.splitlines()
    path = write(
        tmp_path, "google.csv", "\n".join([header, *rows, *rows, "CR9,x,TEXT,US,AR9,Bad,2026-02-01,,plenty,,,,,"])
    )
    whole = sm.read_adverts(path)
    monkeypatch.setattr(adverts_module, "_ROWS_AT_ONCE", 2)
    parts = sm.read_adverts(path)
    assert_frame_equal(whole.adverts, parts.adverts)
    assert (parts.adverts.height, parts.quarantine["line"].to_list()) == (6, [8])
    assert parts.adverts["line"].to_list() == [2, 3, 4, 5, 6, 7]


def test_what_one_export_of_an_advert_leaves_out_another_says(tmp_path):
    layout = "ad_archive_id,page_id,page_name,ad_delivery_start_time,spend,currency,ad_reached_countries\n"
    early = write(tmp_path, "a.csv", f"{layout}1,901,Herald,2021-01-02,100-199,USD,US|DE\n")
    late = write(tmp_path, "b.csv", f"{layout}1,,Herald,2021-01-02,200-299,USD,\n")
    both = pl.concat([sm.read_adverts(path).adverts for path in (early, late)])
    outlet = Outlets.create_empty().vstack(_outlet("herald", handles=["facebook:901"]))
    matched = sm.match_adverts(both, outlet)
    counts = matched.filter(pl.col("repeats").is_null())
    assert counts.select("file", "matched_by", "countries", "spend_min").rows() == [
        ("b.csv", "handle", ["DE", "US"], 200)
    ]


def test_what_ran_before_a_policy_is_counted_and_amounts_of_other_countries_are_pointed_out(tmp_path):
    layout = (
        "ad_archive_id,page_id,page_name,ad_delivery_start_time,ad_delivery_stop_time,spend,currency,"
        "ad_reached_countries\n"
    )
    rows = "1,901,Herald,2019-01-02,2019-01-03,100-199,USD,US\n2,901,Herald,2021-01-02,2021-01-03,200-299,USD,US|DE\n"
    read = sm.read_adverts(write(tmp_path, "a.csv", layout + rows)).adverts
    outlet = Outlets.create_empty().vstack(_outlet("herald", handles=["facebook:901"]))
    policies = sm.read_policies()
    screened = pl.DataFrame(
        {"outlet_id": ["herald"] * 3, "policy_id": [policy.policy_id for policy in policies.policies],
         "outcome": ["meets"] * 3, "missing": [[]] * 3}, schema_overrides={"missing": pl.List(pl.String)},
    )  # fmt: skip
    judged = sm.judge_adverts(sm.match_adverts(read, outlet), screened, policies=policies)
    facebook = judged.filter(pl.col("policy_id") == "facebook_2020")
    assert facebook["why"].str.contains("elsewhere: its amounts are of all countries").to_list() == [False, True]
    sums = sm.summarise_adverts(judged).filter(pl.col("verdict") == "barred")
    assert sums.select("policy_id", "n_adverts", "n_before_policy").rows() == [
        ("facebook_2020", 2, 1), ("twitter_2019", 2, 1),
    ]  # fmt: skip


def _outlet(name: str, *, handles: list[str]) -> pl.DataFrame:
    row = dict.fromkeys(Outlets.column_names()) | {"outlet_id": name, "name": name, "handles": handles}
    row |= {"names": [], "countries": [], "domains": []}
    return pl.DataFrame([row], schema=Outlets.create_empty().schema)
