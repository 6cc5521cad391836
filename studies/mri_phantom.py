"""The bundle trained on synthetic MRI: on phantoms that it has not seen, and on one real case.

    python studies/mri_phantom.py BUNDLE [--duke mri/Duke-Breast-Cancer-MRI]

Phantoms: 24 of each of five seeds that neither training nor validation used, two phases, Dice of
the mask with the exact ground truth per case, over those with a lesion; a case without one counts
as outlined where anything is drawn. Duke: the phases 0 and 1 and the official tumour box, which is
a box and no mask, so no Dice is given: the fraction of the outlined volume that lies in the box,
and the distance from the box of the nearest outlined voxel and of the middle of the largest
region.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from _study import options_of
from breastseg.core.box import Box
from breastseg.core.image import Image
from breastseg.data.phantoms.volume import volume_phantoms
from breastseg.data.sets.duke import Duke
from breastseg.inference.methods import bundle_folder
from breastseg.inference.volume_segmenter import VolumeSegmenter
from breastseg.metrics import dice

SEEDS, COUNT, SHAPE = (77, 78, 1001, 2001, 2002), 24, (48, 160, 160)

Shape = tuple[int, int, int]


def on_phantoms(segmenter: VolumeSegmenter, seeds: Sequence[int], count: int, shape: Shape) -> None:
    """Print Dice over held-out phantoms, of each seed and of all."""
    every: list[float] = []
    for seed in seeds:
        every += on_seed(segmenter, seed, count, shape)
        low, high = bootstrap(every)
        print(f"so far {len(every)}: Dice {np.mean(every):.3f} [{low:.3f}, {high:.3f}]")


def bootstrap(scores: list[float]) -> tuple[float, float]:
    """A 95 % interval of the mean: 2,000 resamples, percentiles."""
    drawn = np.random.default_rng(0).choice(scores, (2000, len(scores))).mean(axis=1)
    low, high = np.quantile(drawn, (0.025, 0.975))
    return float(low), float(high)


def on_seed(segmenter: VolumeSegmenter, seed: int, count: int, shape: Shape) -> list[float]:
    """Print and return Dice over the phantoms of one seed that have a lesion."""
    scores: list[float] = []
    found, normals, outlined = 0, 0, 0
    for case in volume_phantoms(count, seed, shape, 2):
        assert case.mask is not None
        mask = segmenter.segment(case.images[0]).mask().foreground
        truth = case.mask.foreground
        if not truth.any():
            normals += 1
            outlined += bool(mask.any())
            continue
        scores.append(dice(mask, truth))
        found += bool((mask & truth).any())
    low, middle = np.quantile(scores, (0.25, 0.5))
    print(
        f"phantoms of seed {seed}: {len(scores)} with lesions, Dice {np.mean(scores):.3f}, median "
        f"{middle:.3f}, lower quartile {low:.3f}, something found in {found}; {outlined} of "
        f"{normals} without a lesion outlined"
    )
    return scores


def distance_mm(index: np.ndarray, box: Box, steps: tuple[float, ...]) -> np.ndarray:
    """From voxels (n, 3) to a box, 0 inside."""
    low, high = np.array(box.start), np.array(box.stop) - 1
    gap = np.maximum(np.maximum(low - index, index - high), 0) * np.array(steps)
    return np.asarray(np.sqrt((gap**2).sum(axis=1)))


def on_duke(segmenter: VolumeSegmenter, root: Path) -> None:
    """Print where the mask of the real case lies."""
    duke = Duke(root)
    for case_id in duke.case_ids():
        boxed = duke.load(case_id)
        image = boxed.case.images[0]
        phases = replace(image, array=image.array[:2])
        assert isinstance(phases, Image)
        began = time.perf_counter()
        prediction = segmenter.segment(phases)
        seconds = time.perf_counter() - began
        voxels = np.argwhere(prediction.mask().foreground)
        if not len(voxels):
            print(f"{case_id}: nothing outlined, {seconds:.1f} s")
            continue
        steps = image.grid.steps
        away = distance_mm(voxels, boxed.tumour_box, steps)
        first, *others = prediction.lesions()
        largest = (np.argwhere(first.crop) + first.box.start).mean(axis=0, keepdims=True)
        cm3 = len(voxels) * float(np.prod(steps)) / 1000
        box_cm3 = boxed.tumour_box.size * float(np.prod(steps)) / 1000
        print(
            f"{case_id}: {cm3:.2f} cm3 in {1 + len(others)} regions, "
            f"{(away == 0).mean():.0%} of it in the official box of {box_cm3:.2f} cm3; nearest "
            f"voxel {away.min():.1f} mm from it, middle of the largest region "
            f"{distance_mm(largest, boxed.tumour_box, steps)[0]:.1f} mm; {seconds:.1f} s"
        )


def main() -> None:
    """Run both."""
    parser = options_of(__doc__)
    parser.add_argument("bundle", help="a shipped bundle for volumes, or the folder of one")
    parser.add_argument("--seeds", nargs="+", type=int, default=SEEDS)
    parser.add_argument("--count", type=int, default=COUNT, help="studies a seed")
    parser.add_argument("--shape", type=int, nargs=3, default=SHAPE, help="in voxels")
    parser.add_argument("--duke", type=Path, help="folder of Duke-Breast-Cancer-MRI")
    options = parser.parse_args()
    segmenter = VolumeSegmenter(bundle_folder(options.bundle))
    on_phantoms(segmenter, options.seeds, options.count, tuple(options.shape))
    if options.duke is not None:
        on_duke(segmenter, options.duke)


if __name__ == "__main__":
    main()
