"""A report of one image as a page or a PDF: the picture, the measurements, how they came about."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from breastseg import __version__
from breastseg.io.overlay import overlay, to_rgb
from breastseg.results.drawing import drawn
from breastseg.results.schema import NOTICE, LesionRecord
from breastseg.results.sentences import describe, distance_to_skin
from breastseg.service.encoded import png_bytes
from breastseg.service.outlined import Outlined
from breastseg.service.pictures import slice_of

if TYPE_CHECKING:
    from fpdf import FPDF

_TEMPLATES = Path(__file__).resolve().parent / "templates"
_HEADINGS = ("Lesion", "Longest", "Across", "Area", "To the skin", "Volume", "Mean probability")


@dataclass(frozen=True)
class _Told:
    """What a report says, in words."""

    title: str
    sentence: str
    facts: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]
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
        told=told, pictures=pictures, headings=_HEADINGS, notice=NOTICE, version=__version__
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
            for row in (_HEADINGS, *told.rows):
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
    frame = "" if outlined.image.frame is None else f", frame {outlined.image.frame + 1}"
    facts = (
        ("Image", f"{outlined.image.source}{frame}"),
        ("Size", " x ".join(map(str, grid.shape)) + " pixels"),
        ("Pixel spacing", spacing),
        ("Method", f"{made.segmenter} {made.version}"),
        ("Weights", made.weights_sha256[:16] if made.weights_sha256 else "none"),
        ("Made", f"{outlined.made_at:%Y-%m-%d %H:%M} UTC by {outlined.made_by}"),
        ("Note", outlined.note),
        ("Steps", "; ".join(made.steps)),
        ("Distance to the skin", distance_to_skin(entry)),
    )
    text = describe(entry.lesions, entry.label or "lesion")
    return _Told(
        title="Breast lesion segmentation",
        sentence=f"{text[0].upper()}{text[1:]}.",
        facts=tuple((name, value) for name, value in facts if value),
        warnings=entry.remarks,
        rows=tuple(_row(lesion) for lesion in entry.lesions),
        pictures=_pictures(outlined),
    )


def _row(lesion: LesionRecord) -> tuple[str, ...]:
    unit = lesion.unit

    def said(value: float | None, power: str = "") -> str:
        return "" if value is None else f"{value:.4g} {unit}{power}"

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
    image, prediction, found = outlined.image, outlined.prediction, outlined.found
    if image.grid.ndim == 2:
        return to_rgb(image), drawn(image, prediction, found)
    mask = prediction.mask().foreground
    index = int(mask.sum(axis=(1, 2)).argmax())
    part = slice_of(image, index)
    return to_rgb(part), overlay(part, mask[index])
