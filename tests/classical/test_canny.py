"""Canny's edges are thin, lie on the steepest place, and are traced from strong to weak ones."""

from __future__ import annotations

import numpy as np
from scipy import ndimage
from skimage import feature

from breastseg.classical.canny import Canny, canny
from breastseg.classical.gradient import gradient, magnitude

from .views import disc

RAMP = np.tile(np.array([0, 0, 0, 0, 0.1, 0.5, 0.9, 1, 1, 1, 1], np.float32), (9, 1))


def test_an_edge_is_one_pixel_wide_on_the_steepest_place() -> None:
    edges = canny(gradient(RAMP, 0), 0.1, 0.1)
    assert np.array_equal(np.nonzero(edges[4])[0], [5])
    assert edges.sum(axis=1)[1:-1].tolist() == [1] * 7


def test_weak_edges_count_where_they_continue_strong_ones() -> None:
    grey = RAMP * np.linspace(0.2, 1, 9, dtype=np.float32)[:, None]
    vectors = gradient(grey, 0)
    strength = magnitude(vectors)[1:-1, 5]
    weak, strong = float(strength[0]), float(strength[-1])
    assert canny(vectors, weak / 2, strong * 0.9)[1:-1, 5].all()
    assert canny(vectors, strong * 0.9, strong * 0.9)[1:-1, 5].sum() < 4
    assert not canny(vectors, strong * 2, strong * 2).any()


def test_it_finds_the_edges_that_scikit_image_finds() -> None:
    grey = np.where(disc((80, 90), (40, 45), 22), 0.2, 0.7)
    grey = (grey + np.random.default_rng(0).normal(0, 0.03, grey.shape)).astype(np.float32)
    vectors = gradient(grey, 2)
    ours = canny(vectors, 0.02, 0.05)
    theirs = feature.canny(
        grey.astype(float), 2, 0.02 * 8 / 2, 0.05 * 8 / 2, mode="nearest"
    )  # its Sobel sums to a half
    assert theirs.sum() > 100
    assert (ndimage.distance_transform_edt(~theirs)[ours] <= 1.5).mean() > 0.98
    assert (ndimage.distance_transform_edt(~ours)[theirs] <= 1.5).mean() > 0.98


def test_where_nothing_changes_there_is_no_edge() -> None:
    assert not canny(np.zeros((2, 5, 7), np.float32), 0, 0).any()


def test_higher_quantiles_leave_fewer_edges() -> None:
    noise = np.random.default_rng(0).random((60, 60)).astype(np.float32)
    vectors = gradient(noise, 1)
    counts = [int(Canny(high=high, low=0.5).edges(vectors).sum()) for high in (0.6, 0.9, 0.98)]
    assert counts[0] > counts[1] > counts[2] > 0
    counts = [int(Canny(high=0.9, low=low).edges(vectors).sum()) for low in (0.4, 0.7, 0.9)]
    assert counts[0] > counts[1] > counts[2] > 0


def test_a_low_quantile_above_the_high_one_counts_as_the_high_one() -> None:
    vectors = gradient(np.random.default_rng(0).random((40, 40)).astype(np.float32), 1)
    same = Canny(high=0.8, low=0.8).edges(vectors)
    assert np.array_equal(Canny(high=0.8, low=0.95).edges(vectors), same)
