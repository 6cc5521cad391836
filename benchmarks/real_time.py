"""Images a second of the shipped ultrasound networks on one CPU core, in turn in one run.

    python benchmarks/real_time.py [--seconds 20]

One image of 256x256 at a time through the network alone, without reading and drawing; the flipped
image, which `ultrasound` averages in as shipped, is not counted. Prints the median and, since other
work on the machine only ever slows a network down, the fastest.
"""

from __future__ import annotations

import argparse
import os
from statistics import median
from time import perf_counter

from breastseg.inference.bundle_folder import MODEL, read_bundle
from breastseg.inference.catalogue import shipped_bundles
from breastseg.inference.session import OnnxNetwork

NAMES = ("ultrasound", "ultrasound-fast")


def main() -> None:
    """Time both."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--seconds", type=float, default=20, help="of the whole run")
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    networks, times = {}, {name: [] for name in NAMES}
    for name in NAMES:
        folder = shipped_bundles()[name]
        networks[name] = OnnxNetwork(folder / MODEL, read_bundle(folder).input, 1)
    from breastseg.export.parity import seeded_inputs

    images = seeded_inputs(read_bundle(shipped_bundles()[NAMES[0]]).input, 1)
    end = perf_counter() + options.seconds
    while perf_counter() < end:
        for name, network in networks.items():
            began = perf_counter()
            network(images)
            times[name].append(perf_counter() - began)
    print("| bundle | MB | images a second, median | fastest |\n|---|---|---|---|")
    for name, seconds in times.items():
        size = (shipped_bundles()[name] / MODEL).stat().st_size / 1e6
        print(f"| {name} | {size:.2f} | {1 / median(seconds):.0f} | {1 / min(seconds):.0f} |")


if __name__ == "__main__":
    main()
