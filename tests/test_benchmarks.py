"""The benchmark scripts run, small, and every engine that is installed finds the same edges as ours."""

import importlib.util
import os
import sys
from pathlib import Path

import polars as pl
import pytest

SCRIPTS = Path(__file__).parent / "benchmarks"
N_SHARES = 1_000


@pytest.fixture(scope="module")
def bench():
    """The scripts, which import one another by name."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(SCRIPTS)
        import coaction_bench

        yield coaction_bench


@pytest.fixture(scope="module")
def log(bench, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("log") / "log.parquet"
    bench.make_stress_log(N_SHARES, seed=7).write_parquet(path)
    return path


@pytest.fixture(scope="module")
def written(bench, log, tmp_path_factory) -> Path:
    """What a run of ours and of polars writes, each twice; engines run in this process, which is quicker."""

    def run_here(engine: str, part: str, _: Path, *, with_checksums: bool, **limits: float) -> dict:
        from coaction_engines import run, summarise

        out = tmp_path_factory.mktemp(engine)
        found = run(engine, part, log, bench.WINDOW_S, out)
        checked = summarise(out) if with_checksums and part == "whole" else {}
        return {"engine": engine, "part": part, "outcome": "done", "load": 0.0} | found | checked

    folder = tmp_path_factory.mktemp("benchmarks")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bench, "ENGINES", ("workbench", "polars"))
        patch.setattr(bench, "run_engine", run_here)
        patch.setattr(sys, "argv", ["bench", "--sizes", str(N_SHARES), "--runs", "2", "--out", str(folder)])
        bench.main()
    return folder


def test_ours_and_polars_agree_and_ratios_are_of_ours(written):
    results = pl.read_csv(written / "coaction.csv")
    assert results.select("engine", "part", "n_runs").rows() == [
        ("workbench", "whole", 2), ("workbench", "counting", 2), ("polars", "whole", 2), ("polars", "counting", 2),
    ]  # fmt: skip
    assert results["n_edges"].n_unique() == results["n_co_actions"].n_unique() == 1
    assert results["edges_checksum"].drop_nulls().n_unique() == 1
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


@pytest.mark.parametrize(("engine", "module"), [("duckdb", "duckdb"), ("toolkit", "coordination_network_toolkit")])
def test_the_others_find_the_same_where_they_are_installed(bench, log, written, engine, module):
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{engine} is not installed (optional extra `bench`)")
    ours = pl.read_csv(written / "coaction.csv").row(0, named=True)
    found = bench.run_engine(engine, "whole", log, max_s=600, max_gb=4, with_checksums=True)
    assert found["outcome"] == "done"
    same = ["n_edges", "pairs_checksum", *(["n_co_actions", "edges_checksum"] if engine == "duckdb" else [])]
    assert [found[name] for name in same] == [ours[name] for name in same]


def test_a_run_past_its_limit_is_ended_and_says_so(bench, log):
    ended = bench.run_engine("polars", "counting", log, max_s=0, max_gb=4, with_checksums=False)
    assert ended["outcome"] == "ended after 0 s"


def test_engines_that_differ_stop_the_run(bench):
    row = dict.fromkeys(bench.COLUMNS, 0) | {"engine": "workbench", "part": "whole", "outcome": "done"}
    same = pl.DataFrame([row, row | {"engine": "polars"}])
    assert bench.check_equal(same) is same
    with pytest.raises(SystemExit, match="The engines differ"):
        bench.check_equal(pl.DataFrame([row, row | {"engine": "polars", "edges_checksum": 1}]))
    with pytest.raises(SystemExit, match="An engine differs from itself"):
        bench.summarise_runs([row, row | {"n_edges": 1}])
    toolkit = row | {"engine": "toolkit", "edges_checksum": 1, "n_co_actions": 1}
    assert bench.check_equal(pl.DataFrame([row, toolkit])).height == 2


def test_load_is_measured_per_part_and_drawn_and_a_size_replaces_its_earlier_rows(bench, tmp_path, monkeypatch):
    import load_bench

    said = "import time; print('✓ 01'); time.sleep(2.5); print('✓ 02'); held = bytearray(200_000_000); time.sleep(1.2)"
    monkeypatch.setattr(load_bench, "PROGRAM", [sys.executable, "-u", "-c", said])
    rows = load_bench.watch([], tmp_path, parts=["01", "02", "checks"])
    assert [(row["part"], row["outcome"]) for row in rows] == [(p, "done") for p in ("01", "02", "checks", "whole")]
    assert rows[2]["peak_gb"] > 0.2 > rows[1]["peak_gb"]
    assert rows[1]["seconds"] > 1
    cut_off = load_bench.watch([], tmp_path, parts=["01", "02", "checks"], max_s=1.5)
    assert [row["outcome"] for row in cut_off] == ["done", "ended after 2 s", "ended after 2 s"]

    for n_posts, some in ((10_000, cut_off), (20_000, rows), (10_000, rows)):
        named = [{"date": "2026-11-24", "n_posts": n_posts, "n_accounts": 1_000} | row for row in some]
        table = load_bench.write_rows(named, tmp_path)
    assert table["n_posts"].to_list() == [10_000] * 4 + [20_000] * 4
    cache = tmp_path / "cache"
    for second, name in enumerate(("load_release-1", "judge_groups-2")):
        (cache / name).mkdir(parents=True)
        os.utime(cache / name, (second * 30, second * 30))
    kept = load_bench.list_stages(cache)
    assert [(row["part"], row["seconds"]) for row in kept] == [("judge_groups", 30)]
    table = load_bench.write_rows([named[0] | {"cpu_seconds": None, "peak_gb": None, "load": None} | kept[0]], tmp_path)
    page = load_bench.render_page(table)
    assert page.count("<svg") == 2
    assert "20,000" in page
    assert "judge_groups</td><td>1</td><td>30.0" in page
    goal = {"outcome": "done", "seconds": 480.0, "peak_gb": 6.0}
    assert load_bench.is_kept(3_600_000, goal)
    assert load_bench.is_kept(10_000_000, goal | {"seconds": 1_000.0})
    for missed in ({"seconds": 480.1}, {"peak_gb": 6.1}, {"outcome": "ended after 0 s"}):
        assert not load_bench.is_kept(3_600_000, goal | missed)
    assert not load_bench.is_kept(10_000, goal | {"outcome": "ended after 0 s"})
