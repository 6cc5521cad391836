"""Otsu's threshold."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.filters import threshold_otsu

from breastseg.classical.otsu import Otsu, otsu

from .views import disc, view


def test_two_grey_levels_are_told_apart() -> None:
    assert otsu(np.float32([0.2, 0.2, 0.9])) == np.float32(0.2)


def test_equal_values_give_themselves() -> None:
    assert otsu(np.full((3, 3), 0.4, np.float32)) == np.float32(0.4)
    assert otsu(np.float32([0.7])) == np.float32(0.7)


def test_the_variance_within_the_halves_is_least() -> None:
    values = np.random.default_rng(0).integers(0, 256, 500).astype(np.float32)

    def within(cut: float) -> float:
        halves = values[values <= cut], values[values > cut]
        return float(sum(half.size * half.var() for half in halves))

    best = min(within(cut) for cut in np.unique(values)[:-1])
    assert within(otsu(values)) <= 1.0001 * best


@pytest.mark.parametrize("seed", range(5))
def test_it_is_that_of_scikit_image(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = np.concatenate([rng.normal(0.3, 0.1, 400), rng.normal(0.7, 0.1, 900)])
    values = values.astype(np.float32)
    bin_width = float(np.ptp(values)) / 256
    assert otsu(values) == pytest.approx(threshold_otsu(values), abs=bin_width)


def test_without_a_lean_it_is_a_plain_threshold_of_the_neighbourhood() -> None:
    grey = np.random.default_rng(1).random((30, 40), np.float32)
    seen = view((30, 40), (5, 5, 25, 35), grey=grey)
    near = grey[seen.radius <= 1.7]
    assert np.array_equal(Otsu(lean=0, around=1.7).delineate(seen), grey <= otsu(near))


def test_a_dark_disc_is_found_exactly() -> None:
    lesion = disc((50, 50), (25, 25), 12)
    grey = np.where(lesion, np.float32(0.2), np.float32(0.8))
    assert np.array_equal(
        Otsu(lean=0).delineate(view((50, 50), (13, 13, 38, 38), grey=grey)), lesion
    )
