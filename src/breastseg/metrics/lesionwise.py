"""When a lesion counts as found: one rule, wherever lesions are counted.

True lesions and the regions of a mask are connected regions (`breastseg.core.regions`). A region
hits a true lesion where their intersection over union reaches `min_iou`.

- A true lesion is found when a hit on it is taken. Hits are taken one to one: by falling score,
  those of one score (such as all regions of one mask) by falling overlap, each unless its region
  or its lesion has been taken before. So one region over two lesions finds one of them.
- A region is false when it hits no lesion. A second region on a lesion that has been found is
  neither found nor false.

`docs/decisions/found.md` gives the reasons. The default of 0.1 and the rule are those of the PI-CAI
challenge for lesion detection (Saha et al. 2024, doi:10.1016/S1470-2045(24)00220-1): low enough
that a small or blurred lesion need not be traced well to be found, high enough that a region of
half the image finds nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from breastseg.core.errors import InputError
from breastseg.core.regions import Regions, connected_regions
from breastseg.metrics.rules import check_pair

DEFAULT_MIN_IOU = 0.1


@dataclass(frozen=True)
class LesionMatch:
    """The count of one image.

    Attributes:
        true_lesions: regions of the ground truth.
        found: true lesions that are found, each by another region.
        regions: how many regions the mask has.
        false_positives: regions that hit no true lesion.
    """

    true_lesions: int
    found: int
    regions: int
    false_positives: int

    @property
    def sensitivity(self) -> float:
        """Fraction of true lesions found, 0 to 1; NaN where there is none to find."""
        return self.found / self.true_lesions if self.true_lesions else float("nan")


@dataclass(frozen=True, eq=False)
class TrueLesions:
    """The lesions of one truth, to be matched with any number of masks.

    Attributes:
        regions: the lesions.
        places: (n,) where they lie in the flattened truth.
    """

    regions: Regions
    places: NDArray[np.intp]

    @classmethod
    def of(cls, truth: NDArray[np.bool_]) -> TrueLesions:
        """Find the lesions of a bool mask, 2-D or 3-D."""
        return cls(connected_regions(truth), np.flatnonzero(truth))

    def match(self, mask: NDArray[np.bool_], min_iou: float) -> LesionMatch:
        """Count a bool mask of the ground truth's shape against them; see `match_lesions`."""
        regions, lesions = connected_regions(mask), self.regions
        here, there = (one.labels.ravel()[self.places] for one in (regions, lesions))
        met = here > 0
        pairs = here[met].astype(np.int64) * (len(lesions) + 1) + there[met]
        meetings, common = np.unique(pairs, return_counts=True)
        of_region, of_lesion = np.divmod(meetings, len(lesions) + 1)
        union = regions.sizes[of_region - 1] + lesions.sizes[of_lesion - 1] - common
        hits = common >= min_iou * union
        of_region, of_lesion = of_region[hits], of_lesion[hits]
        overlap = common[hits] / union[hits]
        return LesionMatch(
            true_lesions=len(lesions),
            found=int(taken(of_region, of_lesion, overlap).sum()),
            regions=len(regions),
            false_positives=len(regions) - len(np.unique(of_region)),
        )


def match_lesions(
    mask: NDArray[np.bool_], truth: NDArray[np.bool_], min_iou: float = DEFAULT_MIN_IOU
) -> LesionMatch:
    """Match the regions of a mask with true lesions, by the rule at the top.

    Args:
        mask: (H, W) bool, or 3-D.
        truth: the same shape, bool.
        min_iou: intersection over union from which a region hits a lesion, above 0 to 1.

    Raises:
        InputError: an array is not bool, or `min_iou` is out of range.
        GeometryError: the shapes differ.
    """
    check_pair(mask, truth)
    check_min_iou(min_iou)
    return TrueLesions.of(truth).match(mask, min_iou)


def taken(
    regions: NDArray[np.integer],
    lesions: NDArray[np.integer],
    overlaps: NDArray[np.floating],
    scores: NDArray[np.floating] | None = None,
) -> NDArray[np.bool_]:
    """Which hits are taken, one to one, by the rule at the top.

    Args:
        regions: (n,) the region of each hit.
        lesions: (n,) its lesion.
        overlaps: (n,) their intersection over union.
        scores: (n,) the region's score; equal where there is none.

    Returns:
        (n,) bool. Hits of one score and overlap are taken by region, then by lesion.
    """
    ranked = np.zeros(len(regions)) if scores is None else scores
    order = np.lexsort((lesions, regions, -overlaps, -ranked))
    found = np.zeros(len(regions), bool)
    busy: set[int] = set()
    known: set[int] = set()
    for hit in order.tolist():
        region, lesion = int(regions[hit]), int(lesions[hit])
        if region not in busy and lesion not in known:
            busy.add(region)
            known.add(lesion)
            found[hit] = True
    return found


def check_min_iou(min_iou: float) -> None:
    """Refuse an overlap that is not above 0 to 1.

    Raises:
        InputError: it is not.
    """
    if not 0 < min_iou <= 1:
        raise InputError(f"min_iou {min_iou}", "above 0 to 1")
