"""Open edges are joined, closed and filled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage
from skimage.morphology import disk

from breastseg.classical.canny import canny
from breastseg.classical.edge_linking import EdgeMethod, enclosed, end_points, linked
from breastseg.classical.tidy import opened
from breastseg.classical.view import View
from breastseg.core.parameters import with_values
from breastseg.metrics import dice

from .views import disc, view

Mask = NDArray[np.bool_]

SIDE = 61
SHAPE = (SIDE, SIDE)
CORE = disc(SHAPE, (30, 30), 6)
GROUND = ~disc(SHAPE, (30, 30), 27)
SQUARE = np.zeros(SHAPE, bool)
SQUARE[15:46, 15:46] = True
"""What the frame of `frame` encloses, with the frame."""
NOTHING = np.zeros(SHAPE, bool)


def drawn(*rows: str) -> Mask:
    """Edges from an image, # for an edge pixel."""
    return np.array([[pixel == "#" for pixel in row] for row in rows])


def frame(gap: int = 0) -> Mask:
    """A square one pixel wide with a gap in its right side."""
    edges = SQUARE & ~ndimage.binary_erosion(SQUARE, np.ones((3, 3)))
    edges[30 - gap // 2 : 30 - gap // 2 + gap, 45] = False
    return np.asarray(edges)


def test_end_points_have_one_neighbour() -> None:
    edges = drawn(
        "#......",
        ".#..#..",
        "..##...",
        "..#....",
        "..#....",
        ".......",
        ".....#.",
    )
    # three arms, and a single pixel that leads nowhere
    assert end_points(edges) == [(0, 0), (1, 4), (4, 2)]


def test_a_closed_edge_and_no_edge_have_no_end_points() -> None:
    assert end_points(frame()) == []
    assert end_points(NOTHING) == []
    assert end_points(np.ones((1, 1), bool)) == []


def test_an_edge_that_leaves_the_view_ends_at_its_rim() -> None:
    assert end_points(drawn("#####")) == [(0, 0), (0, 4)]


@pytest.mark.parametrize("gap", [1, 4, 9])
def test_a_gap_is_linked_if_its_ends_are_near_enough(gap: int) -> None:
    longest = gap + 1  # from end point to end point
    assert np.array_equal(linked(frame(gap), longest), frame())
    assert np.array_equal(linked(frame(gap + 2), longest), frame(gap + 2))


def test_no_length_no_line() -> None:
    edges = frame(1)
    same = linked(edges, 0)
    assert np.array_equal(same, edges)
    assert same is not edges


def test_an_end_is_joined_with_the_nearest_one_ahead() -> None:
    edges = np.zeros((30, 40), bool)
    edges[15, :10] = True  # runs out to the right
    edges[8, 11:30] = True  # near, but more above than ahead
    edges[15, 20:30] = True  # straight ahead
    straight = edges.copy()
    straight[15, 10:20] = True
    assert np.array_equal(linked(edges, 12), straight)
    edges[19, 16:30] = True  # nearer still, and ahead
    assert linked(edges, 12)[17, 12:14].any()


def test_edges_beside_each_other_are_not_joined() -> None:
    edges = np.zeros((30, 40), bool)
    edges[10, 5:35] = edges[14, 5:35] = True
    assert np.array_equal(linked(edges, 20), edges)


@pytest.mark.parametrize(("down", "joins"), [(0, True), (8, True), (9, True), (11, False)])
def test_ahead_is_within_60_degrees(down: int, joins: bool) -> None:
    edges = np.zeros((40, 40), bool)
    edges[15, 5:15] = True  # runs out to the right at (15, 14)
    edges[15 + down, 20:30] = True  # six columns on: 60 degrees are 10.4 rows
    assert (np.count_nonzero(linked(edges, 15)) > np.count_nonzero(edges)) == joins


def test_the_direction_is_that_of_the_last_pixels_and_not_of_the_last_step() -> None:
    edges = np.zeros((40, 40), bool)
    edges[15, 5:15] = edges[14, 15] = True  # runs out to the right, with a step up at the end
    edges[19, 12:22] = True  # its right end is 40 degrees down
    joined = linked(edges, 8) & ~edges
    assert joined[16, 17:19].any()


def test_an_edge_is_not_joined_with_its_own_other_end() -> None:
    edges = np.zeros((20, 20), bool)
    edges[10, 8:12] = True
    assert np.array_equal(linked(edges, 60), edges)


def test_what_a_closed_edge_encloses_is_filled() -> None:
    assert np.array_equal(enclosed(frame(), CORE, GROUND, 0), SQUARE)
    circle = cv2.circle(np.zeros(SHAPE, np.uint8), (30, 30), 20, 1) > 0
    filled = np.asarray(ndimage.binary_fill_holes(circle))
    assert np.array_equal(enclosed(circle, CORE, GROUND, 50), filled)


@pytest.mark.parametrize("gap", [1, 3, 7, 12])
def test_a_gap_is_closed_up_to_its_width_and_no_wider(gap: int) -> None:
    region = enclosed(frame(gap), CORE, GROUND, gap)
    assert not (region & ~SQUARE).any()
    missing = SQUARE & ~region
    assert np.array_equal(missing & frame(), frame() & ~frame(gap))
    # worn off is only what is nearer to the gap than half its width
    assert not missing[:, : 45 - (gap + 1) // 2].any()
    assert not enclosed(frame(gap + 2), CORE, GROUND, gap).any()


def test_no_more_is_closed_than_it_takes() -> None:
    needed = enclosed(frame(3), CORE, GROUND, 3)
    assert np.array_equal(enclosed(frame(3), CORE, GROUND, 60), needed)
    whole = enclosed(frame(), CORE, GROUND, 60)
    assert np.array_equal(whole, SQUARE)


def test_an_open_edge_encloses_nothing() -> None:
    half = frame()
    half[:, 20:] = False
    assert not enclosed(half, CORE, GROUND, 10).any()
    assert not enclosed(NOTHING, CORE, GROUND, 60).any()


def test_an_edge_that_leaves_the_view_encloses_nothing() -> None:
    wall = np.zeros(SHAPE, bool)
    wall[:, 15] = wall[:, 45] = True  # beyond the view the ends are free
    assert not enclosed(wall, CORE, NOTHING, 0).any()
    assert enclosed(wall, CORE, NOTHING, 30)[30, 30]


def test_what_has_background_in_it_is_not_enclosed() -> None:
    ground = GROUND.copy()
    ground[20, 20] = True
    assert not enclosed(frame(), CORE, ground, 8).any()
    ground[20, 20] = False
    ground[15, 20] = True  # an edge is no way through
    assert np.array_equal(enclosed(frame(), CORE, ground, 0), SQUARE)


def test_a_fifth_of_the_core_may_be_missed() -> None:
    core = np.zeros(SHAPE, bool)
    core[30, 38:48] = True  # eight of its ten pixels lie within the frame
    assert enclosed(frame(), core, GROUND, 0).any()
    core[30, 47:50] = True
    assert not enclosed(frame(), core, GROUND, 0).any()


def test_without_a_core_nothing_is_enclosed() -> None:
    assert not enclosed(frame(), NOTHING, GROUND, 60).any()


def test_enclosed_counts_only_what_is_wider_than_an_edge() -> None:
    cross = np.zeros(SHAPE, bool)
    cross[30, 10:50] = True
    core = cross & disc(SHAPE, (30, 30), 6)
    assert not enclosed(cross, core, GROUND, 60).any()


def by_hand(edges: Mask, core: Mask, ground: Mask, largest_gap: int) -> Mask:
    """The same by footprints and hole filling, one radius after the other."""
    margin = largest_gap + 2
    wide, background = (np.pad(mask, margin) for mask in (edges, ground))
    background[:margin] = background[-margin:] = True
    background[:, :margin] = background[:, -margin:] = True
    for radius in range((largest_gap + 1) // 2 + 1):
        footprint = disk(radius)
        free = ~ndimage.binary_dilation(wide, footprint)
        reached = ndimage.binary_propagation(background & free, mask=free)
        region = ~ndimage.binary_dilation(reached, footprint)[margin:-margin, margin:-margin]
        if (opened(region, 1) & core).sum() >= 0.8 * core.sum():
            return np.asarray(region)
    return np.zeros_like(edges)


@pytest.mark.parametrize("seed", range(8))
def test_the_least_disc_is_the_one_that_is_found_by_trying_all(seed: int) -> None:
    rng = np.random.default_rng(seed)
    angles = np.sort(rng.uniform(0, 2 * np.pi, 14))
    away = rng.uniform(14, 26, 14)
    corners = np.stack([30 + away * np.cos(angles), 30 + away * np.sin(angles)], axis=1)
    edges = np.zeros(SHAPE, np.uint8)
    cv2.polylines(edges, [np.rint(corners).astype(np.int32)], True, 1)
    holed = (edges > 0) & (ndimage.zoom(rng.random((7, 7)), SIDE / 7, order=0) > 0.2)
    largest = int(rng.integers(5, 40))
    expected = by_hand(holed, CORE, GROUND, largest)
    assert np.array_equal(enclosed(holed, CORE, GROUND, largest), expected)


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (2, 3)])
@pytest.mark.parametrize("fill", [False, True])
def test_views_of_few_pixels_are_survived(shape: tuple[int, int], fill: bool) -> None:
    edges = np.full(shape, fill)
    assert linked(edges, 10).tolist() == edges.tolist()
    region = enclosed(edges, np.ones(shape, bool), np.zeros(shape, bool), 10)
    assert region.shape == shape


@dataclass(frozen=True)
class Strong(EdgeMethod):
    """The crests of whatever is half as strong as the strongest."""

    name: ClassVar[str] = "strong"
    summary: ClassVar[str] = "made up"
    source: ClassVar[str] = "made up"
    weakness: ClassVar[str] = "all"

    def edges(self, vectors: NDArray[np.float32]) -> Mask:
        return canny(vectors, 0.5, 0.5)


LESION = disc(SHAPE, (30, 30), 15)
DARK = np.where(LESION, np.float32(0.2), np.float32(0.7))
SEEN = view(SHAPE, (15, 15, 46, 46), grey=DARK)
OPEN = view(
    SHAPE, (15, 15, 46, 46), grey=np.where(np.indices(SHAPE)[1] < 42, DARK, np.float32(0.2))
)
"""The same with nothing to be seen on its right."""


def region(seen: View, **knobs: float) -> Mask:
    """Of the edges alone, unless told otherwise."""
    plain = Strong(sigma=1.0, box_trust=0.0, linking_px=0, largest_gap=0)
    return with_values(plain, knobs).delineate(seen)


def test_the_region_within_the_edges_is_taken_with_the_edges() -> None:
    filled = region(SEEN)
    assert filled[LESION].all()
    assert not filled[~disc(SHAPE, (30, 30), 18)].any()


def test_an_open_border_gives_no_outline_until_it_is_closed() -> None:
    assert not region(OPEN).any()
    for closed in ({"largest_gap": 30}, {"linking_px": 60}, {"box_trust": 0.9}):
        assert region(OPEN, **closed)[CORE].mean() > 0.8, closed


def test_outward_drops_what_darkens_outwards() -> None:
    bright = view(SHAPE, SEEN.box, grey=1 - DARK)
    assert region(bright, outward=0.0).any()
    assert not region(bright, outward=1.0).any()


def test_focus_drops_edges_far_from_the_ellipse() -> None:
    middle = disc(SHAPE, (30, 30), 8)  # the stronger edge, half a radius off
    grey = np.where(middle, 0.0, np.where(LESION, 0.65, 0.9)).astype(np.float32)
    seen = view(SHAPE, SEEN.box, grey=grey)
    assert dice(region(seen, focus=2.0), middle) > 0.85
    assert dice(region(seen, focus=0.2), LESION) > 0.85


def test_box_trust_draws_the_ellipse_where_nothing_is_seen() -> None:
    blank = view(SHAPE, SEEN.box)
    assert not region(blank).any()
    assert dice(region(blank, box_trust=1.0), SEEN.radius <= 1) > 0.9


def test_where_nothing_is_allowed_nothing_is_wrong() -> None:
    seen = view(SHAPE, SEEN.box, grey=DARK, allowed=NOTHING)
    assert not region(seen).any()  # there is no core to enclose


def test_a_point_that_the_user_called_background_is_not_enclosed() -> None:
    assert region(SEEN).any()
    marked = view(SHAPE, SEEN.box, grey=DARK, outside=((30, 40),))
    assert not region(marked).any()


def test_points_that_the_user_called_lesion_have_to_be_enclosed() -> None:
    beside = tuple((row, column) for row in range(8, 20) for column in range(8, 20))
    assert region(SEEN).any()
    assert not region(view(SHAPE, SEEN.box, grey=DARK, inside=beside)).any()
