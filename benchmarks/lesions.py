"""What it costs to cut the lesions out of a map, beside scikit-image's regionprops.

    python benchmarks/lesions.py

A volume of 100x320x320 voxels with 125 lesions, and a mammogram of 4084x3328 pixels with 20.
Seconds are the least of several runs. Memory is what numpy has asked for: at the highest, and kept.
"""

from __future__ import annotations

import argparse
import tracemalloc
from collections.abc import Callable
from functools import partial
from itertools import product
from time import perf_counter

import numpy as np
from skimage.measure import label, regionprops

from breastseg.core import Grid, Prediction, Provenance

SCENES = {
    "100x320x320 voxels, 125 lesions": ((100, 320, 320), (5, 5, 5), 4.0),
    "4084x3328 pixels, 20 lesions": ((4084, 3328), (5, 4), 90.0),
}


def scene(shape: tuple[int, ...], counts: tuple[int, ...], radius: float) -> Prediction:
    """A map with balls or discs on a lattice, 0.9 in each and 0.1 around them."""
    probability = np.full(shape, 0.1, np.float32)
    reach = int(radius) + 1
    offsets = np.indices((2 * reach + 1,) * len(shape)) - reach
    ball = (offsets**2).sum(axis=0) <= radius**2
    for place in product(*map(range, counts)):
        middles = [int((i + 0.5) * n / c) for i, n, c in zip(place, shape, counts, strict=True)]
        around = tuple(slice(middle - reach, middle + reach + 1) for middle in middles)
        probability[around][ball] = 0.9
    return Prediction(probability, Grid(shape), Provenance("made", "1"))


def by_scikit_image(prediction: Prediction) -> list[object]:
    """The same with scikit-image: label, then every region's crop, box, area, mean and maximum."""
    numbers = label(
        prediction.probability >= prediction.threshold, connectivity=prediction.grid.ndim
    )
    return [
        (one.image, one.bbox, one.area, one.intensity_mean, one.intensity_max)
        for one in regionprops(numbers, prediction.probability)
    ]


def cost(work: Callable[[], object], repeats: int) -> tuple[float, float, float]:
    """Seconds; MB at the highest; MB kept."""
    seconds = []
    for _ in range(repeats):
        begun = perf_counter()
        work()
        seconds.append(perf_counter() - begun)
    tracemalloc.start()
    kept = work()
    now, highest = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del kept
    return min(seconds), highest / 1e6, now / 1e6


def main() -> None:
    """Measure both, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args()
    print("| map | by | lesions | seconds | MB at the highest | MB kept | a label map is MB |")
    print("|---|---|---|---|---|---|---|")
    for name, (shape, counts, radius) in SCENES.items():
        made = scene(shape, counts, radius)
        runs = {"breastseg": made.lesions, "scikit-image": partial(by_scikit_image, made)}
        label_map = 4 * made.grid.size / 1e6
        for by, work in runs.items():
            seconds, highest, kept = cost(work, given.repeats)
            cells = f"{len(work())} | {seconds:.3f} | {highest:.1f} | {kept:.2f} | {label_map:.0f}"
            print(f"| {name} | {by} | {cells} |")


if __name__ == "__main__":
    main()
