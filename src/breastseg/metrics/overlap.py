"""Overlap of a mask with the ground truth, counted in pixels of one image.

All ratios are 0 to 1, 1 is best. Both masks empty is full agreement (1); exactly one empty is
none (0). Definitions: Taha and Hanbury 2015, doi:10.1186/s12880-015-0068-x.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from breastseg.metrics.rules import check_pair


@dataclass(frozen=True)
class Confusion:
    """Pixels of one image by what was outlined and what is true.

    Attributes:
        true_positive: outlined and lesion.
        false_positive: outlined, not lesion.
        false_negative: lesion, not outlined.
        true_negative: neither.
    """

    true_positive: int
    false_positive: int
    false_negative: int
    true_negative: int

    @property
    def dice(self) -> float:
        """2 TP / (2 TP + FP + FN); the same as F1."""
        twice = 2 * self.true_positive
        return self._overlap(twice, twice + self.false_positive + self.false_negative)

    @property
    def iou(self) -> float:
        """TP / (TP + FP + FN), the Jaccard index."""
        hit = self.true_positive
        return self._overlap(hit, hit + self.false_positive + self.false_negative)

    @property
    def precision(self) -> float:
        """TP / (TP + FP): the fraction of the mask that is lesion."""
        return self._overlap(self.true_positive, self.true_positive + self.false_positive)

    @property
    def recall(self) -> float:
        """TP / (TP + FN): the fraction of the lesion that is outlined."""
        return self._overlap(self.true_positive, self.true_positive + self.false_negative)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall, which is Dice."""
        return self.dice

    @property
    def specificity(self) -> float:
        """TN / (TN + FP): the fraction of background left alone; 1 where there is no background."""
        background = self.true_negative + self.false_positive
        return self.true_negative / background if background else 1.0

    def _overlap(self, part: int, whole: int) -> float:
        """A ratio under the empty-mask rule."""
        if self.true_positive + self.false_positive + self.false_negative == 0:
            return 1.0
        return part / whole if whole else 0.0


def confusion(mask: NDArray[np.bool_], truth: NDArray[np.bool_]) -> Confusion:
    """Count the pixels of one image.

    Args:
        mask: (H, W) bool, or any other shape.
        truth: the same shape, bool.

    Raises:
        InputError: an array is not bool.
        GeometryError: the shapes differ.
    """
    check_pair(mask, truth)
    hit = int(np.count_nonzero(mask & truth))
    outlined = int(np.count_nonzero(mask))
    lesion = int(np.count_nonzero(truth))
    return Confusion(hit, outlined - hit, lesion - hit, truth.size - outlined - lesion + hit)


def dice(mask: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    """Dice coefficient of two bool masks of one shape; see `Confusion.dice`."""
    return confusion(mask, truth).dice


def iou(mask: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    """Intersection over union of two bool masks of one shape; see `Confusion.iou`."""
    return confusion(mask, truth).iou


def precision(mask: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    """Fraction of the mask that is lesion; see `Confusion.precision`."""
    return confusion(mask, truth).precision


def recall(mask: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    """Fraction of the lesion that is outlined (sensitivity); see `Confusion.recall`."""
    return confusion(mask, truth).recall


def f1(mask: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    """Harmonic mean of precision and recall, which is Dice."""
    return confusion(mask, truth).f1


def specificity(mask: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    """Fraction of background left alone; see `Confusion.specificity`."""
    return confusion(mask, truth).specificity
