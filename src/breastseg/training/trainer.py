"""The trainer that every run uses: on what hardware, in what precision, what it keeps."""

from __future__ import annotations

import logging
import signal
import sys
import threading
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import lightning
import torch
from lightning.pytorch import Callback
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint
from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.utilities import rank_zero_only

from breastseg.core.errors import RecipeError
from breastseg.training.averaging import AveragedTask
from breastseg.training.checkpoint import (
    Signed,
    WholeFiles,
    remove_old_leftovers,
    require_own_checkpoint,
    save_weights,
)
from breastseg.training.record import EpochLines, History
from breastseg.training.run_folder import RunFolder

Precision = Literal["auto", "bf16", "float32"]


@dataclass(frozen=True)
class Hardware:
    """What to train on.

    Attributes:
        devices: processes or GPUs; above 1 they share the work (DDP).
        nodes: machines of a cluster; each starts the same command through its launcher.
        threads: of each process on a CPU; 0 leaves torch's choice.
    """

    devices: int = 1
    nodes: int = 1
    threads: int = 0


@dataclass(frozen=True)
class TrainerSettings:
    """What of a recipe is the trainer's to carry out.

    Attributes:
        epochs: how many.
        validate_every: epochs between validations; the last epoch is always validated.
        patience: stop after this many validations without a better Dice; 0 never stops early.
        precision: ``"auto"`` is bf16 where the hardware multiplies it, else float32.
        clip_norm: gradients are scaled down to this norm; 0 leaves them.
        by_turns: a step moves a part of the task's weights and then another.
    """

    epochs: int
    validate_every: int
    patience: int
    precision: Precision
    clip_norm: float
    by_turns: bool = False

    @property
    def validation_period(self) -> int:
        """The largest period up to the asked one that ends on the last epoch."""
        return next(n for n in range(self.validate_every, 0, -1) if self.epochs % n == 0)


def is_first_process() -> bool:
    """True but in the further processes of a run that several share, as their launcher says."""
    return not getattr(rank_zero_only, "rank", 0)


def bf16_is_fast() -> bool:
    """True where the processor or the GPU multiplies bf16 in hardware."""
    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def build_trainer(
    course: TrainerSettings,
    folder: RunFolder,
    hardware: Hardware,
    history: History,
    callbacks: Sequence[Callback] = (),
) -> lightning.Trainer:
    """A trainer that keeps checkpoints, the best weights and a table in the run's folder."""
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    if hardware.threads:
        torch.set_num_threads(hardware.threads)
    bf16 = course.precision == "bf16" or (course.precision == "auto" and bf16_is_fast())
    precision: Literal["bf16-mixed", "32-true"] = "bf16-mixed" if bf16 else "32-true"
    every: list[Callback] = [
        history,
        EpochLines(history, course.epochs),
        BestWeights(folder),
        Signed(folder),
        ModelCheckpoint(
            folder.checkpoints,
            filename="last",
            save_on_train_epoch_end=True,
            enable_version_counter=False,
        ),
        *callbacks,
    ]
    if course.patience:
        every.append(EarlyStopping("val_dice", mode="max", patience=course.patience))
    many = hardware.devices * hardware.nodes > 1
    # each turn leaves the other part without a gradient
    sharing = "ddp_find_unused_parameters_true" if course.by_turns else "ddp"
    return lightning.Trainer(
        default_root_dir=folder.root,
        max_epochs=course.epochs,
        precision=precision,
        devices=hardware.devices,
        num_nodes=hardware.nodes,
        strategy=sharing if many else "auto",
        accelerator="gpu" if torch.cuda.is_available() else "cpu",
        gradient_clip_val=course.clip_norm or None,
        check_val_every_n_epoch=course.validation_period,
        reload_dataloaders_every_n_epochs=1,
        use_distributed_sampler=False,
        sync_batchnorm=many and torch.cuda.is_available(),
        num_sanity_val_steps=0,
        callbacks=every,
        plugins=[WholeFiles()],
        logger=TensorBoardLogger(folder.root, name="", version="tensorboard"),
        enable_progress_bar=sys.stderr.isatty(),
        enable_model_summary=False,
        log_every_n_steps=1,
        deterministic=True,
    )


def train(
    trainer: lightning.Trainer,
    task: AveragedTask,
    data: lightning.LightningDataModule,
    folder: RunFolder,
    resume: bool,
) -> None:
    """Train to the end, from the start or from the folder's last checkpoint.

    Raises:
        InputError: the checkpoint cannot be read.
        RecipeError: it is of another run.
        KeyboardInterrupt: stopped by a signal.
    """
    if trainer.is_global_zero:
        remove_old_leftovers(folder)
    if resume:
        require_own_checkpoint(folder)
    with warnings.catch_warnings():
        # The averaged network stays in eval mode by design; the other is within Lightning.
        warnings.filterwarnings("ignore", message=".*in eval mode at the start of training.*")
        warnings.filterwarnings("ignore", message=".*isinstance.treespec, LeafSpec.*")
        warnings.filterwarnings("ignore", message=".*exists and is not empty.*")  # resuming
        warnings.filterwarnings("ignore", message=".*dirpath has changed.*")  # a folder was moved
        handler = signal.getsignal(signal.SIGINT)
        try:
            trainer.fit(
                task,
                datamodule=data,
                ckpt_path=str(folder.last_checkpoint) if resume else None,
                weights_only=False,
            )
        except SystemExit as stop:
            if not trainer.interrupted:
                raise
            # Lightning turns an interruption into an end of the program, and stops listening.
            if threading.current_thread() is threading.main_thread():
                signal.signal(signal.SIGINT, handler)
            raise KeyboardInterrupt from stop


def batch_of_process(batch_size: int, processes: int, at_once: str) -> int:
    """How many of a batch each process takes.

    Args:
        batch_size: of the recipe, over all processes.
        processes: that share the work.
        at_once: what a batch holds, for the message.

    Raises:
        RecipeError: it cannot be shared out evenly, so that a step would be another one.
    """
    if batch_size % processes:
        raise RecipeError(
            f"batch_size {batch_size} on {processes} processes",
            f"as many {at_once} on each: a multiple of {processes}",
        )
    return batch_size // processes


def require_dice(patience: int, lesions: bool) -> None:
    """Refuse to wait for a better Dice where none will be measured.

    Args:
        patience: of the recipe.
        lesions: whether a case of the validation has one.

    Raises:
        RecipeError: there is none.
    """
    if patience and not lesions:
        raise RecipeError(
            f"patience = {patience} without a lesion in the validation cases",
            "validation cases with lesions, whose Dice is waited for",
            "choose some, or leave patience out",
        )


def refuse_overwriting(folder: RunFolder) -> None:
    """Leave a run that is there alone.

    Raises:
        RecipeError: the folder holds one.
    """
    if folder.is_started:
        raise RecipeError(
            f"{folder.root} already holds a run",
            "a new folder",
            "choose another folder, or resume the run",
        )


class BestWeights(Callback):
    """Keeps the averaged weights of the best validated epoch (the first of equals)."""

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        self.best = -1.0

    def state_dict(self) -> dict[str, float]:
        """The best Dice so far."""
        return {"best": self.best}

    def load_state_dict(self, state_dict: dict[str, float]) -> None:
        """Take it up from a checkpoint."""
        self.best = state_dict["best"]

    def on_validation_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Write the weights when they are better."""
        dice = float(trainer.callback_metrics.get("val_dice", torch.tensor(-1.0)))
        if dice > self.best and trainer.is_global_zero:
            assert isinstance(pl_module, AveragedTask)
            save_weights(pl_module.average, self.folder.best_weights, self.folder)
        self.best = max(self.best, dice)
