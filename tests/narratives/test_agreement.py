import math

import polars as pl
import pytest

from workbench.narratives import evaluate_narratives
from workbench.schema import ParameterError, SchemaError


def table(ids, key):
    return pl.DataFrame({"post_id": [str(i) for i in range(len(ids))], key: ids})


def rows(found):
    return {row["measure"]: (row["placed"], row["all"]) for row in found.iter_rows(named=True)}


def test_a_perfect_match_under_other_names():
    found = rows(evaluate_narratives(table([5, 5, 9, 9], "narrative_id"), table(["a", "a", "b", "b"], "label")))
    for measure in ("nmi", "ari", "homogeneity", "completeness", "v_measure", "accuracy", "coverage"):
        assert found[measure] == (1.0, 1.0)
    assert found["found_k"] == found["true_k"] == (2.0, 2.0)


def test_leaving_posts_out_does_not_pay():
    narratives = pl.DataFrame({"post_id": ["0", "1"], "narrative_id": [1, 2]})
    found = rows(evaluate_narratives(narratives, table(["a", "b", "a", "b"], "label")))
    assert found["accuracy"] == (1.0, 0.5)
    assert found["coverage"] == (0.5, 0.5)
    assert found["nmi"][0] > found["nmi"][1]


def test_hungarian_accuracy_by_hand():
    found = rows(evaluate_narratives(table([1, 1, 1, 2, 2, 3], "narrative_id"), table(list("aabbbb"), "label")))
    assert found["accuracy"][0] == pytest.approx(4 / 6)


def test_nothing_placed_has_no_quality():
    found = rows(
        evaluate_narratives(
            table([], "narrative_id").cast({"narrative_id": pl.Int64, "post_id": pl.String}), table(["a"], "label")
        )
    )
    assert math.isnan(found["nmi"][0])
    assert found["coverage"] == (0.0, 0.0)


def test_wrong_tables_are_refused():
    good = table([1], "narrative_id")
    with pytest.raises(SchemaError, match="labels lacks column 'label'"):
        evaluate_narratives(good, good)
    with pytest.raises(SchemaError, match="each post once"):
        evaluate_narratives(good, pl.DataFrame({"post_id": ["0", "0"], "label": ["a", "b"]}))
    with pytest.raises(ParameterError, match="at least one labelled post"):
        evaluate_narratives(
            good, pl.DataFrame({"post_id": [], "label": []}, schema={"post_id": pl.String, "label": pl.String})
        )
