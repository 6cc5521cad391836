"""A first layer without weights that evens how brightly scanners draw their images."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

POWERS = (0.3, 2.5)
LEVELS = (0.05, 0.97)
"""What is measured is held in these, so that neither a black image nor a white one divides by 0."""


class EvenBrightness(nn.Module):
    """A trained network that sees every image with its bright parts at one grey level.

    The grey levels of an image, 0 to 1, are raised to one power: the one that makes `level` of the
    level n = mean(g^4)^(1/4). That one follows the bright tissue and hardly the black border.

    Args:
        network: from (N, C, H, W) float to logits; channels after the first are a prompt's.
        level: 0 to 1, exclusive; near n of the images that `network` was trained on, or a little
            above.
        darkest: what black is in the network's input: 0, or -1 where it reaches from -1 to 1.
    """

    def __init__(self, network: nn.Module, level: float, darkest: float) -> None:
        super().__init__()
        self.network = network
        self.level = level
        self.darkest = darkest

    def forward(self, images: Tensor) -> Tensor:
        """(N, C, H, W) float32 to the logits of `network`."""
        span = 1 - self.darkest
        grey = ((images[:, :1] - self.darkest) / span).clamp(0, 1)
        norm = grey.square().square().mean(dim=(1, 2, 3), keepdim=True).sqrt().sqrt()
        power = (math.log(self.level) / norm.clamp(*LEVELS).log()).clamp(*POWERS)
        evened = grey.pow(power) * span + self.darkest
        logits: Tensor = self.network(torch.cat([evened, images[:, 1:]], dim=1))
        return logits
