"""The kinds of jobs: what each hands to a worker, keeps of its answer, and leaves behind."""

from __future__ import annotations

import json
import shutil
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from breastseg.annotation.labels import write_labels
from breastseg.core.image import Image, Modality
from breastseg.io.write import write_text
from breastseg.retraining.task import BUNDLE, HELD_OUT, LABELS, SPLIT, TRAIN, Retraining
from breastseg.service import asked
from breastseg.service.files import Files
from breastseg.service.labelling import Labelling, place_of
from breastseg.service.pictures import Pictures
from breastseg.service.proposing import Proposals, Waiting, outdated
from breastseg.service.store import Store
from breastseg.service.tables import Job, Scan, Segmentation, Training
from breastseg.service.trained import trained_name
from breastseg.service.worker import SegmentTask, Task

SEGMENTATION, TRAINING, PROPOSALS = "segmentation", "training", "proposals"


class Kinds:
    """What is done for a job outside of its worker.

    Args:
        store: of the service.
        files: likewise.
        pictures: likewise.
        labelling: likewise.
        threads: CPU cores that a training computes on; 0 for all.
    """

    def __init__(
        self, store: Store, files: Files, pictures: Pictures, labelling: Labelling, threads: int
    ) -> None:
        self._store = store
        self._files = files
        self._pictures = pictures
        self._labelling = labelling
        self._threads = threads

    def task(self, job: Job) -> Task:
        """What a worker is to do.

        Raises:
            BreastsegError: it cannot be done.
        """
        if job.kind == PROPOSALS:
            return self._proposals(job.request["project"])
        return self._retraining(job.id) if job.kind == TRAINING else self._segmentation(job)

    def keep(self, session: Session, job: Job, document: dict[str, Any]) -> None:
        """Keep what a worker has answered, in the transaction that ends the job."""
        if job.kind == TRAINING:
            self._files.trained.mkdir(exist_ok=True, mode=0o700)
            target = self._files.trained / job.id
            shutil.rmtree(target, ignore_errors=True)  # of an attempt that ended just here
            (self._files.training / job.id / BUNDLE).rename(target)
            session.get_one(Training, job.id).outcome = document
            return
        if job.kind == SEGMENTATION:
            session.execute(
                update(Segmentation)
                .where(Segmentation.id == job.request["segmentation"])
                .values(document=document)
            )

    def tidy(self, job: Job) -> None:
        """Remove what a job that has ended needs no more."""
        if job.kind == TRAINING:
            shutil.rmtree(self._files.training / job.id, ignore_errors=True)

    def image(self, case: str) -> Image:
        """The image of a project's case, with the spacing that a person has stated."""
        place = place_of(case)
        with self._store.session() as session:
            found = asked.image(session, place.scan, place.image)
        return self._pictures.image(found.held, place.frame, found.stated_mm)

    def _segmentation(self, job: Job) -> SegmentTask:
        with self._store.session() as session:
            row = session.get_one(Segmentation, job.request["segmentation"])
            scan = session.get_one(Scan, row.scan_id)
            spacing = job.request["spacing_mm"]
            return SegmentTask(
                row.id,
                row.request,
                scan.images[row.image],
                None if spacing is None else (spacing[0], spacing[1]),
            )

    def _proposals(self, name: str) -> Proposals:
        """What the project's method proposes anew."""
        project = self._labelling.one(name)
        waiting = []
        with self._store.session() as session:
            for case in outdated(project):
                place = place_of(case.name)
                found = asked.image(session, place.scan, place.image)
                held = asked.scan(session, place.scan).images[place.image]
                waiting.append(Waiting(case.name, held, found.stated_mm))
        return Proposals(project.folder, project.settings.method, tuple(waiting))

    def _retraining(self, name: str) -> Retraining:
        """Write the cases that the training began with, where that is not done already."""
        with self._store.session() as session:
            row = session.get_one(Training, name)
        project = self._labelling.one(row.project)
        folder = self._files.training / name
        if not (folder / SPLIT).is_file():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True, mode=0o700)
            chosen = {case for part in (TRAIN, HELD_OUT) for case in row.parts[part]}
            there = set(write_labels(project, self.image, folder / LABELS, chosen))
            write_text(folder / SPLIT, _split(row, there))
        return Retraining(
            folder=folder,
            method=row.request["opened_as"],
            name=trained_name(row),
            summary=f"trained on {len(row.parts[TRAIN])} images of a project, beside {row.method}",
            modality=Modality(row.request["modality"]),
            epochs=row.request["epochs"],
            threads=self._threads,
        )


def _split(row: Training, there: set[str]) -> str:
    """The parts as a split file, of the cases that are still labelled."""
    parts = {
        part: [f"{LABELS}/{case}" for case in row.parts[part] if case in there]
        for part in (TRAIN, HELD_OUT)
    }
    return json.dumps({"parts": parts})
