"""Data sets that show the same patients, so that no split puts one of these on both sides."""

from __future__ import annotations

_PARTS = {
    "BCSS-tiles": "BCSS",
    "CBIS-DDSM-calc": "CBIS-DDSM",
    "CDD-CESM-DM": "CDD-CESM",
    "DDSM-all": "DDSM",
    "INbreast-regions": "INbreast",
    "Duke-Breast-Cancer-MRI-NIfTI": "Duke-Breast-Cancer-MRI",
}
"""Data sets whose patients are those of another, under the same numbers."""


def patient_key(source: str, patient_id: str) -> str:
    """One text for a patient, whichever of these data sets shows it.

    CBIS-DDSM has patients of DDSM, and MAMA-MIA some of Duke-Breast-Cancer-MRI, under numbers of
    their own: those are not known to be the same here.

    Args:
        source: the data set's name.
        patient_id: the patient's number in it.

    Returns:
        ``"source/patient_id"`` of the data set that is named for all that hold the same patients.
    """
    return f"{_PARTS.get(source, source)}/{patient_id}"
