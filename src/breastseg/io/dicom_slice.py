"""What a DICOM slice says of its place in space and in time, without its pixels."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from breastseg.core.errors import UnsupportedError
from breastseg.core.image import Modality
from breastseg.core.reference import Reference
from breastseg.io.dicom_image import decoding
from breastseg.io.dicom_modality import modality_of
from breastseg.io.dicom_reference import REFERENCE_TAGS, reference_of
from breastseg.io.dicom_remarks import TOMOSYNTHESIS
from breastseg.io.functional_groups import MULTI_FRAME_TAGS, frame_header
from breastseg.io.source import brief, opened

if TYPE_CHECKING:
    from pydicom import Dataset

MOMENTS = (
    "TemporalPositionIdentifier",
    "AcquisitionNumber",
    "AcquisitionTime",
    "TriggerTime",
    "ContentTime",
)
"""What tells the phases within one series apart, by keyword; what was made for it comes first."""

STARTS = ("AcquisitionTime", "SeriesTime", "SeriesNumber")
"""What puts series in order, by keyword."""

_DATES = {
    "AcquisitionTime": "AcquisitionDate",
    "ContentTime": "ContentDate",
    "SeriesTime": "SeriesDate",
}
_TAGS = (
    *("Modality", "SeriesInstanceUID", "SeriesDescription", "SeriesNumber", "ImageType"),
    "BodyPartExamined",
    *("Rows", "Columns", "NumberOfFrames", "BitsAllocated", "PixelRepresentation"),
    *("RescaleSlope", "RescaleIntercept", "InstanceNumber"),
    *MOMENTS,
    *STARTS,
    *_DATES.values(),
    *REFERENCE_TAGS,
)
_SECONDS = 86400.0

STACKS = (
    "1.2.840.10008.5.1.4.1.1.4.1",  # Enhanced MR Image
    "1.2.840.10008.5.1.4.1.1.4.4",  # Legacy Converted Enhanced MR Image
    TOMOSYNTHESIS,
)
"""The SOP classes whose frames are slices in space."""


@dataclass(frozen=True)
class DicomSlice:
    """One slice, its geometry as its header states it.

    Attributes:
        path: the file.
        frame: its index in the file, from 0; None where the file holds it alone.
        modality: what made it.
        series: the series' instance UID.
        title: the series' number and description, for messages.
        derived: computed from other images, as a subtraction is.
        frame_of_reference: slices of one frame of reference have comparable positions.
        shape: (rows, columns).
        spacing_mm: (row, column) distance of pixel centres in millimetres.
        position_mm: (x, y, z) of the first pixel's centre in DICOM's patient system (LPS).
        orientation: 6 cosines: the direction in which the columns count up, then the rows'.
        slope: by which a stored value is multiplied.
        intercept: what is then added.
        dtype: of the stored values, ``"<u2"`` for example.
        number: the instance's number in its series, where it is stated.
        times: by keyword, of `MOMENTS` and `STARTS`, what is stated; times in seconds.
        reference: the stored object that it is.
    """

    path: Path
    frame: int | None
    modality: Modality
    series: str
    title: str
    derived: bool
    frame_of_reference: str
    shape: tuple[int, int]
    spacing_mm: tuple[float, float]
    position_mm: tuple[float, float, float]
    orientation: tuple[float, ...]
    slope: float
    intercept: float
    dtype: str
    number: int | None
    times: Mapping[str, float]
    reference: Reference


def read_slices(path: Path) -> tuple[DicomSlice, ...]:
    """Read the header of a file with one slice, or with many.

    Returns:
        One a frame of an enhanced MR or tomosynthesis object, in the order of the file; none for
        an object without a slice in space, such as a report, a segmentation or a screenshot, or
        with frames without a place.

    Raises:
        UnreadableError: missing, empty, damaged or no DICOM.
        UnsupportedError: pixels of a number of bits that is not read.
    """
    name = str(path)
    with opened(path) as stream, decoding(name):
        header = _header(stream, (*_TAGS, *MULTI_FRAME_TAGS))
        frames = int(header.get("NumberOfFrames") or 1)
        if "Rows" not in header:
            return ()
        if str(header.get("SOPClassUID", "")) not in STACKS:
            one = _slice(header, path, None) if frames == 1 else None
            return () if one is None else (one,)
        found = [
            _slice(frame_header(header, index), path, index if frames > 1 else None)
            for index in range(frames)
        ]
    placed = tuple(one for one in found if one is not None)
    return placed if len(placed) == frames else ()


def _header(stream: BinaryIO, tags: Sequence[str]) -> Dataset:
    from pydicom import dcmread

    return dcmread(stream, stop_before_pixels=True, specific_tags=list(tags), force=True)


def _slice(header: Dataset, path: Path, frame: int | None) -> DicomSlice | None:
    """A slice from the header of its frame; None where it has no place in space."""
    reference = reference_of(header, frame)
    if not reference.places:
        return None
    place = reference.places[0]
    number, words = header.get("SeriesNumber"), header.get("SeriesDescription")
    title = " ".join(brief(part, 40) for part in (number, words) if part not in (None, ""))
    return DicomSlice(
        path=path,
        frame=frame,
        modality=modality_of(header),
        series=str(header.get("SeriesInstanceUID", "")),
        title=title or "without a name",
        derived="DERIVED" in (header.get("ImageType") or ()),
        frame_of_reference=str(header.get("FrameOfReferenceUID", "")),
        shape=(int(header.Rows), int(header.Columns)),
        spacing_mm=place.spacing_mm,
        position_mm=place.position_mm,
        orientation=place.orientation,
        slope=_number(header.get("RescaleSlope"), 1.0),
        intercept=_number(header.get("RescaleIntercept"), 0.0),
        dtype=_dtype(header, str(path)),
        number=None if (at := header.get("InstanceNumber")) in (None, "") else int(at),
        times=_times(header),
        reference=reference,
    )


def _dtype(header: Dataset, name: str) -> str:
    """Of the stored values.

    Raises:
        UnsupportedError: no number of bits that pixels of grey have.
    """
    bits, signed = int(header.BitsAllocated), int(header.PixelRepresentation)
    if bits not in (8, 16, 32) or signed not in (0, 1):
        raise UnsupportedError(
            f"{name}: BitsAllocated {bits}, PixelRepresentation {signed}",
            "8, 16 or 32, and 0 or 1",
            "export the series again",
        )
    return f"<{'ui'[signed]}{bits // 8}"


def _times(header: Dataset) -> Mapping[str, float]:
    found = {}
    for keyword in {*MOMENTS, *STARTS}:
        value = header.get(keyword)
        if value in (None, ""):
            continue
        if keyword in _DATES:
            day = str(header.get(_DATES[keyword]) or "").replace(".", "")
            moment = _seconds(str(value)) + _SECONDS * _day(day)
        else:
            moment = _number(value, math.nan)
        if math.isfinite(moment):
            found[keyword] = moment
    return found


def clock(seconds: float) -> str:
    """The time of day of a moment in `DicomSlice.times`, such as ``"09:30:05"``."""
    whole = int(seconds % _SECONDS)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def _seconds(text: str) -> float:
    """Of a DICOM time, HHMMSS.FFFFFF with what follows the hours optional; PS3.5 6.2."""
    digits = text.replace(":", "").strip()
    whole, _, fraction = digits.partition(".")
    whole = whole.ljust(6, "0")
    if not whole.isdecimal() or not (fraction or "0").isdecimal():
        return math.nan
    return int(whole[:2]) * 3600 + int(whole[2:4]) * 60 + int(whole[4:6]) + float(f"0.{fraction}0")


def _day(text: str) -> int:
    """A day's number; later days have larger ones, and one without a date is day 0."""
    from datetime import date

    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:8])).toordinal()
    except ValueError:
        return 0


def _number(value: object, default: float) -> float:
    try:
        number = float(str(value))
    except ValueError:
        return default
    return number if math.isfinite(number) else default
