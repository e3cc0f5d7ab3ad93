"""`make faults KILLS=50`: the main job killed at random moments, and a page on what was left each time.

python tests/faults/run_faults.py KILLS [FOLDER] [SEED] [quick|real]
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from fault_home import kill_once, make_quick_home, make_real_home, make_reference


def main(n_kills: int, folder: Path, seed: int, kind: str) -> int:
    """Kill that many runs, write figures.json, and return how many left something wrong."""
    rng = random.Random(seed)
    found = []
    with tempfile.TemporaryDirectory() as place:
        home = make_real_home(Path(place)) if kind == "real" else make_quick_home(Path(place))
        reference = make_reference(home)
        for number in range(n_kills):
            found.append(kill_once(home, reference, rng))
            sys.stderr.write(f"\r{number + 1} of {n_kills} runs killed")
    bad = [one for one in found if one["faults"]]
    figures = {
        "date": datetime.now(UTC).date().isoformat(),
        "command": f"make faults KILLS={n_kills} KIND={kind}",
        "notebooks": "those of the workbench" if kind == "real" else "one quick one",
        "n_kills": n_kills,
        "n_killed_while_running": sum(bool(one["was_running"]) for one in found),
        "undisturbed_run_s": round(reference.seconds, 1),
        "n_with_faults": len(bad),
    }
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps({**figures, "kills": found}, indent=1)
    (folder / f"kills_{kind}.json").write_text(text + "\n", encoding="utf-8")
    sys.stdout.write(f"\n{n_kills} runs killed, {len(bad)} left something wrong; see {folder}\n")
    for one in bad[:10]:
        sys.stdout.write(f"  {one}\n")
    return len(bad)


if __name__ == "__main__":
    given = sys.argv[1:] + ["50", "reports/faults", "7", "quick"][len(sys.argv) - 1 :]
    sys.exit(1 if main(int(given[0]), Path(given[1]), int(given[2]), given[3]) else 0)
