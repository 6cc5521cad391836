"""The cheapest closed path around a lesion's centre."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from breastseg.classical.polar_path import (
    PolarPath,
    Rays,
    area_cost,
    cheapest_closed_path,
    edge_cost,
    stretched,
)
from breastseg.metrics import dice

from .scenes import LESIONS, SHAPE, drawn, noisy, roughness
from .views import disc, view

LOBED = LESIONS["lobed"]
RNG = np.random.default_rng(7)
ROUND = disc(SHAPE, (69.5, 74.5), 40)
CLEAN = np.where(ROUND, 0.2, 0.8).astype(np.float32)
"""A disc without noise."""
TIGHT, LOOSE = (30, 35, 110, 115), (20, 25, 120, 125)


def price(cost: NDArray[np.float32], path: NDArray[np.intp], bend: float) -> float:
    """What a closed path costs; infinite where a step is too long."""
    steps = np.diff(path, append=path[:1])
    if np.abs(steps).max() > 3:
        return np.inf
    return float(cost[np.arange(len(path)), path].sum() + bend * (steps**2).sum())


@pytest.mark.parametrize("bend", [0.0, 0.1, 2.0])
def test_no_closed_path_is_cheaper(bend: float) -> None:
    for _ in range(10):
        cost = RNG.normal(size=(5, 6)).astype(np.float32)
        best = min(price(cost, np.array(path), bend) for path in product(range(6), repeat=5))
        assert price(cost, cheapest_closed_path(cost, bend), bend) == pytest.approx(best, abs=1e-5)


@pytest.mark.parametrize("bend", [0.0, 0.1, 1.0])
def test_the_path_closes_where_costs_say_nothing(bend: float) -> None:
    for _ in range(3):
        cost = RNG.random((96, 64), np.float32)
        path = cheapest_closed_path(cost, bend)
        assert price(cost, path, bend) < min(96 * 0.5, float(cost.sum(axis=0).min()))


def test_the_last_ray_is_a_neighbour_of_the_first() -> None:
    """Open, the path would follow the stairs from 0 up to 11."""
    cost = np.ones((12, 12), np.float32)
    np.fill_diagonal(cost, 0)
    path = cheapest_closed_path(cost, 0.0)
    assert np.abs(np.diff(path, append=path[:1])).max() <= 3


def test_without_bends_each_ray_has_its_own_cheapest_radius() -> None:
    wave = np.rint(10 + 6 * np.sin(np.arange(96) * 2 * np.pi / 96)).astype(int)
    cost = np.ones((96, 20), np.float32)
    cost[np.arange(96), wave] = 0
    assert np.array_equal(cheapest_closed_path(cost, 0.0), wave)
    assert np.ptp(cheapest_closed_path(cost, 100.0)) == 0


def test_a_turn_from_dark_to_bright_is_cheap_and_one_back_dear() -> None:
    grey = np.zeros((4, 9), np.float32)
    grey[:, 3:6] = 1
    cost = edge_cost(grey)
    assert (cost[:, 2:4] < 0).all()
    assert (cost[:, 5:7] > 0).all()
    assert (cost[:, [0, 1, 4, 7, 8]] == 0).all()
    assert edge_cost(7 * grey) == pytest.approx(cost)
    assert not edge_cost(np.full((4, 9), 0.3, np.float32)).any()


def test_the_area_is_cheapest_where_dark_ends() -> None:
    grey = np.ones((3, 12), np.float32)
    for ray, end in enumerate((5, 6, 7)):
        grey[ray, :end] = 0
    assert area_cost(grey).argmin(axis=1).tolist() == [4, 5, 6]
    assert np.isfinite(area_cost(np.full((3, 12), 0.5, np.float32))).all()


def test_an_outline_is_stretched_to_each_side_that_it_does_not_reach() -> None:
    offsets = np.array([-0.5, -0.25, 0.0, 0.5, 0.95])
    assert stretched(offsets, 0.9) == pytest.approx([-0.9, -0.45, 0.0, 0.5, 0.95])
    assert stretched(offsets, 0.0) == pytest.approx(offsets)
    assert stretched(np.zeros(3), 0.9) == pytest.approx(np.zeros(3))


def test_rays_sample_the_ellipse_in_the_box() -> None:
    rows, columns = np.indices(SHAPE, np.float32)
    rays = Rays.of(view(SHAPE, (40, 30, 90, 130)))
    down, along = rays.sample(rows) - 64.5, rays.sample(columns) - 79.5
    radii = np.hypot(down / 25, along / 50)
    assert radii[:, 20] == pytest.approx(np.full(96, rays.radii[20]), abs=1e-3)
    assert along[0, 20] == pytest.approx(50 * rays.radii[20], abs=1e-3)
    assert down[24, 20] == pytest.approx(25 * rays.radii[20], abs=1e-3)


def test_a_path_at_radius_one_fills_the_ellipse() -> None:
    seen = view(SHAPE, (40, 30, 90, 130))
    rays = Rays.of(seen)
    filled = rays.filled(*rays.unit(np.ones(96)), SHAPE)
    assert dice(filled, seen.radius <= 1) > 0.98


def test_a_pixel_lies_between_its_two_rays() -> None:
    rays = Rays.of(view((101, 101), (10, 10, 91, 91)))
    marks = np.zeros((101, 101), bool)
    marks[51, 80] = True  # one row below the centre's
    assert [ray for ray, _ in rays.beside(marks)] == [0, 1]
    assert [radius for _, radius in rays.beside(marks)] == pytest.approx([30.0167 / 40.5] * 2, 1e-3)
    marks = np.roll(marks, -2, axis=0)  # one row above
    assert [ray for ray, _ in rays.beside(marks)] == [95, 0]


def test_a_region_is_reached_up_to_its_border() -> None:
    rays = Rays.of(view(SHAPE, TIGHT))
    assert rays.reached(disc(SHAPE, (69.5, 74.5), 30)) == pytest.approx(
        np.full((96, 1), 0.75), 0.05
    )
    assert (rays.reached(np.zeros(SHAPE, bool)) == 1).all()


@pytest.mark.parametrize("name", LESIONS)
def test_a_dark_shape_in_noise_is_found_in_a_box_that_is_too_large(name: str) -> None:
    seen = drawn(LESIONS[name])
    assert dice(seen.radius <= 1, LESIONS[name]) < 0.9
    assert dice(PolarPath().delineate(seen), LESIONS[name]) > 0.95


def test_a_lesion_off_the_centre_of_a_candidate_is_found() -> None:
    seen = view(SHAPE, (22, 40, 112, 125), grey=noisy(ROUND), given=False)
    assert dice(seen.radius <= 1, ROUND) < 0.9
    assert dice(PolarPath().delineate(seen), ROUND) > 0.95


def test_more_bend_makes_rounder_outlines() -> None:
    seen = drawn(LOBED)
    outlines = [PolarPath(bend=b, sigma=0.5, prior=0).delineate(seen) for b in (0.01, 0.25, 4)]
    rough = [roughness(outline) for outline in outlines]
    assert rough == sorted(rough, reverse=True)
    assert rough[0] > 1.1 * rough[-1]


@pytest.mark.parametrize("target", [0.8, 1.1])
def test_more_prior_keeps_closer_to_the_target_radius(target: float) -> None:
    seen = view(SHAPE, TIGHT, grey=CLEAN)
    wrong = []
    for prior in (0, 2, 16):
        method = PolarPath(edge=0.02, area=0, prior=prior, target=target, fit=0)
        wrong.append((method.delineate(seen) ^ (seen.radius <= target)).sum())
    assert wrong == sorted(wrong, reverse=True)
    assert wrong[-1] < 0.2 * wrong[0]


@pytest.mark.parametrize("only", [{"edge": 3.0, "area": 0.0}, {"edge": 0.0, "area": 4.0}])
def test_edges_and_areas_each_lead_to_the_border(only: dict[str, float]) -> None:
    seen = view(SHAPE, LOOSE, grey=CLEAN)
    assert dice(seen.radius <= 1, ROUND) < 0.8
    assert dice(PolarPath(fit=0, **only).delineate(seen), ROUND) > 0.98
    blind = PolarPath(edge=0, area=0, fit=0).delineate(seen)
    assert dice(blind, seen.radius <= 1) > 0.98


def test_more_smoothing_ignores_speckle() -> None:
    seen = drawn(LOBED)
    outlines = [PolarPath(sigma=s, prior=0, bend=0.01).delineate(seen) for s in (0.5, 2, 6)]
    rough = [roughness(outline) for outline in outlines]
    assert rough == sorted(rough, reverse=True)
    assert rough[0] > 1.05 * rough[-1]


def test_fit_reaches_towards_the_sides_of_a_users_box_alone() -> None:
    """A lesion whose right third is as bright as its surroundings."""
    grey = CLEAN.copy()
    grey[:, 88:] = 0.8

    def reached(fit: float, given: bool = True, outside: tuple[tuple[int, int], ...] = ()) -> float:
        seen = view(SHAPE, TIGHT, grey=grey, given=given, outside=outside)
        found = PolarPath(fit=fit, prior=0).delineate(seen)
        return float((np.flatnonzero(found.any(axis=0)).max() - 74.5) / 40)

    assert reached(0.0) < 0.6
    assert reached(0.9) == pytest.approx(0.9, abs=0.02)
    assert reached(1.0) == pytest.approx(1.0, abs=0.02)
    assert reached(1.0, given=False) < 0.6
    assert reached(1.0, outside=((32, 37),)) < 0.6


def test_fit_leaves_an_outline_that_reaches_far_enough() -> None:
    seen = view(SHAPE, TIGHT, grey=CLEAN)
    loose, fitted = (PolarPath(fit=fit).delineate(seen) for fit in (0.0, 0.9))
    assert np.array_equal(loose, fitted)


@pytest.mark.parametrize("marked", [(69, 121), (30, 106), (112, 60)])
def test_points_inside_are_enclosed(marked: tuple[int, int]) -> None:
    method = PolarPath(fit=0)
    assert not method.delineate(view(SHAPE, LOOSE, grey=CLEAN))[marked]
    told = method.delineate(view(SHAPE, LOOSE, grey=CLEAN, inside=(marked,)))
    assert told[marked]
    assert (told & ROUND).sum() > 0.95 * ROUND.sum()


@pytest.mark.parametrize("marked", [(69, 100), (45, 60), (100, 74)])
def test_points_outside_are_left_out(marked: tuple[int, int]) -> None:
    plain = PolarPath().delineate(view(SHAPE, TIGHT, grey=CLEAN))
    told = PolarPath().delineate(view(SHAPE, TIGHT, grey=CLEAN, outside=(marked,)))
    assert plain[marked]
    assert not told[marked]
    assert ndimage.binary_fill_holes(told).sum() == told.sum()
    assert told.sum() > 0.7 * ROUND.sum()


def test_demands_that_contradict_are_survived() -> None:
    seen = view(SHAPE, TIGHT, grey=CLEAN, inside=((69, 110),), outside=((69, 90), (70, 90)))
    assert dice(PolarPath().delineate(seen), ROUND) > 0.8


def test_it_does_not_leave_where_an_outline_may_lie() -> None:
    allowed = np.zeros(SHAPE, bool)
    allowed[:, :90] = True
    found = PolarPath(fit=0).delineate(view(SHAPE, TIGHT, grey=CLEAN, allowed=allowed))
    assert not found[:, 91:].any()
    assert dice(found, ROUND & allowed) > 0.95


def test_the_region_that_was_found_draws_the_outline() -> None:
    grey, found = np.full(SHAPE, 0.5, np.float32), disc(SHAPE, (69.5, 74.5), 28)
    led, free = (
        PolarPath().delineate(view(SHAPE, TIGHT, grey=grey, given=False, found=region))
        for region in (found, None)
    )
    assert found.sum() < led.sum() < 0.8 * free.sum()


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (7, 3), (30, 40)])
def test_blank_and_tiny_views_are_survived(shape: tuple[int, int]) -> None:
    box, method = (0, 0, *shape), PolarPath()
    assert method.delineate(view(shape, box)).any()
    nowhere = view(shape, box, allowed=np.zeros(shape, bool))
    assert method.delineate(nowhere).shape == shape
    corner = view(shape, box, grey=RNG.random(shape, np.float32), inside=((0, 0),))
    assert method.delineate(corner).shape == shape
