"""The networks by name, and what one costs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from breastseg.networks.encoder_unet import EncoderUNet
from breastseg.networks.recipe import NetworkRecipe
from breastseg.networks.unet2015 import UNet2015
from breastseg.networks.weights import find_weights, load_encoder_weights


def _build_encoder_unet(recipe: NetworkRecipe) -> EncoderUNet:
    return EncoderUNet(
        encoder=recipe.encoder,
        in_channels=recipe.in_channels,
        decoder_channels=recipe.decoder_channels,
        output_stride=recipe.output_stride,
        dropout=recipe.dropout,
    )


def _build_unet2015(recipe: NetworkRecipe) -> UNet2015:
    return UNet2015(
        in_channels=recipe.in_channels,
        base_width=recipe.base_width,
        depth=recipe.depth,
        batch_norm=recipe.batch_norm,
        dropout=recipe.dropout,
    )


NETWORKS: Mapping[str, Callable[[NetworkRecipe], nn.Module]] = {
    "encoder-unet": _build_encoder_unet,
    "unet2015": _build_unet2015,
}


def build_network(
    recipe: NetworkRecipe, root: Path | None = None, load_weights: bool = True
) -> nn.Module:
    """The network that a recipe describes, on the CPU, in training mode.

    Random weights come from torch's global generator: seed it for a repeatable start.

    Args:
        recipe: what to build.
        root: folder under which a relative `encoder_weights` is looked for first.
        load_weights: False leaves the encoder random, for a network whose own weights follow.

    Returns:
        A module from (N, in_channels, H, W) float32 to logits (N, 1, H, W), for any H and W.

    Raises:
        RecipeError: an unknown encoder, or encoder weights that are missing or do not fit.
    """
    network = NETWORKS[recipe.name](recipe)
    if load_weights and recipe.encoder_weights and isinstance(network, EncoderUNet):
        load_encoder_weights(network.encoder, find_weights(recipe.encoder_weights, root))
    return network


@dataclass(frozen=True)
class NetworkCost:
    """The size of a network.

    Attributes:
        parameters: learnt values.
        gmacs: thousand million multiply-accumulates for one image of the stated size.
        size: (rows, columns) of that image in pixels.
    """

    parameters: int
    gmacs: float
    size: tuple[int, int]


def describe(recipe: NetworkRecipe, size: tuple[int, int] = (256, 256)) -> NetworkCost:
    """Count parameters and multiply-accumulates without computing anything.

    Args:
        recipe: the network.
        size: (rows, columns) of the image in pixels.
    """
    with torch.random.fork_rng(devices=[]):
        network = build_network(recipe, load_weights=False).to("meta").eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network(torch.empty(1, recipe.in_channels, *size, device="meta"))
    return NetworkCost(
        parameters=sum(p.numel() for p in network.parameters()),
        gmacs=counter.get_total_flops() / 2 / 1e9,  # a multiply and an add are two operations
        size=size,
    )
