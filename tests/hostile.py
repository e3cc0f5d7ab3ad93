"""Strings that try to act, in every field a report has. Nothing of them may run, load, link or break the layout."""

from dataclasses import replace

import invented_case
import polars as pl

from workbench.chart_network import pack_network
from workbench.charts import chart_network, chart_posts_per_day
from workbench.findings import (
    Card,
    ChanceTest,
    Citation,
    Claim,
    Confidence,
    Deception,
    Findings,
    KeyNumber,
    Observation,
    Section,
    TableView,
)
from workbench.schema import About, PublishedFigure, Quote
from workbench.sections.base import make_figure
from workbench.sections.quoted import quote_others

STRINGS = (
    "<script>window.pwned=1</script>",
    "</script><script>window.pwned=1</script>",
    "<img src=x onerror=window.pwned=1>",
    '" onmouseover="window.pwned=1" x="',
    "' autofocus onfocus='window.pwned=1",
    "javascript:window.pwned=1",
    "data:text/html,<script>window.pwned=1</script>",
    "</style><style>body{display:none}</style>",
    "</textarea></title></svg></math><svg onload=window.pwned=1>",
    "}} {{ 7*7 }} {% raw %}",
    "<meta http-equiv=refresh content=0;url=https://tracker.example>",
    "<iframe srcdoc='<script>parent.pwned=1</script>'>",
    "\u202egnp.exe\u2066\u2067\u2068",
    "a" + "\u0301" * 500,
    "العبارة <b>bold</b>",
    "-->\x00\x07\x1b[31m<!--",
    '=HYPERLINK("https://tracker.example","x")',
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "https://tracker.example/pixel.gif?id=1",
    "![x](http://192.0.2.1/p.png) [y](javascript:window.pwned=1) ![z][r] <https://tracker.example>",
    "[r]: https://tracker.example/r.png",
    "expression(window.pwned=1); background:url(https://tracker.example)",
    "W" * 100_000,
)


def network() -> Section:
    """Accounts whose names act, in the canvas, its list of links, and the table of the still picture."""
    n = len(STRINGS)
    nodes = pl.DataFrame(
        {
            "account_id": STRINGS,
            "x": [float(k % 5) for k in range(n)],
            "y": [float(k // 5) for k in range(n)],
            "cluster_id": [1] * n,
            "is_core": [True] * n,
        }
    )
    edges = pl.DataFrame({"account_a": STRINGS[:-1], "account_b": STRINGS[1:], "n_co_actions": [3] * (n - 1)})
    lines = pl.DataFrame({"x": [0.0], "y": [0.0], "x2": [1.0], "y2": [1.0], "cluster_id": [1]})
    drawn = make_figure("network", chart_network(nodes, lines), nodes)
    return Section("coordination", figures=[replace(drawn, graph=pack_network(nodes, edges))])


def examples() -> Section:
    """Posts in others' words, each said to be in a language whose code acts."""
    rows = [{"text": text, "language": text[:60]} for text in STRINGS]
    return Section("narratives", tables=[TableView("examples", "Examples", "", rows, quoted={"text": "language"})])


def quotes() -> tuple[Quote, ...]:
    return tuple(
        Quote(about, text[:300], "2031-05-04", text[:5000], title=text[:300], url=text[:300])
        for about in ("presence", "prevalence", "origin")
        for text in STRINGS
    )


def attributed() -> Section:
    return Section("origin", quote_others(quotes(), about="origin"))


def findings() -> Findings:
    every = " ".join(STRINGS[:-1])
    sentence = f"They wrote “{every.replace('“', '').replace('”', '')}”."
    low = Confidence("low", every)
    observed = Observation(every)
    cited = Citation("Harbour Platform", "2031-05-04", every, title=every, url='javascript:window.pwned=1//"><script>')
    rows = [{"name": text, "<b>column</b>": text, "n": number} for number, text in enumerate(STRINGS)]
    per_day = pl.DataFrame(
        {
            "day": [invented_case.invented.DAY_0.date()] * len(STRINGS),
            "group": [text[:200] for text in STRINGS],
            "n_posts": list(range(1, len(STRINGS) + 1)),
        }
    )
    section = Section(
        "clusters",
        [
            Claim(sentence, "co-action", low, (observed,), every),
            Claim(f"Harbour Platform said: {sentence}", "attributed", low, (cited,), every, is_headline=True),
            Claim(sentence, "inauthentic", low, (Deception(every, every, every),), every),
            Claim(sentence, "coordination", low, (ChanceTest(every, every, n_shuffles=20),), every),
        ],
        [f"“{every}”"],
        [make_figure("per_day", chart_posts_per_day(per_day), per_day)],
        [TableView("rows", STRINGS[1], STRINGS[2], rows, {"name": STRINGS[0]})],
        cards=[Card(STRINGS[1], (), dict(zip(STRINGS, STRINGS, strict=True)), [f"“{every}”"])],
        key_numbers=[KeyNumber(STRINGS[0], STRINGS[2], STRINGS[3])],
    )
    sections = [section, network(), examples(), attributed(), Section("limits", empty_reason=STRINGS[1])]
    about = About(
        name=STRINGS[0],
        title=STRINGS[0] + "x" * 400,
        platform=STRINGS[2],
        origin=STRINGS[3],
        licence=STRINGS[1],
        collected=STRINGS[7],
        source="javascript:window.pwned=1",
        files={STRINGS[0]: STRINGS[1]},
        notes=STRINGS,
        published=tuple(PublishedFigure(text, text, text) for text in STRINGS),
        quoted=quotes(),
    )
    decision = {"stage": STRINGS[0], "action": STRINGS[1], "reason": STRINGS[2], "n_before": 1, "n_after": 0}
    return Findings(
        about,
        sections,
        [decision],
        STRINGS,
        {STRINGS[0]: STRINGS[1], "list": list(STRINGS), "dict": {STRINGS[0]: STRINGS[2]}},
        {
            STRINGS[0]: STRINGS[1],
            "as_of": STRINGS[2],
            "command": STRINGS[1],
            "contact": STRINGS[2],
            "corrections": [
                {"version": 2, "day": "2031-07-01", "reason": text, "changes": list(STRINGS)} for text in STRINGS
            ],
            "notebooks": list(STRINGS),
            "replies": list(STRINGS),
            "version": STRINGS[0],
            "version_of_workbench": STRINGS[2],
        },
    )
