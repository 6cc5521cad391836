"""What an enhanced multi-frame DICOM object says of one of its frames.

Such an object states what holds for all frames in its Shared, and what differs in its Per-Frame
Functional Groups (DICOM PS3.3 C.7.6.16), where an object of one frame has single attributes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydicom import Dataset

MULTI_FRAME_TAGS = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")
"""By keyword, what `frame_header` looks into."""

_GROUPS = (
    "PixelMeasuresSequence",
    "PixelValueTransformationSequence",
    "FrameVOILUTSequence",
    "PlanePositionSequence",
    "PlaneOrientationSequence",
    "FrameContentSequence",
    "FrameAnatomySequence",
    "TemporalPositionSequence",
    "MRImageFrameTypeSequence",
    "XRay3DFrameTypeSequence",
)
_NAMES = {
    "FrameType": "ImageType",
    "FrameLaterality": "ImageLaterality",
    "TemporalPositionIndex": "TemporalPositionIdentifier",
    "FrameAcquisitionNumber": "AcquisitionNumber",
}
"""What an attribute of a group is called in an object of one frame."""

_SECONDS_AFTER = "TemporalPositionTimeOffset"
_MOMENT = "FrameAcquisitionDateTime"


def frame_header(header: Dataset, index: int) -> Dataset:
    """The header as an object of this frame alone would have it.

    Args:
        header: of the file; is not changed.
        index: of the frame, from 0.

    Returns:
        The header itself where it has no functional groups. What a frame says of itself counts
        more than what is said of all frames, and both more than the header.
    """
    from pydicom import Dataset

    groups = [*(header.get("SharedFunctionalGroupsSequence") or ())]
    groups += [*(header.get("PerFrameFunctionalGroupsSequence") or ())][index : index + 1]
    said = [group[kind].value[0] for group in groups for kind in _GROUPS if group.get(kind)]
    if not said:
        return header
    merged = Dataset()
    for part in (header, *said):
        merged.update(part)
    for keyword, plain in _NAMES.items():
        if merged.get(keyword) not in (None, ""):
            setattr(merged, plain, merged[keyword].value)
    moment = str(merged.get(_MOMENT) or "")
    if len(moment) > 8:
        merged.AcquisitionDate = moment[:8]
        merged.AcquisitionTime = re.split("[+-]", moment[8:])[0]
    if merged.get(_SECONDS_AFTER) is not None:
        merged.TriggerTime = f"{1000 * merged[_SECONDS_AFTER].value:.9g}"
    merged.set_original_encoding(*header.original_encoding)
    return merged
