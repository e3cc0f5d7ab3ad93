"""A public package does not tell to the second, nor to the last follower, who somebody is; a partner's does."""

import dataclasses

import polars as pl
import pytest
from small_case import START, clusters_a, findings_a, platform_a, scored_a

from workbench.privacy import protect_release
from workbench.sharing import collect_evidence, read_package, write_package

KEY = b"k" * 32


def packaged(tmp_path, level):
    original = platform_a()
    accounts = original.accounts.with_columns(
        created_at=pl.lit(START).cast(pl.Datetime("us", "UTC")), n_followers=1_234
    )
    original = dataclasses.replace(original, accounts=accounts)
    clusters, scored = clusters_a(), scored_a()
    if level == "public":
        shown = protect_release(original, key=KEY)
        names = dict(zip(original.accounts["account_id"], shown.accounts["account_id"], strict=True))
        clusters = clusters.with_columns(pl.col("account_id").replace_strict(names))
        scored = scored.with_columns(pl.col("account_a", "account_b").replace_strict(names))
        original = shown
    found = collect_evidence(original, clusters=clusters, scored=scored, time_window_s=60)
    salt = "agreed over the telephone" if level == "hashed" else None
    return write_package(findings_a(), tmp_path / level, level=level, evidence=found, salt=salt).folder


@pytest.mark.parametrize(
    ("level", "created", "followers"),
    [
        ("public", "2031-03-01", "1200"),
        ("hashed", None, None),
        ("trusted", "2031-03-01T09:00:00+00:00", "1234"),
    ],
)
def test_who_learns_the_second_and_the_last_follower(tmp_path, level, created, followers):
    tables = read_package(packaged(tmp_path, level)).tables
    assert tables["accounts"]["created_at"].unique().to_list() == [created]
    assert tables["accounts"]["n_followers"].unique().to_list() == [followers]
    times = [tables["accounts"][name] for name in ("first_seen", "last_seen")]
    times += [tables[name]["first_at"].drop_nulls() for name in ("urls", "contents")]
    assert pl.concat(times).str.contains("T").unique().to_list() == [level == "trusted"]


def test_no_file_of_a_public_package_has_a_time_of_day(tmp_path):
    folder = packaged(tmp_path, "public")
    for file in (path for path in folder.rglob("*.csv")):
        assert "T09:" not in file.read_text(encoding="utf-8-sig"), file.name
