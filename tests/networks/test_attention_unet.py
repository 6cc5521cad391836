"""Attention U-Net: the gate by hand, its maps, shapes, gradients, size and ONNX."""

import copy
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from breastseg.core.bundle import InputSpec
from breastseg.export.onnx import export_onnx
from breastseg.export.parity import parity, seeded_inputs
from breastseg.networks.attention_unet import AttentionGate, AttentionUNet
from breastseg.networks.encoder_unet import EncoderUNet

pytestmark = pytest.mark.train
torch.set_num_threads(1)

ENCODER = "tu-mobilenetv3_small_050"
NARROW = (16, 12, 8, 8)


def small(**changes: object) -> AttentionUNet:
    torch.manual_seed(0)
    return AttentionUNet(**{"encoder": ENCODER, "decoder_channels": NARROW} | changes)


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
        {"output_stride": 1, "decoder_channels": (*NARROW, 4), "dropout": 0.2},
    ],
)
def test_a_gradient_reaches_every_parameter(changes: dict[str, object]) -> None:
    network = small(**changes)
    network(noise(2, 1, 64, 96)).square().mean().backward()
    assert [n for n, p in network.named_parameters() if p.grad is None or not p.grad.any()] == []


def test_the_gate_by_hand() -> None:
    gate = AttentionGate(1, 1)
    with torch.no_grad():
        gate.from_skip.weight.copy_(torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]]))
        gate.from_gating.weight.fill_(-1.0)
        gate.from_gating.bias.fill_(0.5)
        gate.psi.weight.fill_(2.0)
        gate.openness.fill_(-1.0)
        skip = torch.tensor([[[[1.0, 0.0], [0.0, 1.0]]]])
        found = gate(skip, torch.tensor([[[[3.0]]]]))
        shut = gate(skip, torch.tensor([[[[9.0]]]]))
    # relu(1 + 4 - 3 + 0.5) = 2.5; 2 * 2.5 - 1 = 4, at each of the four positions
    torch.testing.assert_close(found, torch.sigmoid(torch.tensor(4.0)).expand(1, 1, 2, 2))
    # relu(1 + 4 - 9 + 0.5) = 0
    torch.testing.assert_close(shut, torch.sigmoid(torch.tensor(-1.0)).expand(1, 1, 2, 2))


def test_gates_start_open() -> None:
    with torch.no_grad():
        maps = small().eval().attention(noise(2, 1, 64, 64))
    assert all(float(m.mean()) > 0.7 for m in maps)


@pytest.mark.parametrize("size", [(64, 96), (33, 40), (7, 7)])
def test_attention_has_the_size_of_the_image_and_is_coarsest_first(size: tuple[int, int]) -> None:
    network = small().eval()
    images = noise(2, 1, *size)
    with torch.no_grad():
        maps = network.attention(images)
        raw = network.decoder.attention(network.encoder(noise(2, 1, 64, 96)))
    assert [tuple(m.shape) for m in maps] == [(2, 1, *size)] * 3
    assert all(0 <= float(m.min()) <= float(m.max()) <= 1 for m in maps)
    assert [tuple(m.shape[2:]) for m in raw] == [(4, 6), (8, 12), (16, 24)]


def test_gates_that_let_all_through_make_it_the_unet() -> None:
    network = small().eval()
    unet = EncoderUNet(encoder=ENCODER, decoder_channels=NARROW).eval()
    state = {k: v for k, v in network.state_dict().items() if ".gates." not in k}
    unet.load_state_dict(state)
    images = noise(2, 1, 64, 64)
    for gate in network.decoder.gates:
        torch.nn.init.constant_(gate.openness, 100.0)
    with torch.no_grad():
        assert torch.equal(network(images), unet(images))
        for gate in network.decoder.gates:
            torch.nn.init.constant_(gate.openness, -100.0)
        assert not torch.equal(network(images), unet(images))
        assert float(network.attention(images)[0].max()) < 1e-6


def test_parameters_counted_by_hand() -> None:
    with torch.device("meta"):
        gated, unet = AttentionUNet(), EncoderUNet()
    more = 0
    for skip, gating in ((96, 1280), (32, 128), (24, 64)):
        more += 4 * skip * skip + (gating + 1) * skip + skip + 1
    counts = [sum(p.numel() for p in network.parameters()) for network in (gated, unet)]
    assert counts[0] - counts[1] == more == 172_083


def test_evaluation_is_deterministic_and_copies_compute_the_same() -> None:
    network, images = small().eval(), noise(2, 1, 64, 64)
    with torch.no_grad():
        assert torch.equal(network(images), network(images))
        assert torch.equal(network(images), copy.deepcopy(network)(images))


def test_onnx_computes_the_same(tmp_path: Path) -> None:
    network, spec = small(), InputSpec((48, 64))
    inputs = seeded_inputs(spec)
    network.train()(torch.from_numpy(inputs))  # moves the running statistics off their start
    export_onnx(network, spec, tmp_path / "m.onnx", precision="float32")
    assert parity(network, tmp_path / "m.onnx", spec, inputs) < 1e-5
