"""What the header of a DICOM image says that a reader of the result must know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from breastseg.io.source import brief

if TYPE_CHECKING:
    from pydicom import Dataset

RAW = (
    "the grey levels are raw (FOR PROCESSING), which no method here was made or measured for; "
    "use the FOR PRESENTATION image of the same view"
)

SLICE_OF_TOMOSYNTHESIS = (
    "a slice of tomosynthesis, which no method here was made or measured for: those for "
    "mammograms know projections"
)
TOMOSYNTHESIS = "1.2.840.10008.5.1.4.1.1.13.1.3"


def remarks(header: Dataset) -> tuple[str, ...]:
    """Warnings, one in each string; none for most images.

    `RAW` where Presentation Intent Type (DICOM PS3.3 C.8.11.1, C.8.11.7) or the name of the SOP
    class says that the image is for processing: detector values, not what a viewer shows.
    `SLICE_OF_TOMOSYNTHESIS` for a frame of a Breast Tomosynthesis Image.

    Args:
        header: the image's attributes.
    """
    intent = str(header.get("PresentationIntentType") or "").strip().upper()
    kind = header.get("SOPClassUID")
    named = str(getattr(kind, "name", "")).upper()
    raw = intent == "FOR PROCESSING" or (not intent and named.endswith("FOR PROCESSING"))
    found = (RAW,) if raw else ()
    return (*found, SLICE_OF_TOMOSYNTHESIS) if str(kind) == TOMOSYNTHESIS else found


def view(header: Dataset) -> str:
    """Side and view of a mammogram, such as ``"L MLO"``; empty where the header says neither.

    From Image Laterality or Laterality, and from View Position or, without one, the words of View
    Code Sequence (DICOM PS3.3 C.8.11.7).

    Args:
        header: the image's attributes.
    """
    side = header.get("ImageLaterality") or header.get("Laterality")
    position = header.get("ViewPosition")
    if not position and header.get("ViewCodeSequence"):
        position = header.ViewCodeSequence[0].get("CodeMeaning")
    return " ".join(brief(part) for part in (side, position) if part)
