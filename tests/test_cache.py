"""What was computed once is not computed again, and never mistaken for something else."""

import dataclasses
import hashlib
import os
import shutil
import stat
import subprocess
import sys
import time
from datetime import UTC, date, datetime
from pathlib import Path

import igraph
import numpy as np
import polars as pl
import pytest

from workbench import cache_key
from workbench.cache import Cache
from workbench.cache_key import name_result
from workbench.schema import About, ParameterError, PublishedFigure, Release, decision, empty_table

calls = []


def double(table: pl.DataFrame, *, factor: int = 2) -> pl.DataFrame:
    calls.append(factor)
    return table.with_columns(pl.col("n") * factor)


def give(value):
    calls.append("give")
    return RESULTS[value] if isinstance(value, str) and value in RESULTS else value


def read(path):
    calls.append("read")
    return Path(path).name


GRAPH = igraph.Graph(n=3, edges=[(0, 1), (1, 2)])
GRAPH.vs["name"], GRAPH.es["weight"], GRAPH["title"] = ["甲", "b", "c"], [0.5, 2.0], "trams"
RESULTS = {
    "release": Release(
        empty_table("accounts"),
        empty_table("posts"),
        decision("load", "kept", "test", n_before=2, n_after=1),
        empty_table("quarantine"),
        About("x", "X", "twitter", files={"a": "b"}, published=(PublishedFigure("n", 3, "somewhere"),), notes=("n",)),
    ),
    "many": {"edges": pl.DataFrame({"a": [1]}), "pair": (pl.Series("s", [1, None]), [1.5, "x", None, True])},
    "times": {date(2019, 8, 19): datetime(2019, 8, 19, 1, tzinfo=UTC)},
    "nested": pl.DataFrame({"l": [["a"], []], "c": ["x", "y"]}, schema_overrides={"c": pl.Categorical}),
}
TABLE = pl.DataFrame({"n": [1, 2, 3]})


@pytest.fixture(autouse=True)
def _forget():
    calls.clear()


def test_a_result_is_computed_once(tmp_path):
    cache = Cache(tmp_path / "cache")

    first = cache.keep(double, TABLE, factor=3)
    second = Cache(tmp_path / "cache").keep(double, TABLE, factor=3)

    assert first.equals(second)
    assert second["n"].to_list() == [3, 6, 9]
    assert calls == [3]


def test_without_a_folder_everything_is_computed(tmp_path):
    assert Cache(None).keep(double, TABLE)["n"][0] == Cache(None).keep(double, TABLE)["n"][0]
    assert calls == [2, 2]


def test_a_default_counts_as_if_given(tmp_path):
    cache = Cache(tmp_path)
    cache.keep(double, TABLE)
    cache.keep(double, TABLE, factor=2)

    assert calls == [2]


@pytest.mark.parametrize(
    "other",
    [
        pl.DataFrame({"n": [1, 2, 4]}),
        pl.DataFrame({"n": [2, 1, 3]}),
        pl.DataFrame({"n": [1, 2]}),
        pl.DataFrame({"n": [1, 2, None]}),
        pl.DataFrame({"n": [1.0, 2.0, 3.0]}),
        pl.DataFrame({"m": [1, 2, 3]}),
        pl.DataFrame({"n": [1, 2, 3], "m": [0, 0, 0]}),
    ],
)
def test_another_table_has_another_name(other):
    assert name_result(give, other) != name_result(give, TABLE)


def test_the_same_rows_have_one_name_however_they_lie_in_memory():
    pieces = pl.concat([TABLE.head(1), pl.DataFrame({"n": [9, 2, 3]}).tail(2)], rechunk=False)

    assert name_result(give, pieces) == name_result(give, TABLE)


def test_categories_count_by_their_words():
    words = pl.Series("c", ["x", "y", "x"])
    pl.Series(["y", "q", "x"], dtype=pl.Categorical)

    assert name_result(give, words.cast(pl.Categorical)) == name_result(
        give, words.reverse().reverse().cast(pl.Categorical)
    )
    assert name_result(give, words.cast(pl.Categorical)) != name_result(
        give, pl.Series("c", ["y", "x", "y"], pl.Categorical)
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [(1, 1.0), (1, True), ("1", 1), ([1], (1,)), (None, "None"), (b"k", b"l"), ({"a": 1}, {"a": 2}), (date(2019, 1, 1),
     date(2019, 1, 2)), (np.array([1]), np.array([1.0])), (np.int64(1), np.int64(2)), ({1}, {2}),
     (GRAPH, igraph.Graph(3)),
     (RESULTS["release"], dataclasses.replace(RESULTS["release"], about=About("y", "X", "twitter")))],
)  # fmt: skip
def test_different_values_have_different_names(one, other):
    assert name_result(give, one) != name_result(give, other)
    assert name_result(give, one) == name_result(give, one)


def test_a_name_is_the_same_in_another_process():
    code = (
        "import polars as pl; from workbench.cache_key import name_result; from workbench.schema import check_table;"
        "print(name_result(check_table, pl.DataFrame({'n': [1, None], 's': ['甲', 'b'], 'l': [['a'], []]}), 'posts'))"
    )
    names = {
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout for _ in "ab"
    }
    assert len(names) == 1
    assert len(names.pop().strip()) == 64


@pytest.mark.parametrize("name", sorted(RESULTS))
def test_results_come_back_as_they_went(tmp_path, name):
    cache = Cache(tmp_path)

    fresh, kept = cache.keep(give, name), cache.keep(give, name)

    assert calls == ["give"]
    assert repr(fresh) == repr(kept)
    assert not list(tmp_path.rglob("*.pkl"))


def add(table: pl.DataFrame, *, n: int) -> pl.DataFrame:
    calls.append("add")
    return table.with_columns(pl.col("n") + n)


def make_in_pieces(n: int) -> pl.DataFrame:
    return pl.concat([pl.DataFrame({"n": [k] * 200_000}).with_columns(text=pl.lit(f"piece {k}")) for k in range(n)])


def test_a_table_comes_back_in_one_piece(tmp_path):
    cache, made = Cache(tmp_path), make_in_pieces(3)
    cache.keep(make_in_pieces, 3)
    kept = cache.keep(make_in_pieces, 3)

    assert made.n_chunks() == 3
    assert pl.read_parquet(next(tmp_path.rglob("*.parquet"))).n_chunks() > 1
    assert kept.equals(made)
    assert kept.n_chunks("all") == [1, 1]


def test_a_chain_gives_what_its_links_give_one_by_one(tmp_path):
    cache = Cache(tmp_path)
    chained = cache.keep_chain(double, add, TABLE, n=1)
    assert calls == [2, "add"]
    assert chained.equals(cache.keep(add, cache.keep(double, TABLE), n=1))
    assert calls == [2, "add"], "the links of a chain are kept as if asked for alone"
    assert chained.equals(Cache(None).keep_chain(double, add, TABLE, n=1))


def test_a_chain_is_found_again_without_reading_its_first_link(tmp_path):
    cache = Cache(tmp_path)
    first = cache.keep_chain(double, add, TABLE, n=1)
    (middle,) = tmp_path.glob("double-*")
    shutil.rmtree(middle)

    assert cache.keep_chain(double, add, TABLE, n=1).equals(first)
    assert calls == [2, "add"]
    assert not cache.keep_chain(double, add, TABLE, n=2).equals(first)
    assert not cache.keep_chain(double, add, TABLE.head(2), n=1).equals(first)
    assert calls == [2, "add"] * 3


@pytest.mark.parametrize("harmed", ["chain-", "add-", "elsewhere"])
def test_a_damaged_chain_is_made_again(tmp_path, harmed):
    cache = Cache(tmp_path / "cache")
    first = cache.keep_chain(double, add, TABLE, n=1)
    if harmed == "elsewhere":  # a record that leads out of the folder, checksum and all
        (entry,) = (tmp_path / "cache").glob("add-*")
        shutil.copytree(entry, tmp_path / "other")
        (link,) = (tmp_path / "cache").glob("chain-*")
        body = '{"files": {}, "result": "../other"}'
        (link / "entry.json").write_text(hashlib.sha256(body.encode()).hexdigest() + "\n" + body)
        shutil.rmtree(entry)
    else:
        (entry,) = (tmp_path / "cache").glob(f"{harmed}*")
        (entry / "entry.json").write_text("")

    assert cache.keep_chain(double, add, TABLE, n=1).equals(first)
    assert calls == [2, "add"] + ["add"] * (harmed != "chain-")
    assert cache.keep_chain(double, add, TABLE, n=1).equals(first)
    assert calls == [2, "add"] + ["add"] * (harmed != "chain-")


def test_nothing_is_a_result_too(tmp_path):
    cache = Cache(tmp_path)

    assert cache.keep(give, None) is None
    assert cache.keep(give, None) is None
    assert calls == ["give"]


def test_arrays_and_graphs_come_back(tmp_path):
    cache = Cache(tmp_path)
    cache.keep(give, np.arange(6).reshape(2, 3))
    cache.keep(give, GRAPH)
    array, graph = cache.keep(give, np.arange(6).reshape(2, 3)), cache.keep(give, GRAPH)

    assert calls == ["give", "give"]
    assert array.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert (graph.get_edgelist(), graph.vs["name"], graph.es["weight"], graph["title"]) == (
        [(0, 1), (1, 2)],
        ["甲", "b", "c"],
        [0.5, 2.0],
        "trams",
    )
    assert cache.keep(give, np.int64(5)) == cache.keep(give, np.int64(5)) == 5


def test_a_path_counts_by_the_files_there(tmp_path):
    cache, folder = Cache(tmp_path / "cache"), tmp_path / "demo"
    (folder / "part").mkdir(parents=True)
    (folder / "part" / "a.csv").write_text("1")
    cache.keep(read, folder)
    cache.keep(read, str(folder))
    assert calls == ["read"]

    (folder / "part" / "a.csv").write_text("2")
    cache.keep(read, folder)
    (folder / "part" / "a.csv").rename(folder / "b.csv")
    cache.keep(read, path=folder)
    cache.keep(read, folder / "b.csv")
    cache.keep(read, tmp_path / "absent")
    assert calls == ["read"] * 5


@pytest.mark.parametrize("harm", ["truncate", "flip", "remove", "record", "empty record", "foreign class"])
def test_a_damaged_entry_is_made_again(tmp_path, harm):
    cache = Cache(tmp_path)
    cache.keep(double, TABLE)
    (entry,) = tmp_path.iterdir()
    parquet, record = entry / "1.parquet", entry / "entry.json"
    if harm == "truncate":
        parquet.write_bytes(parquet.read_bytes()[:-7])
    elif harm == "flip":
        content = bytearray(parquet.read_bytes())
        content[len(content) // 2] ^= 1
        parquet.write_bytes(content)
    elif harm == "remove":
        parquet.unlink()
    elif harm == "record":
        record.write_text(record.read_text()[:-3])
    elif harm == "empty record":
        record.write_text("")
    else:
        body = (
            '{"files": {}, "result": {"kind": "dataclass", "class": "subprocess:Popen", "fields": {"args": "false"}}}'
        )
        record.write_text(hashlib.sha256(body.encode()).hexdigest() + "\n" + body)

    assert cache.keep(double, TABLE)["n"].to_list() == [2, 4, 6]
    assert calls == [2, 2]
    assert cache.keep(double, TABLE)["n"].to_list() == [2, 4, 6]
    assert calls == [2, 2]
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("kind", ["unknown", "dataclass"])
def test_a_record_nobody_wrote_is_not_believed(tmp_path, kind):
    from workbench.cache import _decode

    tree = {"kind": kind, "class": "workbench.schema:check_table", "fields": {}}
    with pytest.raises(ValueError, match=r"does not know|holds no result"):
        _decode(tree, tmp_path)


def test_what_cannot_be_compared_is_refused(tmp_path):
    with pytest.raises(ParameterError, match=r"Argument value is a builtins\.object"):
        Cache(tmp_path).keep(give, object())
    with pytest.raises(ParameterError, match="column of Python objects"):
        Cache(tmp_path).keep(give, pl.DataFrame({"o": pl.Series([object()], dtype=pl.Object)}))


def test_a_result_that_needs_pickle_is_refused(tmp_path, monkeypatch):
    monkeypatch.setitem(RESULTS, "odd", object())
    with pytest.raises(ParameterError, match=r"holds a builtins\.object, which cannot be kept"):
        Cache(tmp_path).keep(give, "odd")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_costs_only_the_keeping(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.warns(UserWarning, match="double could not be kept"):
        assert Cache(tmp_path / "file" / "cache").keep(double, TABLE)["n"].to_list() == [2, 4, 6]


def many_rows(n: int) -> pl.DataFrame:
    return pl.DataFrame({"n": np.random.default_rng(1).integers(0, 2**60, n)})


def many_numbers(n: int) -> np.ndarray:
    return many_rows(n)["n"].to_numpy()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such limit")
@pytest.mark.parametrize("make", [many_rows, many_numbers])
def test_a_disk_that_is_full_while_a_table_is_kept_costs_only_the_keeping(tmp_path, make):
    """A limit on the size of files stands in for a full disk. numpy raises an OSError, polars an error of its own."""
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        with pytest.warns(UserWarning, match=f"{make.__name__} could not be kept in .*: .*(File too large|written)"):
            result = Cache(tmp_path).keep(make, 50_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    assert len(result) == 50_000
    assert list(tmp_path.iterdir()) == [], "no draft and no entry"
    Cache(tmp_path).keep(make, 50_000)
    assert len(list(tmp_path.iterdir())) == 1, "kept once there is room"


def test_drafts_of_killed_runs_go_after_a_day(tmp_path):
    for name, age_s in [("old", 2 * 24 * 3600), ("new", 60)]:
        draft = tmp_path / f".draft-{name}"
        draft.mkdir()
        os.utime(draft, (time.time() - age_s,) * 2)
    Cache(tmp_path).keep(double, TABLE)

    assert sorted(path.name for path in tmp_path.glob(".draft-*")) == [".draft-new"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_the_folder_is_for_its_owner_only(tmp_path):
    Cache(tmp_path / "cache").keep(double, TABLE)

    assert stat.S_IMODE((tmp_path / "cache").stat().st_mode) == 0o700


def test_two_processes_at_once_leave_one_whole_entry(tmp_path):
    code = (
        "import sys; from workbench.cache import Cache; from workbench.schema import check_table, empty_table\n"
        "t = empty_table('decisions')\n"
        "[Cache(sys.argv[1]).keep(check_table, t, 'decisions') for _ in range(20)]"
    )
    processes = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stderr=subprocess.PIPE) for _ in "abc"]
    assert [(process.communicate()[1], process.returncode) for process in processes] == [(b"", 0)] * 3
    assert len(list(tmp_path.iterdir())) == 1


def test_a_source_edited_under_a_running_process_is_not_trusted(tmp_path, monkeypatch):
    from workbench.schema import check_table

    monkeypatch.setattr(cache_key, "_STARTED_AT", 0.0)
    Cache(tmp_path).keep(check_table, empty_table("edges"), "edges")

    assert list(tmp_path.iterdir()) == []


def test_the_source_of_imported_rooms_counts(monkeypatch):
    from workbench.privacy import protect_release

    files = {file.name for file in cache_key._source_files(protect_release)}
    assert {"privacy.py", "addresses.py", "schema.py"} <= files
    assert "cache.py" not in files


def test_files_elsewhere_count(tmp_path, monkeypatch):
    (tmp_path / "a.csv").write_text("1")
    alone = name_result(read, [str(tmp_path)])
    monkeypatch.setenv("WORKBENCH_FILES", str(tmp_path))
    with_files = name_result(read, [str(tmp_path)])
    (tmp_path / "a.csv").write_text("2")

    assert len({alone, with_files, name_result(read, [str(tmp_path)])}) == 3
