"""What a search leaves in its folder: all trials, and the preset of the best.

Both files are written anew after every trial, whole or not at all, and a search is continued from
them: ``METHOD.json`` tells whether it is the same search, ``METHOD.trials.csv`` how far it got.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from breastseg import __version__
from breastseg.classical.preset import Preset, preset_text, read_preset
from breastseg.core.errors import InputError
from breastseg.core.parameters import parameters_of, values_of, with_values
from breastseg.core.provenance import Scalar
from breastseg.evaluation.protocol import Prompting
from breastseg.evaluation.tuning.search import Search, Trial, best_of, optuna_module, run_trials
from breastseg.io.write import write_text

WORDS = {Prompting.NONE: "automatic", Prompting.BOX: "box"}
"""What a prompting is called in the files."""
_OWN_COLUMNS = ("trial", "state", "images", "failed", "dice", "stages")
_STATES = {True: "finished", False: "given up"}


def tune(
    search: Search, folder: Path, total: int, workers: int = 1, origin: Mapping[str, Scalar] = {}
) -> Iterator[tuple[Trial, ...]]:
    """Search, and keep the files up to date; continue where an earlier search was stopped.

    Args:
        search: what is searched, and on what.
        folder: made if it is missing.
        total: trials, with those of an earlier call; the first is the starting parameters.
        workers: processes; 0 for one a core.
        origin: what the record shall say of where the cases came from, such as split and command.

    Yields:
        All trials so far: those found in the folder, if there are any, and again after each new
        one.

    Raises:
        InputError: `total` is below 1, the folder holds another search, or cannot be written.
        MissingExtraError: optuna is not installed.
    """
    if total < 1:
        raise InputError(f"{total} trials", "at least 1")
    name = search.start.name
    preset_path, trials_path = folder / f"{name}.json", folder / f"{name}.trials.csv"
    trials: tuple[Trial, ...] = ()
    if preset_path.exists() and trials_path.exists():
        _check_same(search, read_preset(preset_path), preset_path)
        trials = read_trials(trials_path, search)
        if trials:
            yield trials
    for trial in run_trials(search, trials, total, workers):
        trials = (*trials, trial)
        # The preset first: trials without the record of their search could not be continued.
        write_text(preset_path, preset_text(preset_of(search, trials, origin)))
        write_text(trials_path, trials_csv(search, trials))
        yield trials


def preset_of(search: Search, trials: Sequence[Trial], origin: Mapping[str, Scalar] = {}) -> Preset:
    """The best trial as a preset, with the record of the search.

    The figures of a record are means over its images: ``dice_start`` and ``dice_best`` the
    objective of the first and of the best trial, ``dice_start_box`` and so on those by prompting.
    """
    best = best_of(trials)
    values = values_of(with_values(search.start, best.values))
    plain = values_of(type(search.start)())
    figures: dict[str, Scalar] = {}
    for moment, trial in (("start", trials[0]), ("best", best)):
        figures[f"dice_{moment}"] = round(trial.objective, 5)
        for prompting, value in zip(search.promptings, trial.dice, strict=True):
            figures[f"dice_{moment}_{WORDS[prompting]}"] = round(value, 5)
    counts: dict[str, Scalar] = {
        "trials": len(trials),
        "trials_given_up": sum(not trial.finished for trial in trials),
        "failed_images": best.failed,
    }
    versions: dict[str, Scalar] = {"breastseg": __version__, "optuna": optuna_module().__version__}
    return Preset(
        search.start.name,
        {name: value for name, value in values.items() if value != plain[name]},
        {**_identity(search), **counts, **figures, **versions, **origin},
    )


def trials_csv(search: Search, trials: Sequence[Trial]) -> str:
    """One line a trial, after a line of column names.

    ``dice`` is the objective and ``stages`` its value after each stage, both over the images that
    were scored; a column for each prompting and each searched parameter follows.
    """
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(_columns(search))
    for number, trial in enumerate(trials):
        stages = " ".join(map(repr, trial.stages))
        own = (number, _STATES[trial.finished], trial.images, trial.failed)
        values = [trial.values[name] for name in search.names]
        table.writerow([*own, trial.objective, stages, *trial.dice, *values])
    return text.getvalue()


def read_trials(path: Path, search: Search) -> tuple[Trial, ...]:
    """Read what `trials_csv` wrote.

    Raises:
        InputError: the file cannot be read, or is no table of this search's trials.
    """
    known = {one.name: one for one in parameters_of(search.start)}
    try:
        table = csv.DictReader(io.StringIO(path.read_text(encoding="utf-8")))
        if list(table.fieldnames or ()) != _columns(search):
            raise ValueError("other columns")
        return tuple(
            Trial(
                values={name: known[name].value(row[name]) for name in search.names},
                stages=tuple(map(float, row["stages"].split())),
                dice=tuple(float(row[_column(prompting)]) for prompting in search.promptings),
                images=int(row["images"]),
                failed=int(row["failed"]),
                finished=row["state"] == _STATES[True],
            )
            for row in table
        )
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path}: no table of trials ({type(error).__name__}: {error})",
            f"the columns {', '.join(_columns(search))}",
            "remove it and its preset to start again",
        ) from error


def _columns(search: Search) -> list[str]:
    return [*_OWN_COLUMNS, *map(_column, search.promptings), *search.names]


def _column(prompting: Prompting) -> str:
    return f"dice_{WORDS[prompting]}"


def _identity(search: Search) -> dict[str, Scalar]:
    """What makes a search this one and no other."""
    sources = Counter(ref.source for ref in search.cases)
    normals = Counter(ref.source for ref in search.cases if ref.is_normal)
    told = " and ".join(WORDS[prompting] for prompting in search.promptings)
    keys = "\n".join(ref.key for ref in search.cases)
    return {
        "data": ", ".join(f"{name} {n} ({normals[name]} normal)" for name, n in sources.items()),
        "images": len(search.cases),
        "normals": normals.total(),
        "cases_sha256": hashlib.sha256(keys.encode()).hexdigest(),
        "prompting": told,
        "objective": "mean over images of Dice, both masks empty counting as 1, failures as 0"
        + ("; mean of both promptings" if len(search.promptings) > 1 else ""),
        "searched": ", ".join(search.names),
        "seed": search.seed,
    }


def _check_same(search: Search, found: Preset, path: Path) -> None:
    """Refuse to continue another search than the one that the folder holds."""
    wanted = _identity(search)
    other = [name for name, value in wanted.items() if found.record.get(name) != value]
    start = values_of(search.start)
    kept = values_of(with_values(type(search.start)(), found.parameters))
    if any(kept[name] != start[name] for name in start if name not in search.names):
        other.append("starting parameters")
    if found.method != search.start.name or other:
        raise InputError(
            f"{path} is of another search (other {', '.join(other) or 'method'})",
            "the same data, options and seed as before, to continue it",
            "choose another folder, or remove the file",
        )
