"""How well lesions are found one by one: average precision and the free-response curve.

Both sweep the score from which a detection counts.

Matching, of one image: detections are taken by falling score, those of one score in the order
given. Each takes, of the true lesions that no earlier one has taken, the one it overlaps most (the
first of equals), if their intersection over union reaches `min_iou`; then it is true, otherwise
false. A second detection of the same lesion is false.

Over images: detections of one score count together, so the order of the images does not matter.

With no true lesion in any image there is nothing to find, and sensitivity and average precision are
NaN. In an image without a lesion every detection is false.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from breastseg.core.errors import GeometryError, InputError

COCO_IOUS = tuple(round(0.5 + 0.05 * i, 2) for i in range(10))
"""0.5, 0.55 to 0.95."""


@dataclass(frozen=True, eq=False)
class ImageDetections:
    """What was found in one image, against what is there.

    Attributes:
        scores: (K,) of the detections, finite.
        ious: (K, M) intersection over union of each detection with each true lesion, 0 to 1; see
            `mask_ious` and `box_ious`.

    Raises:
        InputError: scores that are not finite, overlaps outside 0 to 1.
        GeometryError: shapes that do not fit.
    """

    scores: NDArray[np.floating]
    ious: NDArray[np.floating]

    def __post_init__(self) -> None:
        if self.scores.ndim != 1 or self.ious.ndim != 2 or len(self.scores) != len(self.ious):
            raise GeometryError(
                f"scores of shape {self.scores.shape} and overlaps of {self.ious.shape}",
                "(K,) and (K, M)",
            )
        if not bool(np.isfinite(self.scores).all()):
            raise InputError("scores that are not finite", "finite scores")
        if not bool(((self.ious >= 0) & (self.ious <= 1)).all()):
            raise InputError("overlaps outside 0 to 1", "intersection over union")


@dataclass(frozen=True, eq=False)
class FreeResponse:
    """A free-response curve; each point is the state from one score upwards.

    Attributes:
        thresholds: (P,) float64, falling; the first is infinite: nothing counts yet.
        sensitivity: (P,) float64, share of all true lesions found, 0 to 1, never falling.
        false_positives: (P,) float64, false detections an image on average, never falling.
    """

    thresholds: NDArray[np.float64]
    sensitivity: NDArray[np.float64]
    false_positives: NDArray[np.float64]

    def at(self, false_positives: float) -> float:
        """The sensitivity that is reached with at most so many false detections an image.

        Raises:
            InputError: the number is negative or not a number.
        """
        if not false_positives >= 0:
            raise InputError(f"{false_positives} false positives an image", "at least 0")
        allowed = self.false_positives <= false_positives
        return float(
            self.sensitivity[allowed][-1]
        )  # the first point has none and is always allowed


def mask_ious(found: NDArray[np.bool_], truth: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Intersection over union of every detection's region with every true one.

    Args:
        found: (K, *grid) bool; K may be 0.
        truth: (M, *grid) bool; M may be 0.

    Returns:
        (K, M) float64; 0 where both regions are empty.

    Raises:
        InputError: an array is not bool.
        GeometryError: the grids differ.
    """
    if found.dtype != np.bool_ or truth.dtype != np.bool_:
        raise InputError(f"regions of dtype {found.dtype} and {truth.dtype}", "two bool arrays")
    if found.shape[1:] != truth.shape[1:]:
        raise GeometryError(f"grids of shape {found.shape[1:]} and {truth.shape[1:]}", "one grid")
    pixels = int(np.prod(found.shape[1:]))
    flat = [part.reshape(len(part), pixels).astype(np.float32) for part in (found, truth)]
    shared = (flat[0] @ flat[1].T).astype(np.float64)  # exact up to 2**24 pixels
    sizes = [np.count_nonzero(part, axis=1) for part in flat]
    return _ratio(shared, sizes[0][:, None] + sizes[1][None] - shared)


def box_ious(found: NDArray[np.floating], truth: NDArray[np.floating]) -> NDArray[np.float64]:
    """Intersection over union of every two boxes.

    Args:
        found: (K, 2 * axes): the lower edges along each axis, then the upper ones.
        truth: (M, 2 * axes), the same.

    Returns:
        (K, M) float64; 0 where both boxes are empty.

    Raises:
        GeometryError: other shapes, or an upper edge below its lower one.
    """
    if found.ndim != 2 or truth.ndim != 2 or found.shape[1] != truth.shape[1] or truth.shape[1] % 2:
        raise GeometryError(
            f"boxes of shape {found.shape} and {truth.shape}", "(K, 2 * axes) and (M, 2 * axes)"
        )
    axes = truth.shape[1] // 2
    a, b = found.astype(np.float64), truth.astype(np.float64)
    if bool((a[:, axes:] < a[:, :axes]).any()) or bool((b[:, axes:] < b[:, :axes]).any()):
        raise GeometryError("a box that ends before it begins", "lower edges, then upper ones")
    low = np.maximum(a[:, None, :axes], b[None, :, :axes])
    high = np.minimum(a[:, None, axes:], b[None, :, axes:])
    shared = np.clip(high - low, 0, None).prod(axis=2)
    sizes = [(part[:, axes:] - part[:, :axes]).prod(axis=1) for part in (a, b)]
    return _ratio(shared, sizes[0][:, None] + sizes[1][None] - shared)


def average_precision(images: Sequence[ImageDetections], min_iou: float = 0.5) -> float:
    """Average precision at one overlap, as the COCO challenge interpolates it.

    The mean, over the 101 sensitivities 0, 0.01 to 1, of the largest precision at that sensitivity
    or a higher one, 0 where it is never reached. Lin et al. 2014, Microsoft COCO,
    https://doi.org/10.1007/978-3-319-10602-1_48. COCO's own program takes detections of one score
    one after another; here they count together.

    Args:
        images: all images of the set, those without detections or lesions too.
        min_iou: intersection over union from which a detection is true, above 0 to 1.

    Returns:
        0 to 1; NaN where no image has a lesion.

    Raises:
        InputError: `min_iou` is out of range, or there is no image.
    """
    _, true, false, lesions = _sweep(images, min_iou)
    if not lesions:
        return float("nan")
    if not len(true):
        return 0.0
    precision = true / (true + false)
    best_from_here = np.maximum.accumulate(precision[::-1])[::-1]
    # in whole numbers: true / lesions >= i / 100 must not hang on a rounding
    first = np.searchsorted(true * 100, np.arange(101) * lesions, side="left")
    reached = np.append(best_from_here, 0.0)[first]
    return float(reached.mean())


def mean_average_precision(
    images: Sequence[ImageDetections], min_ious: Sequence[float] = COCO_IOUS
) -> float:
    """The mean of `average_precision` over several overlaps, 0.5, 0.55 to 0.95 by default.

    Raises:
        InputError: an overlap out of range, no overlap, or no image.
    """
    if not min_ious:
        raise InputError("no overlap", "at least one")
    return float(np.mean([average_precision(images, min_iou) for min_iou in min_ious]))


def free_response_curve(images: Sequence[ImageDetections], min_iou: float = 0.1) -> FreeResponse:
    """Sensitivity against false detections an image.

    D. P. Chakraborty: Maximum likelihood analysis of free-response receiver operating
    characteristic (FROC) data. Medical Physics 16, 1989. https://doi.org/10.1118/1.596358.

    Args:
        images: all images of the set, those without detections or lesions too.
        min_iou: intersection over union from which a detection is true, above 0 to 1; by default
            that of `breastseg.metrics.lesionwise`.

    Returns:
        A point for nothing, then one for each score that occurs. The sensitivity is NaN where no
        image has a lesion.

    Raises:
        InputError: `min_iou` is out of range, or there is no image.
    """
    scores, true, false, lesions = _sweep(images, min_iou)
    found = np.concatenate(([0], true)).astype(np.float64)
    return FreeResponse(
        thresholds=np.concatenate(([np.inf], scores)),
        sensitivity=found / lesions if lesions else np.full_like(found, np.nan),
        false_positives=np.concatenate(([0], false)) / len(images),
    )


def matched(image: ImageDetections, min_iou: float) -> NDArray[np.bool_]:
    """Which detections of an image are true, (K,) bool; the rule stands at the top."""
    free = np.ones(image.ious.shape[1], bool)
    true = np.zeros(len(image.scores), bool)
    for one in np.argsort(-image.scores, kind="stable"):
        candidates = np.where(free, image.ious[one], -1.0)
        if candidates.size and candidates.max() >= min_iou:
            free[candidates.argmax()] = False
            true[one] = True
    return true


def _sweep(
    images: Sequence[ImageDetections], min_iou: float
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64], int]:
    """Falling distinct scores, true and false detections from each upwards, and all lesions."""
    if not 0 < min_iou <= 1:
        raise InputError(f"min_iou {min_iou}", "above 0 to 1")
    if not images:
        raise InputError("no image", "at least one")
    scores = np.concatenate([image.scores for image in images]).astype(np.float64)
    true = np.concatenate([matched(image, min_iou) for image in images])
    distinct, place = np.unique(-scores, return_inverse=True)
    counts = [np.bincount(place[part], minlength=len(distinct)) for part in (true, ~true)]
    return (
        -distinct,
        np.cumsum(counts[0]),
        np.cumsum(counts[1]),
        sum(image.ious.shape[1] for image in images),
    )


def _ratio(shared: NDArray[np.float64], union: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
