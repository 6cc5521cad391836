"""The part of an ultrasound screen that shows the scan, without titles, scales and margins."""

from __future__ import annotations

import math
import operator
from functools import reduce

import cv2
import numpy as np
from numpy.typing import NDArray

from breastseg.core.box import Box
from breastseg.core.regions import connected_regions
from breastseg.preprocess.geometry import resize

SIDE_PX = 256
"""The longer side of the copy that everything is computed on; lengths below are in its pixels."""
_LIT = 0.04  # brighter than the screen's black
_GAP_PX = 4  # dark gaps in speckle are narrower than twice this
_STROKE_PX = 9  # letters, scales and lines are thinner than twice this once they are closed
_MARGIN_PX = 3
_MIN_FRACTION = 0.1  # of the image; a smaller scan is not believed
_PART = 0.1  # of the largest part; a cyst or a shadow from side to side leaves two such parts


def scan_box(unit: NDArray[np.float32]) -> Box:
    """The box around the scan.

    What is brighter than the screen's black is closed over the gaps of speckle and opened by more
    than the height of a line of text; the largest part that is left, with others of some size, is
    the scan.

    Args:
        unit: (rows, columns) float32, 0 to 1.

    Returns:
        A box within the image; the whole image where nothing, or only
        a small part of it, looks like a scan.
    """
    scale = SIDE_PX / max(unit.shape)
    rows, columns = (max(1, round(side * scale)) for side in unit.shape)
    small = resize(unit, (rows, columns))
    lit = (small > _LIT).astype(np.uint8)
    # beyond the image a scan that touches its edge goes on: opening must not round its corners
    lit = np.pad(lit, 2 * _STROKE_PX, mode="edge")
    closed = cv2.morphologyEx(lit, cv2.MORPH_CLOSE, _disc(_GAP_PX))
    opened = cv2.morphologyEx(closed, cv2.MORPH_OPEN, _disc(_STROKE_PX))
    inner = slice(2 * _STROKE_PX, -2 * _STROKE_PX)
    regions = connected_regions(opened[inner, inner] > 0)
    largest = max(regions.sizes, default=0)
    if largest < _MIN_FRACTION * small.size:
        return Box.whole(unit.shape)
    parts = [
        box
        for box, size in zip(regions.boxes, regions.sizes, strict=True)
        if size >= _PART * largest
    ]
    box = reduce(operator.or_, parts).padded(_MARGIN_PX).within(small.shape)
    assert box is not None
    # outwards, to whole pixels of the image
    down, along = unit.shape[0] / rows, unit.shape[1] / columns
    row0, column0, row1, column1 = box
    return Box.of(
        math.floor(row0 * down),
        math.floor(column0 * along),
        min(math.ceil(row1 * down), unit.shape[0]),
        min(math.ceil(column1 * along), unit.shape[1]),
    )


def _disc(radius: int) -> NDArray[np.uint8]:
    shape = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    return np.asarray(shape, np.uint8)
