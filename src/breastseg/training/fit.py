"""Train a recipe into a run folder."""

from __future__ import annotations

import json
import logging
import sys
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

import lightning
import numpy as np
import tomli_w
import torch
from lightning.pytorch import Callback
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint
from lightning.pytorch.loggers import TensorBoardLogger

from breastseg.core.errors import DataSetError, RecipeError
from breastseg.data.dataset import CaseRef
from breastseg.data.selection import select
from breastseg.inference.catalogue import shipped_bundles
from breastseg.io.write import write_text
from breastseg.networks.catalogue import build_network
from breastseg.networks.initialise import initialise
from breastseg.networks.weights import save_network_weights
from breastseg.training.distillation import teach
from breastseg.training.environment import environment
from breastseg.training.feed import PreparedCases, TrainingFeed, prepare_cases
from breastseg.training.picture import draw_curves, draw_overlays
from breastseg.training.recipe import Recipe, recipe_table
from breastseg.training.record import EpochLines, History
from breastseg.training.run_folder import RunFolder
from breastseg.training.task import FeedModule, SegmentationTask, validation_batches
from breastseg.training.tasks import build_task


@dataclass(frozen=True)
class Machine:
    """What to train on.

    Attributes:
        devices: processes or GPUs; above 1 they share the work (DDP).
        nodes: machines of a cluster; each starts the same command through its launcher.
        threads: of each process on a CPU; 0 leaves torch's choice.
    """

    devices: int = 1
    nodes: int = 1
    threads: int = 0


def fit(
    recipe: Recipe,
    cases: Mapping[str, Sequence[CaseRef]],
    folder: RunFolder,
    machine: Machine,
    base: Path,
    resume: bool = False,
    watchers: Sequence[Callback] = (),
) -> None:
    """Train, validate and leave a complete run folder.

    Args:
        recipe: what to do.
        cases: all cases of each source that the recipe names.
        folder: where to leave everything.
        machine: what to train on.
        base: folder under which the recipe's lists and weights are looked for.
        resume: continue from the folder's last checkpoint. A broken epoch is repeated; on a
            CPU the result is bit for bit that of a run that was never broken.
        watchers: further callbacks of the trainer.

    Raises:
        RecipeError, DataSetError: what the recipe asks for cannot be had.
    """
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    chosen = choose_cases(recipe, cases, base)
    if machine.threads:
        torch.set_num_threads(machine.threads)
    lightning.seed_everything(recipe.seed, workers=True, verbose=False)
    network = build_network(recipe.network, root=base)
    if recipe.initial_weights is not None and not resume:
        start = initialise(network, _find(recipe.initial_weights, base))
        left = f"; left at their own start: {', '.join(start.left)}" if start.left else ""
        print(f"{start.taken} tensors of {recipe.initial_weights}{left}", file=sys.stderr)

    history = History(folder)
    trainer = _trainer(recipe, folder, machine, history, watchers)
    if trainer.is_global_zero and not resume:
        _refuse_overwriting(folder)
    print(f"reading {len(chosen.train) + len(chosen.validation)} cases", file=sys.stderr)
    train = prepare_cases(chosen.train, recipe.input, recipe.classes)
    validation = prepare_cases(chosen.validation, recipe.input, recipe.classes)
    if recipe.distillation is not None:
        train = replace(train, teacher=teach(train.images, recipe.distillation.teachers, base))
    feed = _feed(recipe, train, trainer)
    if trainer.is_global_zero:
        _write_beginning(recipe, chosen, folder)
    task = build_task(recipe, network.to(memory_format=torch.channels_last), feed.steps)
    batches = validation_batches(validation, 32, trainer.global_rank, trainer.world_size)
    with warnings.catch_warnings():
        # The averaged network stays in eval mode by design; the other is within Lightning.
        warnings.filterwarnings("ignore", message=".*in eval mode at the start of training.*")
        warnings.filterwarnings("ignore", message=".*isinstance.treespec, LeafSpec.*")
        warnings.filterwarnings("ignore", message=".*exists and is not empty.*")  # resuming
        trainer.fit(
            task,
            datamodule=FeedModule(feed, batches),
            ckpt_path=str(folder.last_checkpoint) if resume else None,
            weights_only=False,
        )
    if trainer.is_global_zero:
        _write_end(task, history, validation, folder)


def _write_end(
    task: SegmentationTask, history: History, validation: PreparedCases, folder: RunFolder
) -> None:
    folder.last_weights.parent.mkdir(exist_ok=True)
    save_network_weights(task.average, folder.last_weights)
    draw_curves(history.rows, folder.curves)
    draw_overlays(task, validation, folder.overlays)


def _feed(recipe: Recipe, train: PreparedCases, trainer: lightning.Trainer) -> TrainingFeed:
    """This process's share of the training cases."""
    share = recipe.batch_size // trainer.world_size
    if share < 1 or len(train) < recipe.batch_size:
        raise RecipeError(
            f"batch_size {recipe.batch_size} on {trainer.world_size} processes "
            f"with {len(train)} training cases",
            "at least one image a process and as many cases as a batch holds",
        )
    repeats = {source.name: source.repeat for source in recipe.sources}
    return TrainingFeed(
        train,
        np.array([repeats[case.source] for case in train.cases]),
        recipe.normal_share,
        share,
        recipe.seed,
        trainer.global_rank,
        trainer.world_size,
    )


@dataclass(frozen=True)
class ChosenCases:
    """The cases of a run.

    Attributes:
        train: learnt from.
        validation: only watched.
    """

    train: tuple[CaseRef, ...]
    validation: tuple[CaseRef, ...]


def choose_cases(recipe: Recipe, cases: Mapping[str, Sequence[CaseRef]], base: Path) -> ChosenCases:
    """Pick the cases that the recipe names.

    Raises:
        DataSetError: a source is not given, or a case or patient is on both sides.
    """
    missing = [source.name for source in recipe.sources if source.name not in cases]
    if missing:
        raise DataSetError(
            f"recipe {recipe.name} needs {', '.join(missing)}, given: {', '.join(cases) or 'none'}",
            remedy=f"add --data {missing[0]}=FOLDER",
        )
    train: list[CaseRef] = []
    validation: list[CaseRef] = []
    for source in recipe.sources:
        train += select(cases[source.name], source.train, base)
        validation += select(cases[source.name], source.validation, base)
    learnt = {(case.source, case.patient_id) for case in train}
    both = sorted({c.key for c in validation if (c.source, c.patient_id) in learnt})
    if both:
        raise DataSetError(
            f"{len(both)} validation cases share a patient with training cases (first {both[0]})",
            "each patient on one side",
        )
    return ChosenCases(tuple(train), tuple(validation))


def bf16_is_fast() -> bool:
    """True where the processor or the GPU multiplies bf16 in hardware."""
    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def _trainer(
    recipe: Recipe,
    folder: RunFolder,
    machine: Machine,
    history: History,
    watchers: Sequence[Callback],
) -> lightning.Trainer:
    bf16 = recipe.precision == "bf16" or (recipe.precision == "auto" and bf16_is_fast())
    precision: Literal["bf16-mixed", "32-true"] = "bf16-mixed" if bf16 else "32-true"
    callbacks: list[Callback] = [
        history,
        EpochLines(history, recipe.epochs),
        BestWeights(folder),
        ModelCheckpoint(
            folder.checkpoints,
            filename="last",
            save_on_train_epoch_end=True,
            enable_version_counter=False,
        ),
        *watchers,
    ]
    if recipe.patience:
        callbacks.append(EarlyStopping("val_dice", mode="max", patience=recipe.patience))
    many = machine.devices * machine.nodes > 1
    return lightning.Trainer(
        default_root_dir=folder.root,
        max_epochs=recipe.epochs,
        precision=precision,
        devices=machine.devices,
        num_nodes=machine.nodes,
        strategy="ddp" if many else "auto",
        accelerator="gpu" if torch.cuda.is_available() else "cpu",
        # the adversarial task moves its optimisers, and clips, itself
        gradient_clip_val=None if recipe.adversarial else recipe.optimiser.clip_norm or None,
        check_val_every_n_epoch=_validation_period(recipe),
        reload_dataloaders_every_n_epochs=1,
        use_distributed_sampler=False,
        sync_batchnorm=many and torch.cuda.is_available(),
        num_sanity_val_steps=0,
        callbacks=callbacks,
        logger=TensorBoardLogger(folder.root, name="", version="tensorboard"),
        enable_progress_bar=sys.stderr.isatty(),
        enable_model_summary=False,
        log_every_n_steps=1,
        deterministic=True,
    )


def _validation_period(recipe: Recipe) -> int:
    """The largest period up to the asked one that ends on the last epoch."""
    return next(n for n in range(recipe.validate_every, 0, -1) if recipe.epochs % n == 0)


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
            self.folder.best_weights.parent.mkdir(exist_ok=True)
            assert isinstance(pl_module, SegmentationTask)
            save_network_weights(pl_module.average, self.folder.best_weights)
        self.best = max(self.best, dice)


def _refuse_overwriting(folder: RunFolder) -> None:
    if folder.recipe.exists():
        raise RecipeError(
            f"{folder.root} already holds a run",
            "a new folder",
            "choose another --out, or continue it with --resume",
        )


def _write_beginning(recipe: Recipe, chosen: ChosenCases, folder: RunFolder) -> None:
    """All that is known before the first step."""
    folder.root.mkdir(parents=True, exist_ok=True)
    parts = {
        "train": [case.key for case in chosen.train],
        "val": [case.key for case in chosen.validation],
    }
    write_text(folder.recipe, tomli_w.dumps(recipe_table(recipe)))
    write_text(folder.network, json.dumps(asdict(recipe.network), indent=2))
    write_text(folder.input, json.dumps(asdict(recipe.input), indent=2))
    write_text(folder.split, json.dumps({"seed": recipe.seed, "parts": parts}, indent=1))
    write_text(folder.environment, json.dumps(environment(sys.argv), indent=2))


def _find(weights: str, base: Path) -> Path:
    shipped = shipped_bundles()
    candidates = [
        Path(weights),
        base / weights,
        *([shipped[weights]] if weights in shipped else []),
    ]
    for path in candidates:
        if path.exists():
            return path
    raise RecipeError(
        f"initial_weights = {weights!r}",
        f"a run, its weights or a bundle, here or under {base}, or one of {', '.join(shipped)}",
        "check the path",
    )
