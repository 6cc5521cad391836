"""How well kinds of lesion are told apart, in pixels and in whole images.

In pixels, a class has an overlap like a mask has: both without the class is full agreement
(1), exactly one without it is none (0). In images, a ratio without a denominator is undefined
(NaN). Definitions: Taha and Hanbury 2015, doi:10.1186/s12880-015-0068-x; the area under the curve
is the rank statistic of Hanley and McNeil 1982, doi:10.1148/radiology.143.1.7063747.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from breastseg.core.errors import GeometryError, InputError


@dataclass(frozen=True, eq=False)
class ClassConfusion:
    """Pixels by what they are and what they are called.

    Attributes:
        counts: (K + 1, K + 1) int64, a row a true class and a column a predicted one; the
            background first, then each of `names`.
        names: of the K lesion classes.
    """

    counts: NDArray[np.int64]
    names: tuple[str, ...]

    def dice(self, name: str) -> float:
        """Dice of one class, 0 to 1: twice the pixels right, over those there and those called so.

        Raises:
            InputError: no such class.
        """
        right, there, called = self._of(name)
        return 2 * right / (there + called) if there + called else 1.0

    def iou(self, name: str) -> float:
        """Intersection over union of one class, 0 to 1.

        Raises:
            InputError: no such class.
        """
        right, there, called = self._of(name)
        return right / (there + called - right) if there + called else 1.0

    @property
    def lesion_pixels(self) -> int:
        """True pixels of any lesion class."""
        return int(self.counts[1:].sum())

    @property
    def right_pixels(self) -> int:
        """Those that are called by their own class."""
        return int(np.trace(self.counts[1:, 1:]))

    def _of(self, name: str) -> tuple[int, int, int]:
        """Pixels right, there and called so."""
        if name not in self.names:
            raise InputError(f"class {name!r}", f"one of {', '.join(self.names)}")
        i = self.names.index(name) + 1
        return (
            int(self.counts[i, i]),
            int(self.counts[i].sum()),
            int(self.counts[:, i].sum()),
        )


def class_confusion(
    predicted: NDArray[np.integer], truth: NDArray[np.integer], names: tuple[str, ...]
) -> ClassConfusion:
    """Count the pixels of one image.

    Args:
        predicted: labels of any shape, 0 for background, k for the k-th of `names`.
        truth: the same shape.
        names: of the lesion classes, at least one.

    Raises:
        InputError: an array that is not of whole numbers, or a label without a name.
        GeometryError: the shapes differ.
    """
    if predicted.shape != truth.shape:
        raise GeometryError(
            f"labels of shape {predicted.shape} and a ground truth of {truth.shape}", "one shape"
        )
    classes = len(names) + 1
    for labels in (predicted, truth):
        whole = labels.dtype.kind in "ui"
        if (
            not names
            or not whole
            or (labels.size and not 0 <= labels.min() <= labels.max() < classes)
        ):
            raise InputError(
                f"labels of dtype {labels.dtype} for {len(names)} classes",
                f"whole numbers from 0 to {classes - 1}",
            )
    pairs = truth.astype(np.int64).ravel() * classes + predicted.astype(np.int64).ravel()
    counts = np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)
    return ClassConfusion(counts, tuple(names))


def pooled(confusions: Iterable[ClassConfusion]) -> ClassConfusion:
    """The pixels of several images taken as one image.

    Raises:
        InputError: no image, or different classes.
    """
    found = list(confusions)
    if len({one.names for one in found}) != 1:
        raise InputError(
            f"{len(found)} images of different classes", "at least one, all of one set"
        )
    return ClassConfusion(np.sum([one.counts for one in found], axis=0), found[0].names)


def area_under_curve(probability: NDArray[np.floating], malignant: NDArray[np.bool_]) -> float:
    """How often a malignant image is given more than a benign one, an equality counting half.

    Args:
        probability: (n,) of malignancy, 0 to 1; only the order matters.
        malignant: (n,) bool, what they are.

    Returns:
        0 to 1, 0.5 for chance; NaN where there are not both.

    Raises:
        InputError: other shapes or dtypes, or values that are no probability.
    """
    check_images(probability, malignant)
    there, others = int(malignant.sum()), int((~malignant).sum())
    if not there or not others:
        return math.nan
    _, place, times = np.unique(probability, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(times) - (times - 1) / 2)[place]  # equal values share their mean rank
    return float((ranks[malignant].sum() - there * (there + 1) / 2) / (there * others))


def check_images(probability: NDArray[np.floating], truth: NDArray[np.bool_]) -> None:
    """Refuse what is not one probability and one truth an image.

    Raises:
        InputError: it is not.
    """
    if probability.ndim != 1 or probability.shape != truth.shape or truth.dtype != np.bool_:
        raise InputError(
            f"probabilities of shape {probability.shape} and a ground truth of {truth.shape}, "
            f"{truth.dtype}",
            "(n,) for both, the ground truth bool",
        )
    # "not all" also catches what is not a number
    if not bool(((probability >= 0) & (probability <= 1)).all()):
        raise InputError("probabilities outside 0 to 1", "finite values from 0 to 1")
