"""The results of a comparison on disk, so that a run that was stopped goes on where it was."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError

from breastseg.core.errors import InputError
from breastseg.core.mask import Mask
from breastseg.data.dataset import CaseRef
from breastseg.evaluation.comparison.cell import Cell, Traits
from breastseg.evaluation.file_name import file_name
from breastseg.evaluation.score import VolumeScore
from breastseg.io.write import replacing

CELLS, MASKS = "cells.jsonl", "masks"
_PACKAGE = Path(__file__).resolve().parents[2]
# What a result depends on besides its method's parameters.
_ROOMS = ("core", "io", "preprocess", "classical", "metrics", "inference")
_FILES = (
    *("data/dataset.py", "data/lesion_pixels.py", "data/volume_ref.py"),
    *("evaluation/run.py", "evaluation/score.py", "evaluation/prompting.py"),
)
_OWN = ("cell.py", "curves.py", "traits.py", "cell_worker.py")


class _Line(BaseModel):
    """One line: a cell, or the traits of a case."""

    # JSON knows no NaN, and null is another answer: a distance that is not known.
    model_config = ConfigDict(ser_json_inf_nan="strings", extra="forbid")

    fingerprint: str
    cell: Cell | None
    traits: Traits | None


class Store:
    """An append-only file of results, one JSON object a line; the last of a cell counts.

    A line that was cut off, or that was written for other parameters, data or code, is passed over.

    Args:
        folder: made where it is missing.

    Raises:
        InputError: the folder cannot be written or its file not be read.
    """

    def __init__(self, folder: Path) -> None:
        self.masks = folder / MASKS
        path = folder / CELLS
        try:
            self.masks.mkdir(parents=True, exist_ok=True)
            for kind in ("png", "gz"):
                for leftover in self.masks.glob(f"*/.*.{kind}"):  # of a run that was killed
                    leftover.unlink(missing_ok=True)
            # Unbuffered: a line goes out in one piece, and nothing is lost when the run is killed.
            self._file = path.open("ab", buffering=0)
            written = path.read_bytes()
        except OSError as error:
            raise InputError(
                f"{path}: cannot be written ({error.strerror or error})",
                remedy="choose a folder that exists, has room and may be written to",
            ) from error
        if written and not written.endswith(b"\n"):
            self._write(b"\n")
        self._known = dict(filter(None, map(_parsed, written.splitlines())))

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def cell(self, label: str, key: str, fingerprint: str) -> Cell | None:
        """A finished cell; None where there is none, or none with this fingerprint.

        A cell without an error whose mask has gone is not finished.
        """
        line = self._known.get((label, key))
        if line is None or line.cell is None or line.fingerprint != fingerprint:
            return None
        of_volume = isinstance(line.cell.row.score, VolumeScore)
        drawn = mask_path(self.masks, label, key, of_volume).is_file()
        return line.cell if drawn or line.cell.row.error is not None else None

    def traits(self, key: str, fingerprint: str) -> Traits | None:
        """The traits of a case; None where there are none with this fingerprint."""
        line = self._known.get(("", key))
        return None if line is None or line.fingerprint != fingerprint else line.traits

    def add(self, result: Cell | Traits, fingerprint: str) -> None:
        """Append a result.

        Raises:
            InputError: it cannot be written.
        """
        cell = result if isinstance(result, Cell) else None
        traits = result if isinstance(result, Traits) else None
        line = _Line(fingerprint=fingerprint, cell=cell, traits=traits)
        self._write(line.model_dump_json().encode() + b"\n")

    def _write(self, line: bytes) -> None:
        try:
            self._file.write(line)
        except OSError as error:
            raise InputError(
                f"{self._file.name}: cannot be written ({error.strerror or error})",
                remedy="make room and run the same command again; it continues",
            ) from error


def mask_path(folder: Path, label: str, key: str, of_volume: bool = False) -> Path:
    """Where the mask of a method on a case lies.

    Args:
        folder: that of all masks.
        label: of the method.
        key: of the case.
        of_volume: the case is a volume.
    """
    suffix = ".nii.gz" if of_volume else ".png"
    return folder / file_name(label) / f"{file_name(key)}{suffix}"


def write_mask(path: Path, mask: Mask) -> None:
    """Write a mask, whole or not at all: as a PNG of one bit a pixel, a volume as NIfTI.

    Args:
        path: as `mask_path` names it.
        mask: on the image's own grid.

    Raises:
        InputError: it cannot be written.
    """
    if mask.grid.ndim == 3:
        from breastseg.io.volume import write_volume

        write_volume(mask.foreground.astype(np.uint8), mask.grid, path)
        return
    from PIL import Image as Pillow

    with replacing(path) as temporary:
        Pillow.fromarray(mask.foreground).save(temporary, "PNG")


def read_mask_array(path: Path) -> NDArray[np.bool_]:
    """Read what `write_mask` wrote: (rows, columns) or (slices, rows, columns) bool.

    Raises:
        UnreadableError: the file is missing or damaged.
    """
    from breastseg.io.raster import read_mask
    from breastseg.io.volume import read_volume

    if path.name.endswith(".nii.gz"):
        return np.asarray(read_volume(path).array[0] != 0)
    return read_mask(path)


def fingerprint(*parts: object) -> str:
    """A digest of plain values: equal where and only where all of them are."""
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def state_of(ref: CaseRef) -> dict[str, object]:
    """What tells a case from another or from itself after a change of its files or its record."""
    known = ("label", "scanner", "spacing_mm", "modality")
    return {
        "key": ref.key,
        "patient": ref.patient_key,
        "normal": ref.is_normal,
        **{name: getattr(ref, name) for name in known},
        "files": [_file_state(path) for path in ref.files],
    }


@cache
def state_of_code() -> str:
    """A digest of the code that makes the results: a changed method is a new one."""
    paths = [path for room in _ROOMS for path in sorted((_PACKAGE / room).rglob("*.py"))]
    # Fitted weights; presets lie deeper, and are among the parameters.
    paths += [path for room in _ROOMS for path in sorted((_PACKAGE / room).glob("*.json"))]
    paths += [_PACKAGE / name for name in _FILES]
    paths += [Path(__file__).parent / name for name in _OWN]
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _file_state(path: Path) -> tuple[str, int, int] | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return path.name, stat.st_size, stat.st_mtime_ns


def _parsed(line: bytes) -> tuple[tuple[str, str], _Line] | None:
    """The label and key that a line is for, no label where it holds traits, and the line itself."""
    try:
        content = _Line.model_validate_json(line)
    except ValidationError:
        return None
    if content.cell is not None:
        return (content.cell.method, content.cell.row.key), content
    return None if content.traits is None else (("", content.traits.key), content)
