"""CDD-CESM as its archive publishes it: whole images, and contours as shapes in a table."""

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from breastseg.core.errors import DataSetError
from breastseg.core.image import Modality
from breastseg.data.dataset import NORMAL, some
from breastseg.data.files import visible
from breastseg.data.polygon import Polygon, PolygonRef, polygon_of

FOLDERS: Mapping[str, str] = {
    "DM": "Low energy images of CDD-CESM",
    "CM": "Subtracted images of CDD-CESM",
}
"""Where the images of each type lie."""
PATHOLOGY = "Pathology Classification/ Follow up"
TREE = (
    f"'{FOLDERS['DM']}', '{FOLDERS['CM']}', Radiology_hand_drawn_segmentations_v2.csv and "
    "Radiology-manual-annotations.csv, the archive's spreadsheet saved as CSV"
)

_NAME = re.compile(r"(?P<patient>P\d+)_[LR]_(?P<type>DM|CM)_(CC|MLO)")
_SIDES = 128  # of the polygon for an ellipse: its area is 0.04 % too small


@dataclass(frozen=True)
class OfficialTables:
    """The tables of the archive, by the stem of the image: ``"P102_R_DM_CC"``.

    Attributes:
        path: the table of shapes.
        contours: the shapes of each outlined image.
        labels: the pathology of each image in small letters; None where that table, which the
            archive has as a spreadsheet, is not there as CSV.
    """

    path: Path
    contours: Mapping[str, tuple[Polygon, ...]]
    labels: Mapping[str, str] | None


def shapes_table(folder: Path) -> Path | None:
    """The archive's table of shapes in a folder, if it is one of the archive's layout."""
    there = any((folder / name).is_dir() for name in FOLDERS.values())
    return _table(folder, "hand", "drawn", "segmentations") if there else None


def official_tables(folder: Path) -> OfficialTables:
    """Read the tables.

    Raises:
        DataSetError: the table of shapes is missing, or a table cannot be read.
    """
    path = shapes_table(folder)
    if path is None:
        raise DataSetError(f"no table of hand drawn segmentations in {folder}", TREE)
    contours: dict[str, tuple[Polygon, ...]] = {}
    for name, shape in _read(path, ("#filename", "region_shape_attributes")):
        stem = name.removesuffix(".jpg").strip()
        polygon = _polygon(shape, f"{stem} in {path}")
        contours[stem] = (*contours.get(stem, ()), *((polygon,) if polygon else ()))
    labels = _table(folder, "manual", "annotations")
    pathologies = None
    if labels is not None:
        pathologies = {n: text.lower() for n, text in _read(labels, ("Image_name", PATHOLOGY))}
    return OfficialTables(path, contours, pathologies)


def official_cases(folder: Path, types: tuple[str, ...], source: str) -> tuple[PolygonRef, ...]:
    """One case an image, sorted by case_id.

    An image without shapes has no lesion where its pathology is normal; else its ground truth is
    not known. Where there are shapes and yet the pathology is normal, the label is unknown.

    Args:
        folder: that of the archive.
        types: the wanted ones of `FOLDERS`.
        source: the data set's name.

    Raises:
        DataSetError: a table is missing or cannot be read, or there is no image.
    """
    tables = official_tables(folder)
    found = []
    for case_id, (path, patient) in official_images(folder, types).items():
        polygons = tables.contours.get(case_id, ())
        label = (tables.labels or {}).get(case_id) or None
        unknown = None if label != NORMAL else ()
        found.append(
            PolygonRef(
                case_id=case_id,
                patient_id=patient,
                label=None if polygons and label == NORMAL else label,
                source=source,
                image_path=path,
                mask_paths=(tables.path,) if polygons else unknown,
                modality=Modality.MAMMOGRAPHY,
                polygons=polygons,
            )
        )
    if not found:
        raise DataSetError(f"no image called as P102_R_DM_CC.jpg in {folder}", TREE)
    return tuple(found)


def official_remarks(folder: Path, types: tuple[str, ...]) -> tuple[str, ...]:
    """Images without shapes though their pathology is not normal, and shapes without an image.

    Args:
        folder: that of the archive.
        types: the wanted ones of `FOLDERS`.
    """
    tables, pictures = official_tables(folder), official_images(folder, types)
    outlined = {name for name, polygons in tables.contours.items() if polygons}
    labels = tables.labels or {}
    normal = {name for name in pictures if labels.get(name) == NORMAL}
    counted = (
        ("images without ground truth", pictures.keys() - normal - outlined),
        (
            "outlined images that are not there",
            {n for n in outlined if _type(n) in types} - pictures.keys(),
        ),
        ("outlined images whose pathology is normal", normal & outlined),
    )
    said = tuple(f"{len(names)} {what}: {some(names)}" for what, names in counted if names)
    if tables.labels is None:
        return ("no pathology, for the manual annotations are not there as CSV", *said)
    return said


def official_images(folder: Path, types: tuple[str, ...]) -> Mapping[str, tuple[Path, str]]:
    """The path and the patient of each image by its stem, sorted."""
    found = {}
    for kind in types:
        for path in visible(folder / FOLDERS[kind], ".jpg"):
            match = _NAME.fullmatch(path.stem.strip())
            if match and match["type"] == kind:
                found[match[0]] = path, match["patient"]
    return dict(sorted(found.items()))


def _type(name: str) -> str:
    match = _NAME.fullmatch(name)
    return match["type"] if match else ""


def _table(folder: Path, *words: str) -> Path | None:
    """The CSV file whose name holds these words; they are joined by blanks, hyphens or bars."""
    found = (p for p in visible(folder, ".csv") if all(w in p.name.lower() for w in words))
    return next(found, None)


def _read(path: Path, columns: tuple[str, str]) -> list[tuple[str, str]]:
    """Two columns of a table, blanks around the values removed."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, restval="")
            missing = [name for name in columns if name not in (reader.fieldnames or ())]
            if missing:
                raise DataSetError(f"{path} has no column {', '.join(missing)}", ", ".join(columns))
            return [(row[columns[0]].strip(), row[columns[1]].strip()) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataSetError(f"{path} cannot be read: {error}", "a CSV file in UTF-8") from error


def _polygon(text: str, where: str) -> Polygon | None:
    """A shape of the VGG Image Annotator, whose coordinates are those of a browser's canvas.

    A line of several points is closed; a point holds nothing.
    """
    try:
        shape = json.loads(text)
        kind = shape["name"]
        if kind in ("polygon", "polyline"):
            return polygon_of(shape["all_points_x"], shape["all_points_y"])
        if kind in ("circle", "ellipse"):
            rx, ry = (shape["r"],) * 2 if kind == "circle" else (shape["rx"], shape["ry"])
            return _ellipse(float(shape["cx"]), float(shape["cy"]), float(rx), float(ry))
        if kind == "point":
            return None
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise DataSetError(f"shape {text[:80]!r} of {where}", "a shape as JSON") from error
    raise DataSetError(f"shape {kind!r} of {where}", "polygon, polyline, circle, ellipse or point")


def _ellipse(cx: float, cy: float, rx: float, ry: float) -> Polygon:
    angles = [2 * math.pi * step / _SIDES for step in range(_SIDES)]
    return polygon_of(
        (cx + rx * math.cos(angle) for angle in angles),
        (cy + ry * math.sin(angle) for angle in angles),
    )
