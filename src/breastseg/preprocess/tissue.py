"""Where on a slide there is tissue, by the colour that stains give it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from breastseg.core.errors import GeometryError
from breastseg.core.regions import connected_regions

LEAST_CHROMA, MOST_CHROMA = 10, 26
"""Of 255: between these the threshold lies. Bare glass stays below the first, and the second keeps
a slide that is all tissue from being divided into pale and dark tissue."""
LEAST_AREA = 1 / 20_000
"""Fraction of the image below which a spot of colour is dust."""


def tissue_mask(thumbnail: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Tissue by its chroma, the distance of the largest and the smallest of red, green and blue.

    Glass, shadows and black ink have next to none. The threshold is Otsu's
    (doi:10.1109/TSMC.1979.4310076), held between two bounds; then gaps are closed and dust is
    dropped. An image without colour has no tissue.

    Args:
        thumbnail: (rows, columns, 3) uint8 RGB; some 5 to 40 micrometres a pixel suit.

    Returns:
        (rows, columns) bool.

    Raises:
        GeometryError: another shape or dtype.
    """
    import cv2

    check_rgb(thumbnail)
    # noise of single pixels would be coloured too
    smooth = cv2.medianBlur(np.ascontiguousarray(thumbnail), 3)
    chroma = np.asarray(smooth.max(axis=2) - smooth.min(axis=2), np.uint8)
    otsu, _ = cv2.threshold(chroma, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    stained = (chroma > np.clip(otsu, LEAST_CHROMA, MOST_CHROMA)).astype(np.uint8)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    closed = cv2.morphologyEx(stained, cv2.MORPH_CLOSE, disc)
    pieces = connected_regions(closed > 0)
    return pieces.chosen(pieces.sizes >= LEAST_AREA * closed.size)


def check_rgb(pixels: NDArray[np.generic]) -> None:
    """Refuse what is no RGB image.

    Raises:
        GeometryError: the shape is not (rows, columns, 3), or the dtype not uint8.
    """
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8 or not pixels.size:
        raise GeometryError(
            f"an image of shape {pixels.shape}, dtype {pixels.dtype}", "(rows, columns, 3) uint8"
        )
