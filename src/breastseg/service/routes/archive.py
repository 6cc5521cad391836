"""``/api/archive``: look for studies in the configured DICOMweb server, and take one in.

What is looked for stands in the bodies of requests: no address, log or audit line names a patient.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from breastseg.dicom.web import Study
from breastseg.service.caller import AnnotatorOf
from breastseg.service.routes.scans import keep_scan
from breastseg.service.service import ServiceOf
from breastseg.service.wire import ScanInfo

router = APIRouter(tags=["archive"])

Uid = Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]+)*$", max_length=64)]
Term = Annotated[str, Field(min_length=1, max_length=64)]


class StudySearch(BaseModel):
    """What to look for; at least one of them. A star stands for any text."""

    model_config = ConfigDict(extra="forbid")

    patient_id: Term | None = None
    patient_name: Term | None = None
    accession_number: Term | None = None
    study_date: Annotated[str, Field(pattern=r"^(\d{8})?-?(\d{8})?$", min_length=8)] | None = Field(
        default=None, description="YYYYMMDD, or YYYYMMDD-YYYYMMDD"
    )
    modality: Annotated[str, Field(pattern=r"^[A-Z]{2,16}$")] | None = None
    study: Uid | None = Field(default=None, description="Study Instance UID")
    limit: int = Field(default=50, ge=1, le=500)


class StudyFound(BaseModel):
    """A study that the archive has."""

    study: Uid
    date: str
    description: str
    modalities: str
    patient_id: str
    patient_name: str
    accession_number: str
    instances: str


class SeriesFound(BaseModel):
    """A series of images."""

    series: Uid
    modality: str
    number: str
    description: str
    instances: str


class StudyRequest(BaseModel):
    """A study of the archive."""

    model_config = ConfigDict(extra="forbid")

    study: Uid


class TakeRequest(StudyRequest):
    """What is taken in."""

    series: Uid | None = Field(default=None, description="null: all of the study's images")


@router.post("/archive/search")
def search_archive(body: StudySearch, service: ServiceOf, _caller: AnnotatorOf) -> list[StudyFound]:
    """Look for studies (QIDO-RS) in the server that the configuration names, and no other."""
    keywords = {
        "PatientID": body.patient_id,
        "PatientName": body.patient_name,
        "AccessionNumber": body.accession_number,
        "StudyDate": body.study_date,
        "ModalitiesInStudy": body.modality,
        "StudyInstanceUID": body.study,
    }
    filters = {keyword: text for keyword, text in keywords.items() if text is not None}
    return [_study(one) for one in service.archive.studies(filters, body.limit)]


@router.post("/archive/series")
def list_archive_series(
    body: StudyRequest, service: ServiceOf, _caller: AnnotatorOf
) -> list[SeriesFound]:
    """The series of a study that hold images."""
    return [
        SeriesFound(
            series=one.uid,
            modality=one.described.get("Modality", ""),
            number=one.described.get("SeriesNumber", ""),
            description=one.described.get("SeriesDescription", ""),
            instances=one.described.get("NumberOfSeriesRelatedInstances", ""),
        )
        for one in service.archive.series(body.study)
    ]


@router.post("/archive/take", status_code=201)
def take_from_archive(body: TakeRequest, service: ServiceOf, caller: AnnotatorOf) -> ScanInfo:
    """Fetch a study or series (WADO-RS) as a scan; the same images again are the same scan."""
    with service.files.scratch() as folder:
        files = list(service.archive.fetched(body.study, body.series, folder))
        return keep_scan(service, files, caller.name)


def _study(one: Study) -> StudyFound:
    return StudyFound(
        study=one.uid,
        date=one.described.get("StudyDate", ""),
        description=one.described.get("StudyDescription", ""),
        modalities=one.described.get("ModalitiesInStudy", ""),
        patient_id=one.described.get("PatientID", ""),
        patient_name=one.described.get("PatientName", ""),
        accession_number=one.described.get("AccessionNumber", ""),
        instances=one.described.get("NumberOfStudyRelatedInstances", ""),
    )
