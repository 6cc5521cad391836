"""How fast each layer of an encoder learns, and from when on.

Layer-wise rates and gradual unfreezing are those of Howard and Ruder 2018 (ULMFiT),
https://doi.org/10.18653/v1/P18-1031. A frozen layer has a rate of zero instead of no gradient, so
that several processes can share the work: it stays as it is, and its gradient counts only in the
norm that gradients are clipped to.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from breastseg.core.errors import RecipeError
from breastseg.training.parts import TransferRecipe
from breastseg.training.recipe import OptimiserRecipe

PREFIX = "encoder."


@dataclass(frozen=True, eq=False)
class Group:
    """Parameters of one rate.

    Attributes:
        parameters: of the group.
        layer: of the encoder, 0 is the first; None outside it.
        decays: whether weight decay applies (not to biases and norms).
    """

    parameters: tuple[nn.Parameter, ...]
    layer: int | None
    decays: bool


def encoder_layers(network: nn.Module) -> tuple[str, ...]:
    """The modules of an encoder that count as a layer each, in the order of their definition.

    A layer is a block: ``encoder.layer1.0`` of a ResNet, ``encoder.features.3`` of a MobileNet.
    """
    names: dict[str, None] = {}
    for name, _ in network.named_parameters():
        if name.startswith(PREFIX):
            parts = name.split(".")[:-1]
            names.setdefault(".".join(parts[:3]))
    return tuple(names)


def require_encoder(network: nn.Module, transfer: TransferRecipe) -> None:
    """Refuse to let go of an encoder that a network does not have.

    Raises:
        RecipeError: it has none.
    """
    if transfer != TransferRecipe() and not encoder_layers(network):
        raise RecipeError(
            f"a [transfer] table for {type(network).__name__}, which has no encoder",
            "a network on an encoder",
            "leave the table out",
        )


def groups(network: nn.Module) -> tuple[Group, ...]:
    """Every parameter of a network in one group."""
    layers = {name: i for i, name in enumerate(encoder_layers(network))}
    found: dict[tuple[int | None, bool], list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        layer = layers.get(".".join(name.split(".")[:-1][:3]))
        found.setdefault((layer, parameter.ndim > 1), []).append(parameter)
    return tuple(Group(tuple(p), layer, decays) for (layer, decays), p in found.items())


def peak_rate(
    group: Group, layers: int, optimiser: OptimiserRecipe, transfer: TransferRecipe
) -> float:
    """The largest learning rate of a group.

    Args:
        group: of the network.
        layers: how many the encoder has.
        optimiser: of the recipe.
        transfer: of the recipe.
    """
    if group.layer is None:
        return optimiser.learning_rate
    depth: float = transfer.layer_decay ** (layers - 1 - group.layer)
    return optimiser.learning_rate * optimiser.encoder_factor * depth


def first_epoch(layer: int | None, layers: int, transfer: TransferRecipe) -> int:
    """The epoch, from 0, in which a layer begins to learn; the deepest is the first to."""
    if layer is None:
        return 0
    above = (layers - 1 - layer) / max(1, layers - 1)
    return transfer.frozen_epochs + math.ceil(above * transfer.unfreezing_epochs)


def rate_of(warmup: int, total: int, begins: int) -> Callable[[int], float]:
    """Rate of a step as a fraction of the peak: linear warm-up, then half a cosine to zero.

    Args:
        warmup: steps of the warm-up, at least 1.
        total: steps of the run.
        begins: steps at the start in which nothing is learnt.
    """

    def rate(step: int) -> float:
        if step < begins:
            return 0.0
        if step < warmup:
            return (step + 1) / warmup
        done = min(1.0, (step - warmup) / max(1, total - warmup))
        return 0.5 * (1 + math.cos(math.pi * done))

    return rate


def freeze_statistics(network: nn.Module, epoch: int, transfer: TransferRecipe) -> None:
    """Keep the batch statistics of the layers that do not learn in this epoch."""
    layers = encoder_layers(network)
    for i, name in enumerate(layers):
        learns = epoch >= first_epoch(i, len(layers), transfer)
        network.get_submodule(name).train(learns)
