"""`make fuzz N=10000`: that many damaged inputs through every reader, and a page on what became of them.

The inputs are tried in worker processes, so that one that kills its process, or hangs where no signal reaches, is one
broken input and not the end of the run.

    python tests/fuzz/run_fuzz.py N [FOLDER] [FIRST_SEED]
"""

from __future__ import annotations

import html
import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from fuzz_records import N_JUDGED, NOT_COUNTED
from fuzz_samples import list_samples
from fuzz_trial import FREE_BYTES, MAX_MULTIPLE, MAX_SECONDS, MAX_SECONDS_PER_MB, Outcome, try_input

CHUNK = 250
CHUNK_SECONDS = 600
STYLE = (
    "body{font:16px/1.5 system-ui;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse;margin:1rem 0}td,th{text-align:left;padding:.2rem .8rem;"
    "border-bottom:1px solid #ccc;vertical-align:top}td{overflow-wrap:anywhere}"
)
PROMISE = (
    "Each input is a valid sample of a format, damaged by one to three seeded mutations. The promise: the reader "
    "accounts for every record, or refuses with a message that says what to do; it raises nothing else, takes at most "
    f"{MAX_SECONDS} s and {MAX_SECONDS_PER_MB} s per megabyte, at most {FREE_BYTES // 10**6} MB and {MAX_MULTIPLE} "
    "times the unpacked input of memory, and leaves the file as it was."
)
JUDGED = (
    f"A reader that loses the last record it read is called broken in each of {N_JUDGED} formats. In "
    f"{N_JUDGED - len(NOT_COUNTED)} of them what it kept and set aside is compared with the records of the file, "
    "wherever another reader is sure what a record is; in the others the posts or values that the file names are "
    "looked up, or the reader's ledger of what it read is compared with its tables."
)


def main(n: int, folder: Path, first_seed: int) -> int:
    """Try `n` inputs, write outcomes.jsonl, index.html and figures.json, and return how many broke the promise."""
    began = time.monotonic()
    names = sorted(list_samples())
    inputs = [(names[i % len(names)], first_seed + i // len(names)) for i in range(n)]
    chunks = [inputs[i : i + CHUNK] for i in range(0, n, CHUNK)]
    folder.mkdir(parents=True, exist_ok=True)
    outcomes: list[Outcome] = []
    with (
        ThreadPoolExecutor(max_workers=os.cpu_count()) as pool,
        (folder / "outcomes.jsonl").open("w", encoding="utf-8") as log,
    ):
        for some in pool.map(_try_chunk, chunks):
            for outcome in some:
                outcomes.append(outcome)
                log.write(json.dumps(asdict(outcome), ensure_ascii=True) + "\n")
            sys.stderr.write(f"\r{len(outcomes):,} of {n:,} inputs")
    sys.stderr.write("\n")
    broken = [outcome for outcome in outcomes if outcome.verdict == "broken"]
    figures = _sum_up(outcomes, first_seed=first_seed, seconds=time.monotonic() - began)
    (folder / "figures.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    (folder / "index.html").write_text(_page(outcomes, figures), encoding="utf-8")
    sys.stdout.write(f"{n:,} inputs, {len(broken):,} broke the promise; see {folder / 'index.html'}\n")
    for outcome in broken[:20]:
        sys.stdout.write(f"  {outcome.sample} {outcome.seed} ({outcome.mutation}): {outcome.said[:200]}\n")
    return len(broken)


def _try_chunk(inputs: list[tuple[str, int]]) -> list[Outcome]:
    """Outcomes of some inputs from a process of their own; where it dies, the input it died of is broken."""
    done: list[Outcome] = []
    while len(done) < len(inputs):
        rest = inputs[len(done) :]
        command = [sys.executable, __file__, "--worker"]
        try:
            text = subprocess.run(
                command, input=json.dumps(rest), capture_output=True, text=True, timeout=CHUNK_SECONDS, check=False
            ).stdout
        except subprocess.TimeoutExpired as error:
            text = error.stdout.decode() if isinstance(error.stdout, bytes) else (error.stdout or "")
        done += list(_read_outcomes(text))
        if len(done) < len(inputs):
            name, seed = inputs[len(done)]
            done.append(Outcome(name, seed, "?", "broken", "the process died or hung", 0.0, 0, 0))
    return done


def _read_outcomes(text: str) -> Iterator[Outcome]:
    """Outcomes a worker wrote; a line cut off when it was killed ends them."""
    for line in text.splitlines():
        try:
            yield Outcome(**json.loads(line))
        except ValueError:
            return


def _work() -> None:
    for name, seed in json.loads(sys.stdin.read()):
        sys.stdout.write(json.dumps(asdict(try_input(name, seed))) + "\n")
        sys.stdout.flush()


def _kind(outcome: Outcome) -> str:
    """The error without what differs from file to file."""
    said = re.sub(r"'[^']*'|\"[^\"]*\"|\d[\d,.]*|\([^)]*\)", "…", outcome.said)
    return re.sub(r"[^\x20-\x7e…]", "", re.sub(r"^(\w+): [^ ]*?[:,]? ", r"\1: ", said))[:90]


def _sum_up(outcomes: list[Outcome], *, first_seed: int, seconds: float) -> dict[str, object]:
    verdicts = Counter(outcome.verdict for outcome in outcomes)
    slowest = max(outcomes, key=lambda one: one.seconds)
    largest = max(outcomes, key=lambda one: one.peak_bytes)
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "command": f"make fuzz N={len(outcomes)} SEED={first_seed}",
        "n_inputs": len(outcomes),
        "n_formats": len({outcome.sample for outcome in outcomes}),
        "n_read": verdicts["read"],
        "n_refused": verdicts["refused"],
        "n_broken": verdicts["broken"],
        "n_kinds_of_refusal": len({_kind(one) for one in outcomes if one.verdict == "refused"}),
        "slowest_s": round(slowest.seconds, 1),
        "slowest_input_bytes": slowest.n_bytes,
        "largest_memory_bytes": largest.peak_bytes,
        "largest_memory_input_bytes": largest.n_bytes,
        "seconds": round(seconds),
    }


def _page(outcomes: list[Outcome], figures: dict[str, object]) -> str:
    per_format = Counter((one.sample, one.verdict) for one in outcomes)
    kinds = Counter((one.verdict, _kind(one)) for one in outcomes if one.verdict != "read")
    formats = [
        (name, *(per_format[name, verdict] for verdict in ("read", "refused", "broken")))
        for name in sorted({one.sample for one in outcomes})
    ]
    mutations = Counter(part for one in outcomes for part in one.mutation.split(" + "))
    broken = [(one.sample, one.seed, one.mutation, one.said) for one in outcomes if one.verdict == "broken"]
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8><title>Fuzzing the readers</title>",
        f"<style>{STYLE}</style>",
        "<h1>What the readers make of damaged input</h1>",
        f"<p>{PROMISE}</p>",
        f"<p>{JUDGED}</p>",
        _table(("figure", "value"), list(figures.items())),
        "<h2>Broken promises</h2>",
        _table(("format", "seed", "mutations", "what happened"), broken) if broken else "<p>None.</p>",
        "<h2>By format</h2>",
        _table(("format", "read", "refused", "broken"), formats),
        "<h2>By mutation</h2>",
        _table(("mutation", "times"), mutations.most_common()),
        "<h2>Errors by kind</h2>",
        _table(("verdict", "kind", "times"), [(*kind, n) for kind, n in kinds.most_common(150)]),
    ]
    return "\n".join(parts) + "\n"


def _table(header: tuple[str, ...], rows: list[tuple[object, ...]]) -> str:
    def cells(values: tuple[object, ...], tag: str) -> Iterator[str]:
        yield from (f"<{tag}>{html.escape(str(value))}</{tag}>" for value in values)

    lines = ["<tr>" + "".join(cells(row, "td")) + "</tr>" for row in rows]
    return "<table><tr>" + "".join(cells(header, "th")) + "</tr>" + "\n".join(lines) + "</table>"


if __name__ == "__main__":
    if sys.argv[1:] == ["--worker"]:
        _work()
    else:
        place = Path(sys.argv[2]) if len(sys.argv) > 2 else Path("reports/fuzz")
        sys.exit(1 if main(int(sys.argv[1]), place, int(sys.argv[3]) if len(sys.argv) > 3 else 0) else 0)
