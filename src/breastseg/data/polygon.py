"""Contours that are stated as polygons, and the reference to a case that has them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray

from breastseg.data.dataset import CaseRef

Polygon: TypeAlias = tuple[tuple[float, float], ...]
"""The corners (x, y) of a closed contour in pixel-corner coordinates, see `filled`."""


@dataclass(frozen=True)
class PolygonRef(CaseRef):
    """A case whose contours are polygons, kept here as they stand in the data set's tables.

    Attributes:
        polygons: the lesions, in any order; they may overlap.
    """

    polygons: tuple[Polygon, ...] = ()
    masks_are_images: ClassVar[bool] = False

    def read_mask_array(self, shape: tuple[int, ...]) -> NDArray[np.bool_]:
        """All polygons, filled.

        Args:
            shape: of the image's grid.

        Returns:
            Of that shape, True inside any of them; what lies outside the image is left out.
        """
        merged = np.zeros(shape, bool)
        for polygon in self.polygons:
            merged |= filled(polygon, (shape[0], shape[1]))
        return merged


def polygon_of(x: Iterable[float], y: Iterable[float]) -> Polygon:
    """Pair the coordinates of corners.

    Raises:
        ValueError: there are more of one than of the other, or one is not finite.
    """
    across, down = [*map(float, x)], [*map(float, y)]
    if len(across) != len(down):
        raise ValueError("a corner with one coordinate")
    corners = tuple(zip(across, down, strict=True))
    if not all(math.isfinite(value) for corner in corners for value in corner):
        raise ValueError("a coordinate is not finite")
    return corners


def from_centres(polygon: Polygon) -> Polygon:
    """Corners whose whole numbers are the centres of pixels, in pixel-corner coordinates."""
    return tuple((x + 0.5, y + 0.5) for x, y in polygon)


def filled(polygon: Polygon, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """The pixels whose centre lies inside a polygon.

    Coordinates are those of pixel corners: the image reaches from 0 to its width and height,
    and the centre of its first pixel is (0.5, 0.5), as on a browser's canvas. A centre on the
    contour belongs to the polygon where that is its left or upper side, so that the area is that
    of the polygon without bias and neighbours share no pixel. Where a contour crosses itself,
    what it goes round twice is outside (the even-odd rule).

    Args:
        polygon: the corners (x, y), the last joined to the first; fewer than three hold nothing.
        shape: (rows, columns) of the image.

    Returns:
        Of that shape, True inside.
    """
    rows, columns = shape
    one = np.asarray(polygon, np.float64).reshape(-1, 2) - 0.5  # whole numbers are now centres
    other = np.roll(one, -1, axis=0)
    # From the upper end to the lower, so that rounding is the same for whoever shares an edge.
    downward = (one[:, 1] <= other[:, 1])[:, None]
    start, end = np.where(downward, one, other), np.where(downward, other, one)
    # An edge crosses the rows from `first` to before `last`; a level one crosses none.
    first = np.clip(np.ceil(start[:, 1]), 0, rows).astype(np.intp)
    last = np.clip(np.ceil(end[:, 1]), 0, rows).astype(np.intp)
    count = last - first
    edge = np.repeat(np.arange(len(start)), count)
    row = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count) + first[edge]
    along = (row - start[edge, 1]) / (end[edge, 1] - start[edge, 1])
    crossing = start[edge, 0] + along * (end[edge, 0] - start[edge, 0])
    column = np.clip(np.ceil(crossing), 0, columns).astype(np.intp)
    mask = np.zeros(shape, bool)
    if row.size:
        # Right of an odd number of crossings is inside; only the box round them is looked at.
        top, left, right = row.min(), column.min(), column.max()
        turns = np.zeros((row.max() + 1 - top, right + 1 - left), np.uint8)
        np.bitwise_xor.at(turns, (row - top, column - left), 1)
        inside = np.bitwise_xor.accumulate(turns[:, :-1], axis=1).astype(bool)
        mask[top : top + len(inside), left:right] = inside
    return mask
