"""A lesion of a volume is measured in cubic millimetres, or in voxels where no spacing is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

import breastseg
from breastseg.core import Grid, Prediction, Provenance
from breastseg.core.errors import GeometryError
from breastseg.measure.volume import VolumeMeasurement, measure_volume


def two_blocks(spacing_mm: tuple[float, ...] | None) -> Prediction:
    probability = np.zeros((6, 8, 9), np.float32)
    probability[1:3, 1:4, 2:5] = 0.9
    probability[5, 6, 7] = 0.8
    return Prediction(probability, Grid(probability.shape, spacing_mm), Provenance("made", "1"))


def test_the_front_door_measures_volumes_by_hand() -> None:
    large, small = breastseg.measure_lesions(two_blocks((2.0, 0.5, 0.5)))
    assert isinstance(large, VolumeMeasurement)
    assert (large.unit, large.voxels, large.volume) == ("mm", 18, 9.0)
    assert large.equivalent_diameter == pytest.approx(2 * (9 * 3 / (4 * math.pi)) ** (1 / 3))
    assert isinstance(small, VolumeMeasurement)
    assert (small.voxels, small.volume) == (1, 0.5)
    unscaled, _ = breastseg.measure_lesions(two_blocks(None))
    assert isinstance(unscaled, VolumeMeasurement)
    assert (unscaled.unit, unscaled.volume) == ("px", 18.0)


def test_another_grid_is_refused() -> None:
    lesion, _ = two_blocks(None).lesions()
    for grid in (Grid((8, 9)), Grid((2, 3, 3))):
        with pytest.raises(GeometryError, match="within a 3-D grid"):
            measure_volume(lesion, grid)
