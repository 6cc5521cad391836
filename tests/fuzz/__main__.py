"""``python -m tests.fuzz --count 100000 --seed 1 --out fuzz.json``: the long run."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from .harness import Report, fuzz


def main() -> None:
    """Run and report; the exit code is 1 where anything but read or refused came."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()

    def tell(report: Report) -> None:
        if chosen.out is not None:
            chosen.out.write_text(json.dumps(report.as_dict(), indent=2) + "\n")

    report = fuzz(chosen.count, chosen.seed, tell)
    tell(report)
    print(json.dumps(report.as_dict(), indent=2))
    raise SystemExit(1 if report.failures else 0)


if __name__ == "__main__":
    main()
