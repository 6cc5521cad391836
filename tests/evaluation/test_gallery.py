"""Masks and a page of every case of an evaluation."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from breastseg.cli.main import main
from breastseg.evaluation import evaluate
from breastseg.evaluation.gallery import Gallery
from breastseg.io.raster import read_raster

from .fakes import PERFECT, block, drawn


def test_every_case_is_on_the_page_and_its_mask_in_a_file(tmp_path: Path) -> None:
    gallery = Gallery(tmp_path)
    cases = [drawn("a", block(4, 6)), drawn("../b<", block(0, 0), "normal"), drawn("c", None)]
    evaluate(PERFECT, cases, callbacks=[gallery])
    page = gallery.write("all").read_text(encoding="utf-8")
    assert page.count("<figure") == len(gallery.figures) >= 2
    assert "http" not in page
    assert "b<" not in page
    mask = read_raster(gallery.mask_path("made/a")).array[0] > 0
    np.testing.assert_array_equal(mask, block(4, 6))
    assert gallery.mask_path("made/a#1") != gallery.mask_path("made/a_1")
    assert all(path.is_relative_to(tmp_path / "masks") for path in tmp_path.rglob("*.png"))


def test_thumbnails_of_very_many_cases_are_smaller(tmp_path: Path) -> None:
    assert [Gallery(tmp_path, n).side for n in (0, 1, 500, 2000, 10**6)] == [256, 256, 256, 128, 96]


def test_the_command_saves_masks(tmp_path: Path) -> None:
    scans = tmp_path / "scans"
    assert main(["data", "phantom", str(scans), "--count", "2"]) == 0
    words = ["evaluate", "otsu", "--data", f"folder={scans}", "--quiet", "--save-masks"]
    assert main([*words, "--out", str(tmp_path / "out")]) == 0
    assert len(list((tmp_path / "out" / "masks").rglob("*.png"))) == 2
    assert (tmp_path / "out" / "gallery.html").stat().st_size > 1000
