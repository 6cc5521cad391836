"""The regions of an ultrasound screen that a DICOM header states, and their scales."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from breastseg.core.box import Box
from breastseg.core.grid import Region
from breastseg.io.source import positive

if TYPE_CHECKING:
    from pydicom import Dataset

PLAUSIBLE_MM = (2e-3, 10.0)
"""From pixel to pixel of an image of a breast; what lies outside is in another unit, or a slip."""

_TWO_DIMENSIONAL = 1  # Region Spatial Format, DICOM PS3.3 C.8.5.5.1.1
_TISSUE, _COLOUR_FLOW = 1, 2  # Region Data Type, C.8.5.5.1.2
_CENTIMETRES = 3  # Physical Units, C.8.5.5.1.15
_CORNERS = (
    "RegionLocationMinY0",
    "RegionLocationMinX0",
    "RegionLocationMaxY1",
    "RegionLocationMaxX1",
)


def scaled_regions(header: Dataset, shape: tuple[int, ...]) -> tuple[Region, ...]:
    """All two-dimensional regions, whatever they show, each with its scale if it states one.

    Args:
        header: of the image.
        shape: (rows, columns) of it.

    Returns:
        None of them where one reaches beyond the image (see `reach_beyond`) or where none states
        a scale. A region whose corners are no box counts as absent.
    """
    if reach_beyond(header):
        return ()
    found = []
    for region in _flat_regions(header):
        box = _box(region, shape)
        if box is not None:
            found.append(Region(box, _spacing(region)))
    return tuple(found) if any(region.spacing_mm for region in found) else ()


def tissue_regions(header: Dataset) -> Iterator[Dataset]:
    """The regions that show a 2-D scan of tissue: no Doppler, no curve, no graphics."""
    for region in _flat_regions(header):
        if region.get("RegionDataType") == _TISSUE:
            yield region


def reach_beyond(header: Dataset) -> bool:
    """Whether a tissue region ends outside the image.

    Then somebody has made the image smaller and left the header as it was: neither the region
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


def scan_region(header: Dataset, shape: tuple[int, ...]) -> Box | None:
    """The box around all 2-D tissue regions.

    Args:
        header: of the image.
        shape: (rows, columns) of it.

    Returns:
        A box within the image; None where the header states none, or one that does not lie in the
        image: a wrong statement counts as absent.
    """
    whole: Box | None = None
    for region in tissue_regions(header):
        box = _box(region, shape)
        if box is None:
            return None
        whole = box if whole is None else whole | box
    return whole


def stated_boxes(header: Dataset, shape: tuple[int, ...]) -> Iterator[Box]:
    """Where all two-dimensional regions lie, whatever they show; one that is no box is left out.

    Args:
        header: of the image.
        shape: (rows, columns) of it.
    """
    for region in _flat_regions(header):
        box = _box(region, shape)
        if box is not None:
            yield box


def _flat_regions(header: Dataset) -> Iterator[Dataset]:
    for region in header.get("SequenceOfUltrasoundRegions") or ():
        if region.get("RegionSpatialFormat") == _TWO_DIMENSIONAL:
            yield region


def _box(region: Dataset, shape: tuple[int, ...]) -> Box | None:
    """Where a region lies, if that is a box in the image."""
    top, left, bottom, right = (region.get(corner) for corner in _CORNERS)
    fits = all(isinstance(c, int) for c in (top, left, bottom, right)) and (
        0 <= top < bottom <= shape[0] and 0 <= left < right <= shape[1]
    )
    # the last corner is a pixel of the region (C.8.5.5.1.14); some state the one after it
    return Box.of(top, left, bottom + 1, right + 1).within((shape[0], shape[1])) if fits else None


def _spacing(region: Dataset) -> tuple[float, float] | None:
    """(row, column) spacing in millimetres, of tissue in centimetres along both axes."""
    units = (region.get("PhysicalUnitsXDirection"), region.get("PhysicalUnitsYDirection"))
    shows_tissue = region.get("RegionDataType") in (_TISSUE, _COLOUR_FLOW)
    # A delta may be negative: it then counts against the direction of the pixels.
    row = positive(region.get("PhysicalDeltaY"), signed=True)
    column = positive(region.get("PhysicalDeltaX"), signed=True)
    if not shows_tissue or units != (_CENTIMETRES, _CENTIMETRES) or not row or not column:
        return None
    spacing = 10 * row, 10 * column
    return spacing if all(PLAUSIBLE_MM[0] <= step <= PLAUSIBLE_MM[1] for step in spacing) else None


def region_spacings(header: Dataset) -> list[tuple[float, float]]:
    """(row, column) spacing of each calibrated 2-D region of tissue or of flow in it."""
    return [spacing for region in _flat_regions(header) if (spacing := _spacing(region))]
