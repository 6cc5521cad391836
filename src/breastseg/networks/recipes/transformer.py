"""Networks with attention between all positions, or within windows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from breastseg.core.errors import RecipeError
from breastseg.core.parameters import Within
from breastseg.networks.recipes.base import NetworkRecipe, widths
from breastseg.networks.recipes.on_encoder import OnEncoder


@dataclass(frozen=True)
class TransUNetRecipe(OnEncoder):
    """A convolutional stem, a vision transformer at the bottom, a U-Net's decoder.

    The encoder gives features down to a stride of 16; the decoder has one block less than that of
    `encoder-unet`, so `decoder_channels` are 4 values for an output stride of 1 and 3 for 2.

    Attributes:
        width: of a token.
        blocks: of the transformer.
        heads: of the attention; divides the width.
    """

    title: ClassVar[str] = "TransUNet (convolutions and transformer)"
    paper: ClassVar[str] = "https://doi.org/10.1016/j.media.2024.103280"
    name: Literal["transunet"] = "transunet"
    decoder_channels: tuple[int, ...] = (64, 48, 32)
    width: int = 192
    blocks: Annotated[int, Within(1, 48)] = 6
    heads: int = 6

    def __post_init__(self) -> None:
        NetworkRecipe.__post_init__(self)
        if self.output_stride not in (1, 2):
            raise RecipeError(f"output_stride = {self.output_stride}", "1 or 2")
        why = f" for an output stride of {self.output_stride}"
        widths(self, "decoder_channels", 5 - self.output_stride, why)
        if self.heads < 1 or self.width % self.heads:
            raise RecipeError(f"width {self.width} with {self.heads} heads", "a multiple of heads")


@dataclass(frozen=True)
class SegFormerRecipe(NetworkRecipe):
    """SegFormer.

    Attributes:
        encoder: "mit_b0" to "mit_b5".
        encoder_weights: a safetensors file of the encoder's weights; None or empty: random.
        decoder_width: channels of the all-MLP head.
    """

    title: ClassVar[str] = "SegFormer"
    paper: ClassVar[str] = "https://doi.org/10.48550/arXiv.2105.15203"
    name: Literal["segformer"] = "segformer"
    encoder: str = "mit_b0"
    encoder_weights: str | None = None
    decoder_width: Annotated[int, Within(8, 2048)] = 128

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.encoder not in {f"mit_b{i}" for i in range(6)}:
            raise RecipeError(f"encoder {self.encoder!r} of a SegFormer", "'mit_b0' to 'mit_b5'")


@dataclass(frozen=True)
class SwinUNETRRecipe(NetworkRecipe):
    """Swin-UNETR on images.

    Attributes:
        width: channels of the first stage, a multiple of 12.
        stage_blocks: transformer blocks of each of the four stages.
    """

    title: ClassVar[str] = "Swin-UNETR"
    paper: ClassVar[str] = "https://doi.org/10.1007/978-3-031-08999-2_22"
    name: Literal["swin-unetr"] = "swin-unetr"
    width: int = 12
    stage_blocks: tuple[int, ...] = (2, 2, 2, 2)

    def __post_init__(self) -> None:
        super().__post_init__()
        widths(self, "stage_blocks", 4)
        if self.width < 12 or self.width % 12:
            raise RecipeError(f"width = {self.width} of a Swin-UNETR", "a multiple of 12")


@dataclass(frozen=True)
class SwinUNETR3dRecipe(NetworkRecipe):
    """Swin-UNETR on volumes.

    Attributes:
        width: channels of the first stage, a multiple of 12.
        stage_blocks: transformer blocks of each of the four stages.
    """

    title: ClassVar[str] = "Swin-UNETR on volumes"
    paper: ClassVar[str] = "https://doi.org/10.1007/978-3-031-08999-2_22"
    dimensions: ClassVar[int] = 3
    name: Literal["swin-unetr-3d"] = "swin-unetr-3d"
    width: int = 12
    stage_blocks: tuple[int, ...] = (2, 2, 2, 2)

    def __post_init__(self) -> None:
        super().__post_init__()
        widths(self, "stage_blocks", 4)
        if self.width < 12 or self.width % 12:
            raise RecipeError(f"width = {self.width} of a Swin-UNETR", "a multiple of 12")
