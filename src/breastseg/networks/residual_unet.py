"""A U-Net of pre-activation residual units.

Z. Zhang, Q. Liu, Y. Wang: Road Extraction by Deep Residual U-Net. IEEE Geoscience and Remote
Sensing Letters 15 (2018). https://doi.org/10.1109/LGRS.2018.2802944, arXiv:1711.10684. The units
are those of K. He et al. 2016, https://doi.org/10.1007/978-3-319-46493-0_38.

What the paper does (its section II, figure 2 and table I), and what this file keeps:

- a unit is twice batch normalisation, ReLU and a 3x3 convolution, added to its input; the first
  convolution of the network sees the image itself;
- a unit of stride 2 halves the map, in place of pooling; each level has twice the channels of the
  one above;
- on the way up the map is enlarged, the map of the same level is laid beside it, a unit follows;
- a 1x1 convolution and a sigmoid.

Where ours departs, and why:

- where a unit changes the number of channels or the size, a 1x1 convolution brings its input to the
  new shape. The paper calls this path an identity and does not say how;
- no biases but the head's: normalisation follows;
- base width and depth can be set; the paper's are 64 and 3. Of its 7.8 million parameters
  ``ResidualUNet(in_channels=3, depth=3)`` has all, and 430,272 in those 1x1 convolutions.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from breastseg.networks.padding import pad_to_multiple


class ResidualUnit(nn.Module):
    """Twice normalise, ReLU, convolve; added to the input.

    Args:
        in_channels: of the input.
        out_channels: of the output.
        stride: of the first convolution, 1 or 2.
        first: the input is an image, which is convolved as it is.
    """

    def __init__(
        self, in_channels: int, out_channels: int, stride: int = 1, first: bool = False
    ) -> None:
        super().__init__()
        before = () if first else (nn.BatchNorm2d(in_channels), nn.ReLU(inplace=True))
        self.residual = nn.Sequential(
            *before,
            nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(inplace=True),
            nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False),
        )
        same = stride == 1 and in_channels == out_channels
        self.shortcut = (
            nn.Identity() if same else nn.Conv2d(in_channels, out_channels, 1, stride, bias=False)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) to (N, out_channels, H / stride, W / stride)."""
        y: Tensor = self.shortcut(x) + self.residual(x)
        return y


class ResidualUNet(nn.Module):
    """See the module's text.

    Args:
        in_channels: of the image.
        out_channels: of the logits.
        base_width: channels of the first level; each level below has twice as many.
        depth: how often the image is halved.
        dropout: fraction of channels zeroed before the head in training, 0 to below 1.
    """

    def __init__(
        self,
        in_channels: int = 1,
        out_channels: int = 1,
        base_width: int = 64,
        depth: int = 4,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        widths = [base_width * 2**level for level in range(depth + 1)]
        self.multiple = 2**depth
        self.down = nn.ModuleList([ResidualUnit(in_channels, base_width, first=True)])
        self.down.extend(ResidualUnit(above, width, stride=2) for above, width in pairwise(widths))
        self.up = nn.ModuleList(
            ResidualUnit(below + width, width) for below, width in pairwise(reversed(widths))
        )
        self.dropout = nn.Dropout2d(dropout)
        self.head = nn.Conv2d(base_width, out_channels, 1)
        self.apply(_initialise)

    def forward(self, images: Tensor) -> Tensor:
        """Logits of an image of any size.

        Args:
            images: (N, in_channels, H, W) float.

        Returns:
            (N, out_channels, H, W) logits; a sigmoid makes probabilities of them.
        """
        height, width = images.shape[-2:]
        # twice as large for the smallest: one value a channel has no variance to train with
        single = max(height, width) <= self.multiple
        x = pad_to_multiple(images, 2 * self.multiple if single else self.multiple)
        maps: list[Tensor] = []
        for unit in self.down:
            x = unit(x)
            maps.append(x)
        maps.pop()  # the bottom is no skip
        for unit in self.up:
            x = functional.interpolate(x, scale_factor=2.0, mode="nearest")
            x = unit(torch.cat([x, maps.pop()], dim=1))
        logits: Tensor = self.head(self.dropout(x))
        return logits[..., :height, :width]


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        after_relu = module.kernel_size == (3, 3)
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu" if after_relu else "linear")
        if module.bias is not None:
            nn.init.zeros_(module.bias)
