"""``/api/scans``: upload, list, look at, state the spacing."""

from __future__ import annotations

import hashlib
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Query, Request
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.datastructures import UploadFile

from breastseg.core.errors import InputError, UnreadableError
from breastseg.service import asked, tables
from breastseg.service.caller import AnnotatorOf, CallerOf
from breastseg.service.examples import EXAMPLES
from breastseg.service.keeping import naming
from breastseg.service.pictures import Held, Problem, take_in
from breastseg.service.problem import ConflictError, NotFoundError
from breastseg.service.receiving import Received, Receiver
from breastseg.service.service import Service, ServiceOf
from breastseg.service.wire import (
    Example,
    Id,
    ImageInfo,
    Index,
    ScaledPart,
    ScanInfo,
    SpacingRequest,
)

router = APIRouter(tags=["scans"])

_FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["files"],
                    "properties": {
                        "files": {
                            "type": "array",
                            "minItems": 1,
                            "items": {"type": "string", "format": "binary"},
                            "description": "images, a folder's files, or ZIP archives of them",
                        },
                    },
                }
            }
        },
    }
}


@router.post("/scans", status_code=201, openapi_extra=_FORM)
async def upload_scan(request: Request, service: ServiceOf, caller: AnnotatorOf) -> ScanInfo:
    """Upload files that belong together; the same files again are the same scan."""
    limits = service.settings.limits
    async with request.form(max_files=limits.upload_files, max_fields=0) as form:
        files = [one for one in form.getlist("files") if isinstance(one, UploadFile)]
        if not files:
            raise InputError("an upload without files", "one or more in the field 'files'")
        return await to_thread.run_sync(_received, service, files, caller.name)


@router.get("/scans")
def list_scans(
    service: ServiceOf,
    _caller: CallerOf,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    offset: Annotated[int, Query(ge=0, lt=2**31)] = 0,
) -> list[ScanInfo]:
    """The scans, the newest first."""
    newest = select(tables.Scan).order_by(tables.Scan.created_at.desc(), tables.Scan.id)
    with service.store.session() as session:
        rows = session.scalars(newest.limit(limit).offset(offset)).all()
        return [_info(session, row) for row in rows]


@router.get("/scans/{scan}")
def get_scan(scan: Id, service: ServiceOf, _caller: CallerOf) -> ScanInfo:
    """A scan with its images."""
    with service.store.session() as session:
        return _info(session, asked.scan(session, scan))


@router.put("/scans/{scan}/images/{image}/spacing")
def put_spacing(
    scan: Id, image: Index, body: SpacingRequest, service: ServiceOf, caller: AnnotatorOf
) -> ScanInfo:
    """State the spacing of an image whose file states none."""
    with service.store.session() as session:
        held = asked.image(session, scan, image).held
        if held.spacing_mm is not None or held.regions or held.kind == "volume":
            raise ConflictError(
                "a spacing for an image whose file states it", "an image without one"
            )
        row, column = body.spacing_mm
        session.add(
            tables.Spacing(
                scan_id=scan, image=image, row_mm=row, column_mm=column, created_by=caller.name
            )
        )
        session.flush()
        return _info(session, asked.scan(session, scan))


@router.get("/examples")
def list_examples(_caller: CallerOf) -> list[Example]:
    """Generated scans to try things on."""
    return [Example(name=name, summary=one.summary) for name, one in EXAMPLES.items()]


@router.post("/examples/{name}", status_code=201)
def open_example(name: str, service: ServiceOf, caller: AnnotatorOf) -> ScanInfo:
    """Open a generated scan; a second time it is the same scan."""
    if name not in EXAMPLES:
        raise NotFoundError("no such example", f"one of {', '.join(EXAMPLES)}")
    with service.files.scratch() as written, service.files.scratch() as folder:
        paths = EXAMPLES[name].write(written)
        files = [Received(path.rename(folder / path.name), path.name) for path in paths]
        return keep_scan(service, files, caller.name)


def _received(service: Service, files: list[UploadFile], by: str) -> ScanInfo:
    with service.files.scratch() as folder:
        receiver = Receiver(folder, service.settings.limits)
        for one in files:
            receiver.take(one.file, one.filename or "file")
        return keep_scan(service, receiver.files, by)


def keep_scan(service: Service, files: list[Received], by: str) -> ScanInfo:
    """Keep files that belong together as a scan.

    Args:
        service: keeps them.
        files: alone in their folder.
        by: name of the account.

    Raises:
        UnreadableError: no image is among them.
    """
    images, problems = take_in(service.files, files) if files else ((), ())
    if not images:
        if problems:
            raise UnreadableError(problems[0].message)
        raise UnreadableError(
            f"no image among {len(files)} files",
            "PNG, JPEG, TIFF, DICOM, NIfTI, a folder or a ZIP of them",
            "choose the files of the scan itself",
        )
    digests = [digest for one in images for digest in one.files]
    with naming(service.store, service.files, digests) as session:
        name = _name_of(images)
        row = session.get(tables.Scan, name)
        if row is None:
            row = _new_row(name, images, problems, by)
            session.add(row)
            session.flush()
        return _info(session, row)


def _new_row(
    name: str, images: tuple[Held, ...], problems: tuple[Problem, ...], by: str
) -> tables.Scan:
    return tables.Scan(
        id=name,
        name=images[0].name if len(images) == 1 else f"{images[0].name} and {len(images) - 1} more",
        images=[one.as_row() for one in images],
        problems=[{"name": one.name, "message": one.message} for one in problems],
        created_by=by,
    )


def _name_of(images: tuple[Held, ...]) -> str:
    """One for the same files."""
    digests = sorted({digest for one in images for digest in one.files})
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()[:32]


def _info(session: Session, row: tables.Scan) -> ScanInfo:
    stated = asked.stated_spacing(session, row.id)
    return ScanInfo.model_validate(
        {
            "id": row.id,
            "name": row.name,
            "created_at": row.created_at,
            "created_by": row.created_by,
            "problems": row.problems,
            "images": [
                _image_info(number, Held.from_row(held), stated.get(number))
                for number, held in enumerate(row.images)
            ],
        }
    )


def _image_info(index: int, held: Held, stated: tuple[float, float] | None) -> ImageInfo:
    known = held.spacing_mm is not None or bool(held.regions)
    return ImageInfo(
        index=index,
        name=held.name,
        kind=held.kind,
        shape=held.shape,
        frames=held.frames,
        channels=held.channels,
        dtype=held.dtype,
        low=held.low,
        high=held.high,
        spacing_mm=held.spacing_mm if known else stated,
        spacing_from="file" if known else "user" if stated else None,
        regions=tuple(ScaledPart(box=box, spacing_mm=step) for box, step in held.regions),
        modality=held.modality,
        view=held.view,
        phases=held.phases,
        study_date=held.study_date,
        number=held.number,
        dicom=held.refers,
        remarks=held.remarks,
    )
