"""A sampler as Lightning takes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import lightning
from torch import Tensor

from breastseg.training.averaging import Batch

T_co = TypeVar("T_co", covariant=True)


class Sampler(Protocol):
    """Batches of an epoch, drawn from the seed and the epoch's number alone."""

    @property
    def steps(self) -> int:
        """Batches an epoch."""

    def batches(self, epoch: int) -> Iterator[Batch]:
        """Those of one epoch."""


class DataModule(lightning.LightningDataModule):
    """Hands the sampler's batches to the trainer, a new order every epoch.

    Args:
        sampler: what to train on.
        validation: what the task's `validation_step` takes, one after the other.
    """

    def __init__(self, sampler: Sampler, validation: Sequence[Batch] | Sequence[Tensor]) -> None:
        super().__init__()
        self.sampler = sampler
        self.validation = validation

    def train_dataloader(self) -> Batches[Batch]:
        """The batches of the current epoch."""
        assert self.trainer is not None
        epoch = self.trainer.current_epoch
        return Batches(self.sampler.steps, lambda: self.sampler.batches(epoch))

    def val_dataloader(self) -> Batches[Batch | Tensor]:
        """All validation cases, in order."""
        return Batches(len(self.validation), lambda: iter(self.validation))


@dataclass(frozen=True)
class Batches(Generic[T_co]):
    """Batches with a known number, which is all that the trainer asks of a loader."""

    count: int
    start: Callable[[], Iterator[T_co]]

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[T_co]:
        return self.start()
