"""Self-supervised pretraining: fill in what was masked out.

After He et al. 2022 (masked autoencoders), https://doi.org/10.1109/CVPR52688.2022.01553, and, for
convolutional networks, Xie et al. 2022 (SimMIM), https://doi.org/10.1109/CVPR52688.2022.00943:
random squares of the image are made grey, the network paints them, and only they are compared. The
network is the one that will be trained to segment, decoder included; only its head is left behind.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from breastseg.training.task import SegmentationTask


class MaskingTask(SegmentationTask):
    """Trains to restore masked squares; the ground truth is not looked at."""

    def step_loss(self, images: Tensor, targets: Tensor) -> Tensor:
        """Mean absolute difference of the masked pixels, in standard deviations of each image.

        Args:
            images: (N, C, rows, columns), whole.
            targets: not used.
        """
        assert self.recipe.masking is not None
        hidden = self._hidden(images)
        shown = torch.where(hidden, images.mean(dim=(1, 2, 3), keepdim=True), images)
        painted = self.network(shown.contiguous(memory_format=torch.channels_last)).float()
        grey = images.float().mean(dim=1, keepdim=True)
        deviation, mean = torch.std_mean(grey, dim=(1, 2, 3), keepdim=True)
        wanted = (grey - mean) / deviation.clamp_min(1e-3)
        loss: Tensor = ((painted - wanted).abs() * hidden).sum() / hidden.sum().clamp_min(1)
        return loss

    def validation_loss(self, logits: Tensor, targets: Tensor) -> Tensor | None:
        """None: what the network paints is no lesion."""
        return None

    def _hidden(self, images: Tensor) -> Tensor:
        """Which pixels are masked, (N, 1, rows, columns) bool; torch's generator decides."""
        assert self.recipe.masking is not None
        masking = self.recipe.masking
        side = max(1, round(1 / masking.patch))
        order = torch.rand(len(images), side * side, device=images.device).argsort(dim=1)
        masked = (order < masking.fraction * side * side).float().view(-1, 1, side, side)
        return functional.interpolate(masked, images.shape[2:], mode="nearest") > 0.5
