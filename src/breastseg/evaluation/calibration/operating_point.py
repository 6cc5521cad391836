"""The operating point of a method: what each threshold and smallest score cost, and a choice.

The method's map is taken as it is on the image's grid, at the lowest threshold and without any
other rule, so that one run of the network serves every point.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray

from breastseg.core.bundle import OutputSpec
from breastseg.core.errors import DataSetError, InputError
from breastseg.core.parameters import Within, check_parameters
from breastseg.core.regions import connected_regions
from breastseg.data.dataset import CaseRef
from breastseg.evaluation.score import without_ignored
from breastseg.inference.onnx_segmenter import OnnxSegmenter
from breastseg.metrics.lesionwise import match_lesions
from breastseg.metrics.overlap import confusion

THRESHOLDS = tuple(round(0.05 * step, 2) for step in range(3, 15))
SCORES = (0.0, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98)

Counts = NDArray[np.float64]
"""(thresholds, scores, 5): Dice, lesions found, lesions, false positives, whether any mask."""


@dataclass(frozen=True)
class Choice:
    """How a point is chosen; fix it before the table is seen.

    Attributes:
        rule: highest-dice takes the point with the highest mean Dice among those within the limits;
            lowest-score takes the threshold with the highest mean Dice without a smallest score,
            and at it the lowest smallest score within the limits.
        max_false_positive_normals: fraction of images without a lesion that may have a mask.
        max_false_positives: per image with a lesion.
    """

    rule: Literal["highest-dice", "lowest-score"] = "highest-dice"
    max_false_positive_normals: Annotated[float, Within(0, 1)] = 0.0
    max_false_positives: Annotated[float, Within(0, 1000)] = 1.0

    def __post_init__(self) -> None:
        check_parameters(self)


@dataclass(frozen=True, eq=False)
class OperatingPoints:
    """What every point gives.

    Attributes:
        lesion_images: how many images have a lesion.
        normal_images: how many have none.
        dice: (thresholds, scores) mean over the images with a lesion, 0 to 1.
        sensitivity: (thresholds, scores) fraction of lesions found.
        false_positives: (thresholds, scores) per image with a lesion.
        missed: (thresholds, scores) fraction of images with a lesion that have no mask.
        normals_outlined: (thresholds, scores) fraction of the others that have one; NaN without
            any.
    """

    lesion_images: int
    normal_images: int
    dice: NDArray[np.float64]
    sensitivity: NDArray[np.float64]
    false_positives: NDArray[np.float64]
    missed: NDArray[np.float64]
    normals_outlined: NDArray[np.float64]

    def choose(self, choice: Choice) -> tuple[float, float] | None:
        """Threshold and smallest score by a rule; None where no point is within its limits."""
        normals = np.nan_to_num(self.normals_outlined)  # without normals there is no limit
        allowed = normals <= choice.max_false_positive_normals
        allowed &= self.false_positives <= choice.max_false_positives
        if choice.rule == "lowest-score":
            best = int(self.dice[:, 0].argmax())
            there = np.flatnonzero(allowed[best])
            return (THRESHOLDS[best], SCORES[there[0]]) if there.size else None
        if not allowed.any():
            return None
        ranked = np.where(allowed, self.dice, -1.0)
        row, column = np.unravel_index(int(ranked.argmax()), ranked.shape)
        return THRESHOLDS[row], SCORES[column]


def counts_of(probability: NDArray[np.float32], truth: NDArray[np.bool_]) -> Counts:
    """One image at every operating point.

    Args:
        probability: (rows, columns), 0 to 1.
        truth: (rows, columns) bool.
    """
    found = np.zeros((len(THRESHOLDS), len(SCORES), 5))
    for i, threshold in enumerate(THRESHOLDS):
        regions = connected_regions(probability >= threshold)
        scores = np.array([probability[box.slices][crop].max() for box, crop in regions.crops()])
        for j, least in enumerate(SCORES):
            kept = scores >= least
            if j and kept.sum() == found[i, j - 1, 4]:
                found[i, j] = found[i, j - 1]  # the same masks as at the score below
                continue
            mask = regions.chosen(kept)
            match = match_lesions(mask, truth)
            dice = confusion(mask, truth).dice
            found[i, j] = dice, match.found, match.true_lesions, match.false_positives, kept.sum()
    found[..., 4] = found[..., 4] > 0
    return found


def summed(images: Sequence[Counts]) -> OperatingPoints:
    """All points over all images.

    Args:
        images: of `counts_of`, at least one with a lesion.

    Raises:
        DataSetError: no image has a lesion.
    """
    every = np.array(images)
    lesion = every[:, 0, 0, 2] > 0 if len(every) else np.zeros(0, bool)
    if not lesion.any():
        raise DataSetError(f"{len(every)} images, none with a lesion", "images with lesions")
    there, normal = every[lesion], every[~lesion]
    return OperatingPoints(
        lesion_images=len(there),
        normal_images=len(normal),
        dice=there[..., 0].mean(axis=0),
        sensitivity=there[..., 1].sum(axis=0) / there[..., 2].sum(axis=0),
        false_positives=there[..., 3].mean(axis=0),
        missed=1 - there[..., 4].mean(axis=0),
        normals_outlined=(
            normal[..., 4].mean(axis=0) if len(normal) else np.full(there.shape[1:3], np.nan)
        ),
    )


def counts_of_bundle(
    network: OnnxSegmenter,
    cases: Sequence[CaseRef],
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Counts]:
    """Run a network once over each case, its own operating point left aside.

    Args:
        network: whose temperature and test-time augmentation are kept.
        cases: with ground truth.
        progress: called with (done, total).

    Raises:
        DataSetError: a case without ground truth.
    """
    kept = network.output
    bare = OutputSpec(min(THRESHOLDS), flip_average=kept.flip_average, temperature=kept.temperature)
    bare_network = network.with_output(bare)
    found = []
    for ref in cases:
        case = ref.load()
        if case.mask is None:
            raise DataSetError(f"case {ref.key} without ground truth", "a mask")
        prediction = bare_network.segment(case.images[0])
        probability = without_ignored(prediction.probability, case.mask)
        found.append(counts_of(probability, case.mask.foreground))
        progress(len(found), len(cases))
    return found


def at_point(output: OutputSpec, point: tuple[float, float] | None) -> OutputSpec:
    """The rules of a bundle at a chosen point.

    Raises:
        InputError: no point was chosen.
    """
    if point is None:
        raise InputError(
            "no operating point within the limits",
            "at least one",
            "allow more false positives or more masks on normal images",
        )
    threshold, score = point
    return replace(output, threshold=threshold, min_score=score)


def points_markdown(points: OperatingPoints) -> str:
    """A Markdown row an operating point."""
    lines = [
        f"{points.lesion_images} images with a lesion, {points.normal_images} normal",
        "",
        "| threshold | min score | Dice of lesion images | sensitivity | false positives per image "
        "| lesion images without a mask | normals with a mask |",
        "|---|---|---|---|---|---|---|",
    ]
    for i, threshold in enumerate(THRESHOLDS):
        for j, score in enumerate(SCORES):
            normal = points.normals_outlined[i, j]
            cells = (
                f"{points.dice[i, j]:.4f}",
                f"{points.sensitivity[i, j]:.3f}",
                f"{points.false_positives[i, j]:.2f}",
                f"{points.missed[i, j]:.3f}",
                "-" if np.isnan(normal) else f"{normal:.3f}",
            )
            lines.append(f"| {threshold} | {score} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"
