"""A run that is killed again and again, and resumed, against one that is not.

    python benchmarks/kill_proof.py [--images 1000] [--kills 5] [--method otsu]

Generates images, segments them once unbroken and once with so many SIGKILLs at even distances, each
followed by ``--resume``, and compares every file that the two runs leave, byte by byte. Prints
Markdown; the exit code is 1 where anything differs.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from breastseg.io.write import write_png
from breastseg.results.document import JSON_NAME, read_document
from breastseg.results.journal import JOURNAL_NAME

POLL_S = 0.05


def image(seed: int) -> np.ndarray:
    """A dark disc somewhere on noise; (120, 160) uint8."""
    generator = np.random.default_rng(seed)
    pixels = generator.integers(140, 200, (120, 160), np.uint8)
    rows, columns = np.indices(pixels.shape)
    row, column, radius = generator.integers((40, 40, 8), (80, 120, 30))
    pixels[(rows - row) ** 2 + (columns - column) ** 2 < radius**2] = 30
    return pixels


def command(scans: Path, out: Path, method: str, *more: str) -> list[str]:
    """A run of the command line on one core."""
    words = [sys.executable, "-m", "breastseg.cli.main", "segment", str(scans), "--quiet"]
    return [*words, "--method", method, "--threads", "1", "--out", str(out), *more]


def entries_done(out: Path) -> int:
    """How many entries the journal of a run holds."""
    try:
        text = (out / JOURNAL_NAME).read_bytes()
    except FileNotFoundError:
        return 0
    return sum(line.startswith(b'{"entry"') for line in text.splitlines())


def killed_after(entries: int, words: list[str], out: Path) -> int:
    """Run until so many entries are done, then SIGKILL; returns how many there are then."""
    process = subprocess.Popen(words)
    while process.poll() is None and entries_done(out) < entries:
        time.sleep(POLL_S)
    if process.poll() is not None:
        raise SystemExit(f"the run ended before {entries} entries were done")
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    return entries_done(out)


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file, by its name."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--method", default="otsu")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        scans, whole, broken = root / "scans", root / "whole", root / "broken"
        for number in range(chosen.images):
            write_png(scans / f"{number:05d}.png", image(number))
        subprocess.run(command(scans, whole, chosen.method), check=True)
        kept, more = [], ()
        for number in range(1, chosen.kills + 1):
            wanted = number * chosen.images // (chosen.kills + 1)
            words = command(scans, broken, chosen.method, *more)
            kept.append(killed_after(wanted, words, broken))
            more = ("--resume",)
        subprocess.run(command(scans, broken, chosen.method, *more), check=True)
        one, other = digests(whole), digests(broken)
        differ = sorted(name for name in {*one, *other} if one.get(name) != other.get(name))
        done = len(read_document(broken / JSON_NAME).entries)
    print("| images | killed after | entries at the end | files | files that differ |")
    print("|---|---|---|---|---|")
    print(f"| {chosen.images} | {kept} | {done} | {len(one)} | {len(differ)} |")
    for name in differ[:20]:
        print(f"- {name}")
    raise SystemExit(bool(differ) or done != chosen.images)


if __name__ == "__main__":
    main()
