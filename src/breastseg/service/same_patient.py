"""Whether two images are of one patient, as their files state it; nothing of it is told or kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from breastseg.core.image import Image

Patient = Literal["same", "other", "unknown"]

OTHER = "The files of the two studies name different patients: check that the prior is right."


def same_patient(now: Image, prior: Image) -> Patient:
    """Compare what two files state of their patient.

    Returns:
        ``"other"`` where the dates of birth differ, or the patients' numbers within one issuer;
        ``"same"`` where the numbers are the same and nothing speaks against it; else, as with
        pictures or with numbers of two hospitals, ``"unknown"``.
    """
    one, two = _stated(now), _stated(prior)
    if _differ(one, two, "PatientBirthDate"):
        return "other"
    if not (one.get("PatientID") and two.get("PatientID")):
        return "unknown"
    if _differ(one, two, "IssuerOfPatientID"):
        return "unknown"
    return "other" if _differ(one, two, "PatientID") else "same"


def _stated(image: Image) -> Mapping[str, str]:
    return {} if image.reference is None else image.reference.tags


def _differ(one: Mapping[str, str], two: Mapping[str, str], keyword: str) -> bool:
    """Whether both state it, each in another way."""
    first, second = (tags.get(keyword, "").strip() for tags in (one, two))
    return bool(first and second) and first != second
