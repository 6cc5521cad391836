"""``/api/scans/.../versions``: masks that people have drawn or corrected; none ever changes."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Annotated

import numpy as np
from fastapi import APIRouter, Form, Query, Response, UploadFile
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from breastseg.core.errors import InputError
from breastseg.measure.skin import LaidSkin
from breastseg.results.given_mask import GivenMask
from breastseg.results.schema import plain
from breastseg.service import asked, tables
from breastseg.service.caller import AnnotatorOf, CallerOf
from breastseg.service.drawn import measured, stored_mask
from breastseg.service.encoded import png_response
from breastseg.service.exports import ExportName
from breastseg.service.keeping import naming
from breastseg.service.outlined import Outlined, document_of
from breastseg.service.problem import NotFoundError
from breastseg.service.routes.exported import exported
from breastseg.service.segmenting import labels_of_png
from breastseg.service.service import Service, ServiceOf
from breastseg.service.wire import Id, Index, VersionInfo

router = APIRouter(tags=["versions"])

MOST_MASK_BYTES = 64 * 2**20
Coordinate = Annotated[float, Field(ge=-1e6, le=1e6)]
_PNG = {"image/png": {"schema": {"type": "string", "format": "binary"}}}
_PLACE = "/scans/{scan}/images/{image}/versions"


class VersionForm(BaseModel):
    """A mask and what is said of it."""

    model_config = ConfigDict(extra="forbid")

    mask: UploadFile = Field(description="grey PNG of the image's size; above 0: lesion")
    frame: Index = 0
    base: Id | None = Field(default=None, description="segmentation that it started from")
    note: str = Field(default="", max_length=10_000)
    seconds: float | None = Field(default=None, ge=0, le=1e6, description="that the person took")
    skin_line: list[Coordinate] | None = Field(
        default=None,
        min_length=4,
        max_length=4,
        description="row and column of two points of the skin line that the person has laid",
    )

    @property
    def skin(self) -> LaidSkin | None:
        """As it was laid."""
        if self.skin_line is None:
            return None
        row0, column0, row1, column1 = self.skin_line
        return LaidSkin(((row0, column0), (row1, column1)))


@router.post(_PLACE, status_code=201)
def add_version(
    scan: Id,
    image: Index,
    service: ServiceOf,
    caller: AnnotatorOf,
    form: Annotated[VersionForm, Form(media_type="multipart/form-data")],
) -> VersionInfo:
    """Keep a mask as the next version of an image, frame or slice."""
    data = form.mask.file.read(MOST_MASK_BYTES + 1)
    if len(data) > MOST_MASK_BYTES:
        raise InputError("a mask of more than 64 MiB", "a grey PNG")
    mask = labels_of_png(data) > 0
    with service.store.session() as session:
        found = asked.image(session, scan, image)
        base = None if form.base is None else asked.base(session, form.base, found, form.frame)
    picture = service.pictures.image(found.held, form.frame, found.stated_mm)
    changed = None if base is None else _changed_px(service, base, form.frame, mask)
    entry, drawn = measured(GivenMask(picture, mask, form.skin), caller.name, base, changed)
    digest = service.files.keep_bytes(stored_mask(mask))
    with naming(service.store, service.files, [digest]) as session:
        row = tables.Version(
            id=secrets.token_hex(16),
            scan_id=scan,
            image=image,
            frame=form.frame,
            number=_next_number(session, scan, image, form.frame),
            mask=digest,
            base=form.base,
            note=form.note,
            seconds=form.seconds,
            document=plain(document_of(entry, drawn.provenance)),
            created_by=caller.name,
        )
        session.add(row)
        session.flush()
        return _info(row)


@router.get(_PLACE)
def list_versions(
    scan: Id,
    image: Index,
    service: ServiceOf,
    _caller: CallerOf,
    frame: Annotated[Index | None, Query(description="of this frame alone")] = None,
) -> list[VersionInfo]:
    """The versions of an image, the oldest first."""
    rows = (
        select(tables.Version)
        .where(tables.Version.scan_id == scan, tables.Version.image == image)
        .order_by(tables.Version.frame, tables.Version.number)
    )
    if frame is not None:
        rows = rows.where(tables.Version.frame == frame)
    with service.store.session() as session:
        asked.image(session, scan, image)
        return [_info(row) for row in session.scalars(rows)]


@router.get(_PLACE + "/{number}")
def get_version(
    scan: Id, image: Index, number: Index, service: ServiceOf, _caller: CallerOf, frame: Index = 0
) -> VersionInfo:
    """A version with its measurements."""
    with service.store.session() as session:
        return _info(version_row(session, scan, image, frame, number))


@router.get(
    _PLACE + "/{number}/mask.png",
    response_class=Response,
    responses={200: {"content": _PNG, "description": "grey: 0 background, 255 lesion"}},
)
def get_version_mask(
    scan: Id, image: Index, number: Index, service: ServiceOf, _caller: CallerOf, frame: Index = 0
) -> Response:
    """The mask of a version."""
    with service.store.session() as session:
        row = version_row(session, scan, image, frame, number)
    labels = labels_of_png(service.files.blob(row.mask).read_bytes())
    return png_response(np.where(labels > 0, np.uint8(255), np.uint8(0)))


@router.get(
    _PLACE + "/{number}/exports/{name}",
    response_class=Response,
    responses={200: {"content": {"*/*": {}}, "description": "the file"}},
)
def export_version(
    scan: Id,
    image: Index,
    number: Index,
    name: ExportName,
    service: ServiceOf,
    _caller: CallerOf,
    frame: Index = 0,
) -> Response:
    """A version as a file."""
    with service.store.session() as session:
        row = version_row(session, scan, image, frame, number)
        found = asked.image(session, scan, image)
        base = asked.segmentation(session, row.base) if row.base else None
    picture = service.pictures.image(found.held, frame, found.stated_mm)
    mask = labels_of_png(service.files.blob(row.mask).read_bytes()) > 0
    remarks = service.methods.one(base.request["method"]).remarks if base else ()
    changed = row.document["provenance"]["parameters"].get("changed_px")
    skin = _skin_of(row)
    entry, drawn = measured(GivenMask(picture, mask, skin), row.created_by, base, changed)
    entry = replace(entry, remarks=(*entry.remarks, *remarks))
    outlined = Outlined(picture, drawn, entry, row.created_at, row.created_by, row.note, skin)
    return exported(service, name, outlined)


def _changed_px(
    service: Service, base: tables.Segmentation, frame: int, mask: NDArray[np.bool_]
) -> int | None:
    """In how many pixels a mask differs from the one that it started from; None where that went."""
    stored = service.results.read(base.id, "mask")
    own = stored[frame] if stored is not None and stored.ndim == 3 else stored
    return None if own is None or own.shape != mask.shape else int(((own != 0) != mask).sum())


def _skin_of(row: tables.Version) -> LaidSkin | None:
    """The skin line that was laid when it was kept."""
    ends = row.document["entries"][0].get("skin_line")
    if ends is None:
        return None
    first, last = ((float(row), float(column)) for row, column in ends)
    return LaidSkin((first, last))


def _next_number(session: Session, scan: str, image: int, frame: int) -> int:
    place = (
        tables.Version.scan_id == scan,
        tables.Version.image == image,
        tables.Version.frame == frame,
    )
    return (session.scalar(select(func.max(tables.Version.number)).where(*place)) or 0) + 1


def version_row(session: Session, scan: str, image: int, frame: int, number: int) -> tables.Version:
    """A version by its place and number.

    Raises:
        NotFoundError: there is none.
    """
    row = session.scalar(
        select(tables.Version).where(
            tables.Version.scan_id == scan,
            tables.Version.image == image,
            tables.Version.frame == frame,
            tables.Version.number == number,
        )
    )
    if row is None:
        raise NotFoundError("no such version", remedy="list the versions")
    return row


def _info(row: tables.Version) -> VersionInfo:
    return VersionInfo.model_validate(
        {
            "number": row.number,
            "frame": row.frame,
            "base": row.base,
            "note": row.note,
            "seconds": row.seconds,
            "created_at": row.created_at,
            "created_by": row.created_by,
            "document": row.document,
        }
    )
