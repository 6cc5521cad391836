"""Masks made wider or narrower by a distance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def widened(
    mask: NDArray[np.bool_], margin: float, step: tuple[float, ...] | None = None
) -> NDArray[np.bool_]:
    """All pixels within a margin of a mask.

    Args:
        mask: any shape, bool.
        margin: at least 0, in the unit of `step`.
        step: length of a pixel along each axis; None counts pixels.

    Returns:
        bool, the same shape.
    """
    if margin <= 0 or not mask.any():
        return mask.copy()
    from scipy import ndimage

    return np.asarray(ndimage.distance_transform_edt(~mask, step) <= margin)


def narrowed(
    mask: NDArray[np.bool_], margin: float, step: tuple[float, ...] | None = None
) -> NDArray[np.bool_]:
    """The pixels of a mask that are farther than a margin from its background.

    Beyond the array is background.

    Args:
        mask: any shape, bool.
        margin: at least 0, in the unit of `step`.
        step: length of a pixel along each axis; None counts pixels.

    Returns:
        bool, the same shape.
    """
    if margin <= 0 or not mask.any():
        return mask.copy()
    from scipy import ndimage

    depth = ndimage.distance_transform_edt(np.pad(mask, 1), step)
    return np.asarray(depth[(slice(1, -1),) * mask.ndim] > margin)
