"""One notebook: its parameters read and checked, its cells executed, its result cleaned of this machine's traces."""

from __future__ import annotations

import ast
import contextlib
import difflib
import logging
import os
import re
import sys
import tempfile
import time
import warnings
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

import nbformat
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from workbench.schema import ParameterError, SourceError, WorkbenchError

_MAX_TEXT = 1_000


class NotebookError(WorkbenchError):
    """A cell of a notebook failed."""

    def __init__(self, message: str, *, notebook: str) -> None:
        super().__init__(message)
        self.notebook = notebook


def list_notebooks(folder: Path) -> list[Path]:
    """Return the numbered notebooks of a folder, in order.

    Raises:
        SourceError: there are none.
    """
    files = sorted(folder.glob("[0-9][0-9]_*.ipynb"))
    if not files:
        raise SourceError(f"{folder} holds no notebooks named 01_... to 99_.... Run from the workbench's own folder.")
    return files


def read_parameters(file: Path) -> dict[str, tuple[Any, frozenset[str]]]:
    """Return each parameter of a notebook with its default and the names of types its annotation allows besides.

    Read from the parameters cell itself: papermill's own inspection cuts a default at `#`, does not see annotations
    like `int | None`, and only warns of what it cannot read.

    Raises:
        ParameterError: the notebook has no parameters cell, or a line of it is no `name = literal`.
    """
    notebook = nbformat.read(file, as_version=4)
    cells = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    if len(cells) != 1:
        raise ParameterError(f"{file.name} has {len(cells)} cells tagged 'parameters'; expected one. Tag one cell.")
    found: dict[str, tuple[Any, frozenset[str]]] = {}
    try:
        lines = ast.parse(cells[0].source).body
    except SyntaxError as error:
        raise ParameterError(f"{file.name}: the parameters cell is no Python: {error.msg}. Mend it.") from error
    for line in lines:
        target = line.targets[0] if isinstance(line, ast.Assign) else getattr(line, "target", None)
        value = line.value if isinstance(line, ast.Assign | ast.AnnAssign) else None
        try:
            if not isinstance(target, ast.Name) or value is None:
                raise ValueError
            default = ast.literal_eval(value)
        except ValueError as error:
            raise ParameterError(
                f"{file.name}: line {line.lineno} of the parameters cell is '{ast.unparse(line)}'; expected "
                "name = literal, because a computed value would not follow a changed parameter."
            ) from error
        annotation = ast.unparse(line.annotation) if isinstance(line, ast.AnnAssign) else ""
        found[target.id] = (default, frozenset(re.findall(r"\w+", annotation)))
    return found


def choose_parameters(files: list[Path], *, given: Mapping[str, Any], reserved: tuple[str, ...]) -> dict[str, Any]:
    """Return the value of every parameter: the given one, read as the default's type, or the default.

    Raises:
        ParameterError: a given name is no parameter of any notebook (the message names the closest) or set by the
            runner, or a value is of another type.
    """
    declared = {name: known for file in files for name, known in read_parameters(file).items()}
    free = {name: known for name, known in declared.items() if name not in reserved}
    for name in given:
        if name in reserved:
            raise ParameterError(f"'{name}' is set by the runner itself. Leave it out.")
        if name not in free:
            near = difflib.get_close_matches(name, free, n=1)
            hint = f"Did you mean '{near[0]}'?" if near else f"There are: {', '.join(sorted(free))}."
            raise ParameterError(f"No notebook has a parameter '{name}'. {hint}")
    return {
        name: _fit(name, given[name], default, allowed) if name in given else default
        for name, (default, allowed) in sorted(free.items())
    }


def _fit(name: str, value: Any, default: Any, allowed: frozenset[str]) -> Any:
    kinds = {type(default).__name__} | allowed
    read = value
    if isinstance(value, str) and kinds != {"str"}:
        try:
            read = ast.literal_eval({"true": "True", "false": "False", "none": "None"}.get(value.lower(), value))
        except (ValueError, SyntaxError):
            # repost,url is how people write a list; a text stays a text
            read = [part.strip() for part in value.split(",")] if "list" in kinds else value
    if isinstance(read, str) and "list" in kinds and "str" not in kinds:
        read = [read]
    if isinstance(read, tuple) and "list" in kinds:
        read = list(read)
    if type(read) is int and "float" in kinds and "int" not in kinds:
        read = float(read)
    kind = "None" if read is None else type(read).__name__
    if kind not in kinds and not (read is None and default is None):
        expected = " or ".join(sorted(kinds - {"NoneType"}))
        raise ParameterError(f"{name} must be {expected} like {default!r}, got {value!r}.")
    for text in read if isinstance(read, list) else [read]:
        if isinstance(text, str) and (len(text) > _MAX_TEXT or not text.isprintable()):
            raise ParameterError(f"{name} holds a text that is over {_MAX_TEXT} characters or has control characters.")
    return read


def execute_notebook(
    file: Path, out: Path, *, parameters: dict[str, Any], cwd: Path, hidden: Mapping[str, str], console: Console
) -> None:
    """Execute a notebook's cells in order and write it, cleaned, to `out`; one line of progress on the console.

    Args:
        file: the notebook.
        out: where the executed one is written, also where a cell fails.
        parameters: values for its parameters cell, checked already.
        cwd: folder its cells run in.
        hidden: text -> text to write instead, for paths of this machine.
        console: where progress is shown.

    Raises:
        NotebookError: a cell failed, or the kernel died.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of papermill's own imports, not of anything that runs below
        import papermill
        from nbclient.exceptions import DeadKernelError
    logging.getLogger("papermill").setLevel(logging.ERROR)
    title = file.stem.replace("_", " ", 1).replace("_", " ")
    began = time.monotonic()
    position = {"cell": 0}
    with _progress(console) as progress, _clean_environment(cwd):
        n_cells = len(nbformat.read(file, as_version=4).cells) + bool(parameters)
        task = progress.add_task(title, total=n_cells, step="")

        def show_step(cell: Any, cell_index: int) -> None:
            position["cell"] = cell_index
            progress.update(task, completed=cell_index)
            heading = re.search(r"^#+ (.+)", cell.source, re.MULTILINE) if cell.cell_type == "markdown" else None
            if heading:
                progress.update(task, step=heading[1])

        try:
            papermill.execute_notebook(
                _as_format(file),
                _as_format(out),
                parameters=parameters,
                cwd=str(cwd),
                kernel_name="python3",
                language="python",
                progress_bar=False,
                autosave_cell_every=0,
                on_cell_start=show_step,
                extra_arguments=["--log-level=50"],  # at 40 a kernel shut down while idle prints a KeyboardInterrupt
            )
        except papermill.PapermillExecutionError as error:
            raise NotebookError(
                f"{file.name} failed in cell [{error.exec_count}] ({_first_code_line(error.source)}): {error.ename}: "
                f"{error.evalue.splitlines()[0] if error.evalue else 'no message'}",
                notebook=out.name,
            ) from error
        except DeadKernelError as error:
            raise NotebookError(
                f"{file.name} ended in cell {position['cell'] + 1}: its Python process died, most likely for lack of "
                "memory. Use a machine with more, or fewer posts.",
                notebook=out.name,
            ) from error
        except OSError:
            out.unlink(missing_ok=True)  # cut off while it was written: neither to be read nor kept
            raise
        finally:
            if out.exists():
                _clean(out, hidden=hidden)
    console.print(f"  [green]✓[/] {title:<24} {n_cells:>3} cells  {time.monotonic() - began:6.1f} s", highlight=False)


def _progress(console: Console) -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description:<24}"),
        BarColumn(bar_width=20),
        TextColumn("[dim]{task.fields[step]}", markup=True),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def _as_format(file: Path) -> str:
    """Papermill puts parameters into paths, so a brace in a folder's name must be doubled."""
    return str(file).replace("{", "{{").replace("}", "}}")


def _first_code_line(source: str) -> str:
    lines = [line.strip() for line in source.splitlines() if line.strip() and not line.strip().startswith("#")]
    return lines[0][:60] if lines else "empty"


@contextlib.contextmanager
def _clean_environment(home: Path) -> Generator[None]:
    """Run kernels of this environment, not of the user's settings: no startup files, no other kernel by that name."""
    with tempfile.TemporaryDirectory() as settings:
        wanted = {
            "WORKBENCH_HOME": str(home),
            "IPYTHONDIR": settings,
            "JUPYTER_PREFER_ENV_PATH": "1",
            "JUPYTER_PATH": str(Path(sys.prefix) / "share" / "jupyter"),
            "PYTHONHASHSEED": "0",
        }
        before = {name: os.environ.get(name) for name in wanted}
        os.environ.update(wanted)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value


def _clean(file: Path, *, hidden: Mapping[str, str]) -> None:
    """Take out times, paths and chance ids, so that the same run gives the same notebook on any machine."""
    notebook = nbformat.read(file, as_version=4)
    notebook.metadata.pop("papermill", None)
    language = notebook.metadata.get("language_info", {})
    language.pop("version", None)
    for number, cell in enumerate(notebook.cells, start=1):
        tags = cell.metadata.get("tags", [])
        cell.metadata = nbformat.from_dict({"tags": tags} if tags else {})
        cell["id"] = f"cell-{number:02d}"
        _clean_text(cell, hidden)
    nbformat.write(notebook, file)


def _clean_text(value: Any, hidden: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        for text, instead in hidden.items():
            value = value.replace(text, instead)
        return value
    if isinstance(value, dict):
        for key, item in value.items():
            value[key] = _clean_text(item, hidden)
    elif isinstance(value, list):
        value[:] = [_clean_text(item, hidden) for item in value]
    return value
