"""``breastseg segment`` with ``--uncertainty``, and with several networks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from breastseg.cli.main import main

from ..scans import files
from .results import document, entries, pixels

Capture = pytest.CaptureFixture[str]


def test_uncertainty_is_a_grey_picture_and_a_number_for_each_lesion(
    pictures: Path, bundle: Path, tmp_path: Path
) -> None:
    out, plain = tmp_path / "out", tmp_path / "plain"
    given = ["segment", str(pictures / "one.png"), "--method", str(bundle), "--out"]
    assert main([*given, str(out), "--uncertainty"]) == 0
    assert main([*given, str(plain)]) == 0
    assert files(out) == [
        *("one_mask.png", "one_overlay.png", "one_uncertainty.png"),
        *("results.csv", "results.json"),
    ]
    grey = pixels(out / "one_uncertainty.png")
    assert (grey.shape, grey.dtype) == ((120, 160), np.uint8)
    (entry,), (without,) = entries(out), entries(plain)
    assert entry["files"]["uncertainty"] == "one_uncertainty.png"  # type: ignore[index]
    assert "uncertainty" not in without["files"]  # type: ignore[operator]
    (lesion,), (other,) = entry["lesions"], without["lesions"]  # type: ignore[misc]
    mask = pixels(out / "one_mask.png") > 0
    assert lesion["uncertainty"] == pytest.approx(grey[mask].mean() / 255, abs=0.005)
    assert "uncertainty" not in other
    assert np.array_equal(mask, pixels(plain / "one_mask.png") > 0)
    edge = mask ^ np.roll(mask, 1, axis=0)
    assert grey[edge].mean() > grey[mask].mean()


def test_uncertainty_is_for_networks(pictures: Path, tmp_path: Path, capsys: Capture) -> None:
    given = ["segment", str(pictures / "one.png"), "--method", "otsu", "--uncertainty"]
    assert main([*given, "--out", str(tmp_path / "out")]) == 2
    assert "uncertainty for 'otsu'" in capsys.readouterr().err


def test_the_mean_of_two_networks(pictures: Path, bundle: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    given = ["segment", str(pictures / "one.png"), "--method", f"{bundle}+{bundle}"]
    assert main([*given, "--out", str(out), "--threshold", "0.4"]) == 0
    provenance = document(out)["provenance"]
    assert provenance["segmenter"] == "dark+dark"
    assert provenance["parameters"]["threshold"] == 0.4  # type: ignore[index]
