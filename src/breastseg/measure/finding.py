"""The lesions of one prediction, each with its measurements."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from breastseg.core.prediction import Lesion, Prediction
from breastseg.measure.diameters import Point
from breastseg.measure.lesion import LesionMeasurement, measure
from breastseg.measure.uncertainty import region_uncertainty


@dataclass(frozen=True, eq=False)
class Finding:
    """One segmented lesion with its measurements.

    Attributes:
        lesion: where it lies.
        measured: its size in an image; None in a volume.
        volume: in a volume, in mm3, or in voxels where the spacing is unknown; None in an image.
        uncertainty: the mean over it, 0 (sure) to 1; None where the method gives none.
    """

    lesion: Lesion
    measured: LesionMeasurement | None
    volume: float | None = None
    uncertainty: float | None = None


def findings(prediction: Prediction) -> tuple[Finding, ...]:
    """The lesions of an image or a volume, the largest first."""
    grid = prediction.grid
    return tuple(
        Finding(
            lesion,
            measure(lesion, grid) if grid.ndim == 2 else None,
            lesion.area_px * math.prod(grid.steps) if grid.ndim == 3 else None,
            region_uncertainty(prediction, lesion),
        )
        for lesion in prediction.lesions()
    )


def diameter_ends(found: Iterable[Finding]) -> list[tuple[Point, Point]]:
    """The two ends of every diameter of the lesions, to be drawn."""
    return [
        ends
        for measured in (finding.measured for finding in found)
        if measured is not None
        for ends in (measured.longest_ends, measured.perpendicular_ends)
    ]
