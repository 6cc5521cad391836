"""The recipe of a retraining: that of the bundle it starts from, or a small one of its own."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields, replace
from pathlib import Path

from breastseg.core.bundle import OutputSpec
from breastseg.core.errors import BreastsegError
from breastseg.core.image import Modality
from breastseg.inference.bundle_folder import read_bundle
from breastseg.inference.catalogue import shipped_bundles
from breastseg.inference.methods import bundle_folder, is_classical
from breastseg.networks.recipe import AnyNetworkRecipe, FastUNetRecipe
from breastseg.retraining.task import LABELS, SPLIT, TRAIN, Retraining
from breastseg.training.recipe import OptimiserRecipe, Recipe, SourceRecipe
from breastseg.training.recipe_file import read_recipe

RATE = 2e-4
"""Peak learning rate from trained weights: a third of what the shipped bundles ended with."""
BATCH = 8
_SMALL = "ultrasound-fast"


@dataclass(frozen=True)
class Beginning:
    """What a retraining starts from.

    Attributes:
        recipe: of the run.
        words: how the network begins, in one sentence.
        output: operating point and post-processing of the new bundle.
    """

    recipe: Recipe
    words: str
    output: OutputSpec


def beginning(task: Retraining, images: int) -> Beginning:
    """The recipe for so many training images, and what it starts from.

    A bundle for images that carries its recipe and tells no kinds of lesion apart is fine-tuned.
    Otherwise the real-time network is trained: of ultrasound from its shipped bundle, of anything
    else from random weights.

    Args:
        task: what is asked for.
        images: how many there are to train on.
    """
    own = _of_bundle(task.method)
    if own is not None:
        folder, recipe = own
        bundle = read_bundle(folder, verify=False)
        words = f"fine-tuned from {bundle.name} {bundle.version}"
        fitted = _fitted(recipe, task, images, folder)
        return Beginning(fitted, words, replace(bundle.output, temperature=1.0))
    small = Recipe(task.name, (SourceRecipe(LABELS),), network=FastUNetRecipe())
    start = bundle_folder(_SMALL) if task.modality is Modality.ULTRASOUND else None
    source = "random weights" if start is None else f"the weights of {_SMALL}"
    words = f"the real-time network from {source}, since {task.method!r} cannot be trained itself"
    return Beginning(_fitted(small, task, images, start), words, OutputSpec())


def _of_bundle(method: str) -> tuple[Path, Recipe] | None:
    """The folder and recipe of a bundle that can be trained on as it is."""
    if not method or is_classical(method):
        return None
    try:
        folder = bundle_folder(method)
        recipe = read_recipe(folder / "recipe.toml")
    except BreastsegError:
        return None  # several networks joined, or a bundle of another maker
    if not isinstance(recipe, Recipe) or recipe.classes or recipe.network.name == "mask-rcnn":
        return None
    return folder, replace(recipe, adversarial=None, masking=None, distillation=None)


def _fitted(recipe: Recipe, task: Retraining, images: int, start: Path | None) -> Recipe:
    """The recipe on the project's cases, from the weights of a bundle where there is one."""
    usual = OptimiserRecipe()
    return replace(
        recipe,
        name=task.name,
        sources=(SourceRecipe(LABELS, f"split:{SPLIT}#{TRAIN}"),),
        seed=task.seed,
        epochs=task.epochs,
        batch_size=min(BATCH, images),
        small_epochs=0,
        normal_fraction=None,
        validate_every=task.epochs,
        patience=0,
        initial_weights=None if start is None else _weights(start, task.folder),
        folds=None,
        fold=None,
        network=_without_weights(recipe.network),
        optimiser=replace(usual, learning_rate=usual.learning_rate if start is None else RATE),
    )


def _without_weights(network: AnyNetworkRecipe) -> AnyNetworkRecipe:
    """The network without a file of an encoder's weights, which the bundle's own replace."""
    named = {field.name for field in fields(network)} & {"encoder_weights"}
    return replace(network, **dict.fromkeys(named))  # type: ignore[arg-type]


def _weights(folder: Path, base: Path) -> str:
    """A shipped bundle by its name, another by its way from the run: no path of this machine."""
    is_shipped = shipped_bundles().get(folder.name) == folder
    return folder.name if is_shipped else os.path.relpath(folder, base)
