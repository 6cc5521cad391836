"""``breastseg volume``: phases in, a mask on the same grid out."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import breastseg.results.volume as volume_results
from breastseg.cli.main import main
from breastseg.core import Bundle, Grid, Modality, VolumeSpec
from breastseg.inference.bundle_folder import MODEL, sha256_of, write_bundle_json
from breastseg.io.volume import grid_difference, read_volume, write_volume

from ..io.conftest import dicom_file
from ..io.slices import write_series
from ..scans import files
from .results import document, entries

Capture = pytest.CaptureFixture[str]
GRID = Grid((8, 20, 18), (2.0, 1.0, 1.0), (1.0, 2.0, 3.0), (1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0))


@pytest.fixture
def gain(tmp_path: Path) -> Path:
    """A bundle whose network gives what the second phase has more than the first."""
    onnx = pytest.importorskip("onnx")
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    spec = VolumeSpec((4, 8, 8), (2.0, 1.0, 1.0), channels=2, percentiles=(0.0, 100.0))
    values = {"kernel": np.array([-1, 1], np.float32).reshape(1, 2, 1, 1, 1)}
    values |= {"low": np.array(0, np.float32), "high": np.array(1, np.float32)}
    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["image", "kernel"], ["raw"]),
            helper.make_node("Clip", ["raw", "low", "high"], ["probability"]),
        ],
        "gain",
        [helper.make_tensor_value_info("image", kind, ["N", 2, *spec.patch])],
        [helper.make_tensor_value_info("probability", kind, ["N", 1, *spec.patch])],
        [onnx.numpy_helper.from_array(value, name) for name, value in values.items()],
    )
    folder = tmp_path / "gain"
    folder.mkdir()
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    (folder / MODEL).write_bytes(model.SerializeToString())
    described = Bundle(
        name="gain",
        version="1.0",
        modality=Modality.MRI,
        summary="what enhances",
        network="one convolution",
        weights_sha256=sha256_of(folder / MODEL),
        volume=spec,
    )
    write_bundle_json(folder, described)
    return folder


@pytest.fixture
def phases(tmp_path: Path) -> list[str]:
    """Before and after contrast; a block of 4 x 6 x 6 voxels enhances."""
    before = np.zeros(GRID.shape, np.int16)
    before[..., ::2] = 50
    after = before.copy()
    after[2:6, 4:10, 6:12] += 50
    paths = [tmp_path / "before.nii.gz", tmp_path / "after.nii.gz"]
    for path, values in zip(paths, (before, after), strict=True):
        write_volume(values, GRID, path)
    return [str(path) for path in paths]


def test_the_outline_lies_on_the_grid_of_the_input(
    gain: Path, phases: list[str], tmp_path: Path, capsys: Capture
) -> None:
    out = tmp_path / "out"
    assert main(["volume", *phases, "--method", str(gain), "--out", str(out)]) == 0
    written = ["mask.nii.gz", "probability.nii.gz", "results.csv", "results.json"]
    assert files(out) == written
    mask, given = read_volume(out / "mask.nii.gz"), read_volume(Path(phases[0]))
    assert mask.grid == given.grid
    assert set(np.argwhere(mask.array[0]).min(axis=0)) == {2, 4, 6}
    (entry,) = entries(out)
    assert entry["kind"] == "volume"
    (lesion,) = entry["lesions"]  # type: ignore[misc]
    assert lesion["unit"] == "mm"
    assert lesion["volume"] == 4 * 6 * 6 * 2.0
    assert lesion["box"] == [2, 4, 6, 6, 10, 12]
    assert "1 lesion 0.29 cm3" in capsys.readouterr().out
    assert main(["volume", *phases, "--method", str(gain), "--out", str(out)]) == 2
    assert "replace it with --overwrite" in capsys.readouterr().err


def test_a_volume_that_was_broken_off_is_done_again(
    gain: Path, phases: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    out = tmp_path / "out"
    words = ["volume", *phases, "--method", str(gain), "--out", str(out)]
    with monkeypatch.context() as patch:
        patch.setattr(volume_results, "success", _interrupted)
        assert main(words) == 130
    assert main([*words, "--resume"]) == 0
    assert len(entries(out)) == 1
    before = (out / "mask.nii.gz").stat().st_mtime_ns
    assert main([*words, "--resume"]) == 0
    assert (out / "mask.nii.gz").stat().st_mtime_ns == before, "all was done"
    assert main(words) == 2
    assert "continue it with --resume" in capsys.readouterr().err
    assert main([*words, "--within-breast", "--resume"]) == 2


def _interrupted(*_: object) -> None:
    raise KeyboardInterrupt


def test_several_networks_also_say_where_they_are_unsure(
    gain: Path, phases: list[str], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    given = ["volume", *phases, "--out", str(out), "--threshold", "0.4"]
    assert main([*given, "--method", f"{gain}+{gain}"]) == 0
    written = ["mask.nii.gz", "probability.nii.gz", "results.csv", "results.json"]
    assert files(out) == [*written, "uncertainty.nii.gz"]
    provenance = document(out)["provenance"]
    assert provenance["segmenter"] == "gain+gain"
    assert provenance["parameters"]["threshold"] == 0.4
    (lesion,) = entries(out)[0]["lesions"]  # type: ignore[misc]
    assert 0 <= lesion["uncertainty"] <= 1
    assert read_volume(out / "uncertainty.nii.gz").grid == read_volume(Path(phases[0])).grid
    assert main([*given, "--method", str(gain), "--overwrite"]) == 0
    assert files(out) == written  # that of the other run is gone
    assert "uncertainty" not in entries(out)[0]["lesions"][0]  # type: ignore[index]


def test_a_folder_of_dicom_slices_holds_all_phases(
    gain: Path, phases: list[str], tmp_path: Path
) -> None:
    for number, path in enumerate(phases, 1):
        values = read_volume(Path(path)).array[0]
        write_series(
            dicom_file,
            tmp_path / "study" / f"{3 - number}",
            values,
            GRID,
            SeriesInstanceUID=f"1.{number}",
            SeriesNumber=number,
        )
    out = tmp_path / "out"
    given = str(tmp_path / "study")
    assert main(["volume", given, "--method", str(gain), "--out", str(out)]) == 0
    mask = read_volume(out / "mask.nii.gz")
    assert grid_difference(mask.grid, GRID) == ""
    (entry,) = entries(out)
    assert entry["phases"] == ["series 1 dynamic", "series 2 dynamic"]
    assert [lesion["box"] for lesion in entry["lesions"]] == [[2, 4, 6, 6, 10, 12]]  # type: ignore[attr-defined]


def test_steps_around_the_network_stand_in_the_results(
    gain: Path, phases: list[str], tmp_path: Path
) -> None:
    out = ["--out", str(tmp_path / "out")]
    steps = ["--correct-bias", "--within-breast"]
    assert main(["volume", *phases, "--method", str(gain), *steps, *out]) == 0
    done = entries(tmp_path / "out")[0]["steps"]
    assert "N4" in done[0]
    assert "outside the breasts" in done[-1]


def test_what_cannot_be_outlined_is_one_line(
    gain: Path, phases: list[str], tmp_path: Path, capsys: Capture
) -> None:
    out = ["--out", str(tmp_path / "out")]
    for given, message in (
        ([phases[0], "--method", str(gain)], "channel"),
        ([*phases, "--method", "ultrasound"], "a method for images"),
        ([str(tmp_path / "none.nii.gz"), "--method", str(gain)], "none.nii.gz"),
    ):
        assert main(["volume", *given, *out]) == 2
        error = capsys.readouterr().err
        assert message in error
        assert error.count("\n") == 1
    assert files(tmp_path / "out") == ["results.csv", "results.json"]
    (entry,) = entries(tmp_path / "out")
    assert (entry["kind"], entry["status"]) == ("volume", "error")


def test_images_are_not_for_a_method_for_volumes(
    gain: Path, pictures: Path, tmp_path: Path, capsys: Capture
) -> None:
    given = ["segment", str(pictures / "one.png"), "--method", str(gain)]
    assert main([*given, "--out", str(tmp_path / "out")]) == 2
    assert "a method for volumes" in capsys.readouterr().err


def test_methods_for_volumes_are_compared(
    gain: Path, phases: list[str], tmp_path: Path, capsys: Capture
) -> None:
    truth = np.zeros(GRID.shape, np.uint8)
    truth[2:6, 4:10, 6:12] = 1
    rows = []
    for name in "ab":
        write_volume(truth, GRID, tmp_path / f"{name}-truth.nii.gz")
        for phase, path in zip(("before", "later"), phases, strict=False):
            shutil.copy(path, tmp_path / f"{name}-{phase}.nii.gz")
        later = f"{name}-later.nii.gz"  # given twice: the network takes no more than two phases
        rows.append(f"{name},{name}-before.nii.gz|{later}|{later},{name}-truth.nii.gz,{name}")
    (tmp_path / "cases.csv").write_text("\n".join(["case_id,image,mask,patient_id", *rows, ""]))
    data = ["--data", f"manifest={tmp_path / 'cases.csv'}", "--workers", "1"]
    out = tmp_path / "comparison"
    methods = [str(gain), f"again={gain}"]
    assert main(["compare", *methods, *data, "--out", str(out), "--json"]) == 0
    group = json.loads(capsys.readouterr().out)["methods"]["again"]["groups"]["lesion images"]
    assert group["figures"]["dice"]["value"] == 1
    assert group["figures"]["volume_cm3"]["value"] == pytest.approx(0.288)
    assert "HD95, mm" in (out / "report.md").read_text()
    assert main(["compare", *methods, "otsu", *data, "--out", str(out)]) == 2
    assert "volumes for otsu, made for images" in capsys.readouterr().err
