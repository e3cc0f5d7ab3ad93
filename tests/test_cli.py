"""The command says what happened in one line, and its exit status says whether it went well."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from workbench import cli, handover, run
from workbench.cli import main
from workbench.findings import Findings
from workbench.schema import About, ParameterError, SourceError
from workbench.sharing.package import WrittenPackage

SHARES = "object_id,account_id,content_id,timestamp_share\na,x1,s1,1900000000\na,x2,s2,1900000005\na,x2,,bad\n"


@pytest.fixture
def ask(monkeypatch, tmp_path):
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    return lambda *words: CliRunner().invoke(main, [str(word) for word in words])


def test_help_names_every_command_that_works(ask):
    answer = ask("--help")

    assert answer.exit_code == 0
    for name in [
        "catalogue",
        "check",
        "fetch",
        "lint",
        "load",
        "match",
        "report",
        "share",
        "simulate",
        "traces",
        "versions",
        "why",
    ]:
        assert f"\n  {name} " in answer.output


def test_traces_are_listed(ask):
    answer = ask("traces")

    assert answer.exit_code == 0
    lines = answer.output.strip().splitlines()
    assert lines[:2] == ["# Traces", "trace\twhat"]
    assert "quote\tQuoted the same post." in lines
    assert max(map(len, lines)) < 80


def test_all_is_said_about_one_trace(ask):
    answer = ask("traces", "created_on")

    assert "\nbeware\ta campaign to sign up" in answer.output
    assert "all are made at midnight.\n" in answer.output
    refused = ask("traces", "createdon")
    assert refused.exit_code != 0
    assert "Did you mean 'created_on'?" in refused.output + str(refused.exception)


def test_the_catalogue_is_written_beside_the_reports(ask, tmp_path):
    assert ask("catalogue").exit_code == 2
    (tmp_path / "reports").mkdir()
    answer = ask("catalogue")

    assert answer.output == f"{tmp_path / 'reports' / 'index.html'}\n"
    assert Path(answer.output.strip()).is_file()
    (tmp_path / "other").mkdir()
    assert ask("catalogue", tmp_path / "other").output == f"{tmp_path / 'other' / 'index.html'}\n"


def test_load_counts_rows_and_names_nobody(ask, tmp_path):
    (tmp_path / "shares.csv").write_text(SHARES)
    answer = ask("load", tmp_path / "shares.csv")

    assert answer.exit_code == 0
    assert "posts\t2\t2030-03-17\t2030-03-17" in answer.output
    assert "# Set aside" in answer.output
    assert "x1" not in answer.output


def test_an_error_a_user_can_mend_is_one_message(ask):
    answer = ask("load", "absent")

    assert answer.exit_code == 2
    assert answer.stderr.startswith("Error: no dataset 'absent'")
    assert "Traceback" not in answer.output
    assert isinstance(answer.exception, SystemExit)


def test_an_unexpected_error_is_not_hidden(ask, monkeypatch):
    def fail(*_args, **_kwargs):
        raise ZeroDivisionError

    monkeypatch.setattr("workbench.actions.list_traces", fail)
    assert isinstance(ask("traces").exception, ZeroDivisionError)


def test_report_hands_its_settings_on(ask, monkeypatch, tmp_path):
    seen = {}

    def run_case(case, *, console, **asked):
        seen.update(case=case, **asked)
        return run.Run(folder=Path("reports/tiny"), version=2, is_new=True, seconds=3.2)

    monkeypatch.setattr(run, "run_case", run_case)
    answer = ask("report", "tiny", "--set", "seed=8", "--set", "traces=url,repost", "--out", tmp_path,
                 "--correction", "A slip.", "--reply", "The desk: no.")  # fmt: skip

    assert seen == {
        "case": "tiny",
        "parameters": {"seed": "8", "traces": "url,repost"},
        "out": tmp_path,
        "correction": "A slip.",
        "replies": ("The desk: no.",),
    }
    assert answer.stdout == f"{Path('reports/tiny/report.html')}\n"
    assert "version 2" in answer.stderr


@pytest.mark.parametrize(("published", "exit_code", "said"), [(2, 0, "matches: 1 of 1"), (3, 1, "differs: 1 of 1")])
def test_check_fails_where_a_figure_differs(ask, tmp_path, published, exit_code, said):
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "shares.csv").write_text(SHARES)
    toml = f"""title = "Tiny (synthetic)"
platform = "twitter"
[files."shares.csv"]
sha256 = ""
[[published]]
name = "n_posts"
value = {published}
source = "invented"
"""
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / "dataset.toml").write_text(toml)
    answer = ask("check", tmp_path / "tiny", "--files", tmp_path / "files")

    assert (answer.exit_code, answer.output.splitlines()[-1]) == (exit_code, said), answer.output


@pytest.mark.parametrize("setting", ["seed", "=8"])
def test_a_setting_without_name_or_value_is_refused(ask, setting):
    answer = ask("report", "tiny", "--set", setting)

    assert answer.exit_code == 2
    assert "expected NAME=VALUE" in answer.stderr


def test_simulate_makes_a_release(ask, tmp_path):
    answer = ask("simulate", tmp_path / "made", "--accounts", 1000, "--posts", 5000, "--seed", 3)

    assert answer.exit_code == 0, answer.output
    assert (tmp_path / "made" / "dataset.toml").is_file()


def test_rich_tables_on_a_terminal(monkeypatch, capsys):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    cli._show("Title", [{"n_rows": 1234, "what": "a [b]"}])
    cli._show("Nothing", [])

    shown = capsys.readouterr().out
    assert "1,234" in shown
    assert "a [b]" in shown
    assert "none" in shown


def test_the_command_imports_no_room_before_it_needs_one():
    code = (
        "import sys, workbench.cli; print([m for m in ('polars', 'papermill', 'rich', 'altair') if m in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert shown.strip() == "[]"


@pytest.mark.parametrize("error", [ParameterError("say a"), SourceError("say b")])
def test_every_kind_of_workbench_error_is_shown(ask, monkeypatch, error):
    def fail(*_args, **_kwargs):
        raise error

    monkeypatch.setattr("workbench.actions.list_traces", fail)
    answer = ask("traces")

    assert (answer.exit_code, answer.stderr) == (2, f"Error: {error}\n")


def test_sharing_needs_a_report_first(ask, tmp_path):
    (tmp_path / "shares.csv").write_text(SHARES)
    answer = ask("share", tmp_path / "shares.csv")

    assert answer.exit_code == 2
    assert "Expected a findings record at findings.json" in answer.stderr
    assert "Run the case first" in answer.stderr


@pytest.mark.parametrize(("given", "told"), [((), "desk@harbour.example"), (("--contact", "me"), "me")])
def test_a_package_names_the_address_of_its_report(ask, tmp_path, monkeypatch, given, told):
    monkeypatch.setenv("WORKBENCH_KEY_FILE", str(tmp_path / "key"))
    (tmp_path / "shares.csv").write_text(SHARES)
    (tmp_path / "reports" / "shares").mkdir(parents=True)
    about = About(name="shares", title="Shares (synthetic)", platform="twitter")
    provenance = {"contact": "desk@harbour.example"}
    Findings(about, [], provenance=provenance).save(tmp_path / "reports" / "shares" / "findings.json")
    seen = {}

    def share_case(*_args, **asked):
        seen.update(asked)
        return WrittenPackage(tmp_path, tmp_path / "p.zip", "0" * 64)

    monkeypatch.setattr(handover, "share_case", share_case)
    assert ask("share", tmp_path / "shares.csv", *given).exit_code == 0
    assert seen["contact"] == told


def test_why_gives_the_reason_and_what_it_rests_on(ask, tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_KEY_FILE", str(tmp_path / "key"))
    (tmp_path / "shares.csv").write_text(SHARES)
    (tmp_path / "reports" / "shares").mkdir(parents=True)
    about = About(name="shares", title="Shares (synthetic)", platform="twitter")
    settings = {"traces": ["repost"], "time_window_s": 60, "n_shuffles": 2, "max_fdr": 0.05, "seed": 7}
    Findings(about, [], parameters=settings).save(tmp_path / "reports" / "shares" / "findings.json")
    answer = ask("why", tmp_path / "shares.csv", "x1")

    assert answer.exit_code == 0, answer.output
    assert "is in no cluster: no group was confirmed" in answer.output
    assert "It acted within 60 seconds of 1 other account, 0 of them in a cluster" in answer.output
    assert "# The posts" in answer.output
    assert "x1" not in answer.output
    assert ask("why", tmp_path / "shares.csv", "x9").exit_code == 2


def test_a_tip_is_matched_and_its_numbers_shown(ask, tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_KEY_FILE", str(tmp_path / "key"))
    (tmp_path / "shares.csv").write_text(SHARES)
    tip = tmp_path / "tip.csv"
    tip.write_text(
        "Tactic,Technique,Procedure,Indicator,Note\n"
        "TA0006 Evading detection,0.9 Acquiring links,0.9.1 Domains,elsewhere[.]example,invented\n"
    )
    answer = ask("match", tip, tmp_path / "shares.csv", "--out", tmp_path / "hits")

    assert answer.exit_code == 0, answer.output
    assert "# Accounts hit\nnone" in answer.stdout
    assert "not checkable\t1" in answer.stdout, "a share log of reposts holds no link to look for"
    assert list((tmp_path / "hits").iterdir())


def test_public_releases_are_listed_and_an_unknown_one_named(ask, tmp_path):
    registry = Path(__file__).parents[1] / "datasets" / "registry.toml"
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "registry.toml").write_bytes(registry.read_bytes())

    assert "io-six-countries\t" in ask("fetch").stdout
    answer = ask("fetch", "io-six-country")
    assert answer.exit_code == 2
    assert "Did you mean 'io-six-countries'" in answer.stderr


def test_a_sheet_with_a_placeholder_is_not_fit_to_publish(ask, tmp_path):
    sheet = tmp_path / "sheet.csv"
    sheet.write_text("Tactic,Technique,Procedure,Indicator,Note\na,b,c,Around $xx in spending,\n")
    answer = ask("lint", sheet)
    assert answer.exit_code == 1
    assert "placeholder\t" in answer.stdout
    sheet.write_text("Tactic,Technique,Procedure,Indicator,Note\na,b,c,Around $20 in spending,\n")
    assert ask("lint", sheet).exit_code == 0
