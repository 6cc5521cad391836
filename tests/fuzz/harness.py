"""Feeds damaged files to a process, notices when it dies or hangs, and counts."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from .samples import SAMPLES
from .worker import READY

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 20.0
AHEAD = 50
"""So many cases a process is told before it is asked for the first."""
_WEIGHTS = {
    **{"raster": 5, "dicom": 6, "volume": 4, "slide": 2, "series": 2, "mask": 2, "annotation": 2},
    **{"bundle": 1, "table": 1, "json": 1, "results": 1, "recipe": 1, "split": 1},
}


@dataclass
class Report:
    """What came of a run.

    Attributes:
        counts: by reader and outcome: ``read``, ``refused``, ``died``, ``hung`` or another.
        headers: by reader, how many had the header as it was.
        peak_mib: the most memory that a process took beyond what all whole files took.
        failures: ``reader index seed`` and what happened, of all that is neither read nor refused.
    """

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    headers: Counter[str] = field(default_factory=Counter)
    peak_mib: float = 0.0
    failures: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, object]:
        """For a JSON file."""
        readers = sorted({reader for reader, _ in self.counts})
        return {
            "cases": sum(self.counts.values()),
            "peak_mib": round(self.peak_mib),
            "readers": {
                reader: {
                    "header kept": self.headers[reader],
                    **{kind: n for (name, kind), n in self.counts.items() if name == reader},
                }
                for reader in readers
            },
            "failures": self.failures,
        }


class Child:
    """A worker process; it is told many cases ahead, so that neither waits for the other."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.fuzz.worker"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._lines: deque[bytes] = deque()
        self._rest = b""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self._given, self._back = self.process.stdin, self.process.stdout
        if self._back.readline() != READY.encode():
            raise RuntimeError("the worker does not start; run python -m tests.fuzz.worker")

    def tell(self, case: str) -> None:
        """Hand a case over; one that has died says so when it is asked."""
        with suppress(BrokenPipeError):
            self._given.write(f"{case}\n".encode())
            self._given.flush()

    def answer(self, seconds: float) -> dict[str, object]:
        """What came of the next case; the process is of no more use where it died or hung."""
        while not self._lines:
            if not self._waits(seconds):
                return {"outcome": "hung"}
            more = os.read(self._back.fileno(), 65536)
            if not more:
                return {"outcome": "died"}
            *whole, self._rest = (self._rest + more).split(b"\n")
            self._lines.extend(whole)
        said: dict[str, object] = json.loads(self._lines.popleft())
        return said

    def _waits(self, seconds: float) -> bool:
        """Whether an answer comes within so much time of the processor, or twenty times that.

        A machine with other work gives a process little; that is no hang.
        """
        before = self._worked()
        for _ in range(20):
            if select.select([self._back], [], [], seconds)[0]:
                return True
            if self._worked() - before > seconds / 2:
                return False
        return False

    def _worked(self) -> float:
        """Seconds of the processor that the process has had."""
        try:
            stat = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="ascii")
        except OSError:  # another system: the clock decides
            return time.monotonic()
        words = stat.rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self) -> None:
        """End it."""
        self.process.kill()
        self.process.communicate()


def fuzz(count: int, seed: int, tell: Callable[[Report], None] = lambda _report: None) -> Report:
    """Open so many damaged files; the same seed gives the same ones.

    Args:
        count: how many.
        seed: of the first; each has its own.
        tell: called with what is known so far, every thousand.
    """
    report, child = Report(), Child()
    cases, told = iter(_cases(count, seed)), deque[str]()
    for number in range(count):
        for case in islice(cases, AHEAD - len(told)):
            told.append(case)
            child.tell(case)
        said = _noted(report, told.popleft(), child.answer(SECONDS))
        if number % 1000 == 999:
            tell(report)
        if said in ("died", "hung"):
            child.stop()
            child = Child()
            for case in told:
                child.tell(case)
    child.stop()
    return report


def _cases(count: int, seed: int) -> Iterator[str]:
    readers = [name for name, weight in _WEIGHTS.items() for _ in range(weight)]
    assert set(readers) == set(SAMPLES)
    for number in range(count):
        yield f"{readers[number % len(readers)]} {number // len(readers)} {seed + number}"


def _noted(report: Report, case: str, answer: Mapping[str, object]) -> str:
    """Count an answer; gives its outcome."""
    reader, said = case.partition(" ")[0], str(answer["outcome"])
    known = said in ("read", "refused", "died", "hung")
    report.counts[reader, said if known else "another exception"] += 1
    report.headers[reader] += bool(answer.get("header"))
    report.peak_mib = max(report.peak_mib, float(str(answer.get("grown_kib", 0))) / 1024)
    if said not in ("read", "refused"):
        report.failures.append(f"{case}: {said}")
    return said
