"""A U-Net for phones and cine loops: under half a million parameters, and quick on one CPU core.

Few parameters do not make a network fast. On a CPU a depthwise convolution on a large map waits for
memory, while a plain 3x3 convolution of 32 channels computes as fast as the processor can. So:

- at strides 2, 4 and 8 the blocks are plain convolutions, residual as in He et al. 2016
  (https://doi.org/10.1109/CVPR.2016.90): few channels, few parameters;
- at strides 16 and 32, where maps are small and channels many, they are the inverted residuals of
  MobileNetV2 (Sandler et al. 2018, https://doi.org/10.1109/CVPR.2018.00474) with a 5x5 depthwise
  kernel to look further around;
- skips are added, not laid side by side, as in LinkNet (Chaurasia and Culurciello 2017,
  https://doi.org/10.1109/VCIP.2017.8305148): the decoder stays narrow at every stride;
- the head works at a stride of 4 and gives each of its pixels' 4x4 logits as channels (Shi et al.
  2016, https://doi.org/10.1109/CVPR.2016.207): the outline is as fine as the image, and nothing is
  computed at the first two strides but the stem. All 16 start equal, so that no grid shows.

See ``docs/decisions/fast-unet.md`` for what was measured.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from breastseg.networks.padding import pad_to_multiple

STRIDE = 32
PLAIN_STAGES = 2  # at strides 4 and 8
FINE = 4  # logits along each side of a pixel of the head


class InvertedResidual(nn.Module):
    """Widen, look around each channel, narrow; added to the input where the shapes agree.

    Args:
        in_channels: of the input.
        out_channels: of the output.
        stride: 1, or 2 to halve the map.
        expansion: how much wider the block is inside.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int, expansion: int) -> None:
        super().__init__()
        inside = in_channels * expansion
        self.added = stride == 1 and in_channels == out_channels
        self.layers = nn.Sequential(
            nn.Conv2d(in_channels, inside, 1, bias=False),
            nn.BatchNorm2d(inside),
            nn.ReLU(inplace=True),
            nn.Conv2d(inside, inside, 5, stride, 2, groups=inside, bias=False),
            nn.BatchNorm2d(inside),
            nn.ReLU(inplace=True),
            nn.Conv2d(inside, out_channels, 1, bias=False),
            nn.BatchNorm2d(out_channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) to (N, out_channels, H / stride, W / stride)."""
        y: Tensor = self.layers(x)
        return x + y if self.added else y


class Residual(nn.Module):
    """Two plain 3x3 convolutions, added to the input.

    Args:
        width: channels.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            _convolution(width, width, 3),
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, width, H, W) to the same."""
        return functional.relu(x + self.layers(x))


class FastUNet(nn.Module):
    """See the module's text.

    Args:
        in_channels: of the image.
        out_channels: of the logits.
        stage_widths: channels at strides 2, 4, 8, 16 and 32.
        stage_blocks: blocks at strides 4, 8, 16 and 32, the one that halves the map among them.
        decoder_width: channels of the decoder at strides 32 to 4.
        expansion: how much wider an inverted residual is inside.
    """

    def __init__(
        self,
        in_channels: int = 1,
        out_channels: int = 1,
        stage_widths: Sequence[int] = (16, 32, 48, 72, 96),
        stage_blocks: Sequence[int] = (1, 3, 4, 3),
        decoder_width: int = 32,
        expansion: int = 3,
    ) -> None:
        super().__init__()
        self.stem = _convolution(in_channels, stage_widths[0], 3, stride=2)
        stages: list[nn.Module] = []
        for i, (width, blocks) in enumerate(zip(stage_widths[1:], stage_blocks, strict=True)):
            above = stage_widths[i]
            if i < PLAIN_STAGES:
                first: nn.Module = _convolution(above, width, 3, stride=2)
                more: list[nn.Module] = [Residual(width) for _ in range(blocks - 1)]
            else:
                first = InvertedResidual(above, width, 2, expansion)
                more = [InvertedResidual(width, width, 1, expansion) for _ in range(blocks - 1)]
            stages.append(nn.Sequential(first, *more))
        self.stages = nn.ModuleList(stages)
        self.skips = nn.ModuleList(
            _convolution(width, decoder_width, 1) for width in stage_widths[1:]
        )
        self.up = nn.ModuleList(_convolution(decoder_width, decoder_width, 3) for _ in range(3))
        self.head = nn.Conv2d(decoder_width, out_channels * FINE**2, 3, padding=1)
        self.apply(_he_initialise)
        with torch.no_grad():
            coarse = self.head.weight[:: FINE**2]
            self.head.weight.copy_(coarse.repeat_interleave(FINE**2, dim=0))

    def forward(self, images: Tensor) -> Tensor:
        """Logits of an image of any size.

        Args:
            images: (N, in_channels, H, W) float.

        Returns:
            (N, out_channels, H, W) logits.
        """
        height, width = images.shape[-2:]
        x = self.stem(pad_to_multiple(images, STRIDE))
        maps: list[Tensor] = []
        for stage, skip in zip(self.stages, self.skips, strict=True):
            x = stage(x)
            maps.append(skip(x))
        x = maps.pop()
        for block in self.up:
            x = block(maps.pop() + _twice(x))
        logits = functional.pixel_shuffle(self.head(x), FINE)
        return logits[..., :height, :width]


def _twice(x: Tensor) -> Tensor:
    return functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


def _convolution(in_channels: int, out_channels: int, kernel: int, stride: int = 1) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(inplace=True),
    )


def _he_initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        if module.bias is not None:
            nn.init.zeros_(module.bias)
