"""What is installed is pinned: an exact version, the hash of its files, and no host of anybody's named beside it."""

import re
from pathlib import Path

import pytest

from workbench.case import home

LOCKS = ("requirements.lock", "requirements-spark.lock")
# name==1.2.3, perhaps an environment it is for, then its hashes, one a line; comments say what needs it
PIN = re.compile(r"[a-z0-9][a-z0-9._-]*(?:\[[a-z0-9,._-]+\])?==[0-9][0-9a-z.+!]*(?: ; [^\\]+)?")
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")
FOREIGN = re.compile(r"://|@\s|^\s*-(?!-hash=)|index-url|find-links|trusted-host", re.MULTILINE)


def find_loose(text):
    """Entries of a lock that are not pinned by an exact version and at least one hash, and lines that name a host."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    entries = [entry.split() for entry in re.split(r"(?<!\\)\n", "\n".join(lines)) if entry.strip()]
    loose = []
    for words in entries:
        hashes = [word for word in words if word.startswith("--hash")]
        pin = " ".join(word for word in words if word != "\\" and not word.startswith("--hash"))
        if not (PIN.fullmatch(pin) and hashes and all(HASH.fullmatch(word) for word in hashes)):
            loose.append(pin or " ".join(hashes))
    return loose + [match[0].strip() for match in FOREIGN.finditer(text)]


@pytest.mark.parametrize("lock", LOCKS)
def test_every_entry_has_an_exact_version_and_a_hash_and_no_host_is_named(lock):
    text = (Path(home()) / lock).read_text(encoding="utf-8")
    assert "--hash=sha256:" in text, "or the test would prove nothing"
    assert find_loose(text) == []


GOOD = (
    f"polars==2.0.1 ; python_full_version >= '3.12' \\\n    --hash=sha256:{'a' * 64} \\\n    --hash=sha256:{'b' * 64}\n"
)


def test_a_sound_entry_is_let_through():
    assert find_loose(f"# made by hand\n{GOOD}    # via numpy\n{GOOD}") == []


@pytest.mark.parametrize(
    "entry",
    [
        "polars==2.0.1\n",
        GOOD.replace("==", ">="),
        GOOD.replace("2.0.1", "2.*"),
        GOOD.replace("sha256", "md5"),
        GOOD.replace("a" * 64, "a" * 40),
        f"{GOOD}    # via numpy\nnumpy==2.4.6\n    # via polars\n",
        f"polars @ https://tidehaven.example/b \\\n    --hash=sha256:{'a' * 64}\n",
        f"--index-url https://tidehaven.example/a\n{GOOD}",
        f"--find-links wheels\n{GOOD}",
        f"-e .\n{GOOD}",
        f"# made with --index-url https://tidehaven.example/a\n{GOOD}",
    ],
)
def test_a_loose_entry_is_found(entry):
    assert find_loose(entry)


def test_the_audit_looks_at_every_lock_and_changes_no_environment_that_others_use():
    rules = (Path(home()) / "Makefile").read_text(encoding="utf-8")
    audit = re.search(r"^audit:.*\n((?:\t.*\n)+)", rules, re.MULTILINE)[1]
    assert [lock for lock in LOCKS if f"--requirement {lock}" not in audit] == []
    assert "$(PIP) install" not in audit, "that is the environment of all other commands"
