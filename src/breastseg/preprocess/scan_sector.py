"""The part of an ultrasound screen that shows the scan, without titles, scales and margins."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from breastseg.preprocess.geometry import resize

SIDE_PX = 256
"""The longer side of the copy that everything is computed on; lengths below are in its pixels."""
_LIT = 0.04  # brighter than the screen's black
_GAP_PX = 4  # dark gaps in speckle are narrower than twice this
_STROKE_PX = 9  # letters, scales and lines are thinner than twice this once they are closed
_MARGIN_PX = 3
_LEAST_SHARE = 0.1  # of the picture; a smaller scan is not believed
_PART = 0.1  # of the largest part; a cyst or a shadow from side to side leaves two such parts


def scan_box(unit: NDArray[np.float32]) -> tuple[int, int, int, int]:
    """The box around the scan.

    What is brighter than the screen's black is closed over the gaps of speckle and opened by more
    than the height of a line of text; the largest part that is left, with others of some size, is
    the scan.

    Args:
        unit: (rows, columns) float32, 0 to 1.

    Returns:
        (row, column, rows, columns) within the picture; the whole picture where nothing, or only
        a small part of it, looks like a scan.
    """
    height, width = unit.shape
    scale = SIDE_PX / max(unit.shape)
    small = resize(unit, (max(1, round(height * scale)), max(1, round(width * scale))))
    lit = (small > _LIT).astype(np.uint8)
    # beyond the picture a scan that touches its edge goes on: opening must not round its corners
    lit = np.pad(lit, 2 * _STROKE_PX, mode="edge")
    closed = cv2.morphologyEx(lit, cv2.MORPH_CLOSE, _disc(_GAP_PX))
    opened = cv2.morphologyEx(closed, cv2.MORPH_OPEN, _disc(_STROKE_PX))
    inner = slice(2 * _STROKE_PX, -2 * _STROKE_PX)
    count, _, stats, _ = cv2.connectedComponentsWithStats(
        np.ascontiguousarray(opened[inner, inner])
    )
    if count == 1:
        return 0, 0, height, width
    areas = stats[1:, cv2.CC_STAT_AREA]
    if areas.max() < _LEAST_SHARE * small.size:
        return 0, 0, height, width
    parts = stats[1:][areas >= _PART * areas.max()]
    box = []
    for first, side, limit, whole in (
        (cv2.CC_STAT_TOP, cv2.CC_STAT_HEIGHT, small.shape[0], height),
        (cv2.CC_STAT_LEFT, cv2.CC_STAT_WIDTH, small.shape[1], width),
    ):
        low = max(0, int(parts[:, first].min()) - _MARGIN_PX)
        high = min(limit, int((parts[:, first] + parts[:, side]).max()) + _MARGIN_PX)
        start, end = int(np.floor(low * whole / limit)), int(np.ceil(high * whole / limit))
        box.append((start, end - start))
    (row, rows), (column, columns) = box
    return row, column, rows, columns


def _disc(radius: int) -> NDArray[np.uint8]:
    shape = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    return np.asarray(shape, np.uint8)
