"""The measurements of one lesion."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

from breastseg.core.errors import GeometryError
from breastseg.core.grid import Grid
from breastseg.core.prediction import Lesion
from breastseg.measure.diameters import Diameter, Point, diameters


@dataclass(frozen=True)
class LesionMeasurement:
    """What is read off one outline.

    Attributes:
        unit: ``"mm"``, or ``"px"`` where the grid's spacing is unknown; areas are in its square.
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
        lesion: a 2-D outline.
        grid: where it lies; its spacing makes the lengths millimetres.

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
    longest, across = diameters(lesion.crop, grid.steps)
    area = lesion.area_px * math.prod(grid.steps)
    return LesionMeasurement(
        unit=grid.unit,
        longest=longest.length,
        longest_ends=_shifted(longest, row0, column0),
        perpendicular=across.length,
        perpendicular_ends=_shifted(across, row0, column0),
        area=area,
        area_px=lesion.area_px,
        equivalent_diameter=2 * math.sqrt(area / math.pi),
    )


def _shifted(line: Diameter, row: int, column: int) -> tuple[Point, Point]:
    """The ends of a line in the whole image."""
    (row_a, column_a), (row_b, column_b) = line.ends
    return (row_a + row, column_a + column), (row_b + row, column_b + column)
