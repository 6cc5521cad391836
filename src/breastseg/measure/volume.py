"""The measurements of one lesion in a volume."""

from __future__ import annotations

import math
from dataclasses import dataclass

from breastseg.core.errors import GeometryError
from breastseg.core.grid import Grid
from breastseg.core.prediction import Lesion


@dataclass(frozen=True)
class VolumeMeasurement:
    """What is read off the mask of a lesion in a volume.

    Attributes:
        unit: ``"mm"``, or ``"px"`` where the spacing is unknown; volumes are in its cube.
        volume: voxels times the volume of one.
        voxels: their number.
        equivalent_diameter: of the ball of the same volume.
    """

    unit: str
    volume: float
    voxels: int
    equivalent_diameter: float


def measure_volume(lesion: Lesion, grid: Grid) -> VolumeMeasurement:
    """Measure one lesion on the grid of its volume.

    Args:
        lesion: a 3-D one.
        grid: where it lies; the spacing there makes the lengths millimetres.

    Raises:
        GeometryError: the grid is not 3-D, or the lesion does not lie in it.
    """
    if grid.ndim != 3 or not lesion.box.fits(grid.shape):
        raise GeometryError(
            f"a lesion in the box {lesion.box} on a grid of {grid.shape}", "a box within a 3-D grid"
        )
    volume = lesion.area_px * math.prod(grid.steps)
    return VolumeMeasurement(
        unit="px" if grid.spacing_mm is None else "mm",
        volume=volume,
        voxels=lesion.area_px,
        equivalent_diameter=math.cbrt(6 * volume / math.pi),
    )
