import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from breastseg.core.errors import InputError
from breastseg.metrics import LesionMatch, match_lesions
from breastseg.metrics.lesionwise import taken

from .shapes import empty, few, full, mask, pairs, pixel


def test_by_hand() -> None:
    outline = mask(
        "##......",
        "##....#.",
        "........",
        "...#....",
    )
    truth = mask(
        "##......",
        "#.......",
        ".....###",
        ".....###",
    )
    # The first lesion is met with 3/4, the second by nothing; two outlines meet no lesion.
    match = match_lesions(outline, truth)
    assert match == LesionMatch(true_lesions=2, found=1, regions=3, false_positives=2)
    assert match.sensitivity == 0.5
    assert match_lesions(outline, truth, 0.75).found == 1
    assert match_lesions(outline, truth, 0.76).found == 0


def test_a_corner_joins() -> None:
    diagonal = mask("#.", ".#")
    assert match_lesions(diagonal, diagonal) == LesionMatch(1, 1, 1, 0)


def test_an_outline_of_everything_finds_nothing() -> None:
    match = match_lesions(full((20, 20)), pixel((20, 20), 3, 3))
    assert match == LesionMatch(true_lesions=1, found=0, regions=1, false_positives=1)


def test_one_outline_over_two_lesions_finds_one() -> None:
    match = match_lesions(mask("#####"), mask("##.##"))
    assert match == LesionMatch(true_lesions=2, found=1, regions=1, false_positives=0)


def test_a_second_outline_on_a_lesion_is_neither_found_nor_false() -> None:
    match = match_lesions(mask("##.##...#"), mask("#####...."))
    assert match == LesionMatch(true_lesions=1, found=1, regions=3, false_positives=1)


def test_the_larger_overlap_is_taken_first() -> None:
    # the first outline hits both lesions with 2/6 and 3/6; the second the second one with 1/3
    outline, truth = mask("######.#"), mask("##.###.#")
    assert match_lesions(outline, truth).found == 2
    hits = np.array([0, 0, 1]), np.array([0, 1, 1]), np.array([0.3, 0.5, 0.4])
    assert taken(*hits).tolist() == [False, True, False]
    assert taken(*hits, np.array([0.1, 0.1, 0.9])).tolist() == [True, False, True]


def test_empty_masks() -> None:
    nothing, spot = empty((5, 5)), pixel((5, 5), 4, 4)
    assert match_lesions(nothing, nothing) == LesionMatch(0, 0, 0, 0)
    assert match_lesions(spot, nothing) == LesionMatch(0, 0, 1, 1)
    assert match_lesions(nothing, spot) == LesionMatch(1, 0, 0, 0)
    assert math.isnan(match_lesions(spot, nothing).sensitivity)
    assert match_lesions(spot, spot) == LesionMatch(1, 1, 1, 0)


@few
@given(pairs, st.floats(0.01, 1), st.floats(0.01, 1))
def test_properties(pair, strict, lax) -> None:
    outline, truth = pair
    match = match_lesions(outline, truth, strict)
    assert 0 <= match.found <= match.true_lesions
    assert 0 <= match.false_positives <= match.regions
    assert match.found <= match.regions - match.false_positives
    assert match_lesions(truth, outline, strict).found == match.found
    if lax <= strict:
        assert match_lesions(outline, truth, lax).found >= match.found
    own = match_lesions(truth, truth, 1)
    assert (own.found, own.false_positives) == (own.true_lesions, 0)


@pytest.mark.parametrize("min_iou", [0, -0.1, 1.1, math.nan])
def test_refuses_a_bound_out_of_range(min_iou) -> None:
    with pytest.raises(InputError, match="above 0 to 1"):
        match_lesions(full((2, 2)), full((2, 2)), min_iou)
