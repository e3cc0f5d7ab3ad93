"""Projection by likeness: equal to scikit-learn and to a published example; the backbone by hand."""

import json
import math

import polars as pl
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from test_coaction import make_actions

import workbench.similarity as similarity_room
from workbench.schema import ParameterError
from workbench.similarity import find_backbone, project_similarity

WORLD = make_actions(
    ("a", "x", 0), ("a", "x", 1), ("a", "y", 2), ("b", "x", 3), ("b", "z", 4), ("c", "z", 5), ("d", "w", 6),
    ("c", None, 7), ("c", " ", 8),
)  # fmt: skip


def scikit_learn(*, is_binary: bool) -> dict[tuple[str, str], float]:
    documents = {"a": ["x", "x", "y"], "b": ["x", "z"], "c": ["z"], "d": ["w"]}
    matrix = TfidfVectorizer(analyzer=lambda words: words, binary=is_binary).fit_transform(documents.values())
    cosine, names = (matrix @ matrix.T).toarray(), list(documents)
    return {
        (x, y): cosine[i, j] for i, x in enumerate(names) for j, y in enumerate(names) if i < j and cosine[i, j] > 0
    }


@pytest.mark.parametrize("is_binary", [False, True])
def test_equals_scikit_learn_on_a_toy_matrix(is_binary, monkeypatch):
    monkeypatch.setattr(similarity_room, "CHUNK_ACCOUNTS", 2)
    found = project_similarity(WORLD, trace="repost", is_binary=is_binary, is_smooth=True)
    assert found.columns == ["trace", "account_a", "account_b", "similarity", "n_shared_objects"]
    assert {(a, b): s for _, a, b, s, _ in found.rows()} == pytest.approx(scikit_learn(is_binary=is_binary))
    assert found["n_shared_objects"].to_list() == [1, 1]


def test_limits_leave_out_weak_pairs_and_quiet_accounts():
    every = project_similarity(WORLD, trace="repost")
    assert [(a, b) for _, a, b, _, _ in every.rows()] == [("a", "b"), ("b", "c")]
    strongest = every["similarity"].max()
    assert project_similarity(WORLD, trace="repost", min_similarity=strongest - 0.01).height == 1
    busy = project_similarity(WORLD, trace="repost", min_actions=2, is_smooth=True)
    assert busy.select("account_a", "account_b").rows() == [("a", "b")]
    assert project_similarity(WORLD, trace="repost", min_actions=9).height == 0


def test_an_object_that_everybody_touched_weighs_nothing_unless_smoothed():
    world = make_actions(("a", "x", 0), ("b", "x", 0), ("a", "y", 0), ("b", "z", 0))
    assert project_similarity(world, trace="repost").height == 0
    assert project_similarity(world, trace="repost", is_smooth=True).height == 1


def test_backbone_by_hand():
    edges = pl.DataFrame({"account_a": ["a", "a", "a"], "account_b": ["b", "c", "d"], "w": [8.0, 1.0, 1.0]})
    kept = find_backbone(edges, weight="w", max_alpha=0.05)
    # Of a's weight of 10 in three edges, one edge gets 8 or more with chance (1 - 0.8)^2; each other end has one edge.
    assert kept.rows() == [("a", "b", 8.0, pytest.approx(0.04), 1.0, pytest.approx(0.04))]
    assert find_backbone(edges, weight="w", max_alpha=1.0).height == 3
    assert find_backbone(edges.clear(), weight="w", max_alpha=0.5).height == 0


def test_bad_parameters():
    edges = pl.DataFrame({"account_a": ["a"], "account_b": ["b"], "w": [0.0]})
    with pytest.raises(ParameterError, match=r"min_similarity is 2; expected a cosine"):
        project_similarity(WORLD, trace="repost", min_similarity=2)
    with pytest.raises(ParameterError, match=r"no action has trace 'url'; there are repost"):
        project_similarity(WORLD, trace="url")
    with pytest.raises(ParameterError, match=r"max_alpha is -1; expected a level"):
        find_backbone(edges, weight="w", max_alpha=-1)
    with pytest.raises(ParameterError, match=r"column 'w' has a weight of 0\.0; expected only positive"):
        find_backbone(edges, weight="w", max_alpha=0.5)


@pytest.fixture(scope="module")
def published(shared_data) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    folder = shared_data / "tardelli"
    people = [json.loads(line) for line in (folder / "input_sequences.jsonl").read_text().splitlines()]
    actions = make_actions(*[(p["user_id"], post, 0) for p in people for post in p["retweeted_status_ids"]])
    read = {"schema_overrides": {"source": pl.String, "target": pl.String}, "infer_schema_length": None}
    edges = pl.read_csv(folder / "similarity_edge_list.csv", **read)
    return actions, edges, pl.read_csv(folder / "filtered_similarity_edge_list.csv", **read)


def test_equals_the_published_similarity(published):
    actions, edges, _ = published
    found = {(a, b): s for _, a, b, s, _ in project_similarity(actions, trace="repost").rows()}
    assert found == pytest.approx({(a, b): w for a, b, w, _ in edges.rows()}, abs=1e-7)


def test_equals_the_published_backbone(published):
    """The published alpha of an edge is that of its later end; their backbone keeps what is under 0.15 there."""
    actions, edges, filtered = published
    scored = find_backbone(project_similarity(actions, trace="repost"), weight="similarity", max_alpha=1.0)
    alphas = {(a, b): alpha for a, b, alpha in scored.select("account_a", "account_b", "alpha_b").rows()}
    assert alphas == pytest.approx({(a, b): alpha for a, b, _, alpha in edges.rows()}, abs=5.1e-5)
    kept = {pair for pair, alpha in alphas.items() if alpha < 0.15}
    assert kept == {(a, b) for a, b, _, _ in filtered.rows()}
    assert kept <= {tuple(row) for row in scored.filter(pl.col("alpha") < 0.15).select("account_a", "account_b").rows()}
    assert math.isclose(scored["alpha"].min(), min(alphas.values()), abs_tol=1e-4)
