"""CMUNeXt: shapes, how far it sees, gradients, size and ONNX."""

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from breastseg.core.bundle import InputSpec
from breastseg.core.errors import RecipeError
from breastseg.export.onnx import export_onnx
from breastseg.export.parity import parity, seeded_inputs
from breastseg.networks.cmunext import CMUNeXt, LargeKernelBlock, SkipFusion
from breastseg.networks.recipe import CMUNeXtRecipe

pytestmark = pytest.mark.train
torch.set_num_threads(1)

TINY = (4, 6, 8, 10, 12)


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("size", [(64, 64), (65, 97), (33, 40), (7, 150), (7, 7), (16, 16)])
@pytest.mark.parametrize("training", [False, True])
def test_logits_have_the_size_of_the_one_image(size: tuple[int, int], training: bool) -> None:
    torch.manual_seed(0)
    network = CMUNeXt(3, 2, TINY, stage_blocks=(1, 2, 1, 1, 1)).train(training)
    logits = network(noise(1, 3, *size))
    assert logits.shape == (1, 2, *size)
    assert bool(torch.isfinite(logits).all())


def test_a_gradient_reaches_every_parameter() -> None:
    torch.manual_seed(0)
    network = CMUNeXt()
    network(noise(2, 1, 64, 96)).square().mean().backward()
    assert [n for n, p in network.named_parameters() if p.grad is None or not p.grad.any()] == []


@pytest.mark.parametrize("kernel", [1, 3, 9])
def test_a_block_sees_as_far_as_its_kernel(kernel: int) -> None:
    torch.manual_seed(0)
    block = LargeKernelBlock(4, kernel).eval()
    image = noise(1, 4, 15, 15)
    touched = image.clone()
    touched[..., 7, 7] += 1
    with torch.no_grad():
        changed = (block(image) - block(touched)).abs().amax(1)[0] > 0
    rows, columns = torch.nonzero(changed, as_tuple=True)
    reach = kernel // 2
    assert (int(rows.min()), int(columns.max())) == (7 - reach, 7 + reach)


def test_the_first_fusing_convolution_keeps_the_two_maps_apart() -> None:
    torch.manual_seed(0)
    fusion = SkipFusion(3).eval()
    skip, below = noise(1, 3, 8, 8), noise(1, 3, 8, 8) + 1
    apart = fusion.fuse[0]
    with torch.no_grad():
        together = apart(torch.cat([skip, below], 1))
        other = apart(torch.cat([skip, below + 1], 1))
    assert torch.equal(together[:, :3], other[:, :3])
    assert not torch.equal(together[:, 3:], other[:, 3:])
    assert fusion(skip, below).shape == (1, 3, 8, 8)


@pytest.mark.parametrize(
    ("stage_widths", "stage_blocks", "kernels", "ours", "with_biases", "stated"),
    [
        ((8, 16, 32, 64, 128), (1, 1, 1, 1, 1), (3, 3, 7, 7, 9), 417_129, 417_505, 0.418e6),
        ((16, 32, 128, 160, 256), (1, 1, 1, 3, 1), (3, 3, 7, 7, 7), 3_148_241, 3_149_185, 3.149e6),
        ((32, 64, 128, 256, 512), (1, 1, 1, 6, 3), (3, 3, 7, 7, 7), 8_285_217, 8_286_721, 8.287e6),
    ],
)
def test_parameters_beside_the_papers(
    stage_widths: tuple[int, ...],
    stage_blocks: tuple[int, ...],
    kernels: tuple[int, ...],
    ours: int,
    with_biases: int,
    stated: float,
) -> None:
    """The paper's three variants take three channels; ours lack the biases before a norm."""
    network = CMUNeXt(3, 1, stage_widths, stage_blocks, kernels)
    assert sum(p.numel() for p in network.parameters()) == ours
    convolutions = [m for m in network.modules() if isinstance(m, torch.nn.Conv2d)]
    assert ours + sum(c.out_channels for c in convolutions if c.bias is None) == with_biases
    assert with_biases == pytest.approx(stated, rel=0.002)


def test_parameters_counted_by_hand() -> None:
    widths, blocks, kernels = TINY, (1, 2, 1, 1, 1), (3, 3, 5, 7, 9)

    def across(above: int, below: int) -> int:  # two 1x1 convolutions with bias, each with a norm
        inside = 4 * below
        return (above + 1) * inside + 2 * inside + (inside + 1) * below + 2 * below

    expected = 9 * widths[0] + 2 * widths[0]  # the stem
    above = (widths[0], *widths[:-1])
    for before, width, count, kernel in zip(above, widths, blocks, kernels, strict=True):
        depthwise = (kernel**2 + 1) * before + 2 * before
        expected += count * (depthwise + across(before, before))
        expected += 9 * before * width + 2 * width
    for below, width in zip(widths[1:], widths[:-1], strict=True):
        expected += 9 * below * width + 2 * width  # enlarged
        both = 2 * width
        expected += (9 * width + 1) * both + 2 * both + across(both, width)
    expected += widths[0] + 1
    network = CMUNeXt(1, 1, widths, blocks, kernels)
    assert sum(p.numel() for p in network.parameters()) == expected


def test_even_kernels_are_refused() -> None:
    with pytest.raises(RecipeError, match="odd numbers"):
        CMUNeXtRecipe(kernels=(3, 3, 7, 7, 8))


def test_onnx_computes_the_same(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = CMUNeXt(stage_widths=TINY)
    spec = InputSpec((48, 64))
    inputs = seeded_inputs(spec)
    network.train()(torch.from_numpy(inputs))  # moves the running statistics off their start
    export_onnx(network, spec, tmp_path / "m.onnx", precision="float32")
    assert parity(network, tmp_path / "m.onnx", spec, inputs) < 1e-5
