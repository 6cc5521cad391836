"""Speckle reduction against scipy, a plain transcription of the published equations, and edges."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from breastseg.preprocess.speckle import median, srad


def noise(shape: tuple[int, int], seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).random(shape).astype(np.float32)


def half_and_half(seed: int = 0) -> NDArray[np.float32]:
    """Dark left of column 32, bright right of it, both with speckle."""
    level = np.where(np.arange(64) < 32, 0.3, 0.7) * np.ones((64, 1))
    speckle = np.random.default_rng(seed).normal(0, 0.03, level.shape)
    return np.clip(level + speckle, 0, 1).astype(np.float32)


@pytest.mark.parametrize("radius", [1, 2])
def test_small_median_is_scipys(radius: int) -> None:
    unit = noise((23, 31))
    expected = ndimage.median_filter(unit, 2 * radius + 1, mode="nearest")
    assert np.array_equal(median(unit, radius), expected)


@pytest.mark.parametrize("radius", [3, 5, 7])
@pytest.mark.parametrize("scale", [1.0, 0.1])
def test_large_median_is_scipys_within_half_a_level(radius: int, scale: float) -> None:
    unit = noise((23, 31)) * np.float32(scale) + np.float32(0.05)
    expected = ndimage.median_filter(unit, 2 * radius + 1, mode="nearest")
    assert np.abs(median(unit, radius) - expected).max() <= np.ptp(unit) / 510 * 1.001


def test_median_removes_a_spike_and_keeps_an_edge() -> None:
    unit = np.zeros((15, 15), np.float32)
    unit[:, 8:] = 1
    spiky = unit.copy()
    spiky[4, 3] = 1
    for radius in (1, 2, 3, 7):
        assert np.array_equal(median(spiky, radius), unit)


def plain_srad(unit: NDArray[np.float32], iterations: int) -> NDArray[np.float64]:
    """The published equations, one by one, in float64."""
    echo = np.exp(unit.astype(float))
    scale = None
    for number in range(iterations):
        wide = np.pad(echo, 1, mode="edge")
        up, down = wide[:-2, 1:-1] - echo, wide[2:, 1:-1] - echo
        left, right = wide[1:-1, :-2] - echo, wide[1:-1, 2:] - echo
        gradient = (up**2 + down**2 + left**2 + right**2) / echo**2
        laplacian = (up + down + left + right) / echo
        q2 = (gradient / 2 - laplacian**2 / 16) / (1 + laplacian / 4) ** 2
        scale = np.sqrt(np.median(q2[q2 > 0])) if scale is None else scale
        q0 = scale * np.exp(-number * 0.5 / 6)
        c = np.clip(1 / (1 + (q2 - q0**2) / (q0**2 * (1 + q0**2))), 0, 1)
        beyond = np.pad(c, 1, mode="edge")
        echo += 0.5 / 4 * (beyond[2:, 1:-1] * down + beyond[1:-1, 2:] * right + c * (up + left))
    return np.log(echo)


def test_srad_is_the_published_scheme() -> None:
    unit = noise((20, 27))
    assert np.allclose(srad(unit, 12), plain_srad(unit, 12), atol=1e-5)


def test_srad_smooths_speckle_and_keeps_the_edge() -> None:
    unit = half_and_half()
    done = srad(unit, 40)
    assert done[:, 4:28].std() < 0.4 * unit[:, 4:28].std()
    assert done[:, 36:60].std() < 0.4 * unit[:, 36:60].std()
    assert (done[:, 33] - done[:, 30]).mean() == pytest.approx(0.4, abs=0.02)


def test_srad_smooths_more_with_more_steps_and_less_decay() -> None:
    unit = half_and_half()
    left = np.s_[:, 4:28]
    spreads = [float(srad(unit, steps)[left].std()) for steps in (0, 5, 20, 60)]
    assert spreads == sorted(spreads, reverse=True)
    assert srad(unit, 20, decay=0)[left].std() < srad(unit, 20, decay=0.5)[left].std()
    assert srad(unit, 20, step=0.9)[left].std() < srad(unit, 20, step=0.1)[left].std()


def test_srad_keeps_the_mean_echo() -> None:
    unit = noise((33, 20))
    mean = np.exp(unit.astype(float)).mean()
    assert np.exp(srad(unit, 30).astype(float)).mean() == pytest.approx(mean, rel=1e-5)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (2, 3), (40, 17)])
def test_filters_keep_shape_range_and_input(shape: tuple[int, int]) -> None:
    unit = noise(shape, 3) * np.float32(0.5) + np.float32(0.2)
    before = unit.copy()
    results = [median(unit, radius) for radius in range(8)]
    results += [srad(unit, steps, step=1.0) for steps in (0, 1, 60, 500)]
    for done in results:
        assert done.shape == shape
        assert done.dtype == np.float32
        assert unit.min() <= done.min()
        assert done.max() <= unit.max()
        assert not np.shares_memory(done, unit)
    assert np.array_equal(unit, before)


@pytest.mark.parametrize("scale", [1e-7, 1e-20, 1e-40])
def test_hardly_any_contrast_at_all(scale: float) -> None:
    unit = (np.random.default_rng(0).random((9, 9)) * scale).astype(np.float32)
    for done in (median(unit, 5), srad(unit, 60)):
        assert unit.min() <= done.min()
        assert done.max() <= unit.max()


@pytest.mark.parametrize("level", [0.0, 0.37, 1.0])
def test_constant_stays(level: float) -> None:
    unit = np.full((12, 11), level, np.float32)
    for done in (median(unit, 2), median(unit, 5), srad(unit, 10)):
        assert np.array_equal(done, unit)


def test_filters_of_a_view_that_is_not_contiguous() -> None:
    unit = noise((30, 40))
    for part in (unit[::2, ::-1], unit.T):
        copy = np.ascontiguousarray(part)
        for radius in (2, 4):
            assert np.array_equal(median(part, radius), median(copy, radius))
        assert np.array_equal(srad(part, 4), srad(copy, 4))
