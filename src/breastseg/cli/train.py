"""``breastseg train``: a recipe and data in, a run folder out."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro

from breastseg.core.errors import InputError, MissingExtraError


@dataclass(frozen=True)
class Train:
    """Train a network; leaves weights, metrics, curves and overlays in a run folder."""

    recipe: tyro.conf.Positional[Path]
    """TOML file; recipes/ holds those of the published results."""
    data: Annotated[list[str], tyro.conf.arg(metavar="NAME=FOLDER")] = field(default_factory=list)
    """Where each data set of the recipe lies, e.g. --data BUSI=... BUS-BRA=..."""
    out: Path | None = None
    """The run folder; runs/NAME by default."""
    resume: bool = False
    """Continue the run in the folder after it was stopped or killed."""
    set: Annotated[list[str], tyro.conf.arg(metavar="KEY=VALUE")] = field(default_factory=list)
    """Change the recipe, e.g. --set epochs=3 sources.0.train=fold:1."""
    devices: int = 1
    """Processes (CPU) or GPUs that share the work."""
    nodes: int = 1
    """Machines; start the same command on each through a launcher such as torchrun."""
    threads: int = 0
    """Threads of a process on a CPU; 0 for all cores."""

    def run(self) -> int:
        """Train; returns the exit code."""
        try:
            import lightning  # noqa: F401
        except ImportError as error:
            raise MissingExtraError(
                f"training needs torch and lightning ({error})",
                remedy="pip install 'breastseg[train]'",
            ) from error
        from breastseg.data.catalogue import open_data_set, parse_source
        from breastseg.training.fit import Machine, fit
        from breastseg.training.recipe import read_recipe
        from breastseg.training.run_folder import RunFolder

        changes = dict(_pair(text) for text in self.set)
        recipe = read_recipe(self.recipe, changes)
        folder = RunFolder(self.out or Path("runs") / recipe.name)
        if self.resume and not folder.last_checkpoint.is_file():
            raise InputError(
                f"nothing to resume in {folder.root}",
                "a run folder whose first epoch was finished",
                "leave --resume out to start",
            )
        cases = {}
        for text in self.data:
            name, root = parse_source(text)
            cases[name] = open_data_set(name, root).cases()
        fit(
            recipe,
            cases,
            folder,
            Machine(self.devices, self.nodes, self.threads),
            base=self.recipe.parent,
            resume=self.resume,
        )
        print(f"The run is in {folder.root}. Next: breastseg export {folder.root} --out BUNDLE")
        return 0


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise InputError(f"--set {text}", "KEY=VALUE", "for example --set epochs=3")
    return key, value
