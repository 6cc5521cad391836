"""The dark region that was found, or that fits a box."""

from __future__ import annotations

import numpy as np
import pytest

from breastseg.classical.saliency import Saliency
from breastseg.metrics import dice

from .scenes import LESIONS, SHAPE, drawn
from .views import disc, view

BOX = (20, 30, 100, 110)
LESION = disc(SHAPE, (59.5, 69.5), 39)
"""Fills `BOX`."""


def test_where_no_one_points_the_candidates_region_is_taken_as_it_is() -> None:
    found = disc(SHAPE, (60, 60), 11)
    grey = np.where(LESION, 0, 1).astype(np.float32)
    seen = view(SHAPE, BOX, grey=grey, found=found, given=False)
    assert np.array_equal(Saliency().delineate(seen), found)


@pytest.mark.parametrize("cuts", [4, 24, 64])
def test_in_a_box_a_clean_lesion_is_the_region_that_is_taken(cuts: int) -> None:
    grey = np.where(LESION, 0.2, 0.8).astype(np.float32)
    found = Saliency(cuts=cuts).delineate(view(SHAPE, BOX, grey=grey))
    assert dice(found, LESION) > 0.99


@pytest.mark.parametrize("name", LESIONS)
def test_a_dark_shape_in_noise_is_found_in_its_box(name: str) -> None:
    seen = drawn(LESIONS[name], wider=1.0)
    assert dice(Saliency().delineate(seen), LESIONS[name]) > 0.93


@pytest.mark.parametrize("name", ["disc", "ellipse"])
def test_round_shapes_are_found_in_a_box_that_is_too_large(name: str) -> None:
    seen = drawn(LESIONS[name])
    assert dice(Saliency().delineate(seen), LESIONS[name]) > 0.9


def test_of_several_dark_regions_the_one_that_fits_the_ellipse_best_is_taken() -> None:
    beside = np.zeros(SHAPE, bool)
    beside[110:] = True
    spots = disc(SHAPE, (10, 10), 8) | disc(SHAPE, (12, 130), 10)
    grey = np.where(LESION, 0.3, np.where(beside | spots, 0.1, 0.8)).astype(np.float32)
    found = Saliency().delineate(view(SHAPE, BOX, grey=grey))
    assert dice(found, LESION) > 0.99
    assert not (found & (beside | spots)).any()


def test_more_cuts_find_the_level_of_a_lesion_that_few_miss() -> None:
    rows, columns = np.indices(SHAPE)
    slope = (np.hypot(rows - 59.5, columns - 69.5) / 120).astype(np.float32)
    seen = view(SHAPE, BOX, grey=slope)
    agreement = [dice(Saliency(cuts=cuts).delineate(seen), seen.radius <= 1) for cuts in (4, 64)]
    assert agreement[0] < 0.9
    assert agreement[1] > 0.98


def test_opening_cuts_off_a_bridge_to_a_dark_neighbour() -> None:
    bridge = np.zeros(SHAPE, bool)
    bridge[57:62, 105:] = True
    neighbour = np.zeros(SHAPE, bool)
    neighbour[:, 125:] = True
    grey = np.where(LESION | bridge | neighbour, 0.2, 0.8).astype(np.float32)
    seen = view(SHAPE, BOX, grey=grey)
    assert (Saliency(opening=1).delineate(seen) & neighbour).any()
    assert dice(Saliency(opening=4).delineate(seen), LESION) > 0.97


def test_a_region_lies_where_it_may() -> None:
    dark = (68, 74)
    seen = drawn(LESIONS["disc"], outside=(dark,))
    found = Saliency().delineate(seen)
    assert not found[dark]
    assert not found[~seen.allowed].any()


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (7, 3), (30, 40)])
def test_blank_and_tiny_views_are_survived(shape: tuple[int, int]) -> None:
    box = (0, 0, *shape)
    grey = np.random.default_rng(0).random(shape, np.float32)
    nowhere = view(shape, box, grey=grey, allowed=np.zeros(shape, bool))
    assert not Saliency().delineate(nowhere).any()
    for seen in (view(shape, box), view(shape, box, grey=grey)):
        found = Saliency().delineate(seen)
        assert found.shape == shape
        assert found.dtype == bool
