"""DICOM presentation state: contours and rulers for viewers that show no segmentation.

Grayscale Softcopy Presentation State, or Color for an image in colour (DICOM PS3.3 A.33.1, A.33.2,
C.10.5, C.11). A viewer that applies it takes the window from it alone, so that of the source is
repeated.
"""

from __future__ import annotations

import math
from collections import defaultdict
from typing import TYPE_CHECKING

from breastseg.core.errors import InputError, UnsupportedError
from breastseg.dicom.contour import Line, contours, diameter
from breastseg.dicom.derived import RESEARCH, derived_dataset, referenced_series, sop_reference
from breastseg.dicom.segmentation import tracking
from breastseg.dicom.subject import Plane, Segment, Subject
from breastseg.results.schema import significant

if TYPE_CHECKING:
    from pydicom import Dataset

GREY_STATE = "1.2.840.10008.5.1.4.1.1.11.1"
COLOUR_STATE = "1.2.840.10008.5.1.4.1.1.11.2"

_SERIES = 9104
_LAYER = "LESIONS"
_YELLOW_LAB = [63000, 27000, 55000]


def presentation(subject: Subject) -> Dataset:
    """Make the object.

    Args:
        subject: with at least one lesion.

    Returns:
        A data set ready to be saved, explicit VR little endian.

    Raises:
        InputError: no lesion.
        UnsupportedError: as `no_presentation` says.
    """
    if not subject.segments:
        raise InputError("a presentation state without a lesion", "at least one lesion")
    reason = no_presentation(subject)
    if reason is not None:
        raise UnsupportedError(reason, "an image with a window", "open the segmentation instead")
    colour = not _is_grey(subject)
    one = derived_dataset(subject, COLOUR_STATE if colour else GREY_STATE, "PR", _SERIES)
    one.ContentLabel, one.ContentDescription = "LESIONS", RESEARCH
    one.ContentCreatorName = ""
    one.PresentationCreationDate, one.PresentationCreationTime = one.ContentDate, one.ContentTime
    del one.ContentDate, one.ContentTime  # are not of this kind of object
    one.Laterality = subject.side
    series = referenced_series(subject.sources)
    for item in series:
        item.ReferencedImageSequence = item.ReferencedInstanceSequence
        del item.ReferencedInstanceSequence
    one.ReferencedSeriesSequence = series
    _area(one, subject)
    _layer(one)
    one.GraphicAnnotationSequence = _annotations(subject)
    if colour:
        one.ICCProfile, one.ColorSpace = _srgb(), "SRGB"
    else:
        _grey_levels(one, subject)
    return one


def no_presentation(subject: Subject) -> str | None:
    """Why a viewer would show the image wrongly with a presentation state, or None."""
    tags = subject.reference.tags
    if not _is_grey(subject) or tags.get("BitsAllocated") == "8" or _window(subject) is not None:
        return None
    return "no presentation state, since the file states no window that it could repeat"


def _is_grey(subject: Subject) -> bool:
    photometric = subject.reference.tags.get("PhotometricInterpretation", "MONOCHROME2")
    return photometric.startswith("MONOCHROME")


def _window(subject: Subject) -> tuple[str, str] | None:
    """The first window's centre and width as the source states them."""
    centre, width = _number(subject, "WindowCenter"), _number(subject, "WindowWidth")
    return None if centre is None or width is None else (centre, width)


def _number(subject: Subject, keyword: str) -> str | None:
    """The first value of a decimal string of the source; None where it states no number."""
    said = subject.reference.tags.get(keyword, "").split("\\")[0].strip()
    try:
        return said if math.isfinite(float(said)) else None
    except ValueError:
        return None


def _grey_levels(one: Dataset, subject: Subject) -> None:
    """The source's rescaling and window; C.11.1, C.11.8, C.11.6."""
    from pydicom import Dataset

    tags = subject.reference.tags
    slope, intercept = _number(subject, "RescaleSlope"), _number(subject, "RescaleIntercept")
    if slope is not None and intercept is not None:
        one.RescaleSlope, one.RescaleIntercept = slope, intercept
        one.RescaleType = tags.get("RescaleType") or "US"
    window = _window(subject)
    if window is not None:
        shown = Dataset()
        shown.WindowCenter, shown.WindowWidth = window
        if tags.get("VOILUTFunction"):
            shown.VOILUTFunction = tags["VOILUTFunction"]
        one.SoftcopyVOILUTSequence = [shown]
    inverse = tags.get("PhotometricInterpretation") == "MONOCHROME1"
    one.PresentationLUTShape = "INVERSE" if inverse else "IDENTITY"


def _srgb() -> bytes:
    """The profile of sRGB; the date in its header is left out, so that it is always the same."""
    from PIL import ImageCms

    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[24:36] = bytes(12)
    return bytes(profile) + b"\0" * (len(profile) % 2)


def _area(one: Dataset, subject: Subject) -> None:
    """All of the image, in its proportions; C.10.4."""
    from pydicom import Dataset
    from pydicom.valuerep import format_number_as_ds

    rows, columns = subject.grid.shape[-2:]
    area = Dataset()
    area.DisplayedAreaTopLeftHandCorner = [1, 1]
    area.DisplayedAreaBottomRightHandCorner = [columns, rows]
    area.PresentationSizeMode = "SCALE TO FIT"
    if subject.grid.spacing_mm is None:
        area.PresentationPixelAspectRatio = [1, 1]
    else:
        steps = subject.grid.spacing_mm[-2:]
        area.PresentationPixelSpacing = [format_number_as_ds(step) for step in steps]
    one.DisplayedAreaSelectionSequence = [area]


def _layer(one: Dataset) -> None:
    from pydicom import Dataset

    layer = Dataset()
    layer.GraphicLayer, layer.GraphicLayerOrder = _LAYER, 1
    layer.GraphicLayerDescription = RESEARCH
    layer.GraphicLayerRecommendedDisplayCIELabValue = _YELLOW_LAB
    one.GraphicLayerSequence = [layer]


def _annotations(subject: Subject) -> list[Dataset]:
    """An item a source frame that shows a lesion."""
    from pydicom import Dataset

    shown: dict[int, list[tuple[int, Segment, Plane]]] = defaultdict(list)
    for number, segment in enumerate(subject.segments, start=1):
        for plane in segment.planes:
            shown[plane.index].append((number, segment, plane))
    items = []
    for index, lesions in sorted(shown.items()):
        source = subject.sources[index]
        item = Dataset()
        item.ReferencedImageSequence = [
            sop_reference(source.class_uid, source.instance_uid, source.number)
        ]
        item.GraphicLayer = _LAYER
        item.GraphicObjectSequence = []
        item.TextObjectSequence = [_text(RESEARCH, 0, 0)]
        for number, segment, plane in lesions:
            row, column = plane.box.start
            item.GraphicObjectSequence += [_polyline(line) for line in contours(plane)]
            item.GraphicObjectSequence += _ruler(segment, index)
            label = tracking(subject, number)[0] + _sizes(segment, index)
            item.TextObjectSequence.append(_text(label, column, row))
        items.append(item)
    return items


def _ruler(segment: Segment, index: int) -> list[Dataset]:
    """The two diameters, on the frame where they were measured."""
    measured = segment.finding.measured
    if measured is None or index != segment.measured_at:
        return []
    ends = (measured.longest_ends, measured.perpendicular_ends)
    return [_polyline(diameter(one)) for one in ends]


def _sizes(segment: Segment, index: int) -> str:
    measured = segment.finding.measured
    if measured is None or index != segment.measured_at:
        return ""
    long, short = significant(measured.longest, 3), significant(measured.perpendicular, 3)
    return f": {long:g} x {short:g} {measured.unit}"


def _polyline(line: Line) -> Dataset:
    from pydicom import Dataset

    drawn = Dataset()
    drawn.GraphicAnnotationUnits, drawn.GraphicDimensions = "PIXEL", 2
    drawn.NumberOfGraphicPoints, drawn.GraphicData = len(line), line.ravel().tolist()
    drawn.GraphicType = "POLYLINE"
    if len(line) > 2:
        drawn.GraphicFilled = "N"
    return drawn


def _text(words: str, column: int, row: int) -> Dataset:
    from pydicom import Dataset

    text = Dataset()
    text.AnchorPointAnnotationUnits, text.AnchorPointVisibility = "PIXEL", "N"
    text.AnchorPoint, text.UnformattedTextValue = [float(column), float(row)], words
    return text
