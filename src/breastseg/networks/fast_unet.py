"""A U-Net for phones and cine loops: under half a million parameters, and quick on one CPU core.

Few parameters do not make a network fast, and a small network that starts from nothing learns
little from a few hundred images. So:

- the encoder is the first eleven blocks of MobileNetV2 (Sandler et al. 2018,
  https://doi.org/10.1109/CVPR.2018.00474), down to a stride of 16, so that it can start from
  ImageNet or from the encoder of any network here that is trained on the whole of it; the blocks
  left out hold nine tenths of the weights and see little of a contour;
- the image is first shrunk to three quarters of its side: that halves the work, and the last step
  brings the logits back;
- two inverted residuals of 5x5 kernels at a stride of 32 look at the image as a whole;
- skips are added, not laid side by side, as in LinkNet (Chaurasia and Culurciello 2017,
  https://doi.org/10.1109/VCIP.2017.8305148): the decoder stays narrow at every stride. Its
  convolutions are plain ones: on a CPU a depthwise convolution on a large map waits for memory;
- the head works at a stride of 4 and gives each of its pixels' 4x4 logits as channels (Shi et al.
  2016, https://doi.org/10.1109/CVPR.2016.207). All 16 start equal, so that no grid shows.

See ``docs/decisions/fast-unet.md`` for what was measured.
"""

from __future__ import annotations

import torch
import torchvision
from torch import Tensor, nn
from torch.nn import functional

BLOCKS = 11
TAPS = {3: 24, 6: 32, 10: 64}  # block to channels: the last of its stride, at 4, 8 and 16
STRIDE = 32
FINE = 4  # logits along each side of a pixel of the head


class MobileNetV2Head(nn.Module):
    """The first blocks of MobileNetV2, with the parameter names of torchvision.

    Args:
        in_channels: of the image.
    """

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        features = torchvision.models.mobilenet_v2(weights=None).features[:BLOCKS]
        if in_channels != 3:
            features[0][0] = nn.Conv2d(in_channels, 32, 3, stride=2, padding=1, bias=False)
        self.features = features

    def forward(self, images: Tensor) -> list[Tensor]:
        """(N, in_channels, H, W) to the maps at strides 4, 8 and 16."""
        maps = []
        x = images
        for i, block in enumerate(self.features):
            x = block(x)
            if i in TAPS:
                maps.append(x)
        return maps


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
            _convolution(in_channels, inside, 1),
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


class FastUNet(nn.Module):
    """See the module's text.

    Args:
        in_channels: of the image.
        out_channels: of the logits.
        scale: the side at which the network works, as a fraction of the image's, 0.25 to 1.
        context_width: channels at a stride of 32.
        decoder_width: channels of the decoder at every stride.
    """

    def __init__(
        self,
        in_channels: int = 1,
        out_channels: int = 1,
        scale: float = 0.75,
        context_width: int = 96,
        decoder_width: int = 32,
    ) -> None:
        super().__init__()
        self.scale = scale
        self.encoder = MobileNetV2Head(in_channels)
        deepest = TAPS[BLOCKS - 1]
        self.context = nn.Sequential(
            InvertedResidual(deepest, context_width, 2, 3),
            InvertedResidual(context_width, context_width, 1, 3),
        )
        self.skips = nn.ModuleList(
            _convolution(width, decoder_width, 1) for width in (*TAPS.values(), context_width)
        )
        self.up = nn.ModuleList(_convolution(decoder_width, decoder_width, 3) for _ in TAPS)
        self.head = nn.Conv2d(decoder_width, out_channels * FINE**2, 3, padding=1)
        for part in (self.context, self.skips, self.up, self.head):
            part.apply(_he_initialise)
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
        size = images.shape[-2:]
        maps = self.encoder(_resized(images, [self._inner(side) for side in size]))
        maps.append(self.context(maps[-1]))
        maps = [skip(x) for skip, x in zip(self.skips, maps, strict=True)]
        x = maps.pop()
        for block in self.up:
            x = block(maps.pop() + functional.interpolate(x, scale_factor=2, mode="bilinear"))
        return _resized(functional.pixel_shuffle(self.head(x), FINE), list(size))

    def _inner(self, side: int) -> int:
        """The working side: two strides or more, as one pixel alone cannot be normalised."""
        return max(2, round(side * self.scale / STRIDE)) * STRIDE


def _resized(x: Tensor, size: list[int]) -> Tensor:
    if list(x.shape[-2:]) == size:
        return x
    return functional.interpolate(x, size=size, mode="bilinear", align_corners=False)


def _convolution(in_channels: int, out_channels: int, kernel: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, kernel, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(inplace=True),
    )


def _he_initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        if module.bias is not None:
            nn.init.zeros_(module.bias)
