"""The benchmark scripts run, small, and every engine that is installed finds the same edges as ours."""

import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

SCRIPTS = Path(__file__).parent / "benchmarks"


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Path:
    """What a run over a thousand shares writes."""
    folder = tmp_path_factory.mktemp("benchmarks")
    command = [sys.executable, SCRIPTS / "coaction_bench.py", "--sizes", "1000", "--runs", "1", "--out", folder]
    subprocess.run(command, check=True, capture_output=True, timeout=900)
    return folder


def test_all_engines_that_are_there_agree(written):
    results = pl.read_csv(written / "coaction.csv")
    assert results["outcome"].unique().to_list() == ["done"]
    assert {"workbench", "polars"} <= set(results["engine"])
    whole = results.filter(part="whole")
    assert whole.select("n_edges", "pairs_checksum").n_unique() == 1
    assert results.filter(pl.col("engine") != "toolkit")["n_co_actions"].n_unique() == 1
    assert results["n_edges"].min() > 10
    assert (results.filter(engine="workbench")["times_as_long"] == 1).all()


def test_the_page_shows_ratios_growth_and_forecast_and_no_path(written):
    page = (written / "coaction.html").read_text(encoding="utf-8")
    told = pl.read_csv(written / "coaction_predicted.csv")
    assert told["n_edges"].item() == pl.read_csv(written / "coaction.csv")["n_edges"].max()
    for part in ("From a parquet file to a parquet file", "Counting only", "<svg", "Edges told"):
        assert part in page
    for hidden in (str(written), str(SCRIPTS), str(Path.home())):
        assert hidden not in page


def test_engines_that_differ_stop_the_run(monkeypatch):
    monkeypatch.syspath_prepend(SCRIPTS)
    from coaction_bench import COLUMNS, check_equal

    row = dict.fromkeys(COLUMNS, 0) | {"engine": "workbench", "part": "whole", "outcome": "done"}
    same = pl.DataFrame([row, row | {"engine": "polars"}])
    assert check_equal(same) is same
    with pytest.raises(SystemExit, match="The engines differ"):
        check_equal(pl.DataFrame([row, row | {"engine": "polars", "edges_checksum": 1}]))
    toolkit = row | {"engine": "toolkit", "edges_checksum": 1, "n_co_actions": 1}
    assert check_equal(pl.DataFrame([row, toolkit])).height == 2
