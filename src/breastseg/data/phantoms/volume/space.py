"""The millimetre space of a synthetic volume, and the smooth random fields that live in it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from breastseg.core.box import Box

Field = NDArray[np.float32]
"""float32 over a volume, or over what broadcasts to one."""
Point = tuple[float, float, float]
"""Millimetres along (slices, rows, columns)."""

# The mean over a knot interval of the sum of squares of the four cubic B-spline weights.
_SPLINE_POWER = 151 / 315


@dataclass(frozen=True)
class Space:
    """A block of voxels measured in millimetres from the centre of its first voxel.

    Attributes:
        shape: (slices, rows, columns).
        spacing_mm: distance of voxel centres along each of these axes.
    """

    shape: tuple[int, int, int]
    spacing_mm: Point

    @property
    def size_mm(self) -> Point:
        """The side lengths, from the first voxel's outer face to the last one's."""
        d, h, w = (n * step for n, step in zip(self.shape, self.spacing_mm, strict=True))
        return d, h, w

    @property
    def edge_mm(self) -> float:
        """The width over which a boundary fades: one voxel within the slice."""
        return max(self.spacing_mm[1:])

    def axes(self, box: Box | None = None) -> tuple[Field, Field, Field]:
        """The positions of voxel centres along each axis, shaped so that they broadcast."""
        parts = (box or Box.whole(self.shape)).slices
        z, y, x = (
            (np.arange(n, dtype=np.float32) * np.float32(step))[part]
            for n, step, part in zip(self.shape, self.spacing_mm, parts, strict=True)
        )
        return z[:, None, None], y[None, :, None], x[None, None, :]

    def box_around(self, centre: Point, reach_mm: float) -> Box:
        """The voxels whose centres lie within a cube around a point.

        Raises:
            GeometryError: none does.
        """
        start, stop = [], []
        for middle, step, n in zip(centre, self.spacing_mm, self.shape, strict=True):
            start.append(max(0, math.ceil((middle - reach_mm) / step)))
            stop.append(min(n, math.floor((middle + reach_mm) / step) + 1))
        return Box(tuple(start), tuple(stop))

    def position(self, index: tuple[int, ...]) -> Point:
        """The centre of a voxel."""
        z, y, x = (i * step for i, step in zip(index, self.spacing_mm, strict=True))
        return z, y, x


def smooth_field(generator: np.random.Generator, space: Space, scale_mm: Point) -> Field:
    """A random field of cubic B-splines with Gaussian coefficients.

    Args:
        generator: source of randomness.
        space: where to draw it.
        scale_mm: distance of the splines' knots along each axis; structures are about as large.

    Returns:
        float32 of ``space.shape``, zero mean and unit deviation over many draws.
    """
    splines = [
        _spline(generator, n, step / scale)
        for n, step, scale in zip(space.shape, space.spacing_mm, scale_mm, strict=True)
    ]
    knots = [int(first[-1]) + 4 for first, _ in splines]
    field = generator.standard_normal(knots, dtype=np.float32)
    field *= np.float32(_SPLINE_POWER**-1.5)
    # Slices first, while the field is small; columns, the costly axis to gather, last.
    for axis, (first, weights) in enumerate(splines):
        shaped = weights.reshape(4, *(-1 if axis == other else 1 for other in range(3)))
        field = sum(
            (shaped[tap] * np.take(field, first + tap, axis) for tap in range(1, 4)),
            shaped[0] * np.take(field, first, axis),
        )
    return field


def _spline(
    generator: np.random.Generator, samples: int, step: float
) -> tuple[NDArray[np.intp], Field]:
    """The first of the four knots that bear on each sample, and their weights, (4, samples).

    The knots start anywhere.
    """
    at = np.arange(samples) * step + generator.random()
    first = np.floor(at).astype(np.intp)
    t = at - first
    weights = ((1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3)
    return first, np.asarray(weights, np.float32) / np.float32(6)


def covered(level_mm: Field, edge_mm: float) -> Field:
    """How much of a voxel lies inside a surface, 0 to 1.

    Args:
        level_mm: signed distance to the surface, negative inside.
        edge_mm: width of the voxel.
    """
    return np.asarray(np.clip(np.float32(0.5) - level_mm / np.float32(edge_mm), 0, 1), np.float32)
