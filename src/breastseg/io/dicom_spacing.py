"""What a DICOM header says about distances, and which of it can be believed."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

from breastseg.io.dicom_regions import reach_beyond, tissue_regions

if TYPE_CHECKING:
    from pydicom import Dataset

Spacing = tuple[float, float]

_CENTIMETRES = 3  # Physical Units, DICOM PS3.3 C.8.5.5.1.15


def spacing_mm(header: Dataset) -> Spacing | None:
    """The (row, column) spacing in millimetres in the patient; None where it is not known.

    In this order:

    1. The calibrated 2-D tissue regions of an ultrasound image; None where they disagree, since
       the image then has no one spacing, and where one ends outside the picture, which has then
       been made smaller than its header says.
    2. Pixel Spacing, unless it merely repeats Imager Pixel Spacing (PS3.3 10.7.1.3).
    3. Imager Pixel Spacing, which is measured at the detector, divided by the Estimated
       Radiographic Magnification Factor where that is given.

    Nominal Scanned Pixel Spacing is left out: it is measured on the film that was scanned.
    A value that is not finite and above 0 counts as absent.
    """
    if reach_beyond(header):
        return None
    regions = _region_spacings(header)
    if regions:
        return regions[0] if all(_close(regions[0], other) for other in regions) else None
    pixel = _pair(header.get("PixelSpacing"))
    imager = _pair(header.get("ImagerPixelSpacing"))
    if imager is None or (pixel is not None and not _close(pixel, imager)):
        return pixel
    magnification = _positive(header.get("EstimatedRadiographicMagnificationFactor")) or 1.0
    return imager[0] / magnification, imager[1] / magnification


def _region_spacings(header: Dataset) -> list[Spacing]:
    """(row, column) spacing of each calibrated 2-D tissue region."""
    found = []
    for region in tissue_regions(header):
        units = (region.get("PhysicalUnitsXDirection"), region.get("PhysicalUnitsYDirection"))
        # A delta may be negative: it then counts against the direction of the pixels.
        row = _positive(region.get("PhysicalDeltaY"), signed=True)
        column = _positive(region.get("PhysicalDeltaX"), signed=True)
        if units == (_CENTIMETRES, _CENTIMETRES) and row and column:
            found.append((10 * row, 10 * column))
    return found


def _pair(value: object) -> Spacing | None:
    if not isinstance(value, Iterable) or isinstance(value, str | bytes):
        return None
    parts = [_positive(part) for part in value]
    if len(parts) != 2 or parts[0] is None or parts[1] is None:
        return None
    return parts[0], parts[1]


def _positive(value: object, signed: bool = False) -> float | None:
    """A finite number above 0; with `signed`, its absolute value."""
    if not isinstance(value, int | float | str):
        return None
    try:
        number = abs(float(value)) if signed else float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) and number > 0 else None


def _close(one: Spacing, other: Spacing) -> bool:
    """Equal but for rounding: text in DICOM holds at most 16 characters."""
    return all(math.isclose(a, b, rel_tol=1e-3) for a, b in zip(one, other, strict=True))
