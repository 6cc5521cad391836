"""From what was found to an entry of the results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from breastseg.core.errors import BreastsegError
from breastseg.core.grid import Grid
from breastseg.core.image import Image
from breastseg.core.prediction import Prediction
from breastseg.measure.finding import Finding
from breastseg.measure.margin import LesionMargin
from breastseg.results.schema import (
    DescriptorRecord,
    Entry,
    Files,
    Kind,
    LesionRecord,
    Line,
    MarginRecord,
    SourceReference,
    significant,
)


def success(
    name: str,
    image: Image,
    prediction: Prediction,
    found: Sequence[Finding],
    files: Files,
) -> Entry:
    """The entry of an image, frame or volume that was segmented.

    Args:
        name: the file as the user named it.
        image: what was read.
        prediction: what was found in it.
        found: its lesions, the largest first.
        files: what was written for it.
    """
    grid = prediction.grid
    plane: Kind = "image" if image.frame is None else "frame"
    return Entry(
        input=name,
        kind="volume" if grid.ndim == 3 else plane,
        frame=None if image.frame is None else image.frame + 1,
        phases=image.phases or None,
        reference=SourceReference.of(image.reference),
        shape=grid.shape,
        spacing_mm=grid.spacing_mm,
        view=image.view or None,
        remarks=image.remarks,
        label=prediction.target,
        lesions=tuple(
            lesion_record(number, one, grid) for number, one in enumerate(found, start=1)
        ),
        confidence=_rounded(prediction.confidence),
        malignancy=_rounded(prediction.malignancy),
        steps=prediction.provenance.steps,
        files=files,
    )


def failure(name: str, kind: Kind, error: BreastsegError, frame: int | None = None) -> Entry:
    """The entry of what could not be segmented; `frame` counts from 1."""
    return Entry(name, kind, "error", str(error), frame)


def lesion_record(number: int, finding: Finding, grid: Grid) -> LesionRecord:
    """A lesion of an image or volume on this grid as it stands in the results."""
    lesion, measured, classes = finding.lesion, finding.measured, finding.classes
    record = LesionRecord(
        number=number,
        box=tuple(lesion.box),
        pixels=lesion.area_px,
        unit="px" if (grid if measured is None else measured).unit == "px" else "mm",
        volume=None if finding.volume is None else significant(finding.volume),
        mean_probability=_rounded(lesion.mean_probability),
        max_probability=_rounded(lesion.score),
        uncertainty=_rounded(finding.uncertainty),
        class_name=max(classes, key=lambda name: classes[name], default=None),
        class_probabilities={name: round(mean, 4) for name, mean in classes.items()} or None,
        margin=None if finding.margin is None else margin_record(finding.margin),
        descriptors=tuple(
            DescriptorRecord(one.kind, one.value, one.detail or None) for one in finding.descriptors
        )
        or None,
    )
    if measured is None:
        return record
    return replace(
        record,
        longest_diameter=significant(measured.longest),
        longest_diameter_ends=_ends(measured.longest_ends),
        perpendicular_diameter=significant(measured.perpendicular),
        perpendicular_diameter_ends=_ends(measured.perpendicular_ends),
        area=significant(measured.area),
        distance_to_skin=None
        if finding.skin_distance is None
        else significant(finding.skin_distance),
    )


def margin_record(margin: LesionMargin) -> MarginRecord:
    """The contours around a lesion as they stand in the results."""
    low, high = margin.longest_diameter
    small, large = margin.area
    return MarginRecord(
        coverage=margin.coverage,
        outer_distance=significant(margin.outer_distance),
        inner_distance=significant(margin.inner_distance),
        longest_diameter=(significant(low), significant(high)),
        area=(significant(small), significant(large)),
    )


def _ends(ends: Sequence[tuple[float, float]]) -> Line:
    first, second = ((round(row, 2), round(column, 2)) for row, column in ends)
    return first, second


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
