"""What the methods that go by grey level share: place, histogram, features and the cutting."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from breastseg.classical.histogram import (
    features,
    filled,
    histogram,
    neighbourhood,
    of_lesion,
    place,
    roughness,
    spread,
)
from breastseg.classical.local_threshold import LocalThreshold
from breastseg.classical.max_entropy import MaxEntropy
from breastseg.classical.method import ClassicalMethod
from breastseg.classical.multi_otsu import MultiOtsu
from breastseg.classical.otsu import Otsu

from . import views
from .views import view

SHAPE, BOX = (61, 81), (10, 15, 51, 66)
LESION = views.disc(SHAPE, (30, 40), 20)
RNG = np.random.default_rng(3)
SPECKLE = (np.where(LESION, 0.35, 0.65) + RNG.normal(0, 0.1, SHAPE)).clip(0, 1).astype(np.float32)


def area(method: ClassicalMethod, grey: NDArray[np.float32] = SPECKLE) -> int:
    return int(method.delineate(view(SHAPE, BOX, grey=grey)).sum())


def test_place_grows_from_the_centre_over_the_ellipse_to_its_limit() -> None:
    far = place(view((21, 41), (5, 10, 16, 31)))
    assert far.dtype == np.float32
    assert far[10, 20] == -1
    assert far[10, 10] == pytest.approx((20 / 21) ** 2 - 1)  # of 10.5 columns, 10 away
    assert far[0, 0] == 3
    assert np.array_equal(far, far[::-1, ::-1])


def test_points_of_the_user_bend_the_place() -> None:
    bent = place(view(SHAPE, BOX, inside=((12, 17),), outside=((30, 40),)))
    plain = place(view(SHAPE, BOX))
    assert bent[12, 17] == pytest.approx(-1)
    assert bent[30, 40] == pytest.approx(3)
    assert plain[12, 17] > bent[13, 18] > -1
    assert bent[50, 70] == pytest.approx(plain[50, 70], abs=1e-6)


def test_the_neighbourhood_is_half_lesion() -> None:
    seen = view((101, 101), (20, 20, 81, 81))
    near = neighbourhood(seen)
    assert (seen.radius[near] <= 1).mean() == pytest.approx(0.5, abs=0.02)
    assert neighbourhood(view((1, 1), (-9, -9, -8, -8)), 1.0).all()


def test_the_spread_is_the_standard_deviation_near_the_lesion_and_0_only_where_all_is_equal() -> (
    None
):
    assert spread(view((4, 4), (0, 0, 4, 4))) == 0
    assert spread(view((9, 9), (0, 0, 9, 9), grey=np.full((9, 9), 0.1, np.float32))) == 0
    halves = np.tile(np.float32([0, 1]), (4, 2))
    assert spread(view((4, 4), (0, 0, 4, 4), grey=halves)) == pytest.approx(0.5)


def test_a_histogram_counts_and_knows_the_largest_value_up_to_each_bin() -> None:
    counts, tops = histogram(np.float32([[0, 0.1, 0.24], [0.6, 0.7, 1.0]]), 4)
    assert counts.tolist() == [3, 0, 2, 1]
    assert tops.tolist() == np.float32([0.24, 0.24, 0.7, 1.0]).tolist()


def test_a_histogram_of_neighbouring_numbers_works() -> None:
    low = np.float32(0.5)
    counts, tops = histogram(np.array([low, np.nextafter(low, np.float32(1))]), 256)
    assert counts.sum() == 2
    assert tops[0] == low


def test_roughness_is_the_local_standard_deviation() -> None:
    grey = RNG.random((23, 17)).astype(np.float32)
    truth = ndimage.generic_filter(grey.astype(float), np.std, 9, mode="reflect")
    assert np.allclose(roughness(grey), truth, atol=1e-5)


def test_features_are_what_has_a_weight() -> None:
    seen = view(SHAPE, BOX, grey=SPECKLE)
    assert features(seen, 0, 0).shape == (*SHAPE, 1)
    all_three = features(seen, 2, 0.5)
    assert np.allclose(all_three[..., 0], SPECKLE / spread(seen))
    assert np.allclose(all_three[..., 1], 2 * place(seen))
    assert all_three[..., 2].std() == pytest.approx(0.5, rel=1e-4)


def test_a_cluster_is_lesion_where_most_of_it_lies_in_the_ellipse() -> None:
    seen = view(SHAPE, BOX)
    within = (seen.radius <= 1).astype(np.float32)
    belonging = np.stack([0.75 * within, 1 - 0.75 * within], axis=-1)
    assert of_lesion(belonging, seen).tolist() == [True, False]
    assert of_lesion(belonging[..., ::-1], seen).tolist() == [False, True]


def test_filling_closes_notches_but_not_by_way_of_what_is_not_allowed() -> None:
    seen = view(SHAPE, BOX)
    notched = LESION.copy()
    notched[:30, 39:42] = False
    assert (filled(notched, seen, 3) & LESION).sum() > 0.99 * LESION.sum()
    assert np.array_equal(filled(notched, seen, 0), notched)
    halves = view(SHAPE, BOX, allowed=np.indices(SHAPE)[1] < 40)
    assert not filled(notched, halves, 3)[:, 45:].any()


METHODS = [Otsu, MultiOtsu, MaxEntropy, LocalThreshold]


@pytest.mark.parametrize("method", METHODS)
def test_a_disc_in_speckle_is_found_better_than_by_its_loose_box_alone(
    method: type[ClassicalMethod],
) -> None:
    seen = view(SHAPE, BOX, grey=SPECKLE)
    by_method, by_box = (
        2 * (found & LESION).sum() / (found.sum() + LESION.sum())
        for found in (method().delineate(seen), seen.radius <= 1)
    )
    assert by_method > 0.9 > by_box


@pytest.mark.parametrize("method", METHODS)
def test_a_higher_shift_takes_more(method: type[Otsu]) -> None:
    areas = [area(method(lean=0, shift=shift)) for shift in (-0.5, 0, 0.5)]
    assert areas[0] < areas[1] < areas[2]


@pytest.mark.parametrize("method", METHODS)
def test_closing_fills(method: type[Otsu]) -> None:
    assert area(method(lean=0, closing=3)) > area(method(lean=0))


@pytest.mark.parametrize("method", METHODS)
def test_the_more_the_place_counts_the_rounder_the_outline(method: type[Otsu]) -> None:
    seen = view(SHAPE, BOX, grey=RNG.random(SHAPE, np.float32))
    ellipse = seen.radius <= 1
    wrong = [(method(lean=lean).delineate(seen) ^ ellipse).mean() for lean in (0, 1, 4)]
    assert wrong[0] > wrong[1] > wrong[2]


def test_dark_surroundings_far_away_move_the_threshold_only_where_they_are_looked_at() -> None:
    seen = view(SHAPE, BOX)
    grey = np.where(seen.radius > 1.5, np.float32(0.95), SPECKLE)
    lesion = grey[LESION]
    near = Otsu(lean=0, around=1.4).delineate(view(SHAPE, BOX, grey=grey))
    far = Otsu(lean=0, around=3).delineate(view(SHAPE, BOX, grey=grey))
    assert lesion.size - near[LESION].sum() < 0.1 * lesion.size
    assert far.sum() > 1.5 * near.sum()


@pytest.mark.parametrize("method", METHODS)
def test_a_point_called_background_takes_its_surroundings_along(method: type[Otsu]) -> None:
    marked = view(SHAPE, BOX, grey=SPECKLE, outside=((30, 40),))
    around = views.disc(SHAPE, (30, 40), 3)
    assert not (method().delineate(marked) & around).any()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (7, 3)])
def test_blank_and_tiny_views_are_survived(
    method: type[ClassicalMethod], shape: tuple[int, int]
) -> None:
    box = (0, 0, *shape)
    assert not method().delineate(view(shape, box)).any()
    grey = RNG.random(shape, np.float32)
    nowhere = view(shape, box, grey=grey, allowed=np.zeros(shape, bool))
    for seen in (view(shape, box, grey=grey), nowhere):
        assert method(lean=0).delineate(seen).shape == shape
