"""BUS-BRA: breast ultrasound from Brazil (Gomez-Flores 2023)."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from breastseg.core.errors import DataSetError
from breastseg.core.image import Modality
from breastseg.data.dataset import CaseRef, DataSetInfo, locate, require, some
from breastseg.data.files import by_stem

TABLE = "bus_data.csv"
FOLDS = "5-fold-cv.csv"


@dataclass(frozen=True)
class BusBra:
    """1,875 images of 1,064 patients on four scanners, each with one lesion and its mask.

    The published partition has five folds of whole patients. A partial copy can be used: the
    cases are those whose image is there, and `remarks` counts the rest. Width and Height in
    the table are wrong for a few images and are not used.

    Attributes:
        root: the folder with ``Images``, ``Masks`` and the tables, or one that holds it.
    """

    root: Path
    name: ClassVar[str] = "BUS-BRA"
    info: ClassVar[DataSetInfo] = DataSetInfo(
        title="BUS-BRA breast ultrasound",
        paper="Gomez-Flores W, Gregorio-Calas MJ, Pereira WCA. BUS-BRA: a breast ultrasound "
        "dataset for assessing computer-aided diagnosis systems. Medical Physics (2023)",
        doi="10.1002/mp.16812",
        licence="permissive, see its LICENSE.txt; the authors ask to be cited",
        home="the article's data page (doi 10.1002/mp.16812)",
        tree=f"Images/bus_0001-l.png, Masks/mask_0001-l.png, {TABLE} and {FOLDS}",
    )

    @property
    def folder(self) -> Path:
        """The folder that holds images and tables."""
        places = (".", "BUSBRA", "BUS-BRA", "BUS-BRA/BUSBRA", "ultrasound/BUS-BRA")
        return locate(self.root, places, ("Images", TABLE))

    def cases(self) -> tuple[CaseRef, ...]:
        """One case an image that stands in the table, sorted by case_id: ``"bus_0001-l"``.

        Raises:
            DataSetError: a folder, a table or a column is missing, no image stands in the
                table, or the folds are not numbers.
        """
        folder = self.folder
        require(folder, ("Images", "Masks", TABLE, FOLDS), self.info)
        table = _read(folder / TABLE, ("ID", "Case", "Pathology", "Device"))
        folds = _read(folder / FOLDS, ("ID", "kFold"))
        images, masks = _stems(folder / "Images"), _stems(folder / "Masks")
        found = []
        for case_id in sorted(images.keys() & table.keys()):
            row = table[case_id]
            mask = masks.get(_mask_stem(case_id))
            found.append(
                CaseRef(
                    case_id=case_id,
                    patient_id=row["Case"].strip() or case_id,
                    label=row["Pathology"].strip().lower(),
                    source=self.name,
                    image_path=images[case_id],
                    mask_paths=None if mask is None else (mask,),
                    scanner=row["Device"].strip() or None,
                    modality=Modality.ULTRASOUND,
                    fold=_fold(folds[case_id]["kFold"], case_id) if case_id in folds else None,
                )
            )
        if not found:
            raise DataSetError(f"no image in {folder / 'Images'} stands in {TABLE}", self.info.tree)
        return tuple(found)

    def remarks(self) -> tuple[str, ...]:
        """Rows without an image, and images without row, fold or mask."""
        folder = self.folder
        images, masks = _stems(folder / "Images"), _stems(folder / "Masks")
        table = _read(folder / TABLE, ("ID",)).keys()
        folds = _read(folder / FOLDS, ("ID",)).keys()
        outlined = {name for name in images if _mask_stem(name) in masks}
        stray = masks.keys() - {_mask_stem(name) for name in images}
        counted = (
            (f"rows of {TABLE} without an image", table - images.keys()),
            (f"images without a row in {TABLE}, left out", images.keys() - table),
            (f"images without a row in {FOLDS}", images.keys() - folds),
            ("images without a mask", images.keys() - outlined),
            ("masks without an image", stray),
        )
        return tuple(f"{len(names)} {what}: {some(names)}" for what, names in counted if names)


def _stems(folder: Path) -> Mapping[str, Path]:
    return by_stem(folder, ".png")


def _mask_stem(case_id: str) -> str:
    return "mask_" + case_id.removeprefix("bus_")


def _read(path: Path, columns: tuple[str, ...]) -> Mapping[str, Mapping[str, str]]:
    """The table's rows by their ID."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, restval="")
            missing = [name for name in columns if name not in (reader.fieldnames or ())]
            if missing:
                raise DataSetError(
                    f"{path} has no column {', '.join(missing)}", f"columns {', '.join(columns)}"
                )
            return {row["ID"]: row for row in reader}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataSetError(f"{path} cannot be read: {error}", "a CSV file in UTF-8") from error


def _fold(text: str, case_id: str) -> int:
    try:
        return int(float(text))
    except (ValueError, OverflowError) as error:
        raise DataSetError(f"kFold {text!r} of {case_id} in {FOLDS}", "a whole number") from error
