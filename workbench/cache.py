"""Results of heavy stages kept on disk, found again by what they were made from.

A result's name is a hash of the function, its source and everything of the workbench that it imports, the versions of
the packages, and the content of its arguments. So an unchanged step is not computed again, and a changed one always is.
Nothing is pickled: frames are parquet, the rest is JSON; a damaged entry is noticed by its checksums and made again.

Beware: an entry holds what the function returned, names in clear included. The folder is for its owner only.
"""

from __future__ import annotations

import dataclasses
import hashlib
import importlib
import json
import secrets
import shutil
import time
import warnings
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import numpy as np
import polars as pl

from workbench.cache_key import hash_file, is_stale, name_result
from workbench.memory import give_memory_back
from workbench.schema import ParameterError

P = ParamSpec("P")
R = TypeVar("R")
_DRAFT_AGE_S = 24 * 3600
_RECORD = "entry.json"
_NOTHING: Any = object()


class Cache:
    """A folder of results. `Cache(None)` keeps nothing and computes always."""

    def __init__(self, folder: Path | str | None) -> None:
        self.folder = Path(folder) if folder is not None else None

    def keep(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Return what the function returns for these arguments, from disk where it is there unharmed.

        Args:
            function: a function whose result depends on nothing but its arguments.
            *args: frames, releases and other dataclasses, arrays, igraph graphs, plain values. An argument called path,
                folder, file or dataset, or of type Path, counts by the content of the files there.
            **kwargs: the same.

        Raises:
            ParameterError: an argument or the result is of a kind that cannot be kept without pickle.

        Beware: where the disk is full or read-only the result is returned all the same, with a warning.
        """
        if self.folder is None or is_stale(function):
            return function(*args, **kwargs)
        return _keep(self.folder / _name_entry(function, *args, **kwargs), lambda: function(*args, **kwargs))

    def keep_chain(self, first: Callable[..., Any], then: Callable[..., R], *args: Any, **kwargs: Any) -> R:
        """Return what `then` gives of what `first` gives: both are kept, and found again without reading the first.

        Args:
            first: a function as for `keep`.
            then: the same; its first argument is what `first` gives.
            *args: arguments of `first`.
            **kwargs: further arguments of `then`.

        Raises:
            ParameterError: an argument or a result is of a kind that cannot be kept without pickle.
        """
        if self.folder is None or is_stale(first) or is_stale(then):
            return then(first(*args), **kwargs)
        # The name of what `first` gives stands for its content, which would have to be read to be compared.
        link = self.folder / f"chain-{_name_entry(then, _name_entry(first, *args), **kwargs)}"
        name = _find(link)
        found: Any = _find(self.folder / name) if isinstance(name, str) and Path(name).name == name else _NOTHING
        if found is not _NOTHING:
            return found
        between = self.keep(first, *args)
        name = _name_entry(then, between, **kwargs)
        result = _keep(self.folder / name, lambda: then(between, **kwargs))
        _write(link, name)
        return result


def _name_entry(function: Callable[..., Any], *args: Any, **kwargs: Any) -> str:
    return f"{getattr(function, '__name__', 'result')}-{name_result(function, *args, **kwargs)[:24]}"


def _keep(entry: Path, compute: Callable[[], R]) -> R:
    result = _find(entry)
    if result is _NOTHING:
        result = compute()
        _write(entry, result)
        give_memory_back()
    return result


def _find(entry: Path) -> Any:
    """Return what an entry holds; `_NOTHING` where there is none, or it is damaged, as its checksums say."""
    try:
        return _read_entry(entry) if entry.is_dir() else _NOTHING
    except (OSError, ValueError, LookupError, pl.exceptions.PolarsError):
        return _NOTHING


def _write(entry: Path, result: Any) -> None:
    try:
        _write_entry(entry, result)
    # polars says of a full disk that the table is out of specification, which is no OSError
    except (OSError, pl.exceptions.PolarsError) as error:
        stage = entry.name.rpartition("-")[0]
        warnings.warn(f"{stage} could not be kept in {entry.parent}: {error}", stacklevel=4)


def _write_entry(entry: Path, result: Any) -> None:
    """Write beside, then move in whole: two processes at once leave one whole entry."""
    entry.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    _remove_old_drafts(entry.parent)
    draft = entry.parent / f".draft-{secrets.token_hex(8)}"
    draft.mkdir(mode=0o700)
    try:
        tree = _Writer(draft).encode(result)
        files = {file.name: hash_file(file) for file in sorted(draft.iterdir())}
        body = json.dumps({"files": files, "result": tree})
        (draft / _RECORD).write_text(f"{_sha256(body)}\n{body}", encoding="utf-8")
        if entry.exists():
            entry.replace(draft.with_name(f"{draft.name}-old"))
        if not entry.exists():
            draft.replace(entry)
    finally:
        for left in (draft, draft.with_name(f"{draft.name}-old")):
            shutil.rmtree(left, ignore_errors=True)


def _read_entry(entry: Path) -> Any:
    checksum, _, body = (entry / _RECORD).read_text(encoding="utf-8").partition("\n")
    if checksum != _sha256(body):
        raise ValueError(f"{entry} is damaged: its record is not what was written.")
    record = json.loads(body)
    for name, expected in record["files"].items():
        if hash_file(entry / name) != expected:
            raise ValueError(f"{entry / name} is damaged: it is not what was written.")
    return _decode(record["result"], entry)


def _remove_old_drafts(folder: Path) -> None:
    for draft in folder.glob(".draft-*"):
        if time.time() - draft.stat().st_mtime > _DRAFT_AGE_S:
            shutil.rmtree(draft, ignore_errors=True)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@dataclasses.dataclass
class _Writer:
    """Turns a value into JSON, with tables and arrays as files beside it."""

    folder: Path
    n_files: int = 0

    def encode(self, value: Any) -> Any:
        if value is None or isinstance(value, bool | int | float | str):
            return value
        if isinstance(value, np.generic):
            return value.item()
        if isinstance(value, pl.DataFrame):
            return {"kind": "frame", "file": self._write_frame(value)}
        if isinstance(value, pl.Series):
            return {"kind": "series", "name": value.name, "file": self._write_frame(value.alias("values").to_frame())}
        if isinstance(value, np.ndarray) and value.dtype != object:
            name = self._next_name("npy")
            np.save(self.folder / name, value, allow_pickle=False)
            return {"kind": "array", "file": name}
        if isinstance(value, date):
            return {"kind": "datetime" if isinstance(value, datetime) else "date", "value": value.isoformat()}
        if isinstance(value, list | tuple):
            return {"kind": type(value).__name__, "items": [self.encode(item) for item in value]}
        if isinstance(value, dict):
            return {"kind": "dict", "items": [[self.encode(k), self.encode(v)] for k, v in value.items()]}
        if dataclasses.is_dataclass(value) and type(value).__module__.startswith("workbench."):
            fields = {f.name: self.encode(getattr(value, f.name)) for f in dataclasses.fields(value) if f.init}
            return {"kind": "dataclass", "class": f"{type(value).__module__}:{type(value).__name__}", "fields": fields}
        if type(value).__module__.startswith("igraph"):
            return self._encode_graph(value)
        raise ParameterError(
            f"The result holds a {type(value).__module__}.{type(value).__name__}, which cannot be kept without pickle. "
            "Return frames, arrays, plain values, or dataclasses of the workbench made of these."
        )

    def _encode_graph(self, graph: Any) -> dict[str, Any]:
        vertices = {name: graph.vs[name] for name in graph.vs.attributes()}
        edges = {name: graph.es[name] for name in graph.es.attributes()}
        pairs = np.array(graph.get_edgelist(), dtype=np.int64).reshape(-1, 2)
        return {
            "kind": "graph",
            "n": graph.vcount(),
            "directed": graph.is_directed(),
            "pairs": self.encode(pairs),
            "vertices": self.encode(pl.DataFrame(vertices)),
            "edges": self.encode(pl.DataFrame(edges)),
            "attributes": self.encode({name: graph[name] for name in graph.attributes()}),
        }

    def _write_frame(self, frame: pl.DataFrame) -> str:
        name = self._next_name("parquet")
        frame.write_parquet(self.folder / name, compression="zstd", compression_level=1, statistics=False)
        return name

    def _next_name(self, suffix: str) -> str:
        self.n_files += 1
        return f"{self.n_files}.{suffix}"


def _decode(tree: Any, folder: Path) -> Any:
    if not isinstance(tree, dict):
        return tree
    kind = tree["kind"]
    if kind == "frame":
        return _read_frame(folder / tree["file"])
    if kind == "series":
        return _read_frame(folder / tree["file"])["values"].alias(tree["name"])
    if kind == "array":
        return np.load(folder / tree["file"], allow_pickle=False)
    if kind in ("date", "datetime"):
        return (date if kind == "date" else datetime).fromisoformat(tree["value"])
    if kind in ("list", "tuple"):
        items = [_decode(item, folder) for item in tree["items"]]
        return items if kind == "list" else tuple(items)
    if kind == "dict":
        return {_decode(key, folder): _decode(value, folder) for key, value in tree["items"]}
    if kind == "graph":
        return _decode_graph(tree, folder)
    if kind == "dataclass":
        return _decode_dataclass(tree, folder)
    raise ValueError(f"{folder} holds a {kind}, which this version does not know.")


def _read_frame(file: Path) -> pl.DataFrame:
    """Read a table in one piece: in many, as it lies on disk, every grouping of it would put all of it together first.

    The old columns go one by one, so that no second copy of all of them is needed.
    """
    frame = pl.read_parquet(file, memory_map=False)
    return pl.DataFrame([frame.drop_in_place(name).rechunk() for name in frame.columns])


def _decode_dataclass(tree: dict[str, Any], folder: Path) -> Any:
    module, _, name = tree["class"].partition(":")
    if not module.startswith("workbench."):
        raise ValueError(f"{folder} names a class outside the workbench: {tree['class']}.")
    made_by = getattr(importlib.import_module(module), name)
    if not dataclasses.is_dataclass(made_by):
        raise ValueError(f"{folder} names {tree['class']}, which holds no result.")
    return made_by(**{name: _decode(value, folder) for name, value in tree["fields"].items()})


def _decode_graph(tree: dict[str, Any], folder: Path) -> Any:
    import igraph  # only here: whoever keeps tables should not wait for it

    graph = igraph.Graph(n=tree["n"], edges=_decode(tree["pairs"], folder), directed=tree["directed"])
    for name, values in _decode(tree["vertices"], folder).to_dict(as_series=False).items():
        graph.vs[name] = values
    for name, values in _decode(tree["edges"], folder).to_dict(as_series=False).items():
        graph.es[name] = values
    for name, value in _decode(tree["attributes"], folder).items():
        graph[name] = value
    return graph
