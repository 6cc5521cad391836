"""The cases of a run: which train, which validate, and what made them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from breastseg.core.errors import DataSetError, RecipeError
from breastseg.data.dataset import CaseRef, some
from breastseg.data.selection import select
from breastseg.training.recipe import SourceRecipe


class HasSources(Protocol):
    """What of a recipe decides on the cases."""

    @property
    def name(self) -> str:
        """For messages."""

    @property
    def sources(self) -> tuple[SourceRecipe, ...]:
        """The data."""

    @property
    def folds(self) -> str | None:
        """The file of a cross-validation."""

    @property
    def fold(self) -> int | None:
        """The one to validate on."""


@dataclass(frozen=True)
class ChosenCases:
    """The cases of a run.

    Attributes:
        train: trained on.
        validation: scored after each epoch, never trained on.
    """

    train: tuple[CaseRef, ...]
    validation: tuple[CaseRef, ...]


def choose_cases(
    recipe: HasSources,
    cases: Mapping[str, Sequence[CaseRef]],
    base: Path,
    volumes: bool = False,
) -> ChosenCases:
    """Pick the cases that the recipe names.

    Args:
        recipe: with at least one source.
        cases: all cases of each source that the recipe names.
        base: folder under which the recipe's lists are looked for.
        volumes: whether they shall be volumes, or images.

    Raises:
        RecipeError: folds without the one to validate on.
        DataSetError: a source is not given or holds the other kind, or a case or patient is on
            both sides.
    """
    if recipe.folds is not None and recipe.fold is None:
        raise RecipeError(
            f"the folds of {recipe.folds} without the one to validate on",
            "fold, a number from 1",
            "state the fold, or leave the folds out",
        )
    missing = [source.name for source in recipe.sources if source.name not in cases]
    if missing:
        raise DataSetError(
            f"recipe {recipe.name} needs {', '.join(missing)}, given: {', '.join(cases) or 'none'}",
            remedy="name the folder of each",
        )
    train: list[CaseRef] = []
    validation: list[CaseRef] = []
    for source in recipe.sources:
        train += select(cases[source.name], source.train, base)
        if recipe.fold is None:
            validation += select(cases[source.name], source.validation, base)
    if recipe.fold is not None:
        validation = _held_out(train, recipe.folds, recipe.fold, base)
        held = {case.key for case in validation}
        train = [case for case in train if case.key not in held]
    _require_kind([*train, *validation], volumes)
    learnt = {case.patient_key for case in train}
    both = sorted({case.key for case in validation if case.patient_key in learnt})
    if both:
        raise DataSetError(
            f"{len(both)} validation cases share a patient with training cases (first {both[0]})",
            "each patient on one side",
        )
    return ChosenCases(tuple(train), tuple(validation))


def _held_out(cases: Sequence[CaseRef], file: str | None, fold: int, base: Path) -> list[CaseRef]:
    """The cases of one fold; every case is in one.

    Raises:
        DataSetError: there is no such fold, or a case is in none.
    """
    if file is None:
        held = select(cases, f"fold:{fold}", base)
        outside = [case.key for case in cases if case.fold is None]
    else:
        held = select(cases, f"split:{file}#{fold}", base)
        others = select(cases, f"split:{file}#-{fold}", base)
        placed = {case.key for case in (*held, *others)}
        outside = [case.key for case in cases if case.key not in placed]
    if outside:
        raise DataSetError(
            f"{len(outside)} cases in no fold of {file or 'the published partition'}: "
            f"{some(outside)}",
            "every case in one",
            "draw folds over all cases that are trained on",
        )
    return list(held)


def _require_kind(cases: Sequence[CaseRef], volumes: bool) -> None:
    wrong = sorted({case.source for case in cases if case.is_volume != volumes})
    if wrong and volumes:
        raise DataSetError(
            f"{', '.join(wrong)}: holds images",
            "data sets of volumes",
            "leave the [volume] table out to train on images",
        )
    if wrong:
        raise DataSetError(
            f"{', '.join(wrong)}: holds volumes",
            "data sets of images",
            "train on volumes with a recipe that has a [volume] table",
        )


def modality_record(modalities: Sequence[str]) -> str:
    """What a run keeps of its training cases for the export, as JSON: each modality once."""
    return json.dumps({"modalities": sorted(set(modalities))}) + "\n"
