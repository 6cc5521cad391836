"""Two regions of even grey level with a short border between them."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from breastseg.classical.chan_vese import ChanVese, mean_of
from breastseg.metrics import dice

from .scenes import LESIONS, SHAPE, drawn, noisy, roughness
from .views import disc, view

LOBED = LESIONS["lobed"]
RNG = np.random.default_rng(5)


def direct_mean(
    grey: NDArray[np.float32], region: NDArray[np.bool_], half: int
) -> NDArray[np.float64]:
    """Pixel by pixel in the square of 2 half + 1; the whole region's where the square has none."""
    grey, region = (np.pad(array, half, mode="edge") for array in (grey, region))
    inner = grey.shape[0] - 2 * half, grey.shape[1] - 2 * half
    out = np.empty(inner)
    for row, column in np.ndindex(inner):
        part = np.s_[row : row + 2 * half + 1, column : column + 2 * half + 1]
        out[row, column] = grey[part][region[part]].mean() if region[part].any() else np.nan
    return out


def test_without_a_window_the_mean_is_that_of_the_whole_region() -> None:
    grey = np.float32([[0.0, 0.2, 0.4], [1.0, 1.0, 1.0]])
    region = np.bool_([[True, True, True], [False, False, False]])
    for window_px in (0.0, 0.9):
        assert np.allclose(mean_of(grey, region, window_px), 0.2)
        assert np.allclose(mean_of(grey, ~region, window_px), 1)


def test_of_an_empty_region_it_is_the_mean_of_the_image() -> None:
    grey = RNG.random((9, 11)).astype(np.float32)
    empty = np.zeros(grey.shape, bool)
    for window_px in (0.0, 2.0):
        mean = mean_of(grey, empty, window_px)
        assert mean.shape == grey.shape
        assert mean.dtype == np.float32
        assert np.allclose(mean, grey.mean())


@pytest.mark.parametrize(("window_px", "half"), [(1.0, 2), (2.0, 3), (4.0, 7)])
def test_in_a_window_it_is_the_mean_of_the_region_in_a_square_of_that_deviation(
    window_px: float, half: int
) -> None:
    assert np.arange(-half, half + 1).std() == pytest.approx(window_px, rel=0.5)
    grey = RNG.random((20, 31)).astype(np.float32)
    region = RNG.random(grey.shape) < 0.5
    region[:, 16:] = False
    mean, direct = mean_of(grey, region, window_px), direct_mean(grey, region, half)
    assert mean[~np.isnan(direct)] == pytest.approx(direct[~np.isnan(direct)], abs=0.02)
    assert np.isnan(direct).any()
    assert mean[np.isnan(direct)] == pytest.approx(grey[region].mean(), abs=1e-5)


@pytest.mark.parametrize("name", LESIONS)
def test_a_dark_shape_in_noise_is_found_in_a_box_that_is_too_large(name: str) -> None:
    seen = drawn(LESIONS[name])
    assert dice(seen.radius <= 1, LESIONS[name]) < 0.9
    assert dice(ChanVese().delineate(seen), LESIONS[name]) > 0.95


def test_a_higher_mu_makes_rounder_outlines() -> None:
    seen = drawn(LOBED)
    rough = [roughness(ChanVese(mu=mu).delineate(seen)) for mu in (0.05, 0.5, 2, 8)]
    assert rough == sorted(rough, reverse=True)
    assert rough[0] > 5 * rough[-1]


def test_lambda_in_keeps_the_outline_pure_and_lambda_out_lets_it_grow() -> None:
    seen = drawn(LOBED)
    pure = [ChanVese(lambda_in=weight).delineate(seen) for weight in (0.1, 0.5, 2, 4)]
    means = [seen.grey[region].mean() for region in pure]
    assert means == sorted(means, reverse=True)
    areas = [ChanVese(lambda_out=weight).delineate(seen).sum() for weight in (0.1, 0.5, 2, 4)]
    assert areas == sorted(areas)
    assert areas[-1] > 1.1 * areas[0]


def test_local_means_see_past_a_shadow() -> None:
    shaded = noisy(LOBED) * np.linspace(1.5, 0.3, SHAPE[1], dtype=np.float32)
    seen = drawn(LOBED, grey=shaded)
    whole, local = (ChanVese(locality=fraction, prior=0).delineate(seen) for fraction in (0, 0.3))
    assert dice(whole, LOBED) < 0.95
    assert dice(local, LOBED) > 0.98


def test_a_higher_prior_keeps_closer_to_the_ellipse() -> None:
    seen = drawn(LOBED, wider=1.5)
    ellipse = seen.radius <= 1
    wrong = [(ChanVese(prior=prior).delineate(seen) ^ ellipse).sum() for prior in (0, 2, 4, 8)]
    assert wrong == sorted(wrong, reverse=True)
    assert wrong[-1] < 0.5 * wrong[0]


def test_it_starts_from_the_ellipse_and_ends_when_nothing_changes() -> None:
    seen = drawn(LOBED)
    one, few, many, more = (
        ChanVese(iterations=steps).delineate(seen) for steps in (1, 3, 100, 200)
    )
    ellipse = seen.radius <= 1
    assert dice(one, ellipse) > dice(few, ellipse) > dice(many, ellipse)
    assert np.array_equal(many, more)


def test_it_starts_from_the_region_that_was_found() -> None:
    found = disc(SHAPE, (50, 50), 15)
    seen = view(SHAPE, (20, 20, 120, 120), found=found, given=False)
    assert dice(ChanVese(prior=0, iterations=1).delineate(seen), found) > 0.95


def test_an_outline_stays_where_it_may_lie_and_holds_the_users_points() -> None:
    bright, dark = (68, 32), (68, 74)
    seen = drawn(LOBED, inside=(bright,), outside=(dark,))
    found = ChanVese().delineate(seen)
    assert found[bright]
    assert not found[dark]
    assert not found[~seen.allowed].any()


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (7, 3), (30, 40)])
@pytest.mark.parametrize("locality", [0.0, 0.4])
def test_blank_and_tiny_views_are_survived(shape: tuple[int, int], locality: float) -> None:
    method, box = ChanVese(locality=locality), (0, 0, *shape)
    assert method.delineate(view(shape, box)).any()
    nowhere = view(shape, box, allowed=np.zeros(shape, bool))
    assert not method.delineate(nowhere).any()
    grey = RNG.random(shape, np.float32)
    assert method.delineate(view(shape, box, grey=grey)).shape == shape
