"""Meta's sheets: real ones read and written back cell by cell, damaged ones refused with a reason."""

import codecs
import csv

import polars as pl
import pytest
from small_case import platform_b

from workbench.schema import ParameterError, SchemaError, SourceError
from workbench.sharing import match_indicators, read_indicators, summarise_indicators, write_meta_sheet
from workbench.sharing.indicators import build_indicators, check_indicators
from workbench.sharing.tables import guard_cells, unguard_cells, write_table

HEAD = "Tactic,Technique,Procedure,Indicator\r\n"


def published_rows(path):
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return [row for row in csv.reader(stream) if any(cell.strip() for cell in row)]


def meta_files(shared_data):
    return sorted((shared_data / "indicators" / "meta").glob("*.csv"))


def test_every_row_of_the_ten_real_files_is_read_and_known(shared_data):
    files = meta_files(shared_data)
    assert len(files) == 10
    n = 0
    for file in files:
        found = read_indicators(file)
        assert found.height == len(published_rows(file)) - 1, file.name
        n += found.height
    assert n == 1143


def test_real_files_round_trip_without_loss(shared_data, tmp_path):
    for number, file in enumerate(meta_files(shared_data)):
        found = read_indicators(file)
        layout = "flat" if "indicator_type" in published_rows(file)[0] else "killchain"
        copy = write_meta_sheet(found, tmp_path / f"copy{number}.csv", layout=layout, is_defanged=False)
        assert copy.read_bytes().startswith(codecs.BOM_UTF8)
        _, *rows = published_rows(copy)
        assert not any(cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r")) for row in rows for cell in row)
        rows = [unguard_cells(pl.Series(row, dtype=pl.String)).to_list() for row in rows]
        width = len(published_rows(file)[0])
        assert [row[:width] for row in rows] == published_rows(file)[1:], file.name
        assert not any(cell for row in rows for cell in row[width:])
        again = read_indicators(copy)
        assert again.drop("line").equals(found.drop("line")), file.name


def test_real_files_survive_as_defanged_tsv(shared_data, tmp_path):
    for number, file in enumerate(meta_files(shared_data)):
        found = read_indicators(file)
        again = read_indicators(write_meta_sheet(found, tmp_path / f"copy{number}.tsv"))
        assert again["match_key"].to_list() == found["match_key"].to_list(), file.name
        assert again["n_stated"].to_list() == found["n_stated"].to_list()


def test_totals_of_the_largest_real_file(shared_data):
    file = shared_data / "indicators" / "meta" / "Q2_2023_Spamouflage_China_based_CIB_updated.csv"
    totals = read_indicators(file).filter(pl.col("indicator_type") == "asset_count")
    assert totals.select("platform", "unit", "n_stated").rows() == [
        ("facebook", "account", 7704),
        ("facebook", "page", 954),
        ("facebook", "group", 15),
        ("instagram", "account", 15),
    ]


def test_real_tip_touches_nobody_in_an_unrelated_case(shared_data):
    for file in meta_files(shared_data):
        report = match_indicators(read_indicators(file), platform_b())
        assert report.implicated == [], file.name


def test_odd_columns_blank_rows_and_surplus_cells(tmp_path):
    sheet = tmp_path / "odd name .csv"
    sheet.write_text(
        '\ufeffTactic ,Technique,Procedure,Indicator,Comments\r\n,,,,\r\n0,0.9,0.9.4,x[.]com/linden,"see, there"\r\n'
        "0,0.9,0.9.4,x[.]com/linden2,note,surplus\r\n0,0.9\r\n",
        encoding="utf-8",
    )
    found = read_indicators(sheet)
    assert found["note"].to_list() == ["see, there", "note | surplus", None]
    assert found["line"].to_list() == [3, 4, 5]
    assert found["problem"].is_null().to_list() == [True, False, False]


def test_utf16_and_semicolons_as_a_spreadsheet_saves_them(tmp_path):
    sheet = tmp_path / "a.txt"
    sheet.write_text(HEAD.replace(",", ";") + "0;0.6;0.6.2;лінден[.]example\r\n", encoding="utf-16", newline="")
    assert read_indicators(sheet)["match_key"].to_list() == ["xn--d1acqic0m.example"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty file"),
        (b"name,value\r\na,b\r\n", "expected the columns"),
        (HEAD.encode() + b'0,0.9,0.9.4,"never closed\r\n', "broken record"),
        (HEAD.encode() + b"0,0.9,0.9.4,\xff\xfe\r\n", "neither"),
        (b'{"type": "bundle"', "does not parse"),
        (b'{"a": 1}', "found JSON with a"),
        (b"[]", "list"),
        (b"[" * 100_000, "does not parse"),
    ],
)
def test_damaged_sheets_are_refused_with_a_reason(tmp_path, content, said):
    sheet = tmp_path / "sheet.csv"
    sheet.write_bytes(content)
    with pytest.raises(SourceError, match=said):
        read_indicators(sheet)


def test_nothing_there_and_no_json_inside(tmp_path):
    with pytest.raises(SourceError, match="nothing at"):
        read_indicators(tmp_path / "absent.csv")
    (tmp_path / "a.json").write_text("words")
    with pytest.raises(SourceError, match="none of these"):
        read_indicators(tmp_path / "a.json")


def test_unknown_layout():
    with pytest.raises(ParameterError, match="killchain"):
        write_meta_sheet(build_indicators([]), None, layout="wide")  # ty: ignore[invalid-argument-type]


def test_formulas_are_guarded_and_come_back(tmp_path):
    cells = pl.Series(["=1+1", "@linden", "'=1", "plain", "'plain", "+49", "\tx", None])
    guarded = guard_cells(cells)
    assert guarded.to_list() == ["'=1+1", "'@linden", "''=1", "plain", "'plain", "'+49", "'\tx", None]
    assert unguard_cells(guarded).to_list() == cells.to_list()
    sheet = write_meta_sheet(
        build_indicators([{"indicator_value": "@linden", "procedure": "0.9.4"}]), tmp_path / "a.csv"
    )
    assert published_rows(sheet)[1][3] == "'@linden"
    assert read_indicators(sheet)["match_key"].to_list() == ["linden"]


@pytest.mark.parametrize("is_defanged", [True, False])
@pytest.mark.parametrize("layout", ["killchain", "flat"])
def test_no_cell_of_a_sheet_runs_and_every_one_comes_back(tmp_path, layout, is_defanged):
    said = ["=1+1", "@SUM(1+1)", "'=1", "plain", " +49", "-1", "＝2", "\t=3"]
    table = build_indicators(
        [{"indicator_value": f"linden{n}", "declared": "url", "note": c} for n, c in enumerate(said)]
    )
    sheet = write_meta_sheet(table, tmp_path / "a.csv", layout=layout, is_defanged=is_defanged)
    notes = [row[4 if layout == "killchain" else 2] for row in published_rows(sheet)[1:]]

    assert sheet.read_bytes().startswith(codecs.BOM_UTF8)
    assert notes == guard_cells(table["note"]).to_list()
    assert not [note for note in notes if note.lstrip(" ").startswith(("=", "@", "+", "-", "＝", "\t"))]
    assert read_indicators(sheet)["note"].to_list() == table["note"].to_list()


@pytest.mark.parametrize("columns", [["note"], ["note", "text"]])
def test_a_blank_cell_is_a_row_even_where_it_is_all_of_it(tmp_path, columns):
    cells = [None, "a", "", "=b", None]
    file = write_table(pl.DataFrame(dict.fromkeys(columns, cells)), tmp_path / "a.csv")
    with file.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.reader(stream))

    assert rows == [columns, *([cell] * len(columns) for cell in ("", "a", "", "'=b", ""))]
    assert pl.read_csv(file)["note"].fill_null("").to_list() == ["", "a", "", "'=b", ""]


def test_table_is_checked():
    table = build_indicators([{"indicator_value": "linden.example"}])
    with pytest.raises(SchemaError, match="lack column 'role'"):
        check_indicators(table.drop("role"))
    with pytest.raises(SchemaError, match="break their contract"):
        check_indicators(table.with_columns(role=pl.lit("friend")))
    assert summarise_indicators(table).row(0, named=True)["n_matchable"] == 1


def test_many_rows_stay_whole(tmp_path):
    """A tenth of a million here; a million is measured by hand."""
    sheet = tmp_path / "many.csv"
    with sheet.open("w", encoding="utf-8", newline="") as stream:
        stream.write(HEAD)
        stream.writelines(f"0,0.9,0.9.4 X,twitter[.]com/linden{n}\r\n" for n in range(100_000))
    found = read_indicators(sheet)
    assert found.height == 100_000
    assert found["match_key"].n_unique() == 100_000
