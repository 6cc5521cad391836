"""Contours and lines in the coordinates of reports and presentation states.

(column, row) with the outer corner of the first pixel at 0, as in SCOORD (DICOM PS3.3 C.18.6.1.1)
and in graphic annotations (C.10.5.1.2); ours are (row, column) with the first pixel's centre at 0.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from breastseg.core.box import Box
from breastseg.measure.diameters import Point
from breastseg.measure.polygons import polygons

Line = NDArray[np.float64]
"""(n, 2), (column, row); a closed one ends where it begins."""

_MAX_POINTS = 4000
"""Of a contour: the value of an element of floats has at most 65534 bytes, 8191 points."""


def contours(crop: NDArray[np.bool_], box: Box) -> list[Line]:
    """The closed outer contours of a lesion on one frame, the longest first.

    They follow the edges of the pixels; one of more than 4000 corners is simplified.

    Args:
        crop: box.shape, True on the lesion.
        box: where it lies in the frame.
    """
    row, column = box.start
    lines = []
    for polygon in polygons(crop):
        ring = polygon.outer[:, ::-1] + np.array([column, row])
        lines.append(_simplified(np.concatenate([ring, ring[:1]]).astype(np.float64)))
    return sorted(lines, key=lambda line: -len(line))


def diameter(ends: tuple[Point, Point]) -> Line:
    """The line between two ends."""
    return np.array([(column + 0.5, row + 0.5) for row, column in ends])


def _simplified(line: Line) -> Line:
    from skimage.measure import approximate_polygon

    tolerance = 0.5
    simple = line
    while len(simple) > _MAX_POINTS:
        simple = approximate_polygon(line, tolerance)
        tolerance *= 1.5
    return simple
