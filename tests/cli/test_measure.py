"""``breastseg measure`` and ``segment --report``: what a reader takes away."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from breastseg.cli.main import main
from breastseg.core import Grid
from breastseg.io.volume import write_volume
from breastseg.io.write import write_png

from ..scans import files, scan
from .results import document, entries

Capture = pytest.CaptureFixture[str]


def rectangle(shape: tuple[int, int] = (120, 160)) -> np.ndarray:
    mask = np.zeros(shape, bool)
    mask[20:60, 30:130] = True
    return mask


def test_a_corrected_mask_is_measured(tmp_path: Path, capsys: Capture) -> None:
    write_png(tmp_path / "scan.png", scan())
    write_png(tmp_path / "mask.png", rectangle())
    given = ["measure", str(tmp_path / "scan.png"), str(tmp_path / "mask.png"), "--spacing", "0.1"]
    assert main([*given, "--out", str(tmp_path / "out")]) == 0
    # 100 columns and 40 rows of 0.1 mm: the diagonal, and the widest line at a right angle to it
    assert capsys.readouterr().out == "Lesion 1: 10.8 x 4.3 mm\n"
    assert files(tmp_path / "out") == [
        *("overlay.png", "report.html", "results.csv", "results.json", "seen.png"),
    ]
    (lesion,) = entries(tmp_path / "out")[0]["lesions"]  # type: ignore[misc]
    assert lesion["pixels"] == 4000
    assert lesion["area"] == pytest.approx(40)
    assert "mean_probability" not in lesion
    assert "provenance" not in document(tmp_path / "out")
    assert "only measured" in (tmp_path / "out" / "report.html").read_text()

    assert main([*given[:3], "--json"]) == 0
    (entry,) = json.loads(capsys.readouterr().out)["entries"]
    assert entry["lesions"][0]["unit"] == "px"


def test_a_mask_of_a_volume_is_measured_and_must_fit(tmp_path: Path, capsys: Capture) -> None:
    grid = Grid((4, 20, 30), (2.0, 1.0, 1.0))
    mask = np.zeros(grid.shape, np.uint8)
    mask[1:3, 5:15, 5:25] = 1
    write_volume(np.zeros(grid.shape, np.int16), grid, tmp_path / "scan.nii.gz")
    write_volume(mask, grid, tmp_path / "mask.nii.gz")
    write_volume(mask, Grid(grid.shape, (1.0, 1.0, 1.0)), tmp_path / "other.nii.gz")
    scan_path = str(tmp_path / "scan.nii.gz")
    assert main(["measure", scan_path, str(tmp_path / "mask.nii.gz")]) == 0
    assert capsys.readouterr().out == "Lesion 1: 0.80 cm3\n"
    assert main(["measure", scan_path, str(tmp_path / "other.nii.gz")]) == 2
    assert "than the image" in capsys.readouterr().err


def test_merged_values_are_said_and_what_does_not_fit_is_refused(
    tmp_path: Path, capsys: Capture
) -> None:
    write_png(tmp_path / "scan.png", scan())
    classes = rectangle().astype(np.uint8)
    classes[80:90, 40:60] = 2
    write_png(tmp_path / "classes.png", classes)
    write_png(tmp_path / "small.png", np.zeros((120, 159), bool))
    given = ["measure", str(tmp_path / "scan.png")]
    assert main([*given, str(tmp_path / "classes.png")]) == 0
    said = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in said[:2]] == ["Lesion 1", "Lesion 2"]
    assert "values 1, 2 were all taken as lesion" in said[2]
    assert main([*given, str(tmp_path / "small.png")]) == 2
    assert "(120, 159)" in capsys.readouterr().err


def test_a_report_of_own_scans(pictures: Path, bundle: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = ["segment", str(pictures / "one.png"), "--method", str(bundle), "--out", str(out)]
    assert main([*words, "--report"]) == 0
    html = (out / "report.html").read_text(encoding="utf-8")
    assert html.count("data:image/jpeg;base64,") == 2
    assert re.search(r"Lesion 1: 4\.\d x 4\.\d mm", html)
    assert entries(out)[0]["files"]["image"] == "one_seen.png"  # type: ignore[index]
    # the report of an earlier run would not tell of this one
    assert main([*words, "--overwrite"]) == 0
    assert not (out / "report.html").exists()
