"""A threshold that follows the brightness of the surroundings."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage
from skimage.filters import threshold_sauvola

from breastseg.classical.local_threshold import LocalThreshold, gaussian, sauvola

from .views import disc, view

GREY = np.random.default_rng(0).random((40, 55), np.float32)


@pytest.mark.parametrize("window", [5, 15, 31])
@pytest.mark.parametrize("k", [0.0, 0.2, 0.5])
def test_sauvola_is_that_of_scikit_image(window: int, k: float) -> None:
    inner = slice(window // 2, -(window // 2)), slice(window // 2, -(window // 2))
    deviation = ndimage.generic_filter(GREY.astype(float), np.std, window, mode="reflect")
    truth = threshold_sauvola(GREY.astype(float), window, k, r=deviation.max())
    assert np.allclose(sauvola(GREY, window, k)[inner], truth[inner], atol=1e-5)


@pytest.mark.parametrize("window", [16, 64])
def test_gaussian_is_that_of_scipy(window: int) -> None:
    truth = ndimage.gaussian_filter(GREY, window / 6, mode="reflect")
    assert np.allclose(gaussian(GREY, window), truth, atol=1e-3)


def test_even_squares_are_lowered_by_the_whole_share() -> None:
    flat = np.full((9, 9), 0.5, np.float32)
    assert np.allclose(sauvola(flat, 3, 0.2), 0.4)
    assert np.allclose(gaussian(flat, 15), 0.5)


@pytest.mark.parametrize("way", ["sauvola", "gaussian"])
def test_a_lesion_under_uneven_gain_is_found_where_one_threshold_fails(way: str) -> None:
    shape, box = (160, 160), (32, 32, 128, 128)
    lesion = disc(shape, (79.5, 79.5), 48)
    gain = np.linspace(0, 0.6, 160, dtype=np.float32)[:, None]
    grey = np.where(lesion, 0.1, 0.35).astype(np.float32) + gain
    one = grey <= grey[np.hypot(*(np.indices(shape) - 79.5)) < 68].mean()
    found = LocalThreshold(way=way, lean=0, k=0, window=159).delineate(view(shape, box, grey=grey))
    assert (found ^ lesion)[box[0] : box[2], box[1] : box[3]].mean() < 0.1
    assert (one ^ lesion)[box[0] : box[2], box[1] : box[3]].mean() > 0.15


def test_a_higher_k_takes_less() -> None:
    seen = view((40, 55), (8, 8, 32, 47), grey=GREY)
    areas = [
        LocalThreshold(way="sauvola", lean=0, k=k).delineate(seen).sum() for k in (0, 0.2, 0.6)
    ]
    assert areas[0] > areas[1] > areas[2]


def test_a_small_window_leaves_the_lesions_middle_to_chance() -> None:
    shape = (160, 160)
    lesion = disc(shape, (79.5, 79.5), 48)
    noise = np.random.default_rng(1).normal(0, 0.05, shape)
    grey = (np.where(lesion, 0.3, 0.7) + noise).astype(np.float32)
    seen = view(shape, (32, 32, 128, 128), grey=grey)
    held = [
        LocalThreshold(way="sauvola", lean=0, k=0, window=window).delineate(seen)[seen.core].mean()
        for window in (15, 151)
    ]
    assert held[0] < 0.7
    assert held[1] > 0.99
