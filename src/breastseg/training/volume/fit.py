"""Train a recipe of volumes into a run folder."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict

import lightning
import tomli_w
import torch
from lightning.pytorch import Callback

from breastseg.core.errors import RecipeError
from breastseg.data.volume_phantom import volume_phantoms
from breastseg.io.write import write_text
from breastseg.networks.catalogue import build_network
from breastseg.networks.weights import save_network_weights
from breastseg.training.environment import environment
from breastseg.training.feed_module import FeedModule
from breastseg.training.picture import draw_curves
from breastseg.training.recipe import recipe_table
from breastseg.training.record import History
from breastseg.training.run_folder import RunFolder
from breastseg.training.trainer import Course, Machine, build_trainer, refuse_overwriting, train
from breastseg.training.volume.feed import PatchFeed, PreparedVolume, prepare_cases
from breastseg.training.volume.recipe import VolumeRecipe
from breastseg.training.volume.task import VolumeTask


def fit_volume(
    recipe: VolumeRecipe,
    folder: RunFolder,
    machine: Machine,
    resume: bool = False,
    watchers: Sequence[Callback] = (),
) -> None:
    """Draw the phantoms, train, validate and leave a complete run folder.

    Args:
        recipe: what to do.
        folder: where to leave everything.
        machine: what to train on.
        resume: continue from the folder's last checkpoint. A broken epoch is repeated; on a CPU
            the result is bit for bit that of a run that was never broken.
        watchers: further callbacks of the trainer.

    Raises:
        RecipeError: what the recipe asks for cannot be had.
    """
    lightning.seed_everything(recipe.seed, workers=True, verbose=False)
    network = build_network(recipe.network)
    history = History(folder)
    course = Course(
        recipe.epochs,
        recipe.validate_every,
        recipe.patience,
        recipe.precision,
        recipe.optimiser.clip_norm,
    )
    trainer = build_trainer(course, folder, machine, history, watchers)
    if trainer.is_global_zero and not resume:
        refuse_overwriting(folder)
    if recipe.batch_size < trainer.world_size:
        raise RecipeError(
            f"batch_size {recipe.batch_size} on {trainer.world_size} processes",
            "at least one patch a process",
        )
    print("drawing phantoms", file=sys.stderr, flush=True)
    learnt, watched = draw_phantoms(recipe)
    if trainer.is_global_zero:
        _write_beginning(recipe, learnt, watched, folder)
    feed = _feed_of(recipe, learnt, trainer.global_rank, trainer.world_size)
    task = VolumeTask(recipe, network, watched)
    mine = range(trainer.global_rank, len(watched), trainer.world_size)
    data = FeedModule(feed, [torch.tensor(index) for index in mine])
    train(trainer, task, data, folder, resume)
    if trainer.is_global_zero:
        folder.last_weights.parent.mkdir(exist_ok=True)
        save_network_weights(task.average, folder.last_weights)
        draw_curves(history.rows, folder.curves)


def draw_phantoms(
    recipe: VolumeRecipe,
) -> tuple[tuple[PreparedVolume, ...], tuple[PreparedVolume, ...]]:
    """The examinations to learn from and those to watch, prepared."""
    plan, phases = recipe.phantoms, recipe.volume.channels
    learnt = volume_phantoms(plan.train, plan.seed, plan.shape, phases)
    watched = volume_phantoms(plan.validation, plan.seed + 1, plan.shape, phases)
    return prepare_cases(learnt, recipe.volume), prepare_cases(watched, recipe.volume)


def _feed_of(
    recipe: VolumeRecipe, learnt: tuple[PreparedVolume, ...], rank: int, processes: int
) -> PatchFeed:
    """The patches that one of so many processes learns from."""
    return PatchFeed(
        learnt,
        recipe.patches,
        recipe.volume.patch,
        recipe.epoch_steps,
        recipe.batch_size // processes,
        recipe.seed,
        rank,
        processes,
    )


def _write_beginning(
    recipe: VolumeRecipe,
    learnt: Sequence[PreparedVolume],
    watched: Sequence[PreparedVolume],
    folder: RunFolder,
) -> None:
    """All that is known before the first step."""
    folder.root.mkdir(parents=True, exist_ok=True)
    seed = recipe.phantoms.seed
    parts = {
        "train": [f"seed {seed}: {volume.key}" for volume in learnt],
        "val": [f"seed {seed + 1}: {volume.key}" for volume in watched],
    }
    write_text(folder.recipe, tomli_w.dumps(recipe_table(recipe)))
    write_text(folder.network, json.dumps(asdict(recipe.network), indent=2))
    write_text(folder.volume, json.dumps(asdict(recipe.volume), indent=2))
    write_text(folder.split, json.dumps({"seed": recipe.seed, "parts": parts}, indent=1))
    write_text(folder.environment, json.dumps(environment(sys.argv), indent=2))
