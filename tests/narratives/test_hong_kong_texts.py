"""On the real texts of the 2019 release (not ours to ship): the copy-paste families come out with their counts."""

import json

import polars as pl
import pytest

from workbench.near_duplicates import comparable_forms, group_near_duplicates


@pytest.mark.parametrize(
    ("file", "n_texts", "n_exact_copies", "n_shared", "largest"),
    [("zh.jsonl", 2121, 446, 536, (25, 17)), ("en.jsonl", 2296, 972, 1072, (32, 16))],
)
def test_families_across_accounts(shared_data, file, n_texts, n_exact_copies, n_shared, largest):
    lines = (shared_data / "hong_kong_texts" / file).read_text(encoding="utf8").splitlines()
    rows = [json.loads(line) for line in lines]
    texts, accounts = [row["text"] for row in rows], [row["meta"] for row in rows]
    families = group_near_duplicates(texts).with_columns(account_id=pl.Series(accounts))
    sizes = families.group_by("family_id").agg(n=pl.len(), n_accounts=pl.col("account_id").n_unique())
    assert families.height == n_texts
    assert families["family_id"].null_count() == 0
    # Independent of MinHash: equal forms are counted by hand, and no family may break one up.
    forms = families.with_columns(form=comparable_forms(texts))
    assert n_texts - forms["form"].n_unique() == n_exact_copies
    assert forms.group_by("form").agg(pl.col("family_id").n_unique())["family_id"].max() == 1
    assert sizes.filter(pl.col("n_accounts") > 1)["n"].sum() == n_shared
    assert sizes.sort("n", descending=True).select("n", "n_accounts").row(0) == largest
