import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage.measure import label, regionprops

from breastseg.core.errors import GeometryError, InputError
from breastseg.measure import Diameter, diameters

few = settings(max_examples=40, deadline=None, derandomize=True)
regions = st.tuples(st.integers(1, 12), st.integers(1, 12)).flatmap(lambda s: arrays(bool, s))


def ellipse(shape, centre, radii, angle=0.0):
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    rows, columns = rows - centre[0], columns - centre[1]
    along = rows * math.cos(angle) + columns * math.sin(angle)
    across = columns * math.cos(angle) - rows * math.sin(angle)
    return (along / radii[0]) ** 2 + (across / radii[1]) ** 2 <= 1


def all_corners(region) -> np.ndarray:
    moves = np.array([(a, b) for a in (-0.5, 0.5) for b in (-0.5, 0.5)])
    return (np.argwhere(region)[:, None] + moves).reshape(-1, 2)


def check_line(line: Diameter, spacing=(1.0, 1.0)) -> np.ndarray:
    """A line is as long as its ends are apart; returns its direction."""
    (row_a, column_a), (row_b, column_b) = line.ends
    direction = np.array([(row_b - row_a) * spacing[0], (column_b - column_a) * spacing[1]])
    assert np.hypot(*direction) == pytest.approx(line.length)
    return direction


def test_a_single_pixel_has_its_diagonal() -> None:
    region = np.zeros((3, 4), bool)
    region[1, 2] = True
    longest, across = diameters(region)
    assert longest == Diameter(math.sqrt(2), ((0.5, 1.5), (1.5, 2.5)))
    assert across.length == pytest.approx(math.sqrt(2))
    assert across.ends == (pytest.approx((0.5, 2.5)), pytest.approx((1.5, 1.5)))


def test_a_rectangle_by_hand() -> None:
    region = np.zeros((10, 10), bool)
    region[2:5, 4:8] = True  # 3 x 4, diagonal 5
    longest, across = diameters(region)
    assert longest == Diameter(5, ((1.5, 3.5), (4.5, 7.5)))
    # At a right angle to a diagonal through a corner: 3 * 5 / 4, from side to side.
    assert across.length == pytest.approx(3.75)


def test_a_rectangle_of_unequal_spacing_by_hand() -> None:
    region = np.zeros((10, 10), bool)
    region[2:5, 4:8] = True
    longest, across = diameters(region, (0.5, 2.0))  # 1.5 x 8
    assert longest.length == pytest.approx(math.hypot(1.5, 8))
    assert across.length == pytest.approx(1.5 * math.hypot(1.5, 8) / 8)
    assert longest.ends == ((1.5, 3.5), (4.5, 7.5))


def test_a_triangle_by_hand() -> None:
    staircase = np.tril(np.ones((6, 6), bool))
    longest, across = diameters(staircase)
    assert longest.length == pytest.approx(6 * math.sqrt(2))
    assert longest.ends == ((-0.5, -0.5), (5.5, 5.5))
    # From the right angle's corner to the edge of the staircase, one step beyond the diagonal.
    assert across.length == pytest.approx(6 / math.sqrt(2) + 1 / math.sqrt(2))


@pytest.mark.parametrize("angle", [0, 0.3, math.pi / 4, 1.2, math.pi / 2])
def test_an_ellipse_at_any_angle(angle) -> None:
    longest, across = diameters(ellipse((300, 300), (150, 140), (100, 60), angle))
    assert longest.length == pytest.approx(200, abs=1.6)
    assert across.length == pytest.approx(120, abs=2.5)
    direction = check_line(longest)
    assert abs(direction @ [math.cos(angle), math.sin(angle)]) / 200 == pytest.approx(1, abs=0.01)


def test_a_disc_of_unequal_spacing() -> None:
    longest, across = diameters(ellipse((200, 400), (100, 200), (50, 100)), (0.2, 0.1))
    assert longest.length == pytest.approx(20, abs=0.3)
    assert across.length == pytest.approx(20, abs=0.3)


@few
@given(regions)
def test_longest_agrees_with_every_pair_of_corners(region) -> None:
    assume(region.any())
    corners = all_corners(region)
    apart = np.hypot(*(corners[:, None] - corners).transpose(2, 0, 1)).max()
    assert diameters(region)[0].length == pytest.approx(apart)


@pytest.mark.parametrize("seed", range(5))
def test_longest_agrees_with_scikit_image_to_half_a_pixel_an_end(seed) -> None:
    noise = np.random.default_rng(seed).random((40, 50))
    region = ellipse((40, 50), (20, 25), (15, 20)) & (noise > 0.3)
    (properties,) = regionprops(region.astype(np.uint8))
    # Its hull is filled with whole pixels and runs through the middles of their sides.
    difference = diameters(region)[0].length - properties.feret_diameter_max
    assert abs(difference) <= 1


@few
@given(regions, st.floats(0.05, 20), st.floats(0.05, 20))
def test_properties(region, row_step, column_step) -> None:
    assume(region.any())
    spacing = (row_step, column_step)
    before = region.copy()
    longest, across = diameters(region, spacing)
    first, second = check_line(longest, spacing), check_line(across, spacing)
    assert first @ second == pytest.approx(0, abs=1e-6 * longest.length**2)
    assert 0 < across.length <= longest.length * (1 + 1e-9)
    rows, columns = np.nonzero(region)
    for row, column in (*longest.ends, *across.ends):
        assert rows.min() - 0.5 - 1e-9 <= row <= rows.max() + 0.5 + 1e-9
        assert columns.min() - 0.5 - 1e-9 <= column <= columns.max() + 0.5 + 1e-9
    tripled = diameters(region, (3 * row_step, 3 * column_step))
    assert tripled[0].length == pytest.approx(3 * longest.length)
    turned = diameters(np.rot90(region), (column_step, row_step))
    assert turned[0].length == pytest.approx(longest.length)
    assert np.array_equal(region, before)


@few
@given(regions)
def test_perpendicular_is_the_widest_place(region) -> None:
    """Walk along the longest diameter and clip the line across it to the hull's half planes."""
    from scipy.spatial import ConvexHull

    assume(region.any())
    longest, across = diameters(region)
    corners = all_corners(region)
    planes = ConvexHull(corners).equations
    start, end = np.array(longest.ends)
    aside = np.array([start[1] - end[1], end[0] - start[0]]) / longest.length
    widest = 0.0
    for fraction in np.linspace(0, 1, 201):
        foot = start + fraction * (end - start)
        slope, level = planes[:, :2] @ aside, planes[:, :2] @ foot + planes[:, 2]
        rising, falling = slope > 1e-12, slope < -1e-12
        high = (-level[rising] / slope[rising]).min()
        low = (-level[falling] / slope[falling]).max()
        widest = max(widest, high - low)
    assert widest <= across.length + 1e-9
    assert across.length <= widest * 1.06 + 1e-9


def test_touching_all_borders_and_several_parts() -> None:
    longest, across = diameters(np.ones((30, 40), bool))
    assert longest.length == pytest.approx(50)
    assert longest.ends == ((-0.5, -0.5), (29.5, 39.5))
    parts = np.zeros((10, 10), bool)
    parts[0, 0] = parts[9, 9] = True
    assert label(parts).max() == 2
    assert diameters(parts)[0].length == pytest.approx(10 * math.sqrt(2))
    assert across.length == pytest.approx(37.5)


def test_refuses_what_cannot_be_measured() -> None:
    with pytest.raises(InputError, match="at least one pixel"):
        diameters(np.zeros((4, 4), bool))
    with pytest.raises(GeometryError, match="two axes"):
        diameters(np.ones((4, 4, 4), bool))
    for spacing in ((1.0,), (1.0, 0.0), (math.inf, 1.0)):
        with pytest.raises(GeometryError, match="two values above 0"):
            diameters(np.ones((4, 4), bool), spacing)
