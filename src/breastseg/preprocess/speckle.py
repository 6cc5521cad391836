"""Speckle reduction (first version; replaced soon)."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage


def median(unit: NDArray[np.float32], radius_px: int) -> NDArray[np.float32]:
    """Median over a square of 2 radius_px + 1 pixels."""
    if radius_px < 3:
        return np.asarray(cv2.medianBlur(np.ascontiguousarray(unit), 2 * radius_px + 1), np.float32)
    return np.asarray(ndimage.median_filter(unit, 2 * radius_px + 1), np.float32)


def srad(unit: NDArray[np.float32], iterations: int) -> NDArray[np.float32]:
    """Placeholder."""
    return unit
