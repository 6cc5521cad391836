"""What makes a case easy or hard, read off its picture and its truth."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from breastseg.core.case import Case
from breastseg.evaluation.comparison.cell import Traits
from breastseg.preprocess.intensity import to_unit

RING = 0.2
"""Width of the ring around a lesion, as a share of the diameter of a disc of its area; a disc's
ring then has about as many pixels as the disc."""


def unknown_traits(key: str) -> Traits:
    """The traits of a case that could not be read."""
    return Traits(key, 0, 0.0, None, None, 0)


def traits(key: str, case: Case) -> Traits:
    """Measure a case at its image's own size.

    Args:
        key: ``"source/case_id"``.
        case: 2-D, with a known truth.

    Returns:
        Its traits. The contrast is taken on grey levels stretched to 0 to 1, and is None where the
        lesion leaves no ring around it; all lesions of a case count as one there.
    """
    lesion = np.zeros(case.images[0].grid.shape, bool)
    if case.mask is not None:
        lesion = case.mask.foreground
    area = int(np.count_nonzero(lesion))
    if area == 0:
        return Traits(key, 0, 0.0, None, None, 0)
    numbers, count = ndimage.label(lesion, structure=np.ones((3, 3), bool))
    largest = 1 + int(np.argmax(np.bincount(numbers.ravel())[1:]))
    return Traits(
        key=key,
        area_px=area,
        area_fraction=area / lesion.size,
        contrast=contrast(to_unit(case.images[0].grey()), lesion),
        irregularity=irregularity(numbers == largest),
        lesions=int(count),
    )


def contrast(grey: NDArray[np.float32], lesion: NDArray[np.bool_]) -> float | None:
    """How much darker a lesion is than the ring around it.

    Args:
        grey: (H, W) float32, 0 to 1.
        lesion: (H, W) bool, not empty.

    Returns:
        (ring - lesion) / (ring + lesion) of the mean grey levels, -1 to 1; 0 where both are black,
        None where there is no ring.
    """
    width = max(2.0, RING * 2 * math.sqrt(np.count_nonzero(lesion) / math.pi))
    distance = cv2.distanceTransform((~lesion).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    ring = ~lesion & (distance <= width)
    if not ring.any():
        return None
    around, within = (float(grey[part].mean(dtype=np.float64)) for part in (ring, lesion))
    return (around - within) / (around + within) if around + within > 0 else 0.0


def irregularity(region: NDArray[np.bool_]) -> float:
    """How far a region is from a disc: 1 - 4 pi area / perimeter^2, with its holes filled.

    The perimeter is Crofton's in four directions (Legland et al. 2007, doi:10.5566/ias.v26.p83-92),
    which does not grow with the steps of a digital border; the edge of the image counts as border.

    Args:
        region: (H, W) bool, one connected region.

    Returns:
        0 for a disc, towards 1 for a ragged border.
    """
    from skimage.measure import perimeter_crofton

    rows, columns = np.nonzero(region)
    part = region[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    solid = ndimage.binary_fill_holes(np.pad(part, 1))
    roundness = 4 * math.pi * np.count_nonzero(solid) / perimeter_crofton(solid, directions=4) ** 2
    return float(min(max(1 - roundness, 0.0), 1.0))
