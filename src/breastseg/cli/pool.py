"""``breastseg pool``: the scores of several evaluations as one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from breastseg.cli.alone import alone
from breastseg.cli.console import say


@dataclass(frozen=True)
class Pool:
    """Join the scores of several evaluations, such as those of the folds of a cross-validation.

    Every figure and its 95 % interval is over the images of all of them; a case in two of them is
    refused.

    Attributes:
        scores: the folders that 'breastseg evaluate' wrote.
        out: folder for the reports; files of these names in it are replaced.
    """

    scores: tyro.conf.Positional[
        Annotated[tuple[Path, ...], tyro.conf.arg(metavar="SCORES ...", help_behavior_hint="")]
    ]
    out: Path

    def run(self) -> int:
        """Pool; returns the exit code."""
        from breastseg.evaluation.pool import pool, read_evaluation
        from breastseg.evaluation.report import write_report
        from breastseg.evaluation.statistics import bracketed

        joined = pool([read_evaluation(folder) for folder in self.scores])
        with alone(self.out):
            summary = write_report(joined, self.out)
        for name, group in summary.groups.items():
            if "dice" in group.figures:
                figure = group.figures["dice"]
                dice = f"{figure.value:.3f}{bracketed(figure.low, figure.high)}"
                say(f"{name}: n {group.images}, Dice {dice}")
        say(f"The reports are in {self.out}/")
        return 0
