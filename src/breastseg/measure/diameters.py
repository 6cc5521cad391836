"""The longest diameter of a region and the longest one perpendicular to it.

A pixel is a rectangle, not a point: both are measured over the corners of the pixels, so that
a single pixel has its diagonal and a row of n pixels is n long. Both lie within the convex
hull, as callipers laid on the outside of a lesion do. Coordinates are scaled by the spacing
before the hull is taken, so that unequal spacing is measured truly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from breastseg.core.errors import GeometryError, InputError

Point = tuple[float, float]

_SAME = 1 - 1e-12
"""Lengths that differ by rounding alone are equal; the first is then the same everywhere."""


@dataclass(frozen=True)
class Diameter:
    """A straight line across a region.

    Attributes:
        length: in units of the spacing, else pixels.
        ends: two points (row, column) in pixels; whole numbers are pixel centres, so that pixel
            (r, c) reaches from r - 0.5 to r + 0.5. The first end is the upper, then left one.
    """

    length: float
    ends: tuple[Point, Point]


def diameters(
    region: NDArray[np.bool_], spacing: Sequence[float] = (1.0, 1.0)
) -> tuple[Diameter, Diameter]:
    """Measure a region.

    Args:
        region: (H, W) bool with at least one True; several parts are measured as one.
        spacing: (row, column) step, e.g. millimetres.

    Returns:
        The longest diameter (maximum Feret diameter), and the longest line across the convex
        hull at a right angle to it. Of several longest lines the first in array order is taken.

    Raises:
        GeometryError: not two axes, or the spacing is not two values above 0.
        InputError: the region is empty.
    """
    steps = np.asarray(spacing, np.float64)
    if (
        region.ndim != 2
        or steps.shape != (2,)
        or not bool(np.all(np.isfinite(steps) & (steps > 0)))
    ):
        raise GeometryError(
            f"a region of shape {region.shape} with spacing {tuple(spacing)}",
            "two axes and two values above 0",
        )
    if not region.any():
        raise InputError("an empty region", "at least one pixel")
    hull = _hull(_corners(region) * steps)
    apart = np.hypot(*(hull[:, None] - hull[None]).transpose(2, 0, 1))
    first, second = np.argwhere(apart >= apart.max() * _SAME)[0]
    longest = _diameter(hull[first], hull[second], steps)
    return longest, _across(hull, hull[first], hull[second], steps)


def _corners(region: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Corners of the first and last pixel of every row; no others can be on the hull."""
    rows = np.flatnonzero(region.any(axis=1))
    filled = region[rows]
    first = filled.argmax(axis=1)
    last = filled.shape[1] - 1 - filled[:, ::-1].argmax(axis=1)
    return np.concatenate(
        [
            np.stack([rows + down, column], axis=1)
            for down in (-0.5, 0.5)
            for column in (first - 0.5, last + 0.5)
        ]
    )


def _hull(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Vertices of the convex hull, sorted by row, then column.

    Andrew's monotone chain (1979, doi 10.1016/0020-0190(79)90072-3), on at most four points a
    row. scipy has a hull too, but importing it takes longer than segmenting a scan.
    """
    ordered = sorted(map(tuple, points.tolist()))
    hull: set[Point] = set()
    for sequence in (ordered, ordered[::-1]):
        chain: list[Point] = []
        for point in sequence:
            while len(chain) > 1 and not _turns_left(chain[-2], chain[-1], point):
                chain.pop()
            chain.append(point)
        hull.update(chain)
    return np.array(sorted(hull))


def _turns_left(a: Point, b: Point, c: Point) -> bool:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]) > 0


def _across(
    hull: NDArray[np.float64],
    start: NDArray[np.float64],
    end: NDArray[np.float64],
    steps: NDArray[np.float64],
) -> Diameter:
    """The longest line across the hull perpendicular to the one from `start` to `end`.

    The width of a convex polygon along a direction changes its slope only at vertices, so the
    widest place is at one of them.
    """
    along = (end - start) / np.hypot(*(end - start))
    aside = np.array([-along[1], along[0]])
    position, offset = (hull - start) @ along, (hull - start) @ aside
    order = np.argsort(position, kind="stable")
    position, offset = position[order], offset[order]
    tolerance = 1e-9 * position[-1]
    upper, lower = offset >= -tolerance, offset <= tolerance
    high = np.interp(position, position[upper], offset[upper])
    low = np.interp(position, position[lower], offset[lower])
    width = high - low
    widest = int(np.argmax(width >= width.max() * _SAME))
    foot = start + position[widest] * along
    return _diameter(foot + low[widest] * aside, foot + high[widest] * aside, steps)


def _diameter(
    start: NDArray[np.float64], end: NDArray[np.float64], steps: NDArray[np.float64]
) -> Diameter:
    """A line between two scaled points."""
    ends = sorted((float(p[0] / steps[0]), float(p[1] / steps[1])) for p in (start, end))
    return Diameter(float(np.hypot(*(end - start))), (ends[0], ends[1]))
