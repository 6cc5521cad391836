"""DICOM presentation state: contours and rulers for viewers that show no segmentation.

Grayscale Softcopy Presentation State, or Color for an image in colour (DICOM PS3.3 A.33.1, A.33.2,
C.10.5, C.11). A viewer that applies it takes the window from it alone, so that of the source is
repeated. The inner and the outer contour of a calibrated margin lie in layers of their own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING

from breastseg.core.errors import InputError, UnsupportedError
from breastseg.dicom.contour import Line, contours, diameter
from breastseg.dicom.derived import RESEARCH, derived_dataset, referenced_series, sop_reference
from breastseg.dicom.segmentation import tracking
from breastseg.dicom.subject import Plane, Segment, Subject
from breastseg.dicom.uids import identify
from breastseg.dicom.window import grey_levels, no_levels
from breastseg.measure.margin import LesionMargin
from breastseg.results.schema import significant

if TYPE_CHECKING:
    from pydicom import Dataset

GREY_STATE = "1.2.840.10008.5.1.4.1.1.11.1"
COLOUR_STATE = "1.2.840.10008.5.1.4.1.1.11.2"

_SERIES = 9104
_YELLOW_LAB = (63000, 27000, 55000)
_GREEN_LAB = (57000, 11000, 54000)
_ORANGE_LAB = (45000, 42000, 53000)
_LAYERS = {"LESIONS": _YELLOW_LAB, "INNER MARGIN": _GREEN_LAB, "OUTER MARGIN": _ORANGE_LAB}
"""Name and colour; those of margins are there where a margin was calibrated."""


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
    one.GraphicLayerSequence = _layers(subject)
    one.GraphicAnnotationSequence = _annotations(subject)
    if colour:
        one.ICCProfile, one.ColorSpace = _srgb(), "SRGB"
    else:
        grey_levels(one, subject)
    identify(one)
    return one


def no_presentation(subject: Subject) -> str | None:
    """Why a viewer would show the image wrongly with a presentation state, or None."""
    return no_levels(subject) if _is_grey(subject) else None


def _is_grey(subject: Subject) -> bool:
    photometric = subject.reference.tags.get("PhotometricInterpretation", "MONOCHROME2")
    return photometric.startswith("MONOCHROME")


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


def _layers(subject: Subject) -> list[Dataset]:
    from pydicom import Dataset

    coverage = next((held.coverage for held in _margins(subject)), None)
    layers = []
    for order, (name, colour) in enumerate(_LAYERS.items(), start=1):
        if order > 1 and coverage is None:
            break
        layer = Dataset()
        layer.GraphicLayer, layer.GraphicLayerOrder = name, order
        layer.GraphicLayerDescription = (
            RESEARCH if order == 1 else f"Holds with a probability of {coverage:.0%}. Research only"
        )
        layer.GraphicLayerRecommendedDisplayCIELabValue = list(colour)
        layers.append(layer)
    return layers


def _margins(subject: Subject) -> Iterator[LesionMargin]:
    planes = (plane for segment in subject.segments for plane in segment.planes)
    return (plane.margin for plane in planes if plane.margin is not None)


def _annotations(subject: Subject) -> list[Dataset]:
    """For each source frame that shows a lesion an item, and one a margin's layer."""
    shown: dict[int, list[tuple[int, Segment, Plane]]] = defaultdict(list)
    for number, segment in enumerate(subject.segments, start=1):
        for plane in segment.planes:
            shown[plane.index].append((number, segment, plane))
    items = []
    for index, lesions in sorted(shown.items()):
        drawn, texts = [], [_text(RESEARCH, 0, 0)]
        for number, segment, plane in lesions:
            row, column = plane.box.start
            drawn += [_polyline(line) for line in contours(plane.crop, plane.box)]
            drawn += _ruler(segment, index)
            label = tracking(subject, number)[0] + _sizes(segment, index)
            texts.append(_text(label, column, row))
        lesion, inner, outer = _LAYERS
        items.append(_annotation(subject, index, lesion, drawn))
        items[-1].TextObjectSequence = texts
        held = [plane.margin for _, _, plane in lesions if plane.margin is not None]
        for layer, masks in (
            (inner, [(one.inner, one.box) for one in held]),
            (outer, [(one.outer, one.box) for one in held]),
        ):
            lines = [_polyline(line) for mask in masks for line in contours(*mask)]
            if lines:  # an inner mask may be empty
                items.append(_annotation(subject, index, layer, lines))
    return items


def _annotation(subject: Subject, index: int, layer: str, drawn: list[Dataset]) -> Dataset:
    from pydicom import Dataset

    source = subject.sources[index]
    item = Dataset()
    item.ReferencedImageSequence = [
        sop_reference(source.class_uid, source.instance_uid, source.number)
    ]
    item.GraphicLayer, item.GraphicObjectSequence = layer, drawn
    return item


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
