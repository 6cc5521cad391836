"""A contour that moves until it lies on a strong edge."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.segmentation import morphsnakes

from breastseg.classical.geodesic_contour import (
    GeodesicContour,
    attracted,
    edge_speed,
    rounded,
)
from breastseg.metrics import dice

from .scenes import LESIONS, SHAPE, drawn, roughness
from .views import disc, view

LOBED = LESIONS["lobed"]
RNG = np.random.default_rng(6)
STILL = np.zeros((20, 30), np.float32)
INNER = np.s_[4:-4, 4:-4]
CLEAN = np.where(disc(SHAPE, (69.5, 74.5), 40), 0, 1).astype(np.float32)
"""A disc, without noise."""
BESIDE_CLEAN = (25, 30, 115, 120)


def test_where_the_image_is_even_the_contour_is_free() -> None:
    assert np.array_equal(
        edge_speed(np.full((12, 15), 0.5, np.float32), 2.0, 1000.0), STILL[:12, :15] + 1
    )


def test_on_a_slope_the_speed_falls_with_the_gradient() -> None:
    rows, columns = np.indices((60, 80))
    ramp = (0.004 * rows + 0.003 * columns).astype(np.float32)
    middle = np.s_[20:40, 20:60]
    for alpha in (50.0, 1000.0):
        speed = edge_speed(ramp, 2.0, alpha)[middle]
        assert speed == pytest.approx(1 / np.sqrt(1 + alpha * 0.005), abs=1e-4)


def test_the_slowest_line_is_the_edge() -> None:
    step = np.zeros((20, 41), np.float32)
    step[:, 20:] = 1
    speed = edge_speed(step, 2.0, 1000.0)
    assert set(np.argmin(speed, axis=1)) <= {19, 20}
    assert (np.diff(speed[:, 21:28]) > 0).all()
    assert (speed[:, [0, -1]] == 1).all()


def test_more_smoothing_slows_less_at_speckle_and_more_weight_slows_more() -> None:
    noise = RNG.random((50, 50)).astype(np.float32)
    by_sigma = [edge_speed(noise, sigma, 1000.0).mean() for sigma in (0.5, 1, 2, 4, 8)]
    assert (np.diff(by_sigma) > 0).all()
    by_alpha = [edge_speed(noise, 2.0, alpha)[INNER] for alpha in (50.0, 500.0, 5000.0)]
    assert (by_alpha[0] > by_alpha[1]).all()
    assert (by_alpha[1] > by_alpha[2]).all()


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize(("start", "end"), [(10, 11), (14, 15), (15, 15), (20, 19), (18, 17)])
def test_the_border_moves_one_pixel_down_the_slope(start: int, end: int, transposed: bool) -> None:
    """The speed is lowest between columns 14 and 15."""
    columns = np.arange(30)
    along = np.broadcast_to(np.sign(columns - 14.5), STILL.shape).astype(np.float32)
    region, expected = (
        np.broadcast_to(columns < edge, STILL.shape).astype(np.uint8) for edge in (start, end)
    )
    if transposed:
        moved = attracted(np.ascontiguousarray(region.T), (along.T, STILL.T)).T
    else:
        moved = attracted(region, (STILL, along))
    assert np.array_equal(moved, expected)


def test_without_a_slope_nothing_moves() -> None:
    region = (RNG.random(STILL.shape) < 0.5).astype(np.uint8)
    assert np.array_equal(attracted(region, (STILL, STILL)), region)


@pytest.mark.parametrize("first_out", [False, True])
@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("diagonal", [False, True])
def test_rounding_leaves_a_straight_edge(first_out: bool, turns: int, diagonal: bool) -> None:
    rows, columns = np.indices((21, 21))
    straight = np.rot90(rows + columns < 20 if diagonal else rows < 9, turns).astype(np.uint8)
    assert np.array_equal(rounded(np.ascontiguousarray(straight), first_out), straight)


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize(("row", "value"), [(9, 1), (8, 0)], ids=["spur", "notch"])
def test_rounding_removes_a_spur_and_fills_a_notch(row: int, value: int, turns: int) -> None:
    smooth = np.zeros((21, 21), np.uint8)
    smooth[:9] = 1
    rough = smooth.copy()
    rough[row, 10] = value
    rough, smooth = (np.ascontiguousarray(np.rot90(one, turns)) for one in (rough, smooth))
    assert np.array_equal(rounded(rough, first_out=bool(value)), smooth)
    for first_out in (False, True):
        healed = rounded(rounded(rough, first_out), not first_out)
        assert np.array_equal(healed, smooth)


def test_rounding_is_the_curvature_step_of_scikit_image() -> None:
    noise = (RNG.random((60, 70)) < 0.5).astype(np.uint8)
    for shape in (noise, disc((60, 70), (30, 35), 20.3).astype(np.uint8)):
        out_first = morphsnakes.inf_sup(morphsnakes.sup_inf(shape))
        in_first = morphsnakes.sup_inf(morphsnakes.inf_sup(shape))
        assert np.array_equal(rounded(shape, first_out=True)[INNER], out_first[INNER])
        assert np.array_equal(rounded(shape, first_out=False)[INNER], in_first[INNER])


@pytest.mark.parametrize(("name", "least"), [("disc", 0.95), ("ellipse", 0.95), ("lobed", 0.9)])
def test_a_dark_shape_in_noise_is_found_in_a_box_that_is_too_large(name: str, least: float) -> None:
    seen = drawn(LESIONS[name])
    assert dice(seen.radius <= 1, LESIONS[name]) < 0.9
    assert dice(GeodesicContour().delineate(seen), LESIONS[name]) > least


def test_a_balloon_grows_from_inside_or_shrinks_from_outside_to_the_edge() -> None:
    seen, lesion = view(SHAPE, BESIDE_CLEAN, grey=CLEAN), CLEAN == 0
    for balloon, start in ((1, 0.5), (-1, 1.3)):
        still, moved = (
            GeodesicContour(balloon=b, start=start, stop=0.2, rounding=0).delineate(seen)
            for b in (0, balloon)
        )
        assert dice(moved, lesion) > 0.97
        assert dice(still, lesion) < 0.8


def test_with_stop_at_more_edges_a_balloon_comes_less_far() -> None:
    seen = view(SHAPE, BESIDE_CLEAN, grey=CLEAN)
    areas = [
        GeodesicContour(balloon=1, start=0.4, stop=stop).delineate(seen).sum()
        for stop in (0.2, 0.95)
    ]
    assert areas[0] > 2 * areas[1]


def test_it_starts_from_a_multiple_of_the_ellipse() -> None:
    seen = view(SHAPE, BESIDE_CLEAN)
    for start in (0.5, 1.0, 1.3):
        assert dice(GeodesicContour(start=start).delineate(seen), seen.radius <= start) > 0.98


def test_more_rounding_makes_rounder_outlines() -> None:
    seen = drawn(LOBED)
    rough = [roughness(GeodesicContour(rounding=n).delineate(seen)) for n in (0, 1, 2, 4)]
    assert rough == sorted(rough, reverse=True)
    assert rough[0] > 3 * rough[-1]


def test_a_step_is_a_pixel() -> None:
    seen = view(SHAPE, BESIDE_CLEAN, grey=CLEAN)
    before = (seen.radius <= 0.4).any(axis=1).sum()  # the core is a part of it from the start
    for steps in (1, 2):
        method = GeodesicContour(balloon=1, start=0.4, stop=0.2, rounding=0, iterations=steps)
        assert method.delineate(seen).any(axis=1).sum() == before + 2 * steps


def test_an_outline_stays_where_it_may_lie_and_holds_the_users_points() -> None:
    bright, dark = (68, 32), (68, 74)
    for balloon in (-1, 0, 1):
        seen = drawn(LOBED, inside=(bright,), outside=(dark,))
        found = GeodesicContour(balloon=balloon).delineate(seen)
        assert found[bright]
        assert not found[dark]
        assert not found[~seen.allowed].any()


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (7, 3), (30, 40)])
@pytest.mark.parametrize("balloon", [-1, 0, 1])
def test_blank_and_tiny_views_are_survived(shape: tuple[int, int], balloon: int) -> None:
    method, box = GeodesicContour(balloon=balloon), (0, 0, *shape)
    assert method.delineate(view(shape, box)).any()
    nowhere = view(shape, box, allowed=np.zeros(shape, bool))
    assert not method.delineate(nowhere).any()
    grey = RNG.random(shape, np.float32)
    assert method.delineate(view(shape, box, grey=grey)).shape == shape
