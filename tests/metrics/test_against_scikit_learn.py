"""Overlap held against scikit-learn, which counts the same pixels as a classifier's answers.

Its empty-mask convention is an argument, `zero_division`: what a ratio without a denominator is.
EMPTY_RULE says 1 where both masks are empty and 0 where one is, so the argument follows the pair.
The specificity of an image without background is 1 here.
"""

import numpy as np
import pytest

from breastseg.metrics import confusion, dice, f1, iou, precision, recall, specificity

from .shapes import EMPTY, FILLED

sklearn = pytest.importorskip("sklearn.metrics")
ALL = EMPTY | FILLED


@pytest.mark.parametrize("name", ALL)
def test_the_counts_are_the_confusion_matrix(name) -> None:
    outline, truth = ALL[name]
    matrix = sklearn.confusion_matrix(truth.ravel(), outline.ravel(), labels=[False, True])
    counts = confusion(outline, truth)
    assert matrix.tolist() == [
        [counts.true_negative, counts.false_positive],
        [counts.false_negative, counts.true_positive],
    ]


@pytest.mark.parametrize("name", ALL)
def test_the_ratios_agree(name) -> None:
    outline, truth = ALL[name]
    told = {"y_true": truth.ravel(), "y_pred": outline.ravel()}
    rule = 0.0 if outline.any() or truth.any() else 1.0
    for ours, theirs in {
        dice: sklearn.f1_score,
        f1: sklearn.f1_score,
        iou: sklearn.jaccard_score,
        precision: sklearn.precision_score,
        recall: sklearn.recall_score,
    }.items():
        expected = theirs(**told, zero_division=rule)
        assert ours(outline, truth) == pytest.approx(expected, rel=1e-14, abs=0), theirs
    background = sklearn.recall_score(**told, pos_label=False, zero_division=1.0)
    assert specificity(outline, truth) == pytest.approx(background, rel=1e-14, abs=0)


def test_the_f1_of_both_empty_is_the_only_one_that_the_rule_must_settle() -> None:
    """Where one mask is empty, scikit-learn's F1 and Jaccard are 0 without being told."""
    nothing, something = np.zeros(4, bool), np.ones(4, bool)
    for pair in ((nothing, something), (something, nothing)):
        assert sklearn.f1_score(*pair) == sklearn.jaccard_score(*pair) == dice(*pair) == 0
