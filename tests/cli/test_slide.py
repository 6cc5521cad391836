"""``breastseg slide``: a slide in, contours that QuPath opens out."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

import breastseg.inference.slide as slide_module
from breastseg.cli.main import main
from breastseg.core import Bundle, InputSpec, Intensity, Modality, OutputSpec
from breastseg.inference.bundle_folder import MODEL, read_bundle, sha256_of, write_bundle_json
from breastseg.inference.onnx_segmenter import OnnxSegmenter
from breastseg.io.mask_pyramid import read_mask_level
from breastseg.io.write import write_png

from ..scans import files
from .results import document, entries

tifffile = pytest.importorskip("tifffile")
Capture = pytest.CaptureFixture[str]
SPEC = InputSpec((64, 64), Intensity.UNIT, channels=3, colour=True, um_per_px=1.0)


def write_bundle(
    folder: Path,
    spec: InputSpec = SPEC,
    kind: Modality | None = None,
    output: OutputSpec | None = None,
) -> str:
    """A bundle whose network gives how much less green than white there is."""
    onnx = pytest.importorskip("onnx")
    helper, number = onnx.helper, onnx.TensorProto.FLOAT
    kernel = np.array([0, -1, 0] if spec.channels == 3 else [-1], np.float32)
    values = {"kernel": kernel.reshape(1, spec.channels, 1, 1), "bias": np.ones(1, np.float32)}
    values |= {"low": np.array(0, np.float32), "high": np.array(1, np.float32)}
    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["image", "kernel", "bias"], ["raw"]),
            helper.make_node("Clip", ["raw", "low", "high"], ["probability"]),
        ],
        "green",
        [helper.make_tensor_value_info("image", number, ["N", spec.channels, *spec.size])],
        [helper.make_tensor_value_info("probability", number, ["N", 1, *spec.size])],
        [onnx.numpy_helper.from_array(value, name) for name, value in values.items()],
    )
    folder.mkdir()
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    (folder / MODEL).write_bytes(model.SerializeToString())
    described = Bundle(
        name="green",
        version="1.0",
        modality=kind or Modality.HISTOPATHOLOGY,
        summary="what is purple",
        network="one convolution",
        weights_sha256=sha256_of(folder / MODEL),
        input=spec,
        output=output or OutputSpec(),
    )
    write_bundle_json(folder, described)
    return str(folder)


@pytest.fixture
def bundle(tmp_path: Path) -> str:
    return write_bundle(tmp_path / "green")


@pytest.fixture
def slide(tmp_path: Path) -> Path:
    """Half a micrometre a pixel; purple in rows 100 to 220 and columns 160 to 320."""
    pixels = np.full((301, 451, 3), 245, np.uint8)
    pixels[40:280, 50:400] = (235, 160, 200)
    pixels[100:220, 160:320] = (90, 40, 130)
    pixels[150:170, 200:240] = (235, 160, 200)
    tifffile.imwrite(
        tmp_path / "slide.tif",
        pixels,
        tile=(128, 128),
        photometric="rgb",
        resolution=(20_000, 20_000),
        resolutionunit=3,
    )
    return tmp_path / "slide.tif"


def area_of(out: Path) -> float:
    """The area of all lesions in mm2."""
    return sum(lesion["area"] for lesion in entries(out)[0]["lesions"])  # type: ignore[attr-defined]


def test_everything_is_written(bundle: str, slide: Path, tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "out"
    assert main(["slide", str(slide), "--method", bundle, "--out", str(out), "--threads", "1"]) == 0
    area = (120 * 160 - 20 * 40) * 0.25e-6
    assert f"1 lesion {1e6 * area:.0f} um2" in capsys.readouterr().out
    assert files(out) == [
        "lesions.geojson",
        "mask.tif",
        "overview.png",
        "results.csv",
        "results.json",
    ]

    assert document(out)["provenance"]["parameters"]["um_per_px"] == 1.0  # type: ignore[index]
    (entry,) = entries(out)
    assert (entry["kind"], entry["shape"]) == ("slide", [301, 451])
    assert entry["spacing_mm"] == pytest.approx([0.0005, 0.0005])
    (region,) = entry["lesions"]  # type: ignore[misc]
    assert region["box"] == [100, 160, 220, 320]
    assert region["area"] == pytest.approx(area, rel=1e-3)
    assert region["pixels"] == 120 * 160 / 4 - 200
    assert "network: one convolution" in entry["steps"]  # type: ignore[operator]

    (feature,) = json.loads((out / "lesions.geojson").read_text())["features"]
    assert feature["properties"]["classification"]["name"] == "Tumor"
    outer, hole = feature["geometry"]["coordinates"]
    assert outer == [[160, 100], [320, 100], [320, 220], [160, 220], [160, 100]]
    assert {tuple(corner) for corner in hole} == {(200, 150), (240, 150), (240, 170), (200, 170)}

    mask, _ = read_mask_level(out / "mask.tif", 10**9)
    assert mask.shape == (151, 226)
    assert mask.sum() == 120 * 160 / 4 - 200

    picture = np.array(Pillow.open(out / "overview.png"))
    assert picture.shape == (301, 451, 3)
    orange = (picture == (240, 170, 0)).all(axis=2)
    rows, columns = np.nonzero(orange)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (100, 219, 160, 319)


def test_what_is_outlined_is_called_by_its_name(
    bundle: str, slide: Path, tmp_path: Path, capsys: Capture
) -> None:
    folder, out = Path(bundle), tmp_path / "out"
    write_bundle_json(folder, replace(read_bundle(folder), labels={1: "nucleus"}))
    given = ["slide", str(slide), "--method", bundle, "--out", str(out), "--quiet"]
    assert main([*given, "--threshold", "0.4"]) == 0
    assert "1 nucleus " in capsys.readouterr().out
    assert document(out)["provenance"]["parameters"]["threshold"] == 0.4  # type: ignore[index]
    assert entries(out)[0]["label"] == "nucleus"
    (feature,) = json.loads((out / "lesions.geojson").read_text())["features"]
    assert feature["properties"]["classification"]["name"] == "Nucleus"


def test_dyes_can_be_brought_to_a_reference(bundle: str, slide: Path, tmp_path: Path) -> None:
    pixels = tifffile.imread(slide)
    pixels[40:280, 50:160] = (190, 110, 160)  # a pink that takes some red light too
    tifffile.imwrite(slide, pixels, tile=(128, 128), photometric="rgb")
    words = ["slide", str(slide), "--method", bundle, "--out", str(tmp_path / "out"), "--quiet"]
    assert main([*words, "--slide-um", "0.5", "--normalise-stain"]) == 0
    steps = entries(tmp_path / "out")[0]["steps"]
    assert "dyes brought to those of a reference (Macenko)" in steps


def test_outlines_without_a_peak_are_dropped(slide: Path, tmp_path: Path) -> None:
    for peak, regions in ((0.8, 1), (0.9, 0)):  # purple is at 1 - 40 / 255
        point = OutputSpec(min_score=peak, min_area_fraction=0.1)
        method = write_bundle(tmp_path / f"green{peak}", output=point)
        out = tmp_path / str(peak)
        assert main(["slide", str(slide), "--method", method, "--out", str(out), "--quiet"]) == 0
        (entry,) = entries(out)
        assert len(entry["lesions"]) == regions  # type: ignore[arg-type]
        steps = entry["steps"]
        assert f"regions with a highest probability below {peak} dropped" in steps  # type: ignore[operator]
        assert "regions below 0.1 of a tile dropped" in steps  # type: ignore[operator]


def test_results_are_not_replaced_unasked(
    bundle: str, slide: Path, tmp_path: Path, capsys: Capture
) -> None:
    words = ["slide", str(slide), "--method", bundle, "--out", str(tmp_path / "out"), "--quiet"]
    assert main(words) == 0
    assert main(words) == 2
    assert "replace it with --overwrite" in capsys.readouterr().err
    assert main([*words, "--overwrite"]) == 0


def test_a_slide_that_was_broken_off_goes_on_from_its_tiles(
    bundle: str, slide: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    tiles = []

    def broken(seen: np.ndarray, after: int) -> None:
        tiles.append(len(seen))
        if len(tiles) > after:
            raise KeyboardInterrupt

    def run(out: Path, after: int, *more: str) -> int:
        tiles.clear()
        stated = slide_module.tile_network

        def network(segmenter: OnnxSegmenter) -> slide_module.TileNetwork:
            inner = stated(segmenter)
            return lambda seen: (broken(seen, after), inner(seen))[1]

        with monkeypatch.context() as patch:
            patch.setattr(slide_module, "tile_network", network)
            patch.setattr(slide_module, "BATCH_PX", 64**2)
            words = ["slide", str(slide), "--method", bundle, "--out", str(out), *more]
            return main(words)

    assert run(tmp_path / "whole", 10**6) == 0
    total = len(tiles)
    assert total > 6
    assert run(tmp_path / "out", 4) == 130
    assert "results.partial.tiles" in files(tmp_path / "out")
    assert run(tmp_path / "out", 10**6, "--resume") == 0
    assert len(tiles) == total - 4
    assert files(tmp_path / "out") == files(tmp_path / "whole")
    for name in ("mask.tif", "lesions.geojson", "results.csv"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert run(tmp_path / "out", 0, "--resume") == 0, "all was done"
    assert not tiles


def test_the_slide_is_not_written_over(bundle: str, slide: Path, capsys: Capture) -> None:
    mask = slide.rename(slide.parent / "mask.tif")
    words = ["slide", str(mask), "--method", bundle, "--out", str(mask.parent), "--overwrite"]
    assert main(words) == 2
    assert "is one of the inputs and is not written over" in capsys.readouterr().err


def test_resolutions_must_be_known(
    bundle: str, slide: Path, tmp_path: Path, capsys: Capture
) -> None:
    bare = tmp_path / "bare.tif"
    tifffile.imwrite(bare, tifffile.imread(slide), tile=(128, 128), photometric="rgb")
    words = ["slide", str(bare), "--method", bundle, "--out", str(tmp_path / "out")]
    assert main(words) == 2
    assert "does not state its micrometres a pixel" in capsys.readouterr().err
    assert main([*words, "--slide-um", "0.5"]) == 0
    whole = area_of(tmp_path / "out")
    picture = tmp_path / "bare.png"
    write_png(picture, tifffile.imread(slide))
    words = ["slide", str(picture), "--method", bundle, "--out", str(tmp_path / "of-png")]
    assert main([*words, "--slide-um", "0.5"]) == 0
    assert area_of(tmp_path / "of-png") == pytest.approx(whole, rel=0.02)
    assert main(["segment", str(picture), "--method", bundle, "--out", str(tmp_path / "s")]) == 2
    assert "pixels of unknown size. Expected: " in capsys.readouterr().err
    vague = write_bundle(
        tmp_path / "vague", InputSpec((64, 64), Intensity.UNIT, channels=3, colour=True)
    )
    words = ["slide", str(slide), "--method", vague, "--out", str(tmp_path / "other")]
    assert main(words) == 2
    assert "does not say which micrometres" in capsys.readouterr().err
    assert main([*words, "--um-per-px", "1"]) == 0


def test_other_modality(slide: Path, tmp_path: Path, capsys: Capture) -> None:
    spec = InputSpec((64, 64), Intensity.UNIT, um_per_px=2.0)
    grey = write_bundle(tmp_path / "grey", spec, Modality.ULTRASOUND)
    words = ["slide", str(slide), "--method", grey, "--out", str(tmp_path / "out")]
    assert main(words) == 2
    assert "measured on ultrasound only" in capsys.readouterr().err
    assert main([*words, "--force"]) == 0


@pytest.mark.data
def test_real_slide(bundle: str, data_root: Path, tmp_path: Path) -> None:
    slide = data_root / "histopathology/whole-slide/CMU-1-Small-Region.svs"
    words = ["slide", str(slide), "--method", bundle, "--out", str(tmp_path / "out"), "--quiet"]
    assert main([*words, "--um-per-px", "4", "--threads", "1"]) == 0
    assert entries(tmp_path / "out")[0]["spacing_mm"] == pytest.approx([0.000499, 0.000499])
    assert 0.05 < area_of(tmp_path / "out") < 1.0
