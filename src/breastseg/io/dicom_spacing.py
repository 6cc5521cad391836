"""What a DICOM header says about distances, and which of it can be believed."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

from breastseg.io.dicom_regions import PLAUSIBLE_MM, reach_beyond, region_spacings
from breastseg.io.source import positive

if TYPE_CHECKING:
    from pydicom import Dataset

Spacing = tuple[float, float]

AT_THE_DETECTOR = (
    "distances are those at the detector: the header states no magnification, so the lesion is "
    "smaller than measured"
)
ON_THE_FILM = (
    "distances are those on the film that was scanned: the header states no magnification, so the "
    "lesion may be smaller than measured"
)
NOT_SQUARE = "the pixels are not square and their size is not known: lengths in pixels mislead"
TWO_MAGNIFICATIONS = (
    "the header states two magnifications, {factor:.2f} and by its distances {distances:.2f}: "
    "sizes are by the first"
)
_LARGEST_MAGNIFICATION = 10.0
_UNLIKE = 0.2
"""The part of a magnification that may lie in where within the breast it is meant for."""


def spacing_mm(header: Dataset) -> Spacing | None:
    """The (row, column) spacing in millimetres in the patient; None where it is not known.

    In this order:

    1. The calibrated 2-D tissue regions of an ultrasound image; None where they disagree, since
       the image then has no one spacing, and where one ends outside the image, which has then
       been made smaller than its header says. `breastseg.core.grid.Grid.regions` has each one's.
    2. Pixel Spacing, unless it merely repeats Imager Pixel Spacing or Nominal Scanned Pixel Spacing
       (PS3.3 10.7.1.3).
    3. What it repeats, or Imager Pixel Spacing, which is measured at the detector, divided by the
       magnification: the Estimated Radiographic Magnification Factor or, without one, Distance
       Source to Detector over Distance Source to Patient (C.8.11.7).

    Nominal Scanned Pixel Spacing alone is left out: it is measured on the film that was scanned.
    A value that is not finite and above 0, or not within `PLAUSIBLE_MM`, counts as absent.
    """
    if reach_beyond(header):
        return None
    regions = region_spacings(header)
    if regions:
        return regions[0] if all(_close(regions[0], other) for other in regions) else None
    imager = _at_the_detector(header)
    if imager is None:
        return _pair(header.get("PixelSpacing"))
    magnification = _factor(header) or _by_distances(header) or 1.0
    return imager[0] / magnification, imager[1] / magnification


def spacing_remarks(header: Dataset) -> tuple[str, ...]:
    """What must be known of the spacing, one of the texts above; nothing for most images."""
    if region_spacings(header):
        return ()
    if _at_the_detector(header) is None:
        unequal = _pair(header.get("PixelAspectRatio"), math.inf)
        odd = unequal is not None and not _close(unequal, unequal[::-1])
        return (NOT_SQUARE,) if odd and spacing_mm(header) is None else ()
    factor, distances = _factor(header), _by_distances(header)
    if factor and distances and abs(factor / distances - 1) > _UNLIKE:
        return (TWO_MAGNIFICATIONS.format(factor=factor, distances=distances),)
    if factor or distances:
        return ()
    return (ON_THE_FILM if _pair(header.get("ImagerPixelSpacing")) is None else AT_THE_DETECTOR,)


def _at_the_detector(header: Dataset) -> Spacing | None:
    """Imager Pixel Spacing, or that on a scanned film, where nothing better is stated."""
    pixel = _pair(header.get("PixelSpacing"))
    imager = _pair(header.get("ImagerPixelSpacing"))
    film = _pair(header.get("NominalScannedPixelSpacing"))
    if imager is not None:
        return imager if pixel is None or _close(pixel, imager) else None
    return pixel if pixel is not None and film is not None and _close(pixel, film) else None


def _factor(header: Dataset) -> float | None:
    """How much larger than the patient the image at the detector is; None where unknown."""
    return _magnifying(positive(header.get("EstimatedRadiographicMagnificationFactor")))


def _by_distances(header: Dataset) -> float | None:
    """The same by the distances."""
    detector = positive(header.get("DistanceSourceToDetector"))
    patient = positive(header.get("DistanceSourceToPatient"))
    return _magnifying(None if detector is None or patient is None else detector / patient)


def _magnifying(factor: float | None) -> float | None:
    return factor if factor is not None and 1 <= factor <= _LARGEST_MAGNIFICATION else None


def _pair(value: object, largest: float = PLAUSIBLE_MM[1]) -> Spacing | None:
    if not isinstance(value, Iterable) or isinstance(value, str | bytes):
        return None
    parts = [number for part in value if (number := positive(part)) is not None]
    if len(parts) != 2 or len([*value]) != 2:
        return None
    inside = PLAUSIBLE_MM[0] <= min(parts) <= max(parts) <= largest
    return (parts[0], parts[1]) if inside else None


def _close(one: Spacing, other: Spacing) -> bool:
    """Equal but for rounding: text in DICOM holds at most 16 characters."""
    return all(math.isclose(a, b, rel_tol=1e-3) for a, b in zip(one, other, strict=True))
