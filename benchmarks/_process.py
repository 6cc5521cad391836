"""One command in a process of its own: its seconds and the most memory that it takes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass

STOPWATCH = """
import resource, subprocess, sys, time
began = time.perf_counter()
done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL)
wall = time.perf_counter() - began
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)
sys.exit(done.returncode)
"""
# Starts the command from a small process: Linux counts in a child's peak what the process that
# started it held at that moment, and the one that measures may hold torch.


@dataclass(frozen=True)
class Cost:
    """What one run of a command took: ``wall_s`` and ``cpu_s`` in seconds, ``peak_mb`` in MiB."""

    wall_s: float
    cpu_s: float
    peak_mb: float


def cost_of(command: Sequence[str]) -> Cost:
    """Run ``command`` to its end.

    Raises:
        SystemExit: the command failed; its standard error has been shown.
    """
    done = subprocess.run(
        [sys.executable, "-S", "-c", STOPWATCH, *command],
        check=False,
        stdout=subprocess.PIPE,
        text=True,
    )
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed")
    return Cost(*map(float, done.stdout.split()))
