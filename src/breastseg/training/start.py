"""From a recipe's file and the folders of its data sets to a run, on images or on volumes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from breastseg.core.errors import InputError
from breastseg.data.sources import open_data_sets
from breastseg.training.fit import Machine, fit
from breastseg.training.recipe import Recipe
from breastseg.training.recipe_file import read_recipe
from breastseg.training.run_folder import RunFolder
from breastseg.training.volume.fit import fit_volume


def start(
    recipe: Path,
    sources: Sequence[str],
    out: Path | None = None,
    changes: Mapping[str, str] | None = None,
    machine: Machine | None = None,
    resume: bool = False,
) -> RunFolder:
    """Train as a recipe says.

    Args:
        recipe: a TOML file.
        sources: ``NAME=FOLDER`` of each data set of the recipe.
        out: the run folder; ``runs/`` and the recipe's name by default.
        changes: as for `read_recipe`.
        machine: what to train on; one process by default.
        resume: continue the run in the folder.

    Returns:
        The finished run.

    Raises:
        RecipeError: the recipe cannot be run.
        DataSetError: a data set cannot be used.
        InputError: there is nothing to resume, or the folder is taken.
    """
    read = read_recipe(recipe, changes)
    folder = RunFolder(out or Path("runs") / read.name)
    if resume and not folder.last_checkpoint.is_file():
        raise InputError(
            f"nothing to resume in {folder.root}",
            "a run folder whose first epoch was finished",
            "start it anew",
        )
    opened = open_data_sets(sources) if read.sources else ()
    cases = {data_set.name: data_set.cases() for data_set in opened}
    machine = machine or Machine()
    if isinstance(read, Recipe):
        fit(read, cases, folder, machine, recipe.parent, resume)
    else:
        fit_volume(read, folder, machine, resume, cases=cases, base=recipe.parent)
    return folder
