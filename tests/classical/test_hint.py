"""A prompt is cut to the image, refused where it makes no sense, and then obeyed."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from breastseg.classical.finder import Candidate, Finder
from breastseg.classical.hint import Hint, boxes_of
from breastseg.core import Box, Prompt
from breastseg.core.errors import InputError

SHAPE = (30, 40)


def scribble(**labels: tuple[slice, slice]) -> NDArray[np.uint8]:
    marks = np.zeros(SHAPE, np.uint8)
    for name, where in labels.items():
        marks[where] = {"lesion": 1, "background": 2}[name]
    return marks


def test_a_box_is_cut_to_the_image() -> None:
    assert Hint.of(Prompt(box=Box.of(3, 4, 10, 12)), SHAPE).box == Box.of(3, 4, 10, 12)
    assert Hint.of(Prompt(box=Box.of(-9, 35, 99, 99)), SHAPE).box == Box.of(0, 35, 30, 40)


def test_points_and_strokes_mark_pixels() -> None:
    strokes = scribble(lesion=(slice(5, 7), slice(5, 9)), background=(slice(20, 21), slice(0, 40)))
    hint = Hint.of(Prompt(inside=((0, 0),), outside=((29, 39),), scribble=strokes), SHAPE)
    assert hint.box is None
    assert hint.inside.sum() == 9
    assert hint.inside[0, 0]
    assert hint.outside.sum() == 41
    assert hint.outside[29, 39]


@pytest.mark.parametrize(
    ("prompt", "needle"),
    [
        (Prompt(box=Box.of(30, 0, 35, 9)), "box .* within an image of 30 rows and 40 columns"),
        (Prompt(box=Box.of(-5, 0, 0, 9)), "box"),
        (Prompt(inside=((30, 0),)), r"point \(30, 0\). Expected: within an image of 30 rows"),
        (Prompt(inside=((0, -1),)), r"point \(0, -1\)"),
        (Prompt(inside=((1, 1),), outside=((1, 40),)), r"point \(1, 40\)"),
        (Prompt(inside=((1, 1),), outside=((1, 1),)), "lesion and background"),
        (Prompt(outside=((1, 1),)), "only where the lesion is not"),
        (Prompt(scribble=np.zeros(SHAPE, np.uint8)), "only where the lesion is not"),
        (
            Prompt(scribble=np.ones((3, 3), np.uint8)),
            r"scribble of shape \(3, 3\). Expected: \(30, 40\)",
        ),
    ],
)
def test_a_prompt_that_does_not_fit_is_refused_in_one_line(prompt: Prompt, needle: str) -> None:
    with pytest.raises(InputError, match=needle) as refused:
        Hint.of(prompt, SHAPE)
    assert "\n" not in str(refused.value)


def test_a_box_needs_no_point_and_may_come_with_background() -> None:
    hint = Hint.of(Prompt(box=Box.of(0, 0, 9, 9), outside=((1, 1),)), SHAPE)
    assert not hint.inside.any()
    assert hint.outside[1, 1]


def test_an_outline_is_held_to_what_the_user_said() -> None:
    hint = Hint.of(
        Prompt(box=Box.of(5, 5, 15, 20), inside=((6, 6), (25, 30)), outside=((10, 10),)), SHAPE
    )
    everything, nothing = np.ones(SHAPE, bool), np.zeros(SHAPE, bool)
    held = hint.applied(everything)
    expected = nothing.copy()
    expected[5:15, 5:20] = True
    expected[10, 10], expected[25, 30] = False, True
    assert np.array_equal(held, expected)
    assert np.argwhere(hint.applied(nothing)).tolist() == [[6, 6], [25, 30]]
    assert everything.all()
    assert not nothing.any()


def test_what_was_given_is_said_in_words() -> None:
    prompt = Prompt(box=Box.of(1, 2, 9, 9), inside=((3, 3), (4, 4)), outside=((8, 8),))
    assert Hint.of(prompt, SHAPE).described == (
        "prompt: box (1, 2, 9, 9), 2 pixels called lesion, 1 pixels called background"
    )
    assert Hint.of(Prompt(inside=((3, 3),)), SHAPE).described == "prompt: 1 pixels called lesion"


def test_the_box_that_was_drawn_is_the_one_to_look_in() -> None:
    hint = Hint.of(Prompt(box=Box.of(5, 5, 15, 20), inside=((6, 6),)), SHAPE)
    assert list(boxes_of(hint, Finder(), np.zeros(SHAPE, np.float32))) == [Box.of(5, 5, 15, 20)]


def test_where_nothing_is_found_there_is_a_box_around_every_point() -> None:
    hint = Hint.of(Prompt(inside=((0, 0), (15, 20), (16, 21))), SHAPE)
    blank = np.zeros(SHAPE, np.float32)
    # 0.15 of the shorter side to each direction, cut at the edge; points that touch are one
    assert list(boxes_of(hint, Finder(), blank)) == [Box.of(0, 0, 5, 5), Box.of(11, 16, 21, 26)]


class Knowing(Finder):
    """Knows of one candidate, in the lower right quarter."""

    def at(self, dark: NDArray[np.float32], marks: NDArray[np.bool_]) -> Candidate | None:
        if not marks[15:, 20:].any():
            return None
        return Candidate(Box.of(16, 22, 28, 38), 0.9, np.ones((3, 4), bool))


def test_where_a_candidate_is_pointed_at_its_box_is_taken() -> None:
    hint = Hint.of(Prompt(inside=((2, 2), (20, 30))), SHAPE)
    blank = np.zeros(SHAPE, np.float32)
    assert list(boxes_of(hint, Knowing(), blank)) == [Box.of(0, 0, 7, 7), Box.of(16, 22, 28, 38)]
