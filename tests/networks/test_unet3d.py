"""The 3-D U-Net: shapes, flat stages, gradients, size and ONNX."""

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from breastseg.core.bundle import VolumeSpec
from breastseg.export.onnx import export_onnx
from breastseg.export.parity import parity
from breastseg.export.volume import seeded_patches
from breastseg.inference.session import OnnxNetwork
from breastseg.networks.unet3d import UNet3d

pytestmark = pytest.mark.train
torch.set_num_threads(1)

WIDTHS = (3, 4, 5)


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


def small(**changes: object) -> UNet3d:
    torch.manual_seed(0)
    return UNet3d(**{"in_channels": 2, "stage_widths": WIDTHS, **changes})


@pytest.mark.parametrize("size", [(4, 8, 8), (5, 17, 9), (1, 7, 7), (1, 1, 1), (2, 4, 4)])
@pytest.mark.parametrize("training", [False, True])
def test_logits_have_the_size_of_the_one_volume(size: tuple[int, ...], training: bool) -> None:
    network = small(out_channels=2).train(training)
    logits = network(noise(1, 2, *size))
    assert logits.shape == (1, 2, *size)
    assert bool(torch.isfinite(logits).all())


def test_side_outputs_are_full_size_and_the_first_is_forwards() -> None:
    network = small(stage_widths=(3, 4, 5, 6)).eval()
    volumes = noise(2, 2, 5, 17, 9)
    with torch.no_grad():
        outputs = network.side_outputs(volumes)
        assert [tuple(one.shape) for one in outputs] == 3 * [(2, 1, 5, 17, 9)]
        assert torch.equal(outputs[0], network(volumes))
        plain = small(deep_supervision=False).eval().side_outputs(volumes)
    assert len(plain) == 1


def test_a_gradient_reaches_every_parameter() -> None:
    network = small()
    sum(one.square().mean() for one in network.side_outputs(noise(2, 2, 4, 16, 16))).backward()
    assert [n for n, p in network.named_parameters() if p.grad is None or not p.grad.any()] == []


def test_only_flat_stages_never_mix_slices() -> None:
    flat = small(flat_stages=2, stage_widths=(3, 4, 5)).eval()
    # the coarsest stage mixes them; without its weights nothing passes from slice to slice
    for parameter in flat.up[0].parameters():
        torch.nn.init.zeros_(parameter)
    assert flat.multiple == (1, 4, 4)
    assert small(flat_stages=0).multiple == (4, 4, 4)
    assert small(flat_stages=1).multiple == (2, 4, 4)
    kernels = [tuple(stage[0].kernel_size) for stage in flat.down]
    assert kernels == [(1, 3, 3), (1, 3, 3), (3, 3, 3)]


def test_each_volume_is_computed_alone_and_repeatably() -> None:
    network = small().eval()
    volumes = noise(3, 2, 4, 12, 12)
    with torch.no_grad():
        together = network(volumes)
        assert torch.equal(together, network(volumes))
        torch.testing.assert_close(together[1:2], network(volumes[1:2]), rtol=1e-5, atol=1e-5)


def test_parameters_counted_by_hand() -> None:
    network = UNet3d(1, 1, (4, 8), flat_stages=1, deep_supervision=False)
    first = 1 * 4 * 9 + 4 * 4 * 9 + 2 * (4 + 4)
    bottom = 4 * 8 * 27 + 8 * 8 * 27 + 2 * (8 + 8)
    up = 8 * 4 * 4
    merge = 8 * 4 * 9 + 4 * 4 * 9 + 2 * (4 + 4)
    head = 4 + 1
    assert sum(p.numel() for p in network.parameters()) == first + bottom + up + merge + head


def test_onnx_computes_the_same_for_any_number_of_patches(tmp_path: Path) -> None:
    network, spec = small().eval(), VolumeSpec((4, 16, 16), channels=2)
    path = tmp_path / "model.onnx"
    export_onnx(network, spec, path, precision="float32")
    patches = seeded_patches(spec, count=3)
    assert parity(network, path, spec, patches) < 1e-4
    assert OnnxNetwork(path, spec, threads=1)(patches[:1]).shape == (1, 1, 4, 16, 16)
