"""The networks by name, and what one costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from breastseg.core.errors import RecipeError
from breastseg.io.own_code import own_object
from breastseg.networks.attention_unet import AttentionUNet
from breastseg.networks.cmunext import CMUNeXt
from breastseg.networks.encoder_decoder import EncoderDecoder
from breastseg.networks.encoder_unet import EncoderUNet
from breastseg.networks.fast_unet import FastUNet
from breastseg.networks.mask_rcnn import MaskRCNN
from breastseg.networks.nested_unet import NestedUNet
from breastseg.networks.packaged_weights import PACKAGES, load_packaged_weights
from breastseg.networks.recipe import NetworkRecipe, OwnNetworkRecipe
from breastseg.networks.residual_unet import ResidualUNet
from breastseg.networks.segformer import SegFormer
from breastseg.networks.swin_unetr import SwinUNETR, SwinUNETR3d
from breastseg.networks.transunet import TransUNet
from breastseg.networks.unet3d import UNet3d
from breastseg.networks.unet2015 import UNet2015
from breastseg.networks.unext import UNeXt
from breastseg.networks.weights import find_weights, load_encoder_weights

NETWORKS: Mapping[str, type[nn.Module]] = {
    "encoder-decoder": EncoderDecoder,
    "unet2015": UNet2015,
    "encoder-unet": EncoderUNet,
    "residual-unet": ResidualUNet,
    "attention-unet": AttentionUNet,
    "unet++": NestedUNet,
    "transunet": TransUNet,
    "segformer": SegFormer,
    "swin-unetr": SwinUNETR,
    "mask-rcnn": MaskRCNN,
    "unext": UNeXt,
    "cmunext": CMUNeXt,
    "fast-unet": FastUNet,
    "unet3d": UNet3d,
    "swin-unetr-3d": SwinUNETR3d,
}

USUAL_SIZES: Mapping[int, tuple[int, ...]] = {2: (256, 256), 3: (32, 128, 128)}
"""By the number of dimensions; what costs are stated for."""

NOT_ARGUMENTS = ("name", "encoder_weights")


def build_network(
    recipe: NetworkRecipe, root: Path | None = None, load_weights: bool = True
) -> nn.Module:
    """The network that a recipe describes, on the CPU, in training mode.

    Random weights come from torch's global generator: seed it for a repeatable start.

    Args:
        recipe: what to build; its fields are the arguments of the network's constructor.
        root: folder under which a relative `encoder_weights` is looked for first.
        load_weights: False leaves the encoder random, for a network whose own weights follow.

    Returns:
        A module from (N, in_channels, H, W) float32 to logits (N, out_channels, H, W), for any H
        and W; one of a volume takes (N, in_channels, D, H, W).

    Raises:
        RecipeError: an unknown encoder, encoder weights that are missing or do not fit, or code of
            one's own that cannot be found or makes no network.
    """
    if isinstance(recipe, OwnNetworkRecipe):
        return _own_network(recipe)
    values = {field.name: getattr(recipe, field.name) for field in fields(recipe)}
    weights = values.get("encoder_weights")
    arguments = {name: value for name, value in values.items() if name not in NOT_ARGUMENTS}
    network = NETWORKS[values["name"]](**arguments)
    if load_weights and weights:
        encoder = network.get_submodule("encoder")
        if weights in PACKAGES:
            load_packaged_weights(encoder, weights)
        else:
            load_encoder_weights(encoder, find_weights(weights, root))
    return network


def _own_network(recipe: OwnNetworkRecipe) -> nn.Module:
    made = own_object(recipe.path)
    channels = {"in_channels": recipe.in_channels, "out_channels": recipe.out_channels}
    try:
        network = made(**channels, **recipe.parameters)
    except TypeError as error:
        raise RecipeError(
            f"{recipe.path}: {error}", "a class that takes in_channels, out_channels and parameters"
        ) from error
    if not isinstance(network, nn.Module):
        raise RecipeError(f"{recipe.path} makes {type(network).__name__}", "a torch.nn.Module")
    return network


@dataclass(frozen=True)
class NetworkCost:
    """The size of a network.

    Attributes:
        parameters: learnt values.
        gmacs: thousand million multiply-accumulates for one image of the stated size.
        size: (rows, columns) of that image in pixels; (slices, rows, columns) of a volume.
    """

    parameters: int
    gmacs: float
    size: tuple[int, ...]


def describe(recipe: NetworkRecipe, size: tuple[int, ...] | None = None) -> NetworkCost:
    """Count parameters and multiply-accumulates without computing anything.

    Args:
        recipe: the network.
        size: (rows, columns) of the image in pixels, or (slices, rows, columns); `USUAL_SIZES` by
            default.
    """
    size = size or USUAL_SIZES[recipe.dimensions]
    with torch.random.fork_rng(devices=[]):
        network = build_network(recipe, load_weights=False).to("meta").eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network(torch.empty(1, recipe.in_channels, *size, device="meta"))
    return NetworkCost(
        parameters=sum(p.numel() for p in network.parameters()),
        gmacs=counter.get_total_flops() / 2 / 1e9,  # a multiply and an add are two operations
        size=size,
    )
