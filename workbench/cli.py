"""The `workbench` command: each subcommand asks one public function and shows its answer. Rooms are imported late."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console


class _Commands(click.Group):
    """Errors a user can mend become one message and exit status 2; others stay what they are."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            from workbench.schema import WorkbenchError

            if not isinstance(error, WorkbenchError):
                raise
            click.echo(f"{click.style('Error:', fg='red', bold=True)} {error}", err=True)
            ctx.exit(2)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="takedown-workbench", prog_name="workbench")
def main() -> None:
    """Find, weigh and publish coordinated influence operations.

    Coordination is not inauthenticity: a newsroom and a fan club coordinate too.
    """


@main.command(short_help="Run the notebooks on a dataset and write its report.")
@click.argument("case")
@click.option(
    "--set", "settings", multiple=True, metavar="NAME=VALUE", help="A parameter of the notebooks; repeatable."
)
@click.option("--out", type=click.Path(path_type=Path), help="Folder of all reports [default: reports/].")
@click.option(
    "--files",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder with the dataset's files, where they do not lie beside its dataset.toml.",
)
@click.option("--correction", default="", metavar="WHY", help="Why the report is made anew; printed in it.")
@click.option(
    "--reply",
    "replies",
    multiple=True,
    metavar="TEXT",
    help="An answer to print, with who gave it and when; repeatable.",
)
def report(
    case: str,
    settings: tuple[str, ...],
    out: Path | None,
    files: Path | None,
    correction: str,
    replies: tuple[str, ...],
) -> None:
    """Run the notebooks on CASE and write its report.

    CASE is the name of a folder in datasets/, or the path of any dataset folder or file. The report appears only when
    all is done; the one that was there is kept as an earlier version and says by what it was superseded.
    """
    from workbench.run import run_case

    if files is not None:  # the notebooks run in processes of their own and know only the dataset's name
        os.environ["WORKBENCH_FILES"] = str(files.resolve())
    console = _console()
    console.print(f"[bold]{case}[/]: notebooks")
    run = run_case(
        case,
        parameters=dict(_split(one) for one in settings),
        out=out,
        correction=correction,
        replies=replies,
        console=console,
    )
    said = f"version {run.version}" if run.is_new else f"unchanged, still version {run.version}"
    console.print(f"Report ({said}, {run.seconds:.0f} s):", highlight=False)
    click.echo(run.folder / "report.html")


@main.command(short_help="Hold a dataset against its announced and published figures.")
@click.argument("dataset")
@click.option(
    "--files",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder with the dataset's files, where they do not lie beside its dataset.toml.",
)
def check(dataset: str, files: Path | None) -> None:
    """Load DATASET and hold it against what was announced and published of it.

    Exit status 1 where a published figure differs from the files.
    """
    from workbench.case import find_dataset
    from workbench.published import check_published, reconcile
    from workbench.sources import load_release

    release = load_release(find_dataset(dataset), files=files)
    checks = check_published(release)
    _show("Announced, listed, active", reconcile(release).to_dicts())
    _show("Published figures", checks.to_dicts())
    n = {verdict: checks.filter(verdict=verdict).height for verdict in checks["verdict"].unique().sort()}
    said = "; ".join(f"{verdict}: {count} of {checks.height}" for verdict, count in n.items())
    click.echo(said or "Nothing is published of this dataset that could be checked.")
    if n.get("differs"):
        sys.exit(1)


@main.command(short_help="Write a synthetic release with planted truth.")
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--accounts", default=5_000, show_default=True, help="Accounts listed, at least 1,000.")
@click.option("--posts", default=100_000, show_default=True, help="Posts, up to 10 million.")
@click.option("--seed", default=7, show_default=True)
def simulate(out: Path, accounts: int, posts: int, seed: int) -> None:
    """Write a synthetic release with planted truth to the folder OUT."""
    from workbench.simulate import simulate_release

    click.echo(simulate_release(out, n_accounts=accounts, n_posts=posts, seed=seed))


@main.command(short_help="List the traces accounts can coordinate by.")
@click.argument("name", required=False)
def traces(name: str | None) -> None:
    """List the traces: what an account can act on together with others.

    With the NAME of one, say all about it: its settings, its source, and what would be innocent.
    """
    from workbench.actions import find_trace, list_traces

    listed = list_traces()
    if name is None:
        _show("Traces", listed.select("trace", "what").to_dicts())
        return
    found = listed.filter(trace=find_trace(name).__name__).row(0, named=True)
    _show(name, [{"of": what, "is": found[what]} for what in ("what", "settings", "beware", "source")])


@main.command(short_help="Show what would be loaded, and what set aside.")
@click.argument("path")
@click.option("--source", help="Name of the only format to look for.")
def load(path: str, source: str | None) -> None:
    """Show what would be loaded from PATH: rows, decisions, and what was set aside and why.

    PATH is a dataset's name in datasets/, or the path of a folder or file. No account is named.
    """
    import polars as pl

    from workbench.case import find_dataset
    from workbench.sources import load_release

    release = load_release(find_dataset(path), source=source)
    days = release.posts["posted_at"].dt.date()
    _show(
        release.about.title,
        [
            {"table": "accounts", "n_rows": release.accounts.height, "from": "", "to": ""},
            {"table": "posts", "n_rows": release.posts.height, "from": days.min() or "", "to": days.max() or ""},
            {"table": "quarantine", "n_rows": release.quarantine.height, "from": "", "to": ""},
        ],
    )
    _show("Decisions", release.decisions.to_dicts())
    aside = release.quarantine.group_by("file", "reason").agg(n_records=pl.len(), first_line=pl.col("line").min())
    _show("Set aside", aside.sort("n_records", "file", "reason", descending=[True, False, False]).to_dicts())


@main.command(short_help="Say what a report or sheet must not be published with.")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def lint(file: Path) -> None:
    """List what is to be mended in FILE, a report.html or an indicator sheet (.csv, .tsv, .md).

    Exit status 1 where anything was found.
    """
    from workbench.lint import lint_report

    faults = lint_report(file)
    _show("To be mended", [vars(fault) for fault in faults])
    if faults:
        sys.exit(1)


@main.command(short_help="List a report's versions and check their files.")
@click.argument("case")
@click.option("--out", type=click.Path(path_type=Path), help="Folder of all reports [default: reports/].")
def versions(case: str, out: Path | None) -> None:
    """List the versions of the report of CASE, why each was made, and whether its files are as they were written.

    Exit status 1 where a file is not.
    """
    from workbench.case import home
    from workbench.versions import list_versions

    rows = list_versions(out or home() / "reports", Path(case).name)
    _show("Versions", rows)
    if any(row["files"].startswith("changed") for row in rows):
        sys.exit(1)


@main.command(short_help="Write one page that lists all reports.")
@click.argument("folder", required=False, type=click.Path(path_type=Path, file_okay=False))
@click.option("--address", default="", help="Where the folder will stand, for the feed: https://example.org/reports/.")
def catalogue(folder: Path | None, address: str) -> None:
    """Write the page that lists all reports of FOLDER (default: reports/), with an Atom feed and JSON beside it.

    The folder can be opened from a disk or put on any static host as it is.
    """
    from workbench.case import home
    from workbench.catalogue import write_catalogue

    click.echo(write_catalogue(folder or home() / "reports", address=address))


@main.command(short_help="Write the findings of a case as a package for others.")
@click.argument("case")
@click.option("--level", default="public", show_default=True, help="public, trusted or hashed.")
@click.option("--salt", help="The word agreed with the receiver, for the level hashed.")
@click.option("--contact", help="Where the receiver answers [default: the address of the report].")
@click.option("--producer", default="not stated", help="Who hands it on.")
@click.option("--second", default="", help="Where the report's second platform lies, if it has moved.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder of the package [default: reports/<case>.package].")
def share(
    case: str, level: str, salt: str | None, contact: str | None, producer: str, second: str, out: Path | None
) -> None:
    """Write the findings of CASE as a package: a folder and a .zip with CSV, Meta's sheet, STIX 2.1 and MISP.

    CASE must have a report. The level public names nobody but those its report may name; trusted holds native ids for
    a partner; hashed holds keyed hashes that match without revealing.
    """
    from workbench.case import home, open_case
    from workbench.findings import Findings
    from workbench.handover import share_case
    from workbench.privacy import read_key

    opened = open_case(case)
    findings = Findings.load(home() / "reports" / opened.name / "findings.json")
    contact = contact or str(findings.provenance.get("contact", "not stated"))
    folder = out or home() / "reports" / f"{opened.name}.package"
    written = share_case(
        opened,
        findings,
        folder,
        key=read_key(),
        level=level,
        salt=salt,
        contact=contact,
        producer=producer,
        second=second,
    )
    click.echo(written.archive)
    click.echo(f"sha256 {written.sha256}: read it out to the receiver over another channel.")


@main.command(short_help="Say why an account is, or is not, in a cluster.")
@click.argument("case")
@click.argument("account")
@click.option("--second", default="", help="Where the report's second platform lies, if it has moved.")
def why(case: str, account: str, second: str) -> None:
    """Say why ACCOUNT is, or is not, in a cluster of CASE, with the tests and the posts behind it.

    CASE must have a report. ACCOUNT is the name its report shows, or the account's id or handle in your files; the
    answer shows it as the report does.
    """
    from workbench.case import home, open_case
    from workbench.findings import Findings
    from workbench.handover import explain_case
    from workbench.privacy import read_key

    opened = open_case(case)
    findings = Findings.load(home() / "reports" / opened.name / "findings.json")
    sentences, explanation = explain_case(opened, findings, account=account, key=read_key(), second=second)
    click.echo("\n".join(sentences) + "\n")
    _show("Traces", explanation.traces.to_dicts())
    _show("The test, cluster by cluster", explanation.tests.to_dicts())
    _show("Whom it acted with", explanation.partners.to_dicts())
    _show("The posts", explanation.posts.to_dicts())


@main.command(short_help="Take an account out of a case at somebody's request.")
@click.argument("case")
@click.argument("account_id")
@click.option("--out", type=click.Path(path_type=Path), help="Folder of all reports [default: reports/].")
def remove(case: str, account_id: str, out: Path | None) -> None:
    """Take ACCOUNT_ID out of CASE: it is no longer read, the versions that held it are withdrawn, a new one is made.

    The new version says that something was removed, not what. The dataset's own files stay as they are.
    """
    from workbench.removal import remove_account

    console = _console()
    done = remove_account(case, account_id, out=out, console=console)
    console.print(f"Removed. {len(done.withdrawn)} versions of the report were withdrawn.", highlight=False)
    if done.files_that_hold_it:
        files = ", ".join(done.files_that_hold_it)
        console.print(f"  ! Your own files still hold it: {files}. Delete its rows there too.", highlight=False)
    if done.run:
        click.echo(done.run.folder / "report.html")


@main.command(short_help="Match a tip against your own data.")
@click.argument("tip", type=click.Path(path_type=Path, exists=True))
@click.argument("case")
@click.option("--salt", help="The agreed word, where the tip holds keyed hashes.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder for the hit report.")
def match(tip: Path, case: str, salt: str | None, out: Path | None) -> None:
    """Match TIP (our package, Meta's sheet, a STIX 2.1 bundle or a MISP event) against the data of CASE."""
    from workbench.case import open_case
    from workbench.handover import match_case
    from workbench.privacy import read_key

    found = match_case(tip, open_case(case), key=read_key(), out=out, salt=salt)
    _show("Accounts hit", found.accounts.to_dicts())
    _show("Indicators", found.indicators.group_by("status").len("n_indicators").sort("status").to_dicts())
    _show("Indicators to look at again", found.disputes.to_dicts())
    if out is not None:
        click.echo(out)


@main.command(short_help="Fetch a public research release by name.")
@click.argument("name", required=False)
def fetch(name: str | None) -> None:
    """Fetch the public release NAME into datasets/; without a name, list those there are.

    This is the only command that uses the network. A transfer that broke off goes on where it stopped.
    """
    from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn

    from workbench.case import home
    from workbench.fetch import fetch_release, read_registry

    registry = home() / "datasets" / "registry.toml"
    if name is None:
        rows = [
            {"name": key, "title": one.title, "licence": one.licence} for key, one in read_registry(registry).items()
        ]
        _show("Public releases", rows)
        return
    with Progress(
        TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), console=_console()
    ) as bars:
        tasks: dict[str, TaskID] = {}

        def show(file: str, n_bytes: int, n_bytes_in_all: int) -> None:
            if file not in tasks:
                tasks[file] = bars.add_task(file, total=n_bytes_in_all or None)
            bars.update(tasks[file], completed=n_bytes)

        folder = fetch_release(name, home() / "datasets", registry=registry, progress=show)
    click.echo(folder)


def _split(setting: str) -> tuple[str, str]:
    name, sign, value = setting.partition("=")
    if not sign or not name.strip():
        raise click.BadParameter(f"expected NAME=VALUE, got '{setting}'", param_hint="--set")
    return name.strip(), value.strip()


def _console() -> Console:
    from rich.console import Console

    return Console(stderr=True)


def _show(title: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """A table for eyes on a terminal; lines with tabs where another program reads them."""
    rows = [{name: _write(value) for name, value in row.items()} for row in rows]
    if not sys.stdout.isatty():
        click.echo(f"# {title}")
        lines = [list(rows[0]), *[row.values() for row in rows]] if rows else [["none"]]
        click.echo("\n".join("\t".join(line) for line in lines) + "\n")
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    for name in rows[0] if rows else ["none"]:
        table.add_column(name, justify="right" if rows and name.startswith("n_") else "left", overflow="fold")
    for row in rows:
        table.add_row(*[Text(value) for value in row.values()])
    Console().print(table)


def _write(value: Any) -> str:
    if value is None:
        return ""
    text = f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
    return "".join(sign if sign.isprintable() else " " for sign in text)
