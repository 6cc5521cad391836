"""What all objects share: patient, study, equipment, and that they are for research.

Date and time of an object are those of its study and not the moment at which it was made, so that
making it again gives the same bytes; see docs/decisions/dicom-objects.md.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING

from breastseg import __version__
from breastseg.core.bundle import TRAINED_ON_SYNTHETIC
from breastseg.core.reference import FrameReference
from breastseg.dicom.subject import Subject

if TYPE_CHECKING:
    from pydicom import Dataset

MAKER = "breastseg"
"""Manufacturer of every object that is made here."""

RESEARCH = "Research use only, not for diagnosis"
"""At most 64 characters, so that it fits into every description."""

RESEARCH_SYNTHETIC = "Research only, trained on synthetic images, not for diagnosis"
_IMPLEMENTATION = "2.25.216105853254389104273948163017421"
_EXPLICIT = "1.2.840.10008.1.2.1"
_PATIENT = ("PatientName", "PatientID", "PatientBirthDate", "PatientSex")
_STUDY = ("StudyDate", "StudyTime", "StudyID", "ReferringPhysicianName")
_WHERE_STATED = (
    *("IssuerOfPatientID", "PatientIdentityRemoved", "DeidentificationMethod"),
    *("PatientAge", "StudyDescription", "TimezoneOffsetFromUTC"),
)
_DATE = re.compile(r"\d{8}")
_TIME = re.compile(r"\d{6}(\.\d{1,6})?")
_NO_DATE = ("19700101", "000000")
"""Where the study states none; the attributes must not be empty."""


def derived_dataset(subject: Subject, sop_class: str, modality: str, number: int) -> Dataset:
    """A new object with everything but its own content and what `identify` gives it.

    Args:
        subject: what it is about.
        sop_class: SOP Class UID.
        modality: DICOM's term.
        number: of its series.
    """
    from pydicom import Dataset
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import UID

    one = Dataset()
    one.file_meta = FileMetaDataset()
    one.file_meta.TransferSyntaxUID = UID(_EXPLICIT)
    one.file_meta.ImplementationClassUID = UID(_IMPLEMENTATION)
    one.SpecificCharacterSet = "ISO_IR 192"
    one.SOPClassUID = one.file_meta.MediaStorageSOPClassUID = UID(sop_class)
    tags = subject.reference.tags
    for keyword in (*_PATIENT, *_STUDY):
        setattr(one, keyword, tags.get(keyword, ""))
    for keyword in _WHERE_STATED:
        if tags.get(keyword):
            setattr(one, keyword, tags[keyword])
    one.AccessionNumber = subject.reference.accession_number
    one.StudyInstanceUID = subject.reference.study_uid
    one.SeriesNumber, one.InstanceNumber, one.Modality = number, 1, modality
    synthetic = TRAINED_ON_SYNTHETIC in subject.remarks
    one.SeriesDescription = RESEARCH_SYNTHETIC if synthetic else RESEARCH
    one.SeriesDate, one.SeriesTime = _moment(tags.get("StudyDate"), tags.get("StudyTime"))
    one.ContentDate, one.ContentTime = one.SeriesDate, one.SeriesTime
    one.Manufacturer, one.ManufacturerModelName = MAKER, subject.provenance.segmenter[:64]
    one.DeviceSerialNumber = (subject.provenance.weights_sha256 or "no weights")[:16]
    one.SoftwareVersions = [__version__, subject.provenance.version[:64]]
    return one


def referenced_series(frames: Iterable[FrameReference]) -> list[Dataset]:
    """Items of a Referenced Series Sequence: each series with each of its instances once."""
    from pydicom import Dataset

    series: dict[str, dict[str, str]] = defaultdict(dict)
    for frame in frames:
        series[frame.series_uid][frame.instance_uid] = frame.class_uid
    items = []
    for uid, instances in series.items():
        item = Dataset()
        item.SeriesInstanceUID = uid
        item.ReferencedInstanceSequence = [
            sop_reference(class_uid, instance_uid) for instance_uid, class_uid in instances.items()
        ]
        items.append(item)
    return items


def sop_reference(class_uid: str, instance_uid: str, frame: int | None = None) -> Dataset:
    """An item that refers to an object, or to one of its frames."""
    from pydicom import Dataset

    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = class_uid, instance_uid
    if frame is not None:
        item.ReferencedFrameNumber = frame
    return item


def _moment(date: str | None, time: str | None) -> tuple[str, str]:
    day = date if date and _DATE.fullmatch(date) else None
    return (day, time if time and _TIME.fullmatch(time) else "000000") if day else _NO_DATE
