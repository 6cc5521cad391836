"""Is this mask drawn by a person or by a network? Asked of every patch of an image.

The PatchGAN of Isola et al. 2017, https://doi.org/10.1109/CVPR.2017.632: a plain convolutional
network whose every output sees a patch of some 70 pixels of image and mask together. Instance
normalisation in place of batch normalisation, so that true and drawn masks do not share statistics.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class PatchDiscriminator(nn.Module):
    """See the module's text.

    Args:
        in_channels: of the image and the mask together.
        width: channels of the first layer; doubled in each of the next two.
    """

    def __init__(self, in_channels: int = 2, width: int = 32) -> None:
        super().__init__()
        layers: list[nn.Module] = [
            nn.Conv2d(in_channels, width, 4, 2, 1),
            nn.LeakyReLU(0.2, inplace=True),
        ]
        for factor, stride in ((2, 2), (4, 1)):
            layers += [
                nn.Conv2d(width * factor // 2, width * factor, 4, stride, 1, bias=False),
                nn.InstanceNorm2d(width * factor, affine=True),
                nn.LeakyReLU(0.2, inplace=True),
            ]
        self.layers = nn.Sequential(*layers, nn.Conv2d(width * 4, 1, 4, 1, 1))

    def forward(self, images: Tensor, masks: Tensor) -> Tensor:
        """How true each patch looks.

        Args:
            images: (N, C, H, W) float, at least 32 pixels a side.
            masks: (N, K, H, W) float, 0 to 1; C + K are the input's channels.

        Returns:
            (N, 1, about H / 4, about W / 4); towards 1 for a person's, towards 0 for a network's.
        """
        judged: Tensor = self.layers(torch.cat((images, masks), dim=1))
        return judged
