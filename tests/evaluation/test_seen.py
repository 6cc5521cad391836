"""Whether scored cases are among those that a bundle was trained on."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from breastseg.cli.main import main
from breastseg.core.trained_on import TrainedOn
from breastseg.data.fingerprint import fingerprint_of
from breastseg.data.sets.folder import Folder
from breastseg.evaluation.seen import seen_in_training
from breastseg.front_door import compare
from breastseg.inference.bundle_folder import read_trained_on, write_trained_on
from breastseg.io.write import write_png


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """Three images with a lesion."""
    for number in range(3):
        pixels = np.full((32, 32), 150 + number, np.uint8)
        pixels[8:20, 8:20] = 20
        write_png(tmp_path / "study" / "images" / f"s{number}.png", pixels)
        write_png(tmp_path / "study" / "masks" / f"s{number}.png", pixels < 60)
    return tmp_path / "study"


def test_cases_of_the_training_are_named(
    bundle: Path, study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = tmp_path / "mine"
    shutil.copytree(bundle, mine)
    cases = Folder(study).cases()
    assert seen_in_training({"mine": str(mine), "otsu": "otsu:shift=0.1"}, cases) == ()
    digests = [fingerprint_of(case).image for case in cases]
    stated = TrainedOn({"train": (digests[1], "ab" * 32), "val": (digests[2],)})
    write_trained_on(mine, stated)
    assert read_trained_on(mine) == stated
    trained, validated = seen_in_training({"mine": str(mine)}, cases)
    assert "mine was trained on 1 of the 3 cases (study/s1)" in trained
    assert "validated in training on 1 of the 3 cases (study/s2)" in validated
    scores = ["--data", f"folder={study}", "--out", str(tmp_path / "scores"), "--quiet"]
    assert main(["evaluate", str(mine), *scores]) == 0
    assert capsys.readouterr().err.count("of the 3 cases") == 2
    assert json.loads((tmp_path / "scores" / "summary.json").read_text())["warnings"] == [
        warning.replace("mine was", "dark was") for warning in (trained, validated)
    ]
    assert "**Warning:** dark was trained on 1 of" in (tmp_path / "scores/summary.md").read_text()
    compared = tmp_path / "compared"
    compare(["otsu", f"mine={mine}"], {"folder": study}, compared, workers=1)
    found = json.loads((compared / "comparison.json").read_text())["warnings"]
    assert found == [trained, validated]
    for name in ("report.html", "report.md"):
        assert trained in (compared / name).read_text()
