"""Volumes in the orientation that a network was trained in, and back.

The same scan can be stored in 48 ways: any order of the three axes, each counted from either end. A
network sees axes and not a patient, so a volume is turned before it is looked at and its mask is
turned back. Nothing is interpolated: axes are exchanged and reversed.

An orientation is three letters, one an axis in array order, as `breastseg.core.bundle.VolumeSpec`
has it: ``"SPL"`` is a volume whose slices rise to the head (S), whose rows run to the back (P) and
whose columns run to the patient's left (L). Of an oblique volume each axis counts for the direction
that it is nearest to.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import permutations
from types import EllipsisType
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from breastseg.core.errors import GeometryError
from breastseg.core.grid import Grid
from breastseg.core.image import Image

Kind = TypeVar("Kind", bound=np.generic)

AXIAL = "SPL"
"""The orientation of a grid that states no direction."""

_LETTERS = {"S": (0, 1), "I": (0, -1), "P": (1, 1), "A": (1, -1), "L": (2, 1), "R": (2, -1)}
# component of (z, y, x) in LPS, and whether the index grows with it
_DIGITS = 6  # cosines that agree to so many are equal: no rounding decides between two axes


@dataclass(frozen=True)
class Reorientation:
    """How the axes of a volume are exchanged and reversed.

    Attributes:
        axes: for each axis of the result the axis of the volume that it was.
        reversed: for each axis of the result whether it is counted from the other end.
    """

    axes: tuple[int, ...]
    reversed: tuple[bool, ...]

    def apply(self, volume: NDArray[Kind]) -> NDArray[Kind]:
        """A view of (..., slices, rows, columns) in the new orientation; leading axes stay."""
        lead = volume.ndim - 3
        turned = volume.transpose(*range(lead), *(lead + axis for axis in self.axes))
        return turned[self._steps]

    def undo(self, volume: NDArray[Kind]) -> NDArray[Kind]:
        """A view of what `apply` has returned in the orientation that it had before."""
        lead = volume.ndim - 3
        back = (lead + int(axis) for axis in np.argsort(self.axes))
        return volume[self._steps].transpose(*range(lead), *back)

    def grid(self, grid: Grid) -> Grid:
        """Where the voxels of the turned volume lie: where they lay before."""
        square = _direction(grid)
        signs = np.where(self.reversed, -1, 1)
        steps = np.array(grid.steps)
        last = np.array(grid.shape) - 1
        ends = np.zeros(3)
        for axis, back in zip(self.axes, self.reversed, strict=True):
            ends[axis] = last[axis] * back
        origin = np.array(grid.origin_mm or (0.0,) * 3) + square @ (ends * steps)
        return Grid(
            tuple(grid.shape[axis] for axis in self.axes),
            None if grid.spacing_mm is None else tuple(grid.spacing_mm[a] for a in self.axes),
            tuple(origin.tolist()),
            tuple((square[:, list(self.axes)] * signs).ravel().tolist()),
        )

    @property
    def _steps(self) -> tuple[slice | EllipsisType, ...]:
        return (..., *(slice(None, None, -1 if back else None) for back in self.reversed))


def reorientation(grid: Grid, wanted: str) -> Reorientation:
    """How a volume on this grid is brought to an orientation.

    Which axis is which depends on where the voxels lie alone, and not on the order in which they
    are stored.

    Args:
        grid: 3-D.
        wanted: three letters, such as ``"SPL"``; see this module's docstring.

    Raises:
        GeometryError: a grid of two axes.
    """
    if grid.ndim != 3:
        raise GeometryError(
            f"an image of {grid.shape} pixels",
            "a volume of (slices, rows, columns)",
            "open the whole series at once",
        )
    square = _direction(grid)
    targets = [_LETTERS[letter] for letter in wanted]

    def fit(axes: tuple[int, ...]) -> tuple[float, ...]:
        # the sum of cosines first; where two orders are equally near, the head decides, then the
        # back, then on which side a line leans: none of it changes where an axis is reversed
        lines = np.empty((3, 3))
        for (part, _), axis in zip(targets, axes, strict=True):
            lines[part] = square[:, axis]
        near = np.abs(np.diag(lines))
        leans = (lines * np.roll(lines, 1, axis=1)).ravel()
        return tuple(np.round([near.sum(), *near, *leans], _DIGITS).tolist())

    axes = max(permutations(range(3)), key=fit)
    away = tuple(
        bool(square[part, axis] * sign < 0)
        for (part, sign), axis in zip(targets, axes, strict=True)
    )
    return Reorientation(axes, away)


def oriented(image: Image, wanted: str) -> Image:
    """A volume in an orientation; its voxels stay where they are in the patient.

    Args:
        image: (channels, slices, rows, columns); nothing of it is copied.
        wanted: as for `reorientation`.

    Raises:
        GeometryError: an image that is no volume.
    """
    turn = reorientation(image.grid, wanted)
    return replace(image, array=turn.apply(image.array), grid=turn.grid(image.grid), reference=None)


def _direction(grid: Grid) -> NDArray[np.float64]:
    """(3, 3): a row a component of (z, y, x) in LPS, a column an array axis."""
    return np.eye(3) if grid.direction is None else np.reshape(grid.direction, (3, 3))
