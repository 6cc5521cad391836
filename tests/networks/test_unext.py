"""UNeXt: shapes, the shift, gradients, size and ONNX."""

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from breastseg.core.bundle import InputSpec
from breastseg.export.onnx import export_onnx
from breastseg.export.parity import parity, seeded_inputs
from breastseg.networks.unext import COLUMNS, ROWS, ShiftedMLP, UNeXt, shifted

pytestmark = pytest.mark.train
torch.set_num_threads(1)

TINY = (4, 6, 8, 10, 12)


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("size", [(64, 64), (65, 97), (33, 40), (7, 150), (7, 7), (32, 32)])
@pytest.mark.parametrize("training", [False, True])
def test_logits_have_the_size_of_the_one_image(size: tuple[int, int], training: bool) -> None:
    torch.manual_seed(0)
    network = UNeXt(3, 2, TINY).train(training)
    logits = network(noise(1, 3, *size))
    assert logits.shape == (1, 2, *size)
    assert bool(torch.isfinite(logits).all())


def test_a_gradient_reaches_every_parameter() -> None:
    torch.manual_seed(0)
    network = UNeXt()
    network(noise(2, 1, 64, 96)).square().mean().backward()
    assert [n for n, p in network.named_parameters() if p.grad is None or not p.grad.any()] == []


def test_the_shift_by_hand() -> None:
    row = torch.arange(1.0, 5.0).expand(1, 5, 1, 4)  # five groups of one channel
    expected = [[3, 4, 0, 0], [2, 3, 4, 0], [1, 2, 3, 4], [0, 1, 2, 3], [0, 0, 1, 2]]
    assert shifted(row, COLUMNS)[0, :, 0].tolist() == expected
    column = row.transpose(2, 3)
    assert shifted(column, ROWS)[0, :, :, 0].tolist() == expected
    assert not shifted(row, ROWS)[0, [0, 1, 3, 4]].any()  # one row has no neighbours
    assert torch.equal(row[0, 0, 0], torch.arange(1.0, 5.0))


@pytest.mark.parametrize("channels", [1, 2, 4, 7, 12])
def test_the_shift_of_any_number_of_channels(channels: int) -> None:
    assert shifted(noise(2, channels, 3, 5), COLUMNS).shape == (2, channels, 3, 5)


def test_a_token_sees_its_neighbours_and_no_further() -> None:
    torch.manual_seed(0)
    block = ShiftedMLP(10).eval()
    tokens = noise(1, 10, 15, 15)
    touched = tokens.clone()
    touched[..., 7, 7] *= -1
    with torch.no_grad():
        changed = (block(tokens) - block(touched)).abs().amax(1)[0] > 0
    rows, columns = torch.nonzero(changed, as_tuple=True)
    # 2 by the shift and 1 by the depthwise kernel
    assert (int(rows.min()), int(rows.max())) == (4, 10)
    assert (int(columns.min()), int(columns.max())) == (4, 10)


@pytest.mark.parametrize(
    ("stage_widths", "ours", "with_biases", "stated"),
    [
        ((8, 16, 32, 64, 128), 253_385, 253_561, 0.3e6),
        ((16, 32, 128, 160, 256), 1_471_409, 1_471_921, 1.47e6),
        ((32, 64, 128, 256, 512), 3_984_929, 3_985_633, 3.99e6),
    ],
)
def test_parameters_beside_the_papers(
    stage_widths: tuple[int, ...], ours: int, with_biases: int, stated: float
) -> None:
    """The paper's three variants take three channels; ours lack the biases before a norm."""
    network = UNeXt(in_channels=3, stage_widths=stage_widths)
    assert sum(p.numel() for p in network.parameters()) == ours
    convolutions = [m for m in network.modules() if isinstance(m, torch.nn.Conv2d)]
    assert ours + sum(c.out_channels for c in convolutions if c.bias is None) == with_biases
    # "0.3" is all that the paper says of the smallest
    assert with_biases == pytest.approx(stated, rel=0.16 if stated < 1e6 else 0.003)


def test_parameters_counted_by_hand() -> None:
    a, b, c, d, e = widths = (4, 6, 8, 10, 12)
    pairs = [(1, a), (a, b), (b, c), (e, d), (d, c), (c, b), (b, a)]
    expected = sum(9 * above * below + 2 * below for above, below in pairs)  # with their norm
    expected += sum(9 * above * below + below + 2 * below for above, below in [(c, d), (d, e)])
    for width in (d, e, d, c):  # shifted MLPs: two linear layers, a depthwise one, two norms
        expected += 2 * (width + 1) * width + 10 * width + 4 * width
    expected += (9 * a + 1) * a + a + 1
    assert sum(p.numel() for p in UNeXt(stage_widths=widths).parameters()) == expected


def test_onnx_computes_the_same(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = UNeXt(stage_widths=TINY)
    spec = InputSpec((48, 64))
    inputs = seeded_inputs(spec)
    network.train()(torch.from_numpy(inputs))  # moves the running statistics off their start
    export_onnx(network, spec, tmp_path / "m.onnx", precision="float32")
    assert parity(network, tmp_path / "m.onnx", spec, inputs) < 1e-5
