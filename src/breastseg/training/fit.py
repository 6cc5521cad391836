"""Train a recipe into a run folder."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import lightning
import numpy as np
import torch
from lightning.pytorch import Callback
from torch import Tensor
from torch.nn import functional

from breastseg.core.errors import DataSetError, RecipeError
from breastseg.data.dataset import CaseRef, some
from breastseg.inference.catalogue import shipped_bundles
from breastseg.io.own_code import OwnCode
from breastseg.io.write import write_text
from breastseg.networks.batch_statistics import measure_statistics
from breastseg.networks.catalogue import build_network
from breastseg.networks.initialise import initialise
from breastseg.training.checkpoint import save_weights
from breastseg.training.chosen_cases import ChosenCases, choose_cases, modality_record
from breastseg.training.data_module import DataModule
from breastseg.training.distillation import teacher_maps
from breastseg.training.environment import environment
from breastseg.training.figures import draw_overlays
from breastseg.training.own_code import load_own_code
from breastseg.training.recipe import Recipe
from breastseg.training.recipe_file import recipe_text
from breastseg.training.record import History
from breastseg.training.run_data import Origin, RunData, cases_as_before
from breastseg.training.run_folder import RunFolder
from breastseg.training.sampler import PreparedCases, TrainingSampler, prepare_cases
from breastseg.training.task import SegmentationTask, validation_batches
from breastseg.training.tasks import build_task
from breastseg.training.trainer import (
    Hardware,
    TrainerSettings,
    batch_of_process,
    build_trainer,
    refuse_overwriting,
    require_dice,
    train,
)
from breastseg.training.transfer import require_encoder

LOG = logging.getLogger(__name__)
STATISTICS_IMAGES = 64
"""Images that the batch statistics of an exported network are measured on."""

__all__ = ["ChosenCases", "Hardware", "Origin", "choose_cases", "fit"]


def fit(
    recipe: Recipe,
    cases: Mapping[str, Sequence[CaseRef]],
    folder: RunFolder,
    hardware: Hardware,
    origin: Origin,
    resume: bool = False,
    callbacks: Sequence[Callback] = (),
) -> None:
    """Train, validate and leave a complete run folder.

    Args:
        recipe: what to do.
        cases: all cases of each source that the recipe names.
        folder: where to leave everything.
        hardware: what to train on.
        origin: where the recipe's data, lists and weights are found.
        resume: continue from the folder's last checkpoint, with the cases that it began with,
            wherever they lie now. A broken epoch is repeated; on a CPU the result is bit for bit
            that of a run that was never broken.
        callbacks: further callbacks of the trainer.

    Raises:
        RecipeError, DataSetError: what the recipe asks for cannot be had; the folder holds a run;
            or, where one is continued, the recipe or a case is another than it began with.
        KeyboardInterrupt: stopped by a signal; what was finished is kept.
    """
    base = origin.base
    begun = cases_as_before(recipe, cases, folder) if resume else None
    chosen = begun or choose_cases(recipe, cases, base)
    own_code = load_own_code(recipe, base, folder, resume)
    lightning.seed_everything(recipe.seed, workers=True, verbose=False)
    network = build_network(recipe.network, root=base, load_weights=not resume)
    require_encoder(network, recipe.transfer)
    folded: tuple[str, ...] = ()
    if recipe.initial_weights is not None and not resume:
        start = initialise(network, _find(recipe.initial_weights, base))
        folded = start.folded
        LOG.info("%s: %s", recipe.initial_weights, start)

    history = History(folder)
    trainer = build_trainer(_trainer_settings(recipe), folder, hardware, history, callbacks)
    if trainer.is_global_zero and not resume:
        refuse_overwriting(folder)
    LOG.info("reading %d cases", len(chosen.train) + len(chosen.validation))
    learnt = _training_cases(recipe, chosen, base)
    validation = _validation_cases(recipe, chosen)
    sampler = _sampler(recipe, learnt, trainer)
    if trainer.is_global_zero and not resume:
        _write_beginning(recipe, chosen, folder, own_code)
        RunData.of(chosen, origin).write(folder.data)
    task = build_task(recipe, network.to(memory_format=torch.channels_last), sampler.steps)
    if folded:
        measure_statistics(task.network, folded, _first_inputs(task, sampler))
        task.average.load_state_dict(task.network.state_dict())
    batches = validation_batches(validation, 32, trainer.global_rank, trainer.world_size)
    train(trainer, task, DataModule(sampler, batches), folder, resume)
    if trainer.is_global_zero:
        _write_end(task, validation, folder)


def _first_inputs(task: SegmentationTask, sampler: TrainingSampler) -> Iterator[Tensor]:
    """Training images as the network takes them, not augmented, enough for its statistics."""
    seen = 0
    for images, _ in sampler.batches(0):
        # they may be stored larger, for frames that are cut out of them
        unit = functional.interpolate(
            images.float() / 255, task.recipe.input.size, mode="bilinear", antialias=True
        )
        yield task.inputs(unit)
        seen += len(images)
        if seen >= STATISTICS_IMAGES:
            return


def _validation_cases(recipe: Recipe, chosen: ChosenCases) -> PreparedCases:
    bare = recipe.masking is not None
    cases = prepare_cases(chosen.validation, recipe.input, recipe.classes, unlabelled=bare)
    require_dice(recipe.patience, bool(cases.has_lesion.any()))
    return cases


def _training_cases(recipe: Recipe, chosen: ChosenCases, base: Path) -> PreparedCases:
    """The training images as the recipe's task wants them, with the teachers' maps."""
    stored = recipe.input
    if recipe.prompting is not None:
        stored = replace(stored, size=recipe.prompting.stored_size)
    unmarked = recipe.augmentation.unmarked_p > 0
    bare = recipe.masking is not None
    cases = prepare_cases(chosen.train, stored, recipe.classes, unmarked=unmarked, unlabelled=bare)
    if recipe.network.name == "mask-rcnn":
        _refuse_ignored(cases)
    if recipe.distillation is None:
        return cases
    return replace(cases, teacher=teacher_maps(cases.images, recipe.distillation.teachers, base))


def _refuse_ignored(cases: PreparedCases) -> None:
    """Refuse to train on boxes where some pixels are unknown: a box cannot leave them out.

    Raises:
        DataSetError: there are such cases.
    """
    partly = [cases.cases[row].key for row in np.flatnonzero(cases.has_ignored)]
    if partly:
        raise DataSetError(
            f"{len(partly)} training cases with pixels to be ignored: {some(partly)}",
            "cases of which every pixel is known: mask-rcnn compares boxes, not pixels",
            "leave them out with a list, or train another network",
        )


def _write_end(task: SegmentationTask, validation: PreparedCases, folder: RunFolder) -> None:
    save_weights(task.average, folder.last_weights, folder)
    if task.recipe.masking is None:  # else what it paints is no lesion
        draw_overlays(task, validation, folder.overlays)


def _sampler(recipe: Recipe, train: PreparedCases, trainer: lightning.Trainer) -> TrainingSampler:
    """This process's part of the training cases."""
    own = batch_of_process(recipe.batch_size, trainer.world_size, "images")
    if len(train) < recipe.batch_size:
        raise RecipeError(
            f"batch_size {recipe.batch_size} with {len(train)} training cases",
            "as many cases as a batch holds, or more",
        )
    repeats = {source.name: source.repeat for source in recipe.sources}
    return TrainingSampler(
        train,
        np.array([repeats[case.source] for case in train.cases]),
        recipe.normal_fraction,
        own,
        recipe.seed,
        trainer.global_rank,
        trainer.world_size,
        recipe.augmentation.unmarked_p,
    )


def _trainer_settings(recipe: Recipe) -> TrainerSettings:
    # the adversarial task moves its optimisers, and clips, itself
    clip_norm = 0.0 if recipe.adversarial else recipe.optimiser.clip_norm
    return TrainerSettings(
        recipe.epochs,
        recipe.validate_every,
        recipe.patience,
        recipe.precision,
        clip_norm,
        by_turns=recipe.adversarial is not None,
    )


def _write_beginning(
    recipe: Recipe, chosen: ChosenCases, folder: RunFolder, own_code: OwnCode | None
) -> None:
    """All that is known before the first step."""
    folder.root.mkdir(parents=True, exist_ok=True)
    parts = {
        "train": [case.key for case in chosen.train],
        "val": [case.key for case in chosen.validation],
    }
    write_text(folder.recipe, recipe_text(recipe))
    write_text(folder.network, json.dumps(asdict(recipe.network), indent=2))
    write_text(folder.input, json.dumps(asdict(recipe.input), indent=2))
    write_text(folder.split, json.dumps({"seed": recipe.seed, "parts": parts}, indent=1))
    write_text(folder.modality, modality_record([case.modality for case in chosen.train]))
    write_text(folder.environment, json.dumps(environment(sys.argv), indent=2))
    if own_code is not None:
        own_code.write(folder.own_code)


def _find(weights: str, base: Path) -> Path:
    shipped = shipped_bundles()
    candidates = [
        Path(weights),
        base / weights,
        *([shipped[weights]] if weights in shipped else []),
    ]
    for path in candidates:
        if path.exists():
            return path
    raise RecipeError(
        f"initial_weights = {weights!r}",
        f"a run, its weights or a bundle, here or under {base}, or one of {', '.join(shipped)}",
        "check the path",
    )
