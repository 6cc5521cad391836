"""Canny's edges are thin, lie on the steepest place, and are traced from strong to weak ones."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage
from skimage import feature

from breastseg.classical.canny import Canny, canny
from breastseg.classical.gradient import gradient, magnitude
from breastseg.classical.tidy import tidy
from breastseg.metrics import dice

from .scenes import LESIONS, drawn
from .views import disc, view

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


def test_strong_edges_bring_the_weak_ones_that_touch_them_and_no_others() -> None:
    vectors = gradient(np.random.default_rng(1).random((70, 80)).astype(np.float32), 1.5)
    low, high = np.quantile(magnitude(vectors), [0.5, 0.95])
    weak, strong = (canny(vectors, float(one), float(one)) for one in (low, high))
    numbers, _ = ndimage.label(weak, np.ones((3, 3)))
    expected = weak & np.isin(numbers, numbers[strong])
    assert strong.sum() < expected.sum() < weak.sum()
    assert np.array_equal(canny(vectors, float(low), float(high)), expected)


@pytest.mark.parametrize("scale", [1e-3, 1e4])
def test_only_the_share_of_the_strongest_counts(scale: float) -> None:
    vectors = gradient(np.random.default_rng(1).random((40, 50)).astype(np.float32), 1.5)
    before = vectors.copy()
    plain = canny(vectors, 0.03, 0.06)
    assert plain.any()
    scaled = canny(vectors * np.float32(scale), 0.03 * scale, 0.06 * scale)
    assert (scaled ^ plain).mean() < 1e-3  # rounding
    assert np.array_equal(vectors, before)


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


@pytest.mark.parametrize("name", LESIONS)
def test_a_dark_lesion_in_noise_is_outlined(name: str) -> None:
    method, seen = Canny(), drawn(LESIONS[name], wider=1.05)
    found = tidy(method.delineate(seen), seen, method.opening, method.smoothing)
    assert dice(found, LESIONS[name]) > 0.9


def test_an_open_border_is_closed_only_as_far_as_it_is_allowed_to() -> None:
    lesion = disc((150, 150), (75, 75), 48)
    grey = np.where(lesion, np.float32(0.25), np.float32(0.6))
    grey[65:86, 75:] = 0.25  # a way out, 21 pixels wide
    seen = view((150, 150), (27, 27, 124, 124), grey=grey)
    outlines = {
        gap: Canny(sigma=1, box_trust=0, linking_px=0, largest_gap=gap).delineate(seen)
        for gap in (8, 30)
    }
    assert not outlines[8].any()
    assert dice(outlines[30], lesion) > 0.9


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (2, 2)])
def test_views_of_few_pixels_are_survived(shape: tuple[int, int]) -> None:
    grey = np.random.default_rng(0).random(shape).astype(np.float32)
    for box_trust in (0.0, 0.1):
        method = Canny(box_trust=box_trust)
        assert method.delineate(view(shape, (0, 0, *shape), grey=grey)).shape == shape
    assert not Canny(box_trust=0).delineate(view(shape, (0, 0, *shape))).any()


@pytest.mark.parametrize("level", [0.0, 0.4, 1.0])
def test_a_constant_view_has_the_ellipse_that_is_assumed_or_none(level: float) -> None:
    flat = np.full((80, 100), level, np.float32)
    seen = view((80, 100), (15, 15, 65, 85), grey=flat)
    assert not Canny(box_trust=0).delineate(seen).any()
    assert dice(Canny().delineate(seen), seen.radius <= 1) > 0.95
