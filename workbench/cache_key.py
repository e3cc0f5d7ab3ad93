"""The name of a result: one hash over the function, its source, the packages and the content of its arguments."""

from __future__ import annotations

import ast
import dataclasses
import functools
import hashlib
import importlib.metadata
import importlib.util
import inspect
import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from workbench.schema import ParameterError

_STARTED_AT = time.time()
_PATH_ARGUMENTS = frozenset(("path", "folder", "file", "files", "dataset"))


def name_result(function: Callable[..., Any], *args: Any, **kwargs: Any) -> str:
    """Return 64 hexadecimal digits that stand for the result of this call.

    Raises:
        ParameterError: an argument has no content that can be compared.
    """
    bound = inspect.signature(function).bind(*args, **kwargs)
    bound.apply_defaults()
    arguments = {
        name: _describe_paths(value) if name in _PATH_ARGUMENTS else _describe(value, name)
        for name, value in bound.arguments.items()
    }
    # A dataset's files may lie elsewhere; this variable tells the sources where.
    elsewhere = os.environ.get("WORKBENCH_FILES") if _PATH_ARGUMENTS & arguments.keys() else None
    arguments["files elsewhere"] = _describe_paths(elsewhere.split(os.pathsep) if elsewhere else None)
    sources = [hash_file(file) for file in _source_files(function)] or [inspect.getsource(function)]
    parts = [function.__module__, getattr(function, "__qualname__", ""), sources, _package_versions(), arguments]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def is_stale(function: Callable[..., Any]) -> bool:
    """Return whether a source file changed since this process began, so that what runs is not what the file says."""
    return any(file.stat().st_mtime > _STARTED_AT for file in _source_files(function))


def hash_file(file: Path) -> str:
    """Return the sha256 of a file's bytes."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _describe(value: Any, name: str) -> Any:
    """A JSON value that is equal exactly where the content is."""
    if value is None or isinstance(value, bool | int | float | str):
        return [type(value).__name__, repr(value)]
    if isinstance(value, bytes):
        return ["bytes", hashlib.sha256(value).hexdigest()]
    if isinstance(value, pl.DataFrame):
        return _describe_frame(value, name)
    if isinstance(value, pl.Series):
        return ["series", _describe_frame(value.to_frame(), name)]
    if isinstance(value, np.ndarray) and value.dtype != object:
        digest = hashlib.sha256(value.tobytes()).hexdigest()
        return ["array", str(value.dtype), value.shape, digest]
    if isinstance(value, np.generic):
        return ["number", str(value.dtype), repr(value.item())]
    if isinstance(value, Path):
        return _describe_path(value)
    if isinstance(value, date):
        return ["date", value.isoformat()]
    if isinstance(value, list | tuple):
        return [type(value).__name__, [_describe(item, name) for item in value]]
    if isinstance(value, set | frozenset):
        return ["set", sorted(json.dumps(_describe(item, name)) for item in value)]
    if isinstance(value, dict):
        return ["dict", [[_describe(key, name), _describe(item, name)] for key, item in value.items()]]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: _describe(getattr(value, field.name), name) for field in dataclasses.fields(value)}
        return [type(value).__qualname__, fields]
    if type(value).__module__.startswith("igraph"):
        tables = [[part.attributes(), [part[key] for key in part.attributes()]] for part in (value.vs, value.es)]
        content = repr([value.vcount(), value.is_directed(), value.get_edgelist(), tables])
        return ["graph", hashlib.sha256(content.encode()).hexdigest()]
    raise ParameterError(
        f"Argument {name} is a {type(value).__module__}.{type(value).__name__}, whose content cannot be compared. "
        "Pass frames, arrays, plain values or dataclasses of these."
    )


def _describe_frame(frame: pl.DataFrame, name: str) -> Any:
    """Hash rows, not buffers: the same rows give the same hash however they lie in memory."""
    if pl.Object in frame.dtypes:
        raise ParameterError(f"Argument {name} has a column of Python objects, whose content cannot be compared.")
    # A categorical's hash is that of its code, which depends on what the process saw before.
    plain = frame.with_columns(pl.col(pl.Categorical, pl.Enum).cast(pl.String))
    rows = plain.hash_rows(seed=7).to_numpy() if frame.width else np.zeros(0)
    dtypes = {column: re.sub(r"Categorical\(.*\)", "Categorical", str(dtype)) for column, dtype in frame.schema.items()}
    return ["frame", dtypes, frame.height, hashlib.sha256(rows.tobytes()).hexdigest()]


def _describe_paths(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_describe_paths(one) for one in value]
    return _describe_path(Path(value)) if isinstance(value, str) else _describe(value, "path")


def _describe_path(path: Path) -> Any:
    """The names and bytes of the files there, not where they lie: a folder that moved is the same folder."""
    if path.is_file():
        return ["file", path.name, hash_file(path)]
    files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else []
    return [
        "folder",
        path.name,
        path.is_dir(),
        [[file.relative_to(path).as_posix(), hash_file(file)] for file in files],
    ]


@functools.cache
def _package_versions() -> dict[str, str]:
    """Versions of Python, the workbench and all it requires: any of them may change a result."""
    versions = {"python": ".".join(map(str, sys.version_info[:2]))}
    for name in ["takedown-workbench", *(importlib.metadata.requires("takedown-workbench") or [])]:
        bare = re.split(r"[^\w.\-]", name, maxsplit=1)[0]
        if "extra ==" not in name:
            versions[bare] = importlib.metadata.version(bare)
    return versions


@functools.cache
def _source_files(function: Callable[..., Any]) -> tuple[Path, ...]:
    """Files of the workbench whose text decides what the function does; none for functions from elsewhere."""
    found: dict[str, Path] = {}
    waiting = [function.__module__]
    while waiting:
        module = waiting.pop()
        file = _module_file(module)
        if file is None or module in found:
            continue
        found[module] = file
        package = module if file.name == "__init__.py" else module.rpartition(".")[0]
        waiting.extend(_imported_modules(file, package=package))
        if package != "workbench":  # a folder of rooms picks among its files while it runs
            waiting.extend(f"{package}.{sibling.stem}" for sibling in file.parent.glob("*.py"))
    return tuple(found[module] for module in sorted(found))


def _module_file(module: str) -> Path | None:
    root, _, inner = module.partition(".")
    if root != "workbench" or not inner:
        return None
    stem = Path(__file__).parent.joinpath(*inner.split("."))
    return next((file for file in (stem.with_suffix(".py"), stem / "__init__.py") if file.is_file()), None)


def _imported_modules(file: Path, *, package: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = importlib.util.resolve_name("." * node.level + (node.module or ""), package)
            yield base
            yield from (f"{base}.{name.name}" for name in node.names)
