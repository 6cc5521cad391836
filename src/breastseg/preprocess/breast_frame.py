"""The box around the breast in a mammogram, and the side of its chest wall."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from breastseg.core.box import Box
from breastseg.preprocess.breast_region import breast_region

MARGIN = 0.01
"""How far the box goes beyond the breast, as a fraction of the image's longer side."""
_DARK = 0.25  # air is darker; in a part cut out of a mammogram what surrounds a lesion is not


def breast_frame(unit: NDArray[np.float32]) -> tuple[Box, bool]:
    """Where a network that looks at the breast alone has to look.

    Args:
        unit: (rows, columns) float32, 0 to 1, with a dark background; the chest wall is left or
            right.

    Returns:
        The box, within the image; and whether the chest wall is
        on the right: on the side where the breast is taller. The whole image, and the left, where
        no breast can be told from a background, as in a part cut out of a mammogram.
    """
    breast = breast_region(unit)
    whole, found = Box.whole(unit.shape), Box.around(breast)
    if breast.all() or found is None or np.median(unit[~breast]) > _DARK:
        return whole, False
    margin = round(MARGIN * max(unit.shape))
    box = found.padded(margin) & whole
    assert box is not None
    inside = breast[box.slices]
    half = box.shape[1] // 2
    return box, bool(inside[:, half:].sum() > inside[:, :half].sum())
