"""Clusters of pixels by grey level, place and texture."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.cluster import KMeans as Theirs

from breastseg.classical.histogram import features, neighbourhood
from breastseg.classical.k_means import KMeans, k_means, nearest_centre

from . import views
from .views import view

SHAPE, BOX = (60, 60), (12, 12, 48, 48)
LESION = views.disc(SHAPE, (29.5, 29.5), 18)
RNG = np.random.default_rng(0)
SPECKLE = (np.where(LESION, 0.3, 0.7) + RNG.normal(0, 0.1, SHAPE)).clip(0, 1).astype(np.float32)


def test_two_pairs_of_points_are_two_clusters() -> None:
    centres = k_means(np.float32([[0, 0], [9, 1], [0, 2], [9, 3]]), 2)
    assert centres.tolist() == [[0, 1], [9, 2]]


def test_each_point_goes_to_the_nearest_centre() -> None:
    points = RNG.random((5, 7, 3)).astype(np.float32)
    centres = RNG.random((4, 3)).astype(np.float32)
    distance = np.linalg.norm(points[..., None, :] - centres, axis=-1)
    assert np.array_equal(nearest_centre(points, centres), distance.argmin(-1))


@pytest.mark.parametrize("clusters", [1, 2, 5])
def test_fewer_points_than_clusters_give_fewer_centres(clusters: int) -> None:
    assert k_means(np.ones((1, 2), np.float32), clusters).tolist() == [[1, 1]]
    assert k_means(np.ones((50, 2), np.float32), clusters).tolist() == [[1, 1]]
    assert len(k_means(np.float32([[0], [1]]), clusters)) == min(clusters, 2)


@pytest.mark.parametrize("clusters", [2, 3, 4])
def test_it_is_as_tight_as_that_of_scikit_learn(clusters: int) -> None:
    points = np.concatenate([RNG.normal(m, 0.3, (200, 2)) for m in range(clusters)])
    points = points.astype(np.float32)
    centres = k_means(points, clusters)
    ours = ((points - centres[nearest_centre(points, centres)]) ** 2).sum()
    theirs = Theirs(clusters, n_init=10, random_state=0).fit(points)
    assert ours <= 1.001 * theirs.inertia_


def test_it_does_not_depend_on_chance() -> None:
    points = RNG.random((300, 2)).astype(np.float32)
    assert np.array_equal(k_means(points, 4), k_means(points.copy(), 4))


@pytest.mark.parametrize("clusters", [2, 3, 6])
def test_a_disc_in_speckle_is_found(clusters: int) -> None:
    found = KMeans(clusters=clusters).delineate(view(SHAPE, BOX, grey=SPECKLE))
    assert 2 * (found & LESION).sum() / (found.sum() + LESION.sum()) > 0.93


def test_a_higher_weight_of_the_place_makes_outlines_rounder() -> None:
    seen = view(SHAPE, BOX, grey=RNG.random(SHAPE, np.float32))
    ellipse = seen.radius <= 1
    wrong = [(KMeans(position=p).delineate(seen) ^ ellipse).mean() for p in (0.0, 1.0, 4.0)]
    assert wrong[0] > wrong[1] > wrong[2]


def test_texture_tells_a_smooth_lesion_from_rough_tissue_of_the_same_grey() -> None:
    grey = np.where(LESION, 0.5, RNG.choice([0.3, 0.7], SHAPE)).astype(np.float32)
    seen = view(SHAPE, BOX, grey=grey)
    plain = KMeans(position=0, texture=0).delineate(seen)
    rough = KMeans(position=0, texture=1).delineate(seen)
    assert (rough ^ LESION).mean() < 0.5 * (plain ^ LESION).mean()


def test_closing_fills() -> None:
    seen = view(SHAPE, BOX, grey=SPECKLE)
    loose = KMeans(position=0).delineate(seen)
    closed = KMeans(position=0, closing=3).delineate(seen)
    assert (loose & ~closed).sum() == 0
    assert closed.sum() > loose.sum()


def test_clusters_are_fitted_to_the_neighbourhood_only() -> None:
    seen = view(SHAPE, BOX, grey=SPECKLE)
    far = np.where(neighbourhood(seen), SPECKLE, np.float32(1))
    one, other = (features(v, 0, 0) for v in (seen, view(SHAPE, BOX, grey=far)))
    near = neighbourhood(seen)
    assert np.array_equal(k_means(one[near], 2), k_means(other[near], 2))
    assert np.array_equal(
        KMeans(position=0).delineate(seen)[near],
        KMeans(position=0).delineate(view(SHAPE, BOX, grey=far))[near],
    )


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (7, 3)])
def test_blank_and_tiny_views_are_survived(shape: tuple[int, int]) -> None:
    box = (0, 0, *shape)
    assert not KMeans().delineate(view(shape, box)).any()
    grey = RNG.random(shape, np.float32)
    nowhere = view(shape, box, grey=grey, allowed=np.zeros(shape, bool))
    for seen in (view(shape, box, grey=grey), nowhere):
        assert KMeans(clusters=6, texture=1).delineate(seen).shape == shape
