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
from breastseg.core.regions import connected_regions
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
        outer_distance: by how much the outer mask is wider than the lesion, taken as discs of their
            areas: the difference of the radii, in millimetres, or in pixels where the spacing is
            not known.
        inner_distance: by how much the inner one is narrower.
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


def contour_starts(
    region: NDArray[np.bool_], probability: NDArray[np.float32], low: float, high: float
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """What is widened to the outer mask, and what is narrowed to the inner one.

    Args:
        region: (rows, columns) bool, a lesion on the image's grid.
        probability: the same shape, 0 to 1.
        low: what is joined to the region at this probability is widened.
        high: what in the region has this probability is narrowed.
    """
    joined = connected_regions(region | (probability >= low)).labels
    return np.isin(joined, np.unique(joined[region])), region & (probability >= high)


def lesion_margin(
    lesion: Lesion, probability: NDArray[np.float32], grid: Grid, margin: Margin
) -> LesionMargin:
    """The two contours of a lesion.

    Args:
        lesion: a 2-D one.
        probability: grid.shape, 0 to 1, of which the lesion is a region.
        grid: of its image.
        margin: where the contours lie.
    """
    steps = spacing_at(lesion, grid) or (1.0, 1.0)
    diameter = equivalent_diameter(lesion.crop, steps)
    region = lesion.on(grid.shape)
    low, high = margin.outer_threshold, margin.inner_threshold
    reached, kept = contour_starts(region, probability, low, high)
    reach = [math.ceil(margin.outer * diameter / step) for step in steps]
    around = Box.around(reached)
    box = None if around is None else around.padded(*reach).within(grid.shape)
    assert box is not None, "a lesion has pixels"
    outer = widened(reached[box.slices], margin.outer * diameter, steps)
    inner = narrowed(kept[box.slices], margin.inner * diameter, steps)
    return LesionMargin(
        coverage=margin.coverage,
        box=box,
        outer=outer,
        inner=inner,
        outer_distance=(equivalent_diameter(outer, steps) - diameter) / 2,
        inner_distance=(diameter - equivalent_diameter(inner, steps)) / 2,
        longest_diameter=(_longest(inner, steps), _longest(outer, steps)),
        area=(_area(inner, steps), _area(outer, steps)),
    )


def _longest(region: NDArray[np.bool_], steps: Sequence[float]) -> float:
    return diameters(region, steps)[0].length if region.any() else 0.0


def _area(region: NDArray[np.bool_], steps: Sequence[float]) -> float:
    return float(np.count_nonzero(region) * math.prod(steps))
