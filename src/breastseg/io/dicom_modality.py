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

_STORAGE = "1.2.840.10008.5.1.4.1.1."
_CLASSES = {
    Modality.ULTRASOUND: ("3.1", "6.1", "6.2"),
    Modality.MAMMOGRAPHY: ("1.2", "1.2.1", "13.1.3", "13.1.4", "13.1.5"),
    Modality.MRI: ("4", "4.1", "4.3", "4.4"),
    Modality.HISTOPATHOLOGY: ("77.1.6",),
    Modality.OTHER: (
        *("2", "2.1", "2.2", "12.1", "12.1.1", "12.2", "12.2.1", "13.1.1", "13.1.2"),
        *("14.1", "14.2", "20", "77.1.1", "77.1.1.1", "77.1.2", "77.1.4", "77.1.5.1"),
        *("77.1.5.2", "77.1.5.4", "128", "128.1", "130", "481.1", "481.2"),
    ),
}
_BY_CLASS = {_STORAGE + end: made for made, ends in _CLASSES.items() for end in ends}
"""SOP classes that say what made the image, DICOM PS3.4 B.5; a secondary capture does not."""


def modality_of(header: Dataset) -> Modality:
    """By Modality (0008,0060), with radiographs of the breast as mammograms, and by the SOP class.

    The class counts where Modality says nothing, and where it is of something else.

    Args:
        header: with Modality, the SOP class and, for radiographs on plates, Body Part Examined.

    Returns:
        `Modality.OTHER` for a term or class that is known to be something else,
        `Modality.UNKNOWN` where nothing is known.
    """
    by_class = modality_of_class(str(header.get("SOPClassUID", "")))
    value = header.get("Modality") or ""
    terms = str(value if isinstance(value, str) else "\\".join(map(str, value))).upper()
    found = {_of_term(term.strip(), header) for term in terms.split("\\")} - {Modality.UNKNOWN}
    if Modality.OTHER in (by_class, *found) or len(found) > 1:
        return Modality.OTHER
    return found.pop() if found else by_class


def modality_of_class(uid: str) -> Modality:
    """By the SOP Class UID alone; `Modality.UNKNOWN` for one that may hold anything."""
    return _BY_CLASS.get(uid, Modality.UNKNOWN)


def _of_term(term: str, header: Dataset) -> Modality:
    breast = "BREAST" in str(header.get("BodyPartExamined") or "").upper()
    if term in _RADIOGRAPHS and breast:
        return Modality.MAMMOGRAPHY
    return _KNOWN.get(term, Modality.OTHER if term in _FOREIGN else Modality.UNKNOWN)
