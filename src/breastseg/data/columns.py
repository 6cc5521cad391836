"""The columns of tables that users write: what is meant by a name that is not one of ours.

A column ``PatientID`` that is passed over in silence puts a patient on both sides of a split.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping

from breastseg.core.errors import DataSetError
from breastseg.data.dataset import some

_ALIKE: Mapping[str, frozenset[str]] = {
    column: frozenset(words.split())
    for column, words in {
        "patient_id": "patient patients pat patientid patientnumber patientno patientname patnr "
        "pid mrn subject subjectid subjects subj person personid participant participantid "
        "case caseid caseno casenumber woman patid patientname patientnr idpatient patientcode "
        "study studyid studyuid studyinstanceuid accession accessionnumber exam examid group "
        "groupid",
        "label": "labels class classes classname classlabel category diagnosis diagnose "
        "pathology histology histopathology malignancy malignant finding findings "
        "target tumortype tumourtype lesiontype",
        "fold": "folds kfold foldid foldnumber cvfold split splits part parts partition subset set",
        "spacing_mm": "spacing pixelspacing pixelsize pixelsizemm mmperpixel",
        "mask": "masks maskpath maskfile segmentation groundtruth gt annotation",
        "image": "images imagepath imagefile filename picture path scan img",
        "file": "filename image imagefile imagename name picture path",
        "modality": "modalities",
    }.items()
}
"""What a column is likely to mean, by names in lower case without blanks and other signs."""


def check_columns(names: Iterable[str], known: Collection[str], where: str) -> tuple[str, ...]:
    """Sort out the columns that are not known.

    Args:
        names: of the table.
        known: that are read.
        where: what messages call the table.

    Returns:
        The names that are not used and look like none that is.

    Raises:
        DataSetError: one looks like a known column that the table lacks; says how to name it.
    """
    there = [name for name in names if name]
    unknown = [name for name in there if name not in known]
    for name in unknown:
        plain = re.sub(r"[\W_]+", "", name.lower())
        meant = [
            column
            for column in known
            if column not in there
            and (plain == column.replace("_", "") or plain in _ALIKE.get(column, ()))
        ]
        if meant:
            raise DataSetError(
                f"{where} has the column {name!r}, which is not read",
                f"{' or '.join(repr(one) for one in meant)} for what it seems to hold",
                "rename the column, or remove it where it means something else",
            )
    return tuple(unknown)


def unused(names: Collection[str], where: str) -> tuple[str, ...]:
    """The remark on columns that are not used; none where there are none."""
    return (f"columns of {where} that are not used: {some(names, 10)}",) if names else ()
