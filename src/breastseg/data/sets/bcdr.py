"""BCDR: the Breast Cancer Digital Repository from Porto (Moura 2013)."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from breastseg.core.errors import DataSetError
from breastseg.core.image import Modality
from breastseg.data.dataset import NORMAL, DataSetInfo, require, some
from breastseg.data.polygon import Polygon, PolygonRef, polygon_of

IMAGES, CONTOURS = "_img.csv", "_outlines.csv"
"""How the names of the tables end: ``bcdr_d01_img.csv``, ``bcdr_d01_outlines.csv``."""
LABELS: Mapping[str, str] = {"benign": "benign", "malign": "malignant"}

_POINTS = ("lw_x_points", "lw_y_points")
_COLUMNS = ("patient_id", "image_filename", *_POINTS, "mammography_nodule", "classification")


@dataclass(frozen=True)
class _Lesion:
    """One row of the table of contours."""

    patient: str
    image: str
    label: str | None
    is_mass: bool
    contour: Polygon


@dataclass(frozen=True)
class Bcdr:
    """One data set of the repository, such as D01 (digital) or F03 (film); masses are the lesions.

    A mass is a row of the table of contours whose mammography_nodule is 1. A view without one has
    an empty mask, though it may show calcifications or distortions; where there is no row at all,
    it is normal. Some of the data sets have no table of images: their views are those with
    contours. Where there is no table of contours, there is no ground truth.

    The points are whole numbers whose origin is not documented. They are taken as corners of
    pixels, which is at most half a pixel off.

    Attributes:
        root: the folder with the tables, such as ``BCDR-D01_dataset``, or one that holds it and no
            other of the repository's.
    """

    root: Path
    name: ClassVar[str] = "BCDR"
    info: ClassVar[DataSetInfo] = DataSetInfo(
        title="Breast Cancer Digital Repository (BCDR), mammograms; masses are outlined",
        paper="Moura DC, Guevara Lopez MA. An evaluation of image descriptors combined with "
        "clinical data for breast cancer diagnosis. International Journal of Computer Assisted "
        "Radiology and Surgery 8, 561-574 (2013)",
        doi="10.1007/s11548-013-0838-2",
        licence="on registration, for research; not to be passed on",
        home="the repository's site (bcdr.eu), after registration",
        tree=f"bcdr_d01{IMAGES}, bcdr_d01{CONTOURS} and "
        "patient_96/study_112/img_96_112_1_RCC.tif, ...",
    )

    @property
    def folder(self) -> Path:
        """The folder that holds the tables; `root` where there is none.

        Raises:
            DataSetError: several data sets of the repository lie here.
        """
        for depth in ("", "*/", "*/*/"):
            found = {
                path.parent
                for end in (IMAGES, CONTOURS)
                for path in self.root.glob(f"{depth}[!.]*{end}")
            }
            if len(found) > 1:
                raise DataSetError(
                    f"{self.root} holds several data sets: {some(path.name for path in found)}",
                    "one at a time",
                    "name its own folder",
                )
            if found:
                return found.pop()
        return self.root

    def cases(self) -> tuple[PolygonRef, ...]:
        """One case a view, sorted by case_id, the stem of its file: ``"img_96_112_1_RCC"``.

        Raises:
            DataSetError: there is no table, a column is missing, a row's points do not pair up or
                its classification is unknown, or there is no image.
        """
        require(self.root, (), self.info)
        folder = self.folder
        path, lesions, patients = self._tables()
        found = []
        for image, patient in sorted(patients.items(), key=lambda item: Path(item[0]).stem):
            rows = lesions.get(image, ())
            masses = [row for row in rows if row.is_mass]
            known: tuple[Path, ...] | None = None if path is None else ()
            labels = {row.label for row in masses}
            label = "malignant" if "malignant" in labels else next(iter(labels), None)
            if (folder / image).is_file():
                found.append(
                    PolygonRef(
                        case_id=Path(image).stem,
                        patient_id=patient,
                        label=NORMAL if path is not None and not rows else label,
                        source=self.name,
                        image_path=folder / image,
                        mask_paths=(path,) if path is not None and masses else known,
                        modality=Modality.MAMMOGRAPHY,
                        polygons=tuple(row.contour for row in masses),
                    )
                )
        if not found:
            raise DataSetError(f"no image that the tables name is in {folder}", self.info.tree)
        return tuple(found)

    def remarks(self) -> tuple[str, ...]:
        """A table that is missing, and images that the tables name and that are absent."""
        folder = self.folder
        path, _, patients = self._tables()
        bare = {Path(image).stem for image in patients if not (folder / image).is_file()}
        said = (f"{len(bare)} images that the tables name are missing: {some(bare)}",)
        return (
            *(("no table of contours",) if path is None else ()),
            *(said if bare else ()),
        )

    def _tables(
        self,
    ) -> tuple[Path | None, Mapping[str, tuple[_Lesion, ...]], Mapping[str, str]]:
        """Where the contours are, the lesions of each image, and the patient of each image."""
        folder = self.folder
        images, contours = (
            next(iter(sorted(folder.glob(f"[!.]*{e}"))), None) for e in (IMAGES, CONTOURS)
        )
        if images is None and contours is None:
            require(folder, (f"bcdr_*{IMAGES}", f"bcdr_*{CONTOURS}"), self.info)
        patients: dict[str, str] = {}
        lesions: dict[str, tuple[_Lesion, ...]] = {}
        for row in _read(images, _COLUMNS[:2]) if images else ():
            patients[row["image_filename"]] = row["patient_id"]
        for number, row in enumerate(_read(contours, _COLUMNS) if contours else (), 2):
            one = _lesion(row, f"row {number} of {contours}")
            lesions[one.image] = (*lesions.get(one.image, ()), one)
            patients[one.image] = one.patient
        return contours, lesions, patients


def _lesion(row: Mapping[str, str], where: str) -> _Lesion:
    label = row["classification"].lower()
    try:
        x, y = ([float(number) for number in row[axis].split()] for axis in _POINTS)
        contour = polygon_of(x, y)
    except ValueError as error:
        raise DataSetError(
            f"{' and '.join(_POINTS)} of {where}: {error}", "as many numbers in one as in the other"
        ) from error
    if label and label not in LABELS:
        raise DataSetError(
            f"classification {row['classification']!r} of {where}", f"{', '.join(LABELS)} or none"
        )
    return _Lesion(
        patient=row["patient_id"],
        image=row["image_filename"],
        label=LABELS.get(label),
        is_mass=row["mammography_nodule"] == "1",
        contour=contour,
    )


def _read(path: Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    """Those columns of a table, the blanks round names and values removed."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            table = [[cell.strip() for cell in row] for row in csv.reader(file) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataSetError(f"{path} cannot be read: {error}", "a CSV file in UTF-8") from error
    head, rows = (table[0], table[1:]) if table else ([], [])
    missing = [name for name in columns if name not in head]
    if missing:
        raise DataSetError(
            f"{path} has no column {', '.join(missing)}", f"columns {', '.join(columns)}"
        )
    # A row that is cut short leaves blanks.
    full = (dict.fromkeys(head, "") | dict(zip(head, row, strict=False)) for row in rows)
    return [{name: row[name] for name in columns} for row in full]
