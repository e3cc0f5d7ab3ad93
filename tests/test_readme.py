"""The README cannot forget a public function, and names only files and commands that exist."""

import inspect
import os
import re
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

import workbench as wb
from workbench.cli import main
from workbench.sources import SOURCES

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
START, END = "<!-- contents:", "<!-- end of contents -->"


def first_sentence(thing) -> str:
    return inspect.cleandoc(inspect.getdoc(thing) or "").split("\n\n")[0].replace("\n", " ").split(". ")[0].rstrip(".")


def contents() -> str:
    """The contents page: the public names by stage, each with what comes out of what."""
    lines = []
    for stage, names in wb.CONTENTS.items():
        lines += [f"**{stage}**", ""]
        lines += [f"- `{name}` ({names[name]}): {describe(name)}" for name in names]
        lines.append("")
    return "\n".join(lines)


def describe(name: str) -> str:
    thing = getattr(wb, name)
    return "every table's columns, dtypes, units and meanings" if name == "TABLES" else first_sentence(thing)


def test_every_public_name_exists_and_says_what_it_is():
    for names in wb.CONTENTS.values():
        for name in names:
            assert describe(name), f"{name} has no docstring"


def test_the_contents_page_is_that_of_the_code():
    text = README.read_text(encoding="utf-8")
    head, _, rest = text.partition(START)
    marker, _, rest = rest.partition("\n")
    written, _, tail = rest.partition(END)
    if os.environ.get("WORKBENCH_WRITE_README"):
        README.write_text(f"{head}{START}{marker}\n\n{contents()}\n{END}{tail}", encoding="utf-8")
        pytest.skip("the contents page was written anew")
    assert written.strip() == contents().strip(), "run WORKBENCH_WRITE_README=1 pytest tests/test_readme.py"


def test_every_file_and_folder_it_names_is_there():
    text = README.read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:workbench|tests|datasets|notebooks|docs)/[\w./-]+)`", text))
    named |= set(re.findall(r"\]\((?!https?:)([\w./-]+)\)", text)) | set(
        re.findall(r"pytest ((?:tests/[\w./]+ ?)+)", text)
    )
    missing = [path for group in named for path in group.split() if not (ROOT / path).exists()]
    assert not missing


def test_every_command_it_names_is_there():
    text = README.read_text(encoding="utf-8")
    commands = set(re.findall(r"workbench (\w+)", text)) & {
        "report",
        "check",
        "simulate",
        "traces",
        "load",
        "lint",
        "share",
        "match",
        "fetch",
        "versions",
        "catalogue",
    }
    for command in commands:
        result = CliRunner().invoke(main, [command, "--help"])
        assert result.exit_code == 0, f"workbench {command} is not there"
    targets = set(re.findall(r"make (\w+)", text))
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert {t for t in targets if not re.search(rf"^{t}:", makefile, re.M)} == set()


def test_the_notebooks_it_lists_are_those_there_are():
    listed = set(re.findall(r"`(0\d_\w+)`", README.read_text(encoding="utf-8")))
    assert listed == {file.stem for file in (ROOT / "notebooks").glob("*.ipynb")}


def test_every_source_format_and_shipped_dataset_is_listed():
    text = (ROOT / "datasets" / "README.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE))
    shipped = {file.parent.name for file in (ROOT / "datasets").glob("*/README.md")}
    assert set(SOURCES) | shipped <= listed


def test_the_citation_names_the_version_and_licence_of_the_package():
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for name in ("version", "license"):
        assert f"\n{name}: {project[name]}\n" in citation
