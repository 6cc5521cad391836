"""From the pixels that a method chose to one mask that a person could have drawn."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from breastseg.classical.view import View
from breastseg.core.regions import connected_regions


def tidy(
    chosen: NDArray[np.bool_], view: View, opening: int, smoothing: float
) -> NDArray[np.bool_]:
    """Keep the part that is the lesion, without holes, spurs and jagged edges.

    Args:
        chosen: (h, w) bool, what the method took for lesion.
        view: the view.
        opening: radius of the opening in pixels, 0 for none.
        smoothing: standard deviation of the smoothing in pixels, 0 for none.

    Returns:
        (h, w) bool: of the pixels where a mask may lie, the region that covers most of the
        view's core, or the largest where none does; empty where nothing is left.
    """
    mask = chosen & view.allowed
    if opening:
        mask = opened(mask, opening)
    mask = _main_part(mask, view)
    mask = np.asarray(ndimage.binary_fill_holes(mask), bool) & view.allowed
    if smoothing and mask.any():
        soft = cv2.GaussianBlur(
            mask.astype(np.float32), (0, 0), smoothing, borderType=cv2.BORDER_REPLICATE
        )
        mask = _main_part((soft >= 0.5) & view.allowed, view)
    return mask


@cache
def disc(radius: int) -> NDArray[np.uint8]:
    """A structuring element: the pixels within `radius` of its centre; (2 r + 1, 2 r + 1) uint8."""
    axis = np.arange(-radius, radius + 1)
    inside = (axis[:, None] ** 2 + axis**2 <= (radius + 0.3) ** 2).astype(np.uint8)
    inside.flags.writeable = False  # it is kept and shared
    return inside


def opened(mask: NDArray[np.bool_], radius: int) -> NDArray[np.bool_]:
    """Remove what a disc does not fit into; what is beyond the edge counts as the edge's pixels."""
    return _morphed(mask, radius, cv2.MORPH_OPEN) & mask


def closed(mask: NDArray[np.bool_], radius: int) -> NDArray[np.bool_]:
    """Fill the gaps that a disc does not fit into."""
    return _morphed(mask, radius, cv2.MORPH_CLOSE) | mask


def _morphed(mask: NDArray[np.bool_], radius: int, operation: int) -> NDArray[np.bool_]:
    rows, columns = mask.shape
    wide = np.pad(mask.astype(np.uint8), radius, mode="edge")
    done = cv2.morphologyEx(wide, operation, disc(radius))
    return np.asarray(done[radius : radius + rows, radius : radius + columns] > 0)


def _main_part(mask: NDArray[np.bool_], view: View) -> NDArray[np.bool_]:
    """The region that covers most of the core, with those that the user has pointed at."""
    regions = connected_regions(mask)
    if not regions:
        return mask
    covering = np.bincount(regions.labels[view.core], minlength=len(regions) + 1)[1:]
    kept = np.zeros(len(regions), bool)
    kept[int(np.argmax(covering if covering.any() else regions.sizes))] = True
    kept[np.unique(regions.labels[view.inside & mask]) - 1] = True
    return regions.chosen(kept)
