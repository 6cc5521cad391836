"""CBIS-DDSM: film mammograms of DDSM with curated masks (Lee 2017)."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from breastseg.core.errors import DataSetError
from breastseg.core.image import Image, Modality
from breastseg.data.dataset import CaseRef, DataSetInfo, locate, require, some
from breastseg.data.mammogram import read_mammogram

FOLDS: Mapping[str, int] = {"train": 1, "test": 2}
"""The fold that stands for each part of the official partition."""
PATHOLOGIES: Mapping[str, str] = {
    "MALIGNANT": "malignant",
    "BENIGN": "benign",
    "BENIGN_WITHOUT_CALLBACK": "benign",
}
COLUMNS = ("patient_id", "pathology", "image file path", "ROI mask file path")
JPEG_TABLE = "csv/dicom_info.csv"
JPEG_COLUMNS = ("image_path", "PatientID", "SeriesDescription")

_INFO = DataSetInfo(
    title="CBIS-DDSM, digitised film mammograms; masses are outlined",
    paper="Lee RS, Gimenez F, Hoogi A, Miyake KK, Gorovoy M, Rubin DL. A curated mammography data "
    "set for use in computer-aided detection and diagnosis research. Scientific Data 4, 170177 "
    "(2017)",
    doi="10.1038/sdata.2017.177",
    licence="CC BY 3.0",
    home="The Cancer Imaging Archive (doi 10.7937/K9/TCIA.2016.7O02S9CY)",
    tree="mass_case_description_train_set.csv, mass_case_description_test_set.csv and the folders "
    "of the archive Mass-Training_P_00001_LEFT_CC, Mass-Training_P_00001_LEFT_CC_1, ...; or csv/ "
    f"with the tables and {JPEG_TABLE}, and jpeg/; or csv/, images/ and masks/ with "
    "Mass-Training_P_00001_LEFT_CC.png",
)


@dataclass(frozen=True)
class CbisRef(CaseRef):
    """One mammogram of CBIS-DDSM.

    Attributes:
        regions: the files of each abnormality: its mask, the largest of them, and often a close-up,
            for their names do not tell one from the other.
    """

    regions: tuple[tuple[Path, ...], ...] = ()
    masks_are_images: ClassVar[bool] = False

    def read_image(self) -> Image:
        """The mammogram as a viewer would show it.

        Returns:
            (1, rows, columns) in the file's dtype.

        Raises:
            UnreadableError: the file is missing or damaged.
        """
        return read_mammogram(self)

    def read_mask_array(self, shape: tuple[int, ...]) -> NDArray[np.bool_]:
        """The masks of all abnormalities together.

        Args:
            shape: of the image's grid.

        Returns:
            Of that shape, True inside any of them. A mask of another size, of which there are
            some, is resampled to the nearest pixel.

        Raises:
            UnreadableError: a file is missing or damaged.
            DataSetError: there is a close-up without a mask.
        """
        merged = np.zeros(shape, bool)
        for files in self.regions:
            mask = max((_read_mask(path, self.key) for path in files), key=np.size)
            if 2 * mask.shape[0] < shape[0] or 2 * mask.shape[1] < shape[1]:
                raise DataSetError(
                    f"{self.key}: {files[0].parent} holds {mask.shape} pixels, the image {shape}",
                    "a mask of the whole mammogram",
                    "get the mask's own file, which is missing, or leave the case out",
                )
            merged |= _nearest(mask, shape)
        return merged


@dataclass(frozen=True)
class CbisDdsm:
    """1,592 mammograms of 892 patients with 1,696 outlined masses, 378 of them for testing.

    The official partition is the fold: training is 1, test is 2. The label is malignant where any
    mass is. The archive's DICOM tree is read under either naming of its files, and so are the
    common copy as JPEG and a folder of images with merged masks. A partial copy can be used:
    `remarks` counts what is absent.

    Attributes:
        root: the folder with the tables, or one that holds it.
    """

    root: Path
    name: ClassVar[str] = "CBIS-DDSM"
    info: ClassVar[DataSetInfo] = _INFO
    kind: ClassVar[str] = "mass"
    """What the wanted tables are called after."""

    @property
    def folder(self) -> Path:
        """The folder that holds the tables, or holds them in ``csv``."""
        places = (".", "CBIS-DDSM", "mammography/CBIS-DDSM")
        for table in (*self._tables, *(f"csv/{table}" for table in self._tables)):
            folder = locate(self.root, places, (table,))
            if (folder / table).is_file():
                return folder
        return self.root

    @property
    def _tables(self) -> tuple[str, ...]:
        return tuple(f"{self.kind}_case_description_{part}_set.csv" for part in FOLDS)

    def cases(self) -> tuple[CbisRef, ...]:
        """One case a mammogram, sorted by case_id: ``"Mass-Training_P_00001_LEFT_CC"``.

        A mammogram of which the mask of any abnormality is absent has no ground truth.

        Raises:
            DataSetError: no table is there, a column is missing, a row has an unknown pathology,
                or there is no image.
        """
        folder, described = self.folder, self._described()
        files = _files(folder, described.values())
        found = [
            CbisRef(
                case_id=case_id,
                patient_id=one.patient,
                label="malignant" if "malignant" in one.labels else "benign",
                source=self.name,
                image_path=files[case_id][0],
                mask_paths=_paths(one, files),
                fold=one.fold,
                modality=Modality.MAMMOGRAPHY,
                regions=tuple(dict.fromkeys(files[n] for n in one.regions if n in files)),
            )
            for case_id, one in sorted(described.items())
            if case_id in files
        ]
        if not found:
            raise DataSetError(f"no mammogram of a {self.kind} is in {folder}", self.info.tree)
        return tuple(found)

    def remarks(self) -> tuple[str, ...]:
        """Tables that are absent, and mammograms without an image or without a mask."""
        folder, described = self.folder, self._described()
        files = _files(folder, described.values())
        bare = {name for name in described if name not in files}
        unknown = {
            name for name, one in described.items() if name in files and _paths(one, files) is None
        }
        counted = (
            ("tables that are absent", {table for table in self._tables if not _at(folder, table)}),
            ("described mammograms without an image", bare),
            ("images of which a mask is missing", unknown),
        )
        return tuple(f"{len(names)} {what}: {some(names)}" for what, names in counted if names)

    def _described(self) -> Mapping[str, _Described]:
        """What the tables say, by the name of the mammogram."""
        folder = self.folder
        tables = {part: _at(folder, table) for part, table in zip(FOLDS, self._tables, strict=True)}
        if not any(tables.values()):
            require(folder, self._tables, self.info)
        found: dict[str, _Described] = {}
        for part, path in tables.items():
            for row in _read(path, COLUMNS) if path else ():
                name, region = (_first(row[column]) for column in COLUMNS[2:])
                label = PATHOLOGIES.get(row["pathology"])
                if label is None:
                    raise DataSetError(
                        f"pathology {row['pathology']!r} of {name} in {path}",
                        f"one of {', '.join(PATHOLOGIES)}",
                    )
                before = found.get(name, _Described(name, row["patient_id"], FOLDS[part]))
                found[name] = replace(
                    before,
                    labels=(*before.labels, label),
                    regions=tuple(dict.fromkeys((*before.regions, region))),
                )
        return found


@dataclass(frozen=True)
class CbisDdsmCalcifications(CbisDdsm):
    """The mammograms of CBIS-DDSM with calcifications: 1,511 mammograms, 1,872 outlined regions.

    A contour goes round the region in which the calcifications lie. Some patients are in the mass
    tables too, and 31 of them on the other side of the official partition: whoever uses both must
    split by patient anew.

    Attributes:
        root: as for `CbisDdsm`.
    """

    name: ClassVar[str] = "CBIS-DDSM-calc"
    info: ClassVar[DataSetInfo] = replace(
        _INFO,
        title="CBIS-DDSM, its mammograms with calcifications; their regions are outlined",
        tree=_INFO.tree.replace("mass_case", "calc_case").replace("Mass-", "Calc-"),
    )
    kind: ClassVar[str] = "calc"


@dataclass(frozen=True)
class _Described:
    """What the tables say of one mammogram."""

    name: str
    patient: str
    fold: int
    labels: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()


def _at(folder: Path, table: str) -> Path | None:
    """Where a table lies, beside the images or in ``csv``."""
    return next((path for path in (folder / table, folder / "csv" / table) if path.is_file()), None)


def _paths(one: _Described, files: Mapping[str, tuple[Path, ...]]) -> tuple[Path, ...] | None:
    """All files of the abnormalities; None where those of one are missing."""
    if not all(name in files for name in one.regions):
        return None
    return tuple(dict.fromkeys(path for name in one.regions for path in files[name]))


def _files(folder: Path, wanted: Iterable[_Described]) -> Mapping[str, tuple[Path, ...]]:
    """The files of each mammogram and each abnormality by its name in the archive."""
    if (folder / "jpeg").is_dir():
        return _jpegs(folder)
    pictures = (folder / "images").is_dir() and (folder / "masks").is_dir()
    trees = [place for place in (folder, folder / "CBIS-DDSM") if place.is_dir()]
    found: dict[str, tuple[Path, ...]] = {}
    for one in wanted:
        for name in (one.name, *one.regions):
            if pictures:
                # one mask holds all abnormalities of its mammogram
                kind = "images" if name == one.name else "masks"
                paths = [folder / kind / f"{one.name}.png"]
            else:
                paths = [path for tree in trees for path in _dicoms(tree / name)]
            there = tuple(path for path in paths if path.is_file())
            if there:
                found[name] = there
    return found


def _jpegs(folder: Path) -> Mapping[str, tuple[Path, ...]]:
    """The same of the copy as JPEG, whose folders are called after series."""
    table = folder / JPEG_TABLE
    if not table.is_file():
        raise DataSetError(f"no {JPEG_TABLE} in {folder}", "the table that names each image")
    found: dict[str, tuple[Path, ...]] = {}
    for row in _read(table, JPEG_COLUMNS):
        if row["SeriesDescription"] == "cropped images":
            continue
        # It starts at a folder of its author's: CBIS-DDSM/jpeg/1.3.6.1.../1-263.jpg
        path = folder.joinpath("jpeg", *PurePosixPath(row["image_path"]).parts[-2:])
        if path.is_file():
            found[row["PatientID"]] = (*found.get(row["PatientID"], ()), path)
    return found


def _read(path: Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    """Those columns of a table, blanks and line ends around the values removed."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, restval="")
            missing = [name for name in columns if name not in (reader.fieldnames or ())]
            if missing:
                raise DataSetError(
                    f"{path} has no column {', '.join(missing)}", f"columns {', '.join(columns)}"
                )
            return [{name: row[name].strip() for name in columns} for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataSetError(f"{path} cannot be read: {error}", "a CSV file in UTF-8") from error


def _first(path: str) -> str:
    return path.partition("/")[0].strip()


def _read_mask(path: Path, key: str) -> NDArray[np.bool_]:
    """The bright half of an image: above 127 where it has 8 bits."""
    from breastseg.io.open import open_image

    values = open_image(path, source=f"{key}: {path}").array.max(axis=0)
    half = 127 if values.dtype == np.uint8 else float(values.max()) / 2
    return np.asarray(values > half)


def _nearest(mask: NDArray[np.bool_], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """The mask on another grid over the same field: each pixel takes that under its centre."""
    rows, columns = (
        ((np.arange(new) + 0.5) * old / new).astype(np.intp)
        for new, old in zip(shape, mask.shape, strict=True)
    )
    return mask[np.ix_(rows, columns)]


def _dicoms(folder: Path) -> list[Path]:
    found = sorted(folder.rglob("*.[dD][cC][mM]"))
    return [path for path in found if not path.name.startswith(".")]
