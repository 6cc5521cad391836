"""The orientation that a file states for its picture, undone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

TURNED = range(2, 9)
"""What the tag may state beside 1, which is upright; anything else says nothing."""


def upright(array: NDArray[np.generic], orientation: int) -> NDArray[np.generic]:
    """Undo the orientation of EXIF 2.32, section 4.6.5.1, and TIFF 6.0.

    Args:
        array: (channels, rows, columns).
        orientation: the tag's value.
    """
    if orientation not in TURNED:
        return array
    if orientation >= 5:
        array = array.swapaxes(1, 2)
    if orientation in (3, 4, 7, 8):
        array = array[:, ::-1]
    if orientation in (2, 3, 6, 7):
        array = array[:, :, ::-1]
    return array
