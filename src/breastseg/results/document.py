"""The two files of a run, ``results.json`` and ``results.csv``: written, and read again."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from breastseg.core.errors import InputError
from breastseg.io.write import write_text
from breastseg.results.schema import Document, Entry, LesionRecord, plain

if TYPE_CHECKING:
    from pydantic import TypeAdapter

JSON_NAME = "results.json"
CSV_NAME = "results.csv"
REPORT_NAME = "report.html"

T = TypeVar("T")

_AXES = ("slice", "row", "column")
_MARGIN = (
    *("margin_coverage", "margin_outer_distance", "margin_inner_distance"),
    *("margin_longest_diameter0", "margin_longest_diameter1", "margin_area0", "margin_area1"),
)
_DESCRIPTORS = (
    *("descriptor_shape", "descriptor_orientation", "descriptor_margin"),
    *("descriptor_echo_pattern", "descriptor_posterior_features"),
)
_COLUMNS = (
    *("input", "kind", "frame", "status", "error"),
    *("study_uid", "series_uid", "instance_uid", "accession_number"),
    *("slices", "rows", "columns"),
    *("spacing_slice_mm", "spacing_row_mm", "spacing_column_mm", "view", "remarks", "label"),
    *("confidence", "malignancy", "lesions", "lesion"),
    *("box_slice0", "box_row0", "box_column0", "box_slice1", "box_row1", "box_column1"),
    *("pixels", "unit", "longest_diameter", "perpendicular_diameter", "area"),
    *("distance_to_skin", "volume"),
    *("mean_probability", "max_probability", "uncertainty", "class"),
    *_MARGIN,
    *_DESCRIPTORS,
    *("mask", "image", "overlay", "probability_map", "uncertainty_map", "contours"),
    *("segmentation", "report", "presentation", "capture", "fhir"),
    *("segmenter", "segmenter_version", "weights_sha256", "software_version"),
)
_ADAPTERS: dict[type[object], TypeAdapter[Any]] = {}
_NUMBERS = re.compile(r"\[\n\s+((?:[\d.eE+-]+,\n\s+)*[\d.eE+-]+)\n\s+\]")
"""A list of numbers alone, one a line; no text of JSON holds a line end, so that none is met."""


def to_json(document: Document) -> str:
    """The document as text in ASCII, so that any terminal or pipe can carry it."""
    text = json.dumps(plain(document), indent=2, allow_nan=False)
    return _NUMBERS.sub(lambda match: f"[{' '.join(match[1].split())}]", text) + "\n"


def to_csv(document: Document) -> str:
    """A row a lesion; a row with an empty ``lesion`` where none was found or the input failed."""
    text = io.StringIO()
    table = csv.DictWriter(text, _COLUMNS, lineterminator="\n")
    table.writeheader()
    run: dict[str, object] = {"software_version": document.software_version}
    if document.provenance is not None:
        run["segmenter"] = document.provenance.segmenter
        run["segmenter_version"] = document.provenance.version
        run["weights_sha256"] = document.provenance.weights_sha256
    for entry in document.entries:
        common = {**run, **_entry_cells(entry)}
        table.writerows({**common, **cells} for cells in _lesion_rows(entry))
    return text.getvalue()


def write_document(folder: Path, document: Document) -> None:
    """Write both files, each whole or not at all.

    Raises:
        InputError: the folder cannot be written.
    """
    write_text(folder / JSON_NAME, to_json(document))
    write_text(folder / CSV_NAME, to_csv(document))


def read_document(path: Path) -> Document:
    """Read a ``results.json``.

    Raises:
        InputError: it cannot be read, or is not of this schema.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read", "results of this program") from error
    return parsed(Document, text, str(path))


def parsed(kind: type[T], text: str, name: str) -> T:
    """A part of the schema from JSON.

    Raises:
        InputError: it is not of this schema.
    """
    from pydantic import TypeAdapter, ValidationError

    if kind not in _ADAPTERS:  # building one takes longer than reading a line
        _ADAPTERS[kind] = TypeAdapter(kind)
    try:
        made: T = _ADAPTERS[kind].validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InputError(
            f"{name}: {where}: {first['msg']}", "results that this version has written"
        ) from None
    return made


def _entry_cells(entry: Entry) -> dict[str, object]:
    cells: dict[str, object] = {
        name: getattr(entry, name)
        for name in ("input", "kind", "frame", "status", "error", "view", "label")
    }
    cells["confidence"] = entry.confidence
    cells["malignancy"] = entry.malignancy
    cells["remarks"] = "; ".join(entry.remarks)
    if not entry.failed:
        cells["lesions"] = len(entry.lesions)
    if entry.reference is not None:
        first = entry.reference.frames[0]
        cells |= {
            "study_uid": entry.reference.study_uid,
            "series_uid": first.series_uid,
            "instance_uid": first.instance_uid,
            "accession_number": entry.reference.accession_number,
        }
    for axis, length in _by_axis(entry.shape or ()):
        cells[f"{axis}s"] = length
    for axis, step in _by_axis(entry.spacing_mm or ()):
        cells[f"spacing_{axis}_mm"] = step
    files = entry.files
    return cells | {
        "mask": files.mask,
        "image": files.image,
        "overlay": files.overlay,
        "probability_map": files.probability,
        "uncertainty_map": files.uncertainty,
        "contours": files.contours,
        "segmentation": files.segmentation,
        "report": files.report,
        "presentation": files.presentation,
        "capture": files.capture,
        "fhir": files.fhir,
    }


def _lesion_rows(entry: Entry) -> Iterator[dict[str, object]]:
    if not entry.lesions:
        yield {}
    for lesion in entry.lesions:
        yield {"lesion": lesion.number, **_box_cells(lesion), **_sizes(lesion)}


def _box_cells(lesion: LesionRecord) -> dict[str, object]:
    half = len(lesion.box) // 2
    ends = ((lesion.box[:half], 0), (lesion.box[half:], 1))
    return {f"box_{axis}{end}": at for side, end in ends for axis, at in _by_axis(side)}


def _sizes(lesion: LesionRecord) -> dict[str, object]:
    names = (
        *("pixels", "unit", "longest_diameter", "perpendicular_diameter", "area"),
        *("distance_to_skin", "volume"),
        *("mean_probability", "max_probability", "uncertainty"),
    )
    sizes: dict[str, object] = {
        "class": lesion.class_name,
        **{name: getattr(lesion, name) for name in names},
    }
    sizes |= {f"descriptor_{one.kind}": one.value for one in lesion.descriptors or ()}
    margin = lesion.margin
    if margin is None:
        return sizes
    held = (
        *(margin.coverage, margin.outer_distance, margin.inner_distance),
        *(*margin.longest_diameter, *margin.area),
    )
    return sizes | dict(zip(_MARGIN, held, strict=True))


def _by_axis(values: tuple[float, ...]) -> Iterator[tuple[str, float]]:
    """Each value with the name of its axis; the last axis is the column."""
    return zip(_AXES[len(_AXES) - len(values) :], values, strict=True)
