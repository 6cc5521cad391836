"""What a network is made of, as plain values; free of torch.

Each architecture has its own dataclass in `breastseg.networks.recipes`, and its fields but `name`
and `encoder_weights` are the arguments of the network's constructor: a default stands in one place.
"""

from __future__ import annotations

from collections.abc import Mapping

from breastseg.networks.recipes.base import NetworkRecipe
from breastseg.networks.recipes.convolutional import (
    ResidualUNetRecipe,
    UNet3dRecipe,
    UNet2015Recipe,
)
from breastseg.networks.recipes.detection import (
    MaskRCNNRecipe,
)
from breastseg.networks.recipes.on_encoder import (
    AttentionUNetRecipe,
    EncoderDecoderRecipe,
    EncoderUNetRecipe,
    NestedUNetRecipe,
)
from breastseg.networks.recipes.own import OwnNetworkRecipe
from breastseg.networks.recipes.real_time import (
    CMUNeXtRecipe,
    FastUNetRecipe,
    UNeXtRecipe,
)
from breastseg.networks.recipes.transformer import (
    SegFormerRecipe,
    SwinUNETR3dRecipe,
    SwinUNETRRecipe,
    TransUNetRecipe,
)

__all__ = [
    "RECIPES",
    "AnyNetworkRecipe",
    "NetworkRecipe",
    "EncoderUNetRecipe",
    "EncoderDecoderRecipe",
    "AttentionUNetRecipe",
    "NestedUNetRecipe",
    "UNet2015Recipe",
    "ResidualUNetRecipe",
    "UNet3dRecipe",
    "UNeXtRecipe",
    "CMUNeXtRecipe",
    "FastUNetRecipe",
    "TransUNetRecipe",
    "SegFormerRecipe",
    "SwinUNETRRecipe",
    "SwinUNETR3dRecipe",
    "MaskRCNNRecipe",
    "OwnNetworkRecipe",
]

AnyNetworkRecipe = (
    EncoderUNetRecipe
    | EncoderDecoderRecipe
    | AttentionUNetRecipe
    | NestedUNetRecipe
    | TransUNetRecipe
    | UNet2015Recipe
    | ResidualUNetRecipe
    | SegFormerRecipe
    | SwinUNETRRecipe
    | MaskRCNNRecipe
    | UNeXtRecipe
    | CMUNeXtRecipe
    | FastUNetRecipe
    | UNet3dRecipe
    | SwinUNETR3dRecipe
    | OwnNetworkRecipe
)

RECIPES: Mapping[str, type[AnyNetworkRecipe]] = {
    recipe.name: recipe
    for recipe in (
        EncoderDecoderRecipe,
        UNet2015Recipe,
        EncoderUNetRecipe,
        ResidualUNetRecipe,
        AttentionUNetRecipe,
        NestedUNetRecipe,
        TransUNetRecipe,
        SegFormerRecipe,
        SwinUNETRRecipe,
        MaskRCNNRecipe,
        UNeXtRecipe,
        CMUNeXtRecipe,
        FastUNetRecipe,
        UNet3dRecipe,
        SwinUNETR3dRecipe,
    )
}
