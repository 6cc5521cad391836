"""Residual U-Net: the unit, shapes, gradients, size and ONNX."""

from itertools import pairwise
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from breastseg.core.bundle import InputSpec
from breastseg.export.onnx import export_onnx
from breastseg.export.parity import parity, seeded_inputs
from breastseg.networks.residual_unet import ResidualUNet, ResidualUnit

pytestmark = pytest.mark.train
torch.set_num_threads(1)


def small(**changes: object) -> ResidualUNet:
    torch.manual_seed(0)
    return ResidualUNet(**{"base_width": 4, "depth": 3} | changes)


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("depth", [1, 3, 6])
@pytest.mark.parametrize("size", [(64, 64), (65, 97), (33, 40), (7, 70), (7, 7)])
@pytest.mark.parametrize("training", [False, True])
def test_logits_have_the_size_of_the_one_image(
    depth: int, size: tuple[int, int], training: bool
) -> None:
    network = small(in_channels=3, out_channels=2, base_width=2, depth=depth).train(training)
    logits = network(noise(1, 3, *size))
    assert logits.shape == (1, 2, *size)
    assert bool(torch.isfinite(logits).all())


@pytest.mark.parametrize("dropout", [0.0, 0.2])
def test_a_gradient_reaches_every_parameter(dropout: float) -> None:
    network = small(base_width=8, depth=4, dropout=dropout)
    network(noise(2, 1, 64, 96)).square().mean().backward()
    assert [n for n, p in network.named_parameters() if p.grad is None or not p.grad.any()] == []


def test_a_unit_adds_to_its_input() -> None:
    unit = ResidualUnit(4, 4).eval()
    x = noise(2, 4, 8, 8)
    before = x.clone()
    torch.nn.init.zeros_(unit.residual[-1].weight)
    with torch.no_grad():
        assert torch.equal(unit(x), x)
    assert torch.equal(x, before)


def test_a_unit_of_stride_two_halves() -> None:
    unit = ResidualUnit(4, 6, stride=2).eval()
    torch.nn.init.zeros_(unit.residual[-1].weight)
    x = noise(2, 4, 8, 8)
    with torch.no_grad():
        wanted = torch.conv2d(x[..., ::2, ::2], unit.shortcut.weight)
        torch.testing.assert_close(unit(x), wanted)


def test_the_first_unit_convolves_the_image_itself() -> None:
    first = small().down[0].residual[0]
    assert isinstance(first, torch.nn.Conv2d)
    assert isinstance(small().down[1].residual[0], torch.nn.BatchNorm2d)


def test_the_papers_network_has_its_layers_and_parameters() -> None:
    with torch.device("meta"):
        network = ResidualUNet(in_channels=3, depth=3)
    widths = (64, 128, 256, 512)
    threes = 9 * (3 * 64 + 64 * 64)
    ones = 3 * 64
    norms = 2 * 64
    for above, width in pairwise(widths):
        threes += 9 * (above * width + width * width)
        ones += above * width
        norms += 2 * (above + width)
    for width, below in pairwise(widths):
        both = below + width
        threes += 9 * (both * width + width * width)
        ones += both * width
        norms += 2 * (both + width)
    head = 64 + 1
    assert ones == 430_272
    assert threes + head == pytest.approx(7.8e6, rel=0.005)  # the paper's "7.8M"
    assert sum(p.numel() for p in network.parameters()) == threes + ones + norms + head
    layers = [m for m in network.modules() if isinstance(m, torch.nn.Conv2d)]
    shortcuts = [
        m for m in network.modules() if isinstance(getattr(m, "shortcut", None), torch.nn.Conv2d)
    ]
    assert len(layers) - len(shortcuts) == 15  # "conv 1" to "conv 15" of table I


def test_evaluation_is_deterministic_and_per_image() -> None:
    network, images = small().eval(), noise(3, 1, 64, 64)
    with torch.no_grad():
        together = network(images)
        assert torch.equal(together, network(images))
        torch.testing.assert_close(network(images[1:2])[0], together[1], rtol=1e-4, atol=1e-4)


def test_onnx_computes_the_same(tmp_path: Path) -> None:
    network, spec = small(), InputSpec((48, 64))
    inputs = seeded_inputs(spec)
    network.train()(torch.from_numpy(inputs))  # moves the running statistics off their start
    export_onnx(network, spec, tmp_path / "m.onnx", precision="float32")
    assert parity(network, tmp_path / "m.onnx", spec, inputs) < 1e-5
