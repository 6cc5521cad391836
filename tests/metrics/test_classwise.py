"""Kinds of lesion told apart: by hand, and against scikit-learn."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breastseg.core.errors import GeometryError, InputError
from breastseg.metrics.classwise import (
    area_under_curve,
    class_confusion,
    pooled,
)

NAMES = ("benign", "malignant")
TRUTH = np.array([[0, 0, 1, 1], [0, 2, 2, 2]])
CALLED = np.array([[0, 1, 1, 2], [0, 2, 2, 0]])

seeds = given(seed=st.integers(0, 10_000))
few = settings(max_examples=30, deadline=None, derandomize=True)


def test_counts_by_hand() -> None:
    counts = class_confusion(CALLED, TRUTH, NAMES)
    assert counts.counts.tolist() == [[2, 1, 0], [0, 1, 1], [1, 0, 2]]
    assert counts.dice("benign") == pytest.approx(2 / 4)
    assert counts.iou("benign") == pytest.approx(1 / 3)
    assert counts.dice("malignant") == pytest.approx(4 / 6)
    assert counts.iou("malignant") == pytest.approx(2 / 4)
    assert (counts.lesion_pixels, counts.right_pixels) == (5, 3)


def test_the_empty_rules() -> None:
    nothing, benign = np.zeros(4, int), np.array([0, 1, 1, 0])
    none = class_confusion(nothing, nothing, NAMES)
    assert none.dice("benign") == none.iou("malignant") == 1
    assert (none.lesion_pixels, none.right_pixels) == (0, 0)
    missed = class_confusion(nothing, benign, NAMES)
    assert missed.dice("benign") == missed.iou("benign") == 0
    assert missed.dice("malignant") == 1
    assert (missed.lesion_pixels, missed.right_pixels) == (2, 0)
    invented = class_confusion(benign, nothing, NAMES)
    assert invented.dice("benign") == 0


def test_pooling_adds_pixels() -> None:
    one = class_confusion(CALLED, TRUTH, NAMES)
    two = class_confusion(TRUTH, TRUTH, NAMES)
    both = class_confusion(np.stack([CALLED, TRUTH]), np.stack([TRUTH, TRUTH]), NAMES)
    assert np.array_equal(pooled([one, two]).counts, both.counts)


@few
@seeds
def test_pixels_agree_with_scikit_learn(seed: int) -> None:
    sklearn = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(seed)
    truth, called = rng.integers(0, 4, (2, 9, 8))
    truth[truth == rng.integers(1, 4)] = 0  # a class is missing
    names = ("a", "b", "c")
    counts = class_confusion(called, truth, names)
    told = {"y_true": truth.ravel(), "y_pred": called.ravel()}
    assert counts.counts.tolist() == sklearn.confusion_matrix(**told, labels=range(4)).tolist()
    dice = sklearn.f1_score(**told, labels=[1, 2, 3], average=None, zero_division=1.0)
    iou = sklearn.jaccard_score(**told, labels=[1, 2, 3], average=None, zero_division=1)
    for i, name in enumerate(names):
        assert counts.dice(name) == pytest.approx(dice[i])
        assert counts.iou(name) == pytest.approx(iou[i])
    lesion = truth > 0
    right = sklearn.accuracy_score(truth[lesion], called[lesion])
    assert counts.right_pixels / counts.lesion_pixels == pytest.approx(right)


@pytest.mark.parametrize(
    ("called", "names"),
    [
        (np.full((2, 4), 3), NAMES),
        (np.full((2, 4), -1), NAMES),
        (np.zeros((2, 4)), NAMES),
        (np.zeros((2, 4), bool), NAMES),
        (np.zeros((2, 4), int), ()),
    ],
)
def test_labels_that_make_no_sense_are_refused(called: np.ndarray, names: tuple[str, ...]) -> None:
    with pytest.raises(InputError, match="labels of dtype"):
        class_confusion(called, TRUTH, names)


def test_other_misuse_is_refused() -> None:
    with pytest.raises(GeometryError, match="one shape"):
        class_confusion(TRUTH[:1], TRUTH, NAMES)
    with pytest.raises(InputError, match="class 'cyst'"):
        class_confusion(TRUTH, TRUTH, NAMES).dice("cyst")
    with pytest.raises(InputError, match="0 images"):
        pooled([])
    with pytest.raises(InputError, match="2 images of different classes"):
        pooled([class_confusion(TRUTH, TRUTH, NAMES), class_confusion(TRUTH, TRUTH, NAMES[::-1])])


GIVEN = np.array([0.9, 0.4, 0.5, 0.4, 0.1])
MALIGNANT = np.array([True, True, False, False, False])


def test_the_area_by_hand() -> None:
    # 0.9 beats three; 0.4 loses to one, draws with one, beats one.
    assert area_under_curve(GIVEN, MALIGNANT) == pytest.approx(4.5 / 6)


def test_the_area_of_one_kind_is_nan() -> None:
    for one_kind in (np.zeros(5, bool), np.ones(5, bool)):
        assert math.isnan(area_under_curve(GIVEN, one_kind))


@few
@seeds
def test_the_area_agrees_with_scikit_learn(seed: int) -> None:
    sklearn = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(seed)
    probability = rng.integers(0, 8, 30) / 7  # many ties
    malignant = rng.random(30) < 0.4
    malignant[:2] = True, False
    area = area_under_curve(probability, malignant)
    assert area == pytest.approx(sklearn.roc_auc_score(malignant, probability))


@few
@seeds
def test_the_area_knows_only_the_order(seed: int) -> None:
    rng = np.random.default_rng(seed)
    probability, malignant = rng.integers(0, 9, 20) / 8, rng.random(20) < 0.5
    malignant[:2] = True, False
    area = area_under_curve(probability, malignant)
    assert area_under_curve(probability**3, malignant) == pytest.approx(area)
    assert area_under_curve(1 - probability, malignant) == pytest.approx(1 - area)


@pytest.mark.parametrize(
    ("probability", "malignant"),
    [
        (GIVEN, MALIGNANT[:4]),
        (GIVEN, MALIGNANT.astype(int)),
        (GIVEN + 1, MALIGNANT),
        (np.full(5, np.nan), MALIGNANT),
        (GIVEN[None], MALIGNANT[None]),
    ],
)
def test_images_that_make_no_sense_are_refused(
    probability: np.ndarray, malignant: np.ndarray
) -> None:
    with pytest.raises(InputError, match="probabilities"):
        area_under_curve(probability, malignant)
