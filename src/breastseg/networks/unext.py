"""UNeXt: convolutions where the map is large, shifted MLPs where it is small.

J. M. J. Valanarasu, V. M. Patel: UNeXt: MLP-based Rapid Medical Image Segmentation Network. MICCAI
2022. https://doi.org/10.1007/978-3-031-16443-9_3, arXiv:2203.04967.

What the paper does (its section 2 and figure 2), and what this file keeps:

- three convolutional stages, each a 3x3 convolution, batch normalisation, 2x2 max pooling and ReLU;
- two token stages: a 3x3 convolution of stride 2 makes the tokens, then a *shifted MLP*: a linear
  layer, a 3x3 depthwise convolution that tells positions apart, GELU and a second linear layer.
  Before the first of the linear layers five groups of channels are shifted by -2 to 2 tokens along
  the width, before the second along the height, so that a layer without a kernel sees its
  neighbours;
- on the way up a convolution, batch normalisation, bilinear enlargement and ReLU; the map of the
  same size from the way down is added; the two coarsest levels have a shifted MLP again;
- layer normalisation before and after each shifted MLP, as in the authors' published program; the
  paper's formula has the one after.

The default is the paper's small variant, UNeXt-S; its UNeXt is ``stage_widths=(16, 32, 128, 160,
256)``, its UNeXt-L ``(32, 64, 128, 256, 512)``.

Where ours departs, and why:

- no bias before a batch normalisation, which would undo it. With three input channels the small,
  the plain and the large variant have 253,385, 1,471,409 and 3,984,929 parameters, with the biases
  253,561, 1,471,921 and 3,985,633; the paper states 0.3, 1.47 and 3.99 million;
- one output channel under a sigmoid, and any image size.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from breastseg.networks.padding import pad_to_multiple

STRIDE = 32
SHIFTS = (-2, -1, 0, 1, 2)  # in tokens, of as many groups of channels
ROWS, COLUMNS = 2, 3


class ChannelNorm(nn.LayerNorm):
    """Layer normalisation over the channels of each token.

    Args:
        width: channels.
    """

    def __init__(self, width: int) -> None:
        super().__init__(width)

    def forward(self, x: Tensor) -> Tensor:
        """(N, width, H, W) to the same."""
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class ShiftedMLP(nn.Module):
    """Two linear layers on tokens that are shifted along the width, then along the height.

    Args:
        width: channels of a token.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.before = ChannelNorm(width)
        self.first = nn.Conv2d(width, width, 1)
        self.positions = nn.Conv2d(width, width, 3, padding=1, groups=width)
        self.second = nn.Conv2d(width, width, 1)
        self.after = ChannelNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        """(N, width, H, W) to the same."""
        y = self.first(shifted(self.before(x), COLUMNS))
        y = functional.gelu(self.positions(y))
        y = self.second(shifted(y, ROWS))
        normed: Tensor = self.after(x + y)
        return normed


def shifted(x: Tensor, axis: int) -> Tensor:
    """Move groups of channels along an axis, zeros coming in.

    Args:
        x: (N, C, H, W) float.
        axis: `ROWS` or `COLUMNS`.

    Returns:
        (N, C, H, W): the first group moved by ``SHIFTS[0]`` tokens, and so on.
    """
    reach, length = max(SHIFTS), x.shape[axis]
    beside = (reach, reach, 0, 0) if axis == COLUMNS else (0, 0, reach, reach)
    groups = functional.pad(x, beside).chunk(len(SHIFTS), dim=1)
    # fewer than five channels make fewer groups
    moves = zip(groups, SHIFTS, strict=False)
    return torch.cat([group.narrow(axis, reach - by, length) for group, by in moves], dim=1)


class UNeXt(nn.Module):
    """See the module's text.

    Args:
        in_channels: of the image.
        out_channels: of the logits.
        stage_widths: channels at strides 2, 4, 8 (convolutions), 16 and 32 (tokens).
    """

    def __init__(
        self,
        in_channels: int = 1,
        out_channels: int = 1,
        stage_widths: Sequence[int] = (8, 16, 32, 64, 128),
    ) -> None:
        super().__init__()
        fine, coarse = list(stage_widths[:3]), list(stage_widths[3:])
        self.down = nn.ModuleList(
            nn.Sequential(*_normed_convolution(above, width), nn.MaxPool2d(2), nn.ReLU())
            for above, width in zip([in_channels, *fine[:-1]], fine, strict=True)
        )
        self.tokens = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(above, width, 3, stride=2, padding=1),
                ChannelNorm(width),
                ShiftedMLP(width),
            )
            for above, width in zip([fine[-1], coarse[0]], coarse, strict=True)
        )
        widths = list(reversed(stage_widths))
        self.up = nn.ModuleList(
            nn.Sequential(*_normed_convolution(below, width), _Twice(), nn.ReLU())
            for below, width in pairwise(widths)
        )
        self.mix = nn.ModuleList(
            ShiftedMLP(width) if level < len(coarse) else nn.Identity()
            for level, width in enumerate(widths[1:])
        )
        finest = stage_widths[0]
        self.last = nn.Sequential(nn.Conv2d(finest, finest, 3, padding=1), _Twice(), nn.ReLU())
        self.head = nn.Conv2d(finest, out_channels, 1)
        self.apply(_initialise)

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
        maps: list[Tensor] = []
        for stage in (*self.down, *self.tokens):
            x = stage(x)
            maps.append(x)
        maps.pop()  # the bottom is no skip
        for up, mix in zip(self.up, self.mix, strict=True):
            x = mix(up(x) + maps.pop())
        logits: Tensor = self.head(self.last(x))
        return logits[..., :height, :width]


class _Twice(nn.Module):
    """Enlarge by two, bilinearly."""

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to (N, C, 2H, 2W)."""
        return functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


def _normed_convolution(in_channels: int, out_channels: int) -> tuple[nn.Module, nn.Module]:
    return (
        nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False),
        nn.BatchNorm2d(out_channels),
    )


def _initialise(module: nn.Module) -> None:
    if not isinstance(module, nn.Conv2d):
        return
    if module.kernel_size == (1, 1):  # a linear layer
        nn.init.trunc_normal_(module.weight, std=0.02)
    else:
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    if module.bias is not None:
        nn.init.zeros_(module.bias)
