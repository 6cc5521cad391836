"""Swin-UNETR on images and volumes: shapes, padding, gradients, size and ONNX."""

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from breastseg.core.bundle import InputSpec
from breastseg.export.onnx import export_onnx
from breastseg.export.parity import parity, seeded_inputs
from breastseg.networks.swin_unetr import SwinUNETR, SwinUNETR3d

pytestmark = pytest.mark.train
torch.set_num_threads(1)

BLOCKS = (1, 1, 1, 1)


def small(kind: type[SwinUNETR] = SwinUNETR, **changes: object) -> SwinUNETR:
    torch.manual_seed(0)
    return kind(**{"width": 12, "stage_blocks": BLOCKS} | changes)


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("size", [(64, 64), (33, 40), (7, 150), (7, 7)])
@pytest.mark.parametrize("training", [False, True])
def test_logits_have_the_size_of_the_one_image(size: tuple[int, int], training: bool) -> None:
    logits = small(in_channels=3, out_channels=2).train(training)(noise(1, 3, *size))
    assert logits.shape == (1, 2, *size)
    assert bool(torch.isfinite(logits).all())


@pytest.mark.parametrize("size", [(8, 40, 33), (5, 17, 20)])
@pytest.mark.parametrize("training", [False, True])
def test_logits_have_the_size_of_the_one_volume(size: tuple[int, int, int], training: bool) -> None:
    network = small(SwinUNETR3d, in_channels=2, out_channels=2).train(training)
    logits = network(noise(1, 2, *size))
    assert logits.shape == (1, 2, *size)
    assert bool(torch.isfinite(logits).all())


@pytest.mark.parametrize(
    ("kind", "size", "padded"),
    [
        (SwinUNETR, (64, 96), (64, 96)),
        (SwinUNETR, (65, 33), (96, 64)),
        (SwinUNETR, (20, 30), (32, 64)),  # a single position would be left
        (SwinUNETR3d, (32, 128, 128), (32, 128, 128)),
        (SwinUNETR3d, (5, 17, 20), (32, 32, 64)),
    ],
)
def test_no_more_is_added_than_is_needed(
    kind: type[SwinUNETR], size: tuple[int, ...], padded: tuple[int, ...]
) -> None:
    network = small(kind).to("meta")
    seen: list[tuple[int, ...]] = []
    network.network.register_forward_pre_hook(lambda _, args: seen.append(args[0].shape[2:]))
    assert network(torch.empty(2, 1, *size, device="meta")).shape == (2, 1, *size)
    assert seen == [padded]


def test_what_is_added_repeats_the_border() -> None:
    network, image = small().eval(), noise(1, 1, 64, 50)
    wider = torch.cat([image, image[..., -1:].expand(-1, -1, -1, 14)], dim=-1)
    before = image.clone()
    with torch.no_grad():
        assert torch.equal(network(image), network(wider)[..., :50])
    assert torch.equal(image, before)


@pytest.mark.parametrize(("kind", "size"), [(SwinUNETR, (64, 96)), (SwinUNETR3d, (32, 32, 64))])
def test_a_gradient_reaches_every_parameter(kind: type[SwinUNETR], size: tuple[int, ...]) -> None:
    network = small(kind)
    network(noise(2, 1, *size)).square().mean().backward()
    assert [n for n, p in network.named_parameters() if p.grad is None or not p.grad.any()] == []


def test_stages_have_the_blocks_and_widths_asked_for() -> None:
    network = SwinUNETR(width=24, stage_blocks=(1, 2, 3, 1))
    transformer = network.network.swinViT
    for stage, blocks in enumerate((1, 2, 3, 1)):
        layers = getattr(transformer, f"layers{stage + 1}")[0].blocks
        assert len(layers) == blocks
        assert layers[0].dim == 24 * 2**stage
        assert layers[0].num_heads == 3 * 2**stage


def test_the_papers_network_has_its_parameters() -> None:
    network = SwinUNETR3d(in_channels=4, out_channels=3, width=48)
    count = sum(p.numel() for p in network.parameters())
    assert count / 1e6 == pytest.approx(61.98, rel=0.005)  # the paper's section 3.1: "61.98M"


def test_evaluation_is_deterministic_and_per_image() -> None:
    network, images = small().eval(), noise(3, 1, 64, 64)
    with torch.no_grad():
        together = network(images)
        assert torch.equal(together, network(images))
        torch.testing.assert_close(network(images[1:2])[0], together[1], rtol=1e-4, atol=1e-4)


def test_onnx_computes_the_same(tmp_path: Path) -> None:
    # two blocks, for the second is the one with shifted windows
    network, spec = small(stage_blocks=(2, 1, 1, 1)), InputSpec((64, 96))
    inputs = seeded_inputs(spec)
    export_onnx(network, spec, tmp_path / "m.onnx", precision="float32")
    assert parity(network, tmp_path / "m.onnx", spec, inputs) < 1e-5
