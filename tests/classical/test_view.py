"""A view shows a lesion at one size, whatever its size in the image, and knows the way back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from breastseg.classical.view import SIDE_PX, Window
from breastseg.core import Box

from .views import disc, view


def test_the_longer_side_of_the_box_gets_the_common_size() -> None:
    window = Window.around(Box.of(40, 50, 60, 90), (200, 300), 0.25)
    assert window.part == Box.of(30, 40, 70, 100)
    assert window.size == (96, 144)  # 2.4 times
    assert window.box_in_view(Box.of(40, 50, 60, 90)) == Box.of(24, 24, 72, 120)


def test_a_window_ends_with_the_image() -> None:
    window = Window.around(Box.of(0, 90, 40, 100), (50, 100), 0.5)
    assert window.part == Box.of(0, 70, 50, 100)
    assert window.size == (120, 72)
    assert window.box_in_view(Box.of(0, 90, 40, 100)) == Box.of(0, 48, 96, 72)


def test_single_pixels_are_not_blown_up() -> None:
    window = Window.around(Box.of(10, 10, 11, 12), (50, 50), 0.3)
    assert window.part == Box.of(8, 8, 13, 14)
    assert window.size == (20, 24)


@st.composite
def boxes(draw: st.DrawFn) -> tuple[tuple[int, int], Box, float]:
    image = draw(st.tuples(st.integers(1, 1500), st.integers(1, 1500)))
    row0, column0 = (draw(st.integers(0, n - 1)) for n in image)
    row1 = draw(st.integers(row0 + 1, image[0]))
    column1 = draw(st.integers(column0 + 1, image[1]))
    return image, Box.of(row0, column0, row1, column1), draw(st.floats(0.05, 1))


@given(boxes())
def test_a_box_lies_within_its_window_and_its_view(
    given: tuple[tuple[int, int], Box, float],
) -> None:
    image, box, margin = given
    window = Window.around(box, image, margin)
    part, inner = window.part, window.box_in_view(box)
    assert part.fits(image)
    assert part & box == box
    assert inner.fits(window.size)
    assert max(inner.shape) <= SIDE_PX + 1


def test_what_is_pasted_lies_where_it_was_cut() -> None:
    rows, columns = np.indices((120, 160))
    smooth = (rows + 2 * columns).astype(np.float32)
    window = Window.around(Box.of(40, 60, 90, 110), smooth.shape, 0.2)
    back = window.paste(window.cut(smooth))
    row0, column0, row1, column1 = window.part
    inner = slice(row0 + 2, row1 - 2), slice(column0 + 2, column1 - 2)
    assert np.allclose(back[inner], smooth[inner], atol=0.1)
    back[row0:row1, column0:column1] = 0
    assert not back.any()


def test_no_mark_is_lost_by_shrinking() -> None:
    window = Window.around(Box.of(100, 100, 900, 900), (1000, 1000), 0.1)
    marks = np.zeros((1000, 1000), bool)
    marks[500, 500] = marks[979, 979] = marks[20, 20] = True
    small = window.cut_marks(marks)
    assert window.part == Box.of(20, 20, 980, 980)
    assert sorted(zip(*np.nonzero(small), strict=True)) == [(0, 0), (57, 57), (114, 114)]
    marks[:] = False
    marks[5, 5] = True  # outside of the window
    assert not window.cut_marks(marks).any()


def test_radius_is_one_on_the_inscribed_ellipse() -> None:
    seen = view((7, 11), (1, 2, 6, 9))
    assert seen.radius[3, 5] == 0
    assert seen.radius[3, 2] == pytest.approx(3 / 3.5)  # a pixel's centre, half a pixel inside
    assert seen.radius[1, 5] == pytest.approx(2 / 2.5)
    assert seen.radius[0, 0] == pytest.approx(np.hypot(3 / 2.5, 5 / 3.5))
    assert np.array_equal(seen.radius, seen.radius[::-1, ::-1])


def test_the_core_is_the_middle_of_the_box_and_what_the_user_says() -> None:
    seen = view((40, 40), (10, 10, 30, 30), inside=((2, 3),), outside=((20, 20),))
    expected = disc((40, 40), (19.5, 19.5), 4)
    expected[2, 3], expected[20, 20] = True, False
    assert np.array_equal(seen.core, expected)


def test_the_core_keeps_to_what_is_allowed_and_has_a_pixel_at_least() -> None:
    allowed = np.zeros((40, 40), bool)
    allowed[30:35, 20:25] = True
    core = view((40, 40), (10, 10, 30, 30), allowed=allowed).core
    assert np.argwhere(core).tolist() == [[30, 20]]
    assert not view((40, 40), (10, 10, 30, 30), allowed=np.zeros((40, 40), bool)).core.any()
    assert view((1, 1), (0, 0, 1, 1)).core.all()


def test_the_core_of_a_region_that_was_found_is_its_innermost_part() -> None:
    found = np.zeros((40, 60), bool)
    found[5:25, 10:50] = True  # its deepest pixels are 10 from the border
    core = view((40, 60), (5, 10, 25, 50), found=found, given=False).core
    assert np.array_equal(core, ndimage.distance_transform_edt(found) >= 5)


def test_the_ground_is_what_lies_outside_of_the_box_and_its_corners() -> None:
    seen = view((40, 40), (10, 10, 30, 30), inside=((1, 1),), outside=((20, 20),))
    ground = seen.ground
    assert not ground[1, 1]
    assert ground[20, 20]
    ground = ground.copy()
    ground[1, 1], ground[20, 20] = True, False
    box = np.zeros((40, 40), bool)
    box[10:30, 10:30] = True
    assert np.array_equal(ground, ~box | ~disc((40, 40), (19.5, 19.5), 12.5))


def test_the_ground_of_a_box_that_fills_the_view_is_in_its_corners_or_its_rim() -> None:
    assert view((40, 40), (0, 0, 40, 40)).ground[0, 0]
    # so flat that no corner is far from the ellipse
    seen = view((2, 9), (0, 0, 2, 9))
    assert seen.ground.any()
    assert not (seen.ground & seen.core).any()
    assert not view((1, 1), (0, 0, 1, 1)).ground.any()


def test_far_from_a_region_that_was_found_is_ground() -> None:
    found = disc((80, 80), (30, 30), 8)
    seen = view((80, 80), (0, 0, 80, 80), found=found, given=False)
    far = ndimage.distance_transform_edt(~found) > 12
    assert np.array_equal(seen.ground, far | (seen.radius > 1.25))


def test_core_and_ground_share_no_pixel_even_where_the_deepest_part_lies_in_a_corner() -> None:
    found = disc((80, 80), (7, 7), 6)
    found[40:42, :] = True
    found[:, 40:42] = True
    seen = view((80, 80), (2, 2, 80, 80), found=found, given=False)
    assert seen.core[5, 5]
    assert seen.radius[5, 5] > 1.25
    assert not (seen.core & seen.ground).any()
    lost = view((80, 80), (10, 10, 70, 70), found=np.zeros((80, 80), bool), given=False)
    assert lost.core.sum() == 1
    assert np.array_equal(lost.ground, ~lost.core)
