"""Lesions found and false outlines, counted as connected regions and not as pixels.

Pixels that touch by a side or a corner belong to one region. An outline and a true lesion
match where their intersection over union reaches `min_iou`. A true lesion is found when some
outline matches it; an outline is false when it matches no true lesion.

The default of 0.1 is that of the PI-CAI challenge for lesion detection (Saha et al. 2024,
doi:10.1016/S1470-2045(24)00220-1): low enough that a small or blurred lesion need not be traced
well to be found, high enough that an outline of half the image finds nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from breastseg.core.errors import InputError
from breastseg.metrics.rules import check_pair

DEFAULT_MIN_IOU = 0.1


@dataclass(frozen=True)
class LesionMatch:
    """The count of one image.

    Attributes:
        true_lesions: regions of the truth.
        found: true lesions that some outline matches.
        outlines: regions of the outline.
        false_outlines: outlines that match no true lesion.
    """

    true_lesions: int
    found: int
    outlines: int
    false_outlines: int

    @property
    def sensitivity(self) -> float:
        """Share of true lesions found, 0 to 1; NaN where there is none to find."""
        return self.found / self.true_lesions if self.true_lesions else float("nan")


def match_lesions(
    outline: NDArray[np.bool_], truth: NDArray[np.bool_], min_iou: float = DEFAULT_MIN_IOU
) -> LesionMatch:
    """Match outlines with true lesions.

    Args:
        outline: (H, W) bool, or 3-D.
        truth: the same shape, bool.
        min_iou: intersection over union from which they match, above 0 to 1.

    Raises:
        InputError: an array is not bool, or `min_iou` is out of range.
        GeometryError: the shapes differ.
    """
    check_pair(outline, truth)
    if not 0 < min_iou <= 1:
        raise InputError(f"min_iou {min_iou}", "above 0 to 1")
    touching = np.ones((3,) * truth.ndim, bool)
    outlines, n_outlines = ndimage.label(outline, structure=touching)
    lesions, n_lesions = ndimage.label(truth, structure=touching)
    shared = (outlines > 0) & (lesions > 0)
    pairs = outlines[shared].astype(np.int64) * (n_lesions + 1) + lesions[shared]
    meetings, common = np.unique(pairs, return_counts=True)
    of_outline, of_lesion = np.divmod(meetings, n_lesions + 1)
    outline_size, lesion_size = np.bincount(outlines.ravel()), np.bincount(lesions.ravel())
    union = outline_size[of_outline] + lesion_size[of_lesion] - common
    matched = common >= min_iou * union
    return LesionMatch(
        true_lesions=n_lesions,
        found=len(np.unique(of_lesion[matched])),
        outlines=n_outlines,
        false_outlines=n_outlines - len(np.unique(of_outline[matched])),
    )
