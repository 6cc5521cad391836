"""U-Net++: its nodes, its heads, pruning, shapes, gradients, size and ONNX."""

import copy
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")

from breastseg.core.bundle import InputSpec
from breastseg.core.errors import RecipeError
from breastseg.export.onnx import export_onnx
from breastseg.export.parity import parity, seeded_inputs
from breastseg.networks.catalogue import describe
from breastseg.networks.nested_unet import NestedUNet
from breastseg.networks.recipe import NestedUNetRecipe
from breastseg.networks.weights import load_network_weights, save_network_weights

pytestmark = pytest.mark.train
torch.set_num_threads(1)

ENCODER = "tu-mobilenetv3_small_050"
NARROW = (16, 12, 8, 8)


def small(**changes: object) -> NestedUNet:
    torch.manual_seed(0)
    return NestedUNet(**{"encoder": ENCODER, "decoder_channels": NARROW} | changes)


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


def computed(network: NestedUNet, size: tuple[int, int] = (64, 64)) -> list[str]:
    """Names of the modules that a forward pass runs, in their order."""
    names: list[str] = []
    hooks = [
        module.register_forward_hook(lambda *_, name=name: names.append(name))
        for name, module in network.named_modules()
    ]
    with torch.no_grad():
        network.eval()(noise(1, 1, *size))
    for hook in hooks:
        hook.remove()
    return names


@pytest.mark.parametrize("size", [(64, 64), (65, 97), (33, 40), (7, 150), (7, 7)])
@pytest.mark.parametrize("training", [False, True])
def test_logits_have_the_size_of_the_one_image(size: tuple[int, int], training: bool) -> None:
    network = small(in_channels=3, out_channels=2).train(training)
    images = noise(1, 3, *size)
    for logits in (network(images), *network.side_outputs(images)):
        assert logits.shape == (1, 2, *size)
        assert bool(torch.isfinite(logits).all())


@pytest.mark.parametrize(
    ("changes", "heads"),
    [
        ({"encoder": "mobilenet_v2"}, 4),
        ({"output_stride": 1, "decoder_channels": (*NARROW, 4), "dropout": 0.2}, 5),
        ({"deep_supervision": False}, 1),
        ({"levels": 2}, 4),
    ],
)
def test_a_gradient_reaches_every_parameter(changes: dict[str, object], heads: int) -> None:
    network = small(**changes)
    outputs = network.side_outputs(noise(2, 1, 64, 96))
    assert len(outputs) == heads == len(network.heads)
    sum(logits.square().mean() for logits in outputs).backward()
    assert [n for n, p in network.named_parameters() if p.grad is None or not p.grad.any()] == []


def test_nodes_see_all_before_them_and_the_one_below() -> None:
    network = small(encoder="mobilenet_v2", decoder_channels=(16, 12, 10, 9))
    widths = {name: node.conv1[0].in_channels for name, node in network.nodes.items()}
    assert widths == {
        "0_1": 24 + 16, "1_1": 32 + 24, "2_1": 96 + 32, "3_1": 1280 + 96,
        "0_2": 10 + 16 + 9, "1_2": 12 + 24 + 10, "2_2": 16 + 32 + 12,
        "0_3": 10 + 16 + 2 * 9, "1_3": 12 + 24 + 2 * 10,
        "0_4": 10 + 16 + 3 * 9,
    }  # fmt: skip


def test_at_full_resolution_the_finest_level_is_the_image() -> None:
    network = small(output_stride=1, decoder_channels=(*NARROW, 4), in_channels=3)
    channels = network.encoder.out_channels
    assert network.nodes["0_1"].conv1[0].in_channels == 3 + channels[1]
    assert network.nodes["0_5"].conv1[0].in_channels == 3 + 4 * 4 + 8
    assert network.eval()(noise(1, 3, 33, 40)).shape == (1, 1, 33, 40)


def test_side_outputs_begin_with_the_networks_own() -> None:
    network, images = small().eval(), noise(2, 1, 64, 64)
    with torch.no_grad():
        outputs = network.side_outputs(images)
        for levels, wanted in zip((4, 3, 2, 1), outputs, strict=True):
            torch.testing.assert_close(network.pruned(levels)(images), wanted)
        assert torch.equal(network(images), outputs[0])
        pruned = network.pruned(2).side_outputs(images)
    for found, place in zip(pruned, (2, 0, 1, 3), strict=True):
        assert torch.equal(found, outputs[place])


@pytest.mark.parametrize("levels", [1, 2, 3, 4])
def test_a_pruned_network_computes_the_nodes_it_needs(levels: int) -> None:
    names = computed(small(encoder="mobilenet_v2", levels=levels))
    nodes = [name.removeprefix("nodes.") for name in names if name.count("nodes.") == 1]
    ran = {tuple(map(int, name.split("_"))) for name in nodes if "." not in name}
    grid = [(i, j) for i in range(4) for j in range(1, 5)]
    assert ran == {(i, j) for i, j in grid if i + j <= levels}
    assert [name for name in names if name.startswith("heads.")] == [f"heads.{levels}"]
    stages = {int(name.split(".")[2]) for name in names if name.startswith("encoder.features.")}
    assert max(stages) == {1: 3, 2: 6, 3: 13, 4: 18}[levels]


def test_pruning_takes_the_whole_networks_weights(tmp_path: Path) -> None:
    network, images = small().eval(), noise(1, 1, 64, 64)
    save_network_weights(network, tmp_path / "w.safetensors")
    pruned = NestedUNet(encoder=ENCODER, decoder_channels=NARROW, levels=2).eval()
    load_network_weights(pruned, tmp_path / "w.safetensors")
    with torch.no_grad():
        assert torch.equal(pruned(images), network.pruned(2)(images))


def test_a_view_leaves_the_network_as_it_was() -> None:
    network, images = small().eval(), noise(1, 1, 64, 64)
    with torch.no_grad():
        before = network(images)
        view = network.pruned(1)
        assert network.levels == 4
        assert view.pruned(0).levels == 4
        assert next(view.parameters()) is next(network.parameters())
        assert torch.equal(network(images), before)
        assert torch.equal(copy.deepcopy(view)(images), view(images))


def test_pruning_costs_less() -> None:
    costs = [describe(NestedUNetRecipe(levels=levels), (64, 64)).gmacs for levels in (1, 2, 3, 0)]
    assert costs == sorted(costs)
    assert costs[0] < costs[-1] / 5


def test_levels_without_a_head_are_refused() -> None:
    with pytest.raises(RecipeError, match="levels = 5"):
        small().pruned(5)
    with pytest.raises(RecipeError, match="levels = 2"):
        small(deep_supervision=False, levels=2)
    with pytest.raises(RecipeError, match="without deep supervision"):
        NestedUNetRecipe(deep_supervision=False, levels=2)


def test_parameters_counted_by_hand() -> None:
    channels, widths = (16, 24, 32, 96, 1280), (32, 48, 64, 128)
    expected = 0
    for j in range(1, 5):
        for i in range(5 - j):
            below = channels[i + 1] if j == 1 else widths[i + 1]
            inside = below + channels[i] + (j - 1) * widths[i]
            expected += 9 * (inside + widths[i]) * widths[i] + 4 * widths[i]  # with their norms
        expected += widths[0] + 1
    with torch.device("meta"):
        network = NestedUNet()
    encoder = sum(p.numel() for p in network.encoder.parameters())
    assert sum(p.numel() for p in network.parameters()) - encoder == expected


@pytest.mark.parametrize("levels", [0, 1])
def test_onnx_computes_the_same(tmp_path: Path, levels: int) -> None:
    network, spec = small(levels=levels), InputSpec((48, 64))
    inputs = seeded_inputs(spec)
    with torch.no_grad():  # moves the running statistics off their start
        network.train().side_outputs(torch.from_numpy(inputs))
    export_onnx(network, spec, tmp_path / "m.onnx", precision="float32")
    assert parity(network, tmp_path / "m.onnx", spec, inputs) < 1e-5
    stored = {tensor.name for tensor in onnx.load(tmp_path / "m.onnx").graph.initializer}
    # what pruning leaves out is not in the file, whichever the encoder
    deep = ("network.nodes.3_1", "network.encoder.model.blocks.4")
    assert any(name.startswith(deep) for name in stored) is (levels == 0)
