"""The measurements of one lesion."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import numpy as np

from breastseg.core.errors import GeometryError
from breastseg.core.grid import Grid
from breastseg.core.prediction import Lesion
from breastseg.measure.diameters import Diameter, Point, diameters

_INSIDE = 0.95
"""Of a lesion's pixels, so many lie in the region whose scale it has."""


@dataclass(frozen=True)
class LesionMeasurement:
    """What is read off one mask.

    Attributes:
        unit: ``"mm"``, or ``"px"`` where the spacing is unknown; areas are in its square.
        longest: the longest diameter, between pixel corners.
        longest_ends: its ends, (row, column) in pixels, whole numbers at pixel centres.
        perpendicular: the longest line across the convex hull at a right angle to it.
        perpendicular_ends: its ends, likewise.
        area: pixels times the area of one.
        area_px: number of pixels.
        equivalent_diameter: of the disc of the same area.
    """

    unit: str
    longest: float
    longest_ends: tuple[Point, Point]
    perpendicular: float
    perpendicular_ends: tuple[Point, Point]
    area: float
    area_px: int
    equivalent_diameter: float

    def as_dict(self) -> dict[str, object]:
        """The same as plain containers, ready for JSON."""
        return asdict(self)


def measure(lesion: Lesion, grid: Grid) -> LesionMeasurement:
    """Measure one lesion on its image's grid.

    Args:
        lesion: a 2-D mask.
        grid: where it lies; the spacing there makes the lengths millimetres.

    Raises:
        GeometryError: the grid is not 2-D, or the lesion does not lie in it.
    """
    if grid.ndim != 2 or not lesion.box.fits(grid.shape):
        raise GeometryError(
            f"a lesion in the box {lesion.box} on a grid of {grid.shape}",
            "a box within a 2-D grid",
            "measure a volume slice by slice",
        )
    row0, column0 = lesion.box.start
    spacing = spacing_at(lesion, grid)
    steps = (1.0, 1.0) if spacing is None else spacing
    longest, across = diameters(lesion.crop, steps)
    area = lesion.area_px * math.prod(steps)
    return LesionMeasurement(
        unit="px" if spacing is None else "mm",
        longest=longest.length,
        longest_ends=_shifted(longest, row0, column0),
        perpendicular=across.length,
        perpendicular_ends=_shifted(across, row0, column0),
        area=area,
        area_px=lesion.area_px,
        equivalent_diameter=2 * math.sqrt(area / math.pi),
    )


def spacing_at(lesion: Lesion, grid: Grid) -> tuple[float, ...] | None:
    """The spacing in millimetres where a lesion lies; None where it is not known.

    On a grid with regions it is that of the region that holds the lesion, but for a few pixels on
    its border; of several, that of the smallest. Regions of one scale count as one.

    Args:
        lesion: a 2-D one.
        grid: of its image.
    """
    if not grid.regions:
        return grid.spacing_mm
    for region in sorted(grid.regions, key=lambda region: region.box.size):
        alike = [other.box for other in grid.regions if other.spacing_mm == region.spacing_mm]
        inside = np.zeros(lesion.crop.shape, bool)
        for box in alike:
            shared = box & lesion.box
            if shared is not None:
                inside[shared.shifted(*(-start for start in lesion.box.start)).slices] = True
        touched = region.box & lesion.box is not None
        if touched and np.count_nonzero(inside & lesion.crop) >= _INSIDE * lesion.area_px:
            return region.spacing_mm
    return None


def _shifted(line: Diameter, row: int, column: int) -> tuple[Point, Point]:
    """The ends of a line in the whole image."""
    (row_a, column_a), (row_b, column_b) = line.ends
    return (row_a + row, column_a + column), (row_b + row, column_b + column)
