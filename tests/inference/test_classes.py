"""Bundles whose network tells kinds of lesion apart."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breastseg.core import (
    Bundle,
    Fit,
    InputSpec,
    Intensity,
    Modality,
    OutputSpec,
    PlattScaling,
    malignancy_of,
)
from breastseg.core.errors import BundleError
from breastseg.inference.bundle_folder import MODEL, read_bundle, sha256_of, write_bundle_json
from breastseg.inference.classes import classes_to_image_grid, tempered_classes
from breastseg.inference.onnx_segmenter import OnnxSegmenter
from breastseg.inference.temperature import tempered
from breastseg.preprocess.geometry import Placement
from breastseg.preprocess.prepare import prepare

SPEC = InputSpec((32, 32), Intensity.UNIT)
# Logits of background, benign, malignant as a line in the grey level x: dark is background, middle
# benign, bright malignant; benign also looks to the left, so that a flipped image differs.
SLOPES, OFFSETS = (-20.0, 0.0, 20.0), (5.0, 0.0, -14.0)


def write_network(path: Path, outputs: int = 3) -> None:
    onnx = pytest.importorskip("onnx")
    helper, numpy_helper, kind = onnx.helper, onnx.numpy_helper, onnx.TensorProto.FLOAT
    kernels = np.zeros((outputs, 1, 3, 3), np.float32)
    kernels[:, 0, 1, 1] = SLOPES[:outputs]
    kernels[1, 0, 1, 0] = 1.0
    constants = [
        numpy_helper.from_array(kernels, "kernels"),
        numpy_helper.from_array(np.array(OFFSETS[:outputs], np.float32), "offsets"),
    ]
    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["image", "kernels", "offsets"], ["raw"], pads=[1, 1, 1, 1]),
            helper.make_node("Softmax", ["raw"], ["probability"], axis=1),
        ],
        "classes",
        [helper.make_tensor_value_info("image", kind, ["N", 1, *SPEC.size])],
        [helper.make_tensor_value_info("probability", kind, ["N", outputs, *SPEC.size])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    path.write_bytes(model.SerializeToString())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_network(tmp_path / MODEL)
    bundle = Bundle(
        name="classes",
        version="1.0",
        modality=Modality.ULTRASOUND,
        summary="one convolution",
        network="one convolution",
        weights_sha256=sha256_of(tmp_path / MODEL),
        input=SPEC,
        labels={1: "benign", 2: "malignant"},
        malignancy=PlattScaling(2.0, 0.5),
    )
    write_bundle_json(tmp_path, bundle)
    return tmp_path


def scan(shape=(50, 64)):
    """A benign square on the left and a larger malignant one on the right; and where they are."""
    array = np.zeros(shape, np.uint8)
    benign = slice(10, 22), slice(6, 20)
    malignant = slice(24, 44), slice(30, 56)
    array[benign], array[malignant] = 120, 255
    return array, benign, malignant


def test_a_bundle_with_classes_is_read_as_it_was_written(folder):
    bundle = read_bundle(folder)
    assert bundle.labels == {1: "benign", 2: "malignant"}
    assert bundle.malignancy == PlattScaling(2.0, 0.5)


@pytest.mark.parametrize("fit", list(Fit))
def test_each_lesion_has_its_class_where_the_image_has_it(folder, picture, fit):
    write_bundle_json(folder, replace(read_bundle(folder), input=replace(SPEC, fit=fit)))
    array, benign, malignant = scan()
    prediction = OnnxSegmenter(folder, threads=1).segment(picture(array))
    mask = prediction.mask()
    assert mask.names == {1: "benign", 2: "malignant"}
    assert set(np.unique(mask.labels[12:20, 9:17])) == {1}
    assert set(np.unique(mask.labels[28:40, 34:52])) == {2}
    outlined = np.zeros(array.shape, bool)
    outlined[benign] = outlined[malignant] = True
    both = 2 * (mask.foreground & outlined).sum() / (mask.foreground.sum() + outlined.sum())
    assert both > 0.85


def test_the_classes_add_up_to_the_probability(folder, picture):
    prediction = OnnxSegmenter(folder, threads=1).segment(picture(scan()[0]))
    assert prediction.class_probability.shape == (2, 50, 64)
    assert prediction.class_names == ("benign", "malignant")
    total = prediction.class_probability.sum(axis=0)
    assert np.allclose(total, prediction.probability, atol=1e-6)


def test_the_malignancy_is_scaled_as_the_bundle_says(folder, picture):
    prediction = OnnxSegmenter(folder).segment(picture(scan()[0]))
    plain = malignancy_of(prediction)
    # 20 x 26 of 20 x 26 + 12 x 14 outlined pixels are malignant
    assert plain == pytest.approx(520 / 688, abs=0.1)
    assert prediction.malignancy == pytest.approx(PlattScaling(2.0, 0.5)(plain))
    assert "malignancy scaled by slope 2, intercept 0.5" in prediction.provenance.steps
    assert "classes: benign, malignant" in prediction.provenance.steps
    empty = OnnxSegmenter(folder).segment(picture(np.zeros((20, 30), np.uint8)))
    assert empty.mask().is_empty
    assert empty.malignancy is None


def test_a_rejected_outline_is_lowered_in_every_class(folder, picture):
    array, benign, _ = scan()
    output = OutputSpec(largest_only=True)
    prediction = OnnxSegmenter(folder, output=output).segment(picture(array))
    assert not prediction.mask().foreground[benign].any()
    assert prediction.class_probability[0][benign].max() < 0.5
    assert prediction.malignancy > OnnxSegmenter(folder).segment(picture(array)).malignancy


def test_the_networks_own_maps_have_the_background_first(folder, picture):
    segmenter = OnnxSegmenter(folder, threads=1)
    batch, _ = prepare(picture(scan()[0]), SPEC)
    maps = segmenter.class_probabilities(batch[None])
    assert maps.shape == (1, 3, 32, 32)
    assert np.allclose(maps.sum(axis=1), 1, atol=1e-6)
    assert np.array_equal(segmenter.probabilities(batch[None]), 1 - maps[:, 0])


def test_flip_averaging_makes_flipped_images_give_flipped_classes(folder, picture):
    segmenter = OnnxSegmenter(folder, threads=1, output=OutputSpec(flip_average=True))
    array = np.random.default_rng(0).integers(0, 256, (32, 32)).astype(np.uint8)
    straight = segmenter.segment(picture(array)).class_probability
    flipped = segmenter.segment(picture(array[:, ::-1])).class_probability
    assert np.allclose(flipped[..., ::-1], straight, atol=1e-6)


def test_a_batch_gives_what_each_image_gives_alone(folder, picture):
    segmenter = OnnxSegmenter(folder, threads=1)
    images = [picture(scan()[0]), picture(scan((70, 60))[0])]
    for image, together in zip(images, segmenter.segment_batch(images), strict=True):
        alone = segmenter.segment(image)
        assert np.array_equal(together.class_probability, alone.class_probability)
        assert together.malignancy == alone.malignancy


@pytest.mark.parametrize("labels", [{1: "lesion"}, {1: "benign", 2: "malignant", 3: "cyst"}])
def test_labels_of_another_network_are_refused(folder, picture, labels):
    write_bundle_json(folder, replace(read_bundle(folder), labels=labels, malignancy=None))
    with pytest.raises(BundleError, match="do not belong together"):
        OnnxSegmenter(folder).segment(picture(scan()[0]))


def test_a_temperature_of_1_changes_nothing():
    maps = np.random.default_rng(0).dirichlet((1, 1, 1), (2, 5)).astype(np.float32)
    maps = np.moveaxis(maps, -1, 1)
    assert tempered_classes(maps, 1) is maps


def test_tempered_classes_by_hand():
    maps = np.array([[0.1, 0.1, 0.8]], np.float32)
    roots = np.sqrt(maps)
    assert np.allclose(tempered_classes(maps, 2), roots / roots.sum())


@settings(max_examples=30, deadline=None, derandomize=True)
@given(seed=st.integers(0, 1000), temperature=st.floats(0.1, 10))
def test_two_classes_are_tempered_as_one_probability(seed, temperature):
    p = np.random.default_rng(seed).uniform(0.01, 0.99, (1, 50)).astype(np.float32)
    both = tempered_classes(np.stack([1 - p, p], axis=1), temperature)
    assert np.allclose(both[:, 1], tempered(p, temperature), atol=1e-5)
    assert np.allclose(both.sum(axis=1), 1, atol=1e-6)


def test_classes_of_nothing_share_alike():
    placement = Placement.of((4, 4), (8, 8), Fit.STRETCH)
    probability = np.full((4, 4), 0.4, np.float32)
    maps = classes_to_image_grid(np.zeros((2, 8, 8), np.float32), placement, probability)
    assert np.allclose(maps, 0.2)
