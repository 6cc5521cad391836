"""Operating points, temperature, malignancy and the finder's weights, fitted on made-up cases."""

from __future__ import annotations

import errno
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from breastseg.cli.main import main
from breastseg.core import Case, Grid, Image, Mask
from breastseg.core.bundle import OutputSpec
from breastseg.core.errors import DataSetError, InputError
from breastseg.data.sets.folder import Folder
from breastseg.evaluation.calibration.finder import describe, fit_finder
from breastseg.evaluation.calibration.operating_point import (
    SCORES,
    THRESHOLDS,
    Choice,
    at_point,
    counts_of,
    points_markdown,
    summed,
)
from breastseg.inference.bundle_folder import read_bundle
from breastseg.inference.methods import bundle_folder


def scene(level: float, lesion: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """A map with a certain square and a second one at a level; the first may be a lesion."""
    probability = np.zeros((20, 20), np.float32)
    probability[2:8, 2:8] = 0.97 if lesion else 0
    probability[12:16, 12:16] = level
    truth = np.zeros((20, 20), bool)
    truth[2:8, 2:8] = lesion
    return probability, truth


def test_each_point_counts_as_the_masks_at_it_do() -> None:
    found = counts_of(*scene(0.55))
    at = {(t, s): found[i, j] for i, t in enumerate(THRESHOLDS) for j, s in enumerate(SCORES)}
    assert at[0.5, 0.0].tolist() == [2 * 36 / (2 * 36 + 16), 1, 1, 1, 1]
    assert at[0.6, 0.0].tolist() == [1, 1, 1, 0, 1]  # above the second square
    assert at[0.5, 0.6].tolist() == [1, 1, 1, 0, 1]  # which the smallest score drops
    assert at[0.5, 0.98].tolist() == [0, 0, 1, 0, 0]  # and this one the lesion too


def test_the_two_rules_choose_within_their_limits() -> None:
    points = summed([counts_of(*scene(0.55)), counts_of(*scene(0.65, lesion=False))])
    assert (points.lesion_images, points.normal_images) == (1, 1)
    highest = points.choose(Choice())
    assert highest == (0.15, 0.7)  # the first whose gate drops the square on the normal image
    assert points.choose(Choice(max_false_positive_normals=1.0)) == (0.15, 0.6)
    lowest = points.choose(Choice("lowest-score", 1.0, max_false_positives=0.5))
    assert lowest == (0.6, 0.0)
    assert points.choose(Choice("lowest-score", 0.0)) == (0.6, 0.7)
    table = points_markdown(points).splitlines()
    assert table[0] == "1 images with a lesion, 1 normal"
    assert len(table) == 4 + len(THRESHOLDS) * len(SCORES)


def test_no_point_within_the_limits_is_said() -> None:
    points = summed([counts_of(*scene(0.99)), counts_of(*scene(0.99, lesion=False))])
    assert points.choose(Choice()) is None
    with pytest.raises(InputError, match="no operating point"):
        at_point(OutputSpec(), None)
    with pytest.raises(DataSetError, match="none with a lesion"):
        summed([counts_of(*scene(0.9, lesion=False))])


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scans")
    assert main(["data", "phantom", str(folder), "--count", "8"]) == 0
    return folder


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return Path(shutil.copytree(bundle_folder("ultrasound-fast"), tmp_path / "bundle"))


def test_a_point_and_a_temperature_are_written_into_the_bundle(
    bundle: Path, scans: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = ["--data", f"folder={scans}", "--quiet", "--threads", "1"]
    words = ["calibrate", "point", str(bundle), *data, "--max-false-positive-normals", "1"]
    assert main([*words, "--write", str(bundle)]) == 0
    said = capsys.readouterr().out.splitlines()
    output = read_bundle(bundle).output
    assert said[-2] == f"highest-dice: threshold {output.threshold}, min score {output.min_score}"
    assert main(["calibrate", "temperature", str(bundle), *data, "--write"]) == 0
    said = capsys.readouterr().out.splitlines()
    after = read_bundle(bundle).output
    assert said[0].startswith(f"temperature {after.temperature:g}, fitted on 8 images")
    before, now = map(float, re.findall(r"([\d.]+) (?:before|after)", said[0]))
    assert now <= before
    assert (after.threshold, after.min_score) == (output.threshold, output.min_score)


def test_what_was_found_is_said_where_it_cannot_be_written(
    bundle: Path,
    scans: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = (bundle / "bundle.json").read_bytes()
    words = ["calibrate", "temperature", str(bundle), "--data", f"folder={scans}", "--write"]

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", full)  # the disk is full at the end
        assert main([*words, "--quiet"]) == 1
    said = capsys.readouterr()
    assert said.out.startswith("temperature ")
    assert len(said.err.splitlines()) == 1
    assert "No space left" in said.err
    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)  # and at the start, before any work
        assert main([*words, "--quiet"]) == 2
    said = capsys.readouterr()
    assert not said.out
    assert len(said.err.splitlines()) == 1
    assert (bundle / "bundle.json").read_bytes() == before
    assert not [path for path in bundle.iterdir() if path.name.startswith(".")]


def test_several_bundles_each_have_a_selection(
    bundle: Path, scans: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["calibrate", "point", str(bundle), str(bundle), "--data", f"folder={scans}"]
    assert main([*words, "--split", "lesions"]) == 2
    assert "as many selections" in capsys.readouterr().err
    assert main([*words, "--split", "lesions", "normals", "--quiet"]) in (0, 2)
    assert "images with a lesion" in capsys.readouterr().out


def test_malignancy_needs_a_network_of_these_classes(
    bundle: Path, scans: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["calibrate", "malignancy", str(bundle), "--data", f"folder={scans}", "--quiet"]
    assert main(words) == 2
    assert "classes benign and malignant" in capsys.readouterr().err


def test_the_finder_is_fitted_and_kept_beside_the_others(scans: Path, tmp_path: Path) -> None:
    cases = Folder(scans).cases()
    fitted = fit_finder("ultrasound", cases)
    assert 0 < fitted.record["dice_of_the_first_crossed"] <= 1
    assert fitted.record["data"] == {cases[0].source: 8}
    path = tmp_path / "weights.json"
    path.write_text('{"other": 1}')
    fitted.write("ultrasound", path)
    content = json.loads(path.read_text())
    assert content["other"] == 1
    assert content["ultrasound"]["weights"] == fitted.weights


class Given:
    """A case in memory."""

    key = patient_key = "s/c"

    def __init__(self, case: Case) -> None:
        self.case = case

    def load(self) -> Case:
        return self.case


def test_the_finder_learns_nothing_from_what_is_ignored() -> None:
    rows, columns = np.indices((120, 140))
    spots = [(rows - 60) ** 2 + (columns - middle) ** 2 < 18**2 for middle in (40, 100)]
    grey = np.where(spots[0] | spots[1], 40, 150).astype(np.uint8)
    grid = Grid(grey.shape)

    def dices(labels: np.ndarray) -> np.ndarray:
        mask = Mask(labels, grid, {1: "lesion", 2: "ignore"})
        case = Case("c", "p", (Image(grey[None], grid),), mask)
        return describe((Given(case), "ultrasound")).dice

    lesion = spots[0].astype(np.uint8)
    strict = dices(lesion)
    known = dices(np.where(columns > 70, 2, lesion).astype(np.uint8))
    assert (strict < 0.1).any()
    assert known.max() == pytest.approx(strict.max())
    assert len(known) < len(strict)
