"""One box: half-open, valid once constructed."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from breastseg.core.box import Box
from breastseg.core.errors import GeometryError

SHAPE = (7, 9)
index = st.integers(-3, 12)


@st.composite
def boxes(draw) -> Box:
    ends = [sorted((draw(index), draw(index))) for _ in SHAPE]
    return Box(tuple(low for low, _ in ends), tuple(high + 1 for _, high in ends))


def filled(box: Box | None) -> np.ndarray:
    """What a box holds of an array, pixel by pixel."""
    out = np.zeros(SHAPE, bool)
    for place in np.ndindex(SHAPE):
        out[place] = box is not None and all(
            a <= i < b for a, i, b in zip(box.start, place, box.stop, strict=True)
        )
    return out


def test_four_numbers_and_what_they_cut_out() -> None:
    box = Box.of(2, 3, 4, 7)
    row0, column0, row1, column1 = box
    assert (row0, column0, row1, column1) == (2, 3, 4, 7) == box.numbers
    assert (box.shape, box.size, box.ndim, str(box)) == ((2, 4), 8, 2, "(2, 3, 4, 7)")
    array = np.arange(63).reshape(SHAPE)
    assert np.array_equal(array[box.slices], array[2:4, 3:7])
    assert np.array_equal(array[None][box.trailing], array[None, 2:4, 3:7])
    assert box == Box((2, 3), (4, 7)) == Box.from_slices(box.slices)
    assert json.loads(json.dumps(list(box))) == [2, 3, 4, 7]
    assert pickle.loads(pickle.dumps(box)) == box
    assert len({box, Box.of(2, 3, 4, 7)}) == 1
    assert Box.of(1, 2, 3, 4, 5, 6).shape == (3, 3, 3)


def test_numbers_of_numpy_become_plain_ones() -> None:
    box = Box.of(*np.array([1, 2, 3, 4]))
    assert all(type(number) is int for number in box)


@pytest.mark.parametrize(
    "numbers", [(), (1, 2, 3), (2, 2, 2, 4), (3, 0, 2, 4), (0.0, 0, 1, 1), ("0", 0, 1, 1)]
)
def test_what_is_no_box_is_refused(numbers) -> None:
    with pytest.raises(GeometryError, match="box"):
        Box.of(*numbers)


def test_ends_of_different_length_are_refused() -> None:
    with pytest.raises(GeometryError, match="box"):
        Box((0, 0), (1, 1, 1))
    with pytest.raises(GeometryError, match="axes"):
        Box.of(0, 0, 1, 1) & Box.of(0, 1)
    with pytest.raises(GeometryError, match="axes"):
        Box.of(0, 0, 1, 1).shifted(1)


def test_a_box_that_begins_before_the_array_cuts_nothing_in_silence() -> None:
    with pytest.raises(GeometryError, match="within"):
        Box.of(-2, 0, 1, 1).slices  # noqa: B018
    assert Box.of(-2, 0, 1, 1).within(SHAPE) == Box.of(0, 0, 1, 1)
    with pytest.raises(GeometryError, match="box"):
        Box.of(0, 0, 2, 2).padded(-1)


@given(boxes(), boxes())
def test_intersection_and_union_hold_what_they_should(one: Box, other: Box) -> None:
    assert np.array_equal(filled(one & other), filled(one) & filled(other))
    assert one & other == other & one
    union = one | other
    assert union & one == one
    assert union & other == other
    assert union.start == tuple(map(min, one.start, other.start))


@given(boxes())
def test_cut_to_an_array_it_holds_the_same_pixels(box: Box) -> None:
    cut = box.within(SHAPE)
    assert np.array_equal(filled(box), filled(cut))
    assert box.fits(SHAPE) == (cut == box)
    assert Box.around(filled(box)) == cut
    assert box.padded(2).padded(-2) == box == box.shifted(1, -2).shifted(-1, 2)


def test_around_a_mask_of_three_axes() -> None:
    mask = np.zeros((4, 5, 6), bool)
    mask[1, 2, 5] = mask[3, 2, 0] = True
    assert Box.around(mask) == Box.of(1, 2, 0, 4, 3, 6)
    assert Box.around(np.zeros((0, 3), bool)) is None
