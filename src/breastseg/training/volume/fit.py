"""Train a recipe of volumes into a run folder."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from types import MappingProxyType

import lightning
import torch
from lightning.pytorch import Callback

from breastseg.data.dataset import CaseRef
from breastseg.io.own_code import OwnCode
from breastseg.io.write import write_text
from breastseg.networks.catalogue import build_network
from breastseg.training.checkpoint import save_weights
from breastseg.training.chosen_cases import choose_cases, modality_record
from breastseg.training.data_module import DataModule
from breastseg.training.environment import environment
from breastseg.training.own_code import load_own_code
from breastseg.training.recipe_file import recipe_text
from breastseg.training.record import History
from breastseg.training.run_data import HERE, Origin, RunData, cases_as_before
from breastseg.training.run_folder import RunFolder
from breastseg.training.trainer import (
    Hardware,
    TrainerSettings,
    batch_of_process,
    build_trainer,
    refuse_overwriting,
    require_dice,
    train,
)
from breastseg.training.volume.recipe import VolumeRecipe
from breastseg.training.volume.sampler import PatchSampler
from breastseg.training.volume.studies import (
    Studies,
    prepare_studies,
    require_masks,
)
from breastseg.training.volume.task import VolumeTask


def fit_volume(
    recipe: VolumeRecipe,
    folder: RunFolder,
    hardware: Hardware,
    resume: bool = False,
    callbacks: Sequence[Callback] = (),
    cases: Mapping[str, Sequence[CaseRef]] = MappingProxyType({}),
    origin: Origin = HERE,
) -> None:
    """Prepare the studies, train, validate and leave a complete run folder.

    Args:
        recipe: what to do.
        folder: where to leave everything.
        hardware: what to train on.
        resume: continue from the folder's last checkpoint. A broken epoch is repeated; on a CPU
            the result is bit for bit that of a run that was never broken.
        callbacks: further callbacks of the trainer.
        cases: all cases of each source that the recipe names.
        origin: where the recipe's data and lists are found.

    Raises:
        RecipeError, DataSetError: what the recipe asks for cannot be had.
        InputError: the folder cannot be written.
    """
    begun = cases_as_before(recipe, cases, folder) if resume else None
    chosen = begun or choose_cases(recipe, cases, origin.base, volumes=True)
    require_masks((*chosen.train, *chosen.validation))
    own_code = load_own_code(recipe, origin.base, folder, resume)
    lightning.seed_everything(recipe.seed, workers=True, verbose=False)
    network = build_network(recipe.network)
    history = History(folder)
    course = TrainerSettings(
        recipe.epochs,
        recipe.validate_every,
        recipe.patience,
        recipe.precision,
        recipe.optimiser.clip_norm,
    )
    trainer = build_trainer(course, folder, hardware, history, callbacks)
    if trainer.is_global_zero and not resume:
        refuse_overwriting(folder)
    own = batch_of_process(recipe.batch_size, trainer.world_size, "patches")
    given = prepare_studies(recipe, chosen, folder.prepared)
    if recipe.patience:
        lesions = any(bool((study.opened().truth > 0).any()) for study in given.validation)
        require_dice(recipe.patience, lesions)
    if trainer.is_global_zero and not resume:
        _write_beginning(recipe, given, folder, own_code)
        RunData.of(chosen, origin).write(folder.data)
    sampler = _sampler_of(recipe, given, own, trainer)
    task = VolumeTask(recipe, network, given.validation)
    mine = range(trainer.global_rank, len(given.validation), trainer.world_size)
    data = DataModule(sampler, [torch.tensor(index) for index in mine])
    train(trainer, task, data, folder, resume)
    if trainer.is_global_zero:
        save_weights(task.average, folder.last_weights, folder)


def _sampler_of(
    recipe: VolumeRecipe, given: Studies, batch_size: int, trainer: lightning.Trainer
) -> PatchSampler:
    """The patches that this process learns from."""
    return PatchSampler(
        given.learnt,
        recipe.patches,
        recipe.volume.patch,
        recipe.epoch_steps,
        batch_size,
        recipe.seed,
        trainer.global_rank,
        trainer.world_size,
        given.repeats,
    )


def _write_beginning(
    recipe: VolumeRecipe, given: Studies, folder: RunFolder, own_code: OwnCode | None
) -> None:
    """All that is known before the first step."""
    folder.root.mkdir(parents=True, exist_ok=True)
    parts = {
        "train": [volume.key for volume in given.learnt],
        "val": [volume.key for volume in given.validation],
    }
    write_text(folder.recipe, recipe_text(recipe))
    write_text(folder.network, json.dumps(asdict(recipe.network), indent=2))
    write_text(folder.volume, json.dumps(asdict(recipe.volume), indent=2))
    write_text(folder.split, json.dumps({"seed": recipe.seed, "parts": parts}, indent=1))
    write_text(folder.modality, modality_record(given.modalities))
    write_text(folder.environment, json.dumps(environment(sys.argv), indent=2))
    if own_code is not None:
        own_code.write(folder.own_code)
