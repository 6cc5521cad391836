"""Average precision and the free-response curve: by hand, by brute force, and what must hold."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import precision_recall_curve

from breastseg.core.errors import GeometryError, InputError
from breastseg.metrics.detection import (
    COCO_IOUS,
    ImageDetections,
    average_precision,
    box_ious,
    free_response_curve,
    mask_ious,
    matched,
    mean_average_precision,
)


def image(scores: list[float], ious: list[list[float]], lesions: int) -> ImageDetections:
    return ImageDetections(np.array(scores), np.array(ious).reshape(len(scores), lesions))


# two lesions, one of them found twice, and a false alarm in an image without a lesion
BY_HAND = [
    image([0.9, 0.8, 0.6], [[0.8, 0.0], [0.7, 0.0], [0.0, 0.55]], 2),
    image([0.7], [], 0),
]

# --- overlaps -------------------------------------------------------------------------------------


def test_overlap_of_regions_by_hand() -> None:
    found, truth = np.zeros((3, 4, 4), bool), np.zeros((2, 4, 4), bool)
    found[0, :2, :2], found[1, 0, 0] = True, True  # the third is empty
    truth[0, :2, 1:3] = True  # and so is the second
    assert np.array_equal(mask_ious(found, truth), [[2 / 6, 0], [0, 0], [0, 0]])


def test_overlap_of_boxes_by_hand() -> None:
    found = np.array([[0, 0, 2, 2], [5, 5, 6, 7], [1, 1, 1, 1]])
    truth = np.array([[0, 1, 2, 3], [5, 5, 7, 7]])
    assert np.array_equal(box_ious(found, truth), [[2 / 6, 0], [0, 2 / 4], [0, 0]])


def test_boxes_overlap_as_the_regions_they_hold() -> None:
    generator = np.random.default_rng(0)
    corners = np.sort(generator.integers(0, 9, (2, 7, 2, 3)), axis=2)  # both sets, in 3-D
    found, truth = corners.reshape(2, 7, 6)
    regions = np.zeros((2, 7, 8, 8, 8), bool)
    for place in np.ndindex(2, 7):
        low, high = corners[place]
        regions[place][tuple(slice(*pair) for pair in zip(low, high, strict=True))] = True
    assert np.allclose(box_ious(found, truth), mask_ious(*regions))


@pytest.mark.parametrize(("found", "truth"), [(0, 2), (2, 0), (0, 0)])
def test_nothing_overlaps_nothing(found: int, truth: int) -> None:
    regions = mask_ious(np.ones((found, 3, 3), bool), np.ones((truth, 3, 3), bool))
    boxes = box_ious(np.zeros((found, 4)), np.zeros((truth, 4)))
    assert regions.shape == boxes.shape == (found, truth)


# --- average precision ----------------------------------------------------------------------------


def test_average_precision_by_hand() -> None:
    # true, false (a second time), false (no lesion there), true
    assert matched(BY_HAND[0], 0.5).tolist() == [True, False, True]
    # precision 1 up to a sensitivity of 0.5 (51 of 101 points), 2/4 beyond
    assert average_precision(BY_HAND, 0.5) == pytest.approx((51 * 1 + 50 * 0.5) / 101)
    # above 0.55 the second lesion is never found; above 0.8 none is
    assert average_precision(BY_HAND, 0.6) == pytest.approx(51 / 101)
    assert average_precision(BY_HAND, 0.85) == 0
    expected = [(51 + 25) / 101] * 2 + [51 / 101] * 5 + [0] * 3
    assert mean_average_precision(BY_HAND) == pytest.approx(np.mean(expected))
    assert COCO_IOUS == (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)


def test_the_better_of_two_lesions_is_taken_first() -> None:
    both = image([0.9, 0.8], [[0.6, 0.7], [0.0, 0.9]], 2)
    assert matched(both, 0.5).tolist() == [True, False]  # the second lesion is taken
    assert matched(image([0.8, 0.9], [[0.6, 0.7], [0.0, 0.9]], 2), 0.5).tolist() == [True, True]


def test_detections_of_one_score_count_together() -> None:
    hit, miss = image([0.5], [[1.0]], 1), image([0.5], [], 0)
    assert average_precision([hit, miss]) == average_precision([miss, hit]) == pytest.approx(0.5)
    assert free_response_curve([miss, hit]).thresholds.tolist() == [np.inf, 0.5]


def test_what_is_undefined_and_what_is_zero() -> None:
    alarm, quiet, missed = image([0.5], [], 0), image([], [], 0), image([], [], 1)
    assert np.isnan(average_precision([alarm, quiet]))
    assert np.isnan(mean_average_precision([quiet]))
    assert average_precision([missed, quiet]) == 0
    assert average_precision([image([0.1], [[0.5]], 1), quiet]) == 1
    curve = free_response_curve([alarm, quiet])
    assert np.isnan(curve.sensitivity).all()
    assert curve.false_positives.tolist() == [0, 0.5]


def test_a_lesion_on_the_edge_of_a_hundredth() -> None:
    # 29 of 100 lesions found: the sensitivity 0.29 is reached, though 29 * 0.01 > 0.29 in floats
    found = [image([0.5], [[1.0]], 1)] * 29 + [image([], [], 1)] * 71
    assert average_precision(found) == pytest.approx(30 / 101)


# --- the free-response curve ----------------------------------------------------------------------


def test_free_response_by_hand() -> None:
    curve = free_response_curve(BY_HAND, 0.5)
    assert curve.thresholds.tolist() == [np.inf, 0.9, 0.8, 0.7, 0.6]
    assert curve.sensitivity.tolist() == [0, 0.5, 0.5, 0.5, 1]
    assert curve.false_positives.tolist() == [0, 0, 0.5, 1, 1]
    assert [curve.at(rate) for rate in (0, 0.5, 0.99, 1, 8)] == [0.5, 0.5, 0.5, 1, 1]


# --- oracles and properties -----------------------------------------------------------------------


def drawn(seed: int, count: int = 12, steps: int = 20) -> list[ImageDetections]:
    """Images with a few lesions and detections; few distinct scores, so that there are ties."""
    generator = np.random.default_rng(seed)
    images = []
    for _ in range(count):
        found, lesions = generator.integers(0, 5), generator.integers(0, 4)
        scores = generator.integers(0, steps, found) / steps
        images.append(ImageDetections(scores, generator.random((found, lesions)).round(2)))
    return images


def plainly(images: list[ImageDetections], min_iou: float) -> tuple[list[tuple[float, ...]], int]:
    """(score, sensitivity, false ones an image, precision) at each score, matched once more."""
    lesions = sum(one.ious.shape[1] for one in images)
    points = []
    for cut in sorted({s for one in images for s in one.scores.tolist()}, reverse=True):
        true = false = 0
        for one in images:
            taken: set[int] = set()
            ranked = sorted(range(len(one.scores)), key=lambda k: -one.scores[k])
            for k in ranked:
                if one.scores[k] < cut:
                    continue
                fits = [m for m in range(one.ious.shape[1]) if m not in taken]
                best = max(fits, key=lambda m: one.ious[k, m], default=None)
                if best is not None and one.ious[k, best] >= min_iou:
                    taken.add(best)
                    true += 1
                else:
                    false += 1
        sensitivity = true / lesions if lesions else float("nan")
        points.append((cut, sensitivity, false / len(images), true / (true + false)))
    return points, lesions


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("min_iou", [0.1, 0.5, 0.9])
def test_against_brute_force(seed: int, min_iou: float) -> None:
    images = drawn(seed)
    points, _ = plainly(images, min_iou)
    curve = free_response_curve(images, min_iou)
    assert curve.thresholds[1:].tolist() == [p[0] for p in points]
    assert curve.sensitivity[1:] == pytest.approx([p[1] for p in points])
    assert curve.false_positives[1:] == pytest.approx([p[2] for p in points])
    wanted = [
        max((p[3] for p in points if p[1] >= i / 100 - 1e-12), default=0.0) for i in range(101)
    ]
    assert average_precision(images, min_iou) == pytest.approx(np.mean(wanted))


@pytest.mark.parametrize("seed", range(5))
def test_against_scikit_learn(seed: int) -> None:
    """Detections are judged as a classifier's, with a lesion that was missed as its last guess."""
    images = drawn(seed, count=30)
    true = np.concatenate([matched(one, 0.5) for one in images])
    scores = np.concatenate([one.scores for one in images])
    lesions = sum(one.ious.shape[1] for one in images)
    missed = lesions - int(true.sum())
    precision, sensitivity, cuts = precision_recall_curve(
        np.append(true, np.ones(missed, bool)), np.append(scores, np.full(missed, -1.0))
    )
    real = cuts >= 0  # without scikit-learn's end point (1, 0), where nothing has been found
    precision, sensitivity = precision[:-1][real], sensitivity[:-1][real]
    assert free_response_curve(images, 0.5).sensitivity[:0:-1] == pytest.approx(sensitivity)
    reached = [precision[sensitivity >= i / 100 - 1e-12] for i in range(101)]
    wanted = [values.max(initial=0.0) for values in reached]
    assert average_precision(images, 0.5) == pytest.approx(np.mean(wanted))


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), min_iou=st.sampled_from([0.1, 0.5, 0.75]))
def test_what_always_holds(seed: int, min_iou: float) -> None:
    images = drawn(seed, count=5, steps=10)
    curve, value = free_response_curve(images, min_iou), average_precision(images, min_iou)
    assert (np.diff(curve.thresholds) < 0).all()
    assert (np.diff(curve.false_positives) >= 0).all()
    order = np.random.default_rng(seed).permutation(5)
    # any rising change of the scores, and any order of the images, leaves the result as it is
    moved = [ImageDetections(np.exp(3 * images[i].scores), images[i].ious) for i in order]
    assert average_precision(moved, min_iou) == pytest.approx(value, nan_ok=True)
    if np.isnan(value):
        assert not sum(one.ious.shape[1] for one in images)
        return
    assert 0 <= value <= 1
    assert (np.diff(curve.sensitivity) >= 0).all()
    # one more image without a lesion and with a false alarm never helps
    alarm = ImageDetections(np.array([2.0]), np.zeros((1, 0)))
    assert average_precision([*images, alarm], min_iou) <= value
    # its own truth as the detections is perfect
    perfect = [
        ImageDetections(np.ones(one.ious.shape[1]), np.eye(one.ious.shape[1])) for one in images
    ]
    assert mean_average_precision(perfect) == 1


# --- refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scores", "ious", "error"),
    [
        (np.zeros(2), np.zeros((3, 1)), GeometryError),
        (np.zeros((2, 1)), np.zeros((2, 1)), GeometryError),
        (np.array([np.nan]), np.zeros((1, 1)), InputError),
        (np.zeros(1), np.array([[1.5]]), InputError),
        (np.zeros(1), np.array([[np.nan]]), InputError),
    ],
)
def test_detections_that_cannot_be(
    scores: NDArray[np.float64], ious: NDArray[np.float64], error: type[Exception]
) -> None:
    with pytest.raises(error):
        ImageDetections(scores, ious)


def test_refusals() -> None:
    for min_iou in (0.0, 1.1, float("nan")):
        with pytest.raises(InputError, match="min_iou"):
            average_precision(BY_HAND, min_iou)
    with pytest.raises(InputError, match="no image"):
        free_response_curve([])
    with pytest.raises(InputError, match="no overlap"):
        mean_average_precision(BY_HAND, ())
    with pytest.raises(InputError, match="at least 0"):
        free_response_curve(BY_HAND).at(-1)
    with pytest.raises(InputError, match="bool"):
        mask_ious(np.ones((1, 2, 2), np.uint8), np.ones((1, 2, 2), bool))
    with pytest.raises(GeometryError, match="one grid"):
        mask_ious(np.ones((1, 2, 2), bool), np.ones((1, 2, 3), bool))
    with pytest.raises(GeometryError, match="axes"):
        box_ious(np.zeros((1, 4)), np.zeros((1, 6)))
    with pytest.raises(GeometryError, match="ends before it begins"):
        box_ious(np.array([[2, 0, 1, 1]]), np.zeros((1, 4)))
