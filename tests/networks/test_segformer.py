"""SegFormer: shapes, grey images, gradients, size, weights and ONNX."""

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

import safetensors.torch

from breastseg.core.bundle import InputSpec
from breastseg.export.onnx import export_onnx
from breastseg.export.parity import parity, seeded_inputs
from breastseg.networks.segformer import SegFormer
from breastseg.networks.weights import load_encoder_weights

pytestmark = pytest.mark.train
torch.set_num_threads(1)


def small(**changes: object) -> SegFormer:
    torch.manual_seed(0)
    return SegFormer(**{"decoder_width": 16} | changes)


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("in_channels", [1, 3, 5])
@pytest.mark.parametrize("size", [(64, 64), (33, 40), (7, 150), (7, 7)])
@pytest.mark.parametrize("training", [False, True])
def test_logits_have_the_size_of_the_one_image(
    in_channels: int, size: tuple[int, int], training: bool
) -> None:
    network = small(in_channels=in_channels, out_channels=2).train(training)
    logits = network(noise(1, in_channels, *size))
    assert logits.shape == (1, 2, *size)
    assert bool(torch.isfinite(logits).all())


def test_a_gradient_reaches_every_parameter() -> None:
    network = small()
    network(noise(2, 1, 64, 96)).square().mean().backward()
    assert [n for n, p in network.named_parameters() if p.grad is None or not p.grad.any()] == []


def test_parameters_of_the_papers_smallest_network() -> None:
    network = SegFormer(in_channels=3, out_channels=150, decoder_width=256)
    stages = (32, 64, 160, 256)
    perceptrons, fuse, norm = 256 * sum(stages), 4 * 256 * 256, 2 * 256
    own = perceptrons + fuse + norm + 257 * 150
    encoder = sum(p.numel() for p in network.encoder.parameters())
    total = sum(p.numel() for p in network.parameters())
    assert total == encoder + own
    assert total / 1e6 == pytest.approx(3.8, abs=0.06)  # the paper's table 1: "3.4" and "0.4"


def test_rgb_weights_serve_a_grey_image(tmp_path: Path) -> None:
    torch.manual_seed(1)
    rgb, grey = small(in_channels=3), small(in_channels=1)
    path = tmp_path / "mit.safetensors"
    safetensors.torch.save_file(rgb.encoder.state_dict(), path)
    load_encoder_weights(grey.encoder, path)
    image = noise(1, 1, 64, 64)
    with torch.no_grad():
        found = grey.encoder.eval()(image)
        wanted = rgb.encoder.eval()(image.expand(-1, 3, -1, -1))
    for a, b in zip(found[2:], wanted[2:], strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4)


def test_evaluation_is_deterministic_and_per_image() -> None:
    network, images = small().eval(), noise(3, 1, 64, 64)
    with torch.no_grad():
        together = network(images)
        assert torch.equal(together, network(images))
        torch.testing.assert_close(network(images[1:2])[0], together[1], rtol=1e-4, atol=1e-4)


def test_onnx_computes_the_same(tmp_path: Path) -> None:
    network, spec = small(), InputSpec((64, 96))
    inputs = seeded_inputs(spec)
    network.train()(torch.from_numpy(inputs))  # moves the running statistics off their start
    export_onnx(network, spec, tmp_path / "m.onnx", precision="float32")
    assert parity(network, tmp_path / "m.onnx", spec, inputs) < 1e-5
