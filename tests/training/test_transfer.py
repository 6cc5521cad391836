"""Which layer learns how fast, and from when on."""

import pytest

torch = pytest.importorskip("torch")

from breastseg.networks.catalogue import build_network
from breastseg.networks.recipe import EncoderUNetRecipe
from breastseg.training.parts import TransferRecipe
from breastseg.training.recipe import OptimiserRecipe
from breastseg.training.transfer import (
    encoder_layers,
    first_epoch,
    freeze_statistics,
    groups,
    peak_rate,
    rate_of,
)

pytestmark = pytest.mark.train


@pytest.fixture(scope="module")
def network() -> torch.nn.Module:
    return build_network(EncoderUNetRecipe(decoder_channels=(8, 8, 8, 8)))


def test_every_weight_is_in_one_group_and_norms_do_not_decay(network: torch.nn.Module) -> None:
    names = {id(p): name for name, p in network.named_parameters()}
    seen = [names[id(p)] for group in groups(network) for p in group.parameters]
    assert sorted(seen) == sorted(names.values())
    for group in groups(network):
        for parameter in group.parameters:
            assert (group.layer is not None) == names[id(parameter)].startswith("encoder.")
            assert group.decays == (parameter.ndim > 1)


def test_layers_are_the_blocks_in_order(network: torch.nn.Module) -> None:
    assert encoder_layers(network) == tuple(f"encoder.features.{i}" for i in range(19))


def test_rates_fall_towards_the_first_layer(network: torch.nn.Module) -> None:
    optimiser = OptimiserRecipe(learning_rate=1.0, encoder_factor=0.5)
    transfer = TransferRecipe(layer_decay=0.5)
    rates = {g.layer: peak_rate(g, 19, optimiser, transfer) for g in groups(network)}
    assert rates[None] == 1.0
    assert rates[18] == 0.5
    assert rates[0] == 0.5 * 0.5**18
    plain = {peak_rate(g, 19, optimiser, TransferRecipe()) for g in groups(network)}
    assert plain == {1.0, 0.5}


def test_layers_join_from_the_deepest() -> None:
    transfer = TransferRecipe(frozen_epochs=2, unfreezing_epochs=3)
    begins = [first_epoch(layer, 4, transfer) for layer in range(4)]
    assert begins == [5, 4, 3, 2]
    assert first_epoch(None, 4, transfer) == 0
    assert {first_epoch(layer, 4, TransferRecipe()) for layer in range(4)} == {0}


def test_a_frozen_layer_has_no_rate_and_keeps_its_statistics(network: torch.nn.Module) -> None:
    rate = rate_of(warmup=2, total=10, begins=4)
    assert [rate(step) for step in range(4)] == [0, 0, 0, 0]
    assert rate(4) == rate_of(warmup=2, total=10, begins=0)(4) > 0
    freeze_statistics(network, 0, TransferRecipe(frozen_epochs=1))
    assert not network.get_submodule("encoder.features.18").training
    assert network.get_submodule("decoder").training
    freeze_statistics(network, 1, TransferRecipe(frozen_epochs=1))
    assert network.get_submodule("encoder.features.0").training
