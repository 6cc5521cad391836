"""From a data set of volumes to the score of a bundle on it, through the command line alone."""

import csv
import json
from pathlib import Path

import pytest

pytest.importorskip("torch")

from breastseg.cli.main import main
from breastseg.inference.bundle_folder import read_bundle

from ..training.volume.made import write_mama_mia

pytestmark = [
    pytest.mark.train,
    # Within Lightning, not of our making.
    pytest.mark.filterwarnings("ignore:.*LeafSpec.*"),
    pytest.mark.filterwarnings("ignore:.*isinstance.treespec.*"),
]
Capture = pytest.CaptureFixture[str]

RECIPE = """
name = "tiny"
epochs = 1
epoch_steps = 2
batch_size = 2
precision = "float32"
[[sources]]
name = "MAMA-MIA"
train = "fold:1"
validation = "fold:2"
[network]
name = "unet3d"
in_channels = 2
stage_widths = [3, 4, 5]
[volume]
patch = [4, 12, 12]
spacing_mm = [3.0, 1.5, 1.5]
[optimiser]
warmup_epochs = 0.0
"""


def test_train_resume_export_evaluate(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_mama_mia(tmp_path / "MAMA-MIA")
    (tmp_path / "recipe.toml").write_text(RECIPE)
    data = ("--data", "MAMA-MIA=MAMA-MIA")

    def breastseg(*words: str) -> str:
        assert main(list(words)) == 0, capsys.readouterr().err
        return capsys.readouterr().out

    def refused(*words: str) -> str:
        assert main(list(words)) == 2
        error = capsys.readouterr().err
        assert error.count("\n") == 1
        return error

    train = ("train", "recipe.toml", "--out", "run", "--threads", "1")
    assert "no data set" in refused(*train)
    breastseg(*train, *data)
    parts = json.loads((tmp_path / "run" / "split.json").read_text())["parts"]
    assert parts == {"train": ["MAMA-MIA/DUKE_001"], "val": ["MAMA-MIA/DUKE_002"]}
    assert "already holds a run" in refused(*train, *data)
    assert "epochs" in refused("train", "--resume", "run", "--set", "epochs=2", "--threads", "1")
    breastseg("train", "--resume", "run", "--threads", "1")  # it is done: nothing is lost
    rows = (tmp_path / "run" / "metrics.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in rows] == ["epoch", "1"]

    assert "breastseg volume PHASES --method bundle" in breastseg(
        "export", "run", "--out", "bundle"
    )
    bundle = read_bundle(tmp_path / "bundle")
    assert (bundle.modality, bundle.volume is not None) == ("mri", True)

    score = ("evaluate", "bundle", *data, "--threads", "1")
    printed = breastseg(*score, "--out", "scores", "--threshold", "0.3")
    assert "True cm3" in printed
    rows = list(csv.DictReader((tmp_path / "scores" / "per_image.csv").read_text().splitlines()))
    assert [row["key"] for row in rows] == ["MAMA-MIA/DUKE_001", "MAMA-MIA/DUKE_002"]
    assert all(float(row["true_volume_cm3"]) > 0 and not row["error"] for row in rows)
    summary = json.loads((tmp_path / "scores" / "summary.json").read_text())
    assert "the volume of one study" in summary["protocol"]
    assert summary["groups"]["lesion images"]["patients"] == 2

    assert "MAMA-MIA: holds volumes" in refused("evaluate", "otsu", *data, "--out", "o")
    assert "a size to score at" in refused(*score, "--size", "64", "--out", "o")
    breastseg("data", "phantom", "scans", "--count", "2")
    pictures = ("--data", "folder=scans")
    assert "scans: holds images" in refused("evaluate", "bundle", *pictures, "--out", "o")
    renamed = ("--set", "sources.0.name=scans", "sources.0.train=all", "sources.0.validation=none")
    train = ("train", "recipe.toml", *pictures, *renamed)
    assert "scans: holds images. Expected: data sets of volumes" in refused(*train, "--out", "run2")
    assert not (tmp_path / "o").exists()
    assert not (tmp_path / "run2" / "recipe.toml").exists()
