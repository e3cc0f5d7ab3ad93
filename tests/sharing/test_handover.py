"""What the commands do: a case handed on at every level, a tip matched against a case, the hit report written."""

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from small_case import findings_a, platform_b

from workbench.case import open_case
from workbench.handover import explain_case, match_case, share_case
from workbench.leaks import find_leaks
from workbench.schema import ParameterError, SourceError
from workbench.sharing import match_indicators, read_package, write_hit_report
from workbench.sharing.indicators import build_indicators
from workbench.sources import load_release

DATASETS = Path(__file__).parents[2] / "datasets"
KEY = b"k" * 32
SALT = "agreed over the telephone"
SETTINGS = {"traces": ["url", "same_text"], "time_window_s": 60, "n_shuffles": 10, "max_fdr": 0.05, "seed": 7}


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cases")
    return {
        name: open_case(name, reports_folder=str(folder / name), cache_folder=str(folder / "cache" / name))
        for name in ("demo", "demo_platform_b")
    }


@pytest.fixture(scope="module")
def findings():
    return replace(findings_a(), about=load_release(DATASETS / "demo").about, parameters=SETTINGS)


@pytest.mark.parametrize("level", ["public", "trusted", "hashed"])
def test_a_case_is_handed_on_and_found_again_on_the_other_platform(tmp_path, cases, findings, level):
    salt = SALT if level == "hashed" else None
    package = share_case(cases["demo"], findings, tmp_path / "p", key=KEY, level=level, salt=salt)
    accounts = read_package(package.archive).tables["accounts"]
    truth = pl.read_csv(DATASETS / "demo" / "truth.csv", infer_schema=False)
    planted = set(truth.filter(is_operation="true")["account_id"])
    if level == "trusted":
        # A newsroom's sister accounts post together too: coordinated, and no operation. Nobody else may be in it.
        others = truth.filter(pl.col("account_id").is_in(set(accounts["account_id"]) - planted))
        assert set(others.select("group", "role").iter_rows()) <= {("newsroom", "sister")}
        assert len(set(accounts["account_id"]) & planted) >= 0.9 * accounts.height
    else:
        assert find_leaks(package.folder, load_release(DATASETS / "demo")).is_empty()
    report = match_case(package.archive, cases["demo_platform_b"], key=KEY, out=tmp_path / "hits", salt=salt)
    kinds = dict(report.accounts.filter(verdict="corroborated")["kind"].value_counts().iter_rows())
    assert kinds == {"page": 7, "group": 3, "account": 5}
    assert find_leaks(tmp_path / "hits", load_release(DATASETS / "demo_platform_b")).is_empty()
    assert "Synthetic" in (tmp_path / "hits" / "hit_report.md").read_text()


def test_what_a_case_needs(tmp_path, cases, findings):
    with pytest.raises(ParameterError, match="public, trusted, hashed"):
        share_case(cases["demo"], findings, tmp_path / "p", key=KEY, level="loud")
    with pytest.raises(ParameterError, match="with which traces"):
        share_case(cases["demo"], replace(findings, parameters={}), tmp_path / "p", key=KEY)


def test_a_second_platform_that_has_moved_is_asked_for_and_taken_where_it_lies(tmp_path, cases, findings):
    moved = replace(findings, parameters={**SETTINGS, "second_dataset": "gone"})
    with pytest.raises(SourceError, match=r"called 'gone'.*Give its path with --second"):
        share_case(cases["demo"], moved, tmp_path / "p", key=KEY)
    with pytest.raises(SourceError, match="no dataset 'nowhere'"):
        share_case(cases["demo"], moved, tmp_path / "p", key=KEY, second="nowhere")
    package = share_case(cases["demo"], moved, tmp_path / "p", key=KEY, second=str(DATASETS / "demo_platform_b"))
    assert package.archive.is_file()


def test_hit_report_in_a_folder_of_other_things_is_refused(tmp_path):
    report = match_indicators(build_indicators([{"indicator_value": "gone.example"}]), platform_b())
    write_hit_report(report, tmp_path / "hits", title="t")
    write_hit_report(report, tmp_path / "hits", title="t")
    (tmp_path / "hits" / "diary.txt").write_text("dear")
    with pytest.raises(ParameterError, match=r"diary\.txt"):
        write_hit_report(report, tmp_path / "hits", title="t")


def test_why_an_account_is_in_or_out_by_any_of_its_names_and_without_telling_them(cases, findings):
    original = load_release(DATASETS / "demo")
    truth = pl.read_csv(DATASETS / "demo" / "truth.csv", infer_schema=False)
    hidden = original.accounts.filter(pl.col("n_followers") == 0).join(
        truth.filter(role="core"), on="account_id", how="semi"
    )
    account_id, handle = hidden.select("account_id", "handle").sort("account_id").row(0)
    said, why = explain_case(cases["demo"], findings, account=account_id, key=KEY)
    assert why.rule == "member"
    assert explain_case(cases["demo"], findings, account=f"@{handle.upper()}", key=KEY)[0] == said
    assert explain_case(cases["demo"], findings, account=why.account_id, key=KEY)[0] == said
    assert account_id not in " ".join(said)
    assert handle not in " ".join(said)
    with pytest.raises(ParameterError, match="no account 'nobody here'"):
        explain_case(cases["demo"], findings, account="nobody here", key=KEY)
