import numpy as np
import pytest
from hypothesis import given

from breastseg.core.errors import GeometryError, InputError
from breastseg.metrics import confusion, dice, f1, iou, precision, recall, specificity

from .shapes import empty, few, full, mask, pairs, pixel

OUTLINE = mask("##..", "##..", "##..")
TRUTH = mask(".##.", ".##.", "....")


def test_by_hand() -> None:
    counts = confusion(OUTLINE, TRUTH)
    assert (counts.true_positive, counts.false_positive) == (2, 4)
    assert (counts.false_negative, counts.true_negative) == (2, 4)
    assert dice(OUTLINE, TRUTH) == f1(OUTLINE, TRUTH) == 4 / 10
    assert iou(OUTLINE, TRUTH) == 2 / 8
    assert precision(OUTLINE, TRUTH) == 2 / 6
    assert recall(OUTLINE, TRUTH) == 2 / 4
    assert specificity(OUTLINE, TRUTH) == 4 / 8


@pytest.mark.parametrize(
    ("outline", "truth", "overlap", "background"),
    [
        (empty((4, 5)), empty((4, 5)), 1, 1),
        (empty((4, 5)), full((4, 5)), 0, 1),
        (full((4, 5)), empty((4, 5)), 0, 0),
        (empty((4, 5)), pixel((4, 5), 0, 0), 0, 1),
        (pixel((4, 5), 3, 4), empty((4, 5)), 0, 19 / 20),
        (full((4, 5)), full((4, 5)), 1, 1),
        (pixel((4, 5), 0, 4), pixel((4, 5), 0, 4), 1, 1),
    ],
)
def test_empty_and_full(outline, truth, overlap, background) -> None:
    for metric in (dice, iou, precision, recall, f1):
        assert metric(outline, truth) == overlap
    assert specificity(outline, truth) == background


@few
@given(pairs)
def test_properties(pair) -> None:
    outline, truth = pair
    before = outline.copy(), truth.copy()
    counts = confusion(outline, truth)
    total = counts.true_positive + counts.false_positive + counts.false_negative
    assert total + counts.true_negative == truth.size
    values = [counts.dice, counts.iou, counts.precision, counts.recall, counts.specificity]
    assert all(0 <= value <= 1 for value in values)
    assert counts.dice == dice(truth, outline)
    assert precision(outline, truth) == recall(truth, outline)
    assert counts.dice == pytest.approx(2 * counts.iou / (1 + counts.iou))
    assert dice(truth, truth) == 1
    assert (counts.dice == 1) == bool(np.array_equal(outline, truth))
    if counts.true_positive:
        p, r = counts.precision, counts.recall
        assert counts.f1 == pytest.approx(2 * p * r / (p + r))
    assert np.array_equal(outline, before[0])
    assert np.array_equal(truth, before[1])


def test_refuses_what_is_no_pair_of_masks() -> None:
    with pytest.raises(InputError, match="threshold"):
        dice(OUTLINE.astype(np.float32), TRUTH)  # type: ignore[arg-type]
    with pytest.raises(GeometryError, match="one shape"):
        dice(OUTLINE, TRUTH[:2])
