"""Make docs/demo/report.html anew from the bundled synthetic demo: `make demo` after anything the page shows changed.

The data is invented, so its pseudonyms need no secret: a key of zeros gives every machine the same bytes.
"""

import dataclasses
import os
import re
import shutil
import tempfile
from pathlib import Path

import click
from rich.console import Console

from workbench.findings import Findings
from workbench.report import render_report
from workbench.run import run_case

DEMO = Path(__file__).with_name("demo")


def make_demo(folder: Path) -> Path:
    """Run the notebooks on the demo, and write the report and those tables its page has no room for."""
    with tempfile.TemporaryDirectory() as made:
        key = Path(made) / "key"
        key.write_text("0" * 64 + "\n", encoding="ascii")
        key.chmod(0o600)
        os.environ["WORKBENCH_KEY_FILE"] = str(key)
        run = run_case("demo", out=Path(made) / "reports", console=Console(stderr=True))
        return publish_demo(Findings.load(run.folder / "findings.json"), folder)


def publish_demo(findings: Findings, folder: Path) -> Path:
    """Write the report without links to notebooks, which are not kept here, and drop what its page does not link to."""
    provenance = {name: value for name, value in findings.provenance.items() if name != "notebooks"}
    shutil.rmtree(folder, ignore_errors=True)
    page = render_report(dataclasses.replace(findings, provenance=provenance), folder)
    linked = set(re.findall(r'href="(tables/[^"]+|findings\.json)"', page.read_text(encoding="utf-8")))
    for file in [file for file in folder.rglob("*") if file.is_file() and file != page]:
        if file.relative_to(folder).as_posix() not in linked:
            file.unlink()
    if not any((folder / "tables").iterdir()):
        (folder / "tables").rmdir()
    return page


if __name__ == "__main__":
    page = make_demo(DEMO)
    click.echo(f"{page} ({page.stat().st_size:,} bytes)")
