"""A report of segmented scans as one HTML file that opens without a network and prints."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from breastseg import __version__
from breastseg.core.bundle import Bundle
from breastseg.core.grid import Grid
from breastseg.core.provenance import Provenance
from breastseg.io.overlay import PREDICTION_RGB, TRUTH_RGB
from breastseg.metrics.lesionwise import LesionMatch
from breastseg.results.schema import LesionRecord
from breastseg.results.sentences import describe

_TEMPLATES = Path(__file__).resolve().parent / "templates"


@dataclass(frozen=True)
class Truth:
    """How a scan with known outline was done.

    Attributes:
        longest: the true longest diameter in the unit of the scan; None without a lesion.
        dice: overlap of the outline with the truth, 0 to 1; None without a lesion.
        match: the lesions found and the false positives.
    """

    longest: float | None
    dice: float | None
    match: LesionMatch

    @property
    def outcome(self) -> str:
        """The match in words."""
        match = self.match
        if match.true_lesions == 0:
            return (
                f"none, but {match.outlines} outlined" if match.outlines else "none, none outlined"
            )
        text = "found" if match.found == match.true_lesions else "missed"
        if match.true_lesions > 1:
            text = f"{match.found} of {match.true_lesions} found"
        return f"{text}, {match.false_positives} false" if match.false_positives else text


@dataclass(frozen=True, eq=False)
class Scan:
    """One scan of the report.

    Attributes:
        name: what the report calls it.
        grid: its size and spacing.
        original: (rows, columns) or (rows, columns, 3) uint8.
        overlay: (rows, columns, 3) uint8, the same with outlines and callipers.
        lesions: what was found, the largest first.
        milliseconds: what segmenting took, without reading and drawing.
        truth: what is known of it, if anything is.
    """

    name: str
    grid: Grid
    original: NDArray[np.uint8] = field(repr=False)
    overlay: NDArray[np.uint8] = field(repr=False)
    lesions: Sequence[LesionRecord]
    milliseconds: float
    truth: Truth | None = None

    @property
    def verdict(self) -> str:
        """The lesions in words."""
        return describe(self.lesions)

    @property
    def original_url(self) -> str:
        """The image itself, as the address of an image."""
        return _data_url(self.original)

    @property
    def overlay_url(self) -> str:
        """The overlay itself, as the address of an image."""
        return _data_url(self.overlay)


def render(scans: Sequence[Scan], bundle: Bundle, provenance: Provenance, remark: str = "") -> str:
    """Write the report.

    Args:
        scans: in the order in which they shall stand.
        bundle: the method.
        provenance: of the predictions; its parameters are listed.
        remark: a sentence under the title, e.g. where the scans come from.

    Returns:
        A whole HTML document with all images in it.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html").render(
        scans=scans,
        bundle=bundle,
        provenance=provenance,
        remark=remark,
        version=__version__,
        found=sum(bool(scan.lesions) for scan in scans),
        with_truth=any(scan.truth is not None for scan in scans),
        tally=tally(scans),
        outline_colour=_css(PREDICTION_RGB),
        truth_colour=_css(TRUTH_RGB),
    )


def tally(scans: Sequence[Scan]) -> str:
    """How the scans with a known outline were done, in one sentence; empty where there is none."""
    truths = [scan.truth for scan in scans if scan.truth is not None]
    if not truths:
        return ""
    lesions = sum(truth.match.true_lesions for truth in truths)
    found = sum(truth.match.found for truth in truths)
    overlaps = [truth.dice for truth in truths if truth.dice is not None]
    healthy = [truth for truth in truths if truth.match.true_lesions == 0]
    parts = []
    if lesions:
        mean = sum(overlaps) / len(overlaps)
        parts.append(f"{found} of {lesions} lesions found, mean Dice {mean:.3f}")
    if healthy:
        outlined = sum(truth.match.outlines > 0 for truth in healthy)
        parts.append(f"an outline in {outlined} of {len(healthy)} scans without a lesion")
    return "; ".join(parts) + "."


def _css(rgb: tuple[int, int, int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*rgb)


def _data_url(array: NDArray[np.uint8]) -> str:
    from PIL import Image as Pillow

    stream = io.BytesIO()
    Pillow.fromarray(array).save(stream, "PNG", compress_level=3)
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode("ascii")
