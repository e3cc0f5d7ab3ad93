import random

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.near_duplicates import comparable_forms, group_near_duplicates
from workbench.schema import ParameterError

BASE = "the old tram line over the harbour bridge will close for repairs until the first week of autumn"


def families(texts, **kwargs):
    return group_near_duplicates(texts, **kwargs)["family_id"].to_list()


def jaccard(left: str, right: str, k: int = 4) -> float:
    a, b = comparable_forms([left, right])
    one, two = ({form[i : i + k] for i in range(len(form) - k + 1)} for form in (a, b))
    return len(one & two) / len(one | two)


def test_equal_forms_are_one_family_and_order_is_kept():
    found = group_near_duplicates(["Bread!", "tram", "BREAD  https://x.example/1", None, "ｂｒｅａｄ"])
    assert found["family_id"].to_list() == [1, 2, 1, None, 1]
    assert found["is_exemplar"].to_list() == [True, True, False, False, False]
    assert found["similarity"].to_list() == [1.0, 1.0, 1.0, None, 1.0]


def test_a_cut_and_decorated_copy_joins_and_an_other_text_does_not():
    texts = [BASE, BASE, BASE + " 😀 #tram", BASE.rsplit(" ", 1)[0], "fresh bread from the old oven on pier nine"]
    assert families(texts) == [1, 1, 1, 1, 2]


def test_both_chinese_scripts_and_spaced_words_are_one_text():
    assert families(["电车站台今天停用", "電車站台今天停用", "电车 站台 今天 停用"]) == [1, 1, 1]


def test_members_are_like_their_exemplar_not_only_like_a_neighbour():
    words = BASE.split()
    chain = [" ".join(words[i : i + 10]) for i in range(8)]
    found = group_near_duplicates(chain)
    for family in found["family_id"].unique():
        here = [i for i, other in enumerate(found["family_id"]) if other == family]
        exemplar = next(i for i in here if found["is_exemplar"][i])
        assert all(jaccard(chain[i], chain[exemplar]) >= 0.7 for i in here)
        assert all(abs(jaccard(chain[i], chain[exemplar]) - found["similarity"][i]) < 1e-9 for i in here)
    assert found["family_id"].n_unique() > 1


def test_finds_nearly_all_pairs_that_exact_comparison_finds():
    rng = random.Random(3)
    words = [f"word{i}" for i in range(400)]
    texts = []
    for _ in range(150):
        base = rng.sample(words, 14)
        texts.append(" ".join(base))
        changed = list(base)
        changed[rng.randrange(14)] = rng.choice(words)
        texts.append(" ".join(changed))
    found = families(texts)
    due = [i for i in range(0, 300, 2) if jaccard(texts[i], texts[i + 1]) >= 0.7]
    assert len(due) > 100
    assert sum(found[i] == found[i + 1] for i in due) >= 0.97 * len(due)
    assert len(set(found[::2])) == 150  # and nothing else was put together


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ([], []),
        ([None, "", "  ", "https://x.example/a", "@somebody"], [None] * 5),
        (["x"], [1]),
        (["😀😀", "😀😀", "🚋"], [1, 1, 2]),
        (["\ud800 tram stop", "tram stop"], [1, 1]),
        (["مرحبا بالميناء", "مرحبا بالميناء"], [1, 1]),
    ],
)
def test_hostile_texts(texts, expected):
    assert families(texts) == expected


def test_long_posts_and_very_many_copies():
    rng = random.Random(1)
    long = " ".join("".join(rng.choices("abcdefghij", k=6)) for _ in range(1430))
    assert len(long) > 10_000
    assert families([long, long + " extra words at the end", "short"]) == [1, 1, 2]
    found = group_near_duplicates(["one text"] * 1_000_000)
    assert found["family_id"].unique().to_list() == [1]
    assert found["is_exemplar"].sum() == 1


@settings(max_examples=30, deadline=None)
@given(st.lists(st.one_of(st.none(), st.text(max_size=40)), max_size=25), st.randoms())
def test_row_order_changes_nothing(texts, rng):
    order = list(range(len(texts)))
    rng.shuffle(order)
    first = families(texts)
    second = families([texts[i] for i in order])
    assert [first[i] for i in order] == second


def test_every_text_with_something_to_read_has_a_family():
    texts = ["。", "港", "a", "!?", "\u202etext", "１２３", "＃汐港"]
    assert pl.Series(families(texts)).null_count() == 0


@pytest.mark.parametrize("options", [{"min_similarity": 0}, {"min_similarity": 1.1}, {"shingle_chars": 0}])
def test_parameters_out_of_range_are_refused(options):
    with pytest.raises(ParameterError, match="must be"):
        group_near_duplicates(["a"], **options)
