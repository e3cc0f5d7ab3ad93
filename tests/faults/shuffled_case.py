"""The small case that `make determinism` runs: two platforms and lists for screening, as made and with rows shuffled.

Every table that a case can bring is in it, in several layouts: a release in Twitter's, its second platform in those of
CrowdTangle and Meta Content Library, outlets and facts as CSV, adverts as CSV, JSON and JSON lines.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import random
import shutil
from pathlib import Path
from typing import Any

import polars as pl

from workbench.simulate import simulate_release
from workbench.simulate.second_platform import simulate_second_platform
from workbench.sources import load_release

CASE = "tiny"
N_ACCOUNTS, N_POSTS, SEED = 1_000, 10_000, 11
LISTS = Path(__file__).resolve().parents[2] / "datasets" / "demo_state_media"
_NO_TABLES = (".md", ".toml")
# The same advert again, as an export of a later day holds it: other words, the same amounts.
_AGAIN = {"bylines": "Ministry of Transit, Tidehaven", "ad_delivery_stop_time": "2021-05-12"}
_PLAIN_LIST = (
    "outlet_id,name,domain,owner\n"
    "line-3,Line 3 Now,line3-now.example,Transit Ministry of Tidehaven\n"
    ",The Lamp,the-lamp.example,Lamp Readers\n"
    ",Pier Post,pier-post.example,\n"
)


def make_case(root: Path) -> Path:
    """Write the case's datasets to a folder, and return its own: `root/tiny`, with the others beside it."""
    dataset = simulate_release(root / CASE, n_accounts=N_ACCOUNTS, n_posts=N_POSTS, seed=SEED)
    release = load_release(dataset)
    planted = pl.read_csv(dataset / "truth_posts.csv.gz", infer_schema=False)
    made = {"posts": release.posts, "truth_posts": planted, "accounts": release.accounts, "seed": SEED}
    simulate_second_platform(root / f"{CASE}_platform_b", **made)
    lists = shutil.copytree(LISTS, root / f"{CASE}_state_media")
    (lists / "list.csv").write_text(_PLAIN_LIST, encoding="utf-8")
    meta, twitter = (_read_rows(lists / f"adverts_{name}.csv") for name in ("meta", "twitter"))
    _write_json(lists / "adverts_meta_api.json", {"data": [{**row, **_AGAIN} for row in meta] + meta[:2]})
    _keep_rows(lists / "adverts_meta.csv", slice(2, None))
    (lists / "adverts_twitter.csv").unlink()
    lines = "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in twitter)
    (lists / "adverts_twitter.jsonl").write_text(lines, encoding="utf-8")
    return dataset


def count_crossings(report: Path) -> dict[str, int]:
    """Return how much of a report comes from the second platform and the lists: one without any would show nothing."""
    names = ("matched_accounts", "spanning_clusters", "bridge", "presence", "state_media_advert_lines")
    tables = {name: _read_rows(report / "tables" / f"{name}.csv") for name in names}
    verdicts = [row["verdict"] for row in tables["matched_accounts"]]
    on: dict[str, set[str]] = {"Facebook": set(), "Twitter": set()}
    for row in tables["spanning_clusters"]:
        on[row["platform"]].add(row["cluster_id"])
    adverts = tables["state_media_advert_lines"]
    return {
        "accounts hit by two kinds of indicator": verdicts.count("corroborated"),
        "groups on both platforms": len(on["Facebook"] & on["Twitter"]),
        "pairs across platforms": sum(row["is_bridge"] == "True" for row in tables["bridge"]),
        "accounts described on the second platform": sum(
            int(row["n_accounts"]) for row in tables["presence"] if row["platform"] == "Facebook"
        ),
        "adverts of outlets": len({row["advert_id"] for row in adverts}),
        "repeats of these in other exports": len({row["repeats"] for row in adverts} - {""}),
    }


def shuffle_datasets(root: Path, out: Path, *, seed: int) -> list[str]:
    """Write all datasets of a folder anew, the rows of each table in another order; return the tables shuffled.

    Rows stay as they were to the byte; checksums that a dataset.toml announces become those of the new files.
    """
    shutil.copytree(root, out)
    rng = random.Random(seed)
    shuffled = []
    for file in sorted(file for file in out.rglob("*") if file.is_file() and file.suffix not in _NO_TABLES):
        before = file.read_bytes()
        content = gzip.decompress(before) if file.suffix == ".gz" else before
        content = _shuffle(content.decode("utf-8"), file.name.removesuffix(".gz"), rng).encode("utf-8")
        file.write_bytes(gzip.compress(content, mtime=0) if file.suffix == ".gz" else content)
        shuffled.append(file.relative_to(out).as_posix())
        described = file.with_name("dataset.toml")
        if described.is_file():
            sums = [hashlib.sha256(one).hexdigest() for one in (before, file.read_bytes())]
            described.write_text(described.read_text(encoding="utf-8").replace(*sums), encoding="utf-8")
    return shuffled


def _shuffle(text: str, name: str, rng: random.Random) -> str:
    if name.endswith(".json"):
        content = json.loads(text)
        rows = content["data"] if isinstance(content, dict) else content
        rows[:] = _mix(rows, rng)
        return json.dumps(content, ensure_ascii=False)
    records = _split_records(text) if name.endswith(".csv") else text.splitlines(keepends=True)
    n_head = 0
    if name.endswith(".csv"):
        n_head = 1 + next(n for n, record in enumerate(records) if not record.startswith("#"))
    elif not name.endswith(".jsonl"):
        raise ValueError(f"the rows of {name} cannot be shuffled: add its layout here")
    return "".join([*records[:n_head], *_mix(records[n_head:], rng)])


def _split_records(text: str) -> list[str]:
    """Part a CSV into its records as written; a cell between quotes may hold line breaks."""
    records, open_record = [], ""
    for line in io.StringIO(text if text.endswith("\n") else f"{text}\n", newline=""):
        open_record += line
        if open_record.count('"') % 2 == 0:
            records.append(open_record)
            open_record = ""
    return records


def _mix(rows: list[Any], rng: random.Random) -> list[Any]:
    mixed = list(rows)
    while mixed == rows and len(rows) > 1:
        rng.shuffle(mixed)
    return mixed


def _read_rows(file: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8-sig"), newline="")))


def _keep_rows(file: Path, kept: slice) -> None:
    head, *rows = _split_records(file.read_text(encoding="utf-8"))
    file.write_text("".join([head, *rows[kept]]), encoding="utf-8")


def _write_json(file: Path, content: object) -> None:
    file.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
