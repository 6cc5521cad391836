"""What a network is made of, as plain values; free of torch."""

from __future__ import annotations

from dataclasses import dataclass

from breastseg.core.errors import RecipeError

NAMES = ("encoder-unet", "unet2015")


@dataclass(frozen=True)
class NetworkRecipe:
    """A network that `breastseg.networks.catalogue.build_network` can build.

    Attributes:
        name: "encoder-unet" (a U-Net on a classifier's features) or "unet2015" (the original).
        in_channels: channels of the image, 1 or 3.
        dropout: share zeroed in training, 0 to below 1; where, each network's own text says.
        encoder: encoder-unet only: a name of segmentation-models-pytorch, or "tu-" and timm's name.
        encoder_weights: encoder-unet only: a safetensors file of the encoder's weights; a relative
            path is looked for under the recipe's root, then under BREASTSEG_DATA. None: random.
        decoder_channels: encoder-unet only: channels of the decoder's blocks, the deepest first;
            5 for an output stride of 1, 4 for 2.
        output_stride: encoder-unet only: 1, or 2 to work at half resolution and upsample the
            logits, which is a third faster on a CPU.
        base_width: unet2015 only: channels of the first level, doubled at each level below.
        depth: unet2015 only: how often the image is halved, 1 to 6.
        batch_norm: unet2015 only: normalise after each convolution (the paper does not).

    Raises:
        RecipeError: a value outside these ranges.
    """

    name: str = "encoder-unet"
    in_channels: int = 1
    dropout: float = 0.0
    encoder: str = "mobilenet_v2"
    encoder_weights: str | None = None
    decoder_channels: tuple[int, ...] = (128, 64, 48, 32)
    output_stride: int = 2
    base_width: int = 64
    depth: int = 4
    batch_norm: bool = True

    def __post_init__(self) -> None:
        # a list is what TOML and JSON give
        object.__setattr__(self, "decoder_channels", tuple(self.decoder_channels))
        if self.name not in NAMES:
            raise RecipeError(f"network {self.name!r}", f"one of {', '.join(NAMES)}")
        if self.in_channels not in (1, 3):
            raise RecipeError(f"in_channels = {self.in_channels}", "1 (grey) or 3 (RGB)")
        if not 0 <= self.dropout < 1:
            raise RecipeError(f"dropout = {self.dropout}", "0 to below 1")
        if self.output_stride not in (1, 2):
            raise RecipeError(f"output_stride = {self.output_stride}", "1 or 2")
        blocks = 6 - self.output_stride
        if len(self.decoder_channels) != blocks or min(self.decoder_channels) < 1:
            raise RecipeError(
                f"decoder_channels = {self.decoder_channels}",
                f"{blocks} values above 0 for an output stride of {self.output_stride}",
            )
        if not 1 <= self.base_width <= 256 or not 1 <= self.depth <= 6:
            raise RecipeError(
                f"base_width = {self.base_width}, depth = {self.depth}",
                "a width of 1 to 256 and a depth of 1 to 6",
            )
