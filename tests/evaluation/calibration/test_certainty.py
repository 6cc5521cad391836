"""Confidence, margins and thresholds on made-up images: by hand and by simulation."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from breastseg.cli.main import main
from breastseg.core import Case, Confidence, Grid, Image, Margin, Mask, Prediction, Provenance
from breastseg.core.bundle import Fit
from breastseg.core.errors import BundleError, DataSetError
from breastseg.data.sets.folder import Folder
from breastseg.evaluation.calibration.confidence import (
    ScoredImages,
    check_apart,
    confidence_reliability,
    fit_confidence,
    score_images,
)
from breastseg.evaluation.calibration.coverage import (
    constant_coverage,
    coverage_of,
    missed_area,
    missed_lesions,
)
from breastseg.evaluation.calibration.margins import (
    THRESHOLDS,
    LesionImage,
    Reach,
    TouchedLesion,
    contour_thresholds,
    fit_conformal,
    look_at_all,
    touched_lesion,
)
from breastseg.evaluation.calibration.probability import PIXELS, _drawn
from breastseg.evaluation.calibration.reliability import reliability
from breastseg.inference.bundle_folder import read_bundle, read_measured
from breastseg.inference.methods import bundle_folder
from breastseg.inference.onnx_segmenter import OnnxSegmenter
from breastseg.measure.finding import findings
from breastseg.measure.margin import lesion_margin


def drawn(count: int, seed: int) -> ScoredImages:
    """Images whose scores are too high by a known line."""
    generator = np.random.default_rng(seed)
    logit = generator.normal(0, 2, count)
    lesion = generator.random(count) < 1 / (1 + np.exp(-(0.5 * logit - 1)))
    patients = tuple(f"p{number // 2}" for number in range(count))
    return ScoredImages(patients, 1 / (1 + np.exp(-logit)), lesion, (), ())


def test_the_line_is_found_again_and_is_true_on_other_images() -> None:
    confidence = fit_confidence(drawn(6000, 0), "made up")
    assert confidence.slope == pytest.approx(0.5, abs=0.06)
    assert confidence.intercept == pytest.approx(-1, abs=0.1)
    others, generator = drawn(4000, 1), np.random.default_rng(2)
    before = confidence_reliability(Confidence(), others, generator).error
    after = confidence_reliability(confidence, others, generator).error
    assert after.value < 0.03
    assert before.value > 0.15
    assert after.low <= after.value <= after.high
    one_kind = ScoredImages(("a",), np.array([0.5]), np.array([True]), (), ())
    with pytest.raises(DataSetError, match="1 of them with a lesion"):
        fit_confidence(one_kind, "")


def test_bins_hold_as_many_each() -> None:
    probability = np.arange(20) / 20
    truth = np.arange(20) % 4 == 0
    found = reliability(probability, truth, [str(i) for i in range(20)], np.random.default_rng(0))
    assert found.bins.counts.tolist() == [2] * 10
    expected = np.abs(probability.reshape(10, 2).sum(1) - truth.reshape(10, 2).sum(1)).sum() / 20
    assert found.error.value == pytest.approx(expected)
    tied = reliability(np.zeros(9), np.zeros(9, bool), ["a"] * 9, np.random.default_rng(0))
    assert (tied.bins.counts.tolist(), tied.error.value) == ([9], 0)


def disc(shape: tuple[int, int], centre: tuple[int, int], radius: float) -> np.ndarray:
    rows, columns = np.indices(shape)
    return (rows - centre[0]) ** 2 + (columns - centre[1]) ** 2 <= radius**2


def test_a_lesion_is_measured_against_the_region_that_touches_it() -> None:
    shape = (60, 70)
    lesion, mask = disc(shape, (30, 30), 12), disc(shape, (30, 30), 10) | disc(shape, (5, 60), 3)
    grid = Grid(shape)
    prediction = Prediction(mask.astype(np.float32), grid, Provenance("t", "1"))
    found = touched_lesion(prediction, lesion, lesion)
    assert found is not None
    assert found.unit == "px"
    assert found.diameter == pytest.approx(20, rel=0.03)
    assert found.reach == found.mask_reach  # no probability is between 0 and 1
    reach = found.reach
    assert reach.outer * found.diameter == pytest.approx(2.2, abs=0.4)  # between pixels
    assert reach.inner == 0
    assert reach.wider[0] == 1
    assert reach.wider[5] == pytest.approx(1.2**2, rel=0.1)  # by a tenth of its diameter
    assert reach.narrower[5] == pytest.approx(0.8**2, rel=0.1)
    far = disc(shape, (50, 10), 4)
    assert touched_lesion(prediction, far, far) is None


def test_contours_start_where_the_network_is_unsure() -> None:
    shape = (60, 70)
    probability = np.zeros(shape, np.float32)
    for radius, value in ((14, 0.2), (10, 0.6), (7, 0.9)):
        probability[disc(shape, (30, 30), radius)] = value
    probability[disc(shape, (10, 60), 5)] = 0.3  # not joined to the region
    prediction = Prediction(probability, Grid(shape), Provenance("t", "1"))
    lesion = disc(shape, (30, 30), 12)
    found = touched_lesion(prediction, lesion, lesion)
    assert found is not None
    assert found.reach.outer == 0 < found.mask_reach.outer
    assert found.reach.wider[0] == pytest.approx(1.4**2, rel=0.05)
    assert found.reach.narrower[0] == pytest.approx(0.7**2, rel=0.05)
    assert contour_thresholds(0.5) == (0.1, 0.8)
    assert contour_thresholds(0.05) == (0.05, 0.8)

    margin = Margin(0.9, 0.0, 0.0, 0.1, 0.8)
    (region,) = prediction.lesions()
    outer, inner = lesion_margin(region, probability, Grid(shape), margin).masks(shape)
    assert np.array_equal(outer, disc(shape, (30, 30), 14))
    assert np.array_equal(inner, disc(shape, (30, 30), 7))


def made(patient: str, generator: np.random.Generator, missed: int = 0) -> LesionImage:
    """A lesion whose margins are drawn, as fractions of its diameter."""
    outer, inner = generator.exponential(0.1, 2)
    reach = Reach(outer, inner, (1.0, 1.1), (1.0, 0.9))
    lesion = TouchedLesion(float(generator.uniform(20, 200)), "px", reach, reach)
    hardness = float(generator.uniform(0.5, 3))
    losses = tuple(one**hardness for one in THRESHOLDS)
    return LesionImage(patient, "made", missed, () if missed else (lesion,), losses)


def test_what_is_fitted_holds_on_other_patients() -> None:
    generator = np.random.default_rng(3)
    outer, risk = [], []
    for _ in range(60):
        images = [made(f"p{i // 2}", generator) for i in range(120)]
        conformal = fit_conformal(images, "made up", (0.1, 0.8), generator)
        others = [made(f"q{i}", generator) for i in range(60)]
        margin = conformal.margin(0.9)
        held = [one.touched[0].reach.outer <= margin.outer for one in others]
        outer.append(np.mean(held))
        threshold = conformal.threshold(0.2)
        risk.append(np.mean([one.missed_area[THRESHOLDS.index(threshold)] for one in others]))
    assert 0.9 < np.mean(outer) < 0.96  # nine of ten calibrations hold, not the mean of them
    assert np.mean(risk) <= 0.2


def test_the_figures_of_a_check() -> None:
    generator = np.random.default_rng(4)
    images = [made(f"p{i}", generator) for i in range(40)] + [made("q", generator, 1)]
    conformal = fit_conformal(images, "made up", (0.1, 0.8), generator)
    assert conformal.patients == 40
    assert conformal.missed == pytest.approx(1 / 41, abs=1e-4)
    found = coverage_of(conformal.margin(0.9), images, generator)
    assert found.outer.value >= 0.9
    assert found.both.value <= min(found.outer.value, found.inner.value)
    assert found.unit == "px"
    assert constant_coverage(0.9, images, images, generator).outer.value >= 0.9
    assert missed_lesions(images, generator).value == pytest.approx(1 / 41)
    assert missed_area(0.5, images, generator).value == pytest.approx(
        np.mean([one.missed_area[THRESHOLDS.index(0.5)] for one in images])
    )
    again = LesionImage.of(json.loads(json.dumps(images[0].as_dict())))
    assert again == images[0]
    with pytest.raises(DataSetError, match="no lesion"):
        fit_conformal(images[-1:], "", (0.1, 0.8), generator)


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scans")
    assert main(["data", "phantom", str(folder), "--count", "30"]) == 0
    return folder


def test_both_are_written_and_shown(
    scans: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = Path(shutil.copytree(bundle_folder("ultrasound-fast"), tmp_path / "bundle"))
    cases = Folder(scans).cases()
    patients = sorted({case.patient_id for case in cases})
    half = len(patients) // 2
    data = ["--data", f"folder={scans}", "--quiet", "--threads", "1", "--write"]
    apart = ["--split", f"patient:{','.join(patients[:half])}"]
    apart += ["--check", f"patient:{','.join(patients[half:])}"]
    for command in ("confidence", "margins"):
        assert main(["calibrate", command, str(bundle), *data, *apart]) == 0
    described = read_bundle(bundle)
    assert described.confidence is not None
    assert "patients" in described.confidence.calibrated_on
    assert described.conformal is not None
    results = read_measured(bundle, described).results
    assert "expected calibration error" in results["calibration of images"]
    assert {"calibration of pixels", "margins"} <= results.keys()
    assert "## How sure it is" in (bundle / "MODEL_CARD.md").read_text()

    capsys.readouterr()
    coverage = described.conformal.margins[0].coverage
    words = ["segment", str(scans / "images"), "--method", str(bundle), "--json"]
    words += ["--margin", str(coverage), "--out", str(tmp_path / "out")]
    assert main(words) == 0
    entries = json.loads(capsys.readouterr().out)["entries"]
    assert all(0 <= entry["confidence"] <= 1 for entry in entries)
    lesions = [lesion for entry in entries for lesion in entry["lesions"]]
    assert lesions
    for lesion in lesions:
        low, high = lesion["margin"]["area"]
        assert low <= lesion["area"] <= high
        low, high = lesion["margin"]["longest_diameter"]
        assert low <= lesion["longest_diameter"] <= high
    for wrong in (["--threshold", "0.3"], ["--flip-average"], ["--method", "otsu"]):
        assert main([*words, *wrong]) == 2
        assert "calibrated" in capsys.readouterr().err
    assert main([*words[:-4], "--margin", "0.123"]) == 2
    assert "0.8" in capsys.readouterr().err

    assert main(["calibrate", "point", str(bundle), *data[:-1], "--write", str(bundle)]) in (0, 2)
    assert main(["calibrate", "confidence", str(bundle), *data[:-1], "--check", "all"]) == 2
    assert "other patients" in capsys.readouterr().err


def test_what_was_calibrated_goes_with_the_operating_point(tmp_path: Path) -> None:
    from dataclasses import replace

    from breastseg.core import Conformal

    bundle = read_bundle(bundle_folder("ultrasound-fast"))
    bundle = replace(
        bundle,
        confidence=Confidence(2, 0, "made up"),
        conformal=Conformal("made up", 10, 0.0, (Margin(0.9, 0.2, 0.1),)),
    )
    other = bundle.at(replace(bundle.output, threshold=0.3))
    assert (other.confidence, other.conformal) == (bundle.confidence, None)
    assert bundle.at(replace(bundle.output, temperature=2.0)).confidence is None
    assert bundle.at(bundle.output) == bundle
    with pytest.raises(BundleError, match="coverage"):
        Margin(1.0, 0.1, 0.1)
    with pytest.raises(BundleError, match="thresholds 0"):
        Margin(0.9, 0.1, 0.1, outer_threshold=0.0)
    with pytest.raises(BundleError, match="twice"):
        Conformal("made up", 10, 0.0, (Margin(0.9, 0.2, 0.1), Margin(0.9, 0.3, 0.1)))


def test_patients_must_be_apart(scans: Path) -> None:
    cases = Folder(scans).cases()
    with pytest.raises(DataSetError, match="other patients"):
        check_apart(cases[:2], cases[1:])
    check_apart(cases[:1], [case for case in cases if case.patient_id != cases[0].patient_id])


def test_a_margin_holds_the_mask_between_its_contours(scans: Path) -> None:
    network = OnnxSegmenter(bundle_folder("ultrasound-fast"), threads=1)
    images = look_at_all(network, Folder(scans).cases()[:4])
    assert all(np.all(np.diff(image.missed_area) >= 0) for image in images)
    mask = np.zeros((40, 50), bool)
    mask[0:12, 30:50] = True  # at the border of the image
    from breastseg.core import Conformal

    prediction = Prediction(
        mask.astype(np.float32),
        Grid(mask.shape, (0.5, 0.25)),
        Provenance("t", "1"),
        conformal=Conformal("made up", 10, 0.0, (Margin(0.9, 0.2, 0.1),)),
    )
    image = Image(mask[None].astype(np.uint8), prediction.grid)
    (finding,) = findings(prediction, image, 0.9)
    assert finding.margin is not None
    outer, inner = finding.margin.masks(mask.shape)
    assert (inner <= mask).all()
    assert (mask <= outer).all()
    assert finding.measured is not None
    reach = 0.2 * finding.measured.equivalent_diameter
    rows, columns = np.nonzero(outer)
    assert (rows.max() - 11) * 0.5 <= reach < (rows.max() - 10) * 0.5
    assert (30 - columns.min()) * 0.25 <= reach < (31 - columns.min()) * 0.25
    areas = (finding.margin.area[0], finding.measured.area, finding.margin.area[1])
    radii = np.sqrt(np.array(areas) / np.pi)
    distances = (finding.margin.inner_distance, finding.margin.outer_distance)
    assert np.diff(radii) == pytest.approx(distances)
    assert finding.margin.area[0] < finding.measured.area < finding.margin.area[1]


def test_one_patient_has_no_interval_of_the_calibration_error() -> None:
    generator = np.random.default_rng(0)
    told, there = generator.random(40), generator.random(40) < 0.5
    found = reliability(told, there, ["a"] * 40, generator)
    assert found.error.value > 0
    assert np.isnan(found.error.low)
    words = found.figures()["expected calibration error, 95 % interval"]
    assert words == "none: all images are of one patient"


class Given:
    """A case in memory."""

    key = patient_key = "s/c"

    def __init__(self, image: Image, mask: Mask) -> None:
        self.case = Case("c", "p", (image,), mask)

    def load(self) -> Case:
        return self.case


def test_neither_padding_nor_what_is_ignored_is_calibrated() -> None:
    """A wide image is a strip of a square input, and its right half is unknown."""
    labels = np.zeros((4, 96), np.uint8)
    labels[1:3, 4:10], labels[:, 48:] = 1, 2
    grid = Grid(labels.shape)
    grey = np.random.default_rng(0).integers(90, 160, (1, *labels.shape)).astype(np.uint8)
    given = Given(Image(grey, grid), Mask(labels, grid, {1: "lesion", 2: "ignore"}))
    network = OnnxSegmenter(bundle_folder("ultrasound-fast"), threads=1)
    spec = replace(network.bundle.input, fit=Fit.PAD)
    description = replace(network.bundle, input=spec)
    network._opened = replace(network._opened, description=description)
    known = round(4 * spec.size[1] / 96) * spec.size[1] // 2
    logits, truths = _drawn(network, given, np.random.default_rng(0))
    assert len(logits) == len(truths) == known < PIXELS
    scored = score_images(network, [given], np.random.default_rng(0))
    assert len(scored.pixels[0]) == known
    assert 0 < truths.sum() == scored.pixel_lesion[0].sum()


def test_a_score_and_a_contour_are_judged_where_something_is_known() -> None:
    """The network outlines something, and nothing is known there."""
    generator = np.random.default_rng(0)
    shape = (96, 96)
    grey = np.where(disc(shape, (48, 40), 18), 30, generator.integers(110, 160, shape))
    labels = np.full(shape, 2, np.uint8)
    labels[44:52, 36:44], labels[:, 80:] = 1, 0
    grid = Grid(shape)
    image = Image(grey[None].astype(np.uint8), grid)
    network = OnnxSegmenter(bundle_folder("ultrasound-fast"), threads=1)
    given = Given(image, Mask(labels, grid, {1: "lesion", 2: "ignore"}))
    given.source = "s"
    (found,) = look_at_all(network, [given])
    (lesion,) = found.touched
    assert lesion.reach.inner == lesion.mask_reach.inner == 0
    unlabelled = Given(image, Mask(labels == 1, grid))
    unlabelled.source = "s"
    (strict,) = look_at_all(network, [unlabelled])
    assert strict.touched[0].mask_reach.inner > 0
    assert strict.touched[0].mask_reach.outer == lesion.mask_reach.outer

    without = np.where(labels == 1, 2, labels).astype(np.uint8)
    none = Given(image, Mask(without, grid, {1: "lesion", 2: "ignore"}))
    normal = Given(image, Mask(np.zeros_like(labels), grid))
    first, second = (score_images(network, [one], generator).scores[0] for one in (none, normal))
    assert first < second
