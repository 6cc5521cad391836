"""What data a run is trained on: where it lay and its digests, kept to continue with the same."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from breastseg.core.errors import DataSetError, RecipeError
from breastseg.data.dataset import CaseRef, some
from breastseg.data.fingerprint import Fingerprint, fingerprint_of
from breastseg.io.real_path import real_path
from breastseg.io.write import write_text
from breastseg.training.chosen_cases import ChosenCases
from breastseg.training.recipe_file import AnyRecipe, differences, read_recipe
from breastseg.training.run_folder import RunFolder

PARTS = ("train", "val")


@dataclass(frozen=True)
class Origin:
    """Where what a recipe names is found.

    Attributes:
        base: folder under which lists and weights are looked for.
        sources: ``NAME=FOLDER`` of each data set; kept, so that a run can be continued without
            them.
    """

    base: Path
    sources: tuple[str, ...] = ()


HERE = Origin(Path())
"""The working directory."""


@dataclass(frozen=True)
class RunData:
    """The contents of ``data.json``.

    Attributes:
        origin: where the data lay.
        parts: ``"train"`` and ``"val"``: the digests of each case, by its key.
    """

    origin: Origin
    parts: Mapping[str, Mapping[str, Fingerprint]]

    @classmethod
    def of(cls, chosen: ChosenCases, origin: Origin) -> RunData:
        """Digest the files of all cases of a run.

        Raises:
            DataSetError: a file cannot be read.
        """
        return cls(
            Origin(real_path(origin.base), origin.sources),
            {"train": _digests(chosen.train), "val": _digests(chosen.validation)},
        )

    def write(self, path: Path) -> None:
        """Write it as JSON."""
        content = {
            "base": str(self.origin.base),
            "sources": list(self.origin.sources),
            "sha256": {
                part: {key: asdict(one) for key, one in cases.items()}
                for part, cases in self.parts.items()
            },
        }
        write_text(path, json.dumps(content, indent=1) + "\n")

    @classmethod
    def read(cls, path: Path) -> RunData:
        """Read what `write` wrote.

        Raises:
            DataSetError: it is missing or not of this form.
        """
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            parts = {
                part: {key: Fingerprint(**one) for key, one in content["sha256"][part].items()}
                for part in PARTS
            }
            return cls(Origin(Path(content["base"]), tuple(content["sources"])), parts)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise DataSetError(
                f"{path}: no record of a run's data ({error})",
                "the file that training wrote",
                "restore the run folder, or start again in a new one",
            ) from error


def require_same_recipe(recipe: AnyRecipe, folder: RunFolder) -> None:
    """Hold a recipe against that of a run which is to be continued.

    Raises:
        RecipeError: they differ; it says in what.
    """
    changed = differences(read_recipe(folder.recipe, own_code=True), recipe)  # which runs none
    if changed:
        raise RecipeError(
            f"{folder.root} was begun with another recipe ({'; '.join(changed)})",
            "the recipe as it was",
            "continue the run without changes, or start another in a new folder",
        )


def cases_as_before(
    recipe: AnyRecipe, cases: Mapping[str, Sequence[CaseRef]], folder: RunFolder
) -> ChosenCases:
    """The cases of a run that is to be continued, wherever they lie now.

    Args:
        recipe: of the run.
        cases: all cases of each source, at the same or another place.
        folder: of the run.

    Raises:
        RecipeError: the recipe is another one.
        DataSetError: cases are missing, or their files are not those that the run began with.
    """
    require_same_recipe(recipe, folder)
    kept = RunData.read(folder.data)
    known = {case.key: case for given in cases.values() for case in given}
    wanted = [key for part in PARTS for key in kept.parts[part]]
    missing = [key for key in wanted if key not in known]
    if missing:
        raise DataSetError(
            f"{len(missing)} of the {len(wanted)} cases of {folder.root} are not there: "
            f"{some(missing)}",
            "the data that the run began with",
            "name the folders of its data sets",
        )
    changed = [
        key
        for part in PARTS
        for key, digest in kept.parts[part].items()
        if fingerprint_of(known[key]) != digest
    ]
    if changed:
        raise DataSetError(
            f"{len(changed)} of the {len(wanted)} cases of {folder.root} have changed: "
            f"{some(changed)}",
            "the files that the run began with",
            "restore them, or start another run in a new folder",
        )
    train, validation = ([known[key] for key in kept.parts[part]] for part in PARTS)
    return ChosenCases(tuple(train), tuple(validation))


def require_same_cases(chosen: ChosenCases, folder: RunFolder) -> None:
    """Hold what a recipe chooses today against the parts of a run that is to be continued.

    Raises:
        DataSetError: a part has other cases; it says which.
    """
    kept = RunData.read(folder.data)
    now = {"train": chosen.train, "val": chosen.validation}
    for part in PARTS:
        before, today = set(kept.parts[part]), {case.key for case in now[part]}
        if before != today:
            more, less = sorted(today - before), sorted(before - today)
            told = [f"{len(more)} more ({some(more)})"] if more else []
            told += [f"{len(less)} fewer ({some(less)})"] if less else []
            raise DataSetError(
                f"part {part} of {folder.root} would have {' and '.join(told)}",
                "the cases that the run began with",
                "continue the run as it was, or start another in a new folder",
            )


def _digests(cases: Iterable[CaseRef]) -> dict[str, Fingerprint]:
    return {case.key: fingerprint_of(case) for case in cases}
