"""What a run on volumes learns from and watches: studies of data sets, and phantoms."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from pathlib import Path

from breastseg.core.errors import DataSetError
from breastseg.core.image import Modality
from breastseg.data.dataset import CaseRef, some
from breastseg.data.phantoms.volume import volume_phantoms
from breastseg.training.chosen_cases import ChosenCases
from breastseg.training.volume.recipe import VolumeRecipe
from breastseg.training.volume.sampler import Study, prepare_case
from breastseg.training.volume.store import store_cases

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Studies:
    """The studies of a run, prepared.

    Attributes:
        learnt: to learn from, at least one.
        validation: scored after each epoch, never trained on.
        repeats: how often each of `learnt` is shown as compared to the others.
        modalities: of `learnt`.
    """

    learnt: tuple[Study, ...]
    validation: tuple[Study, ...]
    repeats: tuple[float, ...]
    modalities: tuple[Modality, ...]


def prepare_studies(recipe: VolumeRecipe, chosen: ChosenCases, folder: Path) -> Studies:
    """Draw the phantoms of a recipe, and prepare its cases on disk.

    Args:
        recipe: which phantoms, and what the network wants.
        chosen: the cases of its sources, all outlined.
        folder: where they are kept, see `store_cases`.

    Raises:
        DataSetError: studies that cannot be used, or none to learn from.
        InputError: the folder cannot be written.
    """
    drawn, drawn_validation = draw_phantoms(recipe)
    if not drawn and not chosen.train:
        raise DataSetError(
            f"recipe {recipe.name} chooses no study to learn from",
            "at least one, of a source or a phantom",
        )
    stored = store_cases((*chosen.train, *chosen.validation), recipe.volume, folder)
    repeats = {source.name: source.repeat for source in recipe.sources}
    return Studies(
        learnt=(*drawn, *stored[: len(chosen.train)]),
        validation=(*drawn_validation, *stored[len(chosen.train) :]),
        repeats=(*(1.0 for _ in drawn), *(repeats[case.source] for case in chosen.train)),
        modalities=(*(Modality.MRI for _ in drawn), *(case.modality for case in chosen.train)),
    )


def draw_phantoms(
    recipe: VolumeRecipe,
) -> tuple[tuple[Study, ...], tuple[Study, ...]]:
    """The phantoms to learn from and those to watch, prepared; none where the recipe has none."""
    plan, spec = recipe.phantoms, recipe.volume
    if plan is None:
        return (), ()
    LOG.info("drawing phantoms")

    def draw(count: int, seed: int) -> tuple[Study, ...]:
        prepared = (
            prepare_case(case, spec)
            for case in volume_phantoms(count, seed, plan.shape, spec.channels)
        )
        return tuple(replace(volume, key=f"seed {seed}: {volume.key}") for volume in prepared)

    return draw(plan.train, plan.seed), draw(plan.validation, plan.seed + 1)


def require_masks(cases: tuple[CaseRef, ...]) -> None:
    """Check that the masks of all cases are known; a box around a tumour is none.

    Raises:
        DataSetError: that of a case is not.
    """
    bare = [case.key for case in cases if case.mask_paths is None]
    if bare:
        raise DataSetError(
            f"{len(bare)} studies without a mask: {some(bare)}",
            "outlined ones; a box is no mask",
            "leave them out with a list",
        )
