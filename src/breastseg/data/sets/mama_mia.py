"""MAMA-MIA: 1,506 contrast-enhanced breast MRI with expert segmentations (Garrucho 2025)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from breastseg.core.errors import DataSetError
from breastseg.data.dataset import CaseRef, DataSetInfo, locate, require, some
from breastseg.data.table import find_table, read_table
from breastseg.data.volume_ref import VolumeRef

IMAGES, MASKS = "images", "segmentations/expert"
SPLITS, CLINICAL = "train_test_splits", "clinical_and_imaging_info"
FOLDS: Mapping[str, int] = {"train_split": 1, "test_split": 2}
"""The fold that stands for each column of the published partition."""

_PHASE = re.compile(r"(?P<case>.+)_(?P<phase>\d{4})\.nii\.gz", re.IGNORECASE)
_END = ".nii.gz"


@dataclass(frozen=True)
class MamaMia:
    """Pre-treatment studies of four trials, each with its phases and the primary tumour.

    All are cancers that were then treated with neoadjuvant chemotherapy; hence the label is
    ``"malignant"``. Its Duke cases are also in Duke-Breast-Cancer-MRI, under other numbers. Names
    of files count in capitals or not, for copies differ.

    Attributes:
        root: the folder with ``images`` and ``segmentations``, or one that holds it as
            ``MAMA-MIA``.
    """

    root: Path
    name: ClassVar[str] = "MAMA-MIA"
    info: ClassVar[DataSetInfo] = DataSetInfo(
        title="MAMA-MIA, a multicentre benchmark of breast DCE-MRI with expert segmentations",
        paper="Garrucho L, Kushibar K, Reidel CA, et al. A large-scale multicenter breast cancer "
        "DCE-MRI benchmark dataset with expert segmentations. Scientific Data 12, 453 (2025)",
        doi="10.1038/s41597-025-04707-4",
        licence="CC BY-NC 4.0 as a whole: not for commercial use; its sources have their own",
        home="Synapse, syn60868042 (doi 10.7303/syn60868042)",
        tree="images/DUKE_001/DUKE_001_0000.nii.gz before contrast, DUKE_001_0001.nii.gz and so on "
        "after it, and segmentations/expert/DUKE_001.nii.gz; optionally train_test_splits.csv "
        "and clinical_and_imaging_info.xlsx",
    )

    @property
    def folder(self) -> Path:
        """The folder that holds the images."""
        return locate(self.root, (".", "MAMA-MIA", "mri/MAMA-MIA"), (IMAGES,))

    def cases(self) -> tuple[CaseRef, ...]:
        """One case a study whose phase before contrast is there, sorted by case_id.

        The published partition gives the folds 1 (train) and 2 (test); without its table there
        are none. A case without a file in ``segmentations/expert`` has no ground truth.

        Raises:
            DataSetError: a folder is missing, there is no study, a phase between others is
                missing, or a table has no column of those it should have.
        """
        folder = self.folder
        require(folder, (IMAGES, MASKS), self.info)
        masks = _masks(folder)
        folds, scanners = _folds(folder), _scanners(folder)
        found = []
        for study in sorted(path for path in (folder / IMAGES).iterdir() if path.is_dir()):
            case_id, phases = study.name, _phases(study)
            if not phases:
                continue
            mask = masks.get(case_id.lower())
            found.append(
                VolumeRef(
                    case_id=case_id,
                    patient_id=case_id,
                    label="malignant",
                    source=self.name,
                    image_path=phases[0],
                    later_paths=phases[1:],
                    mask_paths=None if mask is None else (mask,),
                    scanner=scanners.get(case_id.lower()),
                    fold=folds.get(case_id.lower()),
                )
            )
        if not found:
            raise DataSetError(f"no study in {folder / IMAGES}", self.info.tree)
        return tuple(found)

    def remarks(self) -> tuple[str, ...]:
        """Studies without a mask, masks without one, and absent tables."""
        folder = self.folder
        images = {case.case_id.lower(): case.case_id for case in self.cases()}
        masks = _masks(folder)
        bare = [name for key, name in images.items() if key not in masks]
        stray = [path.name for key, path in masks.items() if key not in images]
        remarks = [
            f"{len(names)} {what}: {some(names)}"
            for what, names in (
                ("studies without a mask", bare),
                ("masks of studies not there", stray),
            )
            if names
        ]
        remarks += [
            f"no {stem}.{end}: {what} are not known"
            for stem, end, what in ((SPLITS, "csv", "folds"), (CLINICAL, "xlsx", "scanners"))
            if find_table(folder, stem) is None
        ]
        return tuple(remarks)


def _phases(folder: Path) -> tuple[Path, ...]:
    """The files of one study; none where it has no phase before contrast."""
    found = {}
    for path in sorted(folder.iterdir()):
        match = _PHASE.fullmatch(path.name)
        if match and match["case"].lower() == folder.name.lower():
            found[int(match["phase"])] = path
    if 0 not in found:
        return ()
    gaps = sorted(set(range(max(found))) - found.keys())
    if gaps:
        raise DataSetError(
            f"{folder}: no phase {', '.join(f'{gap:04d}' for gap in gaps)}",
            f"all phases from 0000 to {max(found):04d}",
            "copy the study again",
        )
    return tuple(found[number] for number in sorted(found))


def _masks(folder: Path) -> dict[str, Path]:
    """The masks by the case's name in lower case."""
    return {
        path.name.lower().removesuffix(_END): path
        for path in sorted((folder / MASKS).glob("*"))
        if path.name.lower().endswith(_END) and not path.name.startswith(".")
    }


def _folds(folder: Path) -> dict[str, int]:
    """The fold by the case's name in lower case, of two columns that each list names."""
    path = find_table(folder, SPLITS)
    if path is None:
        return {}
    rows = read_table(path, tuple(FOLDS))
    return {row[part].lower(): fold for row in rows for part, fold in FOLDS.items() if row[part]}


def _scanners(folder: Path) -> dict[str, str]:
    path = find_table(folder, CLINICAL)
    if path is None:
        return {}
    rows = read_table(path, ("patient_id",))
    stated = {row["patient_id"].lower(): row.get("manufacturer", "") for row in rows}
    return {name: scanner for name, scanner in stated.items() if scanner}
