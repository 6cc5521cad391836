"""How well lesions are found one by one as their score is swept: the free-response curve.

When a lesion counts as found stands in `breastseg.metrics.lesionwise`. A detection's score decides
which of two takes a lesion, so that a detection of a lower score changes nothing of those above.

Over images: detections of one score count together, so the order of the images does not matter.

With no true lesion in any image there is nothing to find, and sensitivity is NaN. In an image
without a lesion every detection is false.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from breastseg.core.errors import GeometryError, InputError
from breastseg.core.prediction import Lesion
from breastseg.core.regions import connected_regions
from breastseg.metrics.lesionwise import DEFAULT_MIN_IOU, check_min_iou, taken


@dataclass(frozen=True, eq=False)
class ImageDetections:
    """What was found in one image, against what is there.

    Attributes:
        scores: (K,) of the detections, finite.
        ious: (K, M) intersection over union of each detection with each true lesion, 0 to 1; see
            `lesion_ious`.

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

    def found(self, min_iou: float) -> NDArray[np.bool_]:
        """(K,) bool: the detections by which a lesion is found, each another one."""
        which, lesions = np.nonzero(self.ious >= min_iou)
        kept = taken(which, lesions, self.ious[which, lesions], self.scores[which])
        found = np.zeros(len(self.scores), bool)
        found[which[kept]] = True
        return found

    def false(self, min_iou: float) -> NDArray[np.bool_]:
        """(K,) bool: the detections that hit no lesion."""
        return np.asarray(~(self.ious >= min_iou).any(axis=1))


@dataclass(frozen=True, eq=False)
class FreeResponse:
    """A free-response curve; each point is the state from one score upwards.

    Attributes:
        thresholds: (P,) float64, falling; the first is infinite: nothing counts yet.
        sensitivity: (P,) float64, fraction of all true lesions found, 0 to 1, never falling.
        false_positives: (P,) float64, false positives per image on average, never falling.
    """

    thresholds: NDArray[np.float64]
    sensitivity: NDArray[np.float64]
    false_positives: NDArray[np.float64]

    def at(self, false_positives: float) -> float:
        """The sensitivity that is reached with at most so many false positives per image.

        Raises:
            InputError: the number is negative or not a number.
        """
        if not false_positives >= 0:
            raise InputError(f"{false_positives} false positives per image", "at least 0")
        allowed = self.false_positives <= false_positives
        # the first point has none and is always allowed
        return float(self.sensitivity[allowed][-1])


def lesion_ious(found: Sequence[Lesion], truth: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Intersection over union of every lesion of a prediction with every true one.

    Args:
        found: K lesions; K may be 0.
        truth: bool, of the image's shape.

    Returns:
        (K, M) float64, M the true lesions, numbered as `connected_regions` does.

    Raises:
        InputError: the ground truth is not bool.
        GeometryError: a lesion does not lie in an image of the ground truth's shape.
    """
    lesions = connected_regions(truth)
    ious = np.zeros((len(found), len(lesions)))
    for one, row in zip(found, ious, strict=True):
        if not one.box.fits(truth.shape):
            raise GeometryError(f"a lesion in the box {one.box}, a ground truth of {truth.shape}")
        common = np.bincount(one.values(lesions.labels), minlength=len(lesions) + 1)[1:]
        row[:] = common / (one.area_px + lesions.sizes - common)
    return ious


def free_response_curve(
    images: Sequence[ImageDetections], min_iou: float = DEFAULT_MIN_IOU
) -> FreeResponse:
    """Sensitivity against false positives per image.

    D. P. Chakraborty: Maximum likelihood analysis of free-response receiver operating
    characteristic (FROC) data. Medical Physics 16, 1989. https://doi.org/10.1118/1.596358.

    Args:
        images: all images of the set, those without detections or lesions too.
        min_iou: intersection over union from which a detection hits a lesion, above 0 to 1.

    Returns:
        A point for nothing, then one for each score that occurs. The sensitivity is NaN where no
        image has a lesion.

    Raises:
        InputError: `min_iou` is out of range, or there is no image.
    """
    check_min_iou(min_iou)
    if not images:
        raise InputError("no image", "at least one")
    lesions = sum(image.ious.shape[1] for image in images)
    scores = np.concatenate([image.scores for image in images]).astype(np.float64)
    falling, place = np.unique(-scores, return_inverse=True)
    found, false = (
        np.concatenate([[0], np.cumsum(np.bincount(place[part], minlength=len(falling)))])
        for part in (
            np.concatenate([image.found(min_iou) for image in images]),
            np.concatenate([image.false(min_iou) for image in images]),
        )
    )
    return FreeResponse(
        thresholds=np.concatenate(([np.inf], -falling)),
        sensitivity=found / lesions if lesions else np.full(len(found), np.nan),
        false_positives=false / len(images),
    )
