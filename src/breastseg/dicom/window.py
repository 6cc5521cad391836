"""The grey levels of a presentation state: rescaling and windows as the source's frames state them.

A presentation state has one rescaling for all its images (DICOM PS3.3 C.11.1) and a window for
each (C.11.8). Where the slices of a series are rescaled differently, it states none, and the
windows are brought to stored values.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from breastseg.core.reference import Display
from breastseg.dicom.derived import sop_reference
from breastseg.dicom.subject import Subject

if TYPE_CHECKING:
    from pydicom import Dataset

Window = tuple[float, float, str]


def no_levels(subject: Subject) -> str | None:
    """Why a presentation state would show the grey levels wrongly, or None."""
    if any(one.table for one in subject.displays):
        return "no presentation state, since a table brings the file's values to grey levels"
    if not _one_scale(subject) and any(_slope(one) <= 0 for one in subject.displays):
        return "no presentation state, since its slices are rescaled in opposite directions"
    if subject.reference.tags.get("BitsAllocated") == "8":
        return None
    if subject.displays and all(one.window for one in subject.displays):
        return None
    return "no presentation state, since the file states no window that it could repeat"


def grey_levels(one: Dataset, subject: Subject) -> None:
    """State rescaling, windows and whether the largest value is the darkest; C.11.6.

    Args:
        one: the presentation state.
        subject: for which `no_levels` gives no reason.
    """
    common = _one_scale(subject)
    first = subject.displays[0].rescale if subject.displays else None
    if common and first is not None:
        one.RescaleSlope, one.RescaleIntercept = _decimal(first[0]), _decimal(first[1])
        one.RescaleType = first[2] or "US"
    windows = [each.window if common else _of_stored(each) for each in subject.displays]
    if any(windows):
        one.SoftcopyVOILUTSequence = _windows(subject, windows)
    inverse = subject.reference.tags.get("PhotometricInterpretation") == "MONOCHROME1"
    one.PresentationLUTShape = "INVERSE" if inverse else "IDENTITY"


def _windows(subject: Subject, windows: Sequence[Window | None]) -> list[Dataset]:
    """An item a window; one that all share names no image."""
    from pydicom import Dataset

    shown: dict[Window, list[int]] = defaultdict(list)
    for index, window in enumerate(windows):
        if window is not None:
            shown[window].append(index)
    items = []
    for (centre, width, function), indices in shown.items():
        item = Dataset()
        item.WindowCenter, item.WindowWidth = _decimal(centre), _decimal(width)
        if function:
            item.VOILUTFunction = function
        if len(indices) < len(windows):
            item.ReferencedImageSequence = _images(subject, indices)
        items.append(item)
    return items


def _images(subject: Subject, indices: Sequence[int]) -> list[Dataset]:
    """The images of some frames, with the numbers of the frames where they have any."""
    held: dict[tuple[str, str], list[int]] = defaultdict(list)
    for index in indices:
        source = subject.sources[index]
        numbers = held[source.class_uid, source.instance_uid]
        if source.number is not None:
            numbers.append(source.number)
    images = []
    for (class_uid, instance_uid), numbers in held.items():
        item = sop_reference(class_uid, instance_uid)
        if numbers:
            item.ReferencedFrameNumber = numbers
        images.append(item)
    return images


def _one_scale(subject: Subject) -> bool:
    return len({one.rescale for one in subject.displays}) <= 1


def _slope(display: Display) -> float:
    return 1.0 if display.rescale is None else display.rescale[0]


def _of_stored(display: Display) -> Window | None:
    """The window that shows stored values as the frame's shows rescaled ones; C.11.2.1.2."""
    if display.window is None or display.rescale is None:
        return display.window
    (centre, width, function), (slope, intercept, _) = display.window, display.rescale
    if function in ("LINEAR_EXACT", "SIGMOID"):
        return (centre - intercept) / slope, width / slope, function
    return (centre - 0.5 - intercept) / slope + 0.5, (width - 1) / slope + 1, function


def _decimal(value: float) -> str:
    from pydicom.valuerep import format_number_as_ds

    return str(format_number_as_ds(value))
