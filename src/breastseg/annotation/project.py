"""A labelling project: a folder of plain files that several readers may write to at once.

```
PROJECT/
  project.json                  name and settings
  cases/CASE.json               an image of the project, and what its pre-segmentation said
  cases/CASE.png                the proposed mask
  readings/CASE/READER.N.json   the N-th reading of one reader
  readings/CASE/READER.N.png    its mask
```

A reader writes files of the reader's own alone, each under a name that is not there yet, so that
nothing is overwritten and no lock is needed. The images stay where they are: a case has their name.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from breastseg.annotation.reading import HAS_MASK, Decision, Reading, check_name
from breastseg.core.errors import InputError, UnreadableError
from breastseg.core.parameters import Strict, Within, check_bounds
from breastseg.io.raster import read_raster
from breastseg.io.write import write_png, write_text, written

FORMAT = 1
_MARK = "project.json"


@dataclass(frozen=True)
class ProjectSettings(Strict):
    """What a project is and how it is read.

    Attributes:
        name: what readers see.
        method: the method that proposes masks; empty: readers begin with an empty image.
        readers_per_case: how many readers decide on each image, blind to each other.
    """

    name: str
    method: str = "ultrasound"
    readers_per_case: Annotated[int, Within(1, 20)] = 1

    def __post_init__(self) -> None:
        check_bounds(self, InputError)


@dataclass(frozen=True)
class ProjectCase:
    """One image of a project.

    Attributes:
        name: unique in the project; safe as the name of a file.
        patient: images of one patient share it.
        shape: (rows, columns).
        spacing_mm: (row, column) distance of pixel centres in millimetres; None where unknown.
        uncertainty: of the proposed mask, 0 (sure) upwards; see `breastseg.annotation.priority`.
            None where none was proposed.
        descriptor: numbers by which images are told apart; see `breastseg.annotation.priority`.
        method: that proposed the mask; empty where none did.
    """

    name: str
    patient: str
    shape: tuple[int, int]
    spacing_mm: tuple[float, float] | None = None
    uncertainty: float | None = None
    descriptor: tuple[float, ...] = ()
    method: str = ""

    def __post_init__(self) -> None:
        check_name(self.name, "case")


@dataclass(frozen=True)
class Project:
    """An open project.

    Attributes:
        folder: where it lies.
        settings: as they were when it was made.
    """

    folder: Path
    settings: ProjectSettings

    def proposing(self, method: str) -> Project:
        """The project with another method, which proposes the masks from now on.

        Raises:
            InputError: the file cannot be written.
        """
        return _written(self.folder, replace(self.settings, method=method))

    def add(self, case: ProjectCase, proposed: NDArray[np.bool_] | None = None) -> None:
        """Add an image, or replace what is known of one.

        Args:
            case: the image.
            proposed: case.shape, True on lesions: the mask that readers are shown first.

        Raises:
            InputError: the mask has another shape, or a file cannot be written.
        """
        path = self.folder / "cases" / f"{case.name}.json"
        if proposed is not None:
            if proposed.shape != case.shape:
                raise InputError(
                    f"{case.name}: a proposed mask of {proposed.shape} for an image of "
                    f"{case.shape}",
                    "one shape",
                )
            write_png(path.with_suffix(".png"), proposed.astype(bool))
        write_text(path, json.dumps(asdict(case), indent=1))

    def cases(self) -> tuple[ProjectCase, ...]:
        """All images, sorted by name.

        Raises:
            UnreadableError: a file of the project is damaged.
        """
        paths = written(self.folder / "cases", "*.json")
        return tuple(_case(read_stored(path), path) for path in paths)

    def proposed(self, case: str) -> NDArray[np.bool_] | None:
        """The mask that readers are shown first, (rows, columns) bool; None where there is none."""
        check_name(case, "case")
        path = self.folder / "cases" / f"{case}.png"
        return _read_mask(path) if path.exists() else None

    def record(self, reading: Reading) -> None:
        """Keep a reading; earlier ones of the same reader stay.

        Raises:
            InputError: the project has no such image, the mask has another shape, or a file
                cannot be written.
        """
        known = self.folder / "cases" / f"{reading.case}.json"
        if not known.exists():
            raise InputError(f"{reading.case}: no image of the project", "one that was added")
        shape = _case(read_stored(known), known).shape
        if reading.mask is not None and reading.mask.shape != shape:
            raise InputError(
                f"{reading.case}: a mask of {reading.mask.shape} for an image of {shape}",
                "one shape",
            )
        folder = self.folder / "readings" / reading.case
        number = 1 + max((n for _, n in _numbered(folder, reading.reader)), default=0)
        path = folder / f"{reading.reader}.{number}.json"
        if reading.mask is not None:
            write_png(path.with_suffix(".png"), reading.mask)
        text = {k: v for k, v in vars(reading).items() if k != "mask"}
        write_text(path, json.dumps(text, indent=1))

    def readings(self, case: str) -> tuple[Reading, ...]:
        """The latest reading of each reader, sorted by the reader's name.

        Raises:
            UnreadableError: a file of the project is damaged.
        """
        check_name(case, "case")
        folder = self.folder / "readings" / case
        latest: dict[str, tuple[int, Path]] = {}
        for path, number in _numbered(folder):
            reader = path.name.rsplit(".", 2)[0]
            if number > latest.get(reader, (0, path))[0]:
                latest[reader] = (number, path)
        return tuple(_reading(latest[reader][1]) for reader in sorted(latest))


def create_project(folder: Path, settings: ProjectSettings) -> Project:
    """Make an empty project.

    Raises:
        InputError: the folder is not empty or cannot be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder}: is not empty", "a new or empty folder")
    return _written(folder, settings)


def open_project(folder: Path) -> Project:
    """Open a project that `create_project` made.

    Raises:
        UnreadableError: there is none, it is damaged, or it is of another format.
    """
    stored = read_stored(folder / _MARK)
    if stored.pop("format", None) != FORMAT:
        raise UnreadableError(f"{folder}: a project of another format", f"format {FORMAT}")
    try:
        return Project(folder, ProjectSettings(**stored))
    except (TypeError, InputError) as error:
        raise UnreadableError(f"{folder / _MARK}: {error}", "what a new project holds") from error


def _written(folder: Path, settings: ProjectSettings) -> Project:
    write_text(folder / _MARK, json.dumps({"format": FORMAT, **asdict(settings)}, indent=1))
    return open_project(folder)


def _numbered(folder: Path, reader: str | None = None) -> Iterable[tuple[Path, int]]:
    """The readings of one or all readers with their numbers; whole ones alone."""
    if not folder.is_dir():
        return
    for entry in os.scandir(folder):
        parts = entry.name.rsplit(".", 2)
        whole = len(parts) == 3 and parts[2] == "json" and parts[1].isdecimal()
        if whole and parts[0] == (reader or parts[0]):
            yield Path(entry.path), int(parts[1])


def read_stored(path: Path) -> dict[str, Any]:
    """What a project has written into a file.

    Raises:
        UnreadableError: it is not the JSON object that was written.
    """
    try:
        stored = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise UnreadableError(
            f"{path}: cannot be read as part of a project", "the JSON that was written"
        ) from error
    if not isinstance(stored, dict):
        raise UnreadableError(f"{path}: no object", "the JSON that was written")
    return stored


def _case(stored: dict[str, Any], path: Path) -> ProjectCase:
    spacing = stored.get("spacing_mm")
    try:
        rows, columns = stored.pop("shape")
        return ProjectCase(
            **{
                **stored,
                "shape": (int(rows), int(columns)),
                "spacing_mm": None if spacing is None else (float(spacing[0]), float(spacing[1])),
                "descriptor": tuple(float(v) for v in stored.get("descriptor", ())),
            }
        )
    except (KeyError, TypeError, ValueError, InputError) as error:
        raise UnreadableError(f"{path}: {error}", "what was written of an image") from error


def _reading(path: Path) -> Reading:
    stored = read_stored(path)
    try:
        decision = Decision(stored.pop("decision"))
        mask = _read_mask(path.with_suffix(".png")) if decision in HAS_MASK else None
        return Reading(**stored, decision=decision, mask=mask)
    except (KeyError, TypeError, ValueError, InputError) as error:
        raise UnreadableError(f"{path}: {error}", "what was written of a reading") from error


def _read_mask(path: Path) -> NDArray[np.bool_]:
    return np.asarray(read_raster(path, path.name).array[0] > 0)
