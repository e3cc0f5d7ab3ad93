"""`make faults KILLS=50`: the main job killed at random moments, and a record of what was left each time.

One kill in five is aimed at the moment at which the finished report takes its place. A line is printed per kill, and
`kills_KIND.json` is written anew after each, so that a run cut short keeps its figures.

    python tests/faults/run_faults.py KILLS [FOLDER] [SEED] [quick|real]
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fault_home import Reference, kill_once, make_quick_home, make_real_home, make_reference


def main(n_kills: int, folder: Path, seed: int, kind: str) -> int:
    """Kill that many runs while they run, write what was found, and return how many left something wrong.

    A run that had ended before its moment came is no kill: it is shown, and another is tried, up to as many again.
    """
    rng = random.Random(seed)
    found: list[dict[str, Any]] = []
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        home = make_real_home(Path(place)) if kind == "real" else make_quick_home(Path(place))
        reference = make_reference(home)
        _say(f"an undisturbed run takes {reference.seconds:.1f} s")
        n_killed = 0
        while n_killed < n_kills and len(found) < 2 * n_kills:
            found.append(kill_once(home, reference, rng))
            n_killed += found[-1]["was_running"]
            _say(f"{n_killed} of {n_kills}: {say_kill(found[-1])}")
            figures = {"command": f"make faults KILLS={n_kills} KIND={kind} SEED={seed}", **add_up(found, reference)}
            text = json.dumps({**figures, "kills": found}, indent=1)
            (folder / f"kills_{kind}.json").write_text(text + "\n", encoding="utf-8")
    n_bad = sum(bool(one["faults"]) for one in found)
    _say(f"{n_killed} runs killed while they ran, {n_bad} left something wrong; see {folder}")
    return n_bad + (n_killed < n_kills)


def add_up(found: list[dict[str, Any]], reference: Reference) -> dict[str, Any]:
    """Return the figures of the kills so far."""
    left = [one["report_left"] for one in found]
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "undisturbed_run_s": round(reference.seconds, 1),
        "n_kills": len(found),
        "n_killed_while_running": sum(one["was_running"] for one in found),
        "n_aimed_at_the_move": sum(one["is_aimed"] for one in found),
        "report_left": {name: left.count(name) for name in sorted(set(left))},
        "n_same_bytes_again": sum(one["same_bytes_again"] for one in found),
        "n_with_faults": sum(bool(one["faults"]) for one in found),
    }


def say_kill(one: dict[str, Any]) -> str:
    """Return one kill in words: when, what was left, what the next run gave."""
    how = "had ended" if not one["was_running"] else "killed" + (" with its kernel" if one["whole_group"] else "")
    at = f"{how} after {one['moment_s']:.2f} s" + (" (aimed at the move)" if one["is_aimed"] else "")
    begun = f", {one['last_notebook_begun']} begun" if one["last_notebook_begun"] else ""
    left = f"report left: {one['report_left']}, {one['unfinished_files']} unfinished files{begun}"
    again = f"next run {one['again_s']:.1f} s, {'same' if one['same_bytes_again'] else 'OTHER'} bytes"
    return "; ".join([at, left, again, *(f"FAULT: {fault}" for fault in one["faults"])])


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    given = sys.argv[1:] + ["50", "reports/faults", "7", "quick"][len(sys.argv) - 1 :]
    sys.exit(1 if main(int(given[0]), Path(given[1]), int(given[2]), given[3]) else 0)
