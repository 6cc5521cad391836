"""A prompt goes to a network that takes one, and is refused by one that takes none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

pytest.importorskip("onnx")

from breastseg.cli.main import main
from breastseg.core.box import Box
from breastseg.core.prompt import Prompt
from breastseg.inference.onnx_segmenter import OnnxSegmenter
from breastseg.inference.open import open_segmenter
from breastseg.io.raster import read_raster

from ..golden.prompt_bundle import write_prompt_bundle


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    """Two dark discs."""
    rows, columns = np.indices((80, 100))
    grey = np.full((80, 100), 180, np.uint8)
    for row, column in ((40, 25), (40, 75)):
        grey[(rows - row) ** 2 + (columns - column) ** 2 < 144] = 40
    path = tmp_path / "scan.png"
    Pillow.fromarray(grey).save(path)
    return path


@pytest.mark.parametrize(
    ("words", "prompt"),
    [
        ("--box 25 10 55 40", Prompt(box=Box.of(25, 10, 55, 40))),
        ("--inside 40 75 --outside 40 25", Prompt(inside=((40, 75),), outside=((40, 25),))),
    ],
)
def test_segment_asks_the_network(words: str, prompt: Prompt, scan: Path, tmp_path: Path) -> None:
    folder, out = write_prompt_bundle(tmp_path / "bundle"), tmp_path / "out"
    given = ["segment", str(scan), "--method", str(folder), "--out", str(out), *words.split()]
    assert main([*given, "--quiet"]) == 0
    wanted = OnnxSegmenter(folder).segment(read_raster(scan), prompt).mask().foreground
    assert wanted.any()
    found = np.asarray(Pillow.open(out / "scan_mask.png")) > 0
    assert np.array_equal(found, wanted)
    # the other disc stays out of it
    assert not found[:, 50:].any() or not found[:, :50].any()
    assert '"tiny-prompt"' in (out / "results.json").read_text()


def test_without_a_prompt_it_looks_by_itself(scan: Path, tmp_path: Path) -> None:
    segmenter = open_segmenter(str(write_prompt_bundle(tmp_path / "bundle")))
    found = segmenter.segment(read_raster(scan)).mask().foreground
    assert found[:, :50].any()
    assert found[:, 50:].any()


def test_a_network_that_takes_none_says_so(
    scan: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["segment", str(scan), "--out", str(tmp_path / "out"), "--box", "25", "10", "55", "40"]
    assert main([*given, "--method", "ultrasound-fast"]) == 2
    assert "prompt" in capsys.readouterr().err
    assert main([*given, "--method", "ellipse", "--overwrite", "--quiet"]) == 0
