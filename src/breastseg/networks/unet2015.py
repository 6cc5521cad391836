"""The U-Net of 2015, in full, to be read beside the paper.

O. Ronneberger, P. Fischer, T. Brox: U-Net: Convolutional Networks for Biomedical Image
Segmentation. MICCAI 2015. https://doi.org/10.1007/978-3-319-24574-4_28, arXiv:1505.04597.

What the paper does (its section 2 and figure 1), and what this file keeps:

- contracting path: four times two 3x3 convolutions with ReLU, then 2x2 max pooling of stride 2;
  the channels double from 64 to 1024 at the bottom;
- expanding path: a 2x2 up-convolution that halves the channels, the contracting path's map of the
  same level beside it, two 3x3 convolutions with ReLU;
- a 1x1 convolution to the classes, 23 convolutional layers in all;
- dropout at the end of the contracting path (section 3.1; the rate is not in the paper, the
  authors' published Caffe model has 0.5 on the two deepest levels);
- weights drawn from a Gaussian of standard deviation sqrt(2 / N), N the incoming nodes of one
  neuron (He et al. 2015, https://doi.org/10.1109/ICCV.2015.123).

Where ours departs, and why:

- convolutions are padded. The paper's are not: 572x572 in, 388x388 out, skips cropped, large
  images tiled with overlap. A breast image fits into memory whole, and a mask as large as the
  image needs no bookkeeping;
- one output channel under a sigmoid by default, where the paper has two under a softmax;
- batch normalisation after each convolution unless switched off. It came out in the same year, and
  without it this depth is slow to start from random weights;
- no dropout unless asked for;
- base width and depth can be set; the paper's are 64 and 4.

``UNet2015(out_channels=2, batch_norm=False, dropout=0.5)`` is the paper's network but for the
padding: 31,030,658 parameters.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from breastseg.networks.padding import pad_to_multiple


class DoubleConvolution(nn.Sequential):
    """Two 3x3 convolutions, each followed by ReLU: one level of the U."""

    def __init__(self, in_channels: int, out_channels: int, batch_norm: bool) -> None:
        layers: list[nn.Module] = []
        for channels in (in_channels, out_channels):
            # batch normalisation has a shift of its own, so a bias before it would be idle
            layers.append(nn.Conv2d(channels, out_channels, 3, padding=1, bias=not batch_norm))
            if batch_norm:
                layers.append(nn.BatchNorm2d(out_channels))
            layers.append(nn.ReLU(inplace=True))
        super().__init__(*layers)


class UNet2015(nn.Module):
    """The U-Net of Ronneberger et al. 2015 with padded convolutions; see the module's text.

    Args:
        in_channels: of the image.
        out_channels: of the logits.
        base_width: channels of the first level; each level below has twice as many.
        depth: how often the image is halved.
        batch_norm: normalise after each 3x3 convolution.
        dropout: fraction of values zeroed on the two deepest levels in training, 0 to below 1.
    """

    def __init__(
        self,
        in_channels: int = 1,
        out_channels: int = 1,
        base_width: int = 64,
        depth: int = 4,
        batch_norm: bool = True,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        widths = [base_width * 2**level for level in range(depth + 1)]
        self.multiple = 2**depth
        self.down = nn.ModuleList(
            DoubleConvolution(above, width, batch_norm)
            for above, width in zip([in_channels, *widths[:-1]], widths, strict=True)
        )
        self.pool = nn.MaxPool2d(2)
        self.dropout = nn.Dropout(dropout)
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(2 * width, width, 2, stride=2) for width in reversed(widths[:-1])
        )
        self.merge = nn.ModuleList(
            DoubleConvolution(2 * width, width, batch_norm) for width in reversed(widths[:-1])
        )
        self.head = nn.Conv2d(base_width, out_channels, 1)
        self.apply(_he_initialise)

    def forward(self, images: Tensor) -> Tensor:
        """Logits of an image of any size.

        Args:
            images: (N, in_channels, H, W) float.

        Returns:
            (N, out_channels, H, W) logits; a sigmoid makes probabilities of them.
        """
        height, width = images.shape[-2:]
        x = pad_to_multiple(images, self.multiple)
        skips: list[Tensor] = []
        deepest = len(self.down) - 1
        for level, block in enumerate(self.down):
            x = block(x if level == 0 else self.pool(x))
            if level >= deepest - 1:
                x = self.dropout(x)
            skips.append(x)
        skips.pop()  # the bottom is no skip
        for up, merge in zip(self.up, self.merge, strict=True):
            x = merge(torch.cat([skips.pop(), up(x)], dim=1))
        logits: Tensor = self.head(x)
        return logits[..., :height, :width]


def _he_initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_in", nonlinearity="relu")
    elif isinstance(module, nn.ConvTranspose2d):
        # windows do not overlap: each output sees one tap of every input channel
        nn.init.normal_(module.weight, std=math.sqrt(2.0 / module.in_channels))
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d) and module.bias is not None:
        nn.init.zeros_(module.bias)
