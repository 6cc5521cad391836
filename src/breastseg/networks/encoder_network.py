"""What the networks on a classifier's features share: encoder, padding, decoder, head.

The encoders and the decoder's blocks are those of segmentation-models-pytorch
(https://github.com/qubvel-org/segmentation_models.pytorch, MIT). The default encoder is MobileNetV2
(Sandler et al. 2018, https://doi.org/10.1109/CVPR.2018.00474), which runs on any CPU.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import ClassVar

import segmentation_models_pytorch as smp
import timm
from segmentation_models_pytorch.base.initialization import initialize_decoder, initialize_head
from segmentation_models_pytorch.decoders.unet.decoder import UnetDecoderBlock
from segmentation_models_pytorch.encoders._base import EncoderMixin
from segmentation_models_pytorch.encoders.mobilenet import MobileNetV2Encoder
from torch import Tensor, nn
from torch.nn import functional

from breastseg.core.errors import RecipeError
from breastseg.networks.padding import pad_to_multiple

ENCODER_STRIDE = 32
ENCODER_DEPTH = 5


def build_encoder(name: str, in_channels: int) -> tuple[nn.Module, list[int]]:
    """A classifier without its last layer, with random weights (see `weights`).

    Args:
        name: of segmentation-models-pytorch, or ``"tu-"`` and a name of timm.
        in_channels: of the image.

    Returns:
        A module from (N, in_channels, H, W) to six maps, of strides 1 (the image itself) to 32, and
        the channels of these.

    Raises:
        RecipeError: the encoder is not known.
    """
    if name.startswith("tu-"):
        known = timm.is_model(name.removeprefix("tu-"))
    else:
        # the old "timm-" names are aliases of the "tu-" ones
        known = name in smp.encoders.encoders and not name.startswith("timm-")
    if not known:
        raise RecipeError(
            f"encoder {name!r}",
            "a name of segmentation-models-pytorch such as 'mobilenet_v2' or 'resnet34', "
            "or 'tu-' and a name of timm such as 'tu-convnext_tiny'",
            "look through timm.list_models()",
        )
    # never with weights here: that would download them
    encoder = smp.encoders.get_encoder(
        name, in_channels=in_channels, depth=ENCODER_DEPTH, weights=None
    )
    return encoder, list(encoder.out_channels)


def first_maps(encoder: nn.Module, images: Tensor, depth: int) -> list[Tensor]:
    """An encoder's maps of the first strides, without computing what only deeper ones need.

    That holds for MobileNetV2 and the ResNets. Other encoders of segmentation-models-pytorch may
    compute a stage more, timm's compute all; a graph exported from any of them holds nothing idle.

    Args:
        encoder: of `build_encoder`.
        images: (N, in_channels, H, W) float, sides multiples of 32.
        depth: of the deepest map that is wanted, 0 to 5: its stride is 2 to that power.

    Returns:
        ``depth + 1`` maps, the image first.
    """
    if depth < ENCODER_DEPTH and isinstance(encoder, MobileNetV2Encoder):
        # its own forward goes on to the next map before it looks at the depth
        ends = encoder._out_indexes[:depth]
        maps, x = [images], images
        for i, layer in enumerate(encoder.features[: ends[-1] + 1] if ends else ()):
            x = layer(x)
            if i in ends:
                maps.append(x)
        return maps
    if depth < ENCODER_DEPTH and isinstance(encoder, EncoderMixin):
        shallow: EncoderMixin = copy.copy(encoder)  # the layers are the same ones
        shallow._depth = depth
        return list(shallow(images))
    return list(encoder(images)[: depth + 1])


def pad_for_encoder(images: Tensor) -> Tensor:
    """Bring an image to a size that an encoder halves five times.

    An image that would shrink to a single position becomes twice as large: one value a channel has
    no variance to normalise a batch of one image with.

    Args:
        images: (N, C, H, W) float.

    Returns:
        (N, C, H', W') with sides that are multiples of 32, the original at the top left.
    """
    single = max(images.shape[-2:]) <= ENCODER_STRIDE
    return pad_to_multiple(images, 2 * ENCODER_STRIDE if single else ENCODER_STRIDE)


def to_image_size(maps: Tensor, padded: Tensor, images: Tensor) -> Tensor:
    """Enlarge what was computed of a padded image, and cut the padding off.

    Args:
        maps: (N, K, h, w) float.
        padded: (N, C, H', W'), what `pad_for_encoder` made of `images`.
        images: (N, C, H, W).

    Returns:
        (N, K, H, W), bilinear where the size changes.
    """
    if maps.shape[-2:] != padded.shape[-2:]:
        maps = functional.interpolate(
            maps, size=padded.shape[-2:], mode="bilinear", align_corners=False
        )
    return maps[..., : images.shape[-2], : images.shape[-1]]


class Decoder(nn.Module):
    """Blocks that each double the map and see the encoder's map of that size beside it.

    Args:
        encoder_channels: of the encoder's six maps, the image first.
        decoder_channels: of the blocks, the deepest first; 5 or fewer.
    """

    def __init__(self, encoder_channels: Sequence[int], decoder_channels: Sequence[int]) -> None:
        super().__init__()
        below = (encoder_channels[-1], *decoder_channels[:-1])
        beside = self.skip_channels(encoder_channels)
        self.blocks = nn.ModuleList(
            UnetDecoderBlock(*channels)
            for channels in zip(below, beside, decoder_channels, strict=False)
        )

    def skip_channels(self, encoder_channels: Sequence[int]) -> list[int]:
        """Channels that each of five blocks sees of the encoder, the deepest first."""
        return [*reversed(encoder_channels[1:-1]), 0]  # the image itself is no skip

    def skip(self, level: int, features: Tensor, below: Tensor) -> Tensor | None:
        """What a block sees of the encoder.

        Args:
            level: of the block, 0 is the deepest.
            features: (N, C, H, W), the encoder's map of the block's size.
            below: (N, C', H / 2, W / 2), the map that the block enlarges.

        Returns:
            (N, C, H, W), or None for nothing.
        """
        del below
        return features if level < ENCODER_DEPTH - 1 else None

    def maps(self, features: Sequence[Tensor]) -> list[Tensor]:
        """The encoder's deepest map and what each block makes of it.

        Args:
            features: the encoder's six maps, the image first.

        Returns:
            One map more than there are blocks.
        """
        maps = [features[-1]]
        finer = reversed(features[:-1])
        for level, (block, like) in enumerate(zip(self.blocks, finer, strict=False)):
            x = maps[-1]
            maps.append(block(x, *like.shape[-2:], self.skip(level, like, x)))
        return maps

    def forward(self, features: Sequence[Tensor]) -> Tensor:
        """The last of `maps`: (N, decoder_channels[-1], h, w)."""
        return self.maps(features)[-1]


class EncoderNetwork(nn.Module):
    """Encoder, decoder, head; the architectures say which decoder. Weights start at random.

    At an output stride of 2 the last decoder block, the one that works at full resolution and has
    no skip, is left out and the logits are upsampled: about a third faster to train on a CPU, and
    the contour of a lesion, smooth at that scale, loses nothing that can be seen.

    Args:
        encoder: a name of segmentation-models-pytorch, or ``"tu-"`` and a name of timm.
        in_channels: of the image.
        out_channels: of the logits.
        decoder_channels: of the decoder's blocks, the deepest first: 5 values for an output stride
            of 1, 4 for 2.
        output_stride: 1 or 2, pixels of the input to one of the last block's output.
        dropout: fraction of the decoder's channels zeroed before the head in training, 0 to below
            1.

    Raises:
        RecipeError: the encoder is not known.
    """

    decoder_type: ClassVar[type[Decoder]] = Decoder

    def __init__(
        self,
        encoder: str = "mobilenet_v2",
        in_channels: int = 1,
        out_channels: int = 1,
        decoder_channels: Sequence[int] = (128, 64, 48, 32),
        output_stride: int = 2,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.encoder, channels = build_encoder(encoder, in_channels)
        self.decoder = self.decoder_type(channels, decoder_channels)
        self.dropout = nn.Dropout2d(dropout)
        self.head = nn.Conv2d(decoder_channels[-1], out_channels, 3, padding=1)
        self.output_stride = output_stride
        initialize_decoder(self.decoder)
        initialize_head(self.head)

    def forward(self, images: Tensor) -> Tensor:
        """Logits of an image of any size.

        Args:
            images: (N, in_channels, H, W) float.

        Returns:
            (N, out_channels, H, W) logits; a sigmoid makes probabilities of them.
        """
        padded = pad_for_encoder(images)
        logits: Tensor = self.head(self.dropout(self.decoder(self.encoder(padded))))
        return to_image_size(logits, padded, images)
