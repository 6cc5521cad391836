"""The regions of an ultrasound screen that a DICOM header states."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydicom import Dataset

_TWO_DIMENSIONAL = 1  # Region Spatial Format, DICOM PS3.3 C.8.5.5.1.1
_TISSUE = 1  # Region Data Type, C.8.5.5.1.2
_CORNERS = (
    "RegionLocationMinY0",
    "RegionLocationMinX0",
    "RegionLocationMaxY1",
    "RegionLocationMaxX1",
)


def tissue_regions(header: Dataset) -> Iterator[Dataset]:
    """The regions that show a 2-D scan of tissue: no Doppler, no curve, no graphics."""
    for region in header.get("SequenceOfUltrasoundRegions") or ():
        if (
            region.get("RegionSpatialFormat") == _TWO_DIMENSIONAL
            and region.get("RegionDataType") == _TISSUE
        ):
            yield region


def reach_beyond(header: Dataset) -> bool:
    """Whether a tissue region ends outside the picture.

    Then somebody has made the picture smaller and left the header as it was: neither the region
    nor its distances are of these pixels. Two of pydicom's own sample files are like that.
    """
    rows, columns = header.get("Rows"), header.get("Columns")
    if not (isinstance(rows, int) and isinstance(columns, int)):
        return False
    # a value may be absent, or nonsense, in which case it says nothing of this
    corners = [(r.get(_CORNERS[2]), r.get(_CORNERS[3])) for r in tissue_regions(header)]
    return any(
        (isinstance(bottom, int) and bottom > rows) or (isinstance(right, int) and right > columns)
        for bottom, right in corners
    )


def scan_region(header: Dataset, shape: tuple[int, ...]) -> tuple[int, int, int, int] | None:
    """The box around all 2-D tissue regions.

    Args:
        header: of the image.
        shape: (rows, columns) of it.

    Returns:
        (row, column, rows, columns) within the image; None where the header states none, or one
        that is no box in the image: a wrong statement counts as absent.
    """
    boxes = []
    for region in tissue_regions(header):
        top, left, bottom, right = (region.get(corner) for corner in _CORNERS)
        corners = (top, left, bottom, right)
        # the last corner is a pixel of the region (C.8.5.5.1.14); some state the one after it
        fits = all(isinstance(c, int) for c in corners) and (
            0 <= top < bottom <= shape[0] and 0 <= left < right <= shape[1]
        )
        if not fits:
            return None
        boxes.append((top, left, min(bottom + 1, shape[0]), min(right + 1, shape[1])))
    if not boxes:
        return None
    tops, lefts, bottoms, rights = zip(*boxes, strict=True)
    row, column = min(tops), min(lefts)
    return row, column, max(bottoms) - row, max(rights) - column
