"""Workers of a local Ray cluster beside the plain command: images a second.

    python benchmarks/ray_workers.py [--images 200] [--workers 1 2 4] [--method ultrasound-fast]

Each way segments the same generated scans in a process of its own, writing masks and overlays. The
rate counts from the first result to the last, so that the start of the cluster, given beside it,
does not. Ray is an extra: pip install 'breastseg[ray]'. Prints Markdown.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from breastseg.data.phantoms.ultrasound import write_phantoms
from breastseg.results.journal import JOURNAL_NAME


def timed(scans: Path, out: Path, method: str, words: list[str]) -> dict[str, float]:
    """One way: when its first result came, and how many a second from then on."""
    command = [sys.executable, "-m", "breastseg.cli.main", "segment", str(scans), "--quiet"]
    begun = time.monotonic()
    process = subprocess.Popen([*command, "--method", method, "--out", str(out), *words])
    journal = out / JOURNAL_NAME
    seen: list[tuple[float, int]] = []  # when so many results were there
    while process.poll() is None:
        time.sleep(0.02)
        try:
            done = journal.read_text().count('{"entry"')
        except FileNotFoundError:
            continue
        if done > (seen[-1][1] if seen else 0):
            seen.append((time.monotonic(), done))
    if process.returncode:
        raise SystemExit(f"{' '.join(words)}: exit code {process.returncode}")
    (first, some), (last, most) = seen[0], seen[-1]
    return {"start": first - begun, "rate": (most - some) / max(last - first, 1e-9)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 2, 4])
    parser.add_argument("--method", default="ultrasound-fast")
    options = parser.parse_args()
    ways = {"the plain command, --threads 1": ["--threads", "1"], "the plain command": []}
    ways |= {f"{n} workers": ["--ray", "local", "--threads", str(n)] for n in options.workers}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_phantoms(root / "study", options.images, 0)
        print("| way | first result after, s | images per second |")
        print("|---|---|---|")
        for number, (name, words) in enumerate(ways.items()):
            one = timed(root / "study" / "images", root / str(number), options.method, words)
            print(f"| {name} | {one['start']:.1f} | {one['rate']:.1f} |", flush=True)
    print(f"\n{options.images} images, load {os.getloadavg()[0]:.0f}")


if __name__ == "__main__":
    main()
