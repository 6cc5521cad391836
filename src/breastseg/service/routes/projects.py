"""``/api/projects``: label a set of scans with several readers, blind to each other."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import numpy as np
from fastapi import APIRouter, BackgroundTasks, Form, Response, UploadFile
from fastapi import Path as InPath
from fastapi.responses import FileResponse
from pydantic import BaseModel, ConfigDict, Field

from breastseg.annotation.consensus import consensus
from breastseg.annotation.labels import Effort, effort, write_labels
from breastseg.annotation.progress import Status, status_of
from breastseg.annotation.project import Project, ProjectCase, ProjectSettings
from breastseg.annotation.reading import Decision, Reading
from breastseg.core.errors import InputError
from breastseg.inference.options import MethodOptions
from breastseg.service import asked
from breastseg.service.caller import AdminOf, AnnotatorOf, CallerOf
from breastseg.service.encoded import png_response
from breastseg.service.labelling import Place, place_of
from breastseg.service.problem import NotFoundError
from breastseg.service.proposing import propose
from breastseg.service.routes.versions import MOST_MASK_BYTES
from breastseg.service.segmenting import labels_of_png
from breastseg.service.service import Service, ServiceOf
from breastseg.service.waiting import renewing
from breastseg.service.wire import Id, Index

router = APIRouter(tags=["projects"])

CaseName = Annotated[str, InPath(pattern=r"^[0-9a-f]{32}-\d{1,9}-\d{1,9}$")]
_PNG = {"image/png": {"schema": {"type": "string", "format": "binary"}}}
_ZIP = {"application/zip": {"schema": {"type": "string", "format": "binary"}}}


class ProjectRequest(BaseModel):
    """A project to be made."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=200)
    method: str = Field(default="ultrasound", max_length=100, description="proposes masks")
    readers_per_case: int = Field(default=1, ge=1, le=20)


class ProjectInfo(BaseModel):
    """A project and how far it is."""

    id: Id
    name: str
    method: str
    readers_per_case: int
    images: int
    open: int = Field(description="images that need more readers")
    labelled: int
    rejected: int
    own: int = Field(description="images that the caller has read")
    renewing: Id | None = Field(
        description="the job in which another method proposes masks of what nobody has read"
    )


class ScanToLabel(BaseModel):
    """A scan whose images become part of a project."""

    model_config = ConfigDict(extra="forbid")

    scan: Id
    patient: str = Field(
        default="",
        max_length=100,
        pattern=r"^[A-Za-z0-9._-]*$",
        description="pseudonym that images of one patient share; empty: the scan is its own",
    )


class CaseInfo(BaseModel):
    """An image of a project, as a reader gets it."""

    case: str
    scan: Id
    image: Index
    frame: Index
    proposed: bool = Field(description="whether there is a mask to start from")
    uncertainty: float | None = Field(description="of the proposed mask; 0 is sure")
    known: bool = Field(default=False, description="of an added one: it was there already")


class CaseProgress(CaseInfo):
    """An image of a project, as its admin sees it."""

    status: Status
    readers: tuple[str, ...]
    agreement: float | None = Field(description="mean Dice of the readers' pairs")


class ReadingForm(BaseModel):
    """What a reader decides on an image."""

    model_config = ConfigDict(extra="forbid")

    decision: Decision
    seconds: float = Field(ge=0, le=1e6, description="from the image's appearance")
    mask: UploadFile | None = Field(
        default=None, description="grey PNG of the image's size; above 0: lesion"
    )
    note: str = Field(default="", max_length=10_000)
    first: bool = Field(
        default=False, description="refuse it where the caller has decided on the image before"
    )


@router.post("/projects", status_code=201)
def add_project(body: ProjectRequest, service: ServiceOf, caller: AnnotatorOf) -> ProjectInfo:
    """Make an empty project."""
    service.methods.one(body.method)
    settings = ProjectSettings(body.name, body.method, body.readers_per_case)
    name, project = service.labelling.create(settings)
    return _info(name, project, caller.name, None)


@router.get("/projects")
def list_projects(service: ServiceOf, caller: CallerOf) -> list[ProjectInfo]:
    """The projects and how far they are."""
    found = service.labelling.all().items()
    with service.store.session() as session:
        jobs = renewing(session)
    return [_info(name, project, caller.name, jobs.get(name)) for name, project in found]


@router.get("/projects/{project}")
def get_project(project: Id, service: ServiceOf, caller: CallerOf) -> ProjectInfo:
    """A project and how far it is."""
    return _of(service, project, caller.name)


@router.post("/projects/{project}/scans", status_code=201)
def add_scan_to_project(
    project: Id, body: ScanToLabel, service: ServiceOf, _caller: AnnotatorOf
) -> list[CaseInfo]:
    """Add the images of a scan, each with a proposed mask; volumes are refused.

    An image that is in the project already stays as it is.
    """
    opened = service.labelling.one(project)
    with service.store.session() as session:
        count = len(asked.scan(session, body.scan).images)
        images = [asked.image(session, body.scan, index) for index in range(count)]
    if any(image.held.kind == "volume" for image in images):
        raise InputError("a scan with a volume", "images", "export its slices as images")
    segmenter = service.methods.open(opened.settings.method, {}, MethodOptions(force=True))
    known = {case.name: case for case in opened.cases()}
    added = []
    for image in images:
        for frame in range(image.held.frames):
            name = Place(body.scan, image.index, frame).case
            case = known.get(name)
            if case is None:
                pixels = service.pictures.image(image.held, frame, image.stated_mm)
                case = propose(opened, name, body.patient or body.scan, pixels, segmenter)
                added.append(_case(case, proposed=True))
            else:
                added.append(_case(case, proposed=True).model_copy(update={"known": True}))
    return added


@router.post("/projects/{project}/next")
def open_next_case(project: Id, service: ServiceOf, caller: AnnotatorOf) -> CaseInfo | None:
    """Open the image that the caller should read next; null where nothing is left.

    It is one on which the method is unsure, or one that others have begun. Where
    nobody has read it and the project has got another method since its mask was proposed, that
    method proposes one now.
    """
    case = service.labelling.next(project, caller.name)
    if case is None:
        return None
    opened = service.labelling.one(project)
    method = opened.settings.method
    if case.method != method and not opened.readings(case.name):
        segmenter = service.methods.open(method, {}, MethodOptions(force=True))
        image = service.kinds.image(case.name)
        case = propose(opened, case.name, case.patient, image, segmenter)
    return _case(case, opened.proposed(case.name) is not None)


@router.get(
    "/projects/{project}/cases/{case}/proposed.png",
    response_class=Response,
    responses={200: {"content": _PNG, "description": "grey: 0 background, 255 lesion"}},
)
def get_proposed_mask(
    project: Id, case: CaseName, service: ServiceOf, _caller: AnnotatorOf
) -> Response:
    """The mask that readers start from."""
    mask = service.labelling.one(project).proposed(case)
    if mask is None:
        raise NotFoundError("no mask was proposed for this image", remedy="start from an empty one")
    return png_response(np.where(mask, np.uint8(255), np.uint8(0)))


@router.post("/projects/{project}/cases/{case}/readings", status_code=201)
def add_reading(
    project: Id,
    case: CaseName,
    service: ServiceOf,
    caller: AnnotatorOf,
    form: Annotated[ReadingForm, Form(media_type="multipart/form-data")],
) -> ProjectInfo:
    """Keep what the caller decides on an image; earlier decisions stay on record.

    An accepted image needs no mask: it has the proposed one.
    """
    opened = service.labelling.one(project)
    proposed = opened.proposed(case)
    mask = None
    if form.mask is not None:
        data = form.mask.file.read(MOST_MASK_BYTES + 1)
        if len(data) > MOST_MASK_BYTES:
            raise InputError("a mask of more than 64 MiB", "a grey PNG")
        mask = labels_of_png(data) > 0
    elif form.decision is Decision.ACCEPTED:
        mask = proposed
    edited = None
    if mask is not None and proposed is not None and mask.shape == proposed.shape:
        edited = int(np.count_nonzero(mask != proposed))
    if form.decision is Decision.ACCEPTED and edited:
        raise InputError(
            f"an accepted mask with {edited} changed pixels", "the proposed mask as it is"
        )
    when = datetime.now(UTC).isoformat(timespec="seconds")
    reading = Reading(case, caller.name, form.decision, when, form.seconds, mask, edited, form.note)
    service.labelling.record(project, reading, form.first)
    return _of(service, project, caller.name)


@router.get("/projects/{project}/cases")
def list_cases(project: Id, service: ServiceOf, _caller: AdminOf) -> list[CaseProgress]:
    """Who has read which image, and how far they agree; readers are blind, so for admins alone."""
    opened = service.labelling.one(project)
    return [_progress(opened, case) for case in opened.cases()]


@router.get("/projects/{project}/effort")
def get_effort(project: Id, service: ServiceOf, _caller: AdminOf) -> tuple[Effort, ...]:
    """What labelling took each reader."""
    return effort(service.labelling.one(project))


@router.get(
    "/projects/{project}/cases/{case}/consensus.png",
    response_class=Response,
    responses={200: {"content": _PNG, "description": "grey: 0 background, 255 lesion"}},
)
def get_consensus(project: Id, case: CaseName, service: ServiceOf, _caller: AdminOf) -> Response:
    """The mask that the readers of an image give together."""
    readings = service.labelling.one(project).readings(case)
    masks = [reading.mask for reading in readings if reading.mask is not None]
    if not masks:
        raise NotFoundError("no reader has given a mask of this image")
    response = png_response(np.where(consensus(masks).mask, np.uint8(255), np.uint8(0)))
    response.headers["Cache-Control"] = "private, no-cache"  # the next reading changes it
    return response


@router.get(
    "/projects/{project}/labels.zip",
    response_class=FileResponse,
    responses={200: {"content": _ZIP, "description": "images/, masks/ and cases.csv"}},
)
def download_labels(
    project: Id, service: ServiceOf, _caller: AdminOf, background: BackgroundTasks
) -> FileResponse:
    """The labelled images as a data set to train on."""
    opened = service.labelling.one(project)
    scratch = service.files.temporary
    folder = scratch / f"labels-{project}-{datetime.now(UTC):%Y%m%d%H%M%S%f}"
    background.add_task(shutil.rmtree, folder, ignore_errors=True)
    try:
        write_labels(opened, service.kinds.image, folder / "labels")
        archive = shutil.make_archive(str(folder / "labels"), "zip", folder, "labels")
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return FileResponse(Path(archive), media_type="application/zip", filename="labels.zip")


def _of(service: Service, name: str, reader: str) -> ProjectInfo:
    with service.store.session() as session:
        job = renewing(session).get(name)
    return _info(name, service.labelling.one(name), reader, job)


def _info(name: str, project: Project, reader: str, job: str | None) -> ProjectInfo:
    cases = project.cases()
    readings = [project.readings(case.name) for case in cases]
    needed = project.settings.readers_per_case
    states = [status_of(one, needed) for one in readings]
    return ProjectInfo(
        id=name,
        name=project.settings.name,
        method=project.settings.method,
        readers_per_case=needed,
        images=len(cases),
        open=states.count(Status.OPEN),
        labelled=states.count(Status.LABELLED),
        rejected=states.count(Status.REJECTED),
        own=sum(any(reading.reader == reader for reading in one) for one in readings),
        renewing=job,
    )


def _case(case: ProjectCase, proposed: bool) -> CaseInfo:
    place = place_of(case.name)
    return CaseInfo(
        case=case.name,
        scan=place.scan,
        image=place.image,
        frame=place.frame,
        proposed=proposed,
        uncertainty=case.uncertainty,
    )


def _progress(project: Project, case: ProjectCase) -> CaseProgress:
    readings = project.readings(case.name)
    masks = [reading.mask for reading in readings if reading.mask is not None]
    return CaseProgress(
        **_case(case, project.proposed(case.name) is not None).model_dump(),
        status=status_of(readings, project.settings.readers_per_case),
        readers=tuple(reading.reader for reading in readings),
        agreement=consensus(masks).agreement if masks else None,
    )
