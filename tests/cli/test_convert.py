"""``breastseg data convert`` and data sets of volumes on the command line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from breastseg.cli.main import main
from breastseg.core.grid import Grid
from breastseg.data.sets.folder import Folder
from breastseg.data.sets.nnunet import NnUnet
from breastseg.io.volume import write_volume
from breastseg.io.write import write_png, write_text

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def clinic(tmp_path: Path) -> Path:
    """Three images of two patients."""
    root = tmp_path / "clinic"
    lesion = np.zeros((8, 9), bool)
    lesion[2:4, 2:5] = True
    for name in "abc":
        write_png(root / "images" / f"{name}.png", np.full((8, 9), ord(name), np.uint8))
        write_png(root / "masks" / f"{name}.png", lesion)
    write_text(
        root / "cases.csv",
        "file,patient_id,label,fold\na.png,P1,benign,1\nb.png,P1,benign,1\nc.png,P2,malignant,2\n",
    )
    return root


@pytest.fixture
def volumes(tmp_path: Path) -> str:
    """A data set with one volume."""
    grid = Grid((2, 3, 4), (1.0, 1.0, 1.0))
    for name in ("scan.nii.gz", "lesion.nii.gz"):
        write_volume(np.ones(grid.shape, np.uint8), grid, tmp_path / name)
    write_text(tmp_path / "mr.csv", "image,mask\nscan.nii.gz,lesion.nii.gz\n")
    return f"manifest={tmp_path / 'mr.csv'}"


def test_there_and_back(clinic: Path, tmp_path: Path, capsys: Capture) -> None:
    there, back = tmp_path / "Dataset001_Clinic", tmp_path / "back"
    given = ["data", "convert", "--data", f"folder={clinic}", "--to", "nnunet"]
    assert main([*given, "--out", str(there)]) == 0
    assert (
        "3 cases of 2 patients (2 clinic benign, 1 clinic malignant) are in"
        in capsys.readouterr().out
    )
    given = ["data", "convert", "--data", f"nnunet={there}", "--to", "folder", "--split", "fold:1"]
    assert main([*given, "--out", str(back)]) == 0
    assert [case.patient_id for case in Folder(back).cases()] == ["P1", "P1"]
    assert main([*given, "--out", str(back)]) == 2
    assert "back exists. Expected: a new folder" in capsys.readouterr().err


def test_volumes_are_converted(volumes: str, tmp_path: Path) -> None:
    out = tmp_path / "Dataset002_Volumes"
    given = ["data", "convert", "--data", volumes, "--to", "nnunet", "--out", str(out)]
    assert main(given) == 0
    (case,) = NnUnet(out).cases()
    assert case.is_volume
    assert main(["data", "info", f"nnunet={out}"]) == 0


@pytest.mark.parametrize(
    "words",
    [
        ["data", "audit"],
        ["data", "convert", "--to", "folder", "--out", "{out}"],
        ["evaluate", "otsu", "--out", "{out}"],
    ],
)
def test_volumes_are_refused_in_one_line_where_only_pictures_will_do(
    volumes: str, tmp_path: Path, capsys: Capture, words: list[str]
) -> None:
    filled = [word.format(out=tmp_path / "out") for word in words]
    assert main([*filled, "--data", volumes]) == 2
    error = capsys.readouterr().err
    assert "mr: holds volumes. Expected: data sets of images" in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_volumes_are_split_by_patient(volumes: str, tmp_path: Path) -> None:
    given = ["data", "split", "--data", volumes, "--fractions", "train=1"]
    assert main([*given, "--out", str(tmp_path / "split.json")]) == 0
