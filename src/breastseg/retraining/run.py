"""Retrain: labelled cases in, a bundle and its scores beside the old method's out."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from lightning import LightningModule, Trainer
from lightning.pytorch import Callback

from breastseg.data.dataset import CaseRef
from breastseg.data.selection import select
from breastseg.data.sets.folder import Folder
from breastseg.evaluation.report import summary_json
from breastseg.evaluation.seen import seen_in_training
from breastseg.export.bundle import About, make_bundle
from breastseg.export.card import model_card
from breastseg.export.results import read_results
from breastseg.inference.bundle_folder import (
    CARD,
    read_bundle,
    read_measured,
    write_measured,
)
from breastseg.io.write import write_text
from breastseg.retraining.recipe import Beginning, beginning
from breastseg.retraining.scores import Judged, dice_gained, image_scores, judge
from breastseg.retraining.task import (
    BUNDLE,
    HELD_OUT,
    LABELS,
    SPLIT,
    TRAIN,
    Outcome,
    Retraining,
    Step,
)
from breastseg.training.averaging import AveragedTask
from breastseg.training.fit import Hardware, Origin, fit
from breastseg.training.recipe_file import recipe_text
from breastseg.training.run_folder import RunFolder

_TRAINING = 0.9
"""Of the progress; the rest is scoring."""
PROTOCOL = "held-out cases of its project"

Told = Callable[[Step], None]


def retrain(task: Retraining, told: Told) -> Outcome:
    """Train, export and score; a retraining that was broken off goes on from its last epoch.

    Args:
        task: what is asked for.
        told: is told how far it has come, several times an epoch.

    Raises:
        BreastsegError: the cases cannot be trained on, or the new bundle cannot be made.
    """
    cases = Folder(task.folder / LABELS).cases()
    train = select(cases, f"split:{SPLIT}#{TRAIN}", task.folder)
    held_out = select(cases, f"split:{SPLIT}#{HELD_OUT}", task.folder)
    begun = beginning(task, len(train))
    run = RunFolder(task.folder / "run")
    _train(task, begun, cases, run, told)
    told(Step(_TRAINING, "scoring", task.epochs, task.epochs))  # loading and exporting take a while
    bundle = _exported(task, begun, run, len(train), len(held_out))
    return _scored(task, begun, bundle, len(train), held_out, told)


def _train(
    task: Retraining,
    begun: Beginning,
    cases: tuple[CaseRef, ...],
    run: RunFolder,
    told: Told,
) -> None:
    if run.is_complete:
        return
    resume = run.last_checkpoint.is_file()
    if not resume and run.root.exists():
        shutil.rmtree(run.root)  # it was broken off in its first epoch
    hardware = Hardware(threads=task.threads)
    origin = Origin(task.folder, (f"{LABELS}={task.folder / LABELS}",))
    watch = _Watch(task.epochs, told)
    fit(begun.recipe, {LABELS: cases}, run, hardware, origin, resume, (watch,))


class _Watch(Callback):
    """Tells how far a training has come."""

    def __init__(self, epochs: int, told: Told) -> None:
        self._epochs = epochs
        self._told = told
        self._loss: float | None = None

    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: object,
        batch: object,
        batch_idx: int,
    ) -> None:
        """Tell the part of the epoch that is done."""
        part = (batch_idx + 1) / max(1, int(trainer.num_training_batches))
        self._tell(trainer.current_epoch, trainer.current_epoch + part)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Tell the epoch's loss."""
        assert isinstance(pl_module, AveragedTask)
        self._loss = round(pl_module.epoch_summary()["loss"], 4)
        self._tell(trainer.current_epoch + 1, trainer.current_epoch + 1)

    def _tell(self, epoch: int, done: float) -> None:
        fraction = _TRAINING * done / self._epochs
        self._told(Step(fraction, "training", epoch, self._epochs, self._loss))


def _exported(
    task: Retraining, begun: Beginning, run: RunFolder, train: int, held_out: int
) -> Path:
    bundle = task.folder / BUNDLE
    if bundle.is_dir():
        return bundle
    about = About(
        name=task.name,
        version="1.0.0",
        modality=task.modality,
        summary=task.summary,
        training_data=(f"{train} images that were labelled in a project; {begun.words}",),
        remarks=(
            f"It was scored on {held_out} images of other patients of the same project alone: "
            "what it does on images from elsewhere is not known.",
            "Probabilities are not calibrated and there is no margin.",
        ),
    )
    make_bundle(run.root, bundle, about, begun.output)
    return bundle


def _scored(
    task: Retraining,
    begun: Beginning,
    bundle: Path,
    train: int,
    held_out: tuple[CaseRef, ...],
    told: Told,
) -> Outcome:
    torch.set_num_threads(1)  # it is done: the cores are for ONNX Runtime

    def advance(first: int) -> Callable[[int, int], None]:
        return lambda done, count: told(
            Step(
                _TRAINING + (1 - _TRAINING) * (first + done) / (2 * count),
                "scoring",
                task.epochs,
                task.epochs,
            )
        )

    count = len(held_out)
    before = judge(task.method, held_out, task.threads, advance(0))
    after = judge(str(bundle), held_out, task.threads, advance(count))
    _write_figures(bundle, after)
    seen = seen_in_training({before.scores.method: task.method}, held_out)
    return Outcome(
        start=begun.words,
        trained_on=train,
        held_out=count,
        before=before.scores,
        after=replace(after.scores, method=task.name),
        dice_gained=dice_gained(before.evaluation, after.evaluation),
        images=image_scores(held_out, before.evaluation, after.evaluation),
        remarks=seen,
        recipe=recipe_text(begun.recipe),
    )


def _write_figures(folder: Path, judged: Judged) -> None:
    """Put the figures beside the bundle, where its readers look for them."""
    bundle = read_bundle(folder, verify=False)
    measured = read_measured(folder, bundle)
    path = folder.parent / "summary.json"
    write_text(path, summary_json(judged.evaluation, judged.summary))
    measured = replace(measured, results={**measured.results, PROTOCOL: read_results(path)})
    write_measured(folder, measured)
    write_text(folder / CARD, model_card(bundle, measured))
