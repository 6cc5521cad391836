"""A report of a run as one HTML file that opens without a network, fits a phone and prints."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from breastseg.core.bundle import Bundle
from breastseg.core.mask import LESION
from breastseg.io.overlay import PREDICTION_RGB, TRUTH_RGB
from breastseg.io.ruler import RULER_RGB
from breastseg.io.write import replacing
from breastseg.measure.descriptors import DEFINITIONS, TITLES
from breastseg.metrics.lesionwise import LesionMatch
from breastseg.results import sentences
from breastseg.results.document import REPORT_NAME
from breastseg.results.page import page_environment
from breastseg.results.schema import Document, Entry, LesionRecord

if TYPE_CHECKING:
    from jinja2 import Environment

MAX_FIGURES = 300
"""The figures of so many images stand in a report; a browser opens no more in reasonable time."""

_FIGURE_PX = 1000
"""The longer side of a figure, at most."""


@dataclass(frozen=True)
class Truth:
    """How an image with ground truth was done.

    Attributes:
        longest: the true longest diameter in the unit of the image; None without a lesion.
        dice: overlap of the mask with the ground truth, 0 to 1; None without a lesion.
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
            return f"none, but {match.regions} segmented" if match.regions else "none, none found"
        text = "found" if match.found == match.true_lesions else "missed"
        if match.true_lesions > 1:
            text = f"{match.found} of {match.true_lesions} found"
        return f"{text}, {match.false_positives} false" if match.false_positives else text


@dataclass(frozen=True)
class Scan:
    """One entry of a run as the report shows it.

    Attributes:
        entry: the entry.
        folder: where its files lie.
        truth: how it compares with the ground truth, where that is known.
        with_figures: False where there are too many to be shown.
    """

    entry: Entry
    folder: Path
    truth: Truth | None = None
    with_figures: bool = True

    @property
    def name(self) -> str:
        """What messages call it, without the folders that it lies in."""
        name = self.entry.input.replace("\\", "/").rstrip("/").rpartition("/")[2]
        return name if self.entry.frame is None else f"{name}, frame {self.entry.frame}"

    @property
    def lesions(self) -> tuple[LesionRecord, ...]:
        """The largest first."""
        return self.entry.lesions

    @property
    def verdict(self) -> str:
        """What came of it, in words."""
        if self.entry.failed:
            return "could not be segmented"
        return sentences.describe(self.lesions, self.entry.label or LESION)

    @property
    def paste(self) -> tuple[str, ...]:
        """A line a lesion, for a letter or a record."""
        return sentences.to_paste(self.entry)

    @property
    def described(self) -> tuple[str, ...]:
        """A line a lesion with its computed descriptors, where it has some."""
        noun = (self.entry.label or LESION).capitalize()
        return tuple(
            f"{noun} {lesion.number}: {words}"
            for lesion in self.lesions
            if (words := sentences.described(lesion))
        )

    @property
    def classes(self) -> bool:
        """True where the kinds of lesion are told apart."""
        return any(lesion.class_name for lesion in self.lesions)

    @property
    def with_skin(self) -> bool:
        """True where the distance of a lesion to the skin is known."""
        return any(lesion.distance_to_skin is not None for lesion in self.lesions)

    @property
    def image_url(self) -> str:
        """The image as it was looked at, for the page; empty without one."""
        return self._figure(self.entry.files.image)

    @property
    def overlay_url(self) -> str:
        """The overlay, for the page; empty without one."""
        return self._figure(self.entry.files.overlay)

    def _figure(self, name: str | None) -> str:
        from PIL import Image as Pillow

        if name is None or not self.with_figures or not (self.folder / name).is_file():
            return ""
        with Pillow.open(self.folder / name) as written:
            small = written.convert("RGB")
        small.thumbnail((_FIGURE_PX, _FIGURE_PX), Pillow.Resampling.LANCZOS)
        stream = io.BytesIO()
        small.save(stream, "JPEG", quality=90, subsampling=0)
        return "data:image/jpeg;base64," + base64.b64encode(stream.getvalue()).decode("ascii")


def write_report(
    folder: Path,
    document: Document,
    bundle: Bundle | None = None,
    truths: Mapping[str, Truth] | None = None,
    remark: str = "",
) -> Path:
    """Write the report of a run into its folder, whole or not at all.

    Args:
        folder: of the run, with the images and overlays that the document names.
        document: the results.
        bundle: the method, where it is one.
        truths: what is known of an entry, by its input.
        remark: a sentence under the title, e.g. where the images come from.

    Returns:
        Its path.

    Raises:
        InputError: it cannot be written.
    """
    known = truths or {}
    scans = [
        Scan(entry, folder, known.get(entry.input), number < MAX_FIGURES)
        for number, entry in enumerate(document.entries)
    ]
    path = folder / REPORT_NAME
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        # in pieces: the figures of one image at a time are held in memory
        file.writelines(_pieces(scans, document, bundle, remark))
    return path


def _pieces(
    scans: list[Scan], document: Document, bundle: Bundle | None, remark: str
) -> Iterator[str]:
    return (
        _environment()
        .get_template("report.html")
        .generate(
            scans=scans,
            document=document,
            bundle=bundle,
            remark=remark,
            found=sum(bool(scan.lesions) for scan in scans),
            failed=sum(scan.entry.failed for scan in scans),
            with_truth=any(scan.truth is not None for scan in scans),
            definitions=_definitions(scans),
            with_classes=any(scan.classes for scan in scans),
            calibrated=bundle is not None and bundle.output.temperature != 1,
            tally=tally([scan.truth for scan in scans if scan.truth is not None]),
            most=MAX_FIGURES,
            mask_colour=_css(PREDICTION_RGB),
            truth_colour=_css(TRUTH_RGB),
            ruler_colour=_css(RULER_RGB),
        )
    )


def _definitions(scans: list[Scan]) -> dict[str, str]:
    """By their name, how what stands in the report is computed."""
    every = {
        one.kind for scan in scans for lesion in scan.lesions for one in lesion.descriptors or ()
    }
    told = {TITLES[kind]: said for kind, said in DEFINITIONS.items() if kind in every}
    measured = [scan.entry for scan in scans if scan.with_skin]
    if measured:
        told["distance to the skin"] = sentences.distance_to_skin(measured[0])
    return told


def _environment() -> Environment:
    environment = page_environment()
    environment.filters["length_of"] = sentences.length
    environment.filters["extent"] = sentences.extent
    return environment


def tally(truths: list[Truth]) -> str:
    """How the images with ground truth were done, in one sentence; empty where there is none."""
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
    false = sum(truth.match.false_positives for truth in truths)
    said = f"false positives: {false} in all {len(truths)} images"
    if false and healthy:
        there = sum(truth.match.false_positives for truth in healthy)
        said += f", {there} of them in the {len(healthy)} without a lesion"
    return "; ".join([*parts, said]) + "."


def _css(rgb: tuple[int, int, int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*rgb)
