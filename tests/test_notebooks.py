"""The notebooks keep the rules that let them run alone, in order, and read as an argument."""

import ast
import re
from functools import cache
from pathlib import Path

import nbformat
import pytest

import workbench
from workbench.notebooks import read_parameters

FOLDER = Path(__file__).parents[1] / "notebooks"
FILES = sorted(FOLDER.glob("*.ipynb"))
NAMES = {
    "01_explore_release", "02_find_coordination", "03_cluster_accounts", "04_read_narratives", "05_match_and_share",
    "06_screen_state_media", "07_write_report",
}  # fmt: skip
MAX_LINES = 15
each_notebook = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)


@cache
def read(file: Path):
    return nbformat.read(file, as_version=4)


def code_cells(file: Path):
    return [cell for cell in read(file).cells if cell.cell_type == "code"]


def syntax(file: Path):
    return [node for cell in code_cells(file) for node in ast.walk(ast.parse(cell.source))]


def test_names_are_the_agreed_ones():
    assert FILES, f"{FOLDER} holds no notebooks"
    assert {file.stem for file in FILES} <= NAMES


@each_notebook
def test_a_notebook_is_valid_and_stored_without_outputs(file):
    notebook = read(file)
    nbformat.validate(notebook)

    assert not [cell for cell in code_cells(file) if cell.outputs or cell.execution_count]
    assert set(notebook.metadata) <= {"kernelspec", "language_info"}


@each_notebook
def test_a_notebook_opens_with_its_question_and_method(file):
    first = read(file).cells[0]

    assert first.cell_type == "markdown"
    assert first.source.startswith("# ")
    assert "**Question" in first.source
    assert "**Method" in first.source


@each_notebook
def test_a_notebook_says_what_it_does_not_show(file):
    headings = [cell.source.lower() for cell in read(file).cells if cell.cell_type == "markdown"]

    assert any("does not show" in text or "not show" in text for text in headings)


@each_notebook
def test_imports_come_before_the_one_parameters_cell_of_literals(file):
    cells = code_cells(file)
    at = [number for number, cell in enumerate(cells) if "parameters" in cell.metadata.get("tags", [])]

    assert at == [1], "the first code cell imports, the second is tagged parameters"
    assert read_parameters(file)
    later = [node for cell in cells[1:] for node in ast.walk(ast.parse(cell.source))]
    assert not [node for node in later if isinstance(node, ast.Import | ast.ImportFrom)]


@each_notebook
def test_the_runner_can_tell_a_notebook_where_everything_is(file):
    assert {"dataset", "reports_folder", "cache_folder"} <= read_parameters(file).keys()


@each_notebook
def test_cells_are_short_steps_without_machinery(file):
    for cell in code_cells(file):
        lines = cell.source.splitlines()
        assert len(lines) <= MAX_LINES, f"{len(lines)} lines: {lines[0]}"
        assert not [line for line in lines if re.match(r"\s*[!%]", line)], f"no ! or % in a cell: {lines[0]}"
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Try, ast.TryStar, ast.Lambda, ast.With)
    found = [ast.unparse(node).splitlines()[0] for node in syntax(file) if isinstance(node, kinds)]
    assert not found, f"belongs into a room of the package: {found}"


@each_notebook
def test_no_path_is_written_into_a_cell(file):
    texts = [node.value for node in syntax(file) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    paths = [text for text in texts if re.search(r"^[./~]*/|\\\\|\w/\w+\.\w{2,4}$|^\.\.?/|[A-Z]:\\", text)]

    assert not paths


@each_notebook
def test_only_public_names_are_used(file):
    imports = [node for node in syntax(file) if isinstance(node, ast.Import | ast.ImportFrom)]
    modules = {name.name for node in imports if isinstance(node, ast.Import) for name in node.names}
    used = {
        node.attr
        for node in syntax(file)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "wb"
    }

    assert not [
        node for node in imports if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("workbench")
    ]
    assert not {name for name in modules if name.startswith("workbench.")}
    assert used <= set(dir(workbench)), f"not on the contents page: {sorted(used - set(dir(workbench)))}"


def test_a_parameter_has_one_default_in_all_notebooks():
    defaults: dict[str, set[str]] = {}
    for file in FILES:
        for name, (default, _) in read_parameters(file).items():
            defaults.setdefault(name, set()).add(repr(default))

    assert not {name: values for name, values in defaults.items() if len(values) > 1}
