"""How well a method tells benign from malignant: a table with intervals, and a small report.

Only images labelled benign or malignant enter; all true lesion pixels of an image are of its label.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from breastseg.core.case import Case
from breastseg.core.errors import GeometryError, InputError
from breastseg.core.prediction import Prediction
from breastseg.data.cohorts import patient_key
from breastseg.evaluation.run import OpenedCase, Outcome
from breastseg.evaluation.statistics import (
    RESAMPLES,
    Interval,
    bracketed,
    interval_of,
    ratio_intervals,
)
from breastseg.io.write import write_text
from breastseg.metrics.calibration import BINS, brier_score, expected_calibration_error
from breastseg.metrics.classwise import (
    ClassConfusion,
    area_under_curve,
    class_confusion,
    pooled,
)

LABELS = ("benign", "malignant")
_BLOCK = 4_000_000  # weights held at once: 32 MB

CALLED = (
    "An image is called malignant from a probability of {cut:g}; one in which nothing is outlined "
    "has no probability, is called benign and counts as 0 in the area under the curve."
)
"""What a report says of the decision."""


@dataclass(frozen=True, eq=False)
class ClassedImage:
    """What is kept of one image.

    Attributes:
        patient: ``"source/patient_id"``.
        malignant: what it is.
        malignancy: the probability given, 0 to 1; None where nothing is outlined.
        confusion: its pixels.
    """

    patient: str
    malignant: bool
    malignancy: float | None
    confusion: ClassConfusion


@dataclass(frozen=True, eq=False)
class MalignancyFigures:
    """How well benign and malignant are told apart.

    Attributes:
        images: by label.
        patients: how many.
        without_mask: images in which nothing is outlined.
        left_out: images of another label or none.
        figures: with 95 % intervals over patients, by name. ``dice_LABEL`` and ``iou_LABEL`` are
            means over the images of that label, ``pooled_dice_LABEL`` and ``pooled_iou_LABEL`` are
            over the pixels of all images; ``right_pixels`` is the fraction of lesion pixels called
            by their own class, ``right_pixels_outlined`` the same of those outlined. Of images:
            ``accuracy``, ``sensitivity`` and ``specificity`` for malignancy,
            ``area_under_curve``, and ``brier_score`` over those with a probability.
        calibration_error: expected calibration error over the images with a probability, in bins
            of one width; NaN where there is none. Resampling would bias it: it has no interval.
        confusion: of all pixels.
        cut: probability from which an image is called malignant.
        resamples: of the bootstrap.
        seed: of the bootstrap.
    """

    images: Mapping[str, int]
    patients: int
    without_mask: int
    left_out: int
    figures: Mapping[str, Interval]
    calibration_error: float
    confusion: ClassConfusion
    cut: float
    resamples: int
    seed: int


def classed_image(case: Case, prediction: Prediction) -> ClassedImage:
    """Compare a prediction at its own operating point with a case.

    Args:
        case: labelled benign or malignant, with a ground truth mask.
        prediction: of its first image, with maps named benign and malignant.

    Raises:
        InputError: a case or prediction without these.
        GeometryError: the prediction lies on another grid than the ground truth.
    """
    if case.label not in LABELS or case.mask is None:
        raise InputError(f"case {case.case_id} labelled {case.label}", "benign or malignant")
    if not set(LABELS) <= set(prediction.class_names):
        raise InputError(
            f"a prediction with the classes {', '.join(prediction.class_names) or 'none'}",
            "benign and malignant among them",
        )
    if prediction.grid.shape != case.mask.grid.shape:
        raise GeometryError(
            f"a prediction of shape {prediction.grid.shape} for a ground truth of "
            f"{case.mask.grid.shape}",
            "the image's own grid",
        )
    names = prediction.class_names
    labels = prediction.mask().labels.astype(np.uint8)
    truth = np.where(case.mask.foreground, names.index(case.label) + 1, 0)
    known = ~case.mask.ignored
    return ClassedImage(
        patient=patient_key(case.source, case.patient_id),
        malignant=case.label == "malignant",
        malignancy=prediction.malignancy,
        confusion=class_confusion(labels[known], truth[known], names),
    )


@dataclass
class ClassedImages:
    """What is kept of the images of an evaluation, one after the other.

    Attributes:
        found: those that are benign or malignant.
        left_out: how many others there were.
    """

    found: list[ClassedImage] = field(default_factory=list)
    left_out: int = 0

    def add(self, case: Case, prediction: Prediction) -> None:
        """Keep one more; raises as `classed_image`."""
        if case.label in LABELS:
            self.found.append(classed_image(case, prediction))
        else:
            self.left_out += 1

    def watch(self, opened: OpenedCase, outcome: Outcome) -> None:
        """The same as a callback of `evaluate`; other networks and failures are passed."""
        case, found = opened.case, outcome.prediction
        if case is not None and found is not None and set(LABELS) <= set(found.class_names):
            self.add(case, found)

    def write(self, name: str, folder: Path) -> None:
        """Write ``classes.md`` about a method; remove an earlier one where no image was kept.

        Raises:
            InputError: it cannot be written.
        """
        path = folder / "classes.md"
        if self.found:
            write_text(path, malignancy_markdown(name, self.figures()))
        else:
            path.unlink(missing_ok=True)  # it would tell of another evaluation than the summary

    def figures(
        self, cut: float = 0.5, resamples: int = RESAMPLES, seed: int = 0
    ) -> MalignancyFigures:
        """All figures of the images that were kept.

        Args:
            cut: probability from which an image is called malignant, 0 to 1.
            resamples: of the bootstrap, at least 1.
            seed: of the bootstrap.

        Raises:
            InputError: no image was kept.
        """
        return _figures(self.found, self.left_out, cut, resamples, seed)


def _figures(
    found: Sequence[ClassedImage], left_out: int, cut: float, resamples: int, seed: int
) -> MalignancyFigures:
    if not found:
        raise InputError("no image labelled benign or malignant", "at least one")
    rows = [_parts(image, cut) for image in found]
    values = np.array([list(row.values()) for row in rows], np.float64)
    patients = [image.patient for image in found]
    intervals = ratio_intervals(
        values[:, :, 0], values[:, :, 1], patients, np.random.default_rng(seed), resamples
    )
    figures = dict(zip(rows[0], intervals, strict=True))
    malignant = np.array([image.malignant for image in found])
    given = np.array([image.malignancy or 0.0 for image in found])
    figures["area_under_curve"] = area_interval(
        given, malignant, patients, np.random.default_rng(seed), resamples
    )
    told = np.array([image.malignancy is not None for image in found])
    counts = Counter(LABELS[int(image.malignant)] for image in found)
    return MalignancyFigures(
        images={label: counts[label] for label in LABELS},
        patients=len(set(patients)),
        without_mask=int((~told).sum()),
        left_out=left_out,
        figures=figures,
        calibration_error=expected_calibration_error(given[told], malignant[told]),
        confusion=pooled(image.confusion for image in found),
        cut=cut,
        resamples=resamples,
        seed=seed,
    )


def _parts(image: ClassedImage, cut: float) -> dict[str, tuple[float, float]]:
    """Each figure's part and whole in one image."""
    parts: dict[str, tuple[float, float]] = {}
    own, counts = image.confusion, image.confusion.counts
    for label in LABELS:
        of_label = float(image.malignant == (label == "malignant"))
        at = own.names.index(label) + 1
        right, both = float(counts[at, at]), float(counts[at].sum() + counts[:, at].sum())
        parts[f"dice_{label}"] = (of_label * own.dice(label), of_label)
        parts[f"iou_{label}"] = (of_label * own.iou(label), of_label)
        parts[f"pooled_dice_{label}"] = (2 * right, both)
        parts[f"pooled_iou_{label}"] = (right, both - right)
    outlined = float(counts[1:, 1:].sum())
    parts["right_pixels"] = (own.right_pixels, own.lesion_pixels)
    parts["right_pixels_outlined"] = (own.right_pixels, outlined)
    called = image.malignancy is not None and image.malignancy >= cut
    right_call = float(called == image.malignant)
    is_malignant = float(image.malignant)
    parts["accuracy"] = (right_call, 1)
    parts["sensitivity"] = (right_call * is_malignant, is_malignant)
    parts["specificity"] = (right_call * (1 - is_malignant), 1 - is_malignant)
    parts["brier_score"] = (0.0, 0.0)
    if image.malignancy is not None:
        squared = brier_score(np.array([image.malignancy]), np.array([image.malignant]))
        parts["brier_score"] = (squared, 1.0)
    return parts


def area_interval(
    probability: NDArray[np.float64],
    malignant: NDArray[np.bool_],
    patients: Sequence[str],
    generator: np.random.Generator,
    resamples: int = RESAMPLES,
) -> Interval:
    """Bootstrap the area under the curve over patients, as `ratio_intervals` does ratios.

    Args:
        probability: (n,) of malignancy, 0 to 1.
        malignant: (n,) bool.
        patients: n patients.
        generator: where the draws come from.
        resamples: number of draws, at least 1; one without both kinds of image is left out.

    Raises:
        InputError: arrays that do not fit, or no resample.
    """
    value = area_under_curve(probability, malignant)
    if len(patients) != len(probability) or resamples < 1:
        raise InputError(
            f"{len(probability)} images, {len(patients)} patients, {resamples} resamples",
            "a patient an image, 1 resample or more",
        )
    if not len(patients):
        return Interval(math.nan, math.nan, math.nan)
    _, patient = np.unique(np.asarray(patients), return_inverse=True)
    number = int(patient.max()) + 1
    block = max(1, min(resamples, _BLOCK // len(patients)))
    areas = []
    for start in range(0, resamples, block):
        n = min(block, resamples - start)
        draws = generator.integers(number, size=(n, number))
        draws += np.arange(n)[:, None] * number
        times = np.bincount(draws.ravel(), minlength=n * number).reshape(n, number)
        areas.append(_weighted_areas(probability, malignant, times[:, patient]))
    drawn = np.concatenate(areas)
    if number < 2:  # drawn again and again, a single patient has no spread
        drawn[:] = math.nan
    return interval_of(value, drawn)


def _weighted_areas(
    probability: NDArray[np.float64], malignant: NDArray[np.bool_], weights: NDArray[np.int64]
) -> NDArray[np.float64]:
    """The area (m,) for each of m weightings (m, n) of the images; NaN without both kinds."""
    order = np.argsort(probability, kind="stable")
    ordered = probability[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] > ordered[:-1]])  # of equal values
    weighed = weights[:, order]
    there = np.add.reduceat(weighed * malignant[order], starts, axis=1)
    others = np.add.reduceat(weighed * ~malignant[order], starts, axis=1)
    below = np.cumsum(others, axis=1) - others
    pairs = there.sum(axis=1) * others.sum(axis=1)
    won = (there * (below + others / 2)).sum(axis=1)
    return np.asarray(np.where(pairs > 0, won / np.maximum(pairs, 1), np.nan))


def malignancy_markdown(name: str, found: MalignancyFigures) -> str:
    """The figures as Markdown: how they came about, a table, and the pixels.

    Args:
        name: of the method.
        found: what to report.
    """
    benign, malignant = (found.images[label] for label in LABELS)
    protocol = (
        f"{name} on {benign} benign and {malignant} malignant images of {found.patients} patients; "
        f"in {found.without_mask} of them nothing is outlined, {found.left_out} other images "
        f"are left out. {CALLED.format(cut=found.cut)} Scored at each image's own size. In "
        "brackets: 95 % interval, bootstrap over patients, "
        f"{found.resamples} resamples, percentile method, seed {found.seed}. The expected "
        f"calibration error is over {BINS} bins of one width; it and the Brier score are of the "
        "images with a probability."
    )
    lines = [(_WORDS[key], _shown(interval)) for key, interval in found.figures.items()]
    lines.append(("Expected calibration error", f"{found.calibration_error:.3f}"))
    names = ("background", *found.confusion.names)
    pixels = [
        (f"true {one}", *(str(count) for count in row))
        for one, row in zip(names, found.confusion.counts.tolist(), strict=True)
    ]
    parts = [
        f"# {name}: benign or malignant",
        protocol,
        _table(("Figure", "Value"), lines),
        "## Pixels",
        _table(("", *(f"called {one}" for one in names)), pixels),
    ]
    return "\n\n".join(parts) + "\n"


_WORDS = {
    **{
        f"{prefix}{key}_{label}": f"{word} of {label} lesions, {over}"
        for label in LABELS
        for key, word in (("dice", "Dice"), ("iou", "IoU"))
        for prefix, over in (("", f"mean over {label} images"), ("pooled_", "all pixels pooled"))
    },
    "right_pixels": "Lesion pixels called by their class",
    "right_pixels_outlined": "Outlined lesion pixels called by their class",
    "accuracy": "Images called right",
    "sensitivity": "Sensitivity for malignant images",
    "specificity": "Specificity",
    "area_under_curve": "Area under the ROC curve",
    "brier_score": "Brier score",
}


def _shown(interval: Interval) -> str:
    if math.isnan(interval.value):
        return "-"
    return f"{interval.value:.3f}{bracketed(interval.low, interval.high)}"


def _table(heads: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    rows = [heads, ["---"] * len(heads), *lines]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)
