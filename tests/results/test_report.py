"""The report of a run: one file, true to the results, and harmless whatever a name holds."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from breastseg.core.provenance import Provenance
from breastseg.inference.bundle_folder import read_bundle
from breastseg.io.write import write_png
from breastseg.metrics.lesionwise import LesionMatch
from breastseg.results import report
from breastseg.results.report import Truth, tally, write_report
from breastseg.results.schema import Document, Entry, Files, LesionRecord, SegmenterRecord
from breastseg.results.sentences import extent, length, size, to_paste

NONE = LesionMatch(true_lesions=0, found=0, regions=0, false_positives=0)
FALSE = LesionMatch(true_lesions=0, found=0, regions=2, false_positives=2)
FOUND = LesionMatch(true_lesions=1, found=1, regions=1, false_positives=0)
MISSED = LesionMatch(true_lesions=1, found=0, regions=1, false_positives=1)
HALF = LesionMatch(true_lesions=2, found=1, regions=1, false_positives=0)

LESION = LesionRecord(
    number=1,
    box=(1, 1, 9, 9),
    pixels=64,
    unit="mm",
    longest_diameter=24.73,
    perpendicular_diameter=16.38,
    area=318.2,
    mean_probability=0.91,
)


def entry(name: str, folder: Path, value: int, *lesions: LesionRecord) -> Entry:
    """An entry with its two figures, of one grey value each."""
    picture = np.full((16, 16), value, np.uint8)
    files = Files(image=f"{value}_seen.png", overlay=f"{value}_overlay.png")
    write_png(folder / f"{value}_seen.png", picture)
    write_png(folder / f"{value}_overlay.png", np.stack([picture] * 3, axis=2))
    return Entry(name, "image", lesions=lesions, spacing_mm=(0.1, 0.1), files=files)


def of(*entries: Entry, complete: bool = True) -> Document:
    provenance = SegmenterRecord.of(Provenance("net", "1.0", {"threshold": 0.5}, "ab" * 32))
    return Document(complete=complete, options={}, provenance=provenance, entries=entries)


def figures(html: str) -> list[int]:
    found = re.findall(r"data:image/jpeg;base64,([^\"]+)", html)
    return [int(np.asarray(Pillow.open(io.BytesIO(base64.b64decode(one)))).mean()) for one in found]


def test_it_needs_no_network_and_holds_the_images(bundle: Path, tmp_path: Path) -> None:
    document = of(
        entry("first.png", tmp_path, 7, LESION), entry("<script>alert(1)</script>", tmp_path, 200)
    )
    path = write_report(tmp_path, document, read_bundle(bundle), remark="Made up.")
    html = path.read_text(encoding="utf-8")
    assert "<script>alert" not in html
    assert "Made up." in html
    assert "Ground truth" not in html
    assert not re.search(r"https?://", html)
    assert figures(html) == [7, 7, 200, 200]
    assert "Lesion 1: 24.7 x 16.4 mm" in html
    assert "318 mm2" in html
    assert "it is no confidence" in html


def test_failures_remarks_and_a_run_that_was_stopped_are_said(tmp_path: Path) -> None:
    failed = Entry("b.png", "image", "error", "b.png: is damaged")
    told = Entry("c.png", "image", remarks=("there is nothing to see",))
    html = write_report(tmp_path, of(failed, told, complete=False)).read_text(encoding="utf-8")
    assert all(text in html for text in ("b.png: is damaged", "nothing to see", "was stopped"))
    assert "1 could not be segmented" in " ".join(html.split())


def test_kinds_of_lesion_have_a_column(tmp_path: Path) -> None:
    kinds = {"benign": 0.2, "malignant": 0.7}
    lesion = LesionRecord(
        1, (0, 0, 2, 2), 4, "px", class_name="malignant", class_probabilities=kinds
    )
    html = write_report(tmp_path, of(entry("a.png", tmp_path, 9, lesion))).read_text()
    assert "malignant (0.70)" in html
    assert "pixel spacing is not known" in html


def test_figures_of_too_many_images_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "MAX_FIGURES", 1)
    entries = [entry(f"{value}.png", tmp_path, value) for value in (5, 6)]
    html = write_report(tmp_path, of(*entries)).read_text()
    assert figures(html) == [5, 5]
    assert "the first 1 images" in html


@pytest.mark.parametrize(
    ("match", "words"),
    [
        (NONE, "none, none found"),
        (FALSE, "none, but 2 segmented"),
        (FOUND, "found"),
        (MISSED, "missed, 1 false"),
        (HALF, "1 of 2 found"),
    ],
)
def test_outcomes_in_words(match: LesionMatch, words: str) -> None:
    assert Truth(None, None, match).outcome == words


def test_tally() -> None:
    truths = [Truth(9.0, 0.8, FOUND), Truth(9.0, 0.2, MISSED), Truth(None, None, FALSE)]
    assert tally(truths) == (
        "1 of 2 lesions found, mean Dice 0.500; "
        "false positives: 3 in all 3 images, 2 of them in the 1 without a lesion."
    )
    assert tally([]) == ""


def test_figures_are_rounded_and_have_units() -> None:
    in_px = LesionRecord(2, (0, 0, 9, 9), 81, "px", 12.6, None, 9.4, None, 81.0)
    of_nucleus = LesionRecord(1, (0, 0, 9, 9), 81, "mm", area=0.02419)
    volume = LesionRecord(1, (0, 0, 0, 9, 9, 9), 729, "mm", volume=1423.0)
    assert [size(one) for one in (LESION, in_px, of_nucleus, volume)] == [
        "24.7 x 16.4 mm",
        "13 x 9 px (pixel spacing unknown)",
        "0.024 mm2",
        "1.42 cm3",
    ]
    assert (extent(LESION), extent(in_px), length(8.04, "mm")) == ("318 mm2", "81 px", "8.0 mm")
    entry = Entry("a.png", "image", label="nucleus", lesions=(of_nucleus,))
    assert to_paste(entry) == ("Nucleus 1: 0.024 mm2",)
