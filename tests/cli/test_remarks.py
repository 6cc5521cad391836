"""What a file says of itself that a reader of the result must know reaches that reader."""

import csv
import io
import json
from pathlib import Path

import pytest
from pydicom import dcmread

from breastseg.cli.main import main
from breastseg.io.dicom_remarks import RAW

from ..scans import cine, scan

Capture = pytest.CaptureFixture[str]


def write_mammogram(path: Path, **said: str) -> Path:
    ds = dcmread(io.BytesIO(cine(scan(), modality="MG")))
    for keyword, value in {"ImageLaterality": "L", "ViewPosition": "MLO", **said}.items():
        setattr(ds, keyword, value)
    ds.save_as(path)
    return path


def test_raw_mammogram_has_a_warning_everywhere(tmp_path: Path, capsys: Capture) -> None:
    path = write_mammogram(tmp_path / "raw.dcm", PresentationIntentType="FOR PROCESSING")
    out = tmp_path / "out"
    assert (
        main(
            ["segment", str(path), "--method", "otsu", "--preset", "mammography", "--out", str(out)]
        )
        == 0
    )
    printed = capsys.readouterr().out.splitlines()
    assert [line for line in printed if "warning" in line] == [f"{path}: warning: {RAW}"]
    (entry,) = json.loads((out / "results.json").read_text())["entries"]
    assert (entry["view"], entry["remarks"]) == ("L MLO", [RAW])
    with (out / "results.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {(row["view"], row["remarks"]) for row in rows} == {("L MLO", RAW)}


def test_others_have_none(tmp_path: Path, capsys: Capture) -> None:
    path = write_mammogram(tmp_path / "shown.dcm", PresentationIntentType="FOR PRESENTATION")
    assert (
        main(["segment", str(path), "--method", "otsu", "--preset", "mammography", "--json"]) == 0
    )
    (entry,) = json.loads(capsys.readouterr().out)["entries"]
    assert (entry["status"], entry["view"], entry["remarks"]) == ("ok", "L MLO", [])
