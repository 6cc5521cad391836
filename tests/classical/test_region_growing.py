"""A region grows over similar pixels up to the tolerance at which its border is sharpest."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from breastseg.classical.gradient import gradient, magnitude
from breastseg.classical.region_growing import (
    RegionGrowing,
    darkest_spot,
    growth_curve,
    joining,
    region_growing,
    unlikeness,
)

from .scenes import LESIONS, drawn, roughness
from .views import disc, view

SHAPE = (150, 150)
BOX = (27, 27, 124, 124)
LESION = disc(SHAPE, (75, 75), 48)


def _grey(noise: float = 0.03, contrast: float = 0.35) -> NDArray[np.float32]:
    """A dark disc that fills the box."""
    grey = np.where(LESION, 0.25, 0.25 + contrast)
    grey = grey + np.random.default_rng(0).normal(0, noise, SHAPE)
    return cv2.GaussianBlur(grey.astype(np.float32), (0, 0), 1)


def _agreement(found: NDArray[np.bool_]) -> float:
    return float(2 * (found & LESION).sum() / (found.sum() + LESION.sum()))


def _seed(shape: tuple[int, int], *points: tuple[int, int]) -> NDArray[np.bool_]:
    seeds = np.zeros(shape, bool)
    for point in points:
        seeds[point] = True
    return seeds


def test_the_seed_lies_in_the_darkest_smooth_spot_of_the_core() -> None:
    grey = np.full((40, 60), 0.5, np.float32)
    grey[5:15, 5:15] = 0.1  # smooth and dark
    grey[25:35:2, 25:35] = 0.0  # darkest, but striped
    grey[20:30, 45:55] = 0.05  # darker, outside of the core
    core = np.zeros((40, 60), bool)
    core[:, :40] = True
    (seed,) = np.argwhere(darkest_spot(grey, core))
    assert (seed >= 5).all()
    assert (seed < 15).all()
    assert not darkest_spot(grey, np.zeros_like(core)).any()


def test_a_smooth_spot_is_a_better_seed_than_a_darker_one_of_two_levels() -> None:
    grey = np.full((40, 60), 0.6, np.float32)
    grey[5:20, 5:20] = 0.3
    grey[20:35, 35:50] = 0.5
    grey[20:35:2, 35:50] = 0.0
    (seed,) = np.argwhere(darkest_spot(grey, np.ones((40, 60), bool)))
    assert (seed >= 5).all()
    assert (seed < 20).all()


def test_a_pixel_joins_at_the_largest_step_of_the_easiest_path() -> None:
    unlike = np.array([[9, 1, 5, 2], [4, 9, 9, 3]], np.float32)
    seeds = _seed(unlike.shape, (0, 0))
    assert joining(unlike, seeds).tolist() == [[0, 1, 5, 5], [4, 9, 9, 5]]


def test_joining_is_what_floods_at_each_tolerance_reach() -> None:
    unlike = np.random.default_rng(0).integers(0, 9, (20, 30)).astype(np.float32)
    seeds = _seed(unlike.shape, (3, 4), (15, 20))
    joined = joining(unlike, seeds)
    for tolerance in range(9):
        numbers, _ = ndimage.label((unlike <= tolerance) | seeds)
        reached = np.isin(numbers, numbers[seeds])
        assert np.array_equal(joined <= tolerance, reached)


def test_the_growth_curve_is_area_and_mean_edge_of_each_region() -> None:
    rng = np.random.default_rng(0)
    joined = rng.integers(0, 6, (9, 11)).astype(np.float32)
    strength = rng.random((9, 11), np.float32)
    tolerances, area, edge = growth_curve(joined, strength)
    assert tolerances.tolist() == [0, 1, 2, 3, 4, 5]
    for tolerance, pixels, mean in zip(tolerances, area, edge, strict=True):
        region = joined <= tolerance
        along = [
            (strength[a] + strength[b]) / 2
            for a in np.ndindex(region.shape)
            for b in ((a[0] + 1, a[1]), (a[0], a[1] + 1))
            if b[0] < 9 and b[1] < 11 and region[a] != region[b]
        ]
        assert pixels == region.sum()
        assert mean == pytest.approx(np.mean(along) if along else 0, abs=1e-6)


def test_unlike_is_counted_in_the_regions_own_spread() -> None:
    grey = np.array([[0.2, 0.4, 0.5, 0.0]], np.float32)
    region = np.array([[True, True, False, False]])
    assert np.allclose(unlikeness(grey, region, darker=False), [[1, 1, 2, 3]])
    assert np.allclose(unlikeness(grey, region, darker=True), [[0, 1, 2, 0]])


def test_it_stops_before_the_leak() -> None:
    # a plateau at 0, a bright rim at 5 with a gap of 2, and beyond it again 0
    unlike = np.zeros((21, 41), np.float32)
    unlike[:, 20] = 5
    unlike[10, 20] = 2
    unlike[:, :3] = unlike[:3] = unlike[-3:] = unlike[:, -3:] = 6
    strength = np.zeros_like(unlike)
    strength[:, 19:22] = 1
    strength[:4] = strength[-4:] = strength[:, :4] = 1
    found = region_growing(unlike, _seed(unlike.shape, (10, 8)), strength, min_px=5, size=0)
    expected = np.zeros_like(found)
    expected[3:-3, 3:20] = True
    assert np.array_equal(found, expected)


def test_on_two_grey_levels_it_is_the_component_of_the_seed() -> None:
    blobs = ndimage.gaussian_filter(np.random.default_rng(4).random((60, 70)), 4)
    dark = blobs < np.median(blobs)
    grey = np.where(dark, np.float32(0.2), np.float32(0.8))
    numbers, count = ndimage.label(dark)
    assert count > 3
    strength = magnitude(gradient(grey, 0))
    for number in range(1, count + 1):
        component = numbers == number
        point = tuple(int(i) for i in np.argwhere(component)[component.sum() // 2])
        unlike = unlikeness(grey, component, darker=True)
        found = region_growing(unlike, _seed(dark.shape, point), strength, min_px=0, size=0)
        assert np.array_equal(found, component)
    first, last = ((numbers == number) for number in (1, count))
    seeds = _seed(dark.shape, *(tuple(np.argwhere(one)[0]) for one in (first, last)))
    found = region_growing(unlike, seeds, strength, min_px=0, size=0)
    assert np.array_equal(found, first | last)


def test_growing_changes_nothing_that_was_passed_in() -> None:
    unlike = np.random.default_rng(0).random((20, 30), np.float32)
    seeds = _seed(unlike.shape, (5, 5))
    before = unlike.copy(), seeds.copy()
    region_growing(unlike, seeds, unlike, min_px=1, size=1)
    assert np.array_equal(unlike, before[0])
    assert np.array_equal(seeds, before[1])


def test_a_preference_for_size_takes_the_larger_of_two_rims() -> None:
    distance = np.hypot(*(np.indices((81, 81)) - 40)).astype(np.float32)
    strength = np.exp(-((distance - 10) ** 2) / 4) + 0.8 * np.exp(-((distance - 30) ** 2) / 4)
    seeds = _seed(distance.shape, (40, 40))
    areas = [
        region_growing(distance, seeds, strength.astype(np.float32), min_px=20, size=size).sum()
        for size in (0, 0.5)
    ]
    assert areas[0] == pytest.approx(np.pi * 10**2, rel=0.1)
    assert areas[1] == pytest.approx(np.pi * 30**2, rel=0.1)
    least = region_growing(distance, seeds, strength.astype(np.float32), min_px=500, size=0)
    assert least.sum() == pytest.approx(areas[1], rel=0.02)


def test_it_does_not_grow_where_it_may_not() -> None:
    unlike = np.zeros((20, 30), np.float32)
    unlike[:, 15:] = np.inf
    strength = np.ones_like(unlike)
    found = region_growing(unlike, _seed(unlike.shape, (5, 5)), strength, min_px=1, size=0)
    assert np.array_equal(found, np.isfinite(unlike))
    walled = region_growing(unlike, _seed(unlike.shape, (5, 20)), strength, min_px=1, size=0)
    assert not walled.any()


def test_without_an_edge_there_is_no_region() -> None:
    blank = np.zeros((20, 30), np.float32)
    assert not region_growing(blank, _seed(blank.shape, (5, 5)), blank, min_px=1, size=0).any()


@pytest.mark.parametrize("noise", [0.0, 0.05, 0.15])
def test_a_dark_disc_is_outlined(noise: float) -> None:
    found = RegionGrowing().delineate(view(SHAPE, BOX, grey=_grey(noise)))
    assert _agreement(ndimage.binary_fill_holes(found)) > 0.95


def test_the_tolerance_adapts_to_the_contrast() -> None:
    for contrast in (0.05, 0.15, 0.6):
        seen = view(SHAPE, BOX, grey=_grey(contrast / 12, contrast))
        assert _agreement(RegionGrowing(box_trust=0).delineate(seen)) > 0.95


def test_it_grows_from_the_points_of_the_user() -> None:
    grey = np.full(SHAPE, 0.7, np.float32)
    first, second = disc(SHAPE, (75, 45), 16), disc(SHAPE, (75, 105), 16)
    grey[first | second] = 0.2
    method = RegionGrowing(box_trust=0, min_fraction=0)
    one = method.delineate(view(SHAPE, BOX, grey=grey, inside=((75, 45),)))
    assert (one & first).sum() > 0.9 * first.sum()
    assert not (one & second).any()
    both = method.delineate(view(SHAPE, BOX, grey=grey, inside=((75, 45), (75, 105))))
    assert (both & (first | second)).sum() > 0.9 * (first | second).sum()


def test_more_trust_in_the_box_keeps_it_in_the_ellipse() -> None:
    grey = _grey(0)
    grey[60:90, 75:] = 0.25  # leaks out to the right
    allowed = np.zeros(SHAPE, bool)
    allowed[BOX[0] : BOX[2], :] = True
    seen = view(SHAPE, BOX, grey=grey, allowed=allowed)
    out = [
        int((RegionGrowing(box_trust=trust).delineate(seen) & (seen.radius > 1.1)).sum())
        for trust in (0, 4)
    ]
    assert out[0] > 200
    assert out[1] < out[0] / 4


def test_a_region_has_at_least_its_least_share() -> None:
    grey = _grey(0, contrast=0.1)
    grey[disc(SHAPE, (75, 75), 22)] = 0.0  # a sharper edge within
    seen = view(SHAPE, BOX, grey=grey)
    small = RegionGrowing(min_fraction=0, size=0, box_trust=0, darker=False).delineate(seen)
    large = RegionGrowing(min_fraction=0.5, size=0, box_trust=0).delineate(seen)
    assert large.sum() >= 0.5 * (seen.radius <= 1).sum() > small.sum()


def test_a_region_may_be_preferred_for_its_size() -> None:
    grey = np.where(LESION, 0.45, 0.6).astype(np.float32)
    grey[disc(SHAPE, (75, 75), 25)] = 0.2  # a sharper edge within
    seen = view(SHAPE, BOX, grey=grey)
    plain, large = (
        RegionGrowing(size=size, min_fraction=0, box_trust=0).delineate(seen) for size in (0, 1)
    )
    assert _agreement(plain) < 0.5
    assert _agreement(large) > 0.95


def test_smoothing_makes_speckle_count_less() -> None:
    seen = drawn(LESIONS["disc"])
    rough = [roughness(RegionGrowing(sigma=sigma).delineate(seen)) for sigma in (0, 1.5, 4)]
    assert rough[0] > rough[1] > rough[2]


def test_smoothing_before_the_edge_passes_over_texture() -> None:
    away = np.hypot(*(np.indices(SHAPE) - 75))
    stripes = np.where((away > 12) & (away < 24), 0.25 * np.sin(2 * np.pi * away / 8), 0)
    grey = (0.2 + 0.002 * away + 0.15 * (away > 40) + stripes).astype(np.float32)
    seen = view(SHAPE, BOX, grey=grey)
    for edge_sigma, radius in ((0, 16), (3, 40)):
        method = RegionGrowing(sigma=4, edge_sigma=edge_sigma, box_trust=0, min_fraction=0, size=0)
        assert method.delineate(seen).sum() == pytest.approx(np.pi * radius**2, rel=0.05)


def test_outward_leaves_no_edge_around_a_bright_lesion() -> None:
    seen = view(SHAPE, BOX, grey=np.where(LESION, np.float32(0.7), np.float32(0.3)))
    either = RegionGrowing(outward=0, darker=False).delineate(seen)
    assert _agreement(either) > 0.95
    assert not RegionGrowing(outward=1, darker=False).delineate(seen).any()


def test_darker_parts_are_taken_or_not() -> None:
    cyst = disc(SHAPE, (75, 105), 8)
    grey = np.where(LESION, np.float32(0.45), np.float32(0.7))
    grey[disc(SHAPE, (75, 105), 10)] = 0.1
    seen = view(SHAPE, BOX, grey=grey)
    assert RegionGrowing(darker=True).delineate(seen)[cyst].all()
    assert not RegionGrowing(darker=False).delineate(seen)[cyst].any()


def test_another_pass_takes_the_spread_of_the_whole_region() -> None:
    # the core is of one grey level, against which no box holds; the lesion is not
    away = np.hypot(*(np.indices(SHAPE) - 75))
    grey = np.where(LESION, np.where(away > 30, 0.3, 0.2), 0.7).astype(np.float32)
    grey[60:90, 105:] = 0.3  # leaks out to the right
    seen = view(SHAPE, BOX, grey=grey)
    one, two = (
        RegionGrowing(passes=passes, box_trust=4).delineate(seen) & (seen.radius > 1.1)
        for passes in (1, 2)
    )
    assert one.sum() > 500
    assert two.sum() < 0.1 * one.sum()


def test_it_does_not_grow_over_what_the_user_called_background() -> None:
    allowed = np.ones(SHAPE, bool)
    allowed[70:81, :60] = False
    seen = view(SHAPE, BOX, grey=_grey(), allowed=allowed)
    found = RegionGrowing().delineate(seen)
    assert not (found & ~allowed).any()
    assert (found & LESION).sum() > 0.97 * (LESION & allowed).sum()


@pytest.mark.parametrize("level", [0.0, 0.1, 0.4, 0.7])
@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (2, 2), (40, 70)])
def test_a_blank_view_has_no_outline(shape: tuple[int, int], level: float) -> None:
    flat = np.full(shape, level, np.float32)
    assert not RegionGrowing().delineate(view(shape, (0, 0, *shape), grey=flat)).any()
    marked = view(shape, (0, 0, *shape), grey=flat, inside=((0, 0),))
    assert not RegionGrowing(sigma=0, edge_sigma=0).delineate(marked).any()


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (2, 2)])
def test_views_of_few_pixels_are_survived(shape: tuple[int, int]) -> None:
    grey = np.random.default_rng(0).random(shape, np.float32)
    assert RegionGrowing().delineate(view(shape, (0, 0, *shape), grey=grey)).shape == shape


def test_where_nothing_is_allowed_nothing_grows() -> None:
    seen = view(SHAPE, BOX, grey=_grey(), allowed=np.zeros(SHAPE, bool))
    assert not RegionGrowing().delineate(seen).any()
