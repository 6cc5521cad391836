"""What a run of ``breastseg segment`` leaves: ``results.json`` and ``results.csv``.

Coordinates are (row, column) in pixels from the upper left; whole numbers are the centres of
pixels. Lengths are in mm where the spacing of the pixels is known, else in px, and ``unit`` says
which; areas are in its square.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from breastseg import __version__
from breastseg.core.errors import BreastsegError
from breastseg.core.image import Image
from breastseg.core.mask import LESION
from breastseg.core.prediction import Lesion, Prediction
from breastseg.io.write import write_text
from breastseg.measure.lesion import LesionMeasurement, measure
from breastseg.measure.uncertainty import region_uncertainty

JSON_NAME = "results.json"
CSV_NAME = "results.csv"

_COLUMNS = (
    *("input", "frame", "status", "error", "rows", "columns", "unit"),
    *("spacing_row_mm", "spacing_column_mm", "lesions", "lesion"),
    *("box_row0", "box_column0", "box_row1", "box_column1", "area", "area_px"),
    *("longest_diameter", "perpendicular_diameter", "confidence", "peak", "uncertainty"),
    *("mask", "overlay", "uncertainty_map", "method", "version", "weights_sha256"),
    *("view", "remarks"),
)


@dataclass(frozen=True, eq=False)
class Finding:
    """One outlined lesion with its measurements.

    Attributes:
        lesion: the outline.
        measured: its size.
        uncertainty: the mean over it, 0 (sure) to 1; None where the method gives none.
    """

    lesion: Lesion
    measured: LesionMeasurement
    uncertainty: float | None = None

    def as_dict(self) -> dict[str, object]:
        """Plain containers, ready for JSON."""
        row0, column0, row1, column1 = self.lesion.box
        return {
            "box": {"row0": row0, "column0": column0, "row1": row1, "column1": column1},
            "area": round(self.measured.area, 3),
            "area_px": self.lesion.area_px,
            "longest_diameter": round(self.measured.longest, 3),
            "longest_diameter_ends": _rounded(self.measured.longest_ends),
            "perpendicular_diameter": round(self.measured.perpendicular, 3),
            "perpendicular_diameter_ends": _rounded(self.measured.perpendicular_ends),
            "unit": self.measured.unit,
            "confidence": round(self.lesion.confidence, 4),
            "peak": round(self.lesion.peak, 4),
            "uncertainty": None if self.uncertainty is None else round(self.uncertainty, 4),
        }


@dataclass(frozen=True)
class Entry:
    """What came of one file, or of one frame of it.

    Attributes:
        name: the file as the user named it.
        frame: its number in the file, from 1; None where the file is one picture.
        content: the rest, as it stands in ``results.json``.
        line: the same for a reader, in one line, and one more for each remark.
        failed: True where nothing came of it.
    """

    name: str
    frame: int | None
    content: dict[str, object] = field(repr=False)
    line: str
    failed: bool = False

    def as_dict(self) -> dict[str, object]:
        """Plain containers, ready for JSON."""
        status = "error" if self.failed else "ok"
        return {"input": self.name, "frame": self.frame, "status": status, **self.content}


def findings(prediction: Prediction) -> tuple[Finding, ...]:
    """The outlined lesions, the largest first."""
    return tuple(
        Finding(
            lesion,
            measure(lesion, prediction.grid),
            region_uncertainty(prediction, lesion),
        )
        for lesion in prediction.lesions()
    )


def success(
    name: str, image: Image, prediction: Prediction, found: Sequence[Finding], files: dict[str, str]
) -> Entry:
    """The entry of an image that was segmented.

    Args:
        name: the file as the user named it.
        image: the picture.
        prediction: what was found in it.
        found: its lesions.
        files: what was written for it: ``mask``, ``overlay`` and, where it was asked for,
            ``uncertainty``; empty where nothing was.
    """
    grid = prediction.grid
    rows, columns = grid.shape
    content: dict[str, object] = {
        "rows": rows,
        "columns": columns,
        "spacing_mm": None if grid.spacing_mm is None else list(grid.spacing_mm),
        "unit": grid.unit,
        "view": image.view or None,
        "remarks": list(image.remarks),
        "outlined": prediction.outlined,
        "lesions": [finding.as_dict() for finding in found],
        **{key: files.get(key) for key in ("mask", "overlay")},
        "uncertainty_map": files.get("uncertainty"),
        "provenance": prediction.provenance.as_dict(),
    }
    frame = None if image.frame is None else image.frame + 1
    found_in_words = describe(found, prediction.outlined)
    said = (found_in_words, *(f"warning: {remark}" for remark in image.remarks))
    line = "\n".join(f"{label(name, frame)}: {words}" for words in said)
    return Entry(name, frame, content, line)


def failure(name: str, error: BreastsegError, frame: int | None = None) -> Entry:
    """The entry of a file or frame that could not be segmented."""
    message = str(error)
    line = message if message.startswith(name) else f"{label(name, frame)}: {message}"
    return Entry(name, frame, {"error": message}, line, failed=True)


def label(name: str, frame: int | None) -> str:
    """How a line calls an entry."""
    return name if frame is None else f"{name} frame {frame}"


def describe(found: Sequence[Finding], what: str = LESION) -> str:
    """The findings in words: how many, the size of the largest, the confidence in it."""
    if not found:
        return f"no {what} found"
    largest = found[0]
    digits = 1 if largest.measured.unit == "mm" else 0
    size = " x ".join(
        f"{length:.{digits}f}"
        for length in (largest.measured.longest, largest.measured.perpendicular)
    )
    unit = "mm" if digits else "px (pixel spacing unknown)"
    count = f"1 {what}" if len(found) == 1 else f"{len(found)} {plural(what)}, the largest"
    return f"{count} {size} {unit}, confidence {largest.lesion.confidence:.2f}"


def plural(noun: str) -> str:
    """Several of them: lesions, nuclei."""
    return f"{noun[:-2]}i" if noun.endswith("us") else f"{noun}s"


def document(entries: Sequence[Entry], complete: bool = True) -> dict[str, object]:
    """The whole of ``results.json``.

    Args:
        entries: in the order of the inputs.
        complete: False where the run was stopped before its end.
    """
    return {
        "breastseg": __version__,
        "notice": "Research tool, not a medical device.",
        "complete": complete,
        "entries": [entry.as_dict() for entry in entries],
    }


def to_json(entries: Sequence[Entry], complete: bool = True) -> str:
    """`document` as text in ASCII, so that any terminal or pipe can carry it."""
    return json.dumps(document(entries, complete), indent=2, allow_nan=False) + "\n"


def to_csv(entries: Sequence[Entry]) -> str:
    """A row a lesion; a row with an empty ``lesion`` where none was found or the file failed."""
    text = io.StringIO()
    table = csv.DictWriter(text, _COLUMNS, lineterminator="\n")
    table.writeheader()
    for entry in entries:
        table.writerows(_rows(entry.as_dict()))
    return text.getvalue()


def write_results(folder: Path, entries: Sequence[Entry], complete: bool = True) -> None:
    """Write both files, each whole or not at all.

    Raises:
        InputError: the folder cannot be written.
    """
    write_text(folder / JSON_NAME, to_json(entries, complete))
    write_text(folder / CSV_NAME, to_csv(entries))


def _rows(entry: dict[str, object]) -> list[dict[str, object]]:
    common = {name: entry[name] for name in _COLUMNS if name in entry}
    spacing, source = entry.get("spacing_mm"), entry.get("provenance")
    remarks = entry.get("remarks")
    if isinstance(remarks, list):
        common["remarks"] = "; ".join(remarks)
    if isinstance(spacing, list):
        common |= {"spacing_row_mm": spacing[0], "spacing_column_mm": spacing[1]}
    if isinstance(source, dict):
        common |= {
            "method": source["segmenter"],
            "version": source["version"],
            "weights_sha256": source["weights_sha256"],
        }
    lesions = entry.get("lesions")
    if not isinstance(lesions, list):
        return [common]
    common["lesions"] = len(lesions)
    rows = []
    for number, lesion in enumerate(lesions, start=1):
        box = {f"box_{edge}": value for edge, value in lesion["box"].items()}
        values = {name: lesion[name] for name in _COLUMNS if name in lesion}
        rows.append({**common, **box, **values, "lesion": number})
    return rows or [common]


def _rounded(ends: Sequence[tuple[float, float]]) -> list[list[float]]:
    return [[round(value, 2) for value in end] for end in ends]
