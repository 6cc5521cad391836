"""CDD-CESM: contrast enhanced mammography from Cairo (Khaled 2022)."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import ClassVar

from breastseg.core.errors import DataSetError
from breastseg.core.image import Modality
from breastseg.data.dataset import CaseRef, DataSetInfo, locate, require, some
from breastseg.data.sets.cdd_cesm_official import (
    TREE,
    official_cases,
    official_remarks,
    shapes_table,
)

MANIFEST = "manifest.csv"
COLUMNS = ("image", "mask", "patient", "type", "pathology", "mask_suspect", "suggested_split")
FOLDS: Mapping[str, int] = {"train": 1, "val": 2}
"""The fold that stands for each part of the suggested split."""

_PLACES = (".", "CDD-CESM", "mammography/CDD-CESM")
_INFO = DataSetInfo(
    title="CDD-CESM, low-energy (DM) and subtracted (CM) contrast enhanced mammography",
    paper="Khaled R, Helal M, Alfarghaly O, Mokhtar O, Elkorany A, El Kassas H, Fahmy A. "
    "Categorized digital database for low energy and subtracted contrast enhanced spectral "
    "mammography images. The Cancer Imaging Archive (2021); described in Scientific Data 9, 122 "
    "(2022), doi 10.1038/s41597-022-01238-0",
    doi="10.7937/29kw-ae92",
    licence="CC BY 4.0",
    home="The Cancer Imaging Archive (doi 10.7937/29kw-ae92)",
    tree=f"{TREE}; or images/P102_R_DM_CC.jpg, masks/P102_R_DM_CC.png and {MANIFEST} with the "
    f"columns {', '.join(COLUMNS)}; of suggested_split, train is fold 1 and val fold 2",
)


@dataclass(frozen=True)
class CddCesm:
    """Mammograms with iodine contrast and the masks of their findings.

    Each view comes twice: as low-energy image (DM), which looks like an ordinary mammogram, and as
    subtracted image (CM), in which only what takes up contrast is bright. A mask covers every kind
    of finding. A partial copy can be used: `remarks` counts what is absent.

    The archive's own folder is read, with the shapes of its table as contours; it states no split.
    So is a folder of ready masks with a manifest: its cases are what that lists, and its suggested
    split by patient is their fold: train is 1, val is 2.

    Attributes:
        root: the archive's folder, or that with ``images``, ``masks`` and the manifest, or one that
            holds either.
    """

    root: Path
    name: ClassVar[str] = "CDD-CESM"
    info: ClassVar[DataSetInfo] = _INFO
    types: ClassVar[tuple[str, ...]] = ("DM", "CM")
    """The types of images that are cases."""

    @property
    def folder(self) -> Path:
        """The folder that holds images and manifest."""
        return locate(self.root, _PLACES, ("images", MANIFEST))

    @property
    def _official(self) -> Path | None:
        """The archive's own folder, where there is no manifest."""
        if (self.folder / MANIFEST).is_file():
            return None
        places = (self.root / place for place in _PLACES)
        return next((place for place in places if shapes_table(place) is not None), None)

    def cases(self) -> tuple[CaseRef, ...]:
        """One case an image, sorted by case_id, the stem of its file: ``"P102_R_DM_CC"``.

        An image without its mask has no ground truth. In the archive's own folder one without
        shapes has no lesion where its pathology is normal, and else no ground truth.

        Raises:
            DataSetError: a folder, the manifest or a column is missing, a row names no patient or
                an unknown type or part, two rows name one image, or no image is there.
        """
        official = self._official
        if official is not None:
            return official_cases(official, self.types, self.name)
        folder = self.folder
        require(folder, ("images", "masks", MANIFEST), self.info)
        found = []
        for case_id, row in sorted(self._rows().items()):
            image, mask = folder / row["image"], folder / row["mask"]
            if image.is_file():
                found.append(
                    CaseRef(
                        case_id=case_id,
                        patient_id=row["patient"],
                        label=row["pathology"].lower() or None,
                        source=self.name,
                        image_path=image,
                        mask_paths=(mask,) if mask.is_file() else None,
                        fold=_fold(row["suggested_split"], case_id),
                        modality=Modality.MAMMOGRAPHY,
                    )
                )
        if not found:
            raise DataSetError(f"no image that {MANIFEST} lists is in {folder}", self.info.tree)
        return tuple(found)

    def remarks(self) -> tuple[str, ...]:
        """What is without an image or a mask, and masks that are marked as doubtful."""
        official = self._official
        if official is not None:
            return official_remarks(official, self.types)
        folder, rows = self.folder, self._rows()
        there = {name for name, row in rows.items() if (folder / row["image"]).is_file()}
        outlined = {name for name, row in rows.items() if (folder / row["mask"]).is_file()}
        doubtful = {name for name in there & outlined if rows[name]["mask_suspect"] == "1"}
        counted = (
            (f"rows of {MANIFEST} without an image", rows.keys() - there),
            ("images without a mask", there - outlined),
            ("masks marked as doubtful (mask_suspect = 1)", doubtful),
        )
        return tuple(f"{len(names)} {what}: {some(names)}" for what, names in counted if names)

    def _rows(self) -> Mapping[str, Mapping[str, str]]:
        """The manifest's rows of the wanted types by the stem of their image."""
        rows: dict[str, Mapping[str, str]] = {}
        for row in _read(self.folder / MANIFEST):
            case_id = PurePosixPath(row["image"]).stem
            if not case_id or not row["patient"] or row["type"] not in CddCesm.types:
                raise DataSetError(
                    f"{MANIFEST} has a row with image {row['image']!r}, patient "
                    f"{row['patient']!r} and type {row['type']!r}",
                    f"an image, a patient and one of {', '.join(CddCesm.types)} in each row",
                )
            if case_id in rows:
                raise DataSetError(f"{MANIFEST} has two rows for {case_id}", "one row an image")
            if row["type"] in self.types:
                rows[case_id] = row
        return rows


@dataclass(frozen=True)
class CddCesmLowEnergy(CddCesm):
    """The low-energy images of CDD-CESM alone: what looks like an ordinary mammogram.

    Attributes:
        root: as for `CddCesm`.
    """

    name: ClassVar[str] = "CDD-CESM-DM"
    info: ClassVar[DataSetInfo] = replace(
        _INFO, title="CDD-CESM, its low-energy images only, which look like ordinary mammograms"
    )
    types: ClassVar[tuple[str, ...]] = ("DM",)


def _read(path: Path) -> list[dict[str, str]]:
    """The manifest's rows, blanks around the values removed."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, restval="")
            missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
            if missing:
                raise DataSetError(
                    f"{path} has no column {', '.join(missing)}", f"columns {', '.join(COLUMNS)}"
                )
            return [{name: row[name].strip() for name in COLUMNS} for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataSetError(f"{path} cannot be read: {error}", "a CSV file in UTF-8") from error


def _fold(part: str, case_id: str) -> int | None:
    if part and part not in FOLDS:
        raise DataSetError(
            f"suggested_split {part!r} of {case_id} in {MANIFEST}", f"{', '.join(FOLDS)} or blank"
        )
    return FOLDS.get(part)
