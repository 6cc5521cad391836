"""A network that begins from an exported file trains as the network that was exported would."""

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from breastseg.core.bundle import InputSpec
from breastseg.export.onnx import export_onnx
from breastseg.networks.batch_statistics import measure_statistics
from breastseg.networks.fast_unet import FastUNet
from breastseg.networks.initialise import initialise

pytestmark = pytest.mark.train


def images(seed: int) -> "torch.Tensor":
    return torch.randn(4, 1, 64, 64, generator=torch.Generator().manual_seed(seed)) * 0.3 - 0.2


def test_folded_statistics_are_measured_again(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = FastUNet()
    for seed in range(60):
        network(images(seed))
    network.eval()
    export_onnx(network, InputSpec((64, 64)), tmp_path / "model.onnx")
    begun = FastUNet()
    folded = initialise(begun, tmp_path / "model.onnx").folded
    assert len(folded) == sum(isinstance(m, torch.nn.BatchNorm2d) for m in begun.modules())
    with torch.no_grad():
        wanted = network(images(99))
        off = (begun.train()(images(99)) - wanted).abs().max()
        initialise(begun, tmp_path / "model.onnx")
        measure_statistics(begun, folded, map(images, range(16)))
        assert begun.training, "the mode stays"
        torch.testing.assert_close(begun.eval()(images(99)), wanted, atol=2e-3, rtol=1e-3)
        near = (begun.train()(images(99)) - wanted).abs().max()
    assert near < off / 5, "in training it is the same network too"


def test_weights_of_a_run_have_their_statistics(tmp_path: Path) -> None:
    from breastseg.networks.weights import save_network_weights

    save_network_weights(FastUNet(), tmp_path / "last.safetensors")
    assert initialise(FastUNet(), tmp_path / "last.safetensors").folded == ()
