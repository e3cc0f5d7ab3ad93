from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

import workbench.state_media as sm
from workbench.schema import ParameterError, SchemaError, SourceError

HEADER = "outlet_id,factor,finding,evidence_url,evidence_at,grade,note\n"
PACKAGE = Path(sm.__file__).parent


def write(folder: Path, text: str, name: str = "table.csv") -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def test_rows_in_are_facts_and_quarantine_with_line_and_reason(tmp_path):
    path = write(
        tmp_path,
        HEADER
        + "herald,state_funding,yes,https://budget.example/2020,2020-03-01,B2,in the budget\n"
        + "herald,editorial_control,yes,,2020-03-01,B2,no address\n"
        + "herald,editorial_control,no,https://x.example,2020-13-01,B2,no such month\n"
        + "herald,interference,perhaps,https://x.example,2020-03-01,B2,\n"
        + "herald,political_pressure,no,https://x.example,2020-03-01,G9,\n"
        + "herald,publishes_news,UNCLEAR,,,,nothing found\n",
    )
    facts, quarantine = sm.read_facts(path)
    assert facts.select("factor", "finding", "evidence_at", "file").rows() == [
        ("state_funding", "yes", datetime(2020, 3, 1, tzinfo=UTC), "table.csv"),
        ("publishes_news", "unclear", None, "table.csv"),
    ]
    assert quarantine["line"].to_list() == [3, 4, 5, 6]
    assert "needs an evidence_url" in quarantine["reason"][0]
    assert "finding is yes, no or unclear" in quarantine["reason"][2]
    assert "a digit 1 to 6" in quarantine["reason"][3]


def test_facts_of_two_tables_merge_without_doubles_and_keep_contradictions(tmp_path):
    one = "herald,state_funding,yes,https://a.example,2020-01-01,B2,\n"
    other = "herald,state_funding,no,https://b.example,2021-01-01,B2,\n"
    first, _ = sm.read_facts(write(tmp_path, HEADER + one, "a.csv"))
    second, _ = sm.read_facts(write(tmp_path, HEADER + one + other, "b.csv"))
    merged = sm.merge_facts(first, second)
    assert merged["finding"].to_list() == ["no", "yes"]
    assert sm.name_version(merged) == sm.name_version(sm.merge_facts(second, first))
    assert sm.name_version(merged) != sm.name_version(first)
    assert sm.merge_facts().is_empty()
    assert sm.name_version(sm.merge_facts()).startswith("0 facts")


@pytest.mark.parametrize(
    ("rows", "standing"),
    [
        ([("yes", "2020-01-01", "B2")], ["stands"]),
        ([("yes", "2020-01-01", "B2"), ("no", "2021-01-01", "B2")], ["outweighed", "stands"]),
        ([("yes", "2020-01-01", "B2"), ("no", "2020-01-01", "A2")], ["outweighed", "stands"]),
        ([("yes", "2020-01-01", "B2"), ("no", "2020-01-01", "B2")], ["contested", "contested"]),
        ([("yes", "2021-01-01", "B3"), ("no", "2020-01-01", "A1")], ["contested", "contested"]),
        ([("yes", "2021-01-01", "B3"), ("yes", "2020-01-01", "A1")], ["stands", "stands"]),
        ([("yes", "2021-01-01", "B1"), ("no", "2021-01-01", "A2")], ["contested", "contested"]),
        ([("yes", "2020-01-01", "B2"), ("unclear", "2021-01-01", "B2")], ["outweighed", "unclear"]),
        ([("yes", "2020-01-01", "D2"), ("no", "2019-01-01", "B2")], ["too weak", "stands"]),
        ([("yes", "2020-01-01", "B4")], ["too weak"]),
    ],
)
def test_which_fact_stands(tmp_path, rows, standing):
    text = HEADER + "".join(
        f"herald,state_funding,{finding},https://x.example/{n},{day},{grade},\n"
        for n, (finding, day, grade) in enumerate(rows)
    )
    facts, _ = sm.read_facts(write(tmp_path, text))
    assert sm.weigh_facts(facts, weakest_grade="C3")["standing"].to_list() == standing


def test_what_cannot_be_read_says_what_to_do(tmp_path):
    with pytest.raises(SourceError, match="no such file"):
        sm.read_facts(tmp_path / "none.csv")
    with pytest.raises(SourceError, match="lacks column 'factor'"):
        sm.read_facts(write(tmp_path, "outlet_id,finding\nherald,yes\n"))
    with pytest.raises(SourceError, match="Save it again as CSV"):
        sm.read_facts(write(tmp_path, ""))
    good, _ = sm.read_facts(PACKAGE / "facts.csv")
    with pytest.raises(SchemaError, match="lacks column 'grade'"):
        sm.check_facts(good.drop("grade"))
    with pytest.raises(SchemaError, match="settled_finding_has_evidence"):
        sm.check_facts(good.with_columns(evidence_url=pl.lit(None, dtype=pl.String)))
    with pytest.raises(SchemaError, match="wrong type"):
        sm.check_facts(good.with_columns(evidence_at=pl.lit("yesterday")))


def test_outlets_join_and_may_have_two_countries(tmp_path):
    header = "outlet_id,name,names,countries,owner,domains,handles\n"
    first, _ = sm.read_outlets(
        write(tmp_path, header + "herald,Herald,The Herald,TH|QA,City,herald.example,twitter:herald\n")
    )
    second, _ = sm.read_outlets(
        write(tmp_path, header + "herald,Tidehaven Herald,,QA,,herald.example|th.example,\n", "b.csv")
    )
    with pytest.raises(SchemaError, match="merge_outlets"):
        sm.check_outlets(pl.concat([first, second]))
    row = sm.merge_outlets(first, second).row(0, named=True)
    assert row["countries"] == ["TH", "QA"]
    assert row["domains"] == ["herald.example", "th.example"]
    assert set(row["names"]) == {"The Herald", "Tidehaven Herald"}
    assert (row["name"], row["owner"], row["handles"]) == ("Herald", "City", ["twitter:herald"])
    outlets, quarantine = sm.read_outlets(write(tmp_path, header + "herald,,,,,,\n", "c.csv"))
    assert (outlets.height, quarantine["line"].to_list()) == (0, [2])


MATRIX = (
    "Region,Country,Media company,Main assets,URL,Typology,Twitter Link,Status,Notes\n"
    "Coast,Tidehaven,City Press,Herald,https://herald.example/,SC,https://www.twitter.com/TheHerald,,\n"
    "Coast,Tidehaven,City Press,Herald,https://de.herald.example/,SC,,,\n"
    "Coast,Tidehaven,City Press,Wave,wave.example,CaPr,,,\n"
    "Coast,Tidehaven,City Radio,Pier,https://pier.example/en/home.html,IP,,,\n"
    "Coast,Tidehaven,City Radio,Mole,https://mole.example,ISFM?,,,\n"
    "Coast,Tidehaven,City Radio,Quay,https://quay.example,XX,,,\n"
    "Coast,Tidehaven,City Radio,Dock,https://dock.example,,,,\n"
    "Coast,Tidehaven,One,One,https://one.example,SC,,,\n"
    "Coast,Farshore,One,One,https://one-far.example,IP,,,\n"
    ",,,,,,,,\n"
    "Coast,Tidehaven,City Sheet,Harbour Page,https://sheets.example/harbour/,SC,,closed,moved in May\n"
    "Coast,Tidehaven,City Sheet,Inland Page,https://sheets.example/inland/,SC,,,\n"
)


def test_the_matrix_gives_outlets_and_only_the_facts_its_types_state(tmp_path):
    read = sm.read_state_media_matrix(write(tmp_path, MATRIX), as_of=date(2023, 9, 1))
    facts = {(o, f): v for o, f, v in read.facts.select("outlet_id", "factor", "finding").iter_rows()}
    assert facts["city-press/herald", "editorial_control"] == "yes"
    assert facts["city-press/herald", "state_funding"] == "yes"
    assert ("city-press/wave", "state_funding") not in facts
    assert facts["city-press/wave", "financial_ownership"] == "no"
    assert facts["city-radio/pier", "public_broadcaster"] == "yes"
    assert {v for (o, _), v in facts.items() if o == "city-radio/mole"} == {"unclear"}
    assert not any(factor == "publishes_news" for _, factor in facts)
    herald = read.outlets.filter(outlet_id="city-press/herald").row(0, named=True)
    assert herald["domains"] == ["herald.example", "de.herald.example"]
    assert herald["handles"] == ["twitter:theherald"]
    # two outlets on one host keep their parts of it; a home page's path alone narrows nothing
    domains = dict(read.outlets.select("outlet_id", "domains").iter_rows())
    assert domains["city-sheet/harbour-page"] == ["https://sheets.example/harbour/"]
    assert domains["city-sheet/inland-page"] == ["https://sheets.example/inland/"]
    assert domains["city-radio/pier"] == ["pier.example"]
    cited = read.facts.filter(outlet_id="city-sheet/harbour-page", factor="editorial_control").row(0, named=True)
    assert cited["note"] == (
        "State Media Matrix, row 12: type SC, state-controlled media; Status: closed; Notes: moved in May"
    )
    assert cited["evidence_url"].endswith("state-media-profiles")
    assert {"one/one/tidehaven", "one/one/farshore"} <= set(read.outlets["outlet_id"])
    assert read.quarantine["line"].to_list() == [7, 8, 11]
    assert read.outlets.height + 1 + read.quarantine.height == 12  # the Herald's two rows are one outlet


def test_files_of_other_layouts_are_refused_or_mapped(tmp_path):
    plain = write(tmp_path, "Outlet,Site,handles\nHerald,herald.example,twitter:herald\n,x.example,\n")
    with pytest.raises(SourceError, match="read_outlet_list"):
        sm.read_state_media_matrix(plain, as_of=date(2023, 9, 1))
    with pytest.raises(SourceError, match="no such file"):
        sm.read_state_media_matrix(tmp_path / "none.csv", as_of=date(2023, 9, 1))
    with pytest.raises(SourceError, match=r'columns=\{"Outlet": "name"\}'):
        sm.read_outlet_list(plain)
    with pytest.raises(ParameterError, match="no column 'Outlett'"):
        sm.read_outlet_list(plain, columns={"Outlett": "name"})
    read = sm.read_outlet_list(plain, columns={"Outlet": "name", "Site": "domain"})
    assert read.outlets.select("outlet_id", "name", "domains", "handles").rows() == [
        ("herald", "Herald", ["herald.example"], ["twitter:herald"])
    ]
    assert read.facts.is_empty()
    assert read.quarantine["line"].to_list() == [3]


def test_the_real_matrix(shared_data):
    path = shared_data / "state_media" / "asd_State_Media_Matrix.csv"
    read = sm.read_state_media_matrix(path, as_of=date(2023, 9, 1))
    rows = pl.read_csv(path, infer_schema=False, encoding="utf8-lossy")
    assert rows.height == 1157
    assert read.quarantine.height == 1  # one row is blank
    assert read.outlets["outlet_id"].is_unique().all()
    types = dict(rows["Typology"].value_counts().iter_rows())
    assert (types["SC"], types["IP"], types["ISFM?"]) == (754, 27, 4)
    screened = sm.screen_outlets(read.facts, policies=sm.read_policies(), outlets=read.outlets)
    assert screened.height == 3 * read.outlets.height

    def outcome(outlet: str, policy: str) -> str:
        return screened.filter(outlet_id=outlet, policy_id=policy)["outcome"].item()

    bbc, cgtn = "british-broadcasting-corporation-bbc/bbc", "china-media-group/china-global-television-network-cgtn"
    assert outcome(bbc, "twitter_2019") == "does not meet"
    assert outcome(bbc, "facebook_2020") == "does not meet"
    assert outcome(cgtn, "facebook_2020") == "meets"
    # nothing in the list says who publishes news: Twitter's and YouTube's rules wait for that fact, and name it
    waiting = screened.filter(outlet_id=cgtn, policy_id="twitter_2019").row(0, named=True)
    assert (waiting["outcome"], waiting["missing"][0]) == ("undetermined", "publishes_news")


def test_files_with_a_slip_are_refused_or_set_aside_and_say_where(tmp_path):
    with pytest.raises(SourceError, match=r"o.csv has a column 'handle'; known are .* Did you mean 'handles'"):
        sm.read_outlets(write(tmp_path, "outlet_id,name,handle\nherald,Herald,twitter:herald\n", "o.csv"))
    with pytest.raises(SourceError, match=r"has a column 'zzz'; .* Rename it or take it out"):
        sm.read_facts(write(tmp_path, HEADER.replace("note", "zzz")))
    outlets, quarantine = sm.read_outlets(
        write(tmp_path, "outlet_id;name;domains;handles\na;A;a.example;theherald\nb;B;bit.ly|b.example;\nc;C;c d;\n"
              "d;D;d.example|https://d.example/tv;twitter:d\n")
    )  # fmt: skip
    assert outlets["outlet_id"].to_list() == ["d"]
    assert quarantine.select("line", "reason").rows() == [
        (2, "handle 'theherald' does not say its platform, as twitter:harbourwire"),
        (3, "domain 'bit.ly' is a shortener"), (4, "domain 'c d' is no address of a site"),
    ]  # fmt: skip
    listed = sm.read_outlet_list(write(tmp_path, "name,domain\nRT,rt.example;ru.rt.example\nNo,nowhere\n"))
    assert listed.outlets["domains"].to_list() == [["rt.example", "ru.rt.example"]]
    assert listed.quarantine.select("line", "reason").rows() == [(3, "domain 'nowhere' is no address of a site")]


def test_evidence_from_the_future_is_no_evidence(tmp_path):
    facts, quarantine = sm.read_facts(
        write(tmp_path, HEADER + "a,state_funding,yes,https://x.example,2091-01-01,B2,\n")
    )
    assert facts.is_empty()
    assert quarantine["reason"].to_list() == ["evidence_at lies in the future"]


def test_one_id_for_two_outlets_is_refused_and_what_differs_is_kept(tmp_path):
    header = "outlet_id,name,names,owner,domains,reply,reply_at\n"
    one, _ = sm.read_outlets(write(tmp_path, header + "times,Times,,Printers,times.example,No.,2021-01-02\n", "a.csv"))
    other, _ = sm.read_outlets(write(tmp_path, header + "times,Farshore Times,,City,far.example,,\n", "b.csv"))
    with pytest.raises(SchemaError, match="'times' stands for Times and for Farshore Times"):
        sm.merge_outlets(one, other)
    same, _ = sm.read_outlets(
        write(tmp_path, header + "times,The Times,,City,en.times.example,Still no.,2022-01-02\n", "c.csv")
    )
    row = sm.merge_outlets(one, same).row(0, named=True)
    assert (row["owner"], row["reply"], row["reply_at"].year) == ("Printers | City", "No. | Still no.", 2022)


def test_the_matrix_and_a_list_of_ones_own_are_joined(tmp_path):
    matrix = sm.read_state_media_matrix(write(tmp_path, MATRIX), as_of=date(2023, 9, 1))
    header = "outlet_id,name,names,countries,owner,domains,handles\n"
    ours, _ = sm.read_outlets(
        write(tmp_path, header + "h,Herald of Tidehaven,,TH,City,herald.example,\nw,Surf,,TH,,surf.example,\n"
              "p,Somebody,Mole,TH,,other.example,\nq,Pier,,,,,\n", "o.csv")
    )  # fmt: skip
    joined = sm.join_outlet_lists(ours, sm.merge_facts(), other_outlets=matrix.outlets, other_facts=matrix.facts)
    rows = joined.crosswalk.sort("other_id").rows()
    assert rows == [
        ("city-press/herald", "h", "domain", "de.herald.example, herald.example", True),
        ("city-radio/mole", "p", "name", "Mole", False),  # a namesake at another domain
        ("city-radio/pier", "q", "name", "Pier", True),
    ]
    herald = joined.outlets.filter(outlet_id="h").row(0, named=True)
    assert (herald["name"], herald["owner"], herald["countries"]) == ("Herald of Tidehaven", "City", ["TH"])
    assert "city-press/herald" not in set(joined.outlets["outlet_id"])
    assert joined.facts.filter(outlet_id="h", factor="editorial_control")["finding"].unique().to_list() == ["yes"]


def test_a_fact_may_be_stated_for_many_outlets(tmp_path):
    facts, _ = sm.read_facts(
        write(tmp_path, HEADER + "city-press/*,publishes_news,yes,https://x.example,2023-01-01,B2,papers\n")
    )
    spread = sm.spread_facts(facts, outlet_ids=["city-press/herald", "city-press/wave", "city-radio/pier"])
    assert spread["outlet_id"].to_list() == ["city-press/herald", "city-press/wave"]
    assert spread["note"].unique().to_list() == ["papers (stated for city-press/*)"]
    with pytest.raises(ParameterError, match="'city-press/\\*' fits none of 1 outlets"):
        sm.spread_facts(facts, outlet_ids=["city-radio/pier"])


def test_the_worked_examples_and_the_real_matrix_are_one_list(shared_data):
    path = shared_data / "state_media" / "asd_State_Media_Matrix.csv"
    matrix = sm.read_state_media_matrix(path, as_of=date(2023, 9, 1))
    lists = sm.read_screening_lists()
    joined = sm.join_outlet_lists(lists.outlets, lists.facts, other_outlets=matrix.outlets, other_facts=matrix.facts)
    taken = dict(joined.crosswalk.filter("is_joined").select("other_id", "outlet_id").iter_rows())
    assert taken["xinhua-new-china-news-agency/news-agency-xinhua"] == "xinhua"
    assert taken["british-broadcasting-corporation-bbc/bbc"] == "bbc"
    assert {"xinhua", "bbc", "rt", "cgtn", "al-jazeera", "deutsche-welle", "npr"} <= set(taken.values())
    screened = sm.screen_outlets(joined.facts, policies=lists.policies, outlets=joined.outlets)
    xinhua = screened.filter(outlet_id="xinhua")
    assert xinhua["outcome"].to_list() == ["meets"] * 3
    bbc = dict(screened.filter(outlet_id="bbc").select("policy_id", "outcome").iter_rows())
    assert bbc == {"twitter_2019": "does not meet", "facebook_2020": "does not meet", "youtube_2018": "meets"}


def test_set_aside_rows_are_named_by_the_line_an_editor_shows(tmp_path):
    header = "outlet_id,factor,finding,evidence_url,evidence_at,grade,note\n"
    facts = tmp_path / "facts.csv"
    good = 'herald,interference,no,https://a.example,2021-01-01,B2,"two\nlines, # no comment"\n'
    facts.write_text(f"# one\n# two\n{header}{good}# three\nherald,interference,perhaps,,,,\n", "utf-8")
    read, quarantine = sm.read_facts(facts)
    assert (read.height, quarantine["line"].to_list()) == (1, [7])
    outlets = tmp_path / "outlets.csv"
    outlets.write_text("# one\noutlet_id,name,domains\nherald,Herald,herald.example\nshort,Short,bit.ly\n", "utf-8")
    assert sm.read_outlets(outlets)[1]["line"].to_list() == [4]


def test_rows_of_one_list_that_say_the_same_are_cited_once(tmp_path):
    facts = tmp_path / "facts.csv"
    row = "herald,editorial_control,yes,https://a.example,2021-01-01,B2,row"
    facts.write_text(f"outlet_id,factor,finding,evidence_url,evidence_at,grade,note\n{row} 1\n{row} 2\n", "utf-8")
    screened = sm.screen_outlets(sm.read_facts(facts)[0], policies=sm.read_policies())
    decided = screened.filter(pl.col("policy_id") == "facebook_2020")["decided_by"].item().to_list()
    assert decided == ["editorial_control=yes (B2, 2021-01-01, https://a.example)"]


def test_a_folder_may_hold_the_map_of_a_layout_of_its_own(tmp_path):
    (tmp_path / "outlets.csv").write_text("outlet_id,name,handles\nherald,Herald,lantern:h1\n", "utf-8")
    (tmp_path / "adverts_lantern.csv").write_text("No,Who,Cost,Cur,Day\n1,h1,5,EUR,2021-01-02\n", "utf-8")
    with pytest.raises(SourceError, match="no known advert layout"):
        sm.read_screening_lists(tmp_path)
    (tmp_path / "advert_layouts.toml").write_text(
        '[[layout]]\nlayout_id = "lantern"\ntitle = "Lantern"\nsource_url = "https://lantern.example"\n'
        'platform = "lantern"\nneeds = [["no"], ["who"]]\n[layout.columns]\nadvert_id = ["no"]\nhandle = ["who"]\n'
        'spend = ["cost"]\ncurrency = ["cur"]\nstarted_at = ["day"]\n',
        "utf-8",
    )
    found = sm.read_screening_lists(tmp_path)
    assert found.adverts.select("platform", "handle", "spend_min", "currency").rows() == [("lantern", "h1", 5, "EUR")]
