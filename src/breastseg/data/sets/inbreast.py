"""INbreast: full-field digital mammograms from Porto (Moreira 2012)."""

from __future__ import annotations

import csv
import plistlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar
from xml.parsers.expat import ExpatError

from breastseg.core.errors import DataSetError, UnreadableError
from breastseg.core.image import Image, Modality
from breastseg.data.dataset import NORMAL, DataSetInfo, locate, require, some
from breastseg.data.files import visible
from breastseg.data.mammogram import read_mammogram
from breastseg.data.polygon import Polygon, PolygonRef, polygon_of

DICOMS = "AllDICOMs"
CONTOURS = "AllXML"
TABLE = "INbreast.csv"

_FILE = re.compile(r"(?P<id>\d+)_(?P<patient>[0-9a-f]+)_MG_[RL]_\w+_ANON\.dcm", re.IGNORECASE)
_BI_RADS = re.compile(r"([1-6])[abc]?", re.IGNORECASE)
_LABELS = {"1": NORMAL, "2": "benign", "3": "benign"}

_INFO = DataSetInfo(
    title="INbreast, full-field digital mammograms; masses are outlined",
    paper="Moreira IC, Amaral I, Domingues I, Cardoso A, Cardoso MJ, Cardoso JS. INbreast: toward "
    "a full-field digital mammographic database. Academic Radiology 19, 236-248 (2012)",
    doi="10.1016/j.acra.2011.09.014",
    licence="on request from the authors, for research; ask them before passing anything on",
    home="the authors of the article (doi 10.1016/j.acra.2011.09.014)",
    tree=f"{DICOMS}/20586908_6c613a14b80a8591_MG_R_CC_ANON.dcm, {CONTOURS}/20586908.xml and "
    f"{TABLE}, its columns separated by semicolons",
)


@dataclass(frozen=True)
class InbreastRef(PolygonRef):
    """One view of INbreast: a DICOM file, and the polygons of its XML file."""

    def read_image(self) -> Image:
        """The mammogram as a viewer would show it.

        Returns:
            (1, rows, columns), with the pixel spacing that the file states.

        Raises:
            UnreadableError: the file is missing or damaged.
        """
        return read_mammogram(self)


@dataclass(frozen=True)
class Inbreast:
    """410 views of 115 patients; the masses are the lesions.

    Every view of the archive was looked at, so that one without an outlined mass has none: its
    mask is empty, though it may show calcifications, which are points and clusters and no contours
    of lesions. Asymmetries, distortions and spiculated regions are in `InbreastRegions`.

    There is no pathology for each view. The label is what papers on this archive make of the
    BI-RADS assessment: 1 is normal, 2 and 3 benign, 4 to 6 malignant; where a view of BI-RADS 1 has
    a mask, and where none is stated, it is unknown. Contours are in OsiriX's coordinates, taken
    as those of pixel corners.

    Attributes:
        root: ``INbreast Release 1.0``, or a folder that holds it.
    """

    root: Path
    name: ClassVar[str] = "INbreast"
    info: ClassVar[DataSetInfo] = _INFO
    findings: ClassVar[frozenset[str]] = frozenset({"mass"})
    """What counts as a lesion: names of regions of interest, in small letters."""

    @property
    def folder(self) -> Path:
        """The folder that holds images, contours and the table."""
        release = "INbreast Release 1.0"
        places = (
            ".",
            release,
            "INbreast",
            f"INbreast/{release}",
            f"mammography/INbreast/{release}",
        )
        return locate(self.root, (*places, "mammography/INbreast"), (DICOMS, TABLE))

    def cases(self) -> tuple[InbreastRef, ...]:
        """One case a view, sorted by case_id, the number of its file: ``"20586908"``.

        Raises:
            DataSetError: a folder or the table is missing, the table has other columns, or there
                is no image.
            UnreadableError: an XML file is damaged.
        """
        folder = self.folder
        require(folder, (DICOMS, CONTOURS, TABLE), self.info)
        assessed = _assessments(folder / TABLE)
        found = []
        for case_id, path, patient in _pictures(folder / DICOMS):
            contours = folder / CONTOURS / f"{case_id}.xml"
            polygons: tuple[Polygon, ...] = ()
            if contours.is_file():
                polygons = _polygons(contours, self.findings)
            found.append(
                InbreastRef(
                    case_id=case_id,
                    patient_id=patient,
                    label=_label(assessed.get(case_id), bool(polygons)),
                    source=self.name,
                    image_path=path,
                    mask_paths=(contours,) if polygons else (),
                    modality=Modality.MAMMOGRAPHY,
                    polygons=polygons,
                )
            )
        if not found:
            raise DataSetError(f"no mammogram in {folder / DICOMS}", self.info.tree)
        return tuple(sorted(found, key=lambda case: case.case_id))

    def remarks(self) -> tuple[str, ...]:
        """Views without an assessment, rows without a view, and contours without an image."""
        folder = self.folder
        views = {case_id for case_id, _, _ in _pictures(folder / DICOMS)}
        rows = _assessments(folder / TABLE).keys()
        outlined = {path.stem for path in visible(folder / CONTOURS, ".xml")}
        counted = (
            (f"rows of {TABLE} without an image", rows - views),
            (f"images without a BI-RADS assessment in {TABLE}", views - rows),
            ("contours without an image", outlined - views),
        )
        return tuple(f"{len(names)} {what}: {some(names)}" for what, names in counted if names)


@dataclass(frozen=True)
class InbreastRegions(Inbreast):
    """INbreast with every outlined region as a lesion, not masses alone.

    To the masses come asymmetries, architectural distortions and spiculated regions, under any of
    the spellings in the files; clusters of calcifications do not.

    Attributes:
        root: as for `Inbreast`.
    """

    name: ClassVar[str] = "INbreast-regions"
    info: ClassVar[DataSetInfo] = replace(
        _INFO, title="INbreast, with asymmetries, distortions and spiculated regions as lesions too"
    )
    findings: ClassVar[frozenset[str]] = Inbreast.findings | {
        *("asymmetry", "assymetry", "distortion"),
        *("spiculated region", "espiculated region"),
    }


def _pictures(folder: Path) -> Iterator[tuple[str, Path, str]]:
    """The number, the path and the patient of each view."""
    for path in visible(folder, ".dcm"):
        match = _FILE.fullmatch(path.name)
        if match:
            yield match["id"], path, match["patient"]


def _assessments(path: Path) -> Mapping[str, str]:
    """The whole number of the BI-RADS assessment by the number of the file.

    A row that is malformed, of which the archive has one, counts as far as it states both.
    """
    columns = ("File Name", "ACR", "Bi-Rads")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            head, *rows = [
                [cell.strip() for cell in row] for row in csv.reader(file, delimiter=";")
            ]
    except (OSError, UnicodeDecodeError, csv.Error, ValueError) as error:
        raise DataSetError(
            f"{path} cannot be read: {error}", "a CSV file with semicolons"
        ) from error
    missing = [name for name in columns if name not in head]
    if missing:
        raise DataSetError(
            f"{path} has no column {', '.join(missing)}",
            f"columns {', '.join(columns)}, separated by semicolons",
        )
    at, bi_rads = head.index("File Name"), head.index("Bi-Rads")
    found = {}
    for row in rows:
        match = _BI_RADS.fullmatch(row[bi_rads]) if len(row) > max(at, bi_rads) else None
        if match and row[at].isdigit():
            found[row[at]] = match[1]
    return found


def _label(bi_rads: str | None, outlined: bool) -> str | None:
    label = None if bi_rads is None else _LABELS.get(bi_rads, "malignant")
    return None if label == NORMAL and outlined else label


def _polygons(path: Path, findings: frozenset[str]) -> tuple[Polygon, ...]:
    """The contours of the wanted findings in a property list; of one or two points is none."""
    try:
        regions = plistlib.loads(path.read_bytes(), fmt=plistlib.FMT_XML)["Images"][0]["ROIs"]
        wanted = (one["Point_px"] for one in regions if _name(one) in findings)
        contours = [_contour(points) for points in wanted]
    except OSError as error:
        raise UnreadableError(f"{path}: cannot be read ({error.strerror or error})") from error
    except (
        *(plistlib.InvalidFileException, ExpatError, ValueError),
        *(TypeError, LookupError, AttributeError),
    ) as error:
        raise UnreadableError(
            f"{path}: holds no regions of interest ({error})",
            "a property list with Images, ROIs, Name and Point_px",
            "get the file again",
        ) from error
    return tuple(contour for contour in contours if len(contour) > 2)


def _name(region: Mapping[str, object]) -> str:
    return str(region.get("Name", "")).strip().lower()


def _contour(points: Sequence[str]) -> Polygon:
    """From texts such as ``"(1204.5, 887.25)"``."""
    pairs = [text.strip(" ()").split(",") for text in points]
    return polygon_of((float(pair[0]) for pair in pairs), (float(pair[1]) for pair in pairs))
