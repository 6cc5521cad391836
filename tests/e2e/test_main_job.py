"""From phantoms to a bundle that segments, through the command line alone."""

import csv
import json
from pathlib import Path

import pytest

pytest.importorskip("torch")

from breastseg.cli.main import main

pytestmark = [
    pytest.mark.train,
    # Within Lightning, not of our making.
    pytest.mark.filterwarnings("ignore:.*LeafSpec.*"),
    pytest.mark.filterwarnings("ignore:.*isinstance.treespec.*"),
]

RECIPE = """
name = "phantoms"
epochs = 16
batch_size = 4
normal_fraction = 0.25
validate_every = 8
[[sources]]
name = "scans"
train = "split:split.json#train"
validation = "split:split.json#val"
[network]
name = "unet2015"
base_width = 8
depth = 3
[input]
size = [64, 64]
[optimiser]
learning_rate = 3e-3
average_decay = 0.95
"""


def test_train_export_evaluate_segment(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "recipe.toml").write_text(RECIPE)

    def breastseg(*words: str) -> str:
        assert main(list(words)) == 0, capsys.readouterr().err
        return capsys.readouterr().out

    breastseg("data", "phantom", "scans", "--count", "24", "--seed", "5")
    data = ("--data", "folder=scans")
    breastseg("data", "split", *data, "--fractions", "train=0.67,val=0.33", "--out", "split.json")
    breastseg("train", "recipe.toml", *data, "--out", "run", "--threads", "1")
    options = ("--min-area-fraction", "0.005")
    assert main(["export", "run", "--out", "bundle"]) == 2  # nothing says what made the scans
    assert "of modality unknown" in capsys.readouterr().err
    breastseg("export", "run", "--out", "bundle", "--modality", "ultrasound", *options)
    breastseg("evaluate", "bundle", *data, "--split", "split:split.json#val", "--out", "scores")
    summary = json.loads((tmp_path / "scores" / "summary.json").read_text())
    lesions = summary["groups"]["lesion images"]
    assert lesions["figures"]["dice"]["value"] > 0.6
    rows = list(csv.DictReader((tmp_path / "scores" / "per_image.csv").read_text().splitlines()))
    assert len(rows) == len(json.loads((tmp_path / "split.json").read_text())["parts"]["val"])

    scan = min(Path("scans/images").iterdir())
    out = breastseg("segment", str(scan), "--method", "bundle", "--json")
    results = json.loads(out)
    assert results["entries"][0]["lesions"][0]["unit"] == "mm"
    assert results["provenance"]["weights_sha256"]
