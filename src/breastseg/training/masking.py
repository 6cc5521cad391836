"""Self-supervised pretraining: fill in what was masked out.

After He et al. 2022 (masked autoencoders), https://doi.org/10.1109/CVPR52688.2022.01553, and, for
convolutional networks, Xie et al. 2022 (SimMIM), https://doi.org/10.1109/CVPR52688.2022.00943:
random squares of the image are made grey, the network paints them, and only they are compared. The
network is the one that will be trained to segment; a run that starts from it takes decoder and head
too, where they fit.
"""

from __future__ import annotations

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from breastseg.training.averaging import Batch, mixed
from breastseg.training.task import SegmentationTask


class MaskingTask(SegmentationTask):
    """Trains to restore masked squares; the ground truth is not looked at."""

    def step_loss(self, images: Tensor, targets: Tensor) -> Tensor:
        """Mean absolute difference of the masked pixels, in standard deviations of each image.

        Args:
            images: (N, C, rows, columns), whole.
            targets: not used.
        """
        return self._painting_loss(self.network, images)

    def validation_step(self, batch: Batch, index: int) -> None:
        """Score what the averaged network paints; every epoch masks the same squares.

        There is no Dice: what the network paints is no lesion.
        """
        images = self.inputs(batch[0].float() / 255)
        generator = Generator().manual_seed(mixed(self.seed, self.global_rank, index))
        loss = self._painting_loss(self.average, images, generator).double()
        self._sums[4:] += torch.stack([loss * len(images), torch.full_like(loss, len(images))])

    def _painting_loss(
        self, network: nn.Module, images: Tensor, generator: Generator | None = None
    ) -> Tensor:
        hidden = self._hidden(images, generator)
        shown = torch.where(hidden, images.mean(dim=(1, 2, 3), keepdim=True), images)
        painted = network(shown.contiguous(memory_format=torch.channels_last)).float()
        grey = images.float().mean(dim=1, keepdim=True)
        deviation, mean = torch.std_mean(grey, dim=(1, 2, 3), keepdim=True)
        wanted = (grey - mean) / deviation.clamp_min(1e-3)
        loss: Tensor = ((painted - wanted).abs() * hidden).sum() / hidden.sum().clamp_min(1)
        return loss

    def _hidden(self, images: Tensor, generator: Generator | None = None) -> Tensor:
        """Which pixels are masked, (N, 1, rows, columns) bool.

        Torch's own generator decides, or one on the CPU.
        """
        assert self.recipe.masking is not None
        masking = self.recipe.masking
        side = max(1, round(1 / masking.patch))
        device = images.device if generator is None else None
        drawn = torch.rand(len(images), side * side, device=device, generator=generator)
        order = drawn.to(images.device).argsort(dim=1)
        masked = (order < masking.fraction * side * side).float().view(-1, 1, side, side)
        return functional.interpolate(masked, images.shape[2:], mode="nearest") > 0.5
