"""GrabCut learns both sides' colours, keeps to what is certain and draws the same every time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from breastseg.classical.grab_cut import GrabCut, grab_cut
from breastseg.metrics import dice

from .views import disc, view

SHAPE, BOX = (90, 110), (15, 20, 75, 90)
ELLIPSE = view(SHAPE, BOX).radius <= 1
RNG = np.random.default_rng(0)
DISC = disc(SHAPE, (45, 55), 22)
CORE, GROUND = disc(SHAPE, (45, 55), 6), ~ELLIPSE
NONE = np.zeros(SHAPE, bool)


def _speckle(lesion: NDArray[np.bool_], noise: float = 0.08) -> NDArray[np.float32]:
    grey = np.where(lesion, 0.3, 0.7) + RNG.normal(0, noise, lesion.shape)
    return np.asarray(grey.clip(0, 1), np.float32)


def _channels(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.stack([grey] * 3, axis=-1)


GREY = _speckle(DISC)


def test_a_disc_in_speckle_is_found_from_a_guess_that_is_too_large() -> None:
    found = grab_cut(_channels(GREY), CORE, GROUND, ELLIPSE, 4)
    assert found.dtype == bool
    assert dice(found, DISC) > 0.98


def test_what_is_certain_stays() -> None:
    bright = disc(SHAPE, (20, 100), 4)
    dark = disc(SHAPE, (45, 70), 3)
    found = grab_cut(_channels(GREY), CORE | bright, (GROUND | dark) & ~bright, ELLIPSE, 2)
    assert found[bright].all()
    assert not found[dark].any()


def test_where_a_pixel_is_called_both_it_is_lesion() -> None:
    assert grab_cut(_channels(GREY), CORE, GROUND | CORE, ELLIPSE, 1)[CORE].all()


@pytest.mark.parametrize("lesion", [True, False])
def test_with_one_side_only_there_is_nothing_to_learn(lesion: bool) -> None:
    guess = np.full(SHAPE, lesion)
    assert np.array_equal(grab_cut(_channels(GREY), NONE, NONE, guess, 3), guess)


def test_no_thread_and_no_earlier_draw_changes_the_outline() -> None:
    channels = RNG.random((*SHAPE, 3)).astype(np.float32)

    def outline(seed: int) -> NDArray[np.bool_]:
        cv2.setRNGSeed(seed)
        return grab_cut(channels, CORE, GROUND, ELLIPSE, 2)

    first = outline(1)
    with ThreadPoolExecutor(4) as pool:
        assert all(np.array_equal(one, first) for one in pool.map(outline, range(8)))


def test_the_input_is_left_as_it_is() -> None:
    channels, core, ground, guess = _channels(GREY), CORE.copy(), GROUND.copy(), ELLIPSE.copy()
    for array in (channels, core, ground, guess):
        array.flags.writeable = False
    grab_cut(channels, core, ground, guess, 1)
    GrabCut().delineate(view(SHAPE, BOX, grey=channels[..., 0]))


def test_a_dark_ellipse_in_speckle_is_outlined() -> None:
    seen = view(SHAPE, BOX, grey=_speckle(ELLIPSE))
    assert dice(GrabCut().delineate(seen), ELLIPSE) > 0.97


def test_position_draws_the_ellipse_where_grey_levels_say_nothing() -> None:
    seen = view(SHAPE, BOX, grey=_speckle(NONE, 0.2))
    scores = [dice(GrabCut(position=p).delineate(seen), ELLIPSE) for p in (0, 2)]
    assert scores[0] < 0.5
    assert scores[1] > 0.9


def test_smoothing_tells_lesion_from_background_in_strong_speckle() -> None:
    seen = view(SHAPE, BOX, grey=_speckle(DISC, 0.35))
    scores = [dice(GrabCut(position=0, blur_px=blur).delineate(seen), DISC) for blur in (0.5, 3)]
    assert scores[1] > scores[0] + 0.01


def test_a_larger_first_guess_gives_a_larger_lesion_where_grey_levels_say_nothing() -> None:
    seen = view(SHAPE, BOX, grey=_speckle(NONE, 0.2))
    sizes = [int(GrabCut(likely=size).delineate(seen).sum()) for size in (0.6, 0.9, 1.2)]
    assert sizes[0] < sizes[1] < sizes[2]


def test_iterations_go_on_from_where_the_last_one_has_come() -> None:
    channels = np.stack([_speckle(DISC, 0.3) for _ in range(3)], axis=-1)
    outlines = [grab_cut(channels, CORE, GROUND, ELLIPSE, n) for n in (1, 3)]
    marks = np.where(GROUND, cv2.GC_BGD, cv2.GC_PR_FGD).astype(np.uint8)
    marks[CORE] = cv2.GC_FGD
    levels, models = np.round(channels * 255).astype(np.uint8), np.zeros((2, 1, 65))
    cv2.setRNGSeed(0)
    for mode in (cv2.GC_INIT_WITH_MASK, cv2.GC_EVAL, cv2.GC_EVAL):
        cv2.grabCut(levels, marks, None, models[0], models[1], 1, mode)
    assert np.array_equal(outlines[1], marks % 2 == 1)
    assert not np.array_equal(outlines[0], outlines[1])


def test_the_users_points_are_certain() -> None:
    seen = view(SHAPE, BOX, grey=GREY, inside=((20, 25),), outside=((45, 62),))
    found = GrabCut().delineate(seen)
    assert found[20, 25]
    assert not found[45, 62]


@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (2, 1), (1, 30), (30, 1), (7, 60), (3, 3)])
def test_small_and_thin_views_are_delineated(shape: tuple[int, int]) -> None:
    for box in ((0, 0, 1, 1), (0, 0, *shape)):
        for allowed in (np.ones(shape, bool), np.zeros(shape, bool)):
            assert GrabCut().delineate(view(shape, box, allowed=allowed)).shape == shape
