"""JupyterLab itself: each notebook opened and run in the browser, and every chart and table of it shows."""

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

from workbench.case import home
from workbench.simulate import simulate_release

pytestmark = [pytest.mark.browser, pytest.mark.notebook]

CHART = "application/vnd.vegalite.v5+json"
ALL_IN_PAGE = {"windowingMode": "none"}  # else Lab takes cells that are out of sight out of the page
MOST_S = 240
START_S = 60


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A workbench folder with a small synthetic release in place of the demo, and the notebooks in few shuffles."""
    root = tmp_path_factory.mktemp("lab")
    made = simulate_release(root / "made", n_accounts=1_000, n_posts=8_000, seed=11)
    shutil.copytree(made, root / "datasets" / "demo")
    shutil.copytree(home() / "datasets" / "demo_state_media", root / "datasets" / "demo_state_media")
    shutil.copytree(home() / "notebooks", root / "notebooks")
    for file in (root / "notebooks").glob("*.ipynb"):
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace("n_shuffles = 20", "n_shuffles = 2"), encoding="utf-8")
    settings = root / "settings" / "@jupyterlab" / "notebook-extension" / "tracker.jupyterlab-settings"
    settings.parent.mkdir(parents=True)
    settings.write_text(json.dumps(ALL_IN_PAGE), encoding="utf-8")
    return root


@pytest.fixture(scope="module")
def lab(folder) -> Iterator[str]:
    """JupyterLab on a free loopback port, with settings and key of its own; the address with its token."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(16)
    places = {"JUPYTER_CONFIG_DIR": "config", "JUPYTER_DATA_DIR": "data", "JUPYTER_RUNTIME_DIR": "runtime"}
    places |= {
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
        "IPYTHONDIR": "ipython",
    }
    environment = {**os.environ, **{name: str(folder / place) for name, place in places.items()}}
    environment |= {"WORKBENCH_HOME": str(folder), "WORKBENCH_KEY_FILE": str(folder / "key"), "PYTHONPATH": str(home())}
    options = [
        f"--port={port}",
        "--ip=127.0.0.1",
        "--no-browser",
        "--allow-root",
        "--LabApp.expose_app_in_browser=True",
    ]
    options += [f"--IdentityProvider.token={token}"]
    command = [sys.executable, "-m", "jupyterlab", *options, "--ServerApp.port_retries=0", f"--notebook-dir={folder}"]
    with (folder / "lab.log").open("w") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
        try:
            _wait_for(f"http://127.0.0.1:{port}/api?token={token}", server, folder / "lab.log")
            yield f"http://127.0.0.1:{port}/lab/tree/notebooks/{{}}?reset&token={token}"
        finally:
            os.killpg(server.pid, signal.SIGTERM)  # the server and the kernels it started
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(server.pid, signal.SIGKILL)


def _wait_for(address: str, server: subprocess.Popen, log: Path) -> None:
    until = time.monotonic() + START_S
    while time.monotonic() < until and server.poll() is None:
        try:
            urllib.request.urlopen(address, timeout=2).close()
        except OSError:
            time.sleep(0.3)
        else:
            return
    pytest.fail(f"JupyterLab did not start: {log.read_text()[-2000:]}")


def run_all(page, address: str, file: Path) -> list[dict]:
    """Open a notebook, run all cells, save, and return its outputs as saved."""
    page.goto(address.format(file.name))
    page.locator(".jp-NotebookPanel .jp-CodeCell").first.wait_for(timeout=START_S * 1_000)
    page.wait_for_function("() => window.jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel")
    page.evaluate("async () => { await window.jupyterapp.restored; }")
    page.evaluate("async () => { await window.jupyterapp.commands.execute('notebook:run-all-cells'); }")
    page.evaluate("async () => { await window.jupyterapp.commands.execute('docmanager:save'); }")
    return [out for cell in nbformat.read(file, 4).cells for out in cell.get("outputs", [])]


@pytest.mark.skipif(sys.platform == "win32", reason="process groups differ")
def test_every_notebook_runs_and_every_chart_and_table_shows(browser, folder, lab):
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    context.set_default_timeout(MOST_S * 1_000)
    asked: set[str] = set()
    context.on("request", lambda request: asked.add(request.url.split("/")[2]))
    shown = {}
    for file in sorted((folder / "notebooks").glob("*.ipynb")):
        page = context.new_page()
        outputs = run_all(page, lab, file)
        assert [out for out in outputs if out.output_type == "error"] == [], file.name
        forms = [set(out.get("data", {})) for out in outputs]
        n_charts = sum(CHART in form for form in forms)
        n_tables = sum("text/html" in form for form in forms)
        charts = page.locator(".jp-OutputArea-output .vega-embed :is(svg, canvas).marks")
        page.wait_for_function(
            f"() => document.querySelectorAll('.vega-embed :is(svg, canvas).marks').length >= {n_charts}",
            timeout=30_000,
        )
        tables = page.locator(".jp-OutputArea-output table.dataframe")
        assert charts.count() == n_charts, f"{file.name}: {charts.count()} of {n_charts} charts show"
        assert tables.count() == n_tables, f"{file.name}: {tables.count()} of {n_tables} tables show"
        assert all(charts.nth(n).bounding_box()["width"] > 100 for n in range(n_charts))
        shown[file.stem] = (n_charts, n_tables)
        page.close()
    context.close()
    assert len(shown) == 7
    assert sum(n for n, _ in shown.values()) >= 12
    assert shown["02_find_coordination"][0] >= 3, "among them the network"
    assert {host.partition(":")[0] for host in asked} == {"127.0.0.1"}, "JupyterLab asks nothing of the network"
