"""What every training has: a network, the moving average of its weights, a loss and a clock."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator
from dataclasses import dataclass

import lightning
import numpy as np
import torch
from torch import Tensor, nn

Batch = tuple[Tensor, Tensor]
"""Images and targets, as a sampler gives them."""


@dataclass
class Seconds:
    """Where an epoch's time went."""

    waiting: float = 0.0
    augmenting: float = 0.0
    total: float = 1e-9


class AveragedTask(lightning.LightningModule):
    """Trains a network and keeps an exponential moving average of its weights.

    Args:
        network: what to train.
        seed: of the run.
        average_decay: of the moving average a step, 0 to 1.
    """

    def __init__(self, network: nn.Module, seed: int, average_decay: float) -> None:
        super().__init__()
        self.network = network
        self.average = copy.deepcopy(network).requires_grad_(False).eval()
        self.seed = seed
        self.average_decay = average_decay
        self.seconds = Seconds()
        self._losses: list[Tensor] = []

    def ready(self, batch: Batch, batch_index: int) -> Batch:
        """A batch of the sampler, augmented, as the network takes it, and its targets."""
        raise NotImplementedError

    def step_loss(self, images: Tensor, targets: Tensor) -> Tensor:
        """What a step minimises, a scalar, for what `ready` gives."""
        raise NotImplementedError

    def on_train_epoch_start(self) -> None:
        """Dropout and the like draw from (seed, epoch, rank), so that a resumed run repeats."""
        torch.manual_seed(mixed(self.seed, self.current_epoch, self.global_rank))
        self.seconds = Seconds()
        self._losses = []
        self._last = time.perf_counter()

    def training_step(self, batch: Batch, batch_index: int) -> Tensor:
        """Augment, predict, compare."""
        began = time.perf_counter()
        images, targets = self.ready(batch, batch_index)
        self.seconds.waiting += began - self._last
        self.seconds.augmenting += time.perf_counter() - began
        loss = self.step_loss(images, targets)
        self._losses.append(loss.detach())
        return loss

    def batch_generator(self, batch_index: int) -> torch.Generator:
        """The source of randomness of one batch: the same after a resumption."""
        return torch.Generator().manual_seed(
            mixed(self.seed, self.current_epoch, self.global_rank, batch_index)
        )

    def on_train_batch_end(self, *_: object) -> None:
        """Move the average; early on it follows quickly, so that it forgets the start."""
        step = self.global_step
        decay = min(self.average_decay, (1 + step) / (10 + step))
        with torch.no_grad():
            for kept, new in zip(_tensors(self.average), _tensors(self.network), strict=True):
                if kept.is_floating_point():
                    kept.lerp_(new.to(kept.dtype), 1 - decay)
                else:
                    kept.copy_(new)
        now = time.perf_counter()
        self.seconds.total += now - self._last
        self._last = now

    def epoch_summary(self) -> dict[str, float]:
        """The epoch's mean loss, largest rate, and fractions of time spent on the data."""
        loss = torch.stack(self._losses).mean()
        if self.trainer.world_size > 1:
            loss = self.trainer.strategy.reduce(loss, reduce_op="mean")
        optimiser = self.trainer.optimizers[0]
        return {
            "loss": float(loss),
            "learning_rate": max(group["lr"] for group in optimiser.param_groups),
            "waiting_fraction": self.seconds.waiting / self.seconds.total,
            "augmenting_fraction": self.seconds.augmenting / self.seconds.total,
        }


def mixed(*numbers: int) -> int:
    """One 63-bit seed from several numbers, well spread."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> np.uint64(1))


def _tensors(network: nn.Module) -> Iterator[Tensor]:
    yield from network.parameters()
    yield from network.buffers()
