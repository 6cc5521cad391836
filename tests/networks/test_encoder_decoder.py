"""The network without skips: nothing but the deepest map reaches the decoder."""

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from breastseg.core.bundle import InputSpec
from breastseg.export.onnx import export_onnx
from breastseg.export.parity import parity, seeded_inputs
from breastseg.networks.encoder_decoder import EncoderDecoder
from breastseg.networks.encoder_unet import EncoderUNet

pytestmark = pytest.mark.train
torch.set_num_threads(1)

ENCODER = "tu-mobilenetv3_small_050"
NARROW = (16, 12, 8, 8)


def small(**changes: object) -> EncoderDecoder:
    torch.manual_seed(0)
    return EncoderDecoder(**{"encoder": ENCODER, "decoder_channels": NARROW} | changes)


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("size", [(64, 64), (65, 97), (33, 40), (7, 150), (7, 7)])
@pytest.mark.parametrize("training", [False, True])
def test_logits_have_the_size_of_the_one_image(size: tuple[int, int], training: bool) -> None:
    logits = small(in_channels=3, out_channels=2).train(training)(noise(1, 3, *size))
    assert logits.shape == (1, 2, *size)
    assert bool(torch.isfinite(logits).all())


@pytest.mark.parametrize(
    "changes",
    [
        {"encoder": "mobilenet_v2"},
        {"encoder": "resnet18"},
        {"output_stride": 1, "decoder_channels": (*NARROW, 4), "dropout": 0.2},
    ],
)
def test_a_gradient_reaches_every_parameter(changes: dict[str, object]) -> None:
    network = small(**changes)
    network(noise(2, 1, 64, 96)).square().mean().backward()
    assert [n for n, p in network.named_parameters() if p.grad is None or not p.grad.any()] == []


def test_only_the_deepest_map_reaches_the_decoder() -> None:
    network = small().eval()
    with torch.no_grad():
        features = network.encoder(noise(1, 1, 64, 64))
        wanted = network.decoder(features)
        others = [noise(*f.shape) for f in features[:-1]]
        assert torch.equal(network.decoder([*others, features[-1]]), wanted)
        assert not torch.equal(network.decoder([*features[:-1], features[-1] + 1]), wanted)


def test_it_is_the_unet_less_the_weights_for_skips() -> None:
    with torch.device("meta"):
        without, unet = EncoderDecoder(), EncoderUNet()
    skips, widths = (96, 32, 24, 16), (128, 64, 48, 32)
    fewer = sum(9 * skip * width for skip, width in zip(skips, widths, strict=True))
    counts = [sum(p.numel() for p in network.parameters()) for network in (unet, without)]
    assert counts[0] - counts[1] == fewer
    assert list(without.state_dict()) == list(unet.state_dict())


def test_evaluation_is_deterministic() -> None:
    network, images = small().eval(), noise(2, 1, 64, 64)
    with torch.no_grad():
        assert torch.equal(network(images), network(images))


def test_onnx_computes_the_same(tmp_path: Path) -> None:
    network, spec = small(), InputSpec((48, 64))
    inputs = seeded_inputs(spec)
    network.train()(torch.from_numpy(inputs))  # moves the running statistics off their start
    export_onnx(network, spec, tmp_path / "m.onnx", precision="float32")
    assert parity(network, tmp_path / "m.onnx", spec, inputs) < 1e-5
