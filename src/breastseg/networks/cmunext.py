"""CMUNeXt: large depthwise kernels for context, and skips that are fused by groups.

F. Tang, J. Ding, Q. Quan, L. Wang, C. Ning, S. K. Zhou: CMUNeXt: An Efficient Medical Image
Segmentation Network Based on Large Kernel and Skip Fusion. ISBI 2024.
https://doi.org/10.1109/ISBI56570.2024.10635609, arXiv:2308.01239.

What the paper does (its section 2 and figure 1), and what this file keeps:

- a stem, then five stages with 2x2 max pooling between them. A block is a depthwise convolution
  with a large kernel, added to its input, and two 1x1 convolutions, four times as wide inside; GELU
  and batch normalisation follow each. A 3x3 convolution ends the stage with its number of channels;
- on the way up bilinear enlargement and a 3x3 convolution, then the *skip fusion*: a 3x3
  convolution in two groups, one for the skip and one for the map from below, and two 1x1
  convolutions, four times as wide inside, that bring the two together.

The default is the paper's small variant, CMUNeXt-S. Its CMUNeXt is ``stage_widths=(16, 32, 128,
160, 256), stage_blocks=(1, 1, 1, 3, 1), kernels=(3, 3, 7, 7, 7)``, its CMUNeXt-L
``stage_widths=(32, 64, 128, 256, 512), stage_blocks=(1, 1, 1, 6, 3)`` with the same kernels.

Where ours departs, and why:

- no bias where batch normalisation follows the convolution at once and undoes it: with three input
  channels CMUNeXt-S has 417,129 parameters, with the biases 417,505; the paper states 0.418
  million;
- one output channel under a sigmoid, and any image size.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from breastseg.networks.padding import pad_to_multiple

STRIDE = 16
INSIDE = 4  # how much wider a block is between its 1x1 convolutions


class LargeKernelBlock(nn.Module):
    """A depthwise convolution around each channel, then two 1x1 convolutions across them.

    Args:
        width: channels.
        kernel: side of the depthwise kernel in pixels, odd.
    """

    def __init__(self, width: int, kernel: int) -> None:
        super().__init__()
        self.around = _activated(
            nn.Conv2d(width, width, kernel, padding=kernel // 2, groups=width), width
        )
        self.across = _inverted(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """(N, width, H, W) to the same."""
        y: Tensor = self.across(x + self.around(x))
        return y


class SkipFusion(nn.Module):
    """Bring a skip and the map from below together.

    Args:
        width: channels of each of the two, and of the result.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        both = 2 * width
        self.fuse = nn.Sequential(
            _activated(nn.Conv2d(both, both, 3, padding=1, groups=2), both),
            _inverted(both, width),
        )

    def forward(self, skip: Tensor, below: Tensor) -> Tensor:
        """Two (N, width, H, W) to one."""
        y: Tensor = self.fuse(torch.cat([skip, below], dim=1))
        return y


class CMUNeXt(nn.Module):
    """See the module's text.

    Args:
        in_channels: of the image.
        out_channels: of the logits.
        stage_widths: channels at strides 1, 2, 4, 8 and 16.
        stage_blocks: blocks of each stage.
        kernels: side of each stage's depthwise kernel in pixels, odd.
    """

    def __init__(
        self,
        in_channels: int = 1,
        out_channels: int = 1,
        stage_widths: Sequence[int] = (8, 16, 32, 64, 128),
        stage_blocks: Sequence[int] = (1, 1, 1, 1, 1),
        kernels: Sequence[int] = (3, 3, 7, 7, 9),
    ) -> None:
        super().__init__()
        widths = list(stage_widths)
        self.stem = _convolution(in_channels, widths[0])
        self.pool = nn.MaxPool2d(2)
        above = [widths[0], *widths[:-1]]
        self.down = nn.ModuleList(
            nn.Sequential(
                *(LargeKernelBlock(before, kernel) for _ in range(blocks)),
                _convolution(before, width),
            )
            for before, width, blocks, kernel in zip(
                above, widths, stage_blocks, kernels, strict=True
            )
        )
        widths.reverse()
        self.up = nn.ModuleList(
            nn.Sequential(nn.Upsample(scale_factor=2, mode="bilinear"), _convolution(below, width))
            for below, width in pairwise(widths)
        )
        self.fusions = nn.ModuleList(SkipFusion(width) for width in widths[1:])
        self.head = nn.Conv2d(widths[-1], out_channels, 1)

    def forward(self, images: Tensor) -> Tensor:
        """Logits of an image of any size.

        Args:
            images: (N, in_channels, H, W) float.

        Returns:
            (N, out_channels, H, W) logits; a sigmoid makes probabilities of them.
        """
        height, width = images.shape[-2:]
        # twice the stride for the smallest: one value a channel has no variance to train with
        x = pad_to_multiple(images, STRIDE if max(height, width) > STRIDE else 2 * STRIDE)
        x = self.stem(x)
        skips: list[Tensor] = []
        for level, stage in enumerate(self.down):
            x = stage(x if level == 0 else self.pool(x))
            skips.append(x)
        skips.pop()  # the bottom is no skip
        for up, fusion in zip(self.up, self.fusions, strict=True):
            x = fusion(skips.pop(), up(x))
        logits: Tensor = self.head(x)
        return logits[..., :height, :width]


def _activated(convolution: nn.Conv2d, width: int) -> nn.Sequential:
    # the bias stays: it acts on the GELU, before the normalisation
    return nn.Sequential(convolution, nn.GELU(), nn.BatchNorm2d(width))


def _inverted(in_channels: int, out_channels: int) -> nn.Sequential:
    """Two 1x1 convolutions, `INSIDE` times as wide as the result between them."""
    inside = INSIDE * out_channels
    return nn.Sequential(
        _activated(nn.Conv2d(in_channels, inside, 1), inside),
        _activated(nn.Conv2d(inside, out_channels, 1), out_channels),
    )


def _convolution(in_channels: int, out_channels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(inplace=True),
    )
