"""``breastseg train``: a recipe and data in, a run folder out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from breastseg.cli.alone import alone
from breastseg.cli.case_options import DataOption, Words, flat, tell_notices
from breastseg.cli.console import complain, logged, say
from breastseg.cli.own_code import naming_the_option
from breastseg.core.errors import InputError, MissingExtraError
from breastseg.io.real_path import real_path

_NO_HINT = tyro.conf.arg(help_behavior_hint="")


@dataclass(frozen=True)
class Train:
    """Train a network; leaves weights, metrics, curves and overlays in a run folder.

    A run that was stopped or killed goes on with 'breastseg train --resume RUN' and nothing else:
    recipe, cases and settings are those that it began with, and where one has changed that is said.

    Exit codes: 0 done, 2 nothing could be done, 130 interrupted (continue with --resume).
    """

    recipe: tyro.conf.Positional[Annotated[Path | None, tyro.conf.arg(metavar="RECIPE")]] = None
    """A TOML file; recipes/ holds those of the published results."""
    data: DataOption = ()
    """The data sets of the recipe and their folders, e.g. BUSI=data/BUSI."""
    out: Annotated[Path | None, _NO_HINT] = None
    """The run folder; runs/NAME by default, and runs/NAME-foldK of a fold."""
    resume: Annotated[Path | None, tyro.conf.arg(metavar="RUN", help_behavior_hint="")] = None
    """Continue the run in this folder; --data only where its data sets have moved."""
    fold: Annotated[int | None, _NO_HINT] = None
    """Cross-validation: validate on this fold, and train on the others."""
    folds: Annotated[Path | None, _NO_HINT] = None
    """The folds, as 'breastseg data split --folds K' writes them; else the published partition."""
    set: Annotated[
        tyro.conf.UseAppendAction[Words],
        tyro.conf.arg(metavar="KEY=VALUE ...", help_behavior_hint=""),
    ] = ()
    """Change the recipe, e.g. epochs=3 sources.0.train=fold:1."""
    own_code: bool = False
    """Let the recipe run a network or loss of your own (module:Name). Read its code first."""
    devices: int = 1
    """Processes (CPU) or GPUs that share the work."""
    nodes: int = 1
    """Machines; start the same command on each through a launcher such as torchrun."""
    threads: int = 0
    """Threads of a process on a CPU; 0 for all cores."""

    def run(self) -> int:
        """Train; returns the exit code."""
        try:
            from breastseg.training.fit import Hardware
            from breastseg.training.recipe_file import read_recipe, recipe_table
            from breastseg.training.run_folder import RunFolder
            from breastseg.training.start import default_folder, resume, start
            from breastseg.training.trainer import is_first_process
        except ModuleNotFoundError as error:
            raise MissingExtraError(
                f"training needs torch and lightning ({error})",
                remedy="pip install 'breastseg[train]'",
            ) from error

        changes, hardware = self._changes(), Hardware(self.devices, self.nodes, self.threads)
        data, out = flat(self.data), self.resume or self.out
        if data:
            tell_notices(self.data)
        if self.recipe is None and self.resume is None:
            raise InputError("no recipe", "a TOML file, or --resume RUN")
        if out is None and self.recipe is not None:
            out = default_folder(
                read_recipe(self.recipe, changes, own_code=True)
            )  # which runs none
        assert out is not None
        folder, own = RunFolder(out), self.own_code
        try:
            # the processes that share the work all run this command in the one folder
            locked = alone(out if is_first_process() else None)
            with locked, logged("breastseg.training"), naming_the_option():
                if self.resume is not None:
                    resume(out, data, self.recipe, changes, hardware, own)
                elif self.recipe is not None:
                    start(self.recipe, data, out, changes, hardware, own)
        except KeyboardInterrupt:
            if folder.last_checkpoint.is_file():
                again = " --own-code" * own
                complain(f"interrupted; go on with: breastseg train --resume {folder.root}{again}")
            else:
                complain("interrupted before the first epoch was done; start again")
            return 130
        if is_first_process():
            pretrained = "masking" in recipe_table(read_recipe(folder.recipe, own_code=True))
            say(f"The run is in {folder.root}/. Next: {_following(folder.root, pretrained, own)}")
        return 0

    def _changes(self) -> dict[str, str]:
        """What is changed in the recipe."""
        changes = dict(_pair(text) for words in self.set for text in words)
        if self.fold is not None:
            changes["fold"] = str(self.fold)
        if self.folds is not None:
            changes["folds"] = str(real_path(self.folds))
        return changes


def _following(run: Path, pretrained: bool, own: bool) -> str:
    """What to do with a run: one that was pretrained on masked squares outlines nothing yet."""
    if pretrained:
        return f"breastseg train RECIPE --set initial_weights={run}"
    return f"breastseg export {run} --out BUNDLE{' --own-code' * own}"


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise InputError(f"--set {text}", "KEY=VALUE", "for example --set epochs=3")
    return key, value
