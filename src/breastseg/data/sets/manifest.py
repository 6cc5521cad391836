"""A CSV manifest: a row a case, with the paths of its files, for data that lie in any layout."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from breastseg.core.errors import DataSetError
from breastseg.core.image import Modality
from breastseg.data.cells import fold_of, label_of, modality_of, spacing_of
from breastseg.data.colour import ColourRef
from breastseg.data.columns import check_columns, unused
from breastseg.data.dataset import NORMAL, CaseRef, DataSetInfo, Fault, some
from breastseg.data.patients import look_alikes
from breastseg.data.table import Row, read_table
from breastseg.data.volume_ref import VolumeRef
from breastseg.io.real_path import real_path
from breastseg.io.volume import VOLUME_SUFFIXES

TABLE = "manifest.csv"
"""The manifest's name where a folder is given."""
COLUMNS = ("image", "mask", "case_id", "patient_id", "label", "modality", "fold", "spacing_mm")


@dataclass(frozen=True)
class Manifest:
    """Images or volumes and their masks as a table lists them.

    The columns are image and mask, and optionally case_id, patient_id, label, modality, fold and
    spacing_mm, any of which may be blank. Paths are relative to the manifest's folder; several
    masks of one image are separated by ``|``. A blank mask says that there is no ground truth,
    unless the label is ``normal``. Without a case_id it is the image's path without its suffix, and
    without a patient_id every image stands for its own patient. A column of another name is told of
    by `remarks`, and refused where it looks like one of these that is not there. An image that is a
    volume may name its phases one after the other, separated by ``|``. Colour counts where the
    modality is ``histopathology``.

    Attributes:
        root: the CSV file, whose name is then the data set's, or a folder with ``manifest.csv``.
    """

    root: Path
    info: ClassVar[DataSetInfo] = DataSetInfo(
        title="images or volumes that a CSV manifest lists",
        paper="",
        doi="",
        licence="the owner's",
        home="your own archive",
        tree="a CSV file with the columns image and mask, and optionally case_id, patient_id, "
        "label, modality, fold, spacing_mm; several masks are separated by |",
    )

    @property
    def name(self) -> str:
        """The manifest's own name, or that of the folder that it is in by its usual name."""
        return real_path(self.root).name if self.root.is_dir() else self.root.stem

    @property
    def table(self) -> Path:
        """The manifest."""
        return self.root / TABLE if self.root.is_dir() else self.root

    def cases(self) -> tuple[CaseRef, ...]:
        """One case a row, sorted by case_id.

        Raises:
            DataSetError: there is no manifest or no row, a row cannot be understood, a file is
                missing, or two rows have one case_id.
        """
        table = self.table
        if not table.is_file():
            raise DataSetError(f"no file {table}", self.info.tree)
        rows = self._rows()
        cases: dict[str, CaseRef] = {}
        for number, row in enumerate(rows, 2):
            case = self._case(row, f"row {number} in {table.name}")
            if cases.setdefault(case.case_id, case) is not case:
                raise DataSetError(
                    f"two rows for {case.case_id} in {table.name}", "distinct case_id or image"
                )
        refs = tuple(cases[case_id] for case_id in sorted(cases))
        # os.path.exists, for a name that is too long is an error to Path.exists
        gone = [path for ref in refs for path in ref.files if not os.path.exists(path)]
        if gone:
            raise DataSetError(
                f"{table.name}: {len(gone)} files are not there: {some(map(str, gone))}",
                f"paths relative to {table.parent}",
            )
        _check_patients(refs, table.name)
        return refs

    def remarks(self) -> tuple[str, ...]:
        """Images without a mask, masks of several images, patients alike, and unused columns."""
        cases = self.cases()
        bare = [case.case_id for case in cases if case.mask_paths is None]
        owners: dict[str, set[str]] = defaultdict(set)
        for case in cases:
            for path in case.mask_paths or ():
                owners[os.path.normpath(path)].add(os.path.normpath(case.image_path))
        shared = [Path(path).name for path, images in owners.items() if len(images) > 1]
        return (
            *([f"{len(bare)} images without a mask: {some(bare)}"] * bool(bare)),
            *([Fault(f"{len(shared)} masks of several images: {some(shared)}")] * bool(shared)),
            *look_alikes(cases),
            *unused(check_columns(self._rows()[0], COLUMNS, self.table.name), self.table.name),
        )

    def _rows(self) -> tuple[Row, ...]:
        table = self.table
        rows = read_table(table, ("image", "mask"))
        if not rows:
            raise DataSetError(f"{table} has no row", "a row a case")
        check_columns(rows[0], COLUMNS, table.name)
        return rows

    def _case(self, row: Row, where: str) -> CaseRef:
        folder = self.table.parent
        images = [word.strip() for word in row["image"].split("|") if word.strip()]
        masks = [word.strip() for word in row["mask"].split("|") if word.strip()]
        if not images:
            raise DataSetError(f"no image in {where}", "the path of an image or a volume")
        volume = images[0].lower().endswith(VOLUME_SUFFIXES)
        if len(images) > 1 and not volume:
            raise DataSetError(f"image {row['image']!r} of {where}", "one image")
        label = label_of(row.get("label", ""))
        case_id = row.get("case_id") or _without_suffix(images[0])
        spacing = spacing_of(row.get("spacing_mm", ""), where)
        if volume and spacing is not None:
            raise DataSetError(f"spacing_mm of a volume in {where}", "none: its file states it")
        modality = modality_of(row.get("modality", ""), where)
        paths = tuple(folder / word for word in masks)
        truth = paths if paths or label == NORMAL else None
        patient, fold = row.get("patient_id") or case_id, fold_of(row.get("fold", ""), where)
        first, *later = (folder / word for word in images)
        if volume:
            return VolumeRef(
                case_id,
                patient,
                label,
                self.name,
                first,
                truth,
                fold=fold,
                modality=Modality.MRI if modality is Modality.UNKNOWN else modality,
                later_paths=tuple(later),
            )
        kind = ColourRef if modality is Modality.HISTOPATHOLOGY else CaseRef
        return kind(case_id, patient, label, self.name, first, truth, None, fold, spacing, modality)


def _check_patients(cases: Sequence[CaseRef], name: str) -> None:
    """Refuse an image that stands for two patients, who could be divided by a split."""
    patients: dict[str, str] = {}
    for case in cases:
        for path in case.image_paths:
            other = patients.setdefault(os.path.normpath(path), case.patient_id)
            if other != case.patient_id:
                raise DataSetError(
                    f"{name}: {path.name} stands for the patients {other} and {case.patient_id}",
                    "one patient an image",
                    "state patient_id, or remove the row that is there twice",
                )


def _without_suffix(name: str) -> str:
    for suffix in VOLUME_SUFFIXES:
        if name.lower().endswith(suffix):
            return name[: -len(suffix)]
    return str(Path(name).with_suffix(""))
