"""``breastseg export``: its options reach the bundle."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from breastseg.cli.main import main
from breastseg.core.bundle import OutputSpec
from breastseg.inference.bundle_folder import read_bundle

Capture = pytest.CaptureFixture[str]
pytestmark = pytest.mark.train


def test_options_reach_the_bundle(
    bundle: Path, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch")
    import breastseg.export.bundle as export

    calls = []

    def make_bundle(*given: object) -> object:
        calls.append(given)
        (tmp_path / "mine").mkdir()
        (tmp_path / "mine" / "model.onnx").write_bytes(b"0" * 1_500_000)
        return read_bundle(bundle)

    monkeypatch.setattr(export, "make_bundle", make_bundle)
    group = {"images": 3, "figures": {"dice": {"value": 0.9, "low": 0.8, "high": 1.0}}}
    summary = tmp_path / "summary.json"
    summary.write_text(json.dumps({"protocol": "as said", "groups": {"all images": group}}))
    given = ["--trained-on", "BUSI, 780", "--trained-on", "BUS-BRA, 1875", "--min-score", "0.8"]
    given += ["--results", f"BUSI held out={summary}", "--weights", "best", "--flip-average"]
    given += ["--precision", "float32", "--even-brightness", "0.5", "--mean-with", "other"]
    out = tmp_path / "mine"
    assert main(["export", "run", "--out", str(out), "--modality", "ultrasound", *given]) == 0
    ((run, folder, about, output, making),) = calls
    assert (run, folder) == (Path("run"), out)
    assert making == export.Making(
        "best", "float32", own_code=False, even_brightness=0.5, mean_with=(Path("other"),)
    )
    assert output == OutputSpec(min_score=0.8, flip_average=True)
    assert (about.name, about.modality) == ("mine", "ultrasound")
    assert about.training_data == ("BUSI, 780", "BUS-BRA, 1875")
    assert about.results["BUSI held out"]["all images/dice"] == 0.9
    assert "1.5 MB" in capsys.readouterr().out


def test_the_modality_is_that_of_the_run_or_must_be_said(
    bundle: Path, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch")
    import breastseg.export.bundle as export

    run, out = tmp_path / "run", tmp_path / "b"
    run.mkdir()
    (run / "recipe.toml").write_text('name = "x"\n')
    out.mkdir()
    (out / "model.onnx").write_bytes(b"0")
    given = []

    def make_bundle(*words: object) -> object:
        given.append(words[2].modality)  # type: ignore[attr-defined]
        return read_bundle(bundle)

    monkeypatch.setattr(export, "make_bundle", make_bundle)
    words = ["export", str(run), "--out", str(out)]
    for record, said in (
        (
            None,
            "does not say of which modality its training cases were. Try: state the modality",
        ),
        (["mammography", "ultrasound"], "of modality mammography, ultrasound. Expected: one of"),
        (["unknown"], "of modality unknown. Expected: one of ultrasound, "),
        ([], "of modality []. Expected: one of"),
    ):
        if record is not None:
            (run / "modality.json").write_text(json.dumps({"modalities": record}))
        assert main(words) == 2
        error = capsys.readouterr().err
        assert said in error
        assert "state the modality" in error
        assert error.count("\n") == 1
    assert main([*words, "--modality", "histopathology"]) == 0
    (run / "modality.json").write_text('{"modalities": ["mammography"]}')
    assert main(words) == 0
    assert main([*words, "--modality", "mri"]) == 0
    assert given == ["histopathology", "mammography", "mri"]


def test_a_run_that_is_none_is_one_line(tmp_path: Path, capsys: Capture) -> None:
    pytest.importorskip("torch")
    (tmp_path / "run").mkdir()
    given = ["export", str(tmp_path / "run"), "--out", str(tmp_path / "b")]
    assert main(given) == 2
    assert main([*given, "--threshold", "3"]) == 2
    assert main([*given, "--results", "no-file"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 3
    assert not (tmp_path / "b").exists()
