"""One network being trained on images: its steps, its rates, its validation."""

from __future__ import annotations

import numpy as np
import torch
from lightning.pytorch.utilities.types import OptimizerLRSchedulerConfig
from torch import Tensor, nn
from torch.nn import functional

from breastseg.core.bundle import Intensity
from breastseg.losses import DeepSupervision, build_loss
from breastseg.losses.inputs import IGNORED
from breastseg.training.augmentation import Augmentation
from breastseg.training.augmentation.geometry import fractions, masks_of
from breastseg.training.averaging import AveragedTask, Batch
from breastseg.training.recipe import Recipe
from breastseg.training.sampler import IGNORED_LABEL, PreparedCases
from breastseg.training.transfer import (
    encoder_layers,
    first_epoch,
    freeze_statistics,
    groups,
    peak_rate,
    rate_of,
)


def scale(unit: Tensor, intensity: Intensity) -> Tensor:
    """`breastseg.preprocess.intensity.rescale` on a batch (N, C, rows, columns)."""
    if intensity is Intensity.UNIT:
        return unit
    if intensity is Intensity.SYMMETRIC:
        return unit * 2 - 1
    deviation, mean = torch.std_mean(unit, dim=(1, 2, 3), correction=0, keepdim=True)
    return torch.where(deviation < 1e-6, torch.zeros_like(unit), (unit - mean) / deviation)


def batch_dice(probability: Tensor, targets: Tensor, threshold: float = 0.5) -> Tensor:
    """Dice of each image at a threshold; 1 where both are empty, 0 where one is.

    Args:
        probability: (N, 1, rows, columns), 0 to 1.
        targets: (N, K, rows, columns), above 0 in a lesion of any class, below 0 in all classes
            where nothing is known and nothing counts.
        threshold: pixels at or above it are lesion.

    Returns:
        (N,) float64.
    """
    truth = (targets > 0).any(dim=1, keepdim=True)
    mask = (probability >= threshold) & (targets[:, :1] >= 0)
    both = (mask & truth).sum(dim=(1, 2, 3)).double()
    total = (mask.sum(dim=(1, 2, 3)) + truth.sum(dim=(1, 2, 3))).double()
    return torch.where(total > 0, 2 * both / total.clamp_min(1), torch.ones_like(total))


def lesion_probability(logits: Tensor) -> Tensor:
    """Probability of any lesion, (N, 1, rows, columns) float32, from logits with K channels."""
    if logits.shape[1] == 1:
        return logits.float().sigmoid()
    return 1 - logits.float().softmax(dim=1)[:, :1]


class SegmentationTask(AveragedTask):
    """Trains a network on prepared cases; validates the moving average of its weights.

    Args:
        recipe: the run.
        network: (N, C, rows, columns) float32 to logits (N, 1, rows, columns), or
            (N, classes + 1, rows, columns) with the background first.
        steps_per_epoch: optimiser steps an epoch, for the schedule.
    """

    soft_targets = 0
    """So many of the last target channels are probabilities."""

    def __init__(self, recipe: Recipe, network: nn.Module, steps_per_epoch: int) -> None:
        super().__init__(network, recipe.seed, recipe.optimiser.average_decay)
        self.recipe = recipe
        self.steps_per_epoch = steps_per_epoch
        self.loss = build_loss(recipe.loss)
        self.deep_loss = DeepSupervision(self.loss, recipe.loss.deep_weights)
        self.augmentation = Augmentation(recipe.augmentation)
        self._sums = torch.zeros(6, dtype=torch.float64)

    def inputs(self, unit: Tensor) -> Tensor:
        """Images in [0, 1], (N, 1 or 3, rows, columns), as the network wants them."""
        scaled = scale(unit, self.recipe.input.intensity)
        repeated = scaled.expand(-1, self.recipe.input.channels, -1, -1)
        return repeated.contiguous(memory_format=torch.channels_last)

    def on_train_epoch_start(self) -> None:
        """Keep the statistics of what does not learn in this epoch."""
        super().on_train_epoch_start()
        freeze_statistics(self.network, self.current_epoch, self.recipe.transfer)

    def ready(self, batch: Batch, batch_index: int) -> Batch:
        """Augment a batch and scale it for the network.

        Args:
            batch: images (N, 1 or 3, rows, columns) and targets (N, 1 or 2, rows, columns), both
                uint8; see `sampler`.
            batch_index: within the epoch.
        """
        images, targets = self._augmented(batch, batch_index)
        return self.inputs(images), targets

    def step_loss(self, images: Tensor, targets: Tensor) -> Tensor:
        """What a step minimises; other tasks have their own.

        Args:
            images: (N, C, rows, columns) float, augmented and scaled for the network.
            targets: (N, K, rows, columns) float, one channel a lesion class: 0 or 1, or `IGNORED`
                in all.

        Returns:
            A scalar.
        """
        return self.compared(images, targets)[1]

    def compared(self, images: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """The network's logits, and the recipe's loss of every output that it has.

        Args:
            images: as for `step_loss`.
            targets: likewise.

        Returns:
            (N, K or K + 1, rows, columns) of the output that is used in the end, and a scalar.
        """
        if getattr(self.recipe.network, "deep_supervision", False):
            outputs = self.network.side_outputs(images)  # type: ignore[operator]
            return outputs[0], self.deep_loss(outputs, targets)
        logits: Tensor = self.network(images)
        return logits, self.loss(logits, targets)

    def targets(self, stored: Tensor) -> Tensor:
        """The stored label map as one channel a lesion class: 0 or 1, or `IGNORED` in all.

        Args:
            stored: (N, 1 or 2, rows, columns) uint8.

        Returns:
            (N, K, rows, columns) float32; a teacher's map follows as a fraction of 1.
        """
        labels = torch.arange(1, max(1, len(self.recipe.classes)) + 1, device=stored.device)
        hard = (stored[:, :1] == labels[:, None, None]).float()
        hard = hard.masked_fill(stored[:, :1] == IGNORED_LABEL, IGNORED)
        return torch.cat((hard, stored[:, 1:].float() / 255), dim=1)

    def _augmented(self, batch: Batch, batch_index: int) -> tuple[Tensor, Tensor]:
        unit, truth = batch[0].float() / 255, self.targets(batch[1])
        if self.current_epoch < self.recipe.small_epochs:
            unit, small = (
                functional.interpolate(
                    part, self.recipe.small_size, mode="bilinear", antialias=True
                )
                for part in (unit, fractions(truth, self.soft_targets))
            )
            truth = masks_of(small, truth.shape[1], self.soft_targets)
        drawn = self.augmentation.draw(len(unit), self.batch_generator(batch_index), unit.device)
        with torch.autocast(unit.device.type, enabled=False):  # positions need all their bits
            return self.augmentation.apply(unit, truth, drawn, self.soft_targets)

    def predict_average(self, images: Tensor) -> Tensor:
        """Probability of any lesion, of the averaged network, for (N, 1, rows, columns) uint8."""
        return lesion_probability(self.average(self.inputs(images.float() / 255)))

    def on_validation_epoch_start(self) -> None:
        """Forget the last validation."""
        self._sums = torch.zeros(6, dtype=torch.float64, device=self.device)

    def validation_loss(self, logits: Tensor, targets: Tensor) -> Tensor | None:
        """The loss on the ground truth of validation; None where the task has no such loss.

        Args:
            logits: of the averaged network, as `step_loss`'s network gives them.
            targets: (N, K, rows, columns) float32, 0 or 1, or `IGNORED`.
        """
        loss: Tensor = self.loss(logits, targets)
        return loss

    def validation_step(self, batch: Batch, _: int) -> None:
        """Score each image at the network's size."""
        logits: Tensor = self.average(self.inputs(batch[0].float() / 255))
        targets = self.targets(batch[1][:, :1])
        dice = batch_dice(lesion_probability(logits), targets)
        lesion = (targets > 0).flatten(1).any(dim=1)
        parts = [dice[lesion].sum(), lesion.sum(), (1 - dice[~lesion]).sum(), (~lesion).sum()]
        loss = self.validation_loss(logits, targets)
        if loss is not None:
            parts += [loss * len(dice), torch.full_like(loss, len(dice))]
        self._sums[: len(parts)] += torch.stack([part.double() for part in parts])

    def on_validation_epoch_end(self) -> None:
        """Log the mean loss, mean Dice over lesion images and the fraction of normals with a mask.

        A normal's Dice is 1 without a mask and 0 with one. Sums are added up over the
        processes, which may hold unequal numbers of cases.
        """
        sums = self.trainer.strategy.reduce(self._sums, reduce_op="sum")
        assert isinstance(sums, Tensor)
        dice, lesions, outlined, normals, loss, images = sums.tolist()
        if images:
            self.log("val_loss", loss / images)
        if lesions:
            self.log("val_dice", dice / lesions)
        if normals:
            self.log("val_normals_outlined", outlined / normals)

    def configure_optimizers(self) -> OptimizerLRSchedulerConfig:
        """AdamW with the schedule, stepped every batch."""
        recipe, transfer, steps = self.recipe.optimiser, self.recipe.transfer, self.steps_per_epoch
        warmup = max(1, round(recipe.warmup_epochs * steps))
        layers = len(encoder_layers(self.network))
        parts = groups(self.network)
        optimiser = torch.optim.AdamW(
            [
                {
                    "params": part.parameters,
                    "lr": peak_rate(part, layers, recipe, transfer),
                    "weight_decay": recipe.weight_decay if part.decays else 0.0,
                }
                for part in parts
            ]
        )
        rates = [
            rate_of(
                warmup,
                self.recipe.epochs * steps,
                steps * first_epoch(part.layer, layers, transfer),
            )
            for part in parts
        ]
        schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, rates)
        return {
            "optimizer": optimiser,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }


def validation_batches(
    prepared: PreparedCases, batch_size: int, rank: int = 0, world: int = 1
) -> list[Batch]:
    """Cut this process's part of the validation cases into batches, in order."""
    rows = np.arange(len(prepared))[rank::world]
    return [prepared.batch(rows[i : i + batch_size]) for i in range(0, len(rows), batch_size)]
