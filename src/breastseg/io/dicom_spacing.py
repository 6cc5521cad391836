"""What a DICOM header says about distances, and which of it can be believed."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

from breastseg.io.dicom_regions import reach_beyond, region_spacings
from breastseg.io.source import positive

if TYPE_CHECKING:
    from pydicom import Dataset

Spacing = tuple[float, float]

AT_THE_DETECTOR = (
    "distances are those at the detector: the header states no magnification, so the lesion is "
    "smaller than measured"
)
_LARGEST_MAGNIFICATION = 10.0


def spacing_mm(header: Dataset) -> Spacing | None:
    """The (row, column) spacing in millimetres in the patient; None where it is not known.

    In this order:

    1. The calibrated 2-D tissue regions of an ultrasound image; None where they disagree, since
       the image then has no one spacing, and where one ends outside the image, which has then
       been made smaller than its header says. `breastseg.core.grid.Grid.regions` has each one's.
    2. Pixel Spacing, unless it merely repeats Imager Pixel Spacing (PS3.3 10.7.1.3).
    3. Imager Pixel Spacing, which is measured at the detector, divided by the magnification: the
       Estimated Radiographic Magnification Factor or, without one, Distance Source to Detector
       over Distance Source to Patient (C.8.11.7).

    Nominal Scanned Pixel Spacing is left out: it is measured on the film that was scanned.
    A value that is not finite and above 0 counts as absent.
    """
    if reach_beyond(header):
        return None
    regions = region_spacings(header)
    if regions:
        return regions[0] if all(_close(regions[0], other) for other in regions) else None
    imager = _at_the_detector(header)
    if imager is None:
        return _pair(header.get("PixelSpacing"))
    magnification = _magnification(header) or 1.0
    return imager[0] / magnification, imager[1] / magnification


def spacing_remarks(header: Dataset) -> tuple[str, ...]:
    """`AT_THE_DETECTOR` where the spacing is that; nothing otherwise."""
    known = region_spacings(header) or _magnification(header)
    return () if known or _at_the_detector(header) is None else (AT_THE_DETECTOR,)


def _at_the_detector(header: Dataset) -> Spacing | None:
    """Imager Pixel Spacing, where nothing better is stated."""
    pixel = _pair(header.get("PixelSpacing"))
    imager = _pair(header.get("ImagerPixelSpacing"))
    return None if imager is None or (pixel is not None and not _close(pixel, imager)) else imager


def _magnification(header: Dataset) -> float | None:
    """How much larger than the patient the image at the detector is; None where unknown."""
    factor = positive(header.get("EstimatedRadiographicMagnificationFactor"))
    detector = positive(header.get("DistanceSourceToDetector"))
    patient = positive(header.get("DistanceSourceToPatient"))
    if factor is None and detector is not None and patient is not None:
        factor = detector / patient
    return factor if factor is not None and 1 <= factor <= _LARGEST_MAGNIFICATION else None


def _pair(value: object) -> Spacing | None:
    if not isinstance(value, Iterable) or isinstance(value, str | bytes):
        return None
    parts = [positive(part) for part in value]
    if len(parts) != 2 or parts[0] is None or parts[1] is None:
        return None
    return parts[0], parts[1]


def _close(one: Spacing, other: Spacing) -> bool:
    """Equal but for rounding: text in DICOM holds at most 16 characters."""
    return all(math.isclose(a, b, rel_tol=1e-3) for a, b in zip(one, other, strict=True))
