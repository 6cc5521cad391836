"""Whether margins and thresholds hold on other patients, and what they cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from breastseg.core.calibrated import Conformal, Margin
from breastseg.core.errors import DataSetError
from breastseg.evaluation.calibration.margins import (
    STEP,
    THRESHOLDS,
    LesionImage,
    Reach,
    TouchedLesion,
)
from breastseg.evaluation.statistics import Interval, bracketed, mean_interval
from breastseg.metrics.conformal import tolerance_bound


@dataclass(frozen=True)
class Coverage:
    """How often contours hold, over lesions that the mask touches.

    Attributes:
        promised: the probability.
        outer: fraction of lesions that lie within the outer contour, with its 95 % interval,
            bootstrap over patients.
        inner: fraction whose inner contour holds lesion alone.
        both: fraction of which both hold.
        outer_distance: the median of what the outer mask is wider than the mask, in `unit`: the
            difference of the radii of discs of their areas.
        inner_distance: likewise, of what the inner mask is narrower.
        outer_area: the median of the outer mask's area over that of the mask.
        inner_area: likewise.
        unit: ``"mm"``, ``"px"``, or ``"mm or px"`` where some images state no spacing.
    """

    promised: float
    outer: Interval
    inner: Interval
    both: Interval
    outer_distance: float
    inner_distance: float
    outer_area: float
    inner_area: float
    unit: str


def lesions_of(images: Sequence[LesionImage]) -> tuple[list[TouchedLesion], list[str]]:
    """All touched lesions and their patients.

    Raises:
        DataSetError: there is none.
    """
    pairs = [(lesion, image.patient) for image in images for lesion in image.touched]
    if not pairs:
        raise DataSetError(f"{len(images)} images, no lesion of which is touched", "at least one")
    lesions, patients = zip(*pairs, strict=True)
    return list(lesions), list(patients)


def coverage_of(
    margin: Margin, images: Sequence[LesionImage], generator: np.random.Generator
) -> Coverage:
    """How often a margin in diameters holds.

    Args:
        margin: as a bundle carries it.
        images: of other patients than it was fitted on.
        generator: of the bootstrap.
    """
    lesions, patients = lesions_of(images)
    by = np.array([[margin.outer, margin.inner]] * len(lesions))
    needed = [one.reach for one in lesions]
    return _coverage(margin.coverage, (lesions, needed), patients, by, generator)


def constant_coverage(
    coverage: float,
    calibration: Sequence[LesionImage],
    images: Sequence[LesionImage],
    generator: np.random.Generator,
) -> Coverage:
    """The same with one distance from the mask for all lesions, fitted on the calibration."""
    fitted, _ = lesions_of(calibration)
    lesions, patients = lesions_of(images)
    distances = [
        tolerance_bound(
            np.array([getattr(one.mask_reach, side) * one.diameter for one in fitted]), coverage
        )
        for side in ("outer", "inner")
    ]
    by = np.array([[one / lesion.diameter for one in distances] for lesion in lesions])
    needed = [one.mask_reach for one in lesions]
    return _coverage(coverage, (lesions, needed), patients, by, generator)


def missed_area(
    threshold: float, images: Sequence[LesionImage], generator: np.random.Generator
) -> Interval:
    """The mean fraction of lesions' area outside the mask at one of `THRESHOLDS`."""
    column = THRESHOLDS.index(threshold)
    values = [image.missed_area[column] for image in images]
    return mean_interval(values, [image.patient for image in images], generator)


def missed_lesions(images: Sequence[LesionImage], generator: np.random.Generator) -> Interval:
    """The fraction of lesions that no region touches."""
    flags = [
        (float(number >= len(image.touched)), image.patient)
        for image in images
        for number in range(len(image.touched) + image.missed)
    ]
    values, patients = zip(*flags, strict=True)
    return mean_interval(values, patients, generator)


def conformal_figures(
    conformal: Conformal, images: Sequence[LesionImage], generator: np.random.Generator
) -> dict[str, float | str]:
    """In the form that a bundle's measured figures have."""
    found: dict[str, float | str] = {
        "patients checked": len({image.patient for image in images}),
        "lesions missed altogether": _said(missed_lesions(images, generator)),
    }
    for margin in conformal.margins:
        one = coverage_of(margin, images, generator)
        found[f"margin {margin.coverage:g}"] = (
            f"outer contour holds {_said(one.outer)}, inner {_said(one.inner)}, both "
            f"{_said(one.both)}; median distance {one.outer_distance:.3g} and "
            f"{one.inner_distance:.3g} {one.unit}, area {one.outer_area:.2f} and "
            f"{one.inner_area:.2f} of the mask's"
        )
    for area in conformal.missed_area:
        found[f"missed area at most {area.expected:g}"] = (
            f"{_said(missed_area(area.threshold, images, generator))} at a threshold of "
            f"{area.threshold:g}"
        )
    return found


def _coverage(
    promised: float,
    lesions: tuple[Sequence[TouchedLesion], Sequence[Reach]],
    patients: Sequence[str],
    by: NDArray[np.float64],
    generator: np.random.Generator,
) -> Coverage:
    """Of lesions, with what they need, by distances (n, 2), outer and inner, in diameters."""
    touched, needed = lesions
    holds = np.array([[one.outer, one.inner] for one in needed]) <= by
    wider = np.array([_area(one.wider, d) for one, d in zip(needed, by[:, 0], strict=True)])
    narrower = np.array([_area(one.narrower, d) for one, d in zip(needed, by[:, 1], strict=True)])
    radii = np.array([one.diameter / 2 for one in touched])
    units = {one.unit for one in touched}
    return Coverage(
        promised=promised,
        outer=mean_interval(holds[:, 0], patients, generator),
        inner=mean_interval(holds[:, 1], patients, generator),
        both=mean_interval(holds.all(axis=1), patients, generator),
        outer_distance=float(np.median(radii * (np.sqrt(wider) - 1))),
        inner_distance=float(np.median(radii * (1 - np.sqrt(narrower)))),
        outer_area=float(np.median(wider)),
        inner_area=float(np.median(narrower)),
        unit=units.pop() if len(units) == 1 else "mm or px",
    )


def _area(curve: Sequence[float], reach: float) -> float:
    """The area ratio between two steps of a curve; beyond its end that of the end."""
    return float(np.interp(reach, np.arange(len(curve)) * STEP, curve))


def _said(interval: Interval) -> str:
    return f"{interval.value:.3f}{bracketed(interval.low, interval.high)}"
