"""Sobel's edges are where the gradient is strong, thinned or not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from breastseg.classical.gradient import gradient, magnitude
from breastseg.classical.sobel import Sobel, sobel
from breastseg.classical.tidy import tidy
from breastseg.metrics import dice

from .scenes import LESIONS, drawn
from .views import disc, view

NOISE = gradient(np.random.default_rng(0).random((60, 60)).astype(np.float32), 1)


def test_thick_edges_are_all_that_is_above_the_threshold() -> None:
    vectors = np.zeros((2, 3, 4), np.float32)
    vectors[0, 1] = [0, 1, 2, 3]
    vectors[1, 2, 3] = -4
    expected = [[False] * 4, [False, False, True, True], [False, False, False, True]]
    assert sobel(vectors, 1, thin=False).tolist() == expected


def test_thin_edges_are_the_crests_of_the_thick_ones() -> None:
    thick, thin = sobel(NOISE, 0.05, thin=False), sobel(NOISE, 0.05, thin=True)
    assert thin.any()
    assert not (thin & ~thick).any()
    assert thin.sum() < 0.7 * thick.sum()
    assert magnitude(NOISE)[thin].mean() > magnitude(NOISE)[thick].mean()


def test_a_higher_quantile_leaves_fewer_edges() -> None:
    for thin in (True, False):
        counts = [int(Sobel(quantile=q, thin=thin).edges(NOISE).sum()) for q in (0.6, 0.8, 0.95)]
        assert counts[0] > counts[1] > counts[2] > 0
    assert Sobel(quantile=0.8, thin=False).edges(NOISE).mean() == 0.2


def test_thin_edges_lie_on_the_steepest_place() -> None:
    grey = np.tile(np.array([0, 0, 0, 0.1, 0.5, 0.9, 1, 1, 1], np.float32), (7, 1))
    vectors = gradient(grey, 0)
    assert np.nonzero(sobel(vectors, 0.1, thin=False)[3])[0].tolist() == [3, 4, 5]
    assert np.nonzero(sobel(vectors, 0.1, thin=True)[3])[0].tolist() == [4]


def test_thick_edges_are_those_of_scipy() -> None:
    noise = np.random.default_rng(2).random((40, 50))
    strength = np.hypot(*(ndimage.sobel(noise, axis, mode="nearest") / 8 for axis in (0, 1)))
    least = float(np.quantile(strength, 0.7)) + 1e-7  # between two pixels' strengths
    found = sobel(gradient(noise.astype(np.float32), 0), least, thin=False)
    assert np.array_equal(found, strength > least)


@pytest.mark.parametrize("name", LESIONS)
def test_a_dark_lesion_in_noise_is_outlined(name: str) -> None:
    method, seen = Sobel(), drawn(LESIONS[name], wider=1.05)
    found = tidy(method.delineate(seen), seen, method.opening, method.smoothing)
    assert dice(found, LESIONS[name]) > 0.9


def test_without_thinning_the_outline_runs_along_the_outer_side() -> None:
    lesion = disc((150, 150), (75, 75), 40)
    grey = np.where(lesion, np.float32(0.25), np.float32(0.6))
    seen = view((150, 150), (35, 35, 116, 116), grey=grey)
    thin, thick = (Sobel(thin=thin).delineate(seen) for thin in (True, False))
    assert dice(thin, lesion) > 0.95
    assert not (thin & ~thick).any()
    assert thick.sum() > 1.1 * thin.sum()


@pytest.mark.parametrize("thin", [True, False])
@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (2, 2)])
def test_views_of_few_pixels_are_survived(shape: tuple[int, int], thin: bool) -> None:
    grey = np.random.default_rng(0).random(shape).astype(np.float32)
    for box_trust in (0.0, 0.1):
        method = Sobel(box_trust=box_trust, thin=thin)
        assert method.delineate(view(shape, (0, 0, *shape), grey=grey)).shape == shape


@pytest.mark.parametrize("thin", [True, False])
@pytest.mark.parametrize("level", [0.0, 0.4, 1.0])
def test_a_constant_view_has_no_outline_of_its_own(level: float, thin: bool) -> None:
    seen = view((80, 100), (15, 15, 65, 85), grey=np.full((80, 100), level, np.float32))
    assert not Sobel(box_trust=0, thin=thin).delineate(seen).any()
