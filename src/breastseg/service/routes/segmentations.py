"""``/api/segmentations``: ask for one, and get its result."""

from __future__ import annotations

from dataclasses import replace
from time import perf_counter
from typing import Annotated, Literal

import numpy as np
from fastapi import APIRouter, Query, Response
from numpy.typing import NDArray
from pydantic import TypeAdapter
from sqlalchemy import select
from sqlalchemy.orm import Session

from breastseg.core.errors import InputError
from breastseg.results.schema import Document, plain
from breastseg.service import asked, tables
from breastseg.service.asked import AskedImage
from breastseg.service.caller import AnnotatorOf, Caller, CallerOf
from breastseg.service.encoded import png_response, raw_response
from breastseg.service.exports import ExportName
from breastseg.service.outlined import Outlined, restored
from breastseg.service.problem import ConflictError, NotFoundError
from breastseg.service.routes.exported import exported
from breastseg.service.segmenting import check_method, identity, is_instant, segmented
from breastseg.service.service import Service, ServiceOf
from breastseg.service.wire import Id, Index, SegmentationInfo, SegmentationRequest

router = APIRouter(tags=["segmentations"])

_PNG = {"image/png": {"schema": {"type": "string", "format": "binary"}}}
_RAW = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}

MapName = Literal["mask", "probability"]
Frame = Annotated[
    Index | None,
    Query(description="of several; without, all where the answer can hold them, else the first"),
]


@router.post("/segmentations", status_code=201)
def segment(body: SegmentationRequest, service: ServiceOf, caller: AnnotatorOf) -> SegmentationInfo:
    """Segment an image at once, or a volume or whole cine loop as a job.

    The same request again is the same segmentation.
    """
    with service.store.session() as session:
        image = asked.image(session, body.scan, body.image)
        name = identity(body, image.stated_mm, service.methods.one(body.method))
        row = session.get(tables.Segmentation, name)
        if row is not None and (row.document is not None or _is_open(session, row)):
            return _info(session, row)
    if not is_instant(body, image.held, service.methods):
        check_method(body, service.methods)
        return _queued(service, body, image, name, caller)
    return _answered(service, body, image, name, caller)


@router.get("/scans/{scan}/segmentations")
def list_segmentations(
    scan: Id,
    service: ServiceOf,
    _caller: CallerOf,
    limit: Annotated[int, Query(ge=1, le=1000)] = 20,
) -> list[SegmentationInfo]:
    """Those of a scan, the newest first."""
    newest = (
        select(tables.Segmentation)
        .where(tables.Segmentation.scan_id == scan)
        .order_by(tables.Segmentation.created_at.desc(), tables.Segmentation.id)
    )
    with service.store.session() as session:
        asked.scan(session, scan)
        return [_info(session, row) for row in session.scalars(newest.limit(limit))]


@router.get("/segmentations/{segmentation}")
def get_segmentation(segmentation: Id, service: ServiceOf, _caller: CallerOf) -> SegmentationInfo:
    """A segmentation: its state, and its result once it is done."""
    with service.store.session() as session:
        return _info(session, asked.segmentation(session, segmentation))


@router.get(
    "/segmentations/{segmentation}/mask.png",
    response_class=Response,
    responses={200: {"content": _PNG, "description": "grey: 0 background, 255 lesion"}},
)
def get_mask(
    segmentation: Id, service: ServiceOf, _caller: CallerOf, frame: Frame = None
) -> Response:
    """The mask of an image, frame or slice, the first of several without a number."""
    mask = _map(service, segmentation, "mask", frame)
    mask = mask[0] if mask.ndim > 2 else mask
    return png_response(np.where(mask != 0, np.uint8(255), np.uint8(0)))


@router.get(
    "/segmentations/{segmentation}/mask",
    response_class=Response,
    responses={200: {"content": _RAW, "description": "uint8 labels; see pixels"}},
)
def get_labels(
    segmentation: Id, service: ServiceOf, _caller: CallerOf, frame: Frame = None
) -> Response:
    """The labels, raw, also of a whole volume."""
    return raw_response(_map(service, segmentation, "mask", frame), None)


@router.get(
    "/segmentations/{segmentation}/probability",
    response_class=Response,
    responses={200: {"content": _RAW, "description": "little-endian float32; see pixels"}},
)
def get_probability(
    segmentation: Id, service: ServiceOf, _caller: CallerOf, frame: Frame = None
) -> Response:
    """The probability of lesion of every pixel, 0 to 1, also of a whole volume."""
    return raw_response(_map(service, segmentation, "probability", frame), None)


@router.get(
    "/segmentations/{segmentation}/margin.png",
    response_class=Response,
    responses={
        200: {
            "content": _PNG,
            "description": "grey: 0 outside of the outer contours, 255 inside the inner ones",
        }
    },
)
def get_margin(
    segmentation: Id, service: ServiceOf, _caller: CallerOf, frame: Frame = None
) -> Response:
    """Between which contours the lesions lie, where a margin was asked for: 128."""
    outlined = _outlined(service, segmentation, frame)
    if outlined.prediction.coverage is None:
        raise NotFoundError("a segmentation without a margin", "one that was asked for with it")
    shape = outlined.image.grid.shape
    levels = np.zeros(shape, np.uint8)
    for one in outlined.found:
        assert one.margin is not None
        outer, inner = one.margin.masks(shape)
        levels = np.maximum(levels, np.where(inner, 255, np.where(outer, 128, 0)).astype(np.uint8))
    return png_response(levels)


@router.get(
    "/segmentations/{segmentation}/exports/{name}",
    response_class=Response,
    responses={200: {"content": {"*/*": {}}, "description": "the file"}},
)
def export_segmentation(
    segmentation: Id,
    name: ExportName,
    service: ServiceOf,
    _caller: CallerOf,
    frame: Frame = None,
) -> Response:
    """A result as a file: of a whole cine loop one frame at a time."""
    return exported(service, name, _outlined(service, segmentation, frame))


def _outlined(service: Service, name: str, frame: int | None) -> Outlined:
    with service.store.session() as session:
        row = asked.segmentation(session, name)
        found = asked.image(session, row.scan_id, row.image)
    body = SegmentationRequest.model_validate(row.request)
    if body.frame is not None:
        _check_frame(body, frame)
    alone = body.frame if body.frame is not None else frame
    if found.held.kind == "volume" and body.frame is None:
        alone = None  # a result of a whole volume is exported whole
    elif found.held.frames > 1 and alone is None:
        alone = 0
    probability = _map(service, name, "probability", alone)
    mask = _map(service, name, "mask", alone)
    document = TypeAdapter(Document).validate_python(row.document)
    assert document.provenance is not None
    entry = document.entries[(alone or 0) if len(document.entries) > 1 else 0]
    asked.check_scale(found, entry)
    image = service.pictures.image(found.held, alone, found.stated_mm, body.phase)
    method = service.methods.one(body.method)
    prediction = restored(image, probability, mask, document.provenance, entry)
    return Outlined(
        image,
        replace(prediction, conformal=method.conformal, coverage=body.margin),
        replace(entry, remarks=(*entry.remarks, *method.remarks)),
        row.created_at,
        row.created_by,
    )


def _answered(
    service: Service, body: SegmentationRequest, image: AskedImage, name: str, caller: Caller
) -> SegmentationInfo:
    started = perf_counter()
    outcome = segmented(body, image.held, service.pictures, service.methods, image.stated_mm)
    milliseconds = (perf_counter() - started) * 1000
    service.results.write(name, outcome.probability, outcome.mask)
    document = plain(outcome.document)
    with service.store.deciding() as session:
        row = _row(session, body, image, name, caller)
        row.document = document  # type: ignore[assignment]
        row.job_id = None
        session.flush()
        return _info(session, row).model_copy(update={"milliseconds": round(milliseconds, 1)})


def _queued(
    service: Service, body: SegmentationRequest, image: AskedImage, name: str, caller: Caller
) -> SegmentationInfo:
    with service.store.deciding() as session:
        row = _row(session, body, image, name, caller)
        if row.document is not None or _is_open(session, row):
            return _info(session, row)
        request = {"segmentation": name, "spacing_mm": image.stated_mm}
        row.job_id = service.jobs.add(session, "segmentation", request, caller.name).id
        session.flush()
        info = _info(session, row)
    service.jobs.wake()
    return info


def _row(
    session: Session, body: SegmentationRequest, image: AskedImage, name: str, caller: Caller
) -> tables.Segmentation:
    """The row of a request, made where another request has not made it in between."""
    row = session.get(tables.Segmentation, name)
    if row is None:
        row = tables.Segmentation(
            id=name,
            scan_id=image.scan_id,
            image=image.index,
            request=body.model_dump(mode="json"),
            created_by=caller.name,
        )
        session.add(row)
    return row


def _is_open(session: Session, row: tables.Segmentation) -> bool:
    job = session.get(tables.Job, row.job_id) if row.job_id else None
    return job is not None and job.state in ("queued", "running")


def _info(session: Session, row: tables.Segmentation) -> SegmentationInfo:
    job = session.get(tables.Job, row.job_id) if row.job_id else None
    state = "done" if row.document is not None else job.state if job else "failed"
    return SegmentationInfo.model_validate(
        {
            "id": row.id,
            "state": state,
            "job": row.job_id,
            "message": job.message if job else "",
            "request": row.request,
            "created_at": row.created_at,
            "created_by": row.created_by,
            "document": row.document,
        }
    )


def _check_frame(body: SegmentationRequest, frame: int | None) -> None:
    """Refuse another frame than the one of a result, which needs no number."""
    own = body.frame or 0
    if frame not in (None, own):
        raise NotFoundError(f"no frame {frame} in this result", f"{own}, or none")


def _computed_again(
    service: Service, row: tables.Segmentation, body: SegmentationRequest, image: asked.AskedImage
) -> dict[MapName, NDArray[np.generic]]:
    """The maps of a result that have gone, where its method still gives them.

    Raises:
        ConflictError: the software or the bundle has changed, and the lesions with it.
    """
    outcome = segmented(body, image.held, service.pictures, service.methods, image.stated_mm)
    if identity(body, image.stated_mm, service.methods.one(body.method)) != row.id:
        then = TypeAdapter(Document).validate_python(row.document)
        if _sizes(then) != _sizes(outcome.document):
            raise ConflictError(
                "a result whose maps have gone, by a method that has changed since",
                remedy="segment the image again",
            )
    service.results.write(row.id, outcome.probability, outcome.mask)
    return {"mask": outcome.mask, "probability": outcome.probability}


def _sizes(document: Document) -> list[list[int]]:
    return [[one.pixels for one in entry.lesions] for entry in document.entries]


def _map(service: Service, name: str, which: MapName, frame: int | None) -> NDArray[np.generic]:
    """A map of a result that is done, computed again where it has gone."""
    with service.store.session() as session:
        row = asked.segmentation(session, name)
        if row.document is None:
            raise ConflictError("a segmentation that is not done", "one that is", "wait for it")
        image = asked.image(session, row.scan_id, row.image)
    body = SegmentationRequest.model_validate(row.request)
    found = service.results.read(name, which)
    if found is None:
        found = _computed_again(service, row, body, image)[which]
    if found.ndim == 2:
        _check_frame(body, frame)
        return found
    if frame is None:
        return found
    if not 0 <= frame < len(found):
        raise InputError(f"frame {frame}", f"0 to {len(found) - 1}")
    return np.asarray(found[frame])
