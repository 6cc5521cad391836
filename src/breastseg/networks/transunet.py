"""Convolutions for detail, a transformer for the whole: TransUNet.

J. Chen et al.: TransUNet: Rethinking the U-Net architecture design for medical image segmentation
through the lens of transformers. Medical Image Analysis 97, 2024.
https://doi.org/10.1016/j.media.2024.103280; first as arXiv:2102.04306.

What this file keeps of the first paper: a convolutional encoder down to a stride of 16, its map as
one token a position, a vision transformer (Dosovitskiy et al. 2021, arXiv:2010.11929) of
pre-normalised blocks over them, and a U-Net's decoder whose skips are the encoder's maps.

Where ours departs, and why:

- the encoder is any classifier, MobileNetV2 by default, where the paper has ResNet-50, and the
  transformer has 6 blocks of 192 channels where the paper has 12 of 768: a network of that size is
  for a GPU, and starts from weights of ImageNet-21k;
- the learnt positions are those of a 16x16 map and are interpolated for other sizes, so that an
  image of any size can be given;
- no dropout inside the transformer, and no convolution between it and the decoder;
- the transformer in the decoder, which the second paper adds, is not here.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from segmentation_models_pytorch.base.initialization import initialize_decoder, initialize_head
from torch import Tensor, nn
from torch.nn import functional

from breastseg.networks.encoder_network import (
    ENCODER_STRIDE,
    Decoder,
    build_encoder,
    first_maps,
    pad_for_encoder,
    to_image_size,
)

STEM_DEPTH = 4
POSITIONS = 16


class TransformerBlock(nn.Module):
    """Attention and a two-layer perceptron, each normalised before and added to its input.

    Args:
        width: of a token.
        heads: of the attention; divides the width.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.before_attention = nn.LayerNorm(width)
        self.query_key_value = nn.Linear(width, 3 * width)
        self.project = nn.Linear(width, width)
        self.before_perceptron = nn.LayerNorm(width)
        self.perceptron = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )

    def forward(self, tokens: Tensor) -> Tensor:
        """(N, tokens, width) to the same."""
        parts = self.query_key_value(self.before_attention(tokens))
        query, key, value = parts.unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        seen = functional.scaled_dot_product_attention(query, key, value)
        tokens = tokens + self.project(seen.transpose(1, 2).flatten(2))
        result: Tensor = tokens + self.perceptron(self.before_perceptron(tokens))
        return result


class Transformer(nn.Module):
    """A vision transformer over the positions of a map.

    Args:
        in_channels: of the map.
        width: of a token.
        blocks: how many.
        heads: of the attention.
    """

    def __init__(self, in_channels: int, width: int, blocks: int, heads: int) -> None:
        super().__init__()
        self.embed = nn.Conv2d(in_channels, width, 1)
        self.positions = nn.Parameter(torch.empty(1, width, POSITIONS, POSITIONS))
        self.blocks = nn.Sequential(*(TransformerBlock(width, heads) for _ in range(blocks)))
        self.norm = nn.LayerNorm(width)
        nn.init.trunc_normal_(self.positions, std=0.02)

    def forward(self, features: Tensor) -> Tensor:
        """(N, in_channels, h, w) to (N, width, h, w)."""
        x = self.embed(features)
        positions: Tensor = self.positions
        if x.shape[-2:] != positions.shape[-2:]:
            positions = functional.interpolate(
                positions, size=x.shape[-2:], mode="bilinear", align_corners=False
            )
        tokens = self.blocks((x + positions).flatten(2).transpose(1, 2))
        back: Tensor = self.norm(tokens).transpose(1, 2).unflatten(2, x.shape[-2:])
        return back


class StemDecoder(Decoder):
    """The U-Net's decoder on an encoder of one stride less."""

    def skip(self, level: int, features: Tensor, below: Tensor) -> Tensor | None:
        """The encoder's map of the block's size; the image itself is no skip."""
        del below
        return features if level < STEM_DEPTH - 1 else None


class TransUNet(nn.Module):
    """See the module's text.

    Args:
        encoder: a name of segmentation-models-pytorch, or ``"tu-"`` and a name of timm.
        in_channels: of the image.
        out_channels: of the logits.
        decoder_channels: of the decoder's blocks, the deepest first: 4 values for an output stride
            of 1, 3 for 2.
        output_stride: 1 or 2, pixels of the input to one of the last block's output.
        dropout: fraction of the decoder's channels zeroed before the head in training, 0 to below
            1.
        width: of a token.
        blocks: of the transformer.
        heads: of the attention; divides the width.

    Raises:
        RecipeError: the encoder is not known.
    """

    def __init__(  # noqa: PLR0913 (the recipe's fields, one each)
        self,
        *,
        encoder: str = "mobilenet_v2",
        in_channels: int = 1,
        out_channels: int = 1,
        decoder_channels: Sequence[int] = (64, 48, 32),
        output_stride: int = 2,
        dropout: float = 0.0,
        width: int = 192,
        blocks: int = 6,
        heads: int = 6,
    ) -> None:
        super().__init__()
        self.encoder, channels = build_encoder(encoder, in_channels)
        remove_deeper_layers(self.encoder, in_channels)
        channels = channels[: STEM_DEPTH + 1]
        self.transformer = Transformer(channels[-1], width, blocks, heads)
        self.decoder = StemDecoder([*channels[:-1], width], decoder_channels)
        self.dropout = nn.Dropout2d(dropout)
        self.head = nn.Conv2d(decoder_channels[-1], out_channels, 3, padding=1)
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
        *skips, deepest = first_maps(self.encoder, padded, STEM_DEPTH)
        maps = self.decoder([*skips, self.transformer(deepest)])
        logits: Tensor = self.head(self.dropout(maps))
        return to_image_size(logits, padded, images)


class Removed(nn.Module):
    """What stands where a layer was; some encoders still call it, with more than the map."""

    def forward(self, x: Tensor, *_others: object) -> Tensor:
        """(N, C, h, w) as it came."""
        return x


def remove_deeper_layers(encoder: nn.Module, in_channels: int) -> None:
    """Take out the layers that only maps deeper than the stem need: no gradient reaches them.

    Args:
        encoder: of `build_encoder`; changed in place. The names of what stays are kept, so that
            weights of the whole classifier can be loaded (see `weights`) where its deeper layers
            are numbered; segmentation-models-pytorch's EfficientNets have one that is not.
        in_channels: of the image.
    """
    training = encoder.training
    encoder.eval()  # leaves the running statistics as they are
    side = 2 * ENCODER_STRIDE
    maps = first_maps(encoder, torch.zeros(1, in_channels, side, side), STEM_DEPTH)
    names, parameters = zip(*encoder.named_parameters(), strict=True)
    # a layer whose maps are computed but never looked at has no gradient either
    seen = [m.sum() for m in maps[1:] if m.requires_grad]
    gradients = torch.autograd.grad(seen, parameters, allow_unused=True)
    idle = {name for name, gradient in zip(names, gradients, strict=True) if gradient is None}
    for name, module in list(encoder.named_modules()):  # a module comes before its parts
        own = {f"{name}.{part}" for part, _ in module.named_parameters()}
        if own and own <= idle:
            encoder.set_submodule(name, Removed())
            idle -= own
    encoder.train(training)
