"""The free-response curve: by hand, by brute force, and what must hold."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from breastseg.core import Grid, Prediction, Provenance
from breastseg.core.errors import GeometryError, InputError
from breastseg.core.regions import connected_regions
from breastseg.metrics import match_lesions
from breastseg.metrics.detection import ImageDetections, free_response_curve, lesion_ious

from .shapes import few, pairs


def image(scores: list[float], ious: list[list[float]], lesions: int) -> ImageDetections:
    return ImageDetections(np.array(scores), np.array(ious).reshape(len(scores), lesions))


def predicted(mask: NDArray[np.bool_]) -> Prediction:
    return Prediction(mask.astype(np.float32), Grid(mask.shape), Provenance("drawn", "1"))


# two lesions, one of them hit twice, and a false positive in an image without a lesion
BY_HAND = [
    image([0.9, 0.8, 0.6], [[0.8, 0.0], [0.7, 0.0], [0.0, 0.55]], 2),
    image([0.7], [], 0),
]

# --- overlaps -------------------------------------------------------------------------------------


@few
@given(pairs)
def test_overlaps_are_those_of_whole_masks(pair) -> None:
    mask, truth = pair
    lesions, numbers = predicted(mask).lesions(), connected_regions(truth)
    ious = lesion_ious(lesions, truth)
    assert ious.shape == (len(lesions), len(numbers))
    for lesion, row in zip(lesions, ious, strict=True):
        own = lesion.on(truth.shape)
        for number, iou in enumerate(row, start=1):
            other = numbers.labels == number
            assert iou == (own & other).sum() / (own | other).sum()


@few
@given(pairs, st.sampled_from([0.05, 0.1, 0.5]))
def test_where_all_scores_are_equal_the_counts_are_those_of_the_mask(pair, min_iou) -> None:
    mask, truth = pair
    match = match_lesions(mask, truth, min_iou)
    ious = lesion_ious(predicted(mask).lesions(), truth)
    found = ImageDetections(np.full(len(ious), 0.5), ious)
    assert found.found(min_iou).sum() == match.found
    assert found.false(min_iou).sum() == match.false_positives


# --- the free-response curve ----------------------------------------------------------------------


def test_free_response_by_hand() -> None:
    assert BY_HAND[0].found(0.5).tolist() == [True, False, True]
    assert not BY_HAND[0].false(0.5).any()  # the second hit is neither
    curve = free_response_curve(BY_HAND, 0.5)
    assert curve.thresholds.tolist() == [np.inf, 0.9, 0.8, 0.7, 0.6]
    assert curve.sensitivity.tolist() == [0, 0.5, 0.5, 0.5, 1]
    assert curve.false_positives.tolist() == [0, 0, 0, 0.5, 0.5]
    assert [curve.at(rate) for rate in (0, 0.49, 0.5, 8)] == [0.5, 0.5, 1, 1]


def test_the_higher_score_takes_first_and_takes_the_larger_overlap() -> None:
    both = image([0.9, 0.8], [[0.6, 0.7], [0.0, 0.9]], 2)
    assert both.found(0.5).tolist() == [True, False]  # the second lesion is taken
    other = image([0.8, 0.9], [[0.6, 0.7], [0.0, 0.9]], 2)
    assert other.found(0.5).tolist() == [True, True]


def test_detections_of_one_score_count_together() -> None:
    hit, miss = image([0.5], [[1.0]], 1), image([0.5], [], 0)
    curve = free_response_curve([miss, hit])
    assert curve.thresholds.tolist() == [np.inf, 0.5]
    assert (curve.sensitivity.tolist(), curve.false_positives.tolist()) == ([0, 1], [0, 0.5])


def test_what_is_undefined() -> None:
    alarm, quiet = image([0.5], [], 0), image([], [], 0)
    curve = free_response_curve([alarm, quiet])
    assert np.isnan(curve.sensitivity).all()
    assert curve.false_positives.tolist() == [0, 0.5]
    missed = free_response_curve([image([], [], 1), quiet])
    assert missed.sensitivity.tolist() == [0]


# --- oracles and properties -----------------------------------------------------------------------


def drawn(seed: int, count: int = 12, steps: int = 20) -> list[ImageDetections]:
    """Images with a few lesions and detections of distinct scores, so that the order is known."""
    generator = np.random.default_rng(seed)
    images = []
    for _ in range(count):
        found, lesions = generator.integers(0, 5), generator.integers(0, 4)
        scores = generator.permutation(steps)[:found] / steps
        images.append(ImageDetections(scores, generator.random((found, lesions)).round(2)))
    return images


def plainly(images: list[ImageDetections], min_iou: float) -> list[tuple[float, float, float]]:
    """(score, sensitivity, false positives per image) at each score, matched once more."""
    lesions = sum(one.ious.shape[1] for one in images)
    points = []
    for cut in sorted({s for one in images for s in one.scores.tolist()}, reverse=True):
        found = false = 0
        for one in images:
            taken: set[int] = set()
            for k in sorted(range(len(one.scores)), key=lambda k: -one.scores[k]):
                if one.scores[k] < cut:
                    continue
                hits = [m for m in range(one.ious.shape[1]) if one.ious[k, m] >= min_iou]
                free = [m for m in hits if m not in taken]
                if free:
                    taken.add(max(free, key=lambda m: one.ious[k, m]))
                    found += 1
                false += not hits
        points.append((cut, found / lesions if lesions else float("nan"), false / len(images)))
    return points


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("min_iou", [0.1, 0.5, 0.9])
def test_against_brute_force(seed: int, min_iou: float) -> None:
    images = drawn(seed)
    cuts, sensitivity, false = zip(*plainly(images, min_iou), strict=True)
    curve = free_response_curve(images, min_iou)
    assert curve.thresholds[1:].tolist() == list(cuts)
    assert curve.sensitivity[1:] == pytest.approx(sensitivity)
    assert curve.false_positives[1:] == pytest.approx(false)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), min_iou=st.sampled_from([0.1, 0.5, 0.75]))
def test_what_always_holds(seed: int, min_iou: float) -> None:
    images = drawn(seed, count=5, steps=10)
    curve = free_response_curve(images, min_iou)
    assert (np.diff(curve.thresholds) < 0).all()
    assert (np.diff(curve.false_positives) >= 0).all()
    for one in images:
        assert not (one.found(min_iou) & one.false(min_iou)).any()
        assert one.found(min_iou).sum() <= one.ious.shape[1]
    # any rising change of the scores, and any order of the images, leaves the result as it is
    order = np.random.default_rng(seed).permutation(5)
    moved = [ImageDetections(np.exp(3 * images[i].scores), images[i].ious) for i in order]
    assert free_response_curve(moved, min_iou).sensitivity == pytest.approx(
        curve.sensitivity, nan_ok=True
    )
    if np.isnan(curve.sensitivity).all():
        assert not sum(one.ious.shape[1] for one in images)
        return
    assert (np.diff(curve.sensitivity) >= 0).all()


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
            free_response_curve(BY_HAND, min_iou)
    with pytest.raises(InputError, match="no image"):
        free_response_curve([])
    with pytest.raises(InputError, match="at least 0"):
        free_response_curve(BY_HAND).at(-1)
    lesions = predicted(np.eye(4, dtype=bool)).lesions()
    with pytest.raises(GeometryError, match="box"):
        lesion_ious(lesions, np.zeros((3, 4), bool))
    with pytest.raises(InputError, match="bool"):
        lesion_ious(lesions, np.zeros((4, 4)))
