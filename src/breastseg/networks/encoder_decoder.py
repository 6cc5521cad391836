"""A fully convolutional network without skips: what the skips of a U-Net add, by their absence.

J. Long, E. Shelhamer, T. Darrell: Fully Convolutional Networks for Semantic Segmentation. CVPR
2015. https://doi.org/10.1109/CVPR.2015.7298965, arXiv:1411.4038.

What the paper does, and what this file keeps: a classifier without its last layers gives a coarse
map for an image of any size, and layers that enlarge it bring it back to the image's pixels, all
learnt end to end.

Where ours departs, and why:

- nothing of the encoder but its deepest map, at a stride of 32, reaches the decoder, as in the
  paper's FCN-32s. FCN-16s and FCN-8s add class scores of the maps at strides 16 and 8; those are
  skips, and this network is the control without any;
- FCN-32s enlarges its scores in one step with one transposed convolution. Here the blocks of
  `EncoderUNet` double the features step by step, without their skips, so that the skips are all
  that the two networks differ in;
- the encoder is any classifier, by default MobileNetV2, where the paper has VGG16.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from breastseg.networks.encoder_network import Decoder, EncoderNetwork


class SkiplessDecoder(Decoder):
    """Blocks that see only the map below them."""

    def skip_channels(self, encoder_channels: Sequence[int]) -> list[int]:
        """No channels for any block."""
        return [0] * (len(encoder_channels) - 1)

    def skip(self, level: int, features: Tensor, below: Tensor) -> None:
        """Nothing."""


class EncoderDecoder(EncoderNetwork):
    """`EncoderUNet` without skip connections; see the module's text.

    The arguments are those of `EncoderNetwork`. All of the encoder lies on the way to its deepest
    map, so nothing of it is idle.
    """

    decoder_type = SkiplessDecoder
