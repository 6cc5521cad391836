"""What a DICOM header says of the study, series and instance that its image belongs to."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from breastseg.core.reference import Display, FrameReference, Place, Reference

if TYPE_CHECKING:
    from pydicom import Dataset

REPEATED_TAGS = (
    # patient module, PS3.3 C.7.1.1
    *("PatientName", "PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientBirthTime"),
    *("PatientSex", "PatientIdentityRemoved", "DeidentificationMethod"),
    # patient study module, C.7.2.2
    *("PatientAge", "PatientSize", "PatientWeight"),
    # general study module, C.7.2.1
    *("StudyDate", "StudyTime", "StudyID", "StudyDescription", "ReferringPhysicianName"),
    # SOP common module, C.12.1: what the times and the letters mean
    *("TimezoneOffsetFromUTC", "SpecificCharacterSet"),
    # general series, equipment and image, for descriptions and laterality
    *("Modality", "SeriesNumber", "SeriesDescription", "InstanceNumber", "BodyPartExamined"),
    *("ImageLaterality", "Laterality", "Manufacturer", "ManufacturerModelName", "StationName"),
    # image pixel, for presentation states
    *("PhotometricInterpretation", "BitsAllocated"),
)
"""By keyword, what an object that is derived from an image repeats of it."""

REFERENCE_TAGS = (
    *("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID"),
    *("AccessionNumber", "FrameOfReferenceUID"),
    *("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness"),
    *("RescaleSlope", "RescaleIntercept", "RescaleType", "ModalityLUTSequence"),
    *("WindowCenter", "WindowWidth", "VOILUTFunction"),
    *REPEATED_TAGS,
)
"""All that `reference_of` looks at."""


def reference_of(header: Dataset, frame: int | None = None) -> Reference:
    """Identify one frame.

    Args:
        header: of the file, of an enhanced multi-frame object as `frame_header` gives it.
        frame: its index in the file, from 0; None for a file of a single frame.

    Returns:
        With one entry in `frames`. What the header does not state, or states in a way that is no
        text, is empty.
    """
    number = None if frame is None else frame + 1
    place = place_of(header)
    return Reference(
        _text(header, "StudyInstanceUID"),
        _text(header, "AccessionNumber"),
        _text(header, "FrameOfReferenceUID"),
        (
            FrameReference(
                _text(header, "SeriesInstanceUID"),
                _text(header, "SOPInstanceUID"),
                _text(header, "SOPClassUID"),
                number,
            ),
        ),
        {tag: said for tag in REPEATED_TAGS if (said := _text(header, tag))},
        () if place is None else (place,),
        (display_of(header),),
    )


def place_of(header: Dataset) -> Place | None:
    """Where the frame lies in the patient; None where the header does not say so in full.

    The directions are given as they are stated; see `Place`.
    """
    position = numbers(header, "ImagePositionPatient", 3)
    cosines = numbers(header, "ImageOrientationPatient", 6)
    spacing = numbers(header, "PixelSpacing", 2)
    if not (position and cosines and spacing) or min(spacing) <= 0:
        return None
    thick = numbers(header, "SliceThickness", 1)
    return Place(
        (position[0], position[1], position[2]),
        cosines,
        (spacing[0], spacing[1]),
        thick[0] if thick and thick[0] > 0 else None,
    )


def display_of(header: Dataset) -> Display:
    """How the frame's values come to a screen; numbers that are none count as not stated."""
    slope, intercept = _first(header, "RescaleSlope"), _first(header, "RescaleIntercept")
    centre, width = _first(header, "WindowCenter"), _first(header, "WindowWidth")
    kind, function = _text(header, "RescaleType"), _text(header, "VOILUTFunction")
    return Display(
        None if slope is None or intercept is None else (slope, intercept, kind),
        None if centre is None or width is None else (centre, width, function),
        bool(header.get("ModalityLUTSequence")),
    )


def _first(header: Dataset, keyword: str) -> float | None:
    """The first value of an element where it is a finite number."""
    try:
        number = float(_text(header, keyword).split("\\")[0])
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def numbers(header: Dataset, keyword: str, count: int) -> tuple[float, ...]:
    """The finite values of an element; none where there are more or fewer."""
    value = header.get(keyword)
    parts = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    try:
        found = tuple(float(part) for part in parts)
    except (TypeError, ValueError):
        return ()
    return found if len(found) == count and all(map(math.isfinite, found)) else ()


def _text(header: Dataset, keyword: str) -> str:
    from pydicom.multival import MultiValue

    value = header.get(keyword)
    if value is None or isinstance(value, bytes):
        return ""
    if isinstance(value, MultiValue):
        value = "\\".join(map(str, value))
    return str(value).replace("\0", "").strip()
