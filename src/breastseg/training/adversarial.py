"""Adversarial training: a discriminator learns to tell masks apart, the network to deceive it.

After Luc et al. 2016, https://doi.org/10.48550/arXiv.1611.08408, with the patch discriminator of
Isola et al. 2017 on image and mask, and least squares in place of cross-entropy (Mao et al. 2017,
https://doi.org/10.1109/ICCV.2017.304), which keeps a gradient where the discriminator is sure.

In each step the network moves first: the recipe's loss plus `weight` times the squared distance
of the discriminator's judgement of its mask from 1. Then the discriminator moves: true masks
towards 1, the network's towards 0. True masks are softened at random, or their sharpness alone
would give them away. Where nothing is known both are empty. Before `first_epoch` the network is
trained alone; without the ``[adversarial]`` table the same recipe is its control.
"""

from __future__ import annotations

import torch
from lightning.pytorch.core.optimizer import LightningOptimizer
from lightning.pytorch.utilities.types import OptimizerLRSchedulerConfig
from torch import Tensor, nn

from breastseg.networks.patch_discriminator import PatchDiscriminator
from breastseg.training.recipe import Recipe
from breastseg.training.task import SegmentationTask

SOFTEST = 0.2
"""A true mask's values are moved towards 0.5 by up to this fraction of 1."""


class AdversarialTask(SegmentationTask):
    """Trains a network and its discriminator by turns; both are in the checkpoint.

    Args:
        recipe: the run, with an ``[adversarial]`` table.
        network: the generator.
        steps_per_epoch: optimiser steps an epoch, for the schedule.
    """

    def __init__(self, recipe: Recipe, network: nn.Module, steps_per_epoch: int) -> None:
        super().__init__(recipe, network, steps_per_epoch)
        assert recipe.adversarial is not None
        self.adversarial = recipe.adversarial
        self.automatic_optimization = False
        channels = recipe.input.channels + max(1, len(recipe.classes))
        self.discriminator = PatchDiscriminator(channels, self.adversarial.discriminator_width)

    def step_loss(self, images: Tensor, targets: Tensor) -> Tensor:
        """Move both networks once; returns the recipe's loss, for the record."""
        optimisers = self.optimizers()
        schedule = self.lr_schedulers()
        assert isinstance(optimisers, list)
        assert isinstance(schedule, torch.optim.lr_scheduler.LRScheduler)
        logits, plain = self.compared(images, targets)
        known = (targets >= 0).float()
        probability = self.lesion_maps(logits) * known
        against = self.current_epoch >= self.adversarial.first_epoch
        loss = plain
        if against:
            self.discriminator.requires_grad_(False)  # its gradients are of no use here
            judged = self.discriminator(images, probability).float()
            loss = plain + self.adversarial.weight * (judged - 1).square().mean()
            self.discriminator.requires_grad_(True)
        self._move(optimisers[0], loss)
        schedule.step()
        if against:
            softness = SOFTEST * torch.rand(len(targets), 1, 1, 1, device=targets.device)
            softened = (targets + softness * (0.5 - targets)) * known
            true = self.discriminator(images, softened).float()
            drawn = self.discriminator(images, probability.detach()).float()
            self._move(optimisers[1], 0.5 * ((true - 1).square().mean() + drawn.square().mean()))
        return plain.detach()

    def _move(self, optimiser: LightningOptimizer, loss: Tensor) -> None:
        optimiser.zero_grad()
        self.manual_backward(loss)
        norm = self.recipe.optimiser.clip_norm
        if norm:
            self.clip_gradients(optimiser.optimizer, norm, gradient_clip_algorithm="norm")
        optimiser.step()

    @staticmethod
    def lesion_maps(logits: Tensor) -> Tensor:
        """(N, K, rows, columns) probability of each lesion class, float32."""
        if logits.shape[1] == 1:
            return logits.float().sigmoid()
        return logits.float().softmax(dim=1)[:, 1:]

    def configure_optimizers(  # type: ignore[override]
        self,
    ) -> tuple[OptimizerLRSchedulerConfig, dict[str, torch.optim.Optimizer]]:
        """The network's as ever; Adam at a steady rate for the discriminator, as its authors do."""
        against = torch.optim.Adam(
            self.discriminator.parameters(), self.adversarial.learning_rate, betas=(0.5, 0.999)
        )
        return super().configure_optimizers(), {"optimizer": against}
