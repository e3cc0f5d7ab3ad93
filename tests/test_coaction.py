"""The kernel: hand-written tables, properties that must hold on any log, and equality with the field's own tool."""

from datetime import UTC, datetime, timedelta
from itertools import combinations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import workbench.coaction as coaction
import workbench.pairs as pairs
from workbench.coaction import count_co_actions, count_partners, pack_actions
from workbench.evidence import co_action_evidence
from workbench.schema import ParameterError, SchemaError

START = datetime(2019, 6, 1, tzinfo=UTC)


def make_actions(*rows: tuple[str, str | None, float]) -> pl.DataFrame:
    """Actions from (account, object, seconds after the start)."""
    return pl.DataFrame(
        [(who, f"p{k}", "repost", what, START + timedelta(seconds=s)) for k, (who, what, s) in enumerate(rows)],
        schema={
            "account_id": pl.String, "post_id": pl.String, "trace": pl.String, "object_id": pl.String,
            "acted_at": pl.Datetime("us", "UTC"),
        },
        orient="row",
    )  # fmt: skip


def naive(actions: pl.DataFrame, window_s: float | None) -> dict[tuple[str, str], int]:
    """The definition, word for word, in quadratic time."""
    found: dict[tuple[str, str], int] = {}
    for x, y in combinations(actions.iter_rows(named=True), 2):
        if x["trace"] != y["trace"] or x["account_id"] == y["account_id"] or x["object_id"] != y["object_id"]:
            continue
        if x["object_id"] is None or not x["object_id"].strip():
            continue
        if window_s is None or abs(x["acted_at"] - y["acted_at"]) <= timedelta(seconds=window_s):
            pair = (min(x["account_id"], y["account_id"]), max(x["account_id"], y["account_id"]))
            found[pair] = found.get(pair, 0) + 1
    return found


def as_dict(edges: pl.DataFrame) -> dict[tuple[str, str], int]:
    return {(a, b): n for a, b, n in edges.select("account_a", "account_b", "n_co_actions").iter_rows()}


LOG = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c", "é", "账号"]),
        st.sampled_from(["x", "y", "", " ", None]),
        st.one_of(st.integers(-5, 5), st.sampled_from([-1e9, 0.25, 1e9, 59.999999, 60.0])),
    ),
    max_size=25,
)
WINDOW = st.sampled_from([0, 0.25, 1, 2, 60, 1e9, 1e12, None])


def test_window_is_inclusive_and_self_pairs_never_count():
    actions = make_actions(("a", "x", 0), ("b", "x", 60), ("c", "x", 60.000001), ("a", "x", 1), ("a", "y", 0))
    expected = [("repost", "a", "b", 2), ("repost", "a", "c", 1), ("repost", "b", "c", 1)]
    assert count_co_actions(actions, time_window_s=60).rows() == expected


def test_traces_are_counted_apart():
    one = make_actions(("a", "x", 0), ("b", "x", 0))
    edges = count_co_actions(pl.concat([one, one.with_columns(trace=pl.lit("url"))]), time_window_s=0)
    assert edges.rows() == [("repost", "a", "b", 1), ("url", "a", "b", 1)]


@settings(deadline=None)
@given(LOG, WINDOW)
def test_equals_the_definition(rows, window_s):
    actions = make_actions(*rows)
    assert as_dict(count_co_actions(actions, time_window_s=window_s)) == naive(actions, window_s)


@settings(deadline=None, max_examples=40)
@given(LOG, WINDOW, st.randoms(use_true_random=False))
def test_row_order_and_clock_shift_change_nothing(rows, window_s, random):
    shuffled = rows.copy()
    random.shuffle(shuffled)
    moved = make_actions(*shuffled).with_columns(pl.col("acted_at").dt.offset_by("90d"))
    expected = count_co_actions(make_actions(*rows), time_window_s=window_s)
    assert count_co_actions(moved, time_window_s=window_s).equals(expected)


@settings(deadline=None, max_examples=40)
@given(LOG, st.floats(0, 100), st.floats(0, 100))
def test_a_wider_window_never_loses_a_co_action(rows, one, other):
    narrow = as_dict(count_co_actions(make_actions(*rows), time_window_s=min(one, other)))
    wide = as_dict(count_co_actions(make_actions(*rows), time_window_s=max(one, other)))
    assert all(wide.get(pair, 0) >= n for pair, n in narrow.items())


@settings(deadline=None, max_examples=40)
@given(LOG)
def test_batches_add_up_to_the_same(rows):
    actions = make_actions(*rows)
    expected = count_co_actions(actions, time_window_s=60)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pairs, "BATCH_PAIRS", 2)
        patch.setattr(pairs, "MAX_BATCH_PAIRS", 2)
        patch.setattr(coaction, "PART_EDGES", 3)
        assert count_co_actions(actions, time_window_s=60).equals(expected)


def test_a_line_too_long_for_64_bits_is_cut_at_objects(monkeypatch):
    rows = [(f"a{k % 7}", f"o{k % 5}", float(k)) for k in range(60)]
    log = pack_actions(make_actions(*rows))
    expected = count_partners(log, window_us=20_000_000)
    monkeypatch.setattr(pairs, "LONGEST_SPAN_US", 50_000_000)
    assert count_partners(log, window_us=20_000_000).tolist() == expected.tolist()


def test_min_co_actions_drops_light_edges_only_from_the_result():
    actions = make_actions(("a", "x", 0), ("b", "x", 0), ("a", "y", 0), ("b", "y", 0), ("c", "y", 0))
    assert as_dict(count_co_actions(actions, time_window_s=1, min_co_actions=2)) == {("a", "b"): 2}


def test_min_actions_applies_before_pairing():
    actions = make_actions(("a", "x", 0), ("b", "x", 0), ("a", "y", 0), ("b", "z", 0), ("c", "x", 0))
    assert as_dict(count_co_actions(actions, time_window_s=1, min_actions=2)) == {("a", "b"): 1}


def test_an_enum_of_names_where_there_are_many_edges(monkeypatch):
    actions = make_actions(("a", "x", 0), ("b", "x", 0))
    monkeypatch.setattr(coaction, "ENUM_FROM_EDGES", 0)
    edges = count_co_actions(actions, time_window_s=1)
    assert edges["account_a"].dtype == pl.Enum(["a", "b"])
    assert as_dict(edges) == {("a", "b"): 1}


def test_parts_add_up_to_the_whole():
    actions = make_actions(("a", "x", 0), ("b", "x", 0), ("c", "x", 0))
    parts = list(coaction.iterate_co_actions(actions, time_window_s=1))
    assert (
        pl.concat(parts)
        .cast({"account_a": pl.String, "account_b": pl.String})
        .equals(count_co_actions(actions, time_window_s=1))
    )


@given(LOG, st.sampled_from([0, 1, 60, None]), st.integers(0, 5))
@settings(deadline=None, max_examples=30)
def test_a_scan_gives_the_same_edges_whole_filtered_or_cut(rows, window_s, n):
    actions = make_actions(*rows)
    edges = count_co_actions(actions, time_window_s=window_s)
    scan = coaction.scan_co_actions(actions, time_window_s=window_s)
    as_text = {"account_a": pl.String, "account_b": pl.String}
    heavy = pl.col("n_co_actions") > 1
    for query in (
        lambda table: table,
        lambda table: table.filter(heavy).head(n),
        lambda table: table.head(n).filter(heavy),
        lambda table: table.select("account_b", "n_co_actions").head(n),
    ):
        lazily, at_once = query(scan).collect(), query(edges)
        assert lazily.cast({c: d for c, d in as_text.items() if c in lazily.columns}).equals(at_once)


def test_a_scan_goes_to_a_file_and_says_what_is_wrong(tmp_path):
    actions = make_actions(("a", "x", 0), ("b", "x", 0), ("c", "x", 0))
    coaction.scan_co_actions(actions, time_window_s=1).sink_parquet(tmp_path / "edges.parquet")
    assert as_dict(pl.read_parquet(tmp_path / "edges.parquet")) == as_dict(count_co_actions(actions, time_window_s=1))
    with pytest.raises(ParameterError, match="time_window_s"):
        coaction.scan_co_actions(actions, time_window_s=-1)
    with pytest.raises(ParameterError, match="max_pairs=2"):
        coaction.scan_co_actions(actions, time_window_s=1, max_pairs=2).collect()


@pytest.mark.parametrize(
    "rows", [[], [("a", "x", 0)], [("a", "x", 0), ("a", "x", 1)], [("a", None, 0), ("b", None, 0)]]
)
def test_nothing_to_pair_gives_no_edges(rows):
    edges = count_co_actions(make_actions(*rows), time_window_s=60)
    assert edges.height == 0
    assert edges.columns == ["trace", "account_a", "account_b", "n_co_actions"]


ABSURD = st.sampled_from([-6e10, -1e9, -1.0, -0.000001, 0.0, 0.000001, 1e9, 2e11])
"""seconds from the start: from the second century to the year 8356"""
NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=4)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(NAMES, NAMES, ABSURD), max_size=15), st.sampled_from([0, 0.000001, 3e11, None]))
def test_absurd_times_and_any_script_are_counted_like_others(rows, window_s):
    actions = make_actions(*rows)
    assert as_dict(count_co_actions(actions, time_window_s=window_s)) == naive(actions, window_s)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.just("only"), st.sampled_from(["x", "y"]), ABSURD), max_size=15), WINDOW)
def test_one_account_alone_never_co_acts(rows, window_s):
    assert count_co_actions(make_actions(*rows), time_window_s=window_s).height == 0


@settings(deadline=None, max_examples=40)
@given(st.lists(st.sampled_from("abc"), max_size=20))
def test_all_on_one_object_at_any_gap_is_the_product_of_actions(who):
    n = {name: who.count(name) for name in "abc"}
    expected = {(a, b): n[a] * n[b] for a, b in ("ab", "ac", "bc") if n[a] * n[b]}
    rows = [(name, "everything", float(k * 1e6)) for k, name in enumerate(who)]
    assert as_dict(count_co_actions(make_actions(*rows), time_window_s=None)) == expected


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from([None, "", " ", "\t\u3000"]), ABSURD), max_size=10))
def test_null_and_blank_objects_are_none(rows):
    assert count_co_actions(make_actions(*rows), time_window_s=None).height == 0


def test_window_zero_pairs_the_same_microsecond_only():
    actions = make_actions(("a", "x", 0), ("b", "x", 0), ("c", "x", 0.000001))
    assert as_dict(count_co_actions(actions, time_window_s=0)) == {("a", "b"): 1}


@pytest.mark.parametrize("column", ["account_id", "post_id", "trace", "acted_at"])
def test_nulls_where_there_must_be_none_are_named(column):
    actions = make_actions(("a", "x", 0), ("b", "x", 0))
    holed = actions.with_columns(pl.when(pl.col("account_id") == "a").then(pl.col(column)))
    with pytest.raises(SchemaError, match=f"actions breaks its contract: {column}: nullability in 1 rows of 2"):
        count_co_actions(holed, time_window_s=1)


def test_bad_parameters_say_what_was_expected():
    actions = make_actions(("a", "x", 0), ("b", "x", 0))
    for window in (-1, float("nan"), 1e13):
        with pytest.raises(ParameterError, match=r"time_window_s is .*expected seconds from 0"):
            count_co_actions(actions, time_window_s=window)
    for name in ("min_co_actions", "min_participation"):
        with pytest.raises(ParameterError, match=f"{name} is 0; expected 1 or more"):
            count_co_actions(actions, time_window_s=1, **{name: 0})
    with pytest.raises(SchemaError, match="actions lacks column 'object_id'"):
        count_co_actions(actions.drop("object_id"), time_window_s=1)
    with pytest.raises(ParameterError, match="expected actions of one trace"):
        pack_actions(pl.concat([actions, actions.with_columns(trace=pl.lit("url"))]))
    with pytest.raises(ParameterError, match=r"1 pairs .* more than max_pairs=0\. Most come from 'x' \(1\)"):
        count_co_actions(actions, time_window_s=1, max_pairs=0)
    absurd = actions.with_columns(acted_at=pl.Series([-(2**62), 2**62]).cast(pl.Datetime("us", "UTC")))
    with pytest.raises(ParameterError, match="146,000 years"):
        count_co_actions(absurd, time_window_s=1)


def read_coortweet(shared_data, name: str) -> pl.DataFrame:
    return pl.read_csv(shared_data / "cooRTweet" / f"cooRTweet_ru_{name}.csv", infer_schema=False)


@pytest.fixture(scope="module")
def russian_actions(shared_data) -> pl.DataFrame:
    shares = pl.read_parquet(shared_data / "cooRTweet" / "russian_coord_tweets.parquet")
    seconds = pl.from_epoch(pl.col("timestamp_share").cast(pl.Int64)).dt.cast_time_unit("us")
    acted_at = seconds.dt.replace_time_zone("UTC")
    return shares.select(
        "account_id", pl.lit("repost").alias("trace"), "object_id", post_id="content_id", acted_at=acted_at
    )


CASES = [(10, 2), (60, 1), (60, 2)]


@pytest.mark.parametrize(("window_s", "k"), CASES)
def test_edges_equal_coortweets(shared_data, russian_actions, window_s, k):
    theirs = read_coortweet(shared_data, f"tw{window_s}_mp{k}_g0_edges")
    expected = {(min(a, b), max(a, b)): int(n) for a, b, n in theirs.select("from", "to", "weight").iter_rows()}
    assert as_dict(count_co_actions(russian_actions, time_window_s=window_s, min_participation=k)) == expected


@pytest.mark.parametrize(("window_s", "k"), CASES)
def test_evidence_equals_coortweets_pairs(shared_data, russian_actions, window_s, k):
    edges = count_co_actions(russian_actions, time_window_s=window_s, min_participation=k)
    ours = co_action_evidence(russian_actions, edges, time_window_s=window_s)
    theirs = read_coortweet(shared_data, f"tw{window_s}_mp{k}_result")
    theirs = theirs.filter(pl.col("account_id") != pl.col("account_id_y"))
    columns = theirs.select("object_id", "content_id", "content_id_y", "time_delta").iter_rows()
    expected = sorted((o, *sorted((x, y)), abs(float(gap))) for o, x, y, gap in columns)
    found = ours.select("object_id", "post_a", "post_b", "gap_s").iter_rows()
    assert sorted((o, *sorted((x, y)), gap) for o, x, y, gap in found) == expected


@pytest.mark.parametrize(("window_s", "column"), [(60, "weight_full"), (10, "weight_fast")])
def test_flagged_speed_share_equals_coortweets(shared_data, russian_actions, window_s, column):
    """CooRTweet's `flag_speed_share` applies its participation filter to the fast pairs anew."""
    theirs = read_coortweet(shared_data, "tw60_fast10_g0_edges").filter(pl.col(column).cast(pl.Float64) > 0)
    expected = {(min(a, b), max(a, b)): int(n) for a, b, n in theirs.select("from", "to", column).iter_rows()}
    assert as_dict(count_co_actions(russian_actions, time_window_s=window_s, min_participation=2)) == expected


def test_flagged_pairs_equal_coortweets(shared_data, russian_actions):
    edges = count_co_actions(russian_actions, time_window_s=10, min_participation=2)
    ours = co_action_evidence(russian_actions, edges, time_window_s=10)
    theirs = read_coortweet(shared_data, "tw60_mp2_flag10_result").filter(pl.col("time_window_10") == "1")
    expected = {(o, *sorted((x, y))) for o, x, y in theirs["object_id", "content_id", "content_id_y"].iter_rows()}
    assert {(o, *sorted((x, y))) for o, x, y in ours["object_id", "post_a", "post_b"].iter_rows()} == expected
