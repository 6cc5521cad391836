"""Fitting margins and thresholds that hold for unseen patients, and checking them on others.

A lesion is a connected region of the ground truth. Of the region of the mask that shares most
pixels with it two others are made: what is joined to it at a low probability, and what in it has a
high one. The first is asked how far it must be widened to hold all of the lesion, the second how
far narrowed until only lesion is left, in units of the region's equivalent diameter: a constant
distance suits neither small nor large lesions, and the mask alone does not tell where the network
is unsure.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
from numpy.typing import NDArray

from breastseg.core.calibrated import Conformal, Margin, MissedArea
from breastseg.core.errors import DataSetError
from breastseg.core.prediction import Lesion, Prediction
from breastseg.core.regions import connected_regions
from breastseg.data.dataset import CaseRef
from breastseg.inference.onnx_segmenter import OnnxSegmenter
from breastseg.measure.lesion import spacing_at
from breastseg.measure.margin import contour_starts, equivalent_diameter
from breastseg.metrics.conformal import (
    inner_margin,
    outer_margin,
    risk_controlling_threshold,
    tolerance_bound,
)
from breastseg.preprocess.prepare import prepare

THRESHOLDS = (0.02, *(round(0.05 * step, 2) for step in range(1, 20)))
COVERAGES = (0.8, 0.9, 0.95)
BOUNDS = (0.05, 0.1, 0.2)
STEP = 0.02
"""Between the distances of `Reach.wider`, in equivalent diameters."""
DISTANCES = 100
_SIDES = ("outer", "inner")
OUTER_THRESHOLD, INNER_THRESHOLD = 0.1, 0.8
"""Probabilities from which the contours start, where the operating point is between them."""


@dataclass(frozen=True)
class Reach:
    """How far two masks must be widened and narrowed for a lesion, and what that costs.

    Attributes:
        outer: by how many diameters the one must be widened to hold the lesion.
        inner: by how many the other must be narrowed until only lesion is left.
        wider: area of the first over that of the region, when widened by 0, 1, 2, ... `STEP`.
        narrower: likewise of the second, when narrowed.
    """

    outer: float
    inner: float
    wider: tuple[float, ...]
    narrower: tuple[float, ...]


@dataclass(frozen=True)
class TouchedLesion:
    """A lesion with the region of the mask that shares most pixels with it.

    Attributes:
        diameter: the region's equivalent diameter, in mm, or px where the spacing is not known.
        unit: ``"mm"`` or ``"px"``.
        reach: of what is joined to the region at a low probability, and of what in it has a high
            one.
        mask_reach: of the region itself.
    """

    diameter: float
    unit: str
    reach: Reach
    mask_reach: Reach


@dataclass(frozen=True)
class LesionImage:
    """What a network makes of an image with a lesion.

    Attributes:
        patient: unique over all sources.
        source: the data set.
        missed: how many lesions no region of the mask touches.
        touched: the others.
        missed_area: fraction of all lesions' area outside the mask, 0 to 1, at each of
            `THRESHOLDS`.
    """

    patient: str
    source: str
    missed: int
    touched: tuple[TouchedLesion, ...]
    missed_area: tuple[float, ...]

    def as_dict(self) -> dict[str, object]:
        """The same as plain containers, ready for JSON."""
        return asdict(self)

    @classmethod
    def of(cls, held: Mapping[str, object]) -> LesionImage:
        """From what `as_dict` gave, by way of JSON."""
        from pydantic import TypeAdapter

        return TypeAdapter(cls).validate_python(held)


def look(network: OnnxSegmenter, ref: CaseRef) -> LesionImage | None:
    """Segment an image at the network's operating point, and at every threshold.

    What is to be ignored may lie in a contour or not.

    Returns:
        None where the ground truth holds no lesion.

    Raises:
        DataSetError: the case has no ground truth.
    """
    case = ref.load()
    if case.mask is None:
        raise DataSetError(f"case {ref.key} without ground truth", "a mask")
    truth = case.mask.foreground
    if not truth.any():
        return None
    image = case.images[0]
    array, placement = prepare(image, network.bundle.input)
    maps = network.class_probabilities(array[None])[0]

    def at(threshold: float) -> Prediction:
        output = replace(network.output, threshold=threshold)
        return network.with_output(output).prediction_of(image, maps, placement)

    outside = [float(1 - at(one).mask().foreground[truth].mean()) for one in THRESHOLDS]
    found = at(network.output.threshold)
    allowed = truth | case.mask.ignored
    touched = [touched_lesion(found, one.on(truth.shape), allowed) for one in _lesions(truth)]
    return LesionImage(
        ref.patient_key,
        ref.source,
        sum(one is None for one in touched),
        tuple(one for one in touched if one is not None),
        # a rule such as "the largest alone" may lose more at a lower threshold
        tuple(np.maximum.accumulate(outside).tolist()),
    )


def touched_lesion(
    found: Prediction, lesion: NDArray[np.bool_], allowed: NDArray[np.bool_]
) -> TouchedLesion | None:
    """A lesion against the region that shares most pixels with it; None where none shares any.

    Args:
        found: the mask and its probabilities.
        lesion: (rows, columns) bool, one lesion.
        allowed: (rows, columns) bool, where the inner contour may lie: in all of them, and where
            nothing is known.
    """
    regions = found.lesions()
    shared = [np.count_nonzero(region.values(lesion)) for region in regions]
    if not shared or not max(shared):
        return None
    region = regions[int(np.argmax(shared))]
    spacing = spacing_at(region, found.grid)
    steps = spacing or (1.0, 1.0)
    mask = region.on(lesion.shape)
    diameter = equivalent_diameter(region.crop, steps)
    reached, kept = contour_starts(mask, found.probability, *contour_thresholds(found.threshold))
    size = diameter, region.area_px
    return TouchedLesion(
        diameter=diameter,
        unit="px" if spacing is None else "mm",
        reach=_reach((reached, kept), (lesion, allowed), size, steps),
        mask_reach=_reach((mask, mask), (lesion, allowed), size, steps),
    )


def contour_thresholds(threshold: float) -> tuple[float, float]:
    """From which probabilities the outer and the inner contour start, at an operating point."""
    return min(OUTER_THRESHOLD, threshold), max(INNER_THRESHOLD, threshold)


def _reach(
    masks: tuple[NDArray[np.bool_], NDArray[np.bool_]],
    truths: tuple[NDArray[np.bool_], NDArray[np.bool_]],
    size: tuple[float, int],
    steps: tuple[float, ...],
) -> Reach:
    """Of the mask to be widened and the one to be narrowed, for a lesion and what is allowed."""
    from scipy import ndimage

    (wide, core), (lesion, allowed), (diameter, pixels) = masks, truths, size
    distances = np.arange(DISTANCES + 1) * STEP * diameter
    outside = np.sort(ndimage.distance_transform_edt(~wide, steps), axis=None)
    inside = np.sort(ndimage.distance_transform_edt(np.pad(core, 1), steps)[1:-1, 1:-1][core])
    left = inside.size - np.searchsorted(inside, distances, "right")
    return Reach(
        outer=outer_margin(wide, lesion, steps) / diameter,
        inner=inner_margin(core, allowed, steps) / diameter,
        wider=tuple((np.searchsorted(outside, distances, "right") / pixels).tolist()),
        narrower=tuple((left / pixels).tolist()),
    )


def look_at_all(
    network: OnnxSegmenter,
    cases: Sequence[CaseRef],
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[LesionImage]:
    """Look at every image; those without a lesion are left out."""
    found = []
    for done, ref in enumerate(cases, start=1):
        found.append(look(network, ref))
        progress(done, len(cases))
    return [one for one in found if one is not None]


def fit_conformal(
    images: Sequence[LesionImage],
    calibrated_on: str,
    start: tuple[float, float],
    generator: np.random.Generator,
) -> Conformal:
    """Fit margins and thresholds. Of each patient one lesion, drawn by chance, and the mean loss.

    Patients, not images, are what is exchangeable.

    Args:
        images: with a lesion, that the network was not trained on.
        calibrated_on: what they are, in words.
        start: from which probabilities the contours start, see `contour_thresholds`.
        generator: draws the lesions.

    Raises:
        DataSetError: no lesion is touched.
    """
    touched: dict[str, list[TouchedLesion]] = {}
    losses: dict[str, list[tuple[float, ...]]] = {}
    for image in images:
        losses.setdefault(image.patient, []).append(image.missed_area)
        if image.touched:
            touched.setdefault(image.patient, []).extend(image.touched)
    if not touched:
        raise DataSetError(f"{len(images)} images, no lesion of which is touched", "at least one")
    drawn = [lesions[int(generator.integers(len(lesions)))] for lesions in touched.values()]
    outer, inner = (np.array([getattr(one.reach, side) for one in drawn]) for side in _SIDES)
    bounds = [
        Margin(
            coverage,
            _up(tolerance_bound(outer, coverage)),
            _up(tolerance_bound(inner, coverage)),
            *start,
        )
        for coverage in COVERAGES
        if math.isfinite(tolerance_bound(outer, coverage))
    ]
    missed = sum(image.missed for image in images)
    loss = np.array([np.mean(rows, axis=0) for rows in losses.values()])
    thresholds = (
        (bound, risk_controlling_threshold(np.array(THRESHOLDS), loss, bound)) for bound in BOUNDS
    )
    return Conformal(
        calibrated_on=calibrated_on,
        patients=len(drawn),
        missed=round(missed / (missed + sum(len(image.touched) for image in images)), 4),
        margins=tuple(bounds),
        missed_area=tuple(MissedArea(bound, one) for bound, one in thresholds if one is not None),
    )


def _lesions(truth: NDArray[np.bool_]) -> list[Lesion]:
    return [Lesion(crop, box, 1.0, 1.0) for box, crop in connected_regions(truth).crops()]


def _up(distance: float) -> float:
    """Rounded up to four digits, so that what held still holds."""
    return math.ceil(distance * 1e4) / 1e4
