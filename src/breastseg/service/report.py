"""A report of one image as a page or a PDF: the picture, the measurements, how they came about."""

from __future__ import annotations

import base64
import io
import math
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from breastseg import __version__
from breastseg.core.box import Box
from breastseg.core.grid import Grid
from breastseg.core.image import Modality
from breastseg.core.provenance import BY_HAND, Provenance
from breastseg.io.overlay import overlay, to_rgb
from breastseg.io.ruler import LesionMarks, Line, SkinMarks
from breastseg.results.drawing import drawn, lesion_marks, skin_marks
from breastseg.results.schema import NOTICE, Entry, LesionRecord
from breastseg.results.sentences import describe, distance_to_skin
from breastseg.service.encoded import png_bytes
from breastseg.service.outlined import Outlined
from breastseg.service.pictures import slice_of

if TYPE_CHECKING:
    from fpdf import FPDF

_TEMPLATES = Path(__file__).resolve().parent / "templates"
_LARGE_PX = 500
"""Images with a smaller longer side are drawn larger: lines a pixel wide hide a small lesion."""
_FRAMES = {Modality.ULTRASOUND: "frame", Modality.MRI: "slice", Modality.MAMMOGRAPHY: "slice"}
_HEADINGS = ("Lesion", "Longest", "Across", "Area", "To the skin", "Volume", "Mean probability")


@dataclass(frozen=True)
class _Told:
    """What a report says, in words."""

    title: str
    sentence: str
    facts: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    pictures: tuple[NDArray[np.uint8], ...]


def html_report(outlined: Outlined) -> bytes:
    """The report as one HTML file that opens without a network."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined
    )
    told = _told(outlined)
    pictures = [
        base64.b64encode(png_bytes(np.moveaxis(one, 2, 0))).decode("ascii") for one in told.pictures
    ]
    page = environment.get_template("report.html").render(
        told=told, pictures=pictures, notice=NOTICE, version=__version__
    )
    return page.encode()


def pdf_report(outlined: Outlined) -> bytes:
    """The report as a PDF of pages of A4."""
    told = _told(outlined)
    pdf = _blank(told.title)
    pdf.set_font("body", size=16)
    pdf.cell(0, 9, told.title, new_x="LMARGIN", new_y="NEXT")
    pdf.set_font("body", size=9)
    for warning in (NOTICE, *told.warnings):
        pdf.set_fill_color(253, 246, 231)
        pdf.multi_cell(0, 5, warning, fill=True, new_x="LMARGIN", new_y="NEXT")
    pdf.ln(3)
    _place(pdf, told.pictures)
    pdf.set_font("body", size=11)
    pdf.multi_cell(0, 6, told.sentence, new_x="LMARGIN", new_y="NEXT")
    pdf.set_font("body", size=9)
    pdf.ln(2)
    if told.rows:
        with pdf.table(text_align="RIGHT", line_height=6) as table:
            for row in (told.headings, *told.rows):
                table.row(row)
    pdf.ln(3)
    for name, value in told.facts:
        pdf.multi_cell(0, 5, f"{name}: {value}", new_x="LMARGIN", new_y="NEXT")
    return bytes(pdf.output())


def _blank(title: str) -> FPDF:
    """A document with a font that has more than Latin letters; matplotlib brings it along."""
    from fpdf import FPDF

    pdf = FPDF(format="A4")
    pdf.set_title(title)
    pdf.set_creator(f"breastseg {__version__}")
    for style in ("", "B"):
        pdf.add_font("body", style, _font(bold=style == "B"))
    pdf.set_font("body", size=9)
    pdf.add_page()
    return pdf


@cache
def _font(bold: bool) -> Path:
    from matplotlib import get_data_path

    return Path(get_data_path(), "fonts", "ttf", f"DejaVuSans{'-Bold' if bold else ''}.ttf")


def _place(pdf: FPDF, pictures: tuple[NDArray[np.uint8], ...]) -> None:
    """The pictures side by side, no higher than a third of the page."""
    from PIL import Image as Pillow

    width = (pdf.epw - 4) / max(len(pictures), 1)
    top, lowest = pdf.get_y(), pdf.get_y()
    for number, array in enumerate(pictures):
        high = width * array.shape[0] / array.shape[1]
        scale = min(1.0, 95 / high)
        stream = io.BytesIO()
        Pillow.fromarray(array).save(stream, "PNG")
        left = pdf.l_margin + number * (width + 4)
        pdf.image(stream, x=left, y=top, w=width * scale)
        lowest = max(lowest, top + high * scale)
    pdf.set_y(lowest + 4)


def _told(outlined: Outlined) -> _Told:
    entry, made = outlined.entry, outlined.prediction.provenance
    grid = outlined.image.grid
    spacing = (
        "not known: sizes are in pixels"
        if grid.spacing_mm is None
        else (" x ".join(f"{step:.4g}" for step in grid.spacing_mm) + " mm")
    )
    noun = _FRAMES.get(outlined.image.modality, "frame or slice")
    frame = "" if outlined.image.frame is None else f", {noun} {outlined.image.frame + 1}"
    facts = (
        ("Image", f"{outlined.image.source}{frame}"),
        ("Size", " x ".join(map(str, grid.shape)) + " pixels"),
        ("Pixel spacing", spacing),
        ("Method", _method(made)),
        ("Weights", _weights(made)),
        ("Made", f"{outlined.made_at:%Y-%m-%d %H:%M} UTC by {outlined.made_by}"),
        ("Note", outlined.note),
        ("Steps", "; ".join(made.steps)),
        ("Distance to the skin", distance_to_skin(entry)),
    )
    headings, rows = _table(entry)
    text = describe(entry.lesions, entry.label or "lesion")
    return _Told(
        title="Breast lesion segmentation",
        sentence=f"{text[0].upper()}{text[1:]}.",
        facts=tuple((name, value) for name, value in facts if value),
        warnings=entry.remarks,
        headings=headings,
        rows=rows,
        pictures=_pictures(outlined),
    )


def _method(made: Provenance) -> str:
    """What has outlined the lesions, and what a person has done to that."""
    if made.segmenter != BY_HAND:
        return f"{made.segmenter} {made.version}"
    base = made.parameters.get("base")
    if base is None:
        return "drawn by hand"
    changed = made.parameters.get("changed_px")
    if changed is None:
        done = "then corrected or kept by hand"
    else:
        done = f"then {changed} pixels changed by hand" if changed else "kept unchanged"
    return f"{base} {made.parameters.get('base_version', '')}, {done}"


def _weights(made: Provenance) -> str:
    weights = made.weights_sha256 or made.parameters.get("base_weights_sha256")
    return str(weights)[:16] if weights else ""


def _table(entry: Entry) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Headings and rows of the lesions, without the columns that hold nothing."""
    rows = [_row(lesion) for lesion in entry.lesions]
    kept = [at for at in range(len(_HEADINGS)) if any(row[at] for row in rows)]
    return tuple(_HEADINGS[at] for at in kept), tuple(tuple(row[at] for at in kept) for row in rows)


def _row(lesion: LesionRecord) -> tuple[str, ...]:
    unit = lesion.unit

    def said(value: float | None, power: str = "") -> str:
        if value is None:
            return ""
        decimals = 1 if unit == "mm" and value < 100 else 0
        return f"{value:.{decimals}f} {unit}{power}"

    probability = lesion.mean_probability
    return (
        str(lesion.number),
        said(lesion.longest_diameter),
        said(lesion.perpendicular_diameter),
        said(lesion.area, "²"),
        said(lesion.distance_to_skin),
        said(lesion.volume, "³"),
        "" if probability is None else f"{probability:.2f}",
    )


def _pictures(outlined: Outlined) -> tuple[NDArray[np.uint8], ...]:
    """The image without and with the contour; of a volume its slice with most of the mask."""
    image, prediction = outlined.image, outlined.prediction
    if image.grid.ndim == 2:
        return _with_marks(outlined)
    mask = prediction.mask().foreground
    index = int(mask.sum(axis=(1, 2)).argmax())
    part = slice_of(image, index)
    return to_rgb(part), overlay(part, mask[index])


def _with_marks(outlined: Outlined) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The image without and with what was found; a small one larger, in its true proportion."""
    image, prediction, found = outlined.image, outlined.prediction, outlined.found
    if max(image.grid.shape) >= _LARGE_PX:
        return to_rgb(image), drawn(image, prediction, found, skin=outlined.skin)
    times = math.ceil(_LARGE_PX / max(image.grid.shape))
    steps = image.grid.spacing_mm or (1.0, 1.0)
    each = tuple(round(times * step / min(steps)) for step in steps)

    def larger(array: NDArray[Any]) -> NDArray[Any]:
        return array.repeat(each[0], axis=-2).repeat(each[1], axis=-1)

    def moved(line: Line) -> Line:
        (a, b), (c, d) = (
            tuple((at + 0.5) * k - 0.5 for at, k in zip(end, each, strict=True)) for end in line
        )
        return (a, b), (c, d)

    spacing = (
        None
        if image.grid.spacing_mm is None
        else tuple(s / k for s, k in zip(steps, each, strict=True))
    )
    array = larger(image.array)
    shown = replace(image, array=array, grid=Grid(array.shape[-2:], spacing))
    marks = [
        LesionMarks(
            one.number,
            Box.of(
                *(
                    at * k
                    for at, k in zip((*one.box.start, *one.box.stop), (*each, *each), strict=True)
                )
            ),
            tuple(moved(line) for line in one.lines),
        )
        for one in lesion_marks(found)
    ]
    margins = [
        larger(part) for one in found if one.margin for part in one.margin.masks(image.grid.shape)
    ]
    laid = None if outlined.skin is None else skin_marks(outlined.skin, found, image.grid)
    if laid is not None:
        laid = SkinMarks(moved(laid.line), tuple(moved(way) for way in laid.ways))
    mask = larger(prediction.mask().foreground)
    return to_rgb(shown), overlay(shown, mask, None, marks, margins, laid)
