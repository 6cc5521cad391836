"""Means of networks and views, on networks small enough to compute by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from breastseg.core import Fit, Image, InputSpec, Intensity, Modality, OutputSpec, Prompt, Segmenter
from breastseg.core.errors import BundleError, InputError, UnsupportedError
from breastseg.inference.bundle_folder import read_bundle, sha256_of, write_bundle_json
from breastseg.inference.ensemble import Ensemble
from breastseg.inference.methods import MethodSpec
from breastseg.inference.onnx_segmenter import OnnxSegmenter
from breastseg.inference.stream import segment_stream
from breastseg.inference.uncertainty import Measure
from breastseg.inference.views import FLIPS, View

MEAN = np.full((3, 3), 1 / 9, np.float32)
SHIFT_RIGHT = np.array([[0, 0, 0], [1, 0, 0], [0, 0, 0]], np.float32)
Make = Callable[..., Path]
Picture = Callable[..., Image]
NOISE = np.random.default_rng(0).integers(0, 256, (40, 50)).astype(np.uint8)


def test_one_network_with_its_own_views_predicts_what_it_predicts_alone(
    make_tiny: Make, picture: Picture
) -> None:
    for number, flip in enumerate((False, True)):
        output = OutputSpec(0.6, 0.7, flip_average=flip, temperature=1.5)
        alone = OnnxSegmenter(make_tiny(output=output, kernel=SHIFT_RIGHT, name=f"n{number}"), 1)
        ensemble = Ensemble([alone])
        assert isinstance(ensemble, Segmenter)
        one, other = alone.segment(picture(NOISE)), ensemble.segment(picture(NOISE))
        assert np.allclose(one.probability, other.probability, atol=1e-6)
        assert (other.threshold, other.grid) == (0.6, one.grid)
        assert one.uncertainty is None
        assert other.uncertainty is not None
        assert ensemble.name == alone.name
        assert other.provenance.weights_sha256 == alone.bundle.weights_sha256


def test_the_mean_and_the_contradiction_of_two_networks(make_tiny: Make, picture: Picture) -> None:
    array = np.zeros((32, 32), np.uint8)
    array[10:20, 10:20] = 255
    plain = OnnxSegmenter(make_tiny(name="a"), 1)
    moved = OnnxSegmenter(make_tiny(name="b", kernel=SHIFT_RIGHT), 1)
    found = Ensemble([plain, moved], measure=Measure.DEVIATION).segment(picture(array))
    assert found.uncertainty is not None
    assert (found.probability[10:20, 10] == 0.5).all()
    assert (found.uncertainty[10:20, 10] == 1).all()
    assert (found.probability[10:20, 11:20] == 1).all()
    assert found.uncertainty[10:20, 11:20].max() == 0
    assert found.provenance.segmenter == "a+b"
    assert found.provenance.version == "1.0+1.0"
    assert found.provenance.parameters["uncertainty"] == "deviation"
    assert len(found.provenance.weights_sha256 or "") == 64
    json.dumps(found.provenance.as_dict())


def test_networks_of_different_sizes_and_fits_meet_on_the_image(
    make_tiny: Make, picture: Picture
) -> None:
    specs = [
        InputSpec((32, 32), Intensity.UNIT),
        InputSpec((64, 64), Intensity.UNIT, Fit.PAD),
        InputSpec((48, 48), Intensity.UNIT, channels=3),
    ]
    array = np.zeros((90, 120), np.uint8)
    array[30:60, 40:90] = 255
    members = [OnnxSegmenter(make_tiny(s, name=f"s{i}"), 1) for i, s in enumerate(specs)]
    maps, frame = Ensemble(members).members(picture(array))
    assert maps.shape == (3, 64, 64)
    assert frame.size == (64, 64)
    for values in maps:
        outline = frame.backward(values) >= 0.5
        assert (outline & (array > 0)).sum() > 0.9 * (array > 0).sum()
        assert outline.sum() < 1.1 * (array > 0).sum()


def test_views_are_undone_before_the_mean(make_tiny: Make, picture: Picture) -> None:
    array = np.zeros((32, 32), np.uint8)
    array[4:20, 3:15] = 200
    array[0, 0] = 255
    network = OnnxSegmenter(make_tiny(), 1)
    views = [View(a, b, gamma) for a in (False, True) for b in (False, True) for gamma in (1, 2)]
    maps, _ = Ensemble([network], views).members(picture(array))
    unit = array.astype(np.float32) / 255
    for view, values in zip(views, maps, strict=True):
        assert np.allclose(values, unit**view.gamma, atol=1e-6)


def classifying(folder: Path, slopes: tuple[float, float]) -> Path:
    """Make a tiny bundle one of two classes, whose logits rise with the grey level."""
    from onnx import TensorProto, helper, numpy_helper

    weights = np.array([0, *slopes], np.float32).reshape(3, 1, 1, 1)
    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["image", "kernel"], ["logits"]),
            helper.make_node("Softmax", ["logits"], ["probability"], axis=1),
        ],
        "classes",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", 1, 32, 32])],
        [helper.make_tensor_value_info("probability", TensorProto.FLOAT, ["N", 3, 32, 32])],
        [numpy_helper.from_array(weights, "kernel")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    bundle = replace(
        read_bundle(folder, verify=False),
        labels={1: "benign", 2: "malignant"},
        weights_sha256=sha256_of(folder / "model.onnx"),
    )
    write_bundle_json(folder, bundle)
    return folder


def test_classes_are_averaged_as_well(make_tiny: Make, picture: Picture) -> None:
    one = OnnxSegmenter(classifying(make_tiny(name="one"), (4, 2)), 1)
    two = OnnxSegmenter(classifying(make_tiny(name="two"), (1, 3)), 1)
    alone = [network.segment(picture(NOISE)).class_probability for network in (one, two)]
    found = Ensemble([one, two]).segment(picture(NOISE))
    assert found.class_names == ("benign", "malignant")
    assert found.class_probability is not None
    assert alone[0] is not None
    assert alone[1] is not None
    assert np.allclose(found.class_probability, (alone[0] + alone[1]) / 2, atol=1e-5)
    assert found.uncertainty is not None
    assert found.malignancy is not None
    with pytest.raises(InputError, match="same classes"):
        Ensemble([one, OnnxSegmenter(make_tiny(name="other"), 1)])


def test_temperatures_are_applied_member_by_member(make_tiny: Make, picture: Picture) -> None:
    array = np.linspace(0, 255, 1024).reshape(32, 32)
    warm = OnnxSegmenter(make_tiny(output=OutputSpec(temperature=4), name="warm"), 1)
    cold = OnnxSegmenter(make_tiny(name="cold"), 1)
    maps, _ = Ensemble([warm, cold]).members(picture(array))
    assert np.abs(maps[0] - 0.5).max() < np.abs(maps[1] - 0.5).max()
    middle = slice(4, 28)
    logit = [np.log(m[middle] / (1 - m[middle])) for m in maps]
    assert np.allclose(logit[0] * 4, logit[1], atol=1e-3)
    steps = warm.segment(picture(array)).provenance.steps
    assert "logits divided by 4" in steps


def test_an_older_bundle_reads_unchanged_and_a_wrong_temperature_is_refused(
    make_tiny: Make,
) -> None:
    folder = make_tiny()
    path = folder / "bundle.json"
    content = json.loads(path.read_text())
    del content["output"]["temperature"]
    path.write_text(json.dumps(content))
    assert read_bundle(folder).output.temperature == 1
    content["output"]["temperature"] = 0.0
    path.write_text(json.dumps(content))
    with pytest.raises(BundleError, match="temperature"):
        read_bundle(folder)


def test_threads_are_handed_on_and_a_stream_uses_them(make_tiny: Make, picture: Picture) -> None:
    ensemble = Ensemble([OnnxSegmenter(make_tiny(kernel=MEAN), 2)], FLIPS)
    assert (ensemble.threads, ensemble.on_one_core().threads) == (2, 1)
    images = [picture(np.roll(NOISE, i)) for i in range(3)]
    done = list(segment_stream(ensemble, images, lambda image: image))
    for image, one in zip(images, done, strict=True):
        assert not isinstance(one.result, Exception)
        expected = ensemble.segment(image)
        assert np.array_equal(one.result.probability, expected.probability)
        assert one.result.uncertainty is not None


def test_what_does_not_fit_is_refused(make_tiny: Make, picture: Picture) -> None:
    first, second = make_tiny(name="a"), make_tiny(name="b")
    network = OnnxSegmenter(first, 1)
    with pytest.raises(InputError, match="0 networks"):
        Ensemble([])
    with pytest.raises(InputError, match="at least one view"):
        Ensemble([network], [])
    with pytest.raises(UnsupportedError, match="prompt"):
        Ensemble([network]).segment(picture(NOISE), Prompt(inside=((1, 1),)))
    with pytest.raises(InputError, match="modality"):
        Ensemble([network]).segment(picture(NOISE, Modality.MRI))
    write_bundle_json(second, replace(read_bundle(second), modality=Modality.MRI))
    with pytest.raises(InputError, match="mri, ultrasound"):
        Ensemble([network, OnnxSegmenter(second, 1)])


def test_a_plus_joins_networks_by_name_or_folder(make_tiny: Make, picture: Picture) -> None:
    a, b = make_tiny(name="a"), make_tiny(name="b")
    spec = MethodSpec.parse(f"{a}+{b}")
    assert spec.label == "a+b"
    opened = spec.open(threads=1)
    assert isinstance(opened, Ensemble)
    assert opened.name == "a+b"
    info = spec.info()
    assert (info.name, info.kind, info.source) == ("a+b", "network", "none")
    for wrong, match in ((f"{a}+", "NAME[+]NAME"), (f"{a}+nosuch", "nosuch")):
        with pytest.raises((InputError, BundleError), match=match):
            MethodSpec.parse(wrong).open()
    with pytest.raises((InputError, BundleError)):
        MethodSpec.parse(f"{a}+otsu").open()


def test_a_folder_with_a_plus_in_its_name_is_one_network(make_tiny: Make) -> None:
    folder = make_tiny(name="a")
    twin = folder.rename(folder.with_name("a+b"))
    assert MethodSpec.parse(str(twin)).label == "a+b"
    assert isinstance(MethodSpec.parse(str(twin)).open(1), OnnxSegmenter)
