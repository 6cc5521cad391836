"""Contrast equalisation in small neighbourhoods."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


def clahe(unit: NDArray[np.float32], clip: float, tiles: int = 8) -> NDArray[np.float32]:
    """Contrast limited adaptive histogram equalisation.

    Each tile's histogram has 256 bins. More would defeat the limit: it is a count of pixels a bin,
    and in a tile of a few hundred pixels hardly a bin of a 16-bit histogram holds more than one. A
    constant image stays constant, at a slightly brighter level.

    Source: Zuiderveld K. Contrast limited adaptive histogram equalization. Graphics Gems IV,
    474-485 (1994), doi:10.1016/B978-0-12-336156-1.50061-6; as computed by OpenCV.

    Args:
        unit: (rows, columns) float32, 0 to 1.
        clip: the most that a bin may hold, in multiples of the mean bin, above 0; a larger limit
            allows more contrast and more noise.
        tiles: how many tiles the image has along each axis.

    Returns:
        (rows, columns) float32, 0 to 1, of 256 levels.
    """
    levels = np.rint(unit * np.float32(255)).astype(np.uint8)
    # An OpenCV equaliser keeps its buffers, so threads cannot share one.
    equalised = cv2.createCLAHE(clip, (tiles, tiles)).apply(levels)
    return np.asarray(equalised / np.float32(255), np.float32)
