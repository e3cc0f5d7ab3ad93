"""The same tables however the input was sorted and however many threads there are; `make determinism` has the rest."""

import hashlib
import os
import subprocess
import sys

import pytest
from determinism import THREADS, compare_reports, shuffle_rows

import workbench as wb
from workbench.simulate import simulate_release

TRACES = ["repost", "url", "hashtag_sequence", "same_text"]
HASH_TABLES = f"""
import sys
import workbench as wb
release = wb.load_release(sys.argv[1])
actions = wb.extract_actions(release.posts, traces={TRACES})
edges = wb.count_co_actions(actions, time_window_s=60)
scored = wb.score_edges(edges, actions, time_window_s=60, n_shuffles=2, seed=7)
for table in (actions, edges, scored, wb.profile_accounts(release.accounts, release.posts)):
    sys.stdout.write(table.write_csv())
"""


@pytest.fixture(scope="module")
def datasets(tmp_path_factory):
    """A synthetic release, and the same with its rows in another order."""
    root = tmp_path_factory.mktemp("determinism")
    plain = simulate_release(root / "plain" / "tiny", n_accounts=1_000, n_posts=5_000, seed=11)
    shuffle_rows(plain, root / "shuffled" / "tiny", seed=5)
    return plain, root / "shuffled" / "tiny"


def hash_tables(dataset, n_threads):
    environment = {**os.environ, **dict.fromkeys(THREADS, str(n_threads))}
    done = subprocess.run(
        [sys.executable, "-c", HASH_TABLES, str(dataset)], env=environment, capture_output=True, check=True
    )
    assert len(done.stdout) > 100_000
    return hashlib.sha256(done.stdout).hexdigest()


def test_a_release_is_the_same_however_its_files_are_sorted(datasets):
    plain, shuffled = (wb.load_release(place) for place in datasets)
    assert plain.about.files != shuffled.about.files
    assert plain.accounts.equals(shuffled.accounts)
    assert plain.posts.equals(shuffled.posts)
    assert plain.decisions.equals(shuffled.decisions)


def test_tables_are_the_same_with_one_thread_and_rows_shuffled_as_with_four(datasets):
    plain, shuffled = datasets
    assert hash_tables(plain, 4) == hash_tables(shuffled, 1)


def test_reports_are_graded_file_by_file(tmp_path):
    for name, version, figure in (("one", "2.4.6", "1"), ("other", "2.5.5", "2")):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "findings.json").write_text(f'{{"provenance": {{"versions": {{"numpy": "{version}"}}}}}}')
        (folder / "sums.txt").write_text(hashlib.sha256(name.encode()).hexdigest())
        (folder / "figure.csv").write_text(figure)
        (folder / "page.html").write_text("the same")
        (folder / "manifest.json").write_text(name)
    (tmp_path / "one" / "more.csv").write_text("")
    assert compare_reports(tmp_path / "one", tmp_path / "other") == {
        "figure.csv": "other",
        "findings.json": "same but for versions and checksums",
        "more.csv": "other",
        "page.html": "same",
        "sums.txt": "same but for versions and checksums",
    }
