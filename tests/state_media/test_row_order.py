"""What is screened, and what comes of it, however the rows of the lists' files are sorted."""

import shutil
from pathlib import Path

import pytest

import workbench.state_media as sm

DEMO = Path(__file__).parents[2] / "datasets" / "demo_state_media"
POINTERS = ("line", "repeats")  # where in its file a row stands


def reverse(file):
    head, *rows = file.read_text().splitlines(keepends=True)
    n_head = 1 + head.startswith("#")
    head, rows = [head, *rows][:n_head], [head, *rows][n_head:]
    file.write_text("".join([*head, *reversed(rows)]))


@pytest.fixture
def folders(tmp_path):
    """The demo's lists, outlets in two of them and adverts in two exports with equal amounts; and all rows reversed."""
    first = shutil.copytree(DEMO, tmp_path / "lists")
    with (first / "outlets.csv").open("a") as file:
        file.write("times,The Saltmarket Times,,Tidehaven,Printers' guild,saltmarket-times.example,,,,,\n")
    (first / "list.csv").write_text("outlet_id,name,owner\nline-3,Line 3 Now,Transit\n,The Lamp,\n,Pier Post,\n")
    meta = first / "adverts_meta.csv"
    head, *rows = meta.read_text().splitlines(keepends=True)
    again = [row.replace("2021-05-10", "2021-05-12").replace("Transit Ministry", "Ministry of Transit") for row in rows]
    meta.write_text("".join([head, *rows, *again[:2]]))
    (first / "adverts_meta_later.csv").write_text("".join([head, *again]))
    turned = shutil.copytree(first, tmp_path / "turned" / "lists")
    for file in turned.glob("*.csv"):
        reverse(file)
    return first, turned


def screen(folder):
    lists = sm.read_screening_lists(folder)
    screened = sm.screen_outlets(lists.facts, policies=lists.policies, outlets=lists.outlets)
    judged = sm.judge_adverts(sm.match_adverts(lists.adverts, lists.outlets), screened, policies=lists.policies)
    return {
        "outlets": lists.outlets,
        "facts": lists.facts,
        "adverts": lists.adverts,
        "screened": screened,
        "judged": judged,
        "sums": sm.summarise_adverts(judged),
    }


def test_every_table_is_the_same_however_the_files_are_sorted(folders):
    one, other = (screen(folder) for folder in folders)
    assert one["judged"]["repeats"].drop_nulls().len() >= 7
    assert not one["adverts"]["line"].equals(other["adverts"]["line"]), "the rows were not moved"
    for name, table in one.items():
        assert table.drop(POINTERS, strict=False).equals(other[name].drop(POINTERS, strict=False)), name


def test_of_two_rows_of_an_advert_with_equal_amounts_the_same_counts(folders):
    kept = []
    for folder in folders:
        lists = sm.read_screening_lists(folder)
        matched = sm.match_adverts(lists.adverts, lists.outlets).filter(advert_id="synthetic-m1")
        assert matched["ended_at"].n_unique() == 2
        kept.append(matched.filter(matched["repeats"].is_null()).select("ended_at", "paid_by", "file").rows())
    assert len(kept[0]) == 1
    assert kept[0] == kept[1]
