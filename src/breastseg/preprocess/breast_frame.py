"""The box around the breast in a mammogram, and the side of its chest wall."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from breastseg.preprocess.breast_region import breast_region

MARGIN = 0.01
"""How far the box goes beyond the breast, as a share of the image's longer side."""
_DARK = 0.25  # air is darker; in a part cut out of a mammogram what surrounds a lesion is not


def breast_frame(unit: NDArray[np.float32]) -> tuple[tuple[int, int, int, int], bool]:
    """Where a network that looks at the breast alone has to look.

    Args:
        unit: (rows, columns) float32, 0 to 1, with a dark background; the chest wall is left or
            right.

    Returns:
        (row, column, rows, columns) of the box, within the image; and whether the chest wall is
        on the right: on the side where the breast is taller. The whole image, and the left, where
        no breast can be told from a background, as in a part cut out of a mammogram.
    """
    breast = breast_region(unit)
    height, width = unit.shape
    if breast.all() or not breast.any() or np.median(unit[~breast]) > _DARK:
        return (0, 0, height, width), False
    margin = round(MARGIN * max(unit.shape))
    box = []
    for along, length in zip((breast.any(axis=1), breast.any(axis=0)), unit.shape, strict=True):
        places = np.flatnonzero(along)
        first, last = max(0, places[0] - margin), min(length, places[-1] + 1 + margin)
        box.append((int(first), int(last - first)))
    (row, rows), (column, columns) = box
    inside = breast[:, column : column + columns]
    half = columns // 2
    return (row, column, rows, columns), bool(inside[:, half:].sum() > inside[:, :half].sum())
