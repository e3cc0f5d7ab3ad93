"""What an edge is due at any pace, by each way of finding it: held against what is worked out for every pair."""

from __future__ import annotations

import numpy as np
import pytest
import worlds

from workbench.chance import Expectation
from workbench.coordinated import edges as edges_module
from workbench.coordinated.edges import Edges
from workbench.coordinated.half import fuse_traces
from workbench.pairs import count_pairs

MINUTE_US = 60_000_000


@pytest.fixture(scope="module")
def log():
    world = worlds.make_world("bursts", seed=82, group_sizes=(20,), n_organic=200, n_objects=200)
    log = fuse_traces(world.actions)
    log.account_code[1::40] = log.account_code[::40][: len(log.account_code[1::40])]  # some act twice on an object
    return log


@pytest.mark.parametrize(
    "limits",
    [{}, {"MAX_TABLE_CELLS": 0}, {"MAX_COMMON_PAIRS": 0}, {"MAX_KEPT": 1_000}],
    ids=["found in a table", "found by key", "too many to look through", "too many to keep"],
)
def test_an_edge_is_due_what_its_accounts_are_on_every_object_of_both(log, limits, monkeypatch):
    for name, value in limits.items():
        monkeypatch.setattr(edges_module, name, value)
    edges = Edges(log, window_us=MINUTE_US)
    assert len(edges.n) > 100
    for seed in range(3):
        rate = np.random.default_rng(seed).random(len(log.objects))
        np.testing.assert_allclose(edges.expected(rate), Expectation(log, rate).of_pairs(edges.a, edges.b), rtol=1e-12)


def test_the_lightest_edges_go_where_there_are_too_many(log, monkeypatch):
    a, b, n = count_pairs(log, window_us=MINUTE_US)
    assert (n == 1).any()
    assert (n > 1).any()
    monkeypatch.setattr(edges_module, "MAX_EDGES", int((n > 1).sum()))
    edges = Edges(log, window_us=MINUTE_US)
    assert edges.n.min() > 1
    assert set(zip(edges.a, edges.b, strict=True)) == set(zip(a[n > 1], b[n > 1], strict=True))


def test_a_half_on_which_nobody_meets_has_no_edges_and_nothing_due(log):
    edges = Edges(log.keep(np.zeros(len(log), bool)), window_us=MINUTE_US)
    assert len(edges.expected(np.ones(len(log.objects)))) == len(edges.n) == 0
