"""A scan gives one mask, in whichever of the 48 ways its file stores the axes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from breastseg.core import Bundle, Case, Grid, Image, Mask, Modality, OutputSpec, VolumeSpec
from breastseg.data.phantoms.volume import volume_phantom
from breastseg.inference.bundle_folder import MODEL, sha256_of, write_bundle_json
from breastseg.inference.methods import bundle_folder
from breastseg.inference.study import segment_study
from breastseg.inference.volume_ensemble import VolumeEnsemble
from breastseg.inference.volume_segmenter import VolumeSegmenter

from ..preprocess.test_orientation import EVERY, tilted

SPEC = VolumeSpec(
    patch=(8, 16, 16), spacing_mm=(2.0, 1.0, 1.2), channels=2, percentiles=(0.0, 100.0), overlap=0.5
)
SPACING_MM = (2.3, 0.9, 1.1)
SHAPE = (13, 30, 22)


def lopsided_bundle(folder: Path, spec: VolumeSpec) -> VolumeSegmenter:
    """What the second phase has more than the first, smeared to one side along each axis."""
    onnx = pytest.importorskip("onnx")
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    kernel = np.zeros((1, 2, 3, 5, 5), np.float32)
    kernel[0, 1, 0, 2, 2], kernel[0, 1, 1, 4, 2], kernel[0, 1, 1, 2, 3] = 0.5, 0.4, 0.35
    kernel[0, 0] = -kernel[0, 1]
    constants = [
        onnx.numpy_helper.from_array(kernel, "kernel"),
        onnx.numpy_helper.from_array(np.float32(0), "low"),
        onnx.numpy_helper.from_array(np.float32(1), "high"),
    ]
    nodes = [
        helper.make_node("Conv", ["image", "kernel"], ["raw"], pads=[1, 2, 2, 1, 2, 2]),
        helper.make_node("Clip", ["raw", "low", "high"], ["probability"]),
    ]
    graph = helper.make_graph(
        nodes,
        "lopsided",
        [helper.make_tensor_value_info("image", kind, ["N", 2, *spec.patch])],
        [helper.make_tensor_value_info("probability", kind, ["N", 1, *spec.patch])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    folder.mkdir()
    (folder / MODEL).write_bytes(model.SerializeToString())
    bundle = Bundle(
        name="lopsided",
        version="1.0",
        modality=Modality.MRI,
        summary="what enhances, moved",
        network="one convolution",
        weights_sha256=sha256_of(folder / MODEL),
        output=OutputSpec(threshold=0.3, largest_only=True),
        volume=spec,
    )
    write_bundle_json(folder, bundle)
    return VolumeSegmenter(folder, threads=1)


def exam() -> Image:
    """Two phases on an oblique grid; an L-shaped block enhances, unlike itself in any mirror."""
    generator = np.random.default_rng(5)
    phases = generator.integers(90, 110, (2, *SHAPE)).astype(np.int16)
    phases[1, 3:8, 8:20, 5:12] += 900
    phases[1, 3:5, 8:14, 12:17] += 900
    direction = tuple(tilted().ravel().tolist())
    return Image(phases, Grid(SHAPE, SPACING_MM, (10.0, -20.0, 30.0), direction), Modality.MRI)


def stored_in_every_way(image: Image) -> list[Image]:
    return [
        replace(image, array=way.apply(image.array), grid=way.grid(image.grid)) for way in EVERY
    ]


def asymmetric(mask: NDArray[np.bool_]) -> bool:
    """Whether no mirror image, moved or not, is the mask itself."""
    where = np.argwhere(mask)
    cut = mask[tuple(slice(a, b + 1) for a, b in zip(where.min(0), where.max(0), strict=True))]
    return all(not np.array_equal(cut, np.flip(cut, axis)) for axis in range(3))


@pytest.mark.parametrize("orientation", ["SPL", "RAI"])
@pytest.mark.parametrize("several", [False, True])
def test_one_mask_however_the_axes_are_stored(
    tmp_path: Path, orientation: str, several: bool
) -> None:
    one = lopsided_bundle(tmp_path / "a", replace(SPEC, orientation=orientation))
    method = one
    if several:  # whose members were trained in different orientations
        other = lopsided_bundle(tmp_path / "b", replace(SPEC, orientation="LSP"))
        method = VolumeEnsemble([one, other])  # type: ignore[assignment]
    image = exam()
    expected = method.segment(image)
    assert expected.mask().foreground.sum() > 200
    assert asymmetric(expected.mask().foreground)
    for way, given in zip(EVERY, stored_in_every_way(image), strict=True):
        found = method.segment(given)
        assert found.grid == given.grid
        np.testing.assert_array_equal(way.undo(found.probability), expected.probability)


def test_the_steps_for_an_examination_do_not_depend_on_it_either(tmp_path: Path) -> None:
    method = lopsided_bundle(tmp_path / "a", SPEC)
    image = exam()
    expected = segment_study(method, image, correct_bias=True, within_breast=True)
    assert expected.mask().foreground.any()
    for way, given in list(zip(EVERY, stored_in_every_way(image), strict=True))[::5]:
        found = segment_study(method, given, correct_bias=True, within_breast=True)
        np.testing.assert_array_equal(way.undo(found.probability), expected.probability)


def test_the_bundled_network_sees_the_patient_and_not_the_file() -> None:
    method = VolumeSegmenter(bundle_folder("mri-phantom"), threads=1)
    image = volume_phantom(3, shape=(16, 64, 64), phases=2).images[0]
    expected = method.segment(image).mask().foreground
    assert expected.any()
    for way, given in list(zip(EVERY, stored_in_every_way(image), strict=True))[5::13]:
        np.testing.assert_array_equal(way.undo(method.segment(given).mask().foreground), expected)


@pytest.mark.train
def test_training_sees_the_same_volume() -> None:
    pytest.importorskip("torch")
    from breastseg.training.volume.sampler import prepare_case

    image = exam()
    lesion = image.array[1] > 500
    expected = prepare_case(Case("c", "p", (image,), Mask(lesion, image.grid)), SPEC)
    assert expected.truth.any()
    for way, given in zip(EVERY, stored_in_every_way(image), strict=True):
        found = prepare_case(Case("c", "p", (given,), Mask(way.apply(lesion), given.grid)), SPEC)
        np.testing.assert_array_equal(found.channels, expected.channels)
        np.testing.assert_array_equal(found.lesion, expected.lesion)
        np.testing.assert_array_equal(found.truth, expected.truth)
