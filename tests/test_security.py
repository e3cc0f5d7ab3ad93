"""What may never happen, whatever stands in the data: code that runs, by pickle, YAML, a shell, a formula or a page."""

import ast
import csv
import html
import io
import json
import re
import stat
from pathlib import Path
from types import SimpleNamespace

import hostile
import mistune
import nbformat
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from papermill.parameterize import parameterize_notebook

import workbench
from workbench.cache import Cache
from workbench.findings import Card, Claim, Confidence, Observation, Section
from workbench.keys import read_key
from workbench.narratives import write_narrative_labels
from workbench.notebook_display import show_cards, show_claims
from workbench.report_csv import write_csv
from workbench.schema import ParameterError
from workbench.sharing.indicators import build_indicators
from workbench.sharing.meta import write_meta_sheet
from workbench.sharing.tables import guard_cells, unguard_cells, write_table

MARKDOWN = mistune.create_markdown(escape=False, plugins=["url", "table", "strikethrough"])
ROOT = Path(workbench.__file__).parents[1]
FILES = [
    *sorted((ROOT / "workbench").rglob("*.py")),
    *sorted((ROOT / "notebooks").glob("*.ipynb")),
    *sorted((ROOT / "docs").rglob("*.py")),
]
FORMULAS = ("=1+1", "+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "＝1", "＋1", "－1", "＠x")
STARTS = tuple("=+-@\t\r\n＝＋－＠")
FORBIDDEN = {
    "pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve", "jsonpickle", "yaml", "torch", "pty",
}  # fmt: skip
FORBIDDEN_FUNCTIONS = {"eval", "exec", "compile", "__import__"}
FORBIDDEN_METHODS = {
    "system", "popen", "unsafe_load", "read_pickle", "to_pickle", "deserialize",
    "Read_Pickle", "Read_Picklez", "write_pickle", "write_picklez",
    "run_cell_magic", "run_line_magic", "getoutput", "getstatusoutput",
}  # fmt: skip


def read_code(file):
    """A file's Python; of a notebook its code cells, one after another; a magic of IPython fails here."""
    text = file.read_text(encoding="utf-8")
    if file.suffix != ".ipynb":
        return text
    cells = [cell.source for cell in nbformat.reads(text, 4).cells if cell.cell_type == "code"]
    return "\n".join(cells)


def find_danger(code):
    """What code does that may never be done, as (line, what)."""
    tree = ast.parse(code)
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(node.lineno, a.name) for a in node.names if a.name.split(".")[0] in FORBIDDEN]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            top = (node.module or "").split(".")[0]
            names = {alias.name for alias in node.names}
            taken = names & (FORBIDDEN_METHODS | ({"load", "save"} if top == "numpy" else set()))
            found += [(node.lineno, top)] if top in FORBIDDEN else []
            found += [(node.lineno, f"from {top} import {name}") for name in sorted(taken)]
        elif isinstance(node, ast.Call):
            found += [(node.lineno, what) for what in judge_call(node)]
    return found


def judge_call(call):
    is_method = isinstance(call.func, ast.Attribute)
    name = call.func.attr if is_method else getattr(call.func, "id", "")
    owner = ast.unparse(call.func.value) if is_method else ""
    given = {keyword.arg: getattr(keyword.value, "value", None) for keyword in call.keywords}
    if name in (FORBIDDEN_METHODS if is_method else FORBIDDEN_FUNCTIONS):
        yield name
    # not `shell=False`: a value that is no constant may be true
    if any(k.arg == "shell" and getattr(k.value, "value", True) for k in call.keywords):
        yield "a shell"
    if owner in ("np", "numpy") and name in ("load", "save") and given.get("allow_pickle") is not False:
        yield f"np.{name} may pickle"
    if owner.split(".")[-1] == "Graph" and name in ("Load", "Read"):
        yield f"Graph.{name} takes any format, pickle among them"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_nothing_unpickles_evaluates_or_opens_a_shell(file):
    assert find_danger(read_code(file)) == []


def test_notebooks_and_the_scripts_of_docs_are_looked_at_too():
    kinds = {(file.relative_to(ROOT).parts[0], file.suffix) for file in FILES}
    assert kinds == {("workbench", ".py"), ("notebooks", ".ipynb"), ("docs", ".py")}
    assert all(read_code(file) for file in FILES if file.suffix == ".ipynb")


@pytest.mark.parametrize(
    "code",
    [
        "import pickle",
        "import os, yaml",
        "from joblib import load",
        "from numpy import load",
        "from numpy.lib import load as fetch",
        "from os import system",
        "np.load(file)",
        "numpy.load(file, allow_pickle=True)",
        "np.save(file, array)",
        "ig.Graph.Load(file)",
        "Graph.Read(file)",
        "igraph.Graph.Read_Pickle(file)",
        "Graph.Read_Picklez(file)",
        "graph.write_pickle(file)",
        "pl.LazyFrame.deserialize(file)",
        "pd.read_pickle(file)",
        "os.system(text)",
        "subprocess.run(text, shell=True)",
        "subprocess.run(text, shell=chosen)",
        "eval(text)",
        "exec(text)",
        "get_ipython().run_cell_magic('bash', '', text)",
        "get_ipython().getoutput(text)",
    ],
)
def test_the_search_for_danger_would_find_it(code):
    assert find_danger(code)


@pytest.mark.parametrize(
    "code",
    ["np.load(f, allow_pickle=False)", "Findings.load(f)", "run(a, shell=False)", "re.compile(a)", "Graph.Read_GML(f)"],
)
def test_the_search_for_danger_lets_the_harmless_through(code):
    assert find_danger(code) == []


def cells_of(text):
    return [cell for row in csv.reader(io.StringIO(text.lstrip("\ufeff"), newline="")) for cell in row]


def runs(cell):
    return cell.lstrip(" ").startswith(STARTS)


def test_no_cell_of_a_report_runs_as_a_formula():
    rows = [{f"{formula} column": formula for formula in FORMULAS}]
    assert not [cell for cell in cells_of(write_csv(rows)) if runs(cell)]


def test_no_cell_of_a_package_runs_as_a_formula(tmp_path):
    table = pl.DataFrame({"text": FORMULAS, "handle": FORMULAS, "n": range(len(FORMULAS))})
    text = write_table(table, tmp_path / "t.csv").read_bytes().decode("utf-8-sig")
    assert not [cell for cell in cells_of(text) if runs(cell)]


@pytest.mark.parametrize("layout", ["killchain", "flat"])
def test_no_cell_of_a_sheet_runs_as_a_formula(tmp_path, layout):
    rows = [{"indicator_value": f, "procedure": f, "note": f, "tactic": f, "technique": f} for f in FORMULAS]
    path = write_meta_sheet(build_indicators(rows), tmp_path / "m.csv", layout=layout)
    assert not [cell for cell in cells_of(path.read_bytes().decode("utf-8-sig")) if runs(cell)]


def test_no_text_of_a_label_file_runs_as_a_formula(tmp_path):
    cards = pl.DataFrame(
        {
            "narrative_id": range(len(FORMULAS)),
            "terms": [[formula] for formula in FORMULAS],
            "n_posts": [1] * len(FORMULAS),
            "exemplars": [[formula] for formula in FORMULAS],
            "fingerprints": [[f"f{n}"] for n in range(len(FORMULAS))],
        },
        schema_overrides={"narrative_id": pl.Int64},
    )
    narratives = SimpleNamespace(cards=cards)
    write_narrative_labels(narratives, tmp_path / "labels.csv")
    assert not [cell for cell in cells_of((tmp_path / "labels.csv").read_text()) if runs(cell)]


@settings(deadline=None)
@given(st.text())
def test_a_guarded_cell_comes_back_as_it_was(text):
    guarded = guard_cells(pl.Series([text]))
    assert unguard_cells(guarded).item() == text
    assert not runs(guarded.item())


@settings(deadline=None, max_examples=30)
@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_a_parameter_is_a_value_whatever_it_says(text):
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell("a = ''", metadata={"tags": ["parameters"]})],
        metadata={"kernelspec": {"name": "python3", "language": "python", "display_name": "p"}, "papermill": {}},
    )
    cell = parameterize_notebook(notebook, {"a": text}).cells[1]
    (line,) = ast.parse(cell.source).body
    assert isinstance(line, ast.Assign)
    assert ast.literal_eval(line.value) == text


def test_notebooks_show_hostile_text_as_text():
    text = "<script>window.pwned=1</script><img src=x onerror=window.pwned=1>"
    assert "<script" not in pl.DataFrame({text: [text]})._repr_html_()
    assert "<img" not in pl.DataFrame({"a": [[text]], "b": [{"c": text}]})._repr_html_()
    claim = Claim(f"They wrote “{text}”.", "co-action", Confidence("low", text), (Observation(text),), text)
    shown = json.dumps(show_claims(Section("clusters", [claim]))._repr_mimebundle_())
    assert "text/html" not in shown
    assert "<script" not in show_claims(Section("clusters", [claim]))._repr_mimebundle_()["text/markdown"]


@pytest.mark.parametrize(
    "text",
    [
        *[text.replace("“", "'").replace("”", "'") for text in hostile.STRINGS],
        "![x](http://192.0.2.1/p.png)",
        "a\n\n[r]: http://192.0.2.1/p.png\n\n![r]",
        "http://192.0.2.1/p www.tracker.example tips@tracker.example",
        "**bold** _slanted_ `code` ~~gone~~ | cell | \\![x](http://192.0.2.1/p.png) &#33;[x](http://192.0.2.1/p.png)",
    ],
)
def test_marks_of_markdown_in_claims_and_cards_stay_signs(text):
    """Read as JupyterLab reads them: with tables, strokes and bare addresses taken for links."""
    low = Confidence("low", text)
    claim = Claim(f"They wrote “{text}”.", "co-action", low, (Observation(text),), text)
    section = Section("clusters", [claim], cards=[Card(text, (claim,), {text: text}, [text])])
    for show in (show_claims, show_cards):
        page = str(MARKDOWN(show(section)._repr_mimebundle_()["text/markdown"]))
        assert set(re.findall(r"<(\w+)", page)) <= {"p", "ul", "li", "em", "strong"}, page
        said = re.sub(r"\s", "", html.unescape(re.sub("<[^>]*>", "", page)))
        assert re.sub(r"\s", "", f"They wrote “{text}”.") in said


def test_a_key_and_what_is_kept_are_their_owners_alone(tmp_path):
    read_key(tmp_path / "keys" / "key")
    assert stat.S_IMODE((tmp_path / "keys" / "key").stat().st_mode) == 0o600
    cache = Cache(tmp_path / "cache")
    cache.keep(pl.DataFrame.clone, pl.DataFrame({"a": [1]}))
    entry = next((tmp_path / "cache").iterdir())
    assert stat.S_IMODE(entry.stat().st_mode) == stat.S_IMODE(entry.parent.stat().st_mode) == 0o700


def test_an_object_that_would_need_pickle_is_refused(tmp_path):
    with pytest.raises(ParameterError, match="without pickle"):
        Cache(tmp_path).keep(_make_an_object)


def _make_an_object():
    return object()
