import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

import onnx
import torch
from onnx import numpy_helper
from torch import nn

from breastseg.core import Grid, Image, InputSpec, Intensity, Modality, OutputSpec, Prompt
from breastseg.core.errors import BreastsegError, BundleError
from breastseg.export.bundle import About, Making, make_bundle, without_machine
from breastseg.export.onnx import export_onnx
from breastseg.export.parity import TOLERANCE, parity, seeded_inputs
from breastseg.export.quantise import Sample, quantise_bundle
from breastseg.inference.bundle_folder import CARD, read_bundle, read_measured
from breastseg.inference.onnx_segmenter import OnnxSegmenter
from breastseg.inference.session import OnnxNetwork
from breastseg.networks import onnx_storage as storage
from breastseg.networks.catalogue import build_network
from breastseg.networks.even_brightness import EvenBrightness
from breastseg.networks.onnx_storage import rounded, store_weights, widen_weights
from breastseg.networks.recipe import EncoderUNetRecipe, NetworkRecipe, UNet2015Recipe
from breastseg.networks.weights import save_network_weights

pytestmark = pytest.mark.train

SPEC = InputSpec((64, 64), Intensity.SYMMETRIC)
SMALLEST = 256  # so that a tiny network has weights that are stored as float16
RECIPE = UNet2015Recipe(base_width=8, depth=2)


def network_of(recipe: NetworkRecipe, spec: InputSpec = SPEC) -> nn.Module:
    """Seeded, with the statistics of batch normalisation off their start."""
    with torch.random.fork_rng():
        torch.manual_seed(3)
        network = build_network(recipe)
        network.train()
        with torch.no_grad():
            for seed in range(3):
                network(torch.from_numpy(seeded_inputs(spec, 4, seed)))
    return network.eval()


@pytest.fixture(scope="module")
def network() -> nn.Module:
    return network_of(RECIPE)


@pytest.fixture(scope="module")
def files(network: nn.Module, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("onnx")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(storage, "SMALLEST_STORED", SMALLEST)
        export_onnx(network, SPEC, folder / "half.onnx", {"name": "tiny", "version": "1"})
        export_onnx(network, SPEC, folder / "int8.onnx", precision="int8")
    export_onnx(network, SPEC, folder / "full.onnx", precision="float32")
    return folder


@pytest.fixture
def run(network: nn.Module, tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    (folder / "weights").mkdir(parents=True)
    save_network_weights(network, folder / "weights" / "last.safetensors")
    (folder / "network.json").write_text(json.dumps(asdict(RECIPE)))
    (folder / "input.json").write_text(json.dumps(asdict(SPEC)))
    (folder / "recipe.toml").write_text('name = "tiny"\n')
    (folder / "metrics.csv").write_text("epoch\n1\n")
    return folder


ABOUT = About("tiny", "1.0", Modality.ULTRASOUND, "outlines nothing", ("phantoms, 4, CC0",))


def test_all_files_compute_what_torch_computes(network, files):
    inputs = seeded_inputs(SPEC)
    assert parity(network, files / "full.onnx", SPEC, inputs) < 1e-5
    assert 0 < parity(network, files / "half.onnx", SPEC, inputs) < 1e-3
    assert 0 < parity(network, files / "int8.onnx", SPEC, inputs, "int8") < TOLERANCE["int8"]


def test_an_encoder_unet_is_exported_faithfully(tmp_path):
    network = network_of(EncoderUNetRecipe(encoder="resnet18", decoder_channels=(16, 16, 8, 8)))
    export_onnx(network, SPEC, tmp_path / "m.onnx")
    assert parity(network, tmp_path / "m.onnx", SPEC, seeded_inputs(SPEC)) < 1e-3
    kinds = {node.op_type for node in onnx.load(tmp_path / "m.onnx").graph.node}
    assert "BatchNormalization" not in kinds


def test_brightness_is_evened_in_the_exported_network(run, network, tmp_path):
    bundle = make_bundle(run, tmp_path / "even", ABOUT, making=Making(even_brightness=0.5))
    assert "brightness of each image brought to 0.5" in bundle.network
    evened = EvenBrightness(network, 0.5, darkest=-1)
    assert parity(evened, tmp_path / "even" / "model.onnx", SPEC, seeded_inputs(SPEC)) < 1e-3


ZSCORE, COLOUR = replace(SPEC, intensity=Intensity.ZSCORE), replace(SPEC, channels=3)


@pytest.mark.parametrize(("level", "spec"), [(1, SPEC), (-0.5, SPEC), (0.5, ZSCORE), (0.5, COLOUR)])
def test_brightness_that_cannot_be_evened_is_refused(run, tmp_path, level, spec):
    (run / "input.json").write_text(json.dumps(asdict(spec)))
    with pytest.raises(BundleError, match="evened"):
        make_bundle(run, tmp_path / "even", ABOUT, making=Making(even_brightness=level))
    assert not (tmp_path / "even").exists()


def test_the_halved_file_computes_with_rounded_weights(files, tmp_path):
    model = onnx.load(files / "full.onnx")
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype == np.float32 and values.size >= SMALLEST:
            halved = values.astype(np.float16).astype(np.float32)
            tensor.CopyFrom(numpy_helper.from_array(halved, tensor.name))
    onnx.save(model, tmp_path / "rounded.onnx")
    inputs = seeded_inputs(SPEC)
    by_hand = OnnxNetwork(tmp_path / "rounded.onnx", SPEC, 1)(inputs)
    halved = OnnxNetwork(files / "half.onnx", SPEC, 1)(inputs)
    assert np.array_equal(by_hand, halved)


def test_int8_weights_are_off_by_half_a_step_at_most(files):
    full, stored = (onnx.load(files / f"{name}.onnx").graph for name in ("full", "int8"))
    steps = [n.op_type for n in stored.node if n.op_type in ("Cast", "Mul", "Reshape")]
    kept = {t.name: numpy_helper.to_array(t) for t in stored.initializer}
    widen_weights(stored)
    wide = {t.name: numpy_helper.to_array(t) for t in stored.initializer}
    changed = []
    for tensor in full.initializer:
        given, got = numpy_helper.to_array(tensor), wide[tensor.name]
        assert given.shape == got.shape
        if f"{tensor.name}_int8" in kept:
            blocks = given.reshape(-1, 32)
            half = np.abs(blocks).max(axis=1, keepdims=True) / 254 * 1.0001
            assert (np.abs(got.reshape(-1, 32) - blocks) <= half).all()
            assert kept[f"{tensor.name}_int8"].dtype == np.int8
            changed.append(given.size)
        else:
            assert np.array_equal(given, got)
    assert min(changed) >= SMALLEST
    assert len(steps) == 3 * len(changed)
    assert [n.op_type for n in stored.node] == [n.op_type for n in full.node]


def test_widened_int8_weights_compute_the_same_bits(files, tmp_path):
    model = onnx.load(files / "int8.onnx")
    widen_weights(model.graph)
    onnx.save(model, tmp_path / "wide.onnx")
    inputs = seeded_inputs(SPEC)
    stored, wide = (
        OnnxNetwork(path, SPEC, 1)(inputs) for path in (files / "int8.onnx", tmp_path / "wide.onnx")
    )
    assert np.array_equal(stored, wide)


def test_a_block_of_nothing_stays_nothing():
    blocks = np.zeros((2, 32), np.float32)
    blocks[1, 3] = -2.0
    whole, scale = rounded(blocks)
    assert (scale > 0).all()
    assert np.array_equal(whole * scale, blocks)


def test_the_halved_file_is_half_as_large(files):
    half, full = ((files / f"{name}.onnx").stat().st_size for name in ("half", "full"))
    assert half < 0.6 * full


def test_the_graph_is_clean(files):
    model = onnx.load(files / "half.onnx")
    kinds = {node.op_type for node in model.graph.node}
    assert not kinds & {"BatchNormalization", "Identity", "Dropout", "Constant"}
    assert "Sigmoid" in kinds
    assert {p.key: p.value for p in model.metadata_props} == {"name": "tiny", "version": "1"}
    assert model.opset_import[0].version >= 17
    raw = (files / "half.onnx").read_bytes()
    for leak in (b"site-packages", b".py", b"/home", str(Path.cwd()).encode()):
        assert leak not in raw


def test_any_number_of_images_goes_through(files):
    network = OnnxNetwork(files / "half.onnx", SPEC, 1)
    inputs = seeded_inputs(SPEC, 3)
    together = network(inputs)
    assert together.shape == (3, 1, 64, 64)
    for one, alone in zip(together, inputs, strict=True):
        assert np.allclose(network(alone[None])[0], one, atol=1e-6)


def test_exporting_leaves_the_network_as_it_was(tmp_path):
    norm = nn.BatchNorm2d(4).eval()
    network = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), norm, nn.Dropout(), nn.Conv2d(4, 1, 1))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    modes = [module.training for module in network.modules()]
    export_onnx(network, SPEC, tmp_path / "m.onnx")
    assert [module.training for module in network.modules()] == modes
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name])


def test_weights_that_float16_cannot_hold_are_kept():
    large = np.full(storage.SMALLEST_STORED, 1e5, np.float32)
    small = np.full(storage.SMALLEST_STORED, 0.1, np.float32)
    few = np.ones(3, np.float32)
    arrays = {"large": large, "small": small, "few": few}
    graph = onnx.GraphProto(
        initializer=[numpy_helper.from_array(array, name) for name, array in arrays.items()]
    )
    store_weights(graph, "float16")
    kinds = {tensor.name: numpy_helper.to_array(tensor).dtype for tensor in graph.initializer}
    assert kinds == {"large": np.float32, "small_float16": np.float16, "few": np.float32}
    assert [list(node.output) for node in graph.node] == [["small"]]


def test_a_difference_above_the_tolerance_is_an_error(network, files):
    other = network_of(RECIPE)
    with torch.no_grad():
        next(other.parameters()).add_(0.5)
    with pytest.raises(BundleError, match="differ from PyTorch's"):
        parity(other, files / "full.onnx", SPEC, seeded_inputs(SPEC))


def test_a_network_that_float16_changes_is_exported_with_float32(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "SMALLEST_STORED", SMALLEST)
    monkeypatch.setitem(TOLERANCE, "float16", 1e-9)  # as if its rounding mattered
    with pytest.raises(BundleError, match=r"with float16 .*export with float32 weights"):
        make_bundle(run, tmp_path / "out", ABOUT)
    assert [p.name for p in tmp_path.iterdir()] == ["run"]
    bundle = make_bundle(run, tmp_path / "out", ABOUT, making=Making(precision="float32"))
    export = read_measured(tmp_path / "out", bundle).results["export"]
    assert "with the stored float32 ones" in str(export["protocol"])
    assert export["max_probability_difference"] < 1e-5
    model = onnx.load(tmp_path / "out" / "model.onnx")
    assert {t.data_type for t in model.graph.initializer} <= {
        onnx.TensorProto.FLOAT,
        onnx.TensorProto.INT64,
    }


def test_a_network_of_another_output_is_refused(tmp_path):
    with pytest.raises(BundleError, match=r"to \(2, 1, 62, 62\)"):
        export_onnx(nn.Conv2d(1, 1, 3), SPEC, tmp_path / "m.onnx")
    assert list(tmp_path.iterdir()) == []


def test_several_classes_are_exported_with_their_softmax(tmp_path):
    network = network_of(replace(RECIPE, out_channels=3))
    inputs = seeded_inputs(SPEC)
    export_onnx(network, SPEC, tmp_path / "m.onnx", precision="float32")
    assert parity(network, tmp_path / "m.onnx", SPEC, inputs) < 1e-5
    maps = OnnxNetwork(tmp_path / "m.onnx", SPEC, 1, outputs=3)(inputs)
    assert maps.shape == (4, 3, 64, 64)
    assert np.allclose(maps.sum(axis=1), 1, atol=1e-5)
    with torch.no_grad():
        wanted = network(torch.from_numpy(inputs)).softmax(dim=1).numpy()
    assert np.allclose(maps, wanted, atol=1e-5)
    with pytest.raises(BundleError, match="do not belong together"):
        OnnxNetwork(tmp_path / "m.onnx", SPEC, 1)


def test_one_class_beside_a_background_is_exported_as_one_map(tmp_path):
    network = nn.Conv2d(1, 2, 3, padding=1)
    inputs = seeded_inputs(SPEC, 1)
    export_onnx(network, SPEC, tmp_path / "m.onnx", precision="float32")
    assert parity(network, tmp_path / "m.onnx", SPEC, inputs) < 1e-5
    with torch.no_grad():
        wanted = network(torch.from_numpy(inputs)).diff(dim=1).sigmoid().numpy()
    assert np.allclose(OnnxNetwork(tmp_path / "m.onnx", SPEC, 1)(inputs), wanted, atol=1e-5)


def test_seeded_inputs_are_the_same_for_the_same_seed():
    spec = InputSpec((48, 64), Intensity.SYMMETRIC, channels=3)
    inputs = seeded_inputs(spec, 2)
    assert inputs.shape == (2, 3, 48, 64)
    assert inputs.dtype == np.float32
    assert np.array_equal(inputs, seeded_inputs(spec, 2))
    assert not np.array_equal(inputs[0], inputs[1])
    assert inputs.min() == -1
    assert inputs.max() == 1


def test_a_run_becomes_a_bundle_that_segments(run, network, tmp_path):
    out = tmp_path / "made" / "tiny"
    output = OutputSpec(0.4, min_area_fraction=0.01)
    bundle = make_bundle(run, out, ABOUT, output)
    assert read_bundle(out) == bundle
    assert bundle.output == output
    assert bundle.input == SPEC
    export = read_measured(out, bundle).results["export"]
    assert export["max_probability_difference"] < 1e-3
    assert sorted(p.name for p in out.iterdir()) == [
        "MODEL_CARD.md",
        "bundle.json",
        "measured.json",
        "metrics.csv",
        "model.onnx",
        "recipe.toml",
    ]
    assert [p.name for p in out.parent.iterdir()] == ["tiny"]
    pixels = np.random.default_rng(0).integers(0, 256, (1, 50, 70)).astype(np.uint8)
    prediction = OnnxSegmenter(out).segment(Image(pixels, Grid((50, 70))))
    assert prediction.grid.shape == (50, 70)


def test_a_bundle_names_no_folder_of_the_machine(run, tmp_path):
    recipe = run / "recipe.toml"
    start = str(tmp_path / "somebody" / "first-run")
    recipe.write_text(f'initial_weights = "{start}"\n' + recipe.read_text())
    make_bundle(run, tmp_path / "bundle", ABOUT)
    kept = (tmp_path / "bundle" / "recipe.toml").read_text()
    assert 'initial_weights = "first-run"' in kept
    assert str(tmp_path) not in kept
    text = 'a = "runs/one"\nb = "fold:1,2"\nc = "C:\\\\runs\\\\two"\n'
    assert without_machine(text) == 'a = "runs/one"\nb = "fold:1,2"\nc = "two"\n'


@pytest.mark.parametrize(
    "missing",
    ["network.json", "input.json", "recipe.toml", "metrics.csv", "weights/last.safetensors"],
)
def test_an_unfinished_run_is_refused_and_leaves_nothing(run, tmp_path, missing):
    (run / missing).unlink()
    with pytest.raises(BundleError, match=f"{missing} is missing"):
        make_bundle(run, tmp_path / "out", ABOUT)
    assert [p.name for p in tmp_path.iterdir()] == ["run"]


@pytest.mark.parametrize("name", ["network.json", "input.json", "weights/last.safetensors"])
def test_a_damaged_run_is_refused_and_leaves_nothing(run, tmp_path, name):
    (run / name).write_text("{]")
    with pytest.raises(BreastsegError, match=name):
        make_bundle(run, tmp_path / "out", ABOUT)
    assert [p.name for p in tmp_path.iterdir()] == ["run"]


def test_an_existing_folder_is_not_replaced(run, tmp_path):
    with pytest.raises(BundleError, match="exists"):
        make_bundle(run, tmp_path, ABOUT)


def test_a_bad_name_leaves_nothing(run, tmp_path):
    about = About("Not A Name", "1", Modality.MRI, "x")
    with pytest.raises(BundleError, match="name is 'Not A Name'"):
        make_bundle(run, tmp_path / "out", about)
    assert [p.name for p in tmp_path.iterdir()] == ["run"]


def test_classes_of_the_recipe_are_the_labels_of_the_bundle(run: Path, tmp_path: Path) -> None:
    recipe = replace(RECIPE, out_channels=3)
    save_network_weights(network_of(recipe), run / "weights" / "last.safetensors")
    (run / "network.json").write_text(json.dumps(asdict(recipe)))
    (run / "recipe.toml").write_text('name = "tiny"\nclasses = ["benign", "malignant"]\n')
    bundle = make_bundle(run, tmp_path / "tiny", ABOUT)
    assert bundle.labels == {1: "benign", 2: "malignant"}
    image = Image(np.eye(40, 50, dtype=np.uint8)[None] * 200, Grid((40, 50)))
    prediction = OnnxSegmenter(tmp_path / "tiny").segment(image)
    assert prediction.class_names == ("benign", "malignant")
    assert prediction.class_probability is not None
    assert prediction.class_probability.shape == (2, 40, 50)


def test_what_an_outline_is_called_reaches_the_prediction(run: Path, tmp_path: Path) -> None:
    bundle = make_bundle(run, tmp_path / "tiny", replace(ABOUT, target="nucleus"))
    assert bundle.labels == {1: "nucleus"}
    assert "probability of nucleus for every pixel" in (tmp_path / "tiny" / CARD).read_text()
    image = Image(np.eye(40, 50, dtype=np.uint8)[None] * 200, Grid((40, 50)))
    prediction = OnnxSegmenter(tmp_path / "tiny").segment(image)
    assert prediction.target == "nucleus"
    assert prediction.mask().names == {1: "nucleus"}


def test_a_run_with_prompts_becomes_a_bundle_that_takes_them(run: Path, tmp_path: Path) -> None:
    recipe = replace(RECIPE, in_channels=4)
    torch.manual_seed(5)
    save_network_weights(build_network(recipe).eval(), run / "weights" / "last.safetensors")
    (run / "network.json").write_text(json.dumps(asdict(recipe)))
    (run / "recipe.toml").write_text('name = "tiny"\n[prompting]\n')
    bundle = make_bundle(run, tmp_path / "made", ABOUT)
    assert bundle.prompt is not None
    image = Image(np.random.default_rng(0).random((1, 70, 90)), Grid((70, 90)))
    segmenter = OnnxSegmenter(tmp_path / "made", threads=1)
    plain = segmenter.segment(image).probability
    asked = segmenter.segment(image, Prompt(inside=((30, 40),))).probability
    assert plain.shape == asked.shape == (70, 90)
    assert not np.array_equal(plain, asked)
    with pytest.raises(BundleError, match="takes prompts"):
        quantise_bundle(tmp_path / "made", tmp_path / "small", Sample("none", ()))
