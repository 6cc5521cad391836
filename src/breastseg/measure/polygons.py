"""From a mask to polygons along the edges of its pixels, with holes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from breastseg.core.errors import GeometryError
from breastseg.core.regions import connected_regions

Ring = NDArray[np.int64]
"""(n, 2) corners as (row, column), where pixel (0, 0) reaches from 0 to 1 along both axes; the last
is joined to the first. Edges are horizontal and vertical in turn."""


@dataclass(frozen=True, eq=False)
class Polygon:
    """One connected region.

    Attributes:
        outer: its outer ring. As (column, row) its shoelace sum is positive.
        holes: what is not of it inside; their sums are negative.
    """

    outer: Ring
    holes: tuple[Ring, ...] = ()

    @property
    def rings(self) -> tuple[Ring, ...]:
        """The outer ring, then the holes."""
        return self.outer, *self.holes

    @property
    def area_px(self) -> int:
        """Pixels inside."""
        return sum(_signed_area(ring) for ring in self.rings)


def polygons(mask: NDArray[np.bool_]) -> tuple[Polygon, ...]:
    """The contours of a mask, exact to the edges of its pixels.

    Where two pixels touch only by a corner, a third is added beside them, so that no ring touches
    itself or another: all are simple, and a region is connected by the sides of its pixels.

    The corners of all rings are where an odd number of the four pixels around a point is inside.
    On each line of the lattice they pair up to the edges of the rings.

    Args:
        mask: (rows, columns) bool.

    Returns:
        The regions, by the row and then the column of their first corner.

    Raises:
        GeometryError: the mask has another number of axes.
    """
    if mask.ndim != 2:
        raise GeometryError(f"a mask of shape {mask.shape}", "(rows, columns)")
    filled = joined_corners(mask)
    outer: dict[int, Ring] = {}
    holes: dict[int, list[Ring]] = {}
    labels = connected_regions(filled, corners=False).labels
    for ring in _rings(filled):
        row, column = ring[0]
        inside = row < filled.shape[0] and column < filled.shape[1] and filled[row, column]
        if inside:
            outer[int(labels[row, column])] = ring
        else:
            # above a hole's first edge lies the region that it belongs to
            holes.setdefault(int(labels[row - 1, column]), []).append(ring[::-1])
    return tuple(Polygon(ring, tuple(holes.get(label, ()))) for label, ring in outer.items())


def joined_corners(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """A copy in which no two pixels inside touch by a corner alone; pixels are only added."""
    filled = mask.astype(bool)
    while True:
        # of a square of four pixels: a b above c d
        a, b, c, d = filled[:-1, :-1], filled[:-1, 1:], filled[1:, :-1], filled[1:, 1:]
        falling = a & d & ~b & ~c
        rising = b & c & ~a & ~d
        if not falling.any() and not rising.any():
            return filled
        b |= falling
        a |= rising


def _rings(filled: NDArray[np.bool_]) -> list[Ring]:
    """All rings, each from its first corner to the right; by that corner."""
    padded = np.pad(filled, 1)
    odd = padded[:-1, :-1] ^ padded[:-1, 1:] ^ padded[1:, :-1] ^ padded[1:, 1:]
    corners = np.argwhere(odd)
    # along a row, corner 2k is joined to corner 2k + 1; along a column likewise
    order = np.lexsort((corners[:, 0], corners[:, 1]))
    partner = np.empty(len(corners), np.int64)
    partner[order[0::2]], partner[order[1::2]] = order[1::2], order[0::2]
    below = partner.tolist()
    seen = bytearray(len(corners))
    rings = []
    for start in range(len(corners)):
        if seen[start]:
            continue
        ring, at = [], start
        while not seen[at]:
            ring += [at, at ^ 1]
            seen[at] = seen[at ^ 1] = 1
            at = below[at ^ 1]
        rings.append(corners[ring])
    return rings


def _signed_area(ring: Ring) -> int:
    row, column = ring[:, 0], ring[:, 1]
    return int((column * np.roll(row, -1) - np.roll(column, -1) * row).sum()) // 2
