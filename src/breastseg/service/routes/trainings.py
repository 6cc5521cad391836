"""``/api/projects/.../trainings``: retrain from a project's labels, and choose."""

from __future__ import annotations

import shutil
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Literal

from fastapi import APIRouter, BackgroundTasks
from fastapi.responses import FileResponse
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from breastseg.annotation.parts import labelled_parts
from breastseg.annotation.project import Project
from breastseg.core.image import Modality
from breastseg.retraining.task import Outcome, check_can_train, modality_of
from breastseg.service import asked, tables
from breastseg.service.caller import AdminOf, CallerOf
from breastseg.service.kinds import PROPOSALS, TRAINING
from breastseg.service.labelling import place_of
from breastseg.service.problem import ConflictError, NotFoundError
from breastseg.service.service import Service, ServiceOf
from breastseg.service.trained import new_name, trained_name
from breastseg.service.wire import Id, State, TrainingStep

router = APIRouter(tags=["trainings"])

_ZIP = {"application/zip": {"schema": {"type": "string", "format": "binary"}}}
_OPEN = ("queued", "running")


class TrainingRequest(BaseModel):
    """A retraining to be begun."""

    model_config = ConfigDict(extra="forbid")

    epochs: int = Field(default=10, ge=1, le=1000, description="passes over the training images")
    modality: Modality | None = Field(
        default=None, description="of the images, where neither they nor the method say it"
    )


class ChoiceRequest(BaseModel):
    """Which of the two a person takes."""

    model_config = ConfigDict(extra="forbid")

    take: Literal["before", "after"] = Field(
        description="after: the new bundle proposes the project's masks from now on"
    )


class TrainingInfo(BaseModel):
    """A retraining: how far it is, both scores, and what a person chose."""

    id: Id = Field(description="also that of its job, whose events tell each epoch")
    project: Id
    state: State
    message: str = Field(description="with state failed, what went wrong")
    progress: float = Field(ge=0, le=1)
    step: TrainingStep | None = Field(description="null before the first")
    method: str = Field(description="that the new bundle is held against")
    bundle: str = Field(description="the new bundle's name as a method, once it is done")
    epochs: int
    modality: Modality
    train_images: int
    train_patients: int
    held_out_images: int = Field(description="never trained on, also in earlier trainings")
    held_out_patients: int
    remarks: tuple[str, ...] = Field(description="to be read before a choice")
    outcome: Outcome | None = Field(description="once it is done")
    choice: Literal["before", "after"] | None
    chosen_at: datetime | None
    chosen_by: str | None
    created_at: datetime
    created_by: str


@router.post("/projects/{project}/trainings", status_code=201)
def retrain(
    project: Id, body: TrainingRequest, service: ServiceOf, caller: AdminOf
) -> TrainingInfo:
    """Train on the labelled images, as a job; about a quarter of the patients is held out.

    One at a time for a project. Where training is not installed, the problem says so.
    """
    check_can_train()
    opened = service.labelling.one(project)
    method = opened.settings.method
    with service.store.deciding() as session:
        _refuse_second(session, project)
        parts = labelled_parts(opened)
        modality = _modality(service, session, method, body, (*parts.train, *parts.held_out))
        row = tables.Training(
            project=project,
            method=method,
            request={
                "epochs": body.epochs,
                "modality": modality.value,
                "bundle": _new_name(service, session, opened),
                "opened_as": service.methods.one(method).method,
                "remarks": _remarks(opened),
            },
            parts=asdict(parts),
            created_by=caller.name,
        )
        row.id = service.jobs.add(session, TRAINING, {"project": project}, caller.name).id
        session.add(row)
        session.flush()
        info = _info(session, row)
    service.jobs.wake()
    return info


@router.get("/projects/{project}/trainings")
def list_trainings(project: Id, service: ServiceOf, _caller: CallerOf) -> list[TrainingInfo]:
    """The trainings of a project, the newest first."""
    service.labelling.one(project)
    newest = (
        select(tables.Training)
        .where(tables.Training.project == project)
        .order_by(tables.Training.created_at.desc(), tables.Training.id)
    )
    with service.store.session() as session:
        return [_info(session, row) for row in session.scalars(newest)]


@router.get("/trainings/{training}")
def get_training(training: Id, service: ServiceOf, _caller: CallerOf) -> TrainingInfo:
    """A training: how far it is, and what came of it."""
    with service.store.session() as session:
        return _info(session, _found(session, training))


@router.post("/trainings/{training}/choice")
def choose(training: Id, body: ChoiceRequest, service: ServiceOf, caller: AdminOf) -> TrainingInfo:
    """Take the new bundle for the project, or stay with the old method.

    A job then renews what is proposed of images that nobody has read, and with it the order
    of the queue.
    """
    with service.store.session() as session:
        row = _found(session, training)
        if row.outcome is None:
            raise ConflictError("a training that is not done", "one that is", "wait for it")
        project = service.labelling.one(row.project)
        project.proposing(trained_name(row) if body.take == "after" else row.method)
        row.choice, row.chosen_by, row.chosen_at = body.take, caller.name, tables.now()
        service.jobs.add(session, PROPOSALS, {"project": row.project}, caller.name)
        session.flush()
        info = _info(session, row)
    service.jobs.wake()
    return info


@router.get(
    "/trainings/{training}/bundle.zip",
    response_class=FileResponse,
    responses={200: {"content": _ZIP, "description": "the bundle's folder"}},
)
def download_bundle(
    training: Id, service: ServiceOf, _caller: AdminOf, background: BackgroundTasks
) -> FileResponse:
    """The new bundle, to be used elsewhere."""
    with service.store.session() as session:
        row = _found(session, training)
        if row.outcome is None:
            raise ConflictError("a training that is not done", "one that is", "wait for it")
        name = f"{trained_name(row)}.zip"
    folder = service.files.temporary / f"bundle-{training}-{tables.now():%Y%m%d%H%M%S%f}"
    folder.mkdir(mode=0o700)
    background.add_task(shutil.rmtree, folder, ignore_errors=True)
    archive = shutil.make_archive(
        str(folder / "bundle"), "zip", service.files.trained / training, "."
    )
    return FileResponse(Path(archive), media_type="application/zip", filename=name)


def _found(session: Session, name: str) -> tables.Training:
    row = session.get(tables.Training, name)
    if row is None:
        raise NotFoundError("no such training", remedy="list those of the project")
    return row


def _new_name(service: Service, session: Session, project: Project) -> str:
    taken = {*service.methods.all(), *map(trained_name, session.scalars(select(tables.Training)))}
    return new_name(project.settings.name, tables.now().date(), taken)


def _refuse_second(session: Session, project: str) -> None:
    jobs = select(tables.Job.id).where(tables.Job.kind == TRAINING, tables.Job.state.in_(_OPEN))
    mine = select(tables.Training.id).where(
        tables.Training.project == project, tables.Training.id.in_(jobs)
    )
    if session.scalar(mine) is not None:
        raise ConflictError(
            "a second training of this project", "one at a time", "wait for it, or cancel it"
        )


def _modality(
    service: Service,
    session: Session,
    method: str,
    body: TrainingRequest,
    cases: tuple[str, ...],
) -> Modality:
    """Of the new bundle: as a person, the images or the old bundle say it."""
    info = service.methods.one(method).info
    stated = {body.modality or Modality.UNKNOWN}
    if info.kind == "network" and body.modality is None:
        stated.add(info.modality)
    for place in {(one.scan, one.image) for one in map(place_of, cases)}:
        stated.add(Modality(asked.image(session, *place).held.modality))
    return modality_of(stated)


def _remarks(project: Project) -> list[str]:
    """What a person must know of the cases."""
    alone = sum(case.patient == place_of(case.name).scan for case in project.cases())
    if not alone:
        return []
    return [
        f"{alone} images were added without a patient's pseudonym. Each of their scans counts as a "
        "patient: images of one patient in several scans may be trained on and scored."
    ]


def _info(session: Session, row: tables.Training) -> TrainingInfo:
    job = session.get_one(tables.Job, row.id)
    remarks = [*row.request["remarks"], *(row.outcome["remarks"] if row.outcome else ())]
    return TrainingInfo.model_validate(
        {
            "id": row.id,
            "project": row.project,
            "state": job.state,
            "message": job.message,
            "progress": job.progress,
            "step": job.step,
            "method": row.method,
            "bundle": trained_name(row),
            "epochs": row.request["epochs"],
            "modality": row.request["modality"],
            "train_images": len(row.parts["train"]),
            "held_out_images": len(row.parts["held_out"]),
            "train_patients": row.parts["patients"][0],
            "held_out_patients": row.parts["patients"][1],
            "remarks": remarks,
            "outcome": row.outcome,
            "choice": row.choice,
            "chosen_at": row.chosen_at,
            "chosen_by": row.chosen_by,
            "created_at": row.created_at,
            "created_by": row.created_by,
        }
    )
