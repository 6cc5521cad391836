"""What made a DICOM image, from its header."""

from __future__ import annotations

from typing import TYPE_CHECKING

from breastseg.core.image import Modality

if TYPE_CHECKING:
    from pydicom import Dataset

_KNOWN = {
    "US": Modality.ULTRASOUND,
    "MG": Modality.MAMMOGRAPHY,
    "MR": Modality.MRI,
    "SM": Modality.HISTOPATHOLOGY,
}
_RADIOGRAPHS = ("CR", "DX")
_FOREIGN = (
    *_RADIOGRAPHS,
    *("BI", "BMD", "CT", "DG", "ES", "IO", "IVOCT", "IVUS", "KER", "LS", "NM", "OAM", "OCT"),
    *("OP", "OPM", "OPT", "OPTBSV", "OPTENF", "OPV", "OSS", "PA", "PT", "PX", "RF", "RG"),
    *("RTDOSE", "RTIMAGE", "TG", "XA"),
)
"""Defined terms of DICOM PS3.3 C.7.3.1.1.1 for images that no method here is for.

Not among them is what may be a copy of anything: OT, XC, GM and an empty value.
"""


def modality_of(header: Dataset) -> Modality:
    """By Modality (0008,0060), with radiographs of the breast as mammograms.

    Args:
        header: with Modality and, for radiographs on plates, Body Part Examined.

    Returns:
        `Modality.OTHER` for a term that is known to be something else, `Modality.UNKNOWN` where
        nothing is known.
    """
    term = str(header.get("Modality") or "").strip().upper()
    breast = "BREAST" in str(header.get("BodyPartExamined") or "").upper()
    if term in _RADIOGRAPHS and breast:
        return Modality.MAMMOGRAPHY
    return _KNOWN.get(term, Modality.OTHER if term in _FOREIGN else Modality.UNKNOWN)
