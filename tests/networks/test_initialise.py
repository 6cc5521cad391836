"""A network starts from what another one has learnt."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from breastseg.core.bundle import InputSpec
from breastseg.core.errors import BundleError, RecipeError
from breastseg.export.onnx import export_onnx
from breastseg.inference.session import OnnxNetwork
from breastseg.networks.catalogue import build_network
from breastseg.networks.fast_unet import FastUNet
from breastseg.networks.initialise import initialise
from breastseg.networks.recipe import EncoderUNetRecipe, UNet2015Recipe
from breastseg.networks.weights import save_network_weights

pytestmark = pytest.mark.train


def trained() -> torch.nn.Module:
    """A network whose batch statistics are not those of the start."""
    torch.manual_seed(0)
    network = FastUNet()
    for _ in range(3):
        network(torch.randn(4, 1, 64, 64))
    return network.eval()


@pytest.mark.parametrize("suffix", ["onnx", "safetensors"])
def test_a_file_gives_the_same_function(tmp_path: Path, suffix: str) -> None:
    network, path = trained(), tmp_path / f"model.{suffix}"
    if suffix == "onnx":
        export_onnx(network, InputSpec((64, 64)), path)
    else:
        save_network_weights(network, path)
    torch.manual_seed(1)
    other = FastUNet()
    assert initialise(other, path).left == ()
    images = torch.randn(2, 1, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(other.eval()(images), network(images), atol=2e-3, rtol=1e-3)


def test_the_shipped_bundle_starts_a_network() -> None:
    from breastseg.inference.catalogue import shipped_bundles

    folder = shipped_bundles()["ultrasound"]
    network = build_network(EncoderUNetRecipe()).eval()
    assert initialise(network, folder).left == ()
    images = np.random.default_rng(0).uniform(-1, 1, (1, 1, 256, 256)).astype(np.float32)
    found = OnnxNetwork(folder / "model.onnx", InputSpec(), 1)(images)
    with torch.no_grad():
        wanted = network(torch.from_numpy(images)).sigmoid().numpy()
    assert np.abs(found - wanted).max() < 5e-3


def test_a_head_of_other_classes_keeps_its_start(tmp_path: Path) -> None:
    save_network_weights(trained(), tmp_path / "w.safetensors")
    taken = initialise(FastUNet(out_channels=3), tmp_path / "w.safetensors")
    assert taken.left == ("head.bias", "head.weight")


def test_another_architecture_is_refused(tmp_path: Path) -> None:
    save_network_weights(trained(), tmp_path / "w.safetensors")
    with pytest.raises(RecipeError, match="fit the network"):
        initialise(build_network(UNet2015Recipe(base_width=4)), tmp_path / "w.safetensors")
    with pytest.raises(RecipeError, match="initial weights"):
        initialise(FastUNet(), tmp_path / "absent")
    (tmp_path / "bad.onnx").write_bytes(b"no network")
    with pytest.raises(BundleError, match=r"bad\.onnx"):
        initialise(FastUNet(), tmp_path / "bad.onnx")


def test_weights_beside_the_file_are_refused(tmp_path: Path) -> None:
    """They may be any file of the machine, and no digest covers them."""
    import onnx

    export_onnx(FastUNet().eval(), InputSpec((64, 64)), tmp_path / "whole.onnx")
    model = onnx.load(tmp_path / "whole.onnx")
    split = {"location": "weights.bin", "size_threshold": 0}
    onnx.save(model, tmp_path / "split.onnx", save_as_external_data=True, **split)
    with pytest.raises(BundleError, match="weights lie in other files"):
        initialise(FastUNet(), tmp_path / "split.onnx")
