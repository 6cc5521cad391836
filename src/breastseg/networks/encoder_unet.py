"""A U-Net whose contracting path is an image classifier that can come pretrained.

The encoder and the decoder's blocks are those of segmentation-models-pytorch
(https://github.com/qubvel-org/segmentation_models.pytorch, MIT). The default encoder is MobileNetV2
(Sandler et al. 2018, https://doi.org/10.1109/CVPR.2018.00474), which runs on any CPU.
"""

from __future__ import annotations

from collections.abc import Sequence

import segmentation_models_pytorch as smp
import timm
from segmentation_models_pytorch.base.initialization import initialize_decoder, initialize_head
from segmentation_models_pytorch.decoders.unet.decoder import UnetDecoder
from torch import Tensor, nn
from torch.nn import functional

from breastseg.core.errors import RecipeError
from breastseg.networks.padding import pad_to_multiple

ENCODER_STRIDE = 32
ENCODER_DEPTH = 5


class EncoderUNet(nn.Module):
    """A U-Net on a classifier's features; its weights start at random (see `weights`).

    At an output stride of 2 the last decoder block, the one that works at full resolution and has
    no skip, is left out and the logits are upsampled: about a third faster to train on a CPU, and
    the outline of a lesion, smooth at that scale, loses nothing that can be seen.

    Args:
        encoder: a name of segmentation-models-pytorch, or ``"tu-"`` and a name of timm.
        in_channels: of the image, 1 or 3.
        out_channels: of the logits.
        decoder_channels: of the decoder's blocks, the deepest first: 5 values for an output stride
            of 1, 4 for 2.
        output_stride: 1 or 2, pixels of the input to one of the last block's output.
        dropout: share of the decoder's channels zeroed before the head in training, 0 to below 1.

    Raises:
        RecipeError: the encoder is not known.
    """

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
        _check_encoder(encoder)
        # never with weights here: that would download them
        self.encoder = smp.encoders.get_encoder(
            encoder, in_channels=in_channels, depth=ENCODER_DEPTH, weights=None
        )
        self.decoder = UnetDecoder(
            encoder_channels=self.encoder.out_channels,
            decoder_channels=tuple(decoder_channels),
            n_blocks=len(decoder_channels),
        )
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
        height, width = images.shape[-2:]
        x = pad_to_multiple(images, ENCODER_STRIDE)
        padded = x.shape[-2:]
        logits: Tensor = self.head(self.dropout(self.decoder(self.encoder(x))))
        if self.output_stride > 1:
            logits = functional.interpolate(
                logits, size=padded, mode="bilinear", align_corners=False
            )
        return logits[..., :height, :width]


def _check_encoder(name: str) -> None:
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
            "timm.list_models() lists timm's",
        )
