"""Clusters of pixels that each belong to all of them, more or less."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from breastseg.classical.fuzzy_c_means import FuzzyCMeans, fuzzy_c_means

from . import views
from .views import view

SHAPE, BOX = (60, 60), (12, 12, 48, 48)
LESION = views.disc(SHAPE, (29.5, 29.5), 18)
RNG = np.random.default_rng(0)
SPECKLE = (np.where(LESION, 0.3, 0.7) + RNG.normal(0, 0.15, SHAPE)).clip(0, 1).astype(np.float32)
EVERYWHERE = np.ones(SHAPE, bool)


def bezdek(
    points: NDArray[np.float64], centres: NDArray[np.float64], m: float, q: float, window: int
) -> NDArray[np.float64]:
    """The textbook's two steps in turn, pixel by pixel and in double precision."""
    for _ in range(200):
        distance = np.linalg.norm(points[..., None, :] - centres, axis=-1)
        ratio = distance[..., :, None] / distance[..., None, :]
        u = 1 / (ratio ** (2 / (m - 1))).sum(axis=-1)
        h = np.stack([ndimage.uniform_filter(a, window) for a in np.moveaxis(u, -1, 0)], -1)
        u = u * h**q
        u /= u.sum(axis=-1, keepdims=True)
        w = u**m
        centres = np.einsum("ijk,ijd->kd", w, points) / w.sum(axis=(0, 1))[:, None]
    return u


@pytest.mark.parametrize(("m", "q"), [(2, 0), (1.5, 0), (3, 0), (2, 1), (2, 2.5)])
def test_it_is_what_the_textbook_says(m: float, q: float) -> None:
    points = np.stack([SPECKLE * 5, RNG.random(SHAPE, np.float32)], axis=-1)
    start = np.float32([[1, 0.4], [4, 0.6]])
    ours = fuzzy_c_means(points, EVERYWHERE, start, m, q, 5)
    assert ours.dtype == np.float32
    assert np.allclose(ours.sum(axis=-1), 1, atol=1e-5)
    theirs = bezdek(points.astype(float), start.astype(float), m, q, 5)
    assert np.abs(ours - theirs).max() < 0.03


def test_a_pixel_halfway_belongs_to_both_and_one_at_a_centre_to_that() -> None:
    points = np.float32([[[0], [0], [1], [2], [2]]])
    near = points[..., 0] != 1
    belonging = fuzzy_c_means(points, near, np.float32([[0], [2]]), 2, 0, 3)
    assert np.allclose(belonging[0, :, 0], [1, 1, 0.5, 0, 0], atol=1e-4)


def test_neighbours_persuade_a_single_pixel() -> None:
    grey = np.where(LESION, 0.3, 0.7).astype(np.float32)
    grey[30, 30] = 0.7
    seen = view(SHAPE, BOX, grey=grey)
    alone = FuzzyCMeans(position=0, spatial=0).delineate(seen)
    asked = FuzzyCMeans(position=0, spatial=1).delineate(seen)
    assert alone[30, 30] < 0.01
    assert asked[30, 30] > alone[30, 30]
    speckled = view(SHAPE, BOX, grey=SPECKLE)
    wrong = [
        ((FuzzyCMeans(position=0, spatial=q).delineate(speckled) >= 0.5) ^ LESION).mean()
        for q in (0.0, 1.0, 2.0)
    ]
    assert wrong[0] > wrong[1] > wrong[2]


def test_a_wider_window_smooths_more() -> None:
    seen = view(SHAPE, BOX, grey=SPECKLE)
    rough = [
        np.abs(np.diff(FuzzyCMeans(position=0, window=w).delineate(seen) >= 0.5)).sum()
        for w in (1, 4)
    ]
    assert rough[0] > rough[1]


def test_a_higher_fuzziness_is_less_sure() -> None:
    seen = view(SHAPE, BOX, grey=SPECKLE)
    sure = [
        np.abs(FuzzyCMeans(fuzziness=m).delineate(seen) - 0.5).mean() for m in (1.1, 1.5, 2.0, 4.0)
    ]
    assert sure == sorted(sure, reverse=True)


@pytest.mark.parametrize("clusters", [2, 3, 4])
def test_a_disc_in_speckle_is_probable(clusters: int) -> None:
    probability = FuzzyCMeans(clusters=clusters).delineate(view(SHAPE, BOX, grey=SPECKLE))
    assert probability.dtype == np.float32
    assert probability.min() >= 0
    assert probability.max() <= 1
    found = probability >= 0.5
    assert 2 * (found & LESION).sum() / (found.sum() + LESION.sum()) > 0.93


def test_a_higher_weight_of_the_place_makes_outlines_rounder() -> None:
    seen = view(SHAPE, BOX, grey=RNG.random(SHAPE, np.float32))
    wrong = [
        ((FuzzyCMeans(position=p, spatial=0).delineate(seen) >= 0.5) ^ (seen.radius <= 1)).mean()
        for p in (0.0, 1.0, 4.0)
    ]
    assert wrong[0] > wrong[1] > wrong[2]


@pytest.mark.parametrize("fuzziness", [1.1, 4.0])
@pytest.mark.parametrize("spatial", [0.0, 4.0])
def test_extreme_knobs_stay_finite(fuzziness: float, spatial: float) -> None:
    method = FuzzyCMeans(clusters=4, fuzziness=fuzziness, spatial=spatial, texture=1, window=10)
    assert np.isfinite(method.delineate(view(SHAPE, BOX, grey=SPECKLE))).all()


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (7, 3)])
def test_blank_and_tiny_views_are_survived(shape: tuple[int, int]) -> None:
    box = (0, 0, *shape)
    assert not FuzzyCMeans().delineate(view(shape, box)).any()
    grey = RNG.random(shape, np.float32)
    nowhere = view(shape, box, grey=grey, allowed=np.zeros(shape, bool))
    for seen in (view(shape, box, grey=grey), nowhere):
        assert FuzzyCMeans(clusters=4, texture=1).delineate(seen).shape == shape
