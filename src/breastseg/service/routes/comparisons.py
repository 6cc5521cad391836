"""``/api/comparisons``: a result beside that of a prior study."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator
from sqlalchemy.orm import Session

from breastseg.results.prior import change_lines, with_prior
from breastseg.results.schema import Document, Entry
from breastseg.results.sentences import to_paste
from breastseg.service import asked
from breastseg.service.asked import AskedImage
from breastseg.service.caller import CallerOf
from breastseg.service.problem import ConflictError, NotFoundError
from breastseg.service.routes.versions import version_row
from breastseg.service.same_patient import OTHER, Patient, same_patient
from breastseg.service.service import Service, ServiceOf
from breastseg.service.wire import Id, Index, ResultsDocument

router = APIRouter(tags=["comparisons"])

Number = Annotated[int, Field(ge=1, lt=2**31)]


class ResultRef(BaseModel):
    """A result: a segmentation, or the version of an image that a person has kept."""

    model_config = ConfigDict(extra="forbid")

    segmentation: Id | None = None
    scan: Id | None = Field(default=None, description="of a version")
    image: Index = Field(default=0, description="of a version")
    version: Number | None = Field(default=None, description="its number")
    frame: Index | None = Field(
        default=None, description="of several; the first, or the one that was segmented, without"
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> ResultRef:
        is_version = self.scan is not None and self.version is not None
        if is_version == (self.segmentation is not None):
            raise ValueError("either a segmentation, or scan and version")
        return self


class ComparisonRequest(BaseModel):
    """Two results of one patient."""

    model_config = ConfigDict(extra="forbid")

    now: ResultRef
    prior: ResultRef
    pairs: tuple[tuple[Number, Number], ...] | None = Field(
        default=None,
        max_length=1000,
        description="(lesion's number now, its number then) as a person states them; null: found",
    )


class Beside(BaseModel):
    """What is known of two images before their lesions are compared."""

    patient: Patient = Field(
        description="whether both are of one patient as the files state it; unknown: they do not"
    )


class Comparison(BaseModel):
    """A result with its prior."""

    document: ResultsDocument = Field(
        description="the present result; entries[0].prior has the pairs and their growth"
    )
    sentences: tuple[str, ...] = Field(description="to paste: sizes, then changes")


@router.get("/scans/{scan}/images/{image}/beside/{other}/{other_image}")
def look_beside(
    scan: Id, image: Index, other: Id, other_image: Index, service: ServiceOf, _caller: CallerOf
) -> Beside:
    """Whether two images are of one patient, as their files state it."""
    with service.store.session() as session:
        both = asked.image(session, scan, image), asked.image(session, other, other_image)
    return Beside(patient=_patient(service, *both))


@router.post("/comparisons")
def compare_with_prior(
    body: ComparisonRequest, service: ServiceOf, _caller: CallerOf
) -> Comparison:
    """Pair the lesions of two studies and measure their growth, in mm and per cent."""
    with service.store.session() as session:
        now, prior = (_result(session, ref) for ref in (body.now, body.prior))
        images = [_image_of(session, ref) for ref in (body.now, body.prior)]
    entries = _entry(now, body.now), _entry(prior, body.prior)
    for image, found in zip(images, entries, strict=True):
        asked.check_scale(image, found)
    entry = with_prior(*entries, body.pairs)
    if _patient(service, *images) == "other":
        entry = replace(entry, remarks=(*entry.remarks, OTHER))
    document = Document(complete=True, options={}, provenance=now.provenance, entries=(entry,))
    return Comparison(document=document, sentences=(*to_paste(entry), *change_lines(entry)))


def _result(session: Session, ref: ResultRef) -> Document:
    if ref.segmentation is not None:
        stored = asked.segmentation(session, ref.segmentation).document
    else:
        assert ref.scan is not None
        assert ref.version is not None
        stored = version_row(session, ref.scan, ref.image, ref.frame or 0, ref.version).document
    if stored is None:
        raise ConflictError("a segmentation that is not done", "one that is", "wait for it")
    return TypeAdapter(Document).validate_python(stored)


def _image_of(session: Session, ref: ResultRef) -> AskedImage:
    if ref.segmentation is not None:
        row = asked.segmentation(session, ref.segmentation)
        return asked.image(session, row.scan_id, row.image)
    assert ref.scan is not None
    return asked.image(session, ref.scan, ref.image)


def _patient(service: Service, now: AskedImage, prior: AskedImage) -> Patient:
    # A slice of a volume no longer says whose it is.
    first, second = (
        service.pictures.image(one.held, None if one.held.kind == "volume" else 0)
        for one in (now, prior)
    )
    return same_patient(first, second)


def _entry(document: Document, ref: ResultRef) -> Entry:
    entries = document.entries
    number = (ref.frame or 0) if len(entries) > 1 else 0
    if number >= len(entries):
        raise NotFoundError(f"no frame {number} in this result", f"0 to {len(entries) - 1}")
    entry = entries[number]
    # A result of one frame needs no number; another one than its own is not passed over.
    own = (entry.frame or 1) - 1
    if ref.frame not in (None, own):
        raise NotFoundError(f"no frame {ref.frame} in this result", f"{own}, or none")
    return entry
