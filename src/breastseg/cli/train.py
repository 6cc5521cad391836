"""``breastseg train``: a recipe and data in, a run folder out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from breastseg.cli.case_options import DataOption, Words, flat
from breastseg.cli.console import say
from breastseg.core.errors import InputError, MissingExtraError

_NO_HINT = tyro.conf.arg(help_behavior_hint="")


@dataclass(frozen=True)
class Train:
    """Train a network; leaves weights, metrics, curves and overlays in a run folder.

    Exit codes: 0 done, 2 nothing could be done, 130 interrupted (continue with --resume).
    """

    recipe: tyro.conf.Positional[Annotated[Path, tyro.conf.arg(metavar="RECIPE")]]
    """A TOML file; recipes/ holds those of the published results."""
    data: DataOption = ()
    """The data sets of the recipe and their folders, e.g. BUSI=data/BUSI."""
    out: Annotated[Path | None, _NO_HINT] = None
    """The run folder; runs/NAME by default."""
    resume: bool = False
    """Continue the run in the folder after it was stopped or killed."""
    set: Annotated[
        tyro.conf.UseAppendAction[Words],
        tyro.conf.arg(metavar="KEY=VALUE ...", help_behavior_hint=""),
    ] = ()
    """Change the recipe, e.g. epochs=3 sources.0.train=fold:1."""
    devices: int = 1
    """Processes (CPU) or GPUs that share the work."""
    nodes: int = 1
    """Machines; start the same command on each through a launcher such as torchrun."""
    threads: int = 0
    """Threads of a process on a CPU; 0 for all cores."""

    def run(self) -> int:
        """Train; returns the exit code."""
        try:
            from breastseg.training.fit import Machine
            from breastseg.training.start import start
        except ModuleNotFoundError as error:
            raise MissingExtraError(
                f"training needs torch and lightning ({error})",
                remedy="pip install 'breastseg[train]'",
            ) from error

        changes = dict(_pair(text) for words in self.set for text in words)
        machine = Machine(self.devices, self.nodes, self.threads)
        folder = start(self.recipe, flat(self.data), self.out, changes, machine, self.resume)
        say(f"The run is in {folder.root}/. Next: breastseg export {folder.root} --out BUNDLE")
        return 0


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise InputError(f"--set {text}", "KEY=VALUE", "for example --set epochs=3")
    return key, value
