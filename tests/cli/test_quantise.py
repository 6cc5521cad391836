"""``breastseg quantise``: its options reach the work, and what cannot be done is one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from breastseg.cli.main import main
from breastseg.core.measured import Measured
from breastseg.inference.bundle_folder import read_bundle, write_measured

Capture = pytest.CaptureFixture[str]
pytestmark = pytest.mark.train


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    assert main(["data", "phantom", str(tmp_path / "scans"), "--count", "4"]) == 0
    return tmp_path / "scans"


def test_options_reach_the_work(
    bundle: Path, scans: Path, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    import breastseg.export.quantise as export

    calls = []

    def quantise_bundle(*given: object) -> object:
        calls.append(given)
        out = given[1]
        assert isinstance(out, Path)
        out.mkdir()
        (out / "model.onnx").write_bytes(b"0" * 1_500_000)
        found = read_bundle(bundle)
        figures = {"int8, lesion images/dice": 0.8, "float, lesion images/dice": 0.81}
        write_measured(out, Measured(found.weights_sha256, {"int8": figures}))
        return found

    monkeypatch.setattr(export, "quantise_bundle", quantise_bundle)
    ids = sorted(path.stem for path in (scans / "images").glob("*.png"))
    lists = [tmp_path / name for name in ("a.txt", "b.txt")]
    for path, part in zip(lists, (ids[:3], ids[3:]), strict=True):
        path.write_text("\n".join(part) + "\n")
    given = ["quantise", str(bundle), "--data", f"folder={scans}", "--out", str(tmp_path / "q")]
    given += ["--split", f"list:{lists[0]}", "--check", f"list:{lists[1]}"]
    given += ["--images", "2", "--signed", "--int8-last", "--name", "small"]
    assert main(given) == 0
    ((folder, out, calibration, check, plan, name),) = calls
    assert (folder, out, name) == (bundle, tmp_path / "q", "small")
    assert (plan.activations, plan.float_last, plan.float_first) == ("int8", False, True)
    assert calibration.words == (
        "2 images, drawn from 3 with seed 0, every scanner alike "
        "(--data folder=FOLDER --split list:a.txt)"
    )
    assert len(list(calibration.cases)) == 2
    assert [case.case_id for case in check.cases] == ids[3:]
    said = capsys.readouterr().out
    assert "1.5 MB" in said
    assert "Dice, int8, lesion images: 0.8000" in said


def test_what_cannot_be_done_is_one_line(
    bundle: Path, scans: Path, tmp_path: Path, capsys: Capture
) -> None:
    capsys.readouterr()
    given = ["quantise", str(bundle), "--data", f"folder={scans}", "--out", str(tmp_path / "q")]
    assert main([*given, "--check", "all"]) == 2
    assert "--check are in --split" in capsys.readouterr().err
    assert main([*given, "--images", "0"]) == 2
    assert main(["quantise", "otsu", *given[2:]]) == 2
    assert main(given) == 2  # this bundle holds no convolution
    assert len(capsys.readouterr().err.splitlines()) == 3
    assert not (tmp_path / "q").exists()
