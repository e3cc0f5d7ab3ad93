"""One damaged input read and judged: read whole, refused with advice, or broken, and how.

The promise judged: a reader gives what it read with every record accounted for, or raises a WorkbenchError that says
what to do; within seconds, within a stated memory, and without touching what it reads.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import random
import re
import signal
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fuzz_mutations import FILE_NAMES, damage
from fuzz_records import find_loss
from fuzz_samples import Sample, list_samples

from workbench.schema import WorkbenchError

MAX_SECONDS = 20
MAX_SECONDS_PER_MB = 3
FREE_BYTES = 150_000_000
MAX_MULTIPLE = 60
"""memory a reader may take beyond `FREE_BYTES`, in multiples of the unpacked input"""
MAX_UNPACKED = 200_000_000
"""bytes of an archive that count as input at most, however much comes out of it"""
_PACKED_WRONG = (OSError, EOFError, ValueError, RuntimeError, zlib.error, zipfile.BadZipFile)
_ADVICE = re.compile(
    r"\b(?:Add|Ask|Check|Choose|Compare|Correct|Declare|Decrypt|Delete|Did you mean|Do not|Drop|Export|Fetch|"
    r"For another|Give|Is it|Known|Load|Look|Make|Mend|Move|Pass|Put|Read it|Refused|Remove|Rename|Restore|Run|Save|"
    r"Say|See|Set|Split|Take|There are|Unpack|Use|Write|allowed|put them)\b|rename '"
)


@dataclass(frozen=True)
class Outcome:
    """What became of one input."""

    sample: str
    seed: int
    mutation: str
    verdict: str
    """read, refused or broken"""
    said: str
    """the error, if any, or what was broken"""
    seconds: float
    """processor time"""
    n_bytes: int
    peak_bytes: int


class TooSlowError(BaseException):
    """Not an Exception, so that no reader takes it for a fault of its own."""


def try_input(name: str, seed: int, *, read: Callable[[Path], Any] | None = None) -> Outcome:
    """Return what the reader of this sample, or another, makes of the damage this seed stands for."""
    sample = list_samples()[name]
    sample = replace(sample, read=read or sample.read)
    rng = random.Random(f"{name} {seed}")
    content, mutation = damage(rng, sample.files[sample.damaged], form=sample.form)
    files = {**sample.files, sample.damaged: content}
    with suppress(ValueError, KeyError, TypeError):  # past mending, the checksum stops the reader: judged all the same
        files = sample.mend(files)
    file_name = rng.choice(FILE_NAMES) if not sample.is_folder and rng.random() < 0.02 else sample.damaged
    n_unpacked = measure_unpacked(content)
    seconds_allowed = MAX_SECONDS + MAX_SECONDS_PER_MB * n_unpacked // 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        try:
            path = _write(sample, files, place, name=file_name)
        except OSError:  # no file system takes the name, but a person may still type it
            path = place / file_name
        before = _fingerprint(place)
        began, floor = time.process_time(), _reset_peak()
        verdict, said = _judge(name, sample, path, files, seconds=seconds_allowed)
        seconds, peak = time.process_time() - began, max(0, _peak() - floor)
        if _fingerprint(place) != before:
            verdict, said = "broken", "a source file was changed, or one was left behind"
    n_bytes = n_unpacked + sum(map(len, files.values()))
    if peak > FREE_BYTES + MAX_MULTIPLE * n_bytes:
        verdict, said = "broken", f"took {peak:,} bytes of memory for {n_bytes:,} bytes of input"
    return Outcome(name, seed, mutation, verdict, said, seconds, n_bytes, peak)


def _judge(name: str, sample: Sample, path: Path, files: dict[str, bytes], *, seconds: int) -> tuple[str, str]:
    try:
        with _time_bound(seconds):
            result = sample.read(path)
    except WorkbenchError as error:
        said = f"{type(error).__name__}: {error}"
        return ("refused", said) if _ADVICE.search(str(error)) else ("broken", f"gives no advice: {said}")
    except TooSlowError:
        return "broken", "took too long"
    except BaseException as error:  # a panic of polars is no Exception
        if isinstance(error, KeyboardInterrupt | SystemExit):
            raise
        return "broken", f"{type(error).__name__}: {str(error)[:300]}"
    fault = find_loss(name, sample, result, files)
    return ("broken", fault) if fault else ("read", "")


def _write(sample: Sample, files: dict[str, bytes], place: Path, *, name: str) -> Path:
    for file, content in files.items():
        target = place / (name if file == sample.damaged else file)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return place if sample.is_folder else place / name


def _fingerprint(folder: Path) -> dict[str, str]:
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    return {str(file): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def measure_unpacked(content: bytes) -> int:
    """Return how many bytes really come out of an archive, at most `MAX_UNPACKED`; what it claims counts for nothing.

    A member that ends in an error counts as what came out before it.
    """
    total = 0
    with suppress(*_PACKED_WRONG):
        if content.startswith(b"\x1f\x8b"):
            with gzip.open(io.BytesIO(content)) as stream:
                for piece in _read_pieces(stream):
                    total += len(piece)
                    if total >= MAX_UNPACKED:
                        break
        elif content.startswith(b"PK"):
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                total = sum(_measure_member(archive, info) for info in archive.infolist())
    return max(len(content), min(total, MAX_UNPACKED))


def _measure_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> int:
    total = 0
    with suppress(*_PACKED_WRONG), archive.open(info) as stream:
        for piece in _read_pieces(stream):
            total += len(piece)
            if total >= MAX_UNPACKED:
                break
    return total


def _read_pieces(stream: Any) -> Iterator[bytes]:
    return iter(lambda: stream.read(1_000_000), b"")


@contextmanager
def _time_bound(seconds: int) -> Generator[None]:
    def stop(*_: Any) -> None:
        raise TooSlowError

    # Processor time: a busy machine makes no reader slow. Who sleeps for ever is caught by run_fuzz's own clock.
    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _reset_peak() -> int:
    """Forget the highest memory of this process so far and return what it holds now; 0 where no Linux tells."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return 0
    return _read_status("VmRSS")


def _peak() -> int:
    return _read_status("VmHWM") if Path("/proc/self/status").exists() else 0


def _read_status(key: str) -> int:
    found = re.search(rf"{key}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) * 1024 if found else 0
