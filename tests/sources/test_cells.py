"""Cells: a list is read whole or said to be none."""

import polars as pl
import pytest

from workbench.sources.cells import read_list, wrong_list


def ask(cell: str) -> tuple[list[str], str | None]:
    table = pl.DataFrame({"urls": [cell]}).select(items=read_list("urls"), why=wrong_list("urls"))
    return table["items"][0].to_list(), table["why"][0]


@pytest.mark.parametrize(
    ("cell", "items"),
    [
        ("['a', 'b']", ["a", "b"]),
        ("[123, 456]", ["123", "456"]),
        ("[a, b]", ["a", "b"]),
        ("[]", []),
        ("", []),
        ("absent", []),
        ("""["it's", 'y']""", ["it's", "y"]),
        (r"['it\'s', 'y']", ["it's", "y"]),
    ],
)
def test_a_list_is_read_whole(cell, items):
    assert ask(cell) == (items, None)


@pytest.mark.parametrize("cell", ["['it's', 'y']", "['a', b]", "['unclosed, 'b']", "['a' 'b']"])
def test_items_that_would_be_lost_are_said(cell):
    assert ask(cell)[1] == "urls has an item whose quotes do not close"


def test_what_is_no_list_is_said():
    assert ask("a, b")[1] == "urls is not a list in brackets"
