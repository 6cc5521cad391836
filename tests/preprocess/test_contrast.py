"""Contrast limited adaptive histogram equalisation."""

import numpy as np
import pytest
from numpy.typing import NDArray

from breastseg.preprocess.contrast import clahe


def faint() -> NDArray[np.float32]:
    """Low contrast: levels from 0.4 to 0.6."""
    return (np.random.default_rng(0).random((96, 80)) * 0.2 + 0.4).astype(np.float32)


def test_one_tile_without_a_limit_is_plain_histogram_equalisation() -> None:
    levels = np.rint(faint() * 255).astype(int)
    fraction_up_to = np.cumsum(np.bincount(levels.ravel(), minlength=256)) / levels.size
    assert np.abs(clahe(faint(), 256, tiles=1) - fraction_up_to[levels]).max() < 1 / 255


def test_contrast_rises_with_the_limit() -> None:
    spreads = [float(clahe(faint(), clip).std()) for clip in (1, 2, 4, 8)]
    assert float(faint().std()) < spreads[0]
    assert spreads == sorted(spreads)
    assert spreads[-1] > 1.5 * spreads[0]


def test_brightness_of_each_side_is_equalised_on_its_own() -> None:
    unit = faint()
    unit[:, :40] -= np.float32(0.3)
    done = clahe(unit, 8, tiles=4)
    assert done[:, 60:].mean() - done[:, :20].mean() < 0.1


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (5, 2), (8, 8), (33, 71)])
def test_keeps_shape_range_and_input(shape: tuple[int, int]) -> None:
    unit = np.random.default_rng(1).random(shape).astype(np.float32)
    before = unit.copy()
    done = clahe(unit, 2)
    assert done.shape == shape
    assert done.dtype == np.float32
    assert done.min() >= 0
    assert done.max() <= 1
    assert np.array_equal(unit, before)


@pytest.mark.parametrize("level", [0.0, 0.3, 1.0])
def test_constant_stays_constant_and_near(level: float) -> None:
    done = clahe(np.full((64, 64), level, np.float32), 4)
    assert float(np.ptp(done)) < 1e-6
    assert level - 1e-6 <= float(done[0, 0]) <= level + 0.05
