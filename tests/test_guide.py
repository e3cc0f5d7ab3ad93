"""The guide's examples work as they stand there, and its links lead somewhere."""

import json
import re
import types
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

import workbench.charts
import workbench.traces
from workbench import sources
from workbench import state_media as sm
from workbench.actions import extract_actions, list_traces
from workbench.schema import empty_table
from workbench.state_media.facts import Facts

DOCS = Path(__file__).parents[1] / "docs"
GUIDE = DOCS / "guide.md"


def example(name: str) -> str:
    return re.search(rf"<!-- example: {name} -->\n```\w+\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)[1]


def run_in(module: types.ModuleType, name: str) -> dict:
    names = dict(vars(module))
    exec(compile(example(name), f"guide: {name}", "exec"), names)
    return names


def test_the_trace():
    try:
        run_in(workbench.traces, "trace")
        base = {"platform": "twitter", "time_resolution_s": 1.0, "posted_at": datetime(2031, 6, 1, tzinfo=UTC)}
        lists = {"urls": [], "hashtags": [], "mentions": [], "media_hashes": []}
        texts = ["The tram is late again, they say\nmore", "Good morning\nmore"]
        rows = [
            {**base, **lists, "post_id": f"p{n}", "account_id": f"a{n}", "text": text} for n, text in enumerate(texts)
        ]
        posts = pl.DataFrame(rows, schema=empty_table("posts").schema)
        actions = extract_actions(posts, traces=["opening_line"])
        assert actions["object_id"].to_list() == ["the tram is late again, they say"]
        assert "opening_line" in list_traces()["trace"]
    finally:
        workbench.traces.TRACES.pop("opening_line", None)


def test_the_source(monkeypatch, tmp_path):
    module = types.ModuleType("lantern")
    vars(module).update(run_in(module, "source"))
    monkeypatch.setitem(sources.SOURCES, "lantern", module)
    records = [
        {"lantern_id": "1", "nick": "keeper", "written_at": "2031-05-03T10:00:00Z", "body": "The #ferry is late"},
        {"lantern_id": "2", "nick": "keeper", "written_at": "no time", "body": "x"},
    ]
    (tmp_path / "export.jsonl").write_text("\n".join(map(json.dumps, records)) + "\n")
    release = sources.load_release(tmp_path / "export.jsonl")
    assert release.posts.select("post_id", "account_id", "text").rows() == [("1", "keeper", "The #ferry is late")]
    assert release.posts["hashtags"].to_list() == [["ferry"]]
    assert release.quarantine["line"].to_list() == [2]


def test_the_policy(tmp_path):
    (tmp_path / "policies.toml").write_text(example("policy"), encoding="utf-8")
    row = ("herald", "taxpayer_funded", "yes", "https://evidence.example", datetime(2025, 3, 2, tzinfo=UTC), "B2")
    facts = pl.DataFrame([(*row, None, None)], schema=Facts.create_empty().schema, orient="row")
    screened = sm.screen_outlets(facts, policies=sm.read_policies(tmp_path / "policies.toml"))
    assert screened.filter(policy_id="lantern_2021")["outcome"].to_list() == ["meets"]


def test_the_chart():
    names = run_in(workbench.charts, "chart")
    chart = names["chart_posts_per_account"](pl.DataFrame({"n_posts": [1, 7], "n_accounts": [1_200, 3]}))
    assert chart.to_dict()["description"] == "Accounts by number of posts: 1,203 accounts, the busiest with 7."


@pytest.mark.parametrize("file", sorted(DOCS.glob("*.md")), ids=lambda file: file.name)
def test_every_link_of_the_docs_leads_somewhere(file):
    text = file.read_text(encoding="utf-8")
    headings = {
        re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    }
    for link in re.findall(r"\]\((?!https?:)([^)]+)\)", text):
        path, _, heading = link.partition("#")
        assert (file.parent / path).exists(), f"{file.name} links to {path}, which is not there"
        assert path or heading in headings, f"{file.name} has no heading #{heading}"
