"""What a network is made of, as plain values; free of torch.

Each architecture has its own dataclass here, and its fields but `name` and `encoder_weights` are
the arguments of the network's constructor: a default stands in one place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from breastseg.core.errors import RecipeError


@dataclass(frozen=True)
class NetworkRecipe:
    """What all networks share.

    Attributes:
        in_channels: channels of the image, 1 to 16: 1 is grey, 3 RGB, more the phases of an MRI.
        out_channels: 1 for lesion against background (a sigmoid follows), otherwise the number of
            classes with the background first (a softmax follows), 2 to 16.

    Raises:
        RecipeError: a value outside these ranges.
    """

    title: ClassVar[str] = ""
    paper: ClassVar[str] = ""
    dimensions: ClassVar[int] = 2

    in_channels: int = 1
    out_channels: int = 1

    def __post_init__(self) -> None:
        require("in_channels", self.in_channels, 1, 16)
        require("out_channels", self.out_channels, 1, 16)


def require(name: str, value: float, low: float, high: float) -> None:
    """Refuse a value outside [low, high].

    Raises:
        RecipeError: it is outside, or not a number.
    """
    if not low <= value <= high:
        raise RecipeError(f"{name} = {value} of the network", f"{low:g} to {high:g}")


def widths(owner: object, name: str, blocks: int | None, why: str = "") -> None:
    """Make a sequence field a tuple (a list is what TOML gives) and check it."""
    values = tuple(getattr(owner, name))
    object.__setattr__(owner, name, values)
    if (blocks is not None and len(values) != blocks) or not values or min(values) < 1:
        wanted = "at least one value" if blocks is None else f"{blocks} values"
        raise RecipeError(f"{name} = {values}", f"{wanted} above 0{why}")


@dataclass(frozen=True)
class _OnEncoder(NetworkRecipe):
    """Networks on a classifier's features.

    Attributes:
        encoder: a name of segmentation-models-pytorch, or "tu-" and timm's name.
        encoder_weights: a safetensors file of the encoder's weights; a relative path is looked for
            under the recipe's root, then under BREASTSEG_DATA. None or empty: random.
        decoder_channels: of the decoder's blocks, the deepest first; 5 for an output stride of 1,
            4 for 2.
        output_stride: 1, or 2 to work at half resolution and upsample the logits, which is a third
            faster on a CPU.
        dropout: share of the decoder's channels zeroed before the head in training, 0 to below 1.
    """

    encoder: str = "mobilenet_v2"
    encoder_weights: str | None = None
    decoder_channels: tuple[int, ...] = (128, 64, 48, 32)
    output_stride: int = 2
    dropout: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        require("dropout", self.dropout, 0, 0.99)
        if self.output_stride not in (1, 2):
            raise RecipeError(f"output_stride = {self.output_stride}", "1 or 2")
        why = f" for an output stride of {self.output_stride}"
        widths(self, "decoder_channels", 6 - self.output_stride, why)


@dataclass(frozen=True)
class EncoderUNetRecipe(_OnEncoder):
    """A U-Net on a classifier's features."""

    title: ClassVar[str] = "U-Net with a classifier as its encoder"
    paper: ClassVar[str] = "https://doi.org/10.1007/978-3-319-24574-4_28"
    name: Literal["encoder-unet"] = "encoder-unet"


@dataclass(frozen=True)
class EncoderDecoderRecipe(_OnEncoder):
    """The same without skip connections."""

    title: ClassVar[str] = "fully convolutional encoder-decoder without skips"
    paper: ClassVar[str] = "https://doi.org/10.1109/CVPR.2015.7298965"
    name: Literal["encoder-decoder"] = "encoder-decoder"


@dataclass(frozen=True)
class AttentionUNetRecipe(_OnEncoder):
    """The same with attention gates on the skips."""

    title: ClassVar[str] = "Attention U-Net"
    paper: ClassVar[str] = "https://doi.org/10.48550/arXiv.1804.03999"
    name: Literal["attention-unet"] = "attention-unet"


@dataclass(frozen=True)
class NestedUNetRecipe(_OnEncoder):
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


@dataclass(frozen=True)
class TransUNetRecipe(_OnEncoder):
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
    blocks: int = 6
    heads: int = 6

    def __post_init__(self) -> None:
        NetworkRecipe.__post_init__(self)
        require("dropout", self.dropout, 0, 0.99)
        if self.output_stride not in (1, 2):
            raise RecipeError(f"output_stride = {self.output_stride}", "1 or 2")
        why = f" for an output stride of {self.output_stride}"
        widths(self, "decoder_channels", 5 - self.output_stride, why)
        require("blocks", self.blocks, 1, 48)
        if self.heads < 1 or self.width % self.heads:
            raise RecipeError(f"width {self.width} with {self.heads} heads", "a multiple of heads")


@dataclass(frozen=True)
class UNet2015Recipe(NetworkRecipe):
    """The original U-Net.

    Attributes:
        base_width: channels of the first level, doubled at each level below, 1 to 256.
        depth: how often the image is halved, 1 to 6.
        batch_norm: normalise after each convolution (the paper does not).
        dropout: share of values zeroed on the two deepest levels in training, 0 to below 1.
    """

    title: ClassVar[str] = "U-Net of 2015"
    paper: ClassVar[str] = "https://doi.org/10.1007/978-3-319-24574-4_28"
    name: Literal["unet2015"] = "unet2015"
    base_width: int = 64
    depth: int = 4
    batch_norm: bool = True
    dropout: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        require("base_width", self.base_width, 1, 256)
        require("depth", self.depth, 1, 6)
        require("dropout", self.dropout, 0, 0.99)


@dataclass(frozen=True)
class ResidualUNetRecipe(NetworkRecipe):
    """A U-Net of residual units.

    Attributes:
        base_width: channels of the first level, doubled at each level below, 1 to 256.
        depth: how often the image is halved, 1 to 6.
        dropout: share of channels zeroed before the head in training, 0 to below 1.
    """

    title: ClassVar[str] = "residual U-Net"
    paper: ClassVar[str] = "https://doi.org/10.1109/LGRS.2018.2802944"
    name: Literal["residual-unet"] = "residual-unet"
    base_width: int = 64
    depth: int = 4
    dropout: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        require("base_width", self.base_width, 1, 256)
        require("depth", self.depth, 1, 6)
        require("dropout", self.dropout, 0, 0.99)


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
    decoder_width: int = 128

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.encoder not in {f"mit_b{i}" for i in range(6)}:
            raise RecipeError(f"encoder {self.encoder!r} of a SegFormer", "'mit_b0' to 'mit_b5'")
        require("decoder_width", self.decoder_width, 8, 2048)


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
    width: int = 24
    stage_blocks: tuple[int, ...] = (2, 2, 2, 2)

    def __post_init__(self) -> None:
        super().__post_init__()
        widths(self, "stage_blocks", 4)
        if self.width < 12 or self.width % 12:
            raise RecipeError(f"width = {self.width} of a Swin-UNETR", "a multiple of 12")


@dataclass(frozen=True)
class MaskRCNNRecipe(NetworkRecipe):
    """Mask R-CNN: a box, a score and a mask for each lesion.

    Attributes:
        encoder: "mobilenet_v2", "resnet18" or "resnet50", under a feature pyramid.
        encoder_weights: a safetensors file of the encoder's weights; None or empty: random.
        pyramid_width: channels of the feature pyramid.
        max_instances: kept for an image, those of the highest score.
    """

    title: ClassVar[str] = "Mask R-CNN"
    paper: ClassVar[str] = "https://doi.org/10.1109/ICCV.2017.322"
    name: Literal["mask-rcnn"] = "mask-rcnn"
    encoder: str = "mobilenet_v2"
    encoder_weights: str | None = None
    pyramid_width: int = 128
    max_instances: int = 20

    def __post_init__(self) -> None:
        super().__post_init__()
        known = ("mobilenet_v2", "resnet18", "resnet50")
        if self.encoder not in known:
            raise RecipeError(f"encoder {self.encoder!r} of a Mask R-CNN", ", ".join(known))
        require("pyramid_width", self.pyramid_width, 16, 1024)
        require("max_instances", self.max_instances, 1, 1000)


@dataclass(frozen=True)
class UNeXtRecipe(NetworkRecipe):
    """UNeXt; its small variant (UNeXt-S) by default.

    Attributes:
        stage_widths: channels of the three convolutional and the two token stages.
    """

    title: ClassVar[str] = "UNeXt (real time)"
    paper: ClassVar[str] = "https://doi.org/10.1007/978-3-031-16443-9_3"
    name: Literal["unext"] = "unext"
    stage_widths: tuple[int, ...] = (8, 16, 32, 64, 128)

    def __post_init__(self) -> None:
        super().__post_init__()
        widths(self, "stage_widths", 5)


@dataclass(frozen=True)
class CMUNeXtRecipe(NetworkRecipe):
    """CMUNeXt; its small variant (CMUNeXt-S) by default.

    Attributes:
        stage_widths: channels of the five stages.
        stage_blocks: blocks of the five stages.
        kernels: side of each stage's depthwise kernel in pixels, odd.
    """

    title: ClassVar[str] = "CMUNeXt (real time)"
    paper: ClassVar[str] = "https://doi.org/10.1109/ISBI56570.2024.10635609"
    name: Literal["cmunext"] = "cmunext"
    stage_widths: tuple[int, ...] = (8, 16, 32, 64, 128)
    stage_blocks: tuple[int, ...] = (1, 1, 1, 1, 1)
    kernels: tuple[int, ...] = (3, 3, 7, 7, 9)

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("stage_widths", "stage_blocks", "kernels"):
            widths(self, name, 5)
        if any(kernel % 2 == 0 for kernel in self.kernels):
            raise RecipeError(f"kernels = {self.kernels} of a CMUNeXt", "odd numbers")


@dataclass(frozen=True)
class FastUNetRecipe(NetworkRecipe):
    """This project's own real-time U-Net.

    Attributes:
        stage_widths: channels at strides 2, 4, 8, 16 and 32.
        stage_blocks: blocks at strides 4, 8, 16 and 32, the one that halves the map among them.
        decoder_width: channels of the decoder at strides 32 to 4.
        expansion: how much wider an inverted residual is inside.
    """

    title: ClassVar[str] = "fast U-Net (real time)"
    paper: ClassVar[str] = "docs/decisions/fast-unet.md"
    name: Literal["fast-unet"] = "fast-unet"
    stage_widths: tuple[int, ...] = (16, 32, 48, 72, 96)
    stage_blocks: tuple[int, ...] = (1, 3, 4, 3)
    decoder_width: int = 32
    expansion: int = 3

    def __post_init__(self) -> None:
        super().__post_init__()
        widths(self, "stage_widths", 5)
        widths(self, "stage_blocks", 4)
        require("decoder_width", self.decoder_width, 4, 512)
        require("expansion", self.expansion, 1, 8)


@dataclass(frozen=True)
class UNet3dRecipe(NetworkRecipe):
    """A U-Net on volumes whose slices may be thicker than their pixels are wide.

    Attributes:
        stage_widths: channels of the stages, the finest first.
        flat_stages: how many of the first stages leave the slices alone (kernel 1 x 3 x 3, stride
            1 x 2 x 2), for volumes with thick slices.
        deep_supervision: train an output at every scale but the two coarsest.
    """

    title: ClassVar[str] = "3-D U-Net"
    paper: ClassVar[str] = "https://doi.org/10.1007/978-3-319-46723-8_49"
    dimensions: ClassVar[int] = 3
    name: Literal["unet3d"] = "unet3d"
    stage_widths: tuple[int, ...] = (16, 32, 64, 128)
    flat_stages: int = 1
    deep_supervision: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        widths(self, "stage_widths", None)
        require("stages", len(self.stage_widths), 2, 7)
        require("flat_stages", self.flat_stages, 0, len(self.stage_widths) - 1)


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
