"""``/api/projects/.../agreement`` and files of a whole project."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

from fastapi import APIRouter, Response

from breastseg import __version__
from breastseg.annotation.agreement import PairAgreement, agreement, readings_csv
from breastseg.annotation.consensus import consensus
from breastseg.annotation.progress import Status, status_of
from breastseg.annotation.project import Project
from breastseg.core.mask import LESION
from breastseg.core.provenance import BY_HAND
from breastseg.results.document import to_csv
from breastseg.results.given_mask import GivenMask
from breastseg.results.schema import Document, Files, SegmenterRecord
from breastseg.service.caller import AdminOf
from breastseg.service.coco import CocoImage, coco_json
from breastseg.service.exports import media_type
from breastseg.service.service import Service, ServiceOf
from breastseg.service.wire import Id

router = APIRouter(tags=["projects"])

ProjectExport = Literal["results.csv", "coco.json", "readings.csv"]


@router.get("/projects/{project}/agreement")
def get_agreement(project: Id, service: ServiceOf, _caller: AdminOf) -> tuple[PairAgreement, ...]:
    """How far each pair of readers agrees."""
    return agreement(service.labelling.one(project))


@router.get(
    "/projects/{project}/exports/{name}",
    response_class=Response,
    responses={200: {"content": {"*/*": {}}, "description": "the file"}},
)
def export_project(
    project: Id, name: ProjectExport, service: ServiceOf, _caller: AdminOf
) -> Response:
    """A file of a project.

    ``results.csv`` measures the consensus of each labelled image, ``coco.json`` has its contours,
    ``readings.csv`` a row for each reading with its time and edited pixels.
    """
    opened = service.labelling.one(project)
    if name == "readings.csv":
        data = readings_csv(opened).encode()
    elif name == "coco.json":
        data = coco_json(_contours(service, opened), LESION)
    else:
        data = _measured(service, opened).encode()
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "private, no-cache",
    }
    return Response(data, media_type=media_type(name), headers=headers)


def _labelled(service: Service, project: Project) -> Iterator[tuple[str, GivenMask, str]]:
    """Each labelled image's name, its consensus, and the rule of that."""
    needed = project.settings.readers_per_case
    for case in project.cases():
        readings = project.readings(case.name)
        if status_of(readings, needed) is not Status.LABELLED:
            continue
        together = consensus([one.mask for one in readings if one.mask is not None])
        image = service.kinds.image(case.name)
        yield f"{case.name}.png", GivenMask(image, together.mask), together.rule


def _contours(service: Service, project: Project) -> Iterator[CocoImage]:
    for name, given, _ in _labelled(service, project):
        rows, columns = given.mask.shape
        regions = [one.on((rows, columns)) for one in given.prediction.lesions()]
        yield CocoImage(name, (rows, columns), regions)


def _measured(service: Service, project: Project) -> str:
    entries = []
    for name, given, rule in _labelled(service, project):
        entry, _ = given.measure(name, Files())
        entries.append(replace(entry, remarks=(*entry.remarks, f"mask: {rule}")))
    made = SegmenterRecord(BY_HAND, __version__, {}, None)
    return to_csv(Document(complete=True, options={}, provenance=made, entries=tuple(entries)))
