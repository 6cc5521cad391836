"""One network being trained on patches of volumes, and validated on whole ones."""

from __future__ import annotations

import numpy as np
import torch
from lightning.pytorch.utilities.types import OptimizerLRSchedulerConfig
from numpy.typing import NDArray
from torch import Tensor, nn

from breastseg.inference.sliding_window import sliding_window
from breastseg.losses import DeepSupervision, build_loss
from breastseg.metrics.overlap import dice
from breastseg.preprocess.volume import resample
from breastseg.training.averaging import AveragedTask, Batch
from breastseg.training.transfer import groups, rate_of
from breastseg.training.volume.recipe import VolumeAugmentationRecipe, VolumeRecipe
from breastseg.training.volume.sampler import PreparedVolume, Study


class VolumeTask(AveragedTask):
    """Trains a network on patches; validates the moving average of its weights.

    Args:
        recipe: the run.
        network: (N, C, D, H, W) float32 to logits (N, 1, D, H, W).
        validation: the studies for validation.
    """

    def __init__(
        self, recipe: VolumeRecipe, network: nn.Module, validation: tuple[Study, ...]
    ) -> None:
        super().__init__(network, recipe.seed, recipe.optimiser.average_decay)
        self.recipe = recipe
        self.validation = validation
        self.loss = build_loss(recipe.loss)
        self.deep_loss = DeepSupervision(self.loss, recipe.loss.deep_weights)
        self._sums = torch.zeros(6, dtype=torch.float64)

    def ready(self, batch: Batch, batch_index: int) -> Batch:
        """Augment (N, C, *patch) and its lesions (N, 1, *patch), both float32."""
        return augment(*batch, self.recipe.augmentation, self.batch_generator(batch_index))

    def step_loss(self, images: Tensor, targets: Tensor) -> Tensor:
        """The recipe's loss, at every output where the network has several."""
        if getattr(self.recipe.network, "deep_supervision", False):
            outputs = self.network.side_outputs(images)  # type: ignore[operator]
            supervised: Tensor = self.deep_loss(outputs, targets)
            return supervised
        loss: Tensor = self.loss(self.network(images), targets)
        return loss

    def probability(self, volume: PreparedVolume) -> NDArray[np.float32]:
        """The averaged network's map of a whole study, at the network's spacing."""
        spec = self.recipe.volume

        def predict(patches: NDArray[np.float32]) -> NDArray[np.float32]:
            given = torch.from_numpy(patches).to(self.device)
            found: Tensor = self.average(given).float().sigmoid()
            return found.cpu().numpy()

        return sliding_window(volume.channels, predict, spec.patch, spec.overlap)

    def validation_loss(self, probability: NDArray[np.float32], lesion: NDArray[np.int8]) -> float:
        """The recipe's loss on a whole study, at the network's spacing.

        Patches overlap, and their probabilities are averaged; the loss takes the logits of those.
        """
        logits = torch.logit(torch.from_numpy(probability).to(self.device), eps=1e-6)
        target = torch.tensor(lesion, dtype=torch.float32, device=self.device)
        return float(self.loss(logits[None, None], target[None, None]))

    def on_validation_epoch_start(self) -> None:
        """Forget the last validation."""
        self._sums = torch.zeros(6, dtype=torch.float64, device=self.device)

    def validation_step(self, batch: Tensor, _: int) -> None:
        """Score one study, given by its index, on its own grid; its loss is at the network's."""
        volume = self.validation[int(batch)].opened()
        found = self.probability(volume)
        truth = volume.truth > 0
        mask = (resample(found, truth.shape) >= 0.5) & (volume.truth >= 0)
        score, lesion = dice(mask, truth), bool(truth.any())
        loss = self.validation_loss(found, volume.lesion)
        parts = [score * lesion, lesion, (1 - score) * (not lesion), not lesion, loss, 1]
        self._sums += torch.tensor(parts, dtype=torch.float64, device=self.device)

    def on_validation_epoch_end(self) -> None:
        """Log the mean loss, mean Dice of studies with lesions, the fraction of others with a mask.

        Dice is 1 where neither truth nor prediction has a lesion.
        """
        sums = self.trainer.strategy.reduce(self._sums, reduce_op="sum")
        assert isinstance(sums, Tensor)
        score, lesions, outlined, normals, loss, studies = sums.tolist()
        if studies:
            self.log("val_loss", loss / studies)
        if lesions:
            self.log("val_dice", score / lesions)
        if normals:
            self.log("val_normals_outlined", outlined / normals)

    def configure_optimizers(self) -> OptimizerLRSchedulerConfig:
        """AdamW, linear warm-up and a cosine to zero, stepped every batch."""
        recipe, steps = self.recipe.optimiser, self.recipe.epoch_steps
        optimiser = torch.optim.AdamW(
            [
                {
                    "params": part.parameters,
                    "weight_decay": recipe.weight_decay if part.decays else 0.0,
                }
                for part in groups(self.network)
            ],
            lr=recipe.learning_rate,
        )
        rate = rate_of(max(1, round(recipe.warmup_epochs * steps)), self.recipe.epochs * steps, 0)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, rate)
        return {
            "optimizer": optimiser,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }


def augment(
    images: Tensor, lesions: Tensor, recipe: VolumeAugmentationRecipe, generator: torch.Generator
) -> Batch:
    """Mirror patches and change their grey levels, each its own way.

    Args:
        images: (N, C, D, H, W) float32; all channels of a patch change alike.
        lesions: (N, 1, D, H, W).
        recipe: how much.
        generator: source of randomness, on the CPU.

    Returns:
        Both, of the same shapes; the inputs are left as they are.
    """
    count = len(images)
    flips = (recipe.flip_slices, recipe.flip_rows, recipe.flip_columns)
    coins = torch.rand(count, 3, generator=generator) < 0.5
    scale = _between(recipe.scale, count, generator).to(images.device)
    gamma = _between(recipe.gamma, count, generator).to(images.device)
    strength = recipe.noise * torch.rand(count, 1, 1, 1, 1, generator=generator)
    noise = strength * torch.randn(images.shape, generator=generator)
    changed, moved = [], []
    for image, lesion, coin in zip(images, lesions, coins, strict=True):
        axes = [axis + 1 for axis in range(3) if flips[axis] and coin[axis]]
        changed.append(image.flip(axes))
        moved.append(lesion.flip(axes))
    flipped = torch.stack(changed)  # below 0 in differences of phases alone
    result = scale * flipped.sign() * flipped.abs() ** gamma + noise.to(images.device)
    return result, torch.stack(moved)


def _between(most: float, count: int, generator: torch.Generator) -> Tensor:
    """Factors from 1 / (1 + most) to 1 + most, as often below 1 as above."""
    drawn = 2 * torch.rand(count, 1, 1, 1, 1, generator=generator) - 1
    return (1 + most) ** drawn
