"""What a project has labelled, as a data set to train on, and what the labelling took."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
from numpy.typing import NDArray

from breastseg.annotation.consensus import consensus
from breastseg.annotation.progress import Status, status_of
from breastseg.annotation.project import Project
from breastseg.annotation.reading import HAS_MASK, Decision
from breastseg.core.errors import InputError
from breastseg.core.image import Image, Modality
from breastseg.data.dataset import NORMAL
from breastseg.data.sets.folder import TABLE
from breastseg.io.write import appearing, write_png, write_text

_PNG_MAX = 65_535


def write_labels(
    project: Project,
    load: Callable[[str], Image],
    folder: Path,
    names: Collection[str] | None = None,
) -> tuple[str, ...]:
    """Write the labelled images as a data set of the kind ``folder``.

    Args:
        project: the project.
        load: gives the image of a case's name, (channels, rows, columns).
        folder: where to; it must not be there yet. It appears whole or not at all.
        names: of these cases alone; all by default.

    Returns:
        The names of the cases that were written; rejected and open ones are not.

    Raises:
        InputError: the folder is there already or cannot be written, or an image has values that a
            PNG cannot hold.
        UnreadableError: a file of the project is damaged.
    """
    if folder.exists():
        raise InputError(f"{folder}: is there already", "the name of a new folder")
    written = []
    table = io.StringIO()
    rows = csv.writer(table, lineterminator="\n")
    rows.writerow(("file", "patient_id", "label", "spacing_mm", "modality"))
    with appearing(folder) as temporary:
        for case in project.cases():
            if names is not None and case.name not in names:
                continue
            readings = project.readings(case.name)
            if status_of(readings, project.settings.readers_per_case) is not Status.LABELLED:
                continue
            mask = consensus([r.mask for r in readings if r.mask is not None]).mask
            name = f"{case.name}.png"
            image = load(case.name)
            write_png(temporary / "images" / name, _levels(image, name))
            write_png(temporary / "masks" / name, mask)
            spacing = "" if case.spacing_mm is None else "{!r} {!r}".format(*case.spacing_mm)
            modality = "" if image.modality is Modality.UNKNOWN else image.modality.value
            label = "" if mask.any() else NORMAL
            rows.writerow((name, case.patient, label, spacing, modality))
            written.append(case.name)
        write_text(temporary / TABLE, table.getvalue())
    return tuple(written)


def _levels(image: Image, name: str) -> NDArray[np.uint8 | np.uint16]:
    """An image's colours, or its whole grey levels, in its own dtype where a PNG has that."""
    if len(image.array) == 3 and image.array.dtype == np.uint8:
        return np.moveaxis(image.array.astype(np.uint8), 0, 2)
    if image.array.dtype == np.uint8:
        return np.asarray(np.rint(image.grey()), np.uint8)
    grey = np.rint(image.grey())
    if grey.min() < 0 or grey.max() > _PNG_MAX:
        raise InputError(
            f"{name}: grey levels from {grey.min():g} to {grey.max():g}",
            f"0 to {_PNG_MAX}",
            "export the image as 8 or 16-bit PNG and add that to the project",
        )
    return np.asarray(grey, np.uint16)


@dataclass(frozen=True)
class Effort:
    """What labelling took one reader.

    Attributes:
        reader: who.
        readings: how many images.
        accepted: how many of them without a change.
        corrected: how many with changes.
        rejected: how many could not be labelled.
        handed_on: how many were left to another reader.
        median_seconds: time an image.
        median_edited_px: pixels changed where a mask was proposed; None where none was.
    """

    reader: str
    readings: int
    accepted: int
    corrected: int
    rejected: int
    handed_on: int
    median_seconds: float
    median_edited_px: float | None


def effort(project: Project) -> tuple[Effort, ...]:
    """What labelling took each reader, sorted by name, from each one's latest readings.

    Raises:
        UnreadableError: a file of the project is damaged.
    """
    every = [r for case in project.cases() for r in project.readings(case.name)]
    found = []
    for reader in sorted({reading.reader for reading in every}):
        own = [reading for reading in every if reading.reader == reader]
        count = {d: sum(reading.decision is d for reading in own) for d in Decision}
        edited = [r.edited_px for r in own if r.decision in HAS_MASK and r.edited_px is not None]
        found.append(
            Effort(
                reader,
                len(own),
                count[Decision.ACCEPTED],
                count[Decision.CORRECTED],
                count[Decision.REJECTED],
                count[Decision.HANDED_ON],
                float(median(reading.seconds for reading in own)),
                float(median(edited)) if edited else None,
            )
        )
    return tuple(found)
