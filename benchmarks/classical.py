"""What one run of each classical method costs, beside the shipped network, in one run.

    python benchmarks/classical.py            phantoms of 512x512 pixels, and one of 4096x3328

Automatic (the finder included) and with a box. Times are medians over repeats in one process that
may use all cores; the rounds go over all methods in turn, so that a busy machine is busy for all.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from statistics import median
from time import perf_counter, process_time

import numpy as np

from breastseg.classical.catalogue import METHODS
from breastseg.core import Box, Grid, Image, Prompt
from breastseg.data.phantoms.ultrasound import make_phantom
from breastseg.inference.methods import MethodSpec
from breastseg.preprocess.geometry import resize

LARGE = (4096, 3328)


def scene(seed: int, size: tuple[int, int]) -> tuple[Image, Prompt]:
    """A phantom with a lesion at a size, and the box around the lesion."""
    made = make_phantom(np.random.default_rng(seed), "benign", (512, 512))
    grey, mask = resize(made.image, size), resize(made.mask, size) >= 0.5
    prompt = Prompt(box=Box.around(mask))
    return Image(np.rint(grey).astype(np.uint8)[None], Grid(size)), prompt


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--large", type=int, nargs=2, default=LARGE, help="rows and columns")
    parser.add_argument("--only", nargs="+", choices=tuple(METHODS), help="these methods")
    given = parser.parse_args()
    scenes = [scene(seed, (512, 512)) for seed in range(given.repeats)]
    large = scene(0, tuple(given.large))
    names = (*(given.only or METHODS), "ultrasound")
    methods = {name: MethodSpec(name, name).open(0) for name in names}
    wall, cpu = defaultdict(list), defaultdict(list)
    for number, (image, prompt) in enumerate([scenes[0], *scenes]):
        for name, method in methods.items():
            runs = {"automatic": None, "box": prompt} if name in METHODS else {"automatic": None}
            for how, hint in runs.items():
                begun, spent = perf_counter(), process_time()
                method.segment(image, hint)
                if number:  # the first round sets up
                    wall[name, how].append(perf_counter() - begun)
                    cpu[name, how].append(process_time() - spent)
    print("| method | automatic ms | CPU ms | with a box ms | CPU ms | 4096x3328, automatic ms |")
    print("|---|---|---|---|---|---|")
    for name, method in methods.items():
        begun = perf_counter()
        method.segment(large[0])
        whole = perf_counter() - begun
        cells = [
            f"{1000 * median(times[name, how]):.0f}" if (name, how) in times else "-"
            for how in ("automatic", "box")
            for times in (wall, cpu)
        ]
        print(f"| {name} | {' | '.join(cells)} | {1000 * whole:.0f} |")


if __name__ == "__main__":
    main()
