"""The rooms and the arrows allowed between them, parsed from the imports, so the design cannot drift from the code.

A room is one idea: a file, several files, or a folder. To add a file, put it into its room below; to add an arrow,
say here that it is allowed and why the two ideas may know each other.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import workbench

PACKAGE = Path(workbench.__file__).parent

# room -> (its files or folders, rooms it may import besides schema)
ROOMS: dict[str, tuple[str, str]] = {
    "schema": ("schema", ""),
    "csv_header": ("csv_header", ""),  # what somebody's CSV begins with, before it is read
    "memory": ("memory", ""),  # what a stage has freed goes back to the system
    "sources": ("sources", "memory privacy csv_header"),  # privacy: which names stand for an account removed on request
    "published": ("published published_figures figures", ""),
    "simulate": ("simulate", ""),
    "text": ("text languages near_duplicates", ""),
    "actions": ("actions traces", "text image_hashes"),
    "image_hashes": ("image_hashes", ""),
    "coaction": ("coaction action_log pairs evidence cost content_order", ""),
    "spark": ("spark", "coaction"),
    "similarity": ("similarity", "coaction"),
    "network": ("network gexf", "coaction"),  # accounts in an order of content, as the kernel numbers them
    "clusters": ("clusters", "network"),
    "chance": ("chance rhythm shuffle coordinated sensitivity", "coaction network clusters"),
    "names": ("names", ""),  # read before they are hidden: privacy keeps what they look like
    "explain": ("explain explain_words", "coaction chance sections"),
    "profiles": (
        "profiles features changes behaviour creation hours holidays origin_signs prevalence",
        "text names csv_header",
    ),
    "narratives": ("narratives", "text addresses csv_header"),
    "evaluate": ("evaluate", "clusters coaction network"),  # it runs two baselines beside ours
    "state_media": ("state_media", "text csv_header"),
    "addresses": ("addresses profile_links", ""),
    "privacy": ("privacy pseudonyms hidden_text spoken_names keys", "addresses names"),
    "leaks": ("leaks leak_views", "privacy addresses"),
    "findings": ("findings findings_parts claims rows editions", ""),
    "invisible": ("invisible", ""),
    "charts": (
        (
            "charts chart_style chart_stretch chart_display chart_conversation chart_network chart_sharing "
            "chart_state_media chart_library narrative_charts"
        ),
        "invisible",
    ),
    "sections": ("sections", "findings charts sharing addresses"),
    "display": ("notebook_display", "findings charts"),
    "report": (
        "report report_csv report_language report_text lint catalogue",
        "findings privacy addresses charts invisible text",  # text: it says in which language its quotes are
    ),
    "sharing": ("sharing", "text findings privacy addresses"),
    "fetch": ("fetch", ""),
    "cache": ("cache cache_key", "memory"),
    "case": ("case", "cache findings"),
    "platforms": ("platforms", "case sources privacy"),  # what one platform hides is hidden in the texts of the other
    # From a case to a package and back: it runs the stages as notebooks 02 and 05 do.
    "handover": ("handover", "case sources platforms privacy findings actions coaction chance sharing explain"),
    "run": (
        "run notebooks notebook_page manifest versions",
        "report findings charts invisible case cache sources platforms privacy leaks",
    ),
    # It takes an account out of everything a case has and makes its report anew.
    "removal": ("removal", "run case cache sources privacy report sharing platforms csv_header"),
}
ANYTHING = "cli"
NOT_IN_CONTENTS = {"run", "removal", "spark", "fetch", "cli"}

# Files that touch the disk; folders count with all their files. Everything else takes tables and gives tables.
DISK = {
    "sources", "simulate", "findings", "report", "sharing", "fetch", "run", "notebooks",
    "notebook_page", "manifest", "versions", "removal", "cli",
    "cache", "cache_key", "case", "keys", "leaks", "leak_views", "lint", "catalogue",
    "network",  # GraphML and GEXF out
    "state_media",  # facts and policies: data files of its own, and a user's
    "narratives",  # the label file that a human fills
    "profiles",  # a list of phrases: a data file of its own
    "holidays",  # calendars: a data file of its own, or a user's
}  # fmt: skip
DISK_CALLS = {
    "read_text", "write_text", "read_bytes", "write_bytes", "mkdir", "unlink", "rmdir", "rmtree", "iterdir", "glob",
    "rglob", "touch", "open", "mkdtemp", "TemporaryDirectory", "NamedTemporaryFile", "TemporaryFile", "scan_csv",
    "read_csv", "read_parquet", "scan_parquet", "write_parquet", "sink_parquet", "sink_csv", "memmap", "tofile",
    "fromfile", "read_ndjson", "scan_ndjson", "read_json",
}  # fmt: skip
NETWORK_MODULES = {
    "socket", "ssl", "http", "urllib.request", "ftplib", "smtplib", "telnetlib", "xmlrpc", "requests", "httpx",
    "aiohttp", "urllib3", "pooch", "websocket", "websockets", "fsspec",
}  # fmt: skip

FILES = sorted(PACKAGE.rglob("*.py"))


def part_of(file: Path) -> str:
    """The file or folder of the package that a file is or lies in."""
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


def room_of(part: str) -> str:
    rooms = [room for room, (parts, _) in ROOMS.items() if part in parts.split()]
    assert len(rooms) == 1, f"workbench/{part} is in {len(rooms)} rooms of tests/test_architecture.py; put it into one"
    return rooms[0]


def imported(file: Path) -> Iterator[str]:
    package = ["workbench", *file.relative_to(PACKAGE).parts[:-1]]
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield module
            yield from (f"{module}.{name.name}" for name in node.names)


def own_imports(file: Path) -> set[str]:
    """Parts of the package that a file imports, itself left out."""
    parts = {name.split(".")[1] for name in imported(file) if name.startswith("workbench.")}
    known = {path.stem for path in PACKAGE.glob("*.py")} | {path.name for path in PACKAGE.iterdir() if path.is_dir()}
    return (parts & known) - {part_of(file)}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(PACKAGE).as_posix())
def test_a_room_imports_only_what_it_may(file):
    part = part_of(file)
    if part in (ANYTHING, "__init__"):
        return
    room = room_of(part)
    allowed = {"schema", room, *ROOMS[room][1].split()}
    forbidden = {other for other in own_imports(file) if room_of(other) not in allowed}

    assert not forbidden, f"{room} may not import {sorted(forbidden)}; stages meet only in a notebook"


def test_the_contents_page_leaves_out_what_runs_notebooks_or_needs_an_engine():
    rooms = {room for names in workbench.CONTENTS.values() for room in names.values()}

    assert not {room.split(".")[0] for room in rooms} & NOT_IN_CONTENTS
    assert not own_imports(PACKAGE / "__init__.py")


def test_arrows_run_one_way():
    arrows = {room: set(allowed.split()) for room, (_, allowed) in ROOMS.items()}
    while arrows:
        ends = {room for room, others in arrows.items() if not others & arrows.keys()}
        assert ends, f"these rooms lead back to themselves: {sorted(arrows)}"
        arrows = {room: others for room, others in arrows.items() if room not in ends}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(PACKAGE).as_posix())
def test_only_marked_rooms_touch_the_disk(file):
    if part_of(file) in DISK:
        return
    calls = [node for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    names = {call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "") for call in calls}

    assert not names & DISK_CALLS, (
        f"{sorted(names & DISK_CALLS)}: take a table, give a table; disk is for {sorted(DISK)}"
    )


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(PACKAGE).as_posix())
def test_only_fetch_touches_the_network(file):
    names = {name for module in imported(file) for name in (module, module.split(".")[0], module.rpartition(".")[0])}

    assert part_of(file) == "fetch" or not names & NETWORK_MODULES


def test_no_room_is_named_after_nothing():
    assert not [
        file for file in FILES if file.stem in {"utils", "util", "helpers", "helper", "common", "misc", "tools"}
    ]


def test_nothing_is_pickled_or_evaluated():
    calls, modules = {"eval", "exec"}, {"pickle", "dill", "joblib", "marshal"}
    found = [f"{file.name}: {name}" for file in FILES for name in imported(file) if name in modules]
    found += [
        f"{file.name}:{node.lineno}"
        for file in FILES
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in calls
    ]

    assert not found
