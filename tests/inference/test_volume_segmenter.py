"""Bundles for volumes: written, read, and run on studies of any grid."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from breastseg.core import (
    Bundle,
    Grid,
    Image,
    Modality,
    OutputSpec,
    Prompt,
    Segmenter,
    VolumeSpec,
)
from breastseg.core.errors import BundleError, GeometryError, InputError, UnsupportedError
from breastseg.inference.bundle_folder import MODEL, read_bundle, sha256_of, write_bundle_json
from breastseg.inference.volume_segmenter import VolumeSegmenter

SPEC = VolumeSpec(
    patch=(4, 8, 8), spacing_mm=(2.0, 1.0, 1.0), channels=2, percentiles=(0.0, 100.0), overlap=0.5
)


def write_network(path: Path, spec: VolumeSpec) -> None:
    """What the second phase has more than the first, from 0 to 1."""
    onnx = pytest.importorskip("onnx")
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    kernel = np.array([-1, 1], np.float32).reshape(1, 2, 1, 1, 1)
    constants = [
        onnx.numpy_helper.from_array(kernel, "kernel"),
        onnx.numpy_helper.from_array(np.float32(0), "low"),
        onnx.numpy_helper.from_array(np.float32(1), "high"),
    ]
    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["image", "kernel"], ["raw"]),
            helper.make_node("Clip", ["raw", "low", "high"], ["probability"]),
        ],
        "gain",
        [helper.make_tensor_value_info("image", kind, ["N", 2, *spec.patch])],
        [helper.make_tensor_value_info("probability", kind, ["N", 1, *spec.patch])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    path.write_bytes(model.SerializeToString())


def make_bundle(folder: Path, spec: VolumeSpec = SPEC, output: OutputSpec | None = None) -> Path:
    folder.mkdir(exist_ok=True)
    write_network(folder / MODEL, spec)
    bundle = Bundle(
        name="gain",
        version="1.0",
        modality=Modality.MRI,
        summary="what enhances",
        network="one convolution",
        weights_sha256=sha256_of(folder / MODEL),
        output=output or OutputSpec(),
        volume=spec,
    )
    write_bundle_json(folder, bundle)
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_bundle(tmp_path / "gain")


def exam(
    spacing: tuple[float, float, float] | None = (2.0, 1.0, 1.0),
    shape: tuple[int, int, int] = (10, 20, 22),
) -> tuple[Image, NDArray[np.bool_]]:
    """Two phases; one large block enhances fully, a single voxel too."""
    before = np.zeros((1, *shape))
    before[..., ::2] = 50  # percentiles 0 and 50
    gain = np.zeros((1, *shape), bool)
    gain[0, 3:7, 4:12, 6:14] = True
    gain[0, 8, 17, 19] = True
    phases = np.concatenate([before, before + 50 * gain]).astype(np.int16)
    return Image(phases, Grid(shape, spacing), Modality.MRI, source="exam"), gain[0]


def test_a_bundle_for_volumes_is_read_as_it_was_written(folder: Path) -> None:
    bundle = read_bundle(folder)
    assert bundle.volume == SPEC
    segmenter = VolumeSegmenter(folder, threads=1)
    assert isinstance(segmenter, Segmenter)
    assert segmenter.name == "gain"
    assert segmenter.on_one_core() is segmenter
    assert VolumeSegmenter(folder, threads=2).on_one_core().threads == 1


def test_a_bundle_for_images_stays_as_it_was(make_tiny) -> None:
    folder = make_tiny()
    assert "volume" not in json.loads((folder / "bundle.json").read_bytes())
    assert read_bundle(folder).volume is None
    with pytest.raises(BundleError, match="a network for images"):
        VolumeSegmenter(folder)


def test_a_damaged_volume_table_is_named(folder: Path) -> None:
    path = folder / "bundle.json"
    table = json.loads(path.read_bytes())
    table["volume"]["patch"] = [4, 8]
    path.write_text(json.dumps(table))
    with pytest.raises(BundleError, match=r"volume\.patch is \[4, 8\]"):
        read_bundle(folder)


def test_what_enhances_is_found_voxel_by_voxel(folder: Path) -> None:
    image, gain = exam()
    kept = image.array.copy()
    segmenter = VolumeSegmenter(folder, threads=1)
    prediction = segmenter.segment(image)
    np.testing.assert_allclose(prediction.probability, gain, atol=1e-5)
    assert prediction.grid == image.grid
    np.testing.assert_array_equal(image.array, kept)
    np.testing.assert_array_equal(segmenter.segment(image).probability, prediction.probability)


def test_another_grid_is_brought_to_the_networks_and_back(folder: Path) -> None:
    image, gain = exam(spacing=(1.0, 1.3, 0.7))
    prediction = VolumeSegmenter(folder, threads=1).segment(image)
    assert prediction.probability.shape == image.grid.shape
    inside = prediction.mask().foreground
    block = gain.copy()
    block[8, 17, 19] = False
    overlap = 2 * (inside & block).sum() / (inside.sum() + block.sum())
    assert overlap > 0.85
    assert any("voxels brought to 5x26x15" in step for step in prediction.provenance.steps)


def test_small_faint_and_other_outlines_are_dropped(tmp_path: Path) -> None:
    image, gain = exam()
    voxel_mm3 = 2.0
    specs = {
        "small": (replace(SPEC, min_volume_mm3=2 * voxel_mm3), OutputSpec()),
        "largest": (SPEC, OutputSpec(largest_only=True)),
        "fraction": (SPEC, OutputSpec(min_area_fraction=2 / gain.size)),
    }
    for name, (spec, output) in specs.items():
        segmenter = VolumeSegmenter(make_bundle(tmp_path / name, spec, output), threads=1)
        (lesion,) = segmenter.segment(image).lesions()
        assert lesion.area_px == 4 * 8 * 8
    kept = make_bundle(tmp_path / "kept", replace(SPEC, min_volume_mm3=voxel_mm3))
    assert len(VolumeSegmenter(kept, threads=1).segment(image).lesions()) == 2
    faint = Image(image.array * np.array([1, 1])[:, None, None, None], image.grid)
    dimmed = faint.array.copy()
    dimmed[1][gain] = dimmed[0][gain] + 40  # a probability of 0.8
    peak = VolumeSegmenter(kept, threads=1, output=OutputSpec(min_score=0.9))
    assert peak.segment(Image(dimmed, image.grid)).lesions() == ()


def test_the_flip_average_and_the_temperature_of_a_symmetric_network(tmp_path: Path) -> None:
    image, gain = exam()
    output = OutputSpec(flip_average=True, temperature=2.0)
    segmenter = VolumeSegmenter(make_bundle(tmp_path / "two", SPEC, output), threads=1)
    prediction = segmenter.segment(image)
    np.testing.assert_array_equal(prediction.mask().foreground, gain)
    assert any("flipped volume" in step for step in prediction.provenance.steps)


def test_what_cannot_be_segmented_is_refused(folder: Path) -> None:
    segmenter = VolumeSegmenter(folder, threads=1)
    image, _ = exam()
    with pytest.raises(GeometryError, match="spacing of its voxels is unknown"):
        segmenter.segment(exam(spacing=None)[0])
    with pytest.raises(InputError, match="exam: 1 channel"):
        segmenter.segment(Image(image.array[:1], image.grid, source="exam"))
    with pytest.raises(GeometryError, match="a volume of"):
        segmenter.segment(Image(image.array[:, 0], Grid((20, 22), (1.0, 1.0))))
    with pytest.raises(InputError, match="trained and measured on mri only"):
        segmenter.segment(replace(image, modality=Modality.ULTRASOUND))
    with pytest.raises(UnsupportedError):
        segmenter.segment(image, Prompt(inside=((1, 1),)))
    with pytest.raises(InputError):
        VolumeSegmenter(folder, threads=-1)
    forced = VolumeSegmenter(folder, threads=1, force=True)
    forced.segment(replace(image, modality=Modality.ULTRASOUND))


def test_a_network_of_another_patch_is_refused(folder: Path) -> None:
    path = folder / "bundle.json"
    table = json.loads(path.read_bytes())
    table["volume"]["patch"] = [4, 8, 10]
    path.write_text(json.dumps(table))
    with pytest.raises(BundleError, match="do not belong together"):
        VolumeSegmenter(folder, threads=1).segment(exam()[0])
