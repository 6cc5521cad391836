"""``python -m tests.fuzz --count 100000 --seed 1 --out fuzz.json``: the long run."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from .harness import fuzz


def main() -> None:
    """Run and report; the exit code is 1 where anything but read or refused came."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    report = fuzz(chosen.count, chosen.seed)
    text = json.dumps(report.as_dict(), indent=2)
    if chosen.out is not None:
        chosen.out.write_text(text + "\n")
    print(text)
    raise SystemExit(1 if report.failures else 0)


if __name__ == "__main__":
    main()
