"""posts -> actions: what each account acted on, and when, for the traces asked for (`traces.py`)."""

from __future__ import annotations

import difflib
import inspect
import re
from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

from workbench.schema import ParameterError, check_table
from workbench.traces import IS_REPOST, TRACES, Trace

__all__ = ["IS_REPOST", "TRACES", "extract_actions", "find_trace", "list_traces"]


def extract_actions(
    posts: pl.DataFrame,
    *,
    traces: Iterable[str] | Mapping[str, Mapping[str, Any]],
    accounts: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Return what each account acted on, one row per action, for the named traces.

    Args:
        posts: table `posts`.
        traces: names from `list_traces`, or a mapping name -> settings, as `{"fast_repost": {"max_delay_s": 10}}`.
        accounts: table `accounts`, for traces about accounts themselves (`created_on`).

    Returns:
        Table `actions`, without null or blank objects; one row per distinct post and object of a trace, sorted by
        trace, then as the posts came.

    Raises:
        ParameterError: an unknown trace or setting, no trace at all, or a trace that needs `accounts` without them.
        SchemaError: `posts` or `accounts` is not a table of these.
    """
    chosen = dict(traces) if isinstance(traces, Mapping) else {name: {} for name in traces}
    if not chosen:
        raise ParameterError(f"no trace named; expected some of {', '.join(sorted(TRACES))}.")
    posts = check_table(posts, "posts").with_row_index("_row")
    accounts = None if accounts is None else check_table(accounts, "accounts")
    parts = [_actions(posts, accounts, name, settings) for name, settings in sorted(chosen.items())]
    return check_table(pl.concat(parts), "actions")


def find_trace(name: str) -> Trace:
    """Return the function of a trace.

    Raises:
        ParameterError: there is none of that name; says the nearest.
    """
    if name not in TRACES:
        raise ParameterError(f"no trace '{name}'. {_nearest(name, TRACES)}")
    return TRACES[name]


def list_traces() -> pl.DataFrame:
    """Return the traces known: trace, what (one line), settings (name=default), beware, source."""
    return pl.DataFrame(
        [
            {
                "trace": name,
                "what": _line(function, 0),
                "settings": ", ".join(f"{p.name}={p.default}" for p in _settings(function)),
                "beware": _labelled(function, "Beware:"),
                "source": _labelled(function, "Source:"),
            }
            for name, function in sorted(TRACES.items())
        ]
    )


def _actions(
    posts: pl.DataFrame, accounts: pl.DataFrame | None, name: str, settings: Mapping[str, Any]
) -> pl.DataFrame:
    function = find_trace(name)
    known = [setting.name for setting in _settings(function)]
    for setting in settings:
        if setting not in known:
            raise ParameterError(f"trace '{name}' has no setting '{setting}'. {_nearest(setting, known)}")
    tables = {}
    if _needs_accounts(function):
        if accounts is None:
            raise ParameterError(f"trace '{name}' needs the accounts. Pass accounts=release.accounts.")
        tables["accounts"] = accounts.lazy()
    found = function(posts.lazy(), **tables, **settings)
    objects = found.filter(pl.col("object_id").str.strip_chars() != "").unique()
    acted_at = pl.col("acted_at") if "acted_at" in found.collect_schema() else pl.col("posted_at").alias("acted_at")
    return (
        posts.lazy()
        .join(objects, on="post_id", how="inner")
        .sort("_row", "object_id")
        .select("account_id", "post_id", pl.lit(name).alias("trace"), "object_id", acted_at)
        .collect()
    )


def _settings(function: Trace) -> list[inspect.Parameter]:
    parameters = inspect.signature(function).parameters.values()
    return [p for p in parameters if p.kind is p.KEYWORD_ONLY and p.name != "accounts"]


def _needs_accounts(function: Trace) -> bool:
    return "accounts" in inspect.signature(function).parameters


def _line(function: Trace, number: int) -> str:
    return inspect.cleandoc(function.__doc__ or "").splitlines()[number]


def _labelled(function: Trace, label: str) -> str:
    """Return what follows a label, to the next label or blank line."""
    text = inspect.cleandoc(function.__doc__ or "")
    found = re.search(rf"^{label}\s*(.+?)(?=\n\s*\n|\n[A-Z]\w+:|\Z)", text, re.MULTILINE | re.DOTALL)
    return " ".join(found.group(1).split()) if found else ""


def _nearest(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"Did you mean '{near[0]}'?" if near else f"Known: {', '.join(sorted(known)) or 'none'}."
