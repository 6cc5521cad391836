"""Quantised networks: what they compute, what is written, and what it says of itself."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from breastseg.core import (
    Bundle,
    Case,
    Grid,
    Image,
    InputSpec,
    Intensity,
    Mask,
    Modality,
    Prediction,
    Provenance,
)
from breastseg.core.errors import BundleError, DataSetError
from breastseg.core.measured import Measured
from breastseg.export import quantise
from breastseg.export.onnx import export_onnx
from breastseg.export.parity import seeded_inputs
from breastseg.export.quantise import (
    Activations,
    Quantisation,
    Range,
    Sample,
    quantise_bundle,
    quantise_network,
)
from breastseg.export.quantise_cost import measured_cost
from breastseg.inference.bundle_folder import (
    read_bundle,
    read_measured,
    sha256_of,
    write_bundle_json,
    write_measured,
)
from breastseg.inference.methods import bundle_folder
from breastseg.inference.onnx_segmenter import OnnxSegmenter
from breastseg.inference.session import OnnxNetwork
from breastseg.networks import onnx_storage as storage
from breastseg.networks.onnx_storage import widen_weights
from breastseg.networks.unet2015 import UNet2015

pytestmark = pytest.mark.train

SPEC = InputSpec((32, 32), Intensity.UNIT)
INPUTS = seeded_inputs(SPEC, 6)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of a seeded U-Net, its weights stored as float16."""
    with torch.random.fork_rng():
        torch.manual_seed(5)
        network = UNet2015(in_channels=1, out_channels=1, base_width=8, depth=2)
        network.train()
        with torch.no_grad():
            for _ in range(20):
                network(torch.from_numpy(INPUTS))
    made = tmp_path_factory.mktemp("bundles") / "tiny"
    made.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(storage, "SMALLEST_STORED", 256)
        export_onnx(network.eval(), SPEC, made / "model.onnx", {"name": "tiny"})
    bundle = Bundle(
        name="tiny",
        version="1.0",
        modality=Modality.UNKNOWN,
        summary="seeded",
        network="U-Net",
        weights_sha256=sha256_of(made / "model.onnx"),
        input=SPEC,
        remarks=("old remark",),
    )
    write_bundle_json(made, bundle)
    results = {"val": {"protocol": "as said", "dice": 0.5}}
    write_measured(made, Measured(bundle.weights_sha256, results))
    (made / "recipe.toml").write_text('name = "tiny"\n')
    return made


def cases(inputs: NDArray[np.float32] = INPUTS) -> Iterator[Case]:
    for number, (array,) in enumerate(inputs):
        image = Image(array[None], Grid(array.shape))
        yield Case(f"c{number}", f"p{number}", (image,), Mask(array > 0.7, image.grid))


@pytest.fixture(scope="module")
def made(folder: Path) -> tuple[Path, Bundle]:
    out = folder.parent / "tiny-int8"
    calibration = Sample("6 images", cases())
    return out, quantise_bundle(folder, out, calibration, Sample("the same", cases()))


def test_it_computes_nearly_the_same_with_a_fraction_of_the_bytes(
    folder: Path, made: tuple[Path, Bundle], tmp_path: Path
) -> None:
    fresh = seeded_inputs(SPEC, 4, seed=9)
    wanted = OnnxNetwork(folder / "model.onnx", SPEC, 1)(fresh)
    found = OnnxNetwork(made[0] / "model.onnx", SPEC, 1)(fresh)
    assert 0 < np.abs(found - wanted).mean() < 0.01
    model = onnx.load(folder / "model.onnx")
    widen_weights(model.graph)
    onnx.save(model, tmp_path / "full.onnx")
    sizes = [p.stat().st_size for p in (made[0] / "model.onnx", tmp_path / "full.onnx")]
    assert sizes[0] < 0.5 * sizes[1]


def kinds_of(path: Path) -> list[int]:
    """The type in which each convolution's weights are stored, in order."""
    graph = onnx.load(path).graph
    stored = {t.name: t for t in graph.initializer}
    by_output = {name: node for node in graph.node for name in node.output}
    convolutions = [node for node in graph.node if node.op_type == "Conv"]
    kinds = []
    for node in convolutions:
        weight = stored.get(node.input[1])
        if weight is None:
            weight = stored[by_output[node.input[1]].input[0]]
            scale = numpy_helper.to_array(stored[by_output[node.input[1]].input[1]])
            assert scale.shape == (weight.dims[0],)
        kinds.append(weight.data_type)
    return kinds


def test_weights_are_int8_by_channel_but_those_of_the_first_and_last_convolution(
    made: tuple[Path, Bundle],
) -> None:
    kinds = kinds_of(made[0] / "model.onnx")
    assert set(kinds[1:-1]) == {TensorProto.INT8}
    assert kinds[0] == kinds[-1] == TensorProto.FLOAT


def test_the_first_depthwise_block_stays_in_float(tmp_path: Path) -> None:
    """In 8 bits it moved every probability of a lesion down: .03 to .09 of Dice."""
    folder = bundle_folder("ultrasound-fast")
    inputs = seeded_inputs(read_bundle(folder).input, 1)
    quantise_network(folder / "model.onnx", tmp_path / "q.onnx", [inputs], Quantisation())
    kinds = kinds_of(tmp_path / "q.onnx")
    assert set(kinds[:3]) == {TensorProto.FLOAT}
    assert set(kinds[3:-1]) == {TensorProto.INT8}


@pytest.mark.parametrize(
    "plan",
    [
        Quantisation(activations=Activations.INT8, float_first=False),
        Quantisation(range=Range.ENTROPY, seven_bits=True),
        Quantisation(range=Range.PERCENTILE, float_last=False),
    ],
    ids=["int8 and first", "entropy, 7 bits", "percentile and last"],
)
def test_every_way_runs_in_silence(
    plan: Quantisation, folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    handlers, level = list(logging.root.handlers), logging.root.manager.disable
    inputs = [array[None] for array in INPUTS[:3]]
    quantise_network(folder / "model.onnx", tmp_path / "q.onnx", iter(inputs), plan)
    assert capfd.readouterr() == ("", "")
    assert (logging.root.handlers, logging.root.manager.disable) == (handlers, level)
    found = OnnxNetwork(tmp_path / "q.onnx", SPEC, 1)(INPUTS)
    wanted = OnnxNetwork(folder / "model.onnx", SPEC, 1)(INPUTS)
    assert np.abs(found - wanted).mean() < 0.03
    assert (len(np.unique(found)) <= 256) is not plan.float_last
    quantise_network(folder / "model.onnx", tmp_path / "again.onnx", iter(inputs), plan)
    assert sha256_of(tmp_path / "again.onnx") == sha256_of(tmp_path / "q.onnx")


def test_widened_weights_compute_the_same_bits(folder: Path, tmp_path: Path) -> None:
    model = onnx.load(folder / "model.onnx")
    assert any(node.op_type == "Cast" for node in model.graph.node)
    widen_weights(model.graph)
    assert not any(node.op_type == "Cast" for node in model.graph.node)
    onnx.save(model, tmp_path / "wide.onnx")
    first, second = (
        OnnxNetwork(path, SPEC, 1)(INPUTS)
        for path in (folder / "model.onnx", tmp_path / "wide.onnx")
    )
    assert np.array_equal(first, second)


def test_the_bundle_says_what_was_done_and_what_it_cost(
    folder: Path, made: tuple[Path, Bundle]
) -> None:
    out, bundle = made
    assert bundle.name == "tiny-int8"
    assert bundle.weights_sha256 == sha256_of(out / "model.onnx")
    results = read_measured(out, bundle).results
    assert list(results) == ["int8", "val, float network"]
    figures = results["int8"]
    assert "Calibrated on 6 images; scored on the same" in str(figures["protocol"])
    assert figures["int8, lesion images/images"] == 6
    assert float(figures["int8 megabytes"]) < float(figures["float megabytes"]) * 2
    assert bundle.remarks[0].startswith("The network is tiny 1.0 (SHA-256 ")
    assert bundle.remarks[1:] == ("old remark",)
    card = (out / "MODEL_CARD.md").read_text()
    assert "### int8" in card
    assert "| float, lesion images | 6 |" in card
    assert "int8 weights by channel, uint8 activations by minmax" in card
    assert (out / "recipe.toml").read_bytes() == (folder / "recipe.toml").read_bytes()
    metadata = onnx.load(out / "model.onnx").metadata_props
    assert {p.key: p.value for p in metadata} == {"name": "tiny"}
    OnnxSegmenter(out, 1).segment(next(cases()).images[0])


def test_without_a_check_the_bundle_says_that_there_was_none(folder: Path, tmp_path: Path) -> None:
    bundle = quantise_bundle(folder, tmp_path / "q", Sample("x", cases()), name="mine")
    assert bundle.name == "mine"
    results = read_measured(tmp_path / "q", bundle).results
    assert "not scored on any" in str(results["int8"]["protocol"])
    with pytest.raises(BundleError, match="exists"):
        quantise_bundle(folder, tmp_path / "q", Sample("x", cases()))


def test_a_network_that_tells_kinds_apart(folder: Path, tmp_path: Path) -> None:
    classed = tmp_path / "classed"
    classed.mkdir()
    with torch.random.fork_rng():
        torch.manual_seed(5)
        network = UNet2015(in_channels=1, out_channels=3, base_width=8, depth=2).eval()
    export_onnx(network, SPEC, classed / "model.onnx")
    bundle = replace(
        read_bundle(folder),
        weights_sha256=sha256_of(classed / "model.onnx"),
        labels={1: "benign", 2: "malignant"},
    )
    write_bundle_json(classed, bundle)
    write_measured(classed, Measured(bundle.weights_sha256, {}))
    made = quantise_bundle(classed, tmp_path / "q", Sample("x", cases()))
    assert made.labels == bundle.labels
    image = next(cases()).images[0]
    one, other = (OnnxSegmenter(at, 1).segment(image) for at in (classed, tmp_path / "q"))
    assert np.abs(one.probability - other.probability).max() < 0.05


def test_a_network_that_computes_something_else_is_refused(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quantise, "TOLERANCE", 0.0)
    with pytest.raises(BundleError, match="differ by"):
        quantise_bundle(folder, tmp_path / "q", Sample("x", cases()))
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_quantised_leaves_nothing(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "made" / "q"
    with pytest.raises(BundleError, match="cannot be quantised"):
        quantise_bundle(folder, out, Sample("none", ()))
    blind = Case("c", "p", (next(cases()).images[0],))
    with pytest.raises(DataSetError, match="without ground truth"):
        quantise_bundle(folder, out, Sample("x", cases()), Sample("blind", [blind]))
    assert not list((tmp_path / "made").iterdir())
    value = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", 1, 32, 32])
    other = helper.make_tensor_value_info("probability", TensorProto.FLOAT, ["N", 1, 32, 32])
    node = helper.make_node("Sigmoid", ["image"], ["probability"])
    model = helper.make_model(
        helper.make_graph([node], "g", [value], [other]),
        opset_imports=[helper.make_opsetid("", 18)],
        ir_version=10,
    )
    onnx.save(model, tmp_path / "plain.onnx")
    with pytest.raises(BundleError, match="no convolution"):
        quantise_network(tmp_path / "plain.onnx", tmp_path / "q.onnx", [], Quantisation())


class _Fixed:
    """Says the same probability wherever the image is bright."""

    def __init__(self, probability: float) -> None:
        self.name = "fixed"
        self._probability = probability

    def segment(self, image: Image, prompt: object = None) -> Prediction:
        bright = np.asarray(image.array[0] > 0, np.float32)
        return Prediction(bright * self._probability, image.grid, Provenance("fixed", "1"))


def test_the_cost_by_hand() -> None:
    grid = Grid((4, 4))
    picture = np.zeros((1, 4, 4), np.float32)
    picture[0, :2] = 1
    lesion = Case("a", "a", (Image(picture, grid),), Mask(picture[0] > 0, grid))
    normal = Case("b", "b", (Image(picture, grid),), Mask(np.zeros((4, 4), bool), grid))
    figures = measured_cost(_Fixed(0.75), _Fixed(0.25), iter([lesion, normal, lesion]))
    assert figures == {
        "float, lesion images/images": 2,
        "float, lesion images/dice": 1,
        "float, lesion images/fraction_outlined": 1,
        "float, normal images/images": 1,
        "float, normal images/fraction_outlined": 1,
        "int8, lesion images/images": 2,
        "int8, lesion images/dice": 0,
        "int8, lesion images/fraction_outlined": 0,
        "int8, normal images/images": 1,
        "int8, normal images/fraction_outlined": 0,
        "Dice between the two masks": 0,
        "mean absolute difference of a probability": 0.25,
    }
    unknown = Mask(2 * (picture[0] > 0).astype(np.uint8), grid, {2: "ignore"})
    figures = measured_cost(_Fixed(1), _Fixed(1), [replace(normal, mask=unknown)])
    assert figures["int8, normal images/fraction_outlined"] == 0
    with pytest.raises(DataSetError, match="no case"):
        measured_cost(_Fixed(1), _Fixed(1), ())
