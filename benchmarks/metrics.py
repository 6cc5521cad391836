"""Time our HD95 and ASSD beside MONAI's on pairs of masks of 512x512 pixels.

    python benchmarks/metrics.py

Of either library both metrics of a pair are timed together: ours come from one set of distances,
MONAI has a function for each. Both run in one process, turn by turn, on one thread; printed is the
median processor time, which other programs on the machine disturb least. Beside it stands the time
of our lesion matching, and by how many pixels the two libraries differ.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable
from statistics import median
from time import process_time

import cv2
import numpy as np
import torch
from monai.metrics import compute_average_surface_distance, compute_hausdorff_distance
from numpy.typing import NDArray
from scipy import ndimage

from breastseg.metrics import match_lesions, surface_distances

Mask = NDArray[np.bool_]
TURNS = 15


def ellipse(row: float, column: float, half_rows: float, half_columns: float) -> Mask:
    rows, columns = np.ogrid[:512, :512]
    inside = ((rows - row) / half_rows) ** 2 + ((columns - column) / half_columns) ** 2
    return np.asarray(inside <= 1)


def pairs() -> dict[str, tuple[Mask, Mask]]:
    noise = np.random.default_rng(0).random((2, 512, 512))
    rough = [ndimage.gaussian_filter(n, 4) > 0.5 for n in noise]
    left = np.arange(512) < 256
    return {
        "small lesion": (ellipse(200, 300, 20, 25), ellipse(204, 296, 18, 30)),
        "large lesion": (ellipse(250, 250, 100, 140), ellipse(260, 240, 110, 120)),
        "concentric, whole image": (ellipse(256, 256, 250, 250), ellipse(256, 256, 200, 200)),
        "one pixel, full image": (ellipse(9, 9, 0.5, 0.5), np.ones((512, 512), bool)),
        "hundreds of regions": (rough[0], rough[1]),
        "hundreds, in other halves": (rough[0] & left, rough[1] & ~left),
        "noise": (noise[0] > 0.5, noise[1] > 0.5),
        "noise, in other halves": ((noise[0] > 0.5) & left, (noise[1] > 0.5) & ~left),
        "noise, one lesion": (noise[0] > 0.5, ellipse(200, 300, 20, 25)),
    }


def time_ms(run: Callable[[], object]) -> float:
    started = process_time()
    run()
    return (process_time() - started) * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--turns", type=int, default=TURNS)
    turns_asked = parser.parse_args().turns
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    warnings.simplefilter("ignore")
    print(f"{'pair':<26}{'ours ms':>10}{'MONAI ms':>10}{'matching ms':>13}{'difference px':>15}")
    for name, (mask, truth) in pairs().items():
        tensors = [torch.from_numpy(m)[None, None].float() for m in (mask, truth)]

        def theirs(batch: list[torch.Tensor] = tensors) -> tuple[float, float]:
            far = compute_hausdorff_distance(*batch, include_background=True, percentile=95)
            mean = compute_average_surface_distance(*batch, include_background=True, symmetric=True)
            return float(far), float(mean)

        def ours(a: Mask = mask, b: Mask = truth) -> tuple[float, float]:
            distances = surface_distances(a, b)
            return distances.hd95, distances.assd

        def matching(a: Mask = mask, b: Mask = truth) -> object:
            return match_lesions(a, b)

        turns = [(time_ms(ours), time_ms(theirs), time_ms(matching)) for _ in range(turns_asked)]
        own, monai, match = (median(column) for column in zip(*turns, strict=True))
        apart = np.abs(np.subtract(ours(), theirs())).max()
        print(f"{name:<26}{own:>10.2f}{monai:>10.2f}{match:>13.2f}{apart:>15.1e}", flush=True)


if __name__ == "__main__":
    main()
