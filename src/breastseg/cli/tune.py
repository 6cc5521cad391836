"""``breastseg tune``: the parameters of a classical method that do best on ground truth."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from breastseg.cli.alone import alone
from breastseg.cli.case_options import DataOption, Words, flat
from breastseg.cli.console import complain, progress, say
from breastseg.core.errors import InputError
from breastseg.data.sources import select_cases

if TYPE_CHECKING:
    from breastseg.core.provenance import Scalar
    from breastseg.evaluation.tuning.search import Search, Trial

_NO_HINT = tyro.conf.arg(help_behavior_hint="")


@dataclass(frozen=True)
class Tune:
    """Search the parameters of a classical method on data with ground truth.

    Writes METHOD.json, a preset with the best parameters and the record of the search, and
    METHOD.trials.csv. The same command again continues a search that was stopped, and goes on where
    --trials is larger.

    Exit codes: 0 done, 2 nothing could be done, 130 interrupted (the same command continues).

    Attributes:
        method: a classical method of 'breastseg models list'.
        out: folder for the files; it may hold those of other methods.
        data: the data sets and their folders, e.g. BUSI=data/BUSI BUS-BRA=data/BUS-BRA.
        split: which cases: all (by default), lesions, normals, fold:1,2, list:FILE or
            split:FILE#PART; 'lesions & fold:1' means both; BUSI=lesions is for one data set. Leave
            out what the method is to be scored on later.
        trials: sets of parameters to try, with the starting ones.
        prompt: what the method is told: none, box (around each true lesion) or both, whose mean
            then counts.
        preset: the parameters to start from: a preset's name or its file; none for the defaults.
        only: search only these parameters, e.g. finder. or context filters.; by default all but
            lesion and those of the finder.
        limit: use at most this many images, drawn with the seed.
        workers: processes; 0 for one a core.
        seed: of the search and the draw of images.
        quiet: no progress, and no line for each improvement.
    """

    method: tyro.conf.Positional[Annotated[str, tyro.conf.arg(metavar="METHOD")]]
    out: Path
    data: DataOption = ()
    split: Annotated[
        tyro.conf.UseAppendAction[Words],
        tyro.conf.arg(metavar="[NAME=]SELECTION ...", help_behavior_hint=""),
    ] = ()
    trials: int = 60
    prompt: Literal["none", "box", "both"] = "both"
    preset: str = "none"
    only: Annotated[
        tyro.conf.UseAppendAction[Words],
        tyro.conf.arg(metavar="NAME ...", help_behavior_hint=""),
    ] = ()
    limit: Annotated[int | None, _NO_HINT] = None
    workers: int = 0
    seed: int = 0
    quiet: bool = False

    def run(self) -> int:
        """Search; returns the exit code."""
        from breastseg.evaluation.tuning.folder import tune
        from breastseg.evaluation.tuning.search import best_of

        limit = 1 if self.limit is None else self.limit
        if min(self.trials, limit) < 1 or min(self.workers, self.seed) < 0:
            raise InputError(
                f"{self.trials} trials, {self.workers} workers, seed {self.seed}, "
                f"limit {self.limit}",
                "trials and limit of at least 1, workers and seed of at least 0",
            )
        search = self._search()
        trials: tuple[Trial, ...] = ()
        with alone(self.out), progress(f"Tuning {self.method}", self.trials, self.quiet) as advance:
            for now in tune(search, self.out, self.trials, self.workers, self._origin()):
                if not self.quiet:
                    _tell_improvement(trials, now)
                advance(len(now) - len(trials), f"best {best_of(now).objective:.4f}")
                trials = now
        best = best_of(trials)
        if best.failed:
            complain(f"{best.failed} of {best.images} images failed and count 0")
        say(
            f"{self.method}: Dice {trials[0].objective:.4f} at the start, {best.objective:.4f} "
            f"after {len(trials)} trials ({sum(not t.finished for t in trials)} given up early). "
            f"The parameters are in {self.out / self.method}.json"
        )
        return 0

    def _search(self) -> Search:
        from breastseg.classical.preset import classical_method
        from breastseg.evaluation.protocol import Prompting
        from breastseg.evaluation.tuning.search import Search, ordered_cases, searched_names

        method = classical_method(self.method, self.preset)
        names = searched_names(method, [word for words in self.only for word in words])
        promptings = tuple(p for p in Prompting if self.prompt in (p.value, "both"))
        cases = select_cases(flat(self.data), flat(self.split))
        ordered = ordered_cases(cases, promptings, self.seed, self.limit)
        return Search(method, names, ordered, promptings, self.seed)

    def _origin(self) -> Mapping[str, Scalar]:
        """Where the cases came from, and the command, both without folders of this machine."""
        data = [text.partition("=")[0] + "=FOLDER" for words in self.data for text in words]
        splits = [_portable(text) for words in self.split for text in words]
        preset = Path(self.preset).name
        words = ["breastseg tune", self.method, "--data", *data]
        if splits:
            words += ["--split", *(f"'{text}'" if " " in text else text for text in splits)]
        words += ["--trials", str(self.trials), "--prompt", self.prompt, "--preset", preset]
        if self.only:
            words += ["--only", *(word for given in self.only for word in given)]
        if self.limit is not None:
            words += ["--limit", str(self.limit)]
        words += ["--seed", str(self.seed), "--out FOLDER"]
        return {"split": " ".join(splits) or "all", "command": " ".join(words)}


def _portable(selection: str) -> str:
    """A selection with the mere names of files that stand in it with their whole path."""
    return re.sub(r"(?<=:)/[^#\s]*/", "", selection)


def _tell_improvement(before: Sequence[Trial], now: Sequence[Trial]) -> None:
    from breastseg.evaluation.tuning.search import best_of

    best = best_of(now)
    if not before or best.objective > best_of(before).objective:
        changed = ", ".join(f"{name} {value}" for name, value in best.values.items())
        say(f"trial {now.index(best)}: {best.objective:.4f}  {changed}")
