"""Floods meet on the ridges, and lesions that touch are parted at their necks."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage

from breastseg.classical.region_growing import joining
from breastseg.classical.watershed import Watershed, cores, parted, watershed
from breastseg.core import Box, Grid, Image, Prompt
from breastseg.metrics import dice

from .scenes import LESIONS, drawn, roughness
from .views import disc, view

EIGHT = np.ones((3, 3), bool)
SHAPE = (150, 150)
BOX = (27, 27, 124, 124)
LESION = disc(SHAPE, (75, 75), 48)
LEFT, RIGHT = (50, 40), (50, 90)
TWO = disc((100, 130), LEFT, 30) | disc((100, 130), RIGHT, 30)
"""Two discs of radius 30 whose neck is 33 pixels wide: 0.55 of their width."""


def _count(region: NDArray[np.bool_]) -> int:
    return int(ndimage.label(region, EIGHT)[1])


def _marks(*points: tuple[int, int]) -> NDArray[np.bool_]:
    marks = np.zeros(TWO.shape, bool)
    for point in points:
        marks[point] = True
    return marks


def test_floods_meet_on_the_ridge() -> None:
    relief = np.tile(np.array([0, 1, 2, 9, 1, 0, 0], np.float32), (3, 1))
    lesion, background = np.zeros((3, 7), bool), np.zeros((3, 7), bool)
    lesion[1, 0] = background[1, 6] = True
    found = watershed(relief, lesion, background)
    assert found[:, :3].all()
    assert not found[:, 4:].any()


def test_a_high_ridge_holds_back_more_than_a_low_one_within() -> None:
    relief = np.tile(np.array([0, 3, 0, 0, 8, 0, 0], np.float32), (3, 1))
    lesion, background = np.zeros((3, 7), bool), np.zeros((3, 7), bool)
    lesion[1, 0] = background[1, 6] = True
    assert watershed(relief, lesion, background)[:, :4].all()


def test_without_a_marker_there_is_no_flood() -> None:
    relief, none = np.zeros((4, 5), np.float32), np.zeros((4, 5), bool)
    assert not watershed(relief, none, ~none).any()
    assert not watershed(relief, none, none).any()
    assert watershed(relief, ~none, ~none).all()


@pytest.mark.parametrize("seed", range(4))
def test_a_pixel_belongs_to_the_marker_with_the_lower_pass(seed: int) -> None:
    relief = np.random.default_rng(seed).random((25, 30), np.float32)
    lesion, background = np.zeros((2, 25, 30), bool)
    lesion[5:8, 4:7] = True
    background[20, 10:30] = True
    relief[lesion | background] = 0
    # the highest place on the way there, by another algorithm
    walled = [np.where(other, np.float32(9), relief) for other in (background, lesion)]
    near, far = joining(walled[0], lesion), joining(walled[1], background)
    found = watershed(relief, lesion, background)
    assert found[near < far].all()
    assert not found[near > far].any()


def test_compactness_draws_the_outline_to_halfway() -> None:
    relief = np.zeros((5, 41), np.float32)
    relief[:, 30] = 1
    lesion, background = np.zeros((5, 41), bool), np.zeros((5, 41), bool)
    lesion[:, 0] = background[:, 40] = True
    widths = [
        int(watershed(relief, lesion, background, compactness)[2].sum())
        for compactness in (0, 1000)
    ]
    assert abs(widths[0] - 30) <= 1
    assert abs(widths[1] - 20) <= 1


@pytest.mark.parametrize("noise", [0.0, 0.05, 0.1])
def test_a_dark_disc_is_outlined(noise: float) -> None:
    grey = np.where(LESION, 0.25, 0.6) + np.random.default_rng(0).normal(0, noise, SHAPE)
    grey = cv2.GaussianBlur(grey.astype(np.float32), (0, 0), 1)
    found = Watershed().delineate(view(SHAPE, BOX, grey=grey))
    assert 2 * (found & LESION).sum() / (found.sum() + LESION.sum()) > 0.97


@pytest.mark.parametrize("name", LESIONS)
def test_a_dark_lesion_in_noise_is_outlined(name: str) -> None:
    assert dice(Watershed().delineate(drawn(LESIONS[name])), LESIONS[name]) > 0.95


def test_sigma_smooths_the_outline() -> None:
    rows, columns = np.indices(SHAPE) - 75
    waves = np.cos(16 * np.arctan2(rows, columns))
    lesion = np.hypot(rows, columns) <= 44 * (1 + 0.06 * waves)
    seen = view(SHAPE, BOX, grey=np.where(lesion, np.float32(0.2), np.float32(0.7)))
    exact, *smooth = (Watershed(sigma=sigma).delineate(seen) for sigma in (0, 2, 4))
    assert np.array_equal(exact, lesion)
    assert roughness(lesion) > roughness(smooth[0]) > roughness(smooth[1])


def test_outward_passes_over_an_edge_that_darkens_outwards() -> None:
    # a bright ring within, that comes slowly and ends sharply
    away = np.hypot(*(np.indices(SHAPE) - 75))
    grey = np.interp(away, [20, 32, 32.5, 48, 48.5], [0.25, 0.7, 0.25, 0.25, 0.6])
    seen = view(SHAPE, BOX, grey=grey.astype(np.float32))
    for outward, radius in ((0.0, 32), (1.0, 48)):
        found = Watershed(outward=outward, box_trust=0).delineate(seen)
        assert found.sum() == pytest.approx(np.pi * radius**2, rel=0.05)


def test_compactness_draws_the_lesion_towards_its_middle() -> None:
    seen = view(SHAPE, BOX, grey=np.where(LESION, np.float32(0.25), np.float32(0.6)))
    areas = [
        int(Watershed(compactness=compactness).delineate(seen).sum())
        for compactness in (0, 0.01, 0.1)
    ]
    assert areas[0] > areas[1] > areas[2]


def test_trust_in_the_box_bridges_a_gap_in_the_border() -> None:
    grey = np.where(LESION, 0.25, 0.6).astype(np.float32)
    grey[60:90, 75:] = 0.25
    seen = view(SHAPE, BOX, grey=grey)
    wrong = [
        int((Watershed(box_trust=trust).delineate(seen) ^ LESION).sum()) for trust in (0.0, 0.3)
    ]
    assert wrong[0] > 2 * wrong[1]
    assert wrong[1] < 0.03 * LESION.sum()


def test_points_of_the_user_are_markers() -> None:
    grey = np.where(LESION, 0.25, 0.6).astype(np.float32)
    grey[disc(SHAPE, (75, 105), 10)] = 0.9  # a bright part that may or may not belong to it
    part = disc(SHAPE, (75, 105), 6)
    plain = Watershed().delineate(view(SHAPE, BOX, grey=grey))
    without = Watershed().delineate(view(SHAPE, BOX, grey=grey, outside=((75, 105),)))
    assert plain[part].all()
    assert not without[part].any()


def test_a_convex_region_has_one_core() -> None:
    assert cores(disc((60, 60), (30, 30), 20), 1.0).max() == 1
    assert cores(np.zeros((60, 60), bool), 0.7).max() == 0
    box = np.zeros((40, 90), bool)
    box[5:35, 5:85] = True
    assert cores(box, 0.9).max() == 1
    assert cores(np.eye(10, dtype=bool), 0.9).max() == 1  # pixels that touch by corners


def test_two_discs_have_two_cores_where_the_neck_is_narrow_enough() -> None:
    found = cores(TWO, 0.6)
    assert found.max() == 2
    assert {found[LEFT], found[RIGHT]} == {1, 2}
    assert cores(TWO, 0.5).max() == 1


@pytest.mark.parametrize(("neck", "count"), [(0.2, 1), (0.35, 2), (1.0, 2)])
def test_a_neck_is_as_wide_as_it_is_deep(neck: float, count: int) -> None:
    region = np.zeros((25, 60), bool)
    region[2:23, 2:23] = region[2:23, 37:58] = True  # 11 pixels deep in the middle
    region[10:15, 23:37] = True  # 3 pixels deep: 0.27
    found = cores(region, neck)
    assert found.max() == count
    assert found[12, 12] > 0
    assert found[12, 47] > 0


def test_a_core_does_not_depend_on_the_scale() -> None:
    for scale in (0.5, 2):
        large = cv2.resize(TWO.astype(np.uint8), None, fx=scale, fy=scale) > 0
        assert cores(large, 0.65).max() == 2
        assert cores(large, 0.45).max() == 1


def test_touching_discs_are_parted_by_a_line_of_one_pixel() -> None:
    found = parted(TWO, 0.7)
    line = TWO & ~found
    assert _count(found) == 2
    assert (line.sum(axis=1) <= 1).all()
    assert np.abs(np.nonzero(line)[1] - 65).max() <= 2
    assert not (found & ~TWO).any()


def test_what_touches_by_a_corner_is_parted_too() -> None:
    region = np.zeros((40, 40), bool)
    region[2:20, 2:20] = region[20:38, 20:38] = True
    assert _count(region) == 1
    assert _count(parted(region, 0.5)) == 2


def test_nothing_is_parted_without_a_neck_or_at_zero() -> None:
    assert np.array_equal(parted(TWO, 0), TWO)
    assert np.array_equal(parted(TWO, 0.5), TWO)
    assert np.array_equal(parted(LESION, 0.9), LESION)


def test_large_regions_are_parted_at_full_size() -> None:
    large = disc((700, 1000), (350, 300), 220) | disc((700, 1000), (350, 700), 220)
    found = parted(large, 0.7)
    assert _count(found) == 2
    assert ((large & ~found).sum(axis=1) <= 8).all()
    assert (large & ~found).sum() < 0.01 * large.sum()


def test_large_regions_on_a_thin_bridge_are_parted() -> None:
    shape = (400, 900)
    large = disc(shape, (200, 200), 150) | disc(shape, (200, 700), 150)
    large[200:202, 200:700] = True  # lost where the region is shrunk
    found = parted(large, 0.5)
    numbers, _ = ndimage.label(found, EIGHT)
    assert numbers[200, 200] != numbers[200, 700]
    assert (large & ~found).sum() < 20


def test_marks_up_to_the_border_of_large_regions_count() -> None:
    shape = (700, 1000)
    large = disc(shape, (350, 300), 220) | disc(shape, (350, 700), 220)
    marks = np.zeros(shape, bool)
    marks[350, 80:310] = marks[130:360, 700] = True
    assert large[marks].all()
    found = parted(large, 0.7, marks)
    assert _count(found) == 2
    assert found[marks].all()


def test_every_region_is_parted_for_itself() -> None:
    both = np.concatenate([TWO, np.zeros((5, 130), bool), TWO[:80]])
    found = parted(both, 0.7)
    assert _count(found) == 4
    assert np.array_equal(found[:100], parted(TWO, 0.7))
    marks = np.zeros(both.shape, bool)
    marks[LEFT] = marks[RIGHT] = True
    assert _count(parted(both, 0.7, marks)) == 3


@pytest.mark.parametrize("shape", [(1, 1), (1, 30), (2, 2)])
def test_regions_of_few_pixels_are_parted_or_not(shape: tuple[int, int]) -> None:
    for region in (np.ones(shape, bool), np.zeros(shape, bool)):
        assert np.array_equal(parted(region, 0.7), region)
        assert np.array_equal(parted(region, 0.7, region), region)


def test_only_necks_between_marks_are_cut() -> None:
    assert _count(parted(TWO, 0.7, _marks(LEFT, RIGHT))) == 2
    assert np.array_equal(parted(TWO, 0.7, _marks(LEFT)), TWO)
    assert np.array_equal(parted(TWO, 0.7, _marks(LEFT, (40, 30), (60, 45))), TWO)
    stroke = np.zeros(TWO.shape, bool)
    stroke[50, 35:95] = True
    assert np.array_equal(parted(TWO, 0.7, stroke), TWO)


def test_three_in_a_row_are_parted_between_the_marked_ones() -> None:
    shape = (100, 190)
    centres = [(50, 40), (50, 90), (50, 140)]
    row = np.logical_or.reduce([disc(shape, centre, 30) for centre in centres])
    marks = np.zeros(shape, bool)
    marks[centres[0]] = marks[centres[2]] = True
    assert _count(parted(row, 0.7)) == 3
    found = parted(row, 0.7, marks)
    numbers, count = ndimage.label(found, EIGHT)
    assert count == 2
    assert numbers[centres[0]] != numbers[centres[2]]


def test_a_mark_is_never_cut() -> None:
    line = np.argwhere(TWO & ~parted(TWO, 0.7))
    point = tuple(int(i) for i in line[len(line) // 2])
    marks = _marks(LEFT, RIGHT, point)
    assert parted(TWO, 0.7, marks)[marks].all()


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(15, 65), st.integers(15, 85), st.integers(6, 16)),
        min_size=1,
        max_size=4,
    )
)
def test_parting_takes_away_thin_lines_only(discs: list[tuple[int, int, int]]) -> None:
    region = np.zeros((80, 100), bool)
    for row, column, radius in discs:
        region |= disc(region.shape, (row, column), radius)
    found = parted(region, 0.8)
    assert not (found & ~region).any()
    assert not ndimage.binary_erosion(region & ~found, EIGHT).any()
    assert _count(found) >= _count(region)


def _scene(apart: int) -> tuple[Image, NDArray[np.bool_]]:
    """Two dark discs of radius 40 in speckle, their centres this far apart."""
    shape = (200, 300)
    truth = disc(shape, (100, 150 - apart / 2), 40) | disc(shape, (100, 150 + apart / 2), 40)
    grey = np.where(truth, 0.2, 0.7) + np.random.default_rng(0).normal(0, 0.05, shape)
    return Image((np.clip(grey, 0, 1) * 255).astype(np.uint8)[None], Grid(shape)), truth


@pytest.mark.parametrize("apart", [72, 80])
def test_touching_lesions_that_are_pointed_at_are_two(apart: int) -> None:
    image, truth = _scene(apart)
    left, right = (100, 150 - apart // 2), (100, 150 + apart // 2)
    found = Watershed().segment(image, Prompt(inside=(left, right)))
    lesions = found.lesions()
    assert len(lesions) == 2
    assert {lesion.on(truth.shape)[left] for lesion in lesions} == {True, False}
    assert all(abs(lesion.area_px - truth.sum() / 2) < 0.1 * truth.sum() for lesion in lesions)
    assert found.mask().foreground[[left[0], right[0]], [left[1], right[1]]].all()


def test_touching_lesions_under_one_mark_are_one() -> None:
    image, truth = _scene(76)
    stroke = np.zeros(truth.shape, np.uint8)
    stroke[98:103, 100:200] = 1
    found = Watershed().segment(image, Prompt(scribble=stroke))
    (lesion,) = found.lesions()
    assert dice(lesion.on(truth.shape), truth) > 0.95
    pointed = Prompt(inside=((100, 112), (100, 188)))
    assert len(Watershed().segment(image, pointed).lesions()) == 2
    assert len(Watershed(neck=0).segment(image, pointed).lesions()) == 1


def test_two_points_in_one_lesion_are_one() -> None:
    image, _ = _scene(0)
    prompt = Prompt(inside=((100, 130), (110, 170)))
    assert len(Watershed().segment(image, prompt).lesions()) == 1


def test_touching_lesions_that_are_found_are_two() -> None:
    image, _ = _scene(80)
    assert len(Watershed().segment(image).lesions()) == 2
    assert len(Watershed(neck=0).segment(image).lesions()) == 1


def test_a_box_holds_one_lesion() -> None:
    image, _ = _scene(76)
    box, points = Box.of(60, 72, 140, 228), ((100, 112), (100, 188))
    for prompt in (Prompt(box=box), Prompt(box=box, inside=points)):
        assert len(Watershed().segment(image, prompt).lesions()) == 1


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (2, 2), (40, 70)])
def test_blank_views_of_any_size_are_taken(shape: tuple[int, int]) -> None:
    for trust in (0.0, 0.3):
        seen = view(shape, (0, 0, *shape))
        assert Watershed(box_trust=trust).delineate(seen).shape == shape


def test_where_nothing_is_allowed_there_is_no_marker_and_no_lesion() -> None:
    seen = view(SHAPE, BOX, allowed=np.zeros(SHAPE, bool))
    assert not Watershed().delineate(seen).any()
