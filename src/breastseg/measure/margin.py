"""Between which contours a lesion lies, by the margins that a network was calibrated for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from breastseg.core.box import Box
from breastseg.core.calibrated import Margin
from breastseg.core.distance import narrowed, widened
from breastseg.core.grid import Grid
from breastseg.core.prediction import Lesion
from breastseg.measure.diameters import diameters
from breastseg.measure.lesion import spacing_at

Range = tuple[float, float]
"""The smallest and the largest value."""


@dataclass(frozen=True, eq=False)
class LesionMargin:
    """An inner and an outer contour of one lesion, and what is between them.

    Attributes:
        coverage: the probability with which each of the two contours holds: all of the lesion lies
            within the outer one, and all within the inner one is lesion.
        box: where the two masks lie in the image.
        outer: box.shape bool, cut off at the border of the image.
        inner: box.shape bool; may be empty.
        outer_distance: of the outer contour from the mask, in millimetres, or in pixels where the
            spacing is not known.
        inner_distance: of the inner one.
        longest_diameter: of the inner and of the outer mask, in that unit; 0 of an empty one.
        area: of both, in its square.
    """

    coverage: float
    box: Box
    outer: NDArray[np.bool_] = field(repr=False)
    inner: NDArray[np.bool_] = field(repr=False)
    outer_distance: float
    inner_distance: float
    longest_diameter: Range
    area: Range

    def masks(self, shape: tuple[int, ...]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """The outer and the inner mask, bool of the image's shape."""
        whole = np.zeros((2, *shape), bool)
        whole[:, *self.box.slices] = self.outer, self.inner
        return whole[0], whole[1]


def equivalent_diameter(region: NDArray[np.bool_], steps: Sequence[float]) -> float:
    """The diameter of the disc of the same area, in the unit of the steps.

    Args:
        region: 2-D bool.
        steps: length of a pixel along both axes.
    """
    return 2 * math.sqrt(np.count_nonzero(region) * math.prod(steps) / math.pi)


def lesion_margin(lesion: Lesion, grid: Grid, margin: Margin) -> LesionMargin:
    """The two contours of a lesion.

    Args:
        lesion: a 2-D one.
        grid: of its image.
        margin: how far the contours lie from the mask.
    """
    steps = spacing_at(lesion, grid) or (1.0, 1.0)
    diameter = equivalent_diameter(lesion.crop, steps)
    reach = [math.ceil(margin.outer * diameter / step) for step in steps]
    row, column = (max(0, at - by) for at, by in zip(lesion.box.start, reach, strict=True))
    (row0, column0), (rows, columns) = lesion.box.start, lesion.box.shape
    before = row0 - row, column0 - column
    after = [
        min(side, at + length + by) - at - length
        for side, at, length, by in zip(
            grid.shape, lesion.box.start, lesion.box.shape, reach, strict=True
        )
    ]
    crop = np.pad(lesion.crop, tuple(zip(before, after, strict=True)))
    outer = widened(crop, margin.outer * diameter, steps)
    inner = narrowed(crop, margin.inner * diameter, steps)
    ends = row0 + rows + after[0], column0 + columns + after[1]
    return LesionMargin(
        coverage=margin.coverage,
        box=Box.of(row, column, *ends),
        outer=outer,
        inner=inner,
        outer_distance=margin.outer * diameter,
        inner_distance=margin.inner * diameter,
        longest_diameter=(_longest(inner, steps), _longest(outer, steps)),
        area=(_area(inner, steps), _area(outer, steps)),
    )


def _longest(region: NDArray[np.bool_], steps: Sequence[float]) -> float:
    return diameters(region, steps)[0].length if region.any() else 0.0


def _area(region: NDArray[np.bool_], steps: Sequence[float]) -> float:
    return float(np.count_nonzero(region) * math.prod(steps))
