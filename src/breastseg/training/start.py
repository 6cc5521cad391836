"""From a recipe's file and the folders of its data sets to a run, on images or on volumes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from breastseg.core.errors import InputError
from breastseg.data.dataset import CaseRef
from breastseg.data.sources import open_data_sets
from breastseg.io.real_path import at_home, real_path
from breastseg.training.checkpoint import require_own_weights
from breastseg.training.chosen_cases import choose_cases
from breastseg.training.fit import Hardware, fit
from breastseg.training.recipe import Recipe
from breastseg.training.recipe_file import AnyRecipe, read_recipe
from breastseg.training.run_data import (
    Origin,
    RunData,
    require_same_cases,
    require_same_recipe,
)
from breastseg.training.run_folder import RunFolder
from breastseg.training.volume.fit import fit_volume
from breastseg.training.volume.recipe import VolumeRecipe

Cases = Mapping[str, Sequence[CaseRef]]


def start(
    recipe: Path,
    sources: Sequence[str],
    out: Path | None = None,
    changes: Mapping[str, str] | None = None,
    hardware: Hardware | None = None,
    own_code: bool = False,
) -> RunFolder:
    """Train as a recipe says.

    Args:
        recipe: a TOML file.
        sources: ``NAME=FOLDER`` of each data set of the recipe.
        out: the run folder; ``runs/`` and the recipe's name by default, with its fold where there
            is one.
        changes: as for `read_recipe`.
        hardware: what to train on; one process by default.
        own_code: as for `read_recipe`.

    Returns:
        The finished run.

    Raises:
        RecipeError: the recipe cannot be run, or the folder is taken.
        DataSetError: a data set cannot be used.
        KeyboardInterrupt: stopped by a signal; what was finished is kept.
    """
    read = read_recipe(recipe, changes, own_code)
    folder = RunFolder(out or default_folder(read))
    origin = Origin(recipe.parent, tuple(_absolute(text) for text in sources))
    _fit(read, _cases(read, sources), folder, hardware, origin)
    return folder


def resume(
    run: Path,
    sources: Sequence[str] = (),
    recipe: Path | None = None,
    changes: Mapping[str, str] | None = None,
    hardware: Hardware | None = None,
    own_code: bool = False,
) -> RunFolder:
    """Continue a run as it was; one that is complete is left alone.

    Args:
        run: its folder.
        sources: ``NAME=FOLDER`` of each data set, where they have moved.
        recipe: held against that of the run, together with the cases that it chooses today.
        changes: as for `read_recipe`; they are held against the run's recipe too.
        hardware: what to train on; one process by default.
        own_code: as for `read_recipe`; a run's folder may have come from elsewhere too.

    Returns:
        The finished run.

    Raises:
        InputError: there is nothing to continue.
        BundleError: weights in the folder are of another run, or cannot be read.
        RecipeError: the recipe is not that of the run.
        DataSetError: cases are missing or not those that the run began with.
        KeyboardInterrupt: stopped by a signal; what was finished is kept.
    """
    folder = RunFolder(run)
    if not folder.last_checkpoint.is_file():
        raise InputError(
            f"nothing to resume in {folder.root}",
            "a run folder whose first epoch was finished",
            "start it anew",
        )
    read = read_recipe(folder.recipe, own_code=own_code)
    kept = RunData.read(folder.data).origin
    require_own_weights(folder)
    if recipe is not None or changes:
        require_same_recipe(read_recipe(recipe or folder.recipe, changes, own_code), folder)
    cases = _cases(read, sources or kept.sources)
    if recipe is not None:
        of_volumes = isinstance(read, VolumeRecipe)
        require_same_cases(choose_cases(read, cases, recipe.parent, of_volumes), folder)
    if not folder.is_complete:
        origin = Origin(kept.base, tuple(_absolute(text) for text in sources) or kept.sources)
        _fit(read, cases, folder, hardware, origin, again=True)
    return folder


def default_folder(recipe: AnyRecipe) -> Path:
    """Where a run goes that is given no folder."""
    name = recipe.name if recipe.fold is None else f"{recipe.name}-fold{recipe.fold}"
    return Path("runs") / name


def _fit(
    recipe: AnyRecipe,
    cases: Cases,
    folder: RunFolder,
    hardware: Hardware | None,
    origin: Origin,
    again: bool = False,
) -> None:
    hardware = hardware or Hardware()
    if isinstance(recipe, Recipe):
        fit(recipe, cases, folder, hardware, origin, again)
    else:
        fit_volume(recipe, folder, hardware, again, cases=cases, origin=origin)


def _cases(recipe: AnyRecipe, sources: Sequence[str]) -> Cases:
    """All cases of the data sets, by their names."""
    opened = open_data_sets(sources) if recipe.sources else ()
    return {data_set.name: data_set.cases() for data_set in opened}


def _absolute(source: str) -> str:
    """``NAME=FOLDER`` or ``NAME=KIND:FOLDER`` with the folder's full path."""
    name, equals, place = source.partition("=")
    kind, colon, folder = place.rpartition(":")
    if at_home(place).exists():
        return f"{name}{equals}{real_path(at_home(place))}"
    return f"{name}{equals}{kind}{colon}{real_path(at_home(folder))}"
