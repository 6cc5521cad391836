"""The figures of an evaluation, for all images and for groups of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from breastseg.evaluation.run import Evaluation, Row
from breastseg.evaluation.score import VolumeScore
from breastseg.evaluation.statistics import RESAMPLES, ratio_intervals

SMALL, LARGE = 0.03, 0.10
"""Bounds of the lesion sizes, as fractions of the image: small below, medium between, large
above."""
SMALL_CM3, LARGE_CM3 = 4.2, 65.4
"""The same of volumes: spheres of 2 and 5 cm, between which the stages T1, T2 and T3 change (AJCC
Cancer Staging Manual, 8th edition); all lesions of a study count together."""

# Each figure is a total of parts over a total of wholes; an image gives (part, whole).
_Parts = Callable[[Row], tuple[float, float]]


def _mean(value: Callable[[Row], float | None]) -> _Parts:
    """A mean over the images that have a value."""

    def parts(row: Row) -> tuple[float, float]:
        x = value(row)
        return (0.0, 0.0) if x is None or math.isnan(x) else (x, 1.0)

    return parts


def _of_volume(value: Callable[[VolumeScore], float | None]) -> _Parts:
    """A mean over the volumes that have a value; images have none."""
    return _mean(
        lambda row: value(row.score) if isinstance(row.score, VolumeScore) else None,
    )


_MEANS: Mapping[str, _Parts] = {
    "dice": _mean(lambda row: row.score.dice),
    "iou": _mean(lambda row: row.score.iou),
    "precision": _mean(lambda row: row.score.precision),
    "recall": _mean(lambda row: row.score.recall),
    "specificity": _mean(lambda row: row.score.specificity),
    "hd95_px": _mean(lambda row: row.score.hd95_px),
    "assd_px": _mean(lambda row: row.score.assd_px),
    "hd95_mm": _mean(lambda row: row.score.hd95_mm),
    "assd_mm": _mean(lambda row: row.score.assd_mm),
    "false_positives_per_image": _mean(lambda row: row.score.false_positives),
    "fraction_outlined": _mean(lambda row: row.outlined),
    "milliseconds": _mean(lambda row: row.milliseconds),
    "volume_cm3": _of_volume(lambda score: score.volume_cm3),
    "true_volume_cm3": _of_volume(lambda score: score.true_volume_cm3),
    "volume_error_cm3": _of_volume(lambda score: score.volume_error_cm3),
}


def _pooled_dice(row: Row) -> tuple[float, float]:
    score = row.score
    twice = 2 * score.true_positive
    return twice, twice + score.false_positive + score.false_negative


_RATIOS: Mapping[str, _Parts] = {
    "lesions_found": lambda row: (row.score.found, row.score.true_lesions),
    "pooled_dice": _pooled_dice,
}


@dataclass(frozen=True)
class Figure:
    """One figure of one group.

    Attributes:
        value: the mean over images, or the ratio of totals.
        low: lower end of the 95 % interval.
        high: upper end.
        median: over images; None for a ratio of totals.
        images: how many images enter it.
    """

    value: float
    low: float
    high: float
    median: float | None
    images: int


@dataclass(frozen=True)
class Group:
    """The figures of some of the images.

    Attributes:
        name: which images.
        images: how many.
        patients: of how many patients.
        failures: how many could not be segmented.
        undefined_surface: on how many the surface distances are undefined.
        figures: by name; a figure that no image enters is left out. Under ``"lesions_found"``
            stands the fraction of true lesions found, under ``"fraction_outlined"`` that of images
            with any mask, under ``"pooled_dice"`` the Dice of all pixels of the group taken
            as one image; the others are means over images.
    """

    name: str
    images: int
    patients: int
    failures: int
    undefined_surface: int
    figures: Mapping[str, Figure]


@dataclass(frozen=True)
class Summary:
    """The figures of an evaluation.

    Attributes:
        groups: by name. ``"all images"`` and, where there are any: ``"lesion images"``,
            ``"normal images"``; of the lesion images ``"benign"``, ``"malignant"`` and
            ``"small"``, ``"medium"``, ``"large"`` lesions; where there are several sources
            ``"SOURCE, lesion images"`` and ``"SOURCE, normal images"``.
        resamples: of the bootstrap.
        seed: of the bootstrap.
    """

    groups: Mapping[str, Group]
    resamples: int
    seed: int


def summarise(evaluation: Evaluation, resamples: int = RESAMPLES, seed: int = 0) -> Summary:
    """Compute all figures of all groups.

    Args:
        evaluation: at least one row.
        resamples: of the bootstrap, at least 1.
        seed: of the bootstrap; each group starts from it, so that a group's interval does not
            depend on which other groups there are.
    """
    groups = {
        name: group_figures(name, rows, resamples, seed)
        for name, rows in _members(evaluation.rows).items()
        if rows
    }
    return Summary(groups, resamples, seed)


def _members(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Which rows belong to which group."""
    lesions = [row for row in rows if row.has_lesion]
    normals = [row for row in rows if not row.has_lesion]
    members = {
        "all images": list(rows),
        "lesion images": lesions,
        "normal images": normals,
        "benign": [row for row in lesions if row.label == "benign"],
        "malignant": [row for row in lesions if row.label == "malignant"],
        **{
            name: [r for r in lesions if size_of(r) == name]
            for name in ("small", "medium", "large")
        },
    }
    sources = sorted({row.source for row in rows})
    for source in sources if len(sources) > 1 else ():
        members[f"{source}, lesion images"] = [r for r in lesions if r.source == source]
        members[f"{source}, normal images"] = [r for r in normals if r.source == source]
    return members


def size_of(row: Row) -> str | None:
    """Whether the lesions of an image are small, medium or large; None where it is not known."""
    size, low, high = row.lesion_fraction, SMALL, LARGE
    if isinstance(row.score, VolumeScore):
        size, low, high = row.score.true_volume_cm3, SMALL_CM3, LARGE_CM3
    if size is None:
        return None
    return "small" if size < low else "large" if size > high else "medium"


def group_figures(
    name: str, rows: Sequence[Row], resamples: int = RESAMPLES, seed: int = 0
) -> Group:
    """Compute all figures of one group; arguments as `summarise`.

    Args:
        name: which images they are.
        rows: at least one.
        resamples: of the bootstrap.
        seed: of the bootstrap.
    """
    measures = {**_MEANS, **_RATIOS}
    pairs = np.array([[parts(row) for parts in measures.values()] for row in rows], np.float64)
    numerators, denominators = pairs[:, :, 0], pairs[:, :, 1]
    intervals = ratio_intervals(
        numerators,
        denominators,
        [row.patient for row in rows],
        np.random.default_rng(seed),
        resamples,
    )
    figures = {}
    for i, (figure, interval) in enumerate(zip(measures, intervals, strict=True)):
        entering = denominators[:, i] > 0
        if entering.any():
            median = float(np.median(numerators[entering, i])) if figure in _MEANS else None
            figures[figure] = Figure(
                interval.value, interval.low, interval.high, median, int(entering.sum())
            )
    return Group(
        name=name,
        images=len(rows),
        patients=len({row.patient for row in rows}),
        failures=sum(row.error is not None for row in rows),
        undefined_surface=sum(math.isnan(row.score.hd95_px) for row in rows),
        figures=figures,
    )
