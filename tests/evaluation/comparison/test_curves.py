import math
from dataclasses import replace

import cv2
import numpy as np
import pytest

from breastseg.evaluation.comparison.cell import BINS, THRESHOLDS, Cell
from breastseg.evaluation.comparison.curves import Counts, count, free_response, reliability
from breastseg.evaluation.run import Row
from breastseg.evaluation.score import ImageScore
from breastseg.metrics import match_lesions


def cell(true_lesions: int, **counts: object) -> Cell:
    row = Row("s/c", "s/p", "s", None, None, True, 0.1, ImageScore(true_lesions=true_lesions))
    values = replace(Counts(), **counts)
    return Cell("m", row, *(getattr(values, name) for name in Counts.__dataclass_fields__))


def blobs(seed: int, shape: tuple[int, int] = (60, 80)) -> np.ndarray:
    noise = np.random.default_rng(seed).random(shape).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 3)
    return (smooth - smooth.min()) / (smooth.max() - smooth.min())


def by_matching(probability, lesion, min_iou):
    matches = [match_lesions(probability >= cut, lesion, min_iou) for cut in THRESHOLDS]
    return tuple(m.found for m in matches), tuple(m.false_positives for m in matches)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("min_iou", [0.02, 0.1, 0.5])
def test_agrees_with_matching_at_every_threshold(seed, min_iou) -> None:
    probability, lesion = blobs(seed), blobs(100 + seed) > 0.6
    counts = count(probability, lesion, min_iou)
    assert (counts.found, counts.false_positives) == by_matching(probability, lesion, min_iou)
    # A map with few values, most of it nothing: most thresholds change nothing.
    flat = np.where(probability > 0.7, np.float32(0.62), np.float32(0))
    flat[:3, :3] = 0.93
    counts = count(flat, lesion, min_iou)
    assert (counts.found, counts.false_positives) == by_matching(flat, lesion, min_iou)


def test_what_is_to_be_ignored_is_in_no_bin() -> None:
    probability = np.zeros((4, 5), np.float32)
    probability[0, :2] = 0.95
    counts = count(probability, probability > 0.5, 0.1, ignored=6)
    assert counts.bin_pixels == (12, 0, 0, 0, 0, 0, 0, 0, 0, 2)


def test_a_value_on_a_threshold_reaches_it() -> None:
    lesion = np.zeros((40, 2), bool)
    probability = np.zeros((40, 2), np.float32)
    probability[2 * np.arange(19), 0] = np.array(THRESHOLDS, np.float32)
    counts = count(probability, lesion, 0.1)
    assert counts.false_positives == tuple(range(19, 0, -1))
    below = np.nextafter(probability, np.float32(0))
    assert count(below, lesion, 0.1).false_positives == tuple(range(18, -1, -1))


def test_bins_by_hand() -> None:
    probability = np.array([[0, 0.04, 0.1, 0.19], [0.5, 0.55, 1.0, 0.999]], np.float32)
    lesion = np.array([[1, 0, 1, 0], [0, 1, 1, 1]], bool)
    counts = count(probability, lesion, 0.1)
    assert counts.bin_pixels == (2, 2, 0, 0, 0, 2, 0, 0, 0, 2)
    assert counts.bin_lesion == (1, 1, 0, 0, 0, 1, 0, 0, 0, 2)
    sums = [0.04, 0.29, 0, 0, 0, 1.05, 0, 0, 0, 1.999]
    assert counts.bin_probability == pytest.approx(sums, abs=1e-6)


def test_bins_agree_with_a_histogram_of_all_pixels() -> None:
    probability, lesion = blobs(7) ** 4, blobs(8) > 0.5
    counts = count(probability, lesion, 0.1)
    edges = np.linspace(0, 1, BINS + 1)
    assert counts.bin_pixels == tuple(np.histogram(probability, edges)[0])
    assert counts.bin_lesion == tuple(np.histogram(probability[lesion], edges)[0])
    sums = np.histogram(probability, edges, weights=probability.astype(float))[0]
    assert counts.bin_probability == pytest.approx(sums)


@pytest.mark.parametrize("value", [0.0, 0.04, 1.0])
@pytest.mark.parametrize("true", [False, True])
def test_constant_maps_of_one_pixel_and_more(value, true) -> None:
    for shape in ((1, 1), (3, 4)):
        probability, lesion = np.full(shape, value, np.float32), np.full(shape, true)
        counts = count(probability, lesion, 0.1)
        assert (counts.found, counts.false_positives) == by_matching(probability, lesion, 0.1)
        assert sum(counts.bin_pixels) == lesion.size
        assert sum(counts.bin_lesion) == lesion.sum()
        assert sum(counts.bin_probability) == pytest.approx(value * lesion.size)


def test_what_is_given_is_not_changed() -> None:
    probability, lesion = blobs(1), blobs(2) > 0.5
    before = probability.copy(), lesion.copy()
    count(probability, lesion, 0.1)
    assert np.array_equal(probability, before[0])
    assert np.array_equal(lesion, before[1])


def test_a_free_response_curve_by_hand() -> None:
    steps = len(THRESHOLDS)
    cells = [
        cell(2, found=(2,) + (1,) * (steps - 1), false_positives=(3,) + (0,) * (steps - 1)),
        cell(1, found=(1,) + (0,) * (steps - 1), false_positives=(0,) * steps),
        cell(0, false_positives=(2,) + (1,) * (steps - 1)),
        cell(1),  # it failed
    ]
    curve = free_response(cells)
    assert len(curve) == steps
    assert curve[0] == (5 / 4, 3 / 4)
    assert curve[1] == curve[-1] == (1 / 4, 1 / 4)


def test_a_free_response_curve_of_nothing() -> None:
    assert all(math.isnan(x) and math.isnan(y) for x, y in free_response([]))
    assert free_response([cell(0)])[0][0] == 0
    assert math.isnan(free_response([cell(0)])[0][1])


def test_reliability_by_hand() -> None:
    first = cell(
        1,
        bin_pixels=(6, 0, 0, 0, 0, 0, 0, 0, 0, 2),
        bin_lesion=(0, 0, 0, 0, 0, 0, 0, 0, 0, 1),
        bin_probability=(0.3, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.9),
    )
    diagram = reliability([first, first, cell(1)])
    assert diagram.counts.tolist() == [12, 0, 0, 0, 0, 0, 0, 0, 0, 4]
    assert (diagram.mean[0], diagram.observed[0]) == (pytest.approx(0.05), 0)
    assert (diagram.mean[9], diagram.observed[9]) == (pytest.approx(0.95), 0.5)
    assert math.isnan(diagram.mean[4])
    assert math.isnan(diagram.observed[4])
    assert diagram.expected_error == pytest.approx(0.75 * 0.05 + 0.25 * 0.45)


def test_a_map_that_says_the_truth_is_calibrated() -> None:
    generator = np.random.default_rng(3)
    probability = generator.random((400, 400)).astype(np.float32)
    lesion = generator.random((400, 400)) < probability
    counts = count(probability, lesion, 0.1)
    made = Cell("m", cell(1).row, *(getattr(counts, n) for n in Counts.__dataclass_fields__))
    assert reliability([made]).expected_error < 0.01


def test_reliability_of_nothing() -> None:
    diagram = reliability([cell(1)])
    assert math.isnan(diagram.expected_error)
    assert all(map(math.isnan, diagram.observed))
