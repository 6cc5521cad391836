"""The code of a person's own that a run trains with: loaded before anything is built."""

from __future__ import annotations

from pathlib import Path

from breastseg.io.own_code import OwnCode
from breastseg.training.recipe_file import AnyRecipe, own_names
from breastseg.training.run_folder import RunFolder


def load_own_code(recipe: AnyRecipe, base: Path, folder: RunFolder, resume: bool) -> OwnCode | None:
    """Load the modules that a recipe names, if any.

    Args:
        recipe: of the run; whoever read it from a file has asked whether its code may run.
        base: the folder in which modules are looked for first.
        folder: of the run.
        resume: hold the code against that of the run in the folder.

    Returns:
        What was loaded, to be kept in the folder; None where there is none.

    Raises:
        RecipeError: a module cannot be loaded, or has changed.
    """
    names = own_names(recipe)
    if not names:
        return None
    if resume:
        kept = OwnCode.read(folder.own_code)
        kept.load_again()
        return kept
    return OwnCode.load(names, base)
