"""DDSM: digitised film mammograms, in the form in which they were first released (Heath 2001)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from breastseg.core.errors import DataSetError, UnreadableError
from breastseg.core.grid import Grid
from breastseg.core.image import Image, Modality
from breastseg.data.dataset import NORMAL, CaseRef, DataSetInfo, require, some
from breastseg.data.polygon import filled, from_centres

CATEGORIES = ("normals", "cancers", "benigns", "benign_without_callbacks")

_PLACES = (".", "cases", "DDSM/cases", "mammography/DDSM/cases", "DDSM", "mammography/DDSM")
_VIEW = re.compile(
    r"^(?P<view>(?:LEFT|RIGHT)_(?:CC|MLO))\s+LINES\s+(?P<rows>\d+)\s+PIXELS_PER_LINE\s+"
    r"(?P<columns>\d+).*\sRESOLUTION\s+(?P<microns>[\d.]+)\s+(?P<none>NON_)?OVERLAY\s*$",
    re.MULTILINE,
)
_DIGITIZER = re.compile(r"^DIGITIZER\s+(.+?)\s*$", re.MULTILINE)
_ABNORMALITY = re.compile(r"^ABNORMALITY\s+\d+", re.MULTILINE)
_TYPE = re.compile(r"^\s*LESION_TYPE\s+(\w+)", re.MULTILINE)
_PATHOLOGY = re.compile(r"^\s*PATHOLOGY\s+(\w+)", re.MULTILINE)
_BOUNDARY = re.compile(r"^\s*BOUNDARY\s+(\d+)\s+(\d+)\s+([0-7\s]*)#", re.MULTILINE)
_STEPS = np.array(
    [(-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1)]
)  # rows and columns; 0 is up, the others follow clockwise

_INFO = DataSetInfo(
    title="DDSM, digitised film mammograms; masses are outlined coarsely",
    paper="Heath M, Bowyer K, Kopans D, Moore R, Kegelmeyer WP. The digital database for screening "
    "mammography. In: Proceedings of the fifth international workshop on digital mammography, "
    "212-218 (2001); Heath M, Bowyer K, Kopans D et al. Current status of the digital database for "
    "screening mammography. In: Digital Mammography, 457-460 (1998)",
    doi="10.1007/978-94-011-5318-8_75",
    licence="for research; the authors ask to be cited",
    home="the University of South Florida's archive of it; CBIS-DDSM is a curated part",
    tree="cases/cancers/cancer_01/case3024/ with B-3024-1.ics, B_3024_1.LEFT_CC.LJPEG, "
    f"B_3024_1.LEFT_CC.OVERLAY, ...; beside cancers, {', '.join(CATEGORIES)}",
)


@dataclass(frozen=True, eq=False)
class Abnormality:
    """What an overlay says of one abnormality.

    Attributes:
        types: ``"MASS"``, ``"CALCIFICATION"`` or ``"OTHER"``; there may be several.
        pathology: such as ``"MALIGNANT"``; empty where it is not stated.
        boundary: (points, 2) rows and columns of the pixels of its contour, in order.
    """

    types: frozenset[str]
    pathology: str
    boundary: NDArray[np.intp]


@dataclass(frozen=True)
class DdsmRef(CaseRef):
    """One film of DDSM.

    Attributes:
        shape: (rows, columns) that the case's table states: the LJPEG file may have them swapped.
        kinds: the types of abnormalities that are lesions.
    """

    shape: tuple[int, int] = (0, 0)
    kinds: frozenset[str] = frozenset()
    masks_are_images: ClassVar[bool] = False

    def read_image(self) -> Image:
        """The film as digitised: bright where it is transparent, as on a light box.

        Returns:
            (1, rows, columns) uint16 of 12 or 16 bits, with the scanner's resolution.

        Raises:
            UnreadableError: the file is missing, damaged or of another size.
        """
        from breastseg.io.ljpeg import read_ljpeg

        pixels = read_ljpeg(self.image_path, self.key)
        if pixels.size != self.shape[0] * self.shape[1]:
            raise UnreadableError(
                f"{self.key}: {self.image_path.name} holds {pixels.shape} pixels",
                f"{self.shape} as the case's table says",
                "get the file again",
            )
        grid = Grid(self.shape, self.spacing_mm)
        return Image(pixels.reshape(1, *self.shape), grid, self.modality, self.key)

    def read_mask_array(self, shape: tuple[int, ...]) -> NDArray[np.bool_]:
        """The abnormalities of the wanted kinds, filled; cores inside them are left alone.

        Args:
            shape: of the image's grid.

        Returns:
            Of that shape, True inside and on a boundary.

        Raises:
            UnreadableError: an overlay is missing or damaged.
        """
        merged = np.zeros(shape, bool)
        for path in self.mask_paths or ():
            for one in read_overlay(path):
                if one.types & self.kinds:
                    merged |= _filled(one.boundary, (shape[0], shape[1]))
        return merged


@dataclass(frozen=True)
class Ddsm:
    """2,620 cases of four films each; the outlined masses are the lesions.

    A contour is the radiologist's, drawn generously; CBIS-DDSM has finer ones for a part. Films
    without an overlay have no abnormality. One whose only abnormalities are calcifications has an
    empty mask here; `DdsmAbnormalities` counts them too. A film is malignant where any of its
    lesions is; where one is neither that nor benign, its label is unknown.

    Attributes:
        root: the folder with the categories, or one that holds ``cases``.
    """

    root: Path
    name: ClassVar[str] = "DDSM"
    info: ClassVar[DataSetInfo] = _INFO
    kinds: ClassVar[frozenset[str]] = frozenset({"MASS"})
    """The types of abnormalities that are lesions."""

    @property
    def folder(self) -> Path:
        """The folder that holds the categories."""
        places = [self.root / place for place in _PLACES]
        there = (p for p in places if any((p / category).is_dir() for category in CATEGORIES))
        return next(there, self.root)

    def cases(self) -> tuple[DdsmRef, ...]:
        """One case a film, sorted by case_id: ``"B_3024_1.LEFT_CC"``.

        A film whose overlay is announced and absent has no ground truth.

        Raises:
            DataSetError: there is no category or no film.
            UnreadableError: a table or an overlay is damaged.
        """
        require(self.root, (), self.info)
        found = [self._case(*film) for film in self._films() if film[0].is_file()]
        if not found:
            raise DataSetError(
                f"{self.info.title}: no film in {self.folder}",
                f"a folder that holds {self.info.tree}",
                f"get it from {self.info.home}",
            )
        return tuple(sorted(found, key=lambda case: case.case_id))

    def remarks(self) -> tuple[str, ...]:
        """Films and overlays that the tables announce and that are absent."""
        films = [(path, match) for path, _, match in self._films()]
        overlays = {p.stem for p, match in films if not match["none"] and not _overlay(p).is_file()}
        counted = (
            ("films without an image", {path.stem for path, _ in films if not path.is_file()}),
            ("films whose overlay is missing", overlays),
        )
        return tuple(f"{len(names)} {what}: {some(names)}" for what, names in counted if names)

    def _films(self) -> Iterator[tuple[Path, str, re.Match[str]]]:
        """The path, the digitizer and the line of the table of each film."""
        for category in CATEGORIES:
            for table in sorted((self.folder / category).glob("*/case*/[!.]*.ics")):
                text = _text(table)
                digitizer = _DIGITIZER.search(text)
                for match in _VIEW.finditer(text):
                    stem = table.stem.replace("-", "_")
                    path = table.with_name(f"{stem}.{match['view']}.LJPEG")
                    yield path, digitizer[1] if digitizer else "", match

    def _case(self, path: Path, digitizer: str, line: re.Match[str]) -> DdsmRef:
        overlay, label = _overlay(path), None
        mask_paths: tuple[Path, ...] | None = ()
        if line["none"]:
            label = NORMAL
        elif not overlay.is_file():
            mask_paths = None
        else:
            lesions = [one for one in read_overlay(overlay) if one.types & self.kinds]
            mask_paths = (overlay,) if lesions else ()
            label = _label([one.pathology for one in lesions])
        step_mm = float(line["microns"]) / 1000
        return DdsmRef(
            case_id=path.stem,
            patient_id=path.stem.partition(".")[0],
            label=label,
            source=self.name,
            image_path=path,
            mask_paths=mask_paths,
            scanner=digitizer or None,
            spacing_mm=(step_mm, step_mm),
            modality=Modality.MAMMOGRAPHY,
            shape=(int(line["rows"]), int(line["columns"])),
            kinds=self.kinds,
        )


@dataclass(frozen=True)
class DdsmAbnormalities(Ddsm):
    """DDSM with every outlined abnormality as a lesion: masses, calcifications and others.

    Attributes:
        root: as for `Ddsm`.
    """

    name: ClassVar[str] = "DDSM-all"
    info: ClassVar[DataSetInfo] = replace(
        _INFO, title="DDSM, digitised film mammograms; all abnormalities are outlined coarsely"
    )
    kinds: ClassVar[frozenset[str]] = frozenset({"MASS", "CALCIFICATION", "OTHER"})


def read_overlay(path: Path) -> tuple[Abnormality, ...]:
    """The abnormalities of one film.

    Each has a BOUNDARY, and may have COREs inside it, which are not read: a column and a row of the
    first pixel, then a step to the next as a number from 0, up, clockwise to 7, up and to the left,
    ended by a hash.

    Args:
        path: an OVERLAY file.

    Raises:
        UnreadableError: missing, or an abnormality has no boundary.
    """
    found = []
    for text in _ABNORMALITY.split(_text(path))[1:]:
        boundary, pathology = _BOUNDARY.search(text), _PATHOLOGY.search(text)
        if boundary is None:
            raise UnreadableError(
                f"{path}: an abnormality has no boundary",
                "BOUNDARY, a column, a row, steps from 0 to 7 and #",
                "get the file again",
            )
        steps = np.array([int(step) for step in boundary[3].split()], np.intp)
        start = np.array([[int(boundary[2]), int(boundary[1])]])
        found.append(
            Abnormality(
                types=frozenset(_TYPE.findall(text)),
                pathology=pathology[1] if pathology else "",
                boundary=np.cumsum(np.concatenate([start, _STEPS[steps]]), axis=0),
            )
        )
    return tuple(found)


def _filled(boundary: NDArray[np.intp], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Inside the boundary, and the pixels of the boundary itself."""
    mask = filled(from_centres(tuple((int(x), int(y)) for y, x in boundary)), shape)
    there = ((boundary >= 0) & (boundary < shape)).all(axis=1)
    mask[boundary[there, 0], boundary[there, 1]] = True
    return mask


def _overlay(path: Path) -> Path:
    return path.with_suffix(".OVERLAY")


def _label(pathologies: list[str]) -> str | None:
    if "MALIGNANT" in pathologies:
        return "malignant"
    known = all(pathology.startswith("BENIGN") for pathology in pathologies)
    return "benign" if pathologies and known else None


def _text(path: Path) -> str:
    """A small file of plain words."""
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError as error:
        raise UnreadableError(f"{path}: cannot be read ({error.strerror or error})") from error
