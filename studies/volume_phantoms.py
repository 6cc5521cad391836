"""How well a bundle for volumes outlines synthetic studies that it never saw.

    python studies/volume_phantoms.py BUNDLE [--count 20] [--seed 3]

Prints Markdown: Dice a study at its own grid (1 where truth and prediction are both empty),
lesions found (any overlap) by diameter, and false positives. The recipe trains on seed 1 and
watches seed 2, so seed 3 holds others. Results on phantoms say nothing of results on patients.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from _study import options_of
from breastseg.core import Case
from breastseg.core.regions import connected_regions
from breastseg.data.phantoms.volume import volume_phantoms
from breastseg.inference.methods import bundle_folder
from breastseg.inference.volume_segmenter import VolumeSegmenter
from breastseg.metrics.overlap import dice

SMALL_MM = 8.0
SHAPE = (48, 160, 160)


def main() -> None:
    """Run the bundle on one study after the other and sum up."""
    parser = options_of(__doc__)
    parser.add_argument("bundle", help="a bundled model for volumes, or the folder of one")
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--shape", type=int, nargs=3, default=SHAPE, help="in voxels")
    parser.add_argument("--threads", type=int, default=0, help="0 for all cores")
    options = parser.parse_args()
    segmenter = VolumeSegmenter(bundle_folder(options.bundle), options.threads)
    scores: list[float] = []
    small: list[float] = []
    large: list[float] = []
    false: list[int] = []
    print("| case | label | Dice | lesions: mm, Dice | false positives: mm3 |")
    print("|---|---|---|---|---|")
    cases = volume_phantoms(
        options.count, options.seed, tuple(options.shape), phases=segmenter.spec.channels
    )
    for case in cases:
        assert case.mask is not None
        prediction = segmenter.segment(case.images[0])
        truth, found = case.mask.foreground, prediction.mask().foreground
        alarms = [
            round(lesion.area_px * voxel_mm3(case))
            for lesion in prediction.lesions()
            if not lesion.values(truth).any()
        ]
        lesions = list(each_lesion(case, found))
        scores.append(dice(found, truth))
        false.append(len(alarms))
        for diameter, score in lesions:
            (small if diameter < SMALL_MM else large).append(score)
        told = ", ".join(f"{diameter:.0f}: {score:.2f}" for diameter, score in lesions)
        print(
            f"| {case.case_id} | {case.label} | {scores[-1]:.3f} | {told} | {alarms} |", flush=True
        )
    print(
        f"\n{len(scores)} studies: Dice {np.mean(scores):.3f} on average, "
        f"{np.median(scores):.3f} in the middle; {np.mean(false):.2f} false positives each."
    )
    for name, values in ((f"below {SMALL_MM:g} mm", small), (f"from {SMALL_MM:g} mm", large)):
        if values:
            print(
                f"{len(values)} lesions {name}: {np.mean(np.array(values) > 0):.0%} found, "
                f"Dice {np.mean(values):.3f} on average."
            )


def voxel_mm3(case: Case) -> float:
    """Volume of a voxel."""
    return float(np.prod(case.images[0].grid.steps))


def each_lesion(case: Case, found: np.ndarray) -> Iterator[tuple[float, float]]:
    """Each true lesion's diameter as a sphere in millimetres, and Dice with what touches it."""
    assert case.mask is not None
    lesions, regions = connected_regions(case.mask.foreground), connected_regions(found)
    for number in range(1, len(lesions) + 1):
        lesion = lesions.labels == number
        region = regions.holding(lesion)
        diameter = (6 / np.pi * float(lesion.sum()) * voxel_mm3(case)) ** (1 / 3)
        yield diameter, dice(region, lesion)


if __name__ == "__main__":
    main()
