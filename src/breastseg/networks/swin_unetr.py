"""Swin-UNETR: a transformer of shifted windows as the encoder of a U-Net, on images and volumes.

A. Hatamizadeh et al.: Swin UNETR: Swin Transformers for Semantic Segmentation of Brain Tumors in
MRI Images. BrainLes 2021. https://doi.org/10.1007/978-3-031-08999-2_22. The network is MONAI's.

Where ours departs: on images the same network has two dimensions in place of three; windows are 8
pixels wide on images, which divides the maps of a padded image, and 7 on volumes as in the paper;
the first stage has 12 channels where the paper has 48, to train on a processor; an image of any
size is padded with its last row and column to multiples of 32, and the logits are cut back.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import ClassVar

from torch import Tensor, nn
from torch.nn import functional

MULTIPLE = 32
HEADS = 3  # of the first stage; doubled with the channels at each


class SwinUNETR(nn.Module):
    """On images; see the module's text.

    Args:
        in_channels: of the image.
        out_channels: of the logits.
        width: channels of the first stage, a multiple of 12.
        stage_blocks: transformer blocks of each of the four stages.
    """

    dimensions: ClassVar[int] = 2
    window: ClassVar[int] = 8

    def __init__(
        self,
        in_channels: int = 1,
        out_channels: int = 1,
        width: int = 12,
        stage_blocks: Sequence[int] = (2, 2, 2, 2),
    ) -> None:
        super().__init__()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what MONAI imports
            from monai.networks.nets.swin_unetr import SwinUNETR as MonaiSwinUNETR
        self.network = MonaiSwinUNETR(
            in_channels=in_channels,
            out_channels=out_channels,
            depths=tuple(stage_blocks),
            num_heads=tuple(HEADS * 2**stage for stage in range(len(stage_blocks))),
            window_size=self.window,
            feature_size=width,
            spatial_dims=self.dimensions,
        )

    def forward(self, images: Tensor) -> Tensor:
        """Logits of an image (or a volume) of any size.

        Args:
            images: (N, in_channels, H, W) float; a volume has (D, H, W) in place of (H, W).

        Returns:
            (N, out_channels, H, W) logits; a volume's likewise.
        """
        sides = images.shape[2:]
        wanted = [-(-side // MULTIPLE) * MULTIPLE for side in sides]
        if max(wanted) == MULTIPLE:
            wanted[-1] *= 2  # a single position has no variance to normalise with
        padding: list[int] = []
        for side, full in zip(reversed(sides), reversed(wanted), strict=True):
            padding += [0, full - side]
        padded = functional.pad(images, padding, mode="replicate") if any(padding) else images
        logits: Tensor = self.network(padded)
        for axis, side in enumerate(sides, start=2):
            logits = logits.narrow(axis, 0, side)
        return logits


class SwinUNETR3d(SwinUNETR):
    """On volumes: (N, in_channels, D, H, W) to (N, out_channels, D, H, W).

    Args:
        in_channels: phases of the volume.
        out_channels: of the logits.
        width: channels of the first stage, a multiple of 12.
        stage_blocks: transformer blocks of each of the four stages.
    """

    dimensions = 3
    window = 7
