"""Benign against malignant: the figures by hand, their intervals, the report."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breastseg.core import Case, Grid, Image, Mask, Prediction, Provenance, malignancy_of
from breastseg.core.errors import GeometryError, InputError
from breastseg.evaluation.malignancy import (
    ClassedImages,
    MalignancyFigures,
    area_interval,
    classed_image,
    malignancy_markdown,
)
from breastseg.evaluation.run import OpenedCase, Outcome

from .fakes import drawn

GRID = Grid((1, 4))
NAMES = ("benign", "malignant")
LESION = (0, 1, 1, 0)


def case(number: int, label: str | None, truth=LESION, patient: str | None = None) -> Case:
    return Case(
        case_id=f"c{number}",
        patient_id=patient or f"p{number}",
        images=(Image(np.zeros((1, 1, 4), np.uint8), GRID),),
        mask=Mask(np.array([truth], np.uint8), GRID),
        label=label,
        source="made",
    )


def prediction(benign, malignant, names=NAMES) -> Prediction:
    maps = np.array([[benign], [malignant]], np.float32)
    made = Prediction(
        maps.sum(axis=0), GRID, Provenance("m", "1"), class_probability=maps, class_names=names
    )
    fraction = malignancy_of(made)
    return Prediction(
        maps.sum(axis=0),
        GRID,
        Provenance("m", "1"),
        class_probability=maps,
        class_names=names,
        malignancy=fraction,
    )


NOTHING = prediction((0, 0, 0, 0), (0, 0, 0, 0))
RIGHT_BENIGN = prediction((0, 0.75, 0.75, 0), (0, 0.25, 0.25, 0))  # 1/4 malignant
HALF_MALIGNANT = prediction((0, 0, 0.75, 0), (0, 1, 0.25, 0))  # 5/8; its pixels are one of each
PAIRS = [
    (case(1, "benign"), RIGHT_BENIGN),
    (case(2, "benign"), HALF_MALIGNANT),
    (case(3, "malignant"), HALF_MALIGNANT),
    (case(4, "malignant"), NOTHING),
    (case(5, "normal", (0, 0, 0, 0)), RIGHT_BENIGN),
    (case(6, None), RIGHT_BENIGN),
]


def figures_of(pairs: list[tuple[Case, Prediction]], **how: float) -> MalignancyFigures:
    kept = ClassedImages()
    for case, prediction in pairs:
        kept.add(case, prediction)
    return kept.figures(**how)  # type: ignore[arg-type]


def test_the_figures_by_hand() -> None:
    found = figures_of(PAIRS, resamples=20)
    assert found.images == {"benign": 2, "malignant": 2}
    assert (found.patients, found.without_mask, found.left_out) == (4, 1, 2)
    assert found.confusion.counts.tolist() == [[8, 0, 0], [0, 3, 1], [2, 1, 1]]
    values = {name: interval.value for name, interval in found.figures.items()}
    assert values == pytest.approx(
        {
            # benign images: all right, and 1 of 2 pixels
            "dice_benign": (1 + 2 / 3) / 2,
            "iou_benign": (1 + 1 / 2) / 2,
            "pooled_dice_benign": 2 * 3 / (4 + 4),
            "pooled_iou_benign": 3 / 5,
            # malignant images: 1 of 2 pixels, and none
            "dice_malignant": (2 / 3 + 0) / 2,
            "iou_malignant": (1 / 2 + 0) / 2,
            "pooled_dice_malignant": 2 * 1 / (4 + 2),
            "pooled_iou_malignant": 1 / 5,
            "right_pixels": 4 / 8,
            "right_pixels_outlined": 4 / 6,
            "accuracy": 2 / 4,
            "sensitivity": 1 / 2,
            "specificity": 1 / 2,
            # of malignant 5/8 and 0 against benign 1/4 and 5/8
            "area_under_curve": 1.5 / 4,
            "brier_score": ((1 / 4) ** 2 + (5 / 8) ** 2 + (3 / 8) ** 2) / 3,
        }
    )
    # 1/4 alone in its bin, nothing came true; 5/8 twice, one of which did
    assert found.calibration_error == pytest.approx((1 / 4 + 2 * (5 / 8 - 1 / 2)) / 3)


def test_the_cut_decides() -> None:
    figures = figures_of(PAIRS, cut=0.25, resamples=5).figures
    assert figures["specificity"].value == 0
    assert figures["sensitivity"].value == 0.5
    assert figures_of(PAIRS, cut=0.7, resamples=5).figures["sensitivity"].value == 0


def test_figures_are_reproducible_and_intervals_hold_the_value() -> None:
    one, two = (figures_of(PAIRS, resamples=200, seed=3) for _ in range(2))
    for name, interval in one.figures.items():
        assert (interval.low, interval.high) == (two.figures[name].low, two.figures[name].high)
        assert interval.low <= interval.value <= interval.high


def test_one_kind_of_image_leaves_the_other_undefined() -> None:
    found = figures_of(PAIRS[:2], resamples=5)
    for name in ("sensitivity", "area_under_curve", "dice_malignant"):
        assert math.isnan(found.figures[name].value)
    assert "| Area under the ROC curve | - |" in malignancy_markdown("m", found)


def test_the_label_in_the_order_of_the_maps() -> None:
    turned = prediction((0, 0.25, 0.25, 0), (0, 0.75, 0.75, 0), ("malignant", "benign"))
    image = classed_image(case(1, "benign"), turned)
    assert image.confusion.dice("benign") == 1
    assert not image.malignant


def test_the_report_says_what_was_done() -> None:
    text = malignancy_markdown("tiny", figures_of(PAIRS, resamples=20))
    assert "tiny on 2 benign and 2 malignant images of 4 patients" in text
    assert "in 1 of them nothing is outlined, 2 other images are left out" in text
    assert "| Images called right | 0.500 [" in text
    assert "| true malignant | 2 | 1 | 1 |" in text
    assert "seed 0" in text


def test_misuse_is_refused() -> None:
    plain = Prediction(np.zeros((1, 4), np.float32), GRID, Provenance("m", "1"))
    with pytest.raises(InputError, match="with the classes none"):
        figures_of([(case(1, "benign"), plain)])
    with pytest.raises(InputError, match="no image labelled"):
        figures_of(PAIRS[4:])
    with pytest.raises(InputError, match="labelled normal"):
        classed_image(*PAIRS[4])
    small = Grid((1, 3))
    maps = np.zeros((2, 1, 3), np.float32)
    other = Prediction(
        maps[0], small, Provenance("m", "1"), class_probability=maps, class_names=NAMES
    )
    with pytest.raises(GeometryError, match=r"\(1, 3\) for a ground truth of \(1, 4\)"):
        classed_image(case(1, "benign"), other)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(seed=st.integers(0, 1000))
def test_the_areas_of_resamples_are_those_of_the_images_drawn(seed: int) -> None:
    sklearn = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(seed)
    probability = rng.integers(0, 6, 24) / 5
    malignant = rng.random(24) < 0.5
    malignant[:2] = True, False
    patients = [f"p{i // 2}" for i in range(24)]
    _, patient = np.unique(patients, return_inverse=True)
    areas = []
    for draw in np.random.default_rng(1).integers(12, size=(50, 12)):
        chosen = np.concatenate([np.flatnonzero(patient == p) for p in draw])
        if malignant[chosen].any() and not malignant[chosen].all():
            areas.append(sklearn.roc_auc_score(malignant[chosen], probability[chosen]))
    found = area_interval(probability, malignant, patients, np.random.default_rng(1), 50)
    low, high = np.percentile(areas, (2.5, 97.5))
    assert (found.low, found.high) == pytest.approx((low, high))
    assert found.value == pytest.approx(sklearn.roc_auc_score(malignant, probability))


def test_one_patient_has_no_interval_of_the_area() -> None:
    found = area_interval(
        np.array([0.2, 0.6]), np.array([False, True]), ["a", "a"], np.random.default_rng(0), 20
    )
    assert found.value == 1
    assert math.isnan(found.low)
    assert math.isnan(found.high)


def test_pixels_to_be_ignored_are_of_no_class() -> None:
    labels = np.array([[0, 1, 1, 2]], np.uint8)
    truth = Mask(labels, GRID, {1: "lesion", 2: "ignore"})
    outlined = prediction((0, 1, 1, 1), (0, 0, 0, 0))
    found = classed_image(replace(case(1, "benign"), mask=truth), outlined)
    assert found.confusion.counts.tolist() == [[1, 0, 0], [0, 2, 0], [0, 0, 0]]


def test_an_area_that_cannot_be_resampled_is_refused() -> None:
    with pytest.raises(InputError, match="2 images, 1 patients"):
        area_interval(np.zeros(2), np.zeros(2, bool), ["a"], np.random.default_rng(0))
    nothing = area_interval(np.zeros(0), np.zeros(0, bool), [], np.random.default_rng(0))
    assert math.isnan(nothing.value)


def test_the_watcher_keeps_what_the_pairs_would(tmp_path: Path) -> None:
    kept = ClassedImages()
    for one, found in PAIRS:
        opened = OpenedCase(drawn("a", np.array([LESION], bool)), one)
        kept.watch(opened, Outcome(opened.missed("", 0.5), found))
        kept.watch(opened, Outcome(opened.missed("failed", 0.5)))
    assert kept.figures(resamples=5).images == figures_of(PAIRS, resamples=5).images
    kept.write("tiny", tmp_path)
    assert "# tiny: benign or malignant" in (tmp_path / "classes.md").read_text()
    ClassedImages().write("tiny", tmp_path / "none")
    assert not (tmp_path / "none").exists()
