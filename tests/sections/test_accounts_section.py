import invented
import invented_case
import polars as pl

from workbench.sections.accounts import describe_accounts
from workbench.sections.release import describe_release


def traits(profiles: pl.DataFrame) -> dict[str, tuple[int, int]]:
    (table,) = [one for one in describe_accounts(profiles).tables if one.name == "account_traits"]
    return {row["trait"]: (row["n_accounts"], row["n_known"]) for row in table.rows}


def test_what_is_read_from_posts_is_known_of_posters_only():
    half = invented_case.profiles().with_row_index("n").with_columns(n_posts=pl.col("n") % 2).drop("n")
    assert traits(half)["came back after half a year or more of silence"] == (6, 210)
    assert traits(half)["carry a handle that ends in five digits or more"] == (40, 420)
    silent = half.with_columns(n_posts=pl.lit(0))
    assert "came back after half a year or more of silence" not in traits(silent)
    assert "carry a handle that ends in five digits or more" in traits(silent)


def test_a_trait_of_all_is_said_of_all():
    every = invented_case.profiles().with_columns(is_revived=pl.lit(value=True))
    texts = [claim.text for claim in describe_accounts(every).claims]
    assert "All 420 accounts listed in the release came back after half a year or more of silence." in texts


def test_account_files_alone_do_not_say_that_nobody_posted():
    release = invented.release(posts=invented.posts().clear())
    (claim, *_) = describe_release(release).claims
    assert "of which 0 posted" not in claim.text
    assert claim.text.endswith("files list 420 accounts and hold no posts: what they said is not known.")


def test_what_nobody_has_is_a_sentence_and_no_row():
    profiles = invented_case.profiles().with_columns(is_revived=pl.lit(value=False))
    (table,) = [one for one in describe_accounts(profiles).tables if one.name == "account_traits"]
    assert all(row["n_accounts"] for row in table.rows)
    assert "Looked for and found in none: came back after half a year or more of silence" in table.note


def test_languages_nobody_knows_are_no_chart():
    unknown = pl.DataFrame({"period": [invented.DAY_0.date()], "language": ["und"], "n_posts": [9]})
    known = unknown.with_columns(language=pl.lit("en"))
    for languages, is_drawn in ((unknown, False), (known, True)):
        figures = [one.name for one in describe_accounts(invented_case.profiles(), languages=languages).figures]
        assert ("languages_over_time" in figures) is is_drawn
