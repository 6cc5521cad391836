"""SegFormer: a transformer of four scales under a head of plain perceptrons.

E. Xie et al.: SegFormer: Simple and Efficient Design for Semantic Segmentation with Transformers.
NeurIPS 2021. https://doi.org/10.48550/arXiv.2105.15203.

Encoder and head are those of segmentation-models-pytorch; the head's logits have a stride of 4, as
in the paper, and are upsampled bilinearly. Where ours departs: the first patches may be of a grey
image; the head has 128 channels where the paper's small models have 256; its perceptrons have no
bias, which the batch normalisation after them would take away.
"""

from __future__ import annotations

import segmentation_models_pytorch as smp
from segmentation_models_pytorch.decoders.segformer.decoder import SegformerDecoder
from torch import Tensor, nn

from breastseg.networks.encoder_network import ENCODER_DEPTH, pad_for_encoder, to_image_size

RGB = 3


class SegFormer(nn.Module):
    """See the module's text.

    Args:
        encoder: "mit_b0" to "mit_b5".
        in_channels: of the image.
        out_channels: of the logits.
        decoder_width: channels of the head.
    """

    def __init__(
        self,
        encoder: str = "mit_b0",
        in_channels: int = 1,
        out_channels: int = 1,
        decoder_width: int = 128,
    ) -> None:
        super().__init__()
        # built for RGB: it refuses other images
        self.encoder = smp.encoders.get_encoder(
            encoder, in_channels=RGB, depth=ENCODER_DEPTH, weights=None
        )
        if in_channels != RGB:
            first = self.encoder.patch_embed1
            old = first.proj
            first.proj = nn.Conv2d(
                in_channels, old.out_channels, old.kernel_size, old.stride, old.padding
            )
            first._init_weights(first.proj)
        self.decoder = SegformerDecoder(
            encoder_channels=list(self.encoder.out_channels),
            encoder_depth=ENCODER_DEPTH,
            segmentation_channels=decoder_width,
        )
        for perceptron in self.decoder.mlp_stage:
            perceptron.linear.bias = None
        self.head = nn.Conv2d(decoder_width, out_channels, 1)

    def forward(self, images: Tensor) -> Tensor:
        """Logits of an image of any size.

        Args:
            images: (N, in_channels, H, W) float.

        Returns:
            (N, out_channels, H, W) logits; a sigmoid makes probabilities of them.
        """
        padded = pad_for_encoder(images)
        logits: Tensor = self.head(self.decoder(self.encoder(padded)))
        return to_image_size(logits, padded, images)
