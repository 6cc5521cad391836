"""What a run leaves behind each epoch: a table, and a line on the terminal."""

from __future__ import annotations

import csv
import io
import logging
import time

from lightning.pytorch import Callback, LightningModule, Trainer

from breastseg.io.write import write_text
from breastseg.training.averaging import AveragedTask
from breastseg.training.curves import draw_curves
from breastseg.training.run_folder import RunFolder

LOG = logging.getLogger(__name__)

VALIDATED = ("val_loss", "val_dice", "val_normals_outlined")
COLUMNS = (
    "epoch",
    "loss",
    *VALIDATED,
    "learning_rate",
    "waiting_fraction",
    "augmenting_fraction",
    "seconds",
)


class History(Callback):
    """Keeps one row an epoch, writes all rows to ``metrics.csv`` and draws them.

    The rows travel in the checkpoint, so a resumed run's table has no gap and no repeat.
    """

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        self.rows: list[dict[str, float]] = []
        self._began = 0.0

    def state_dict(self) -> dict[str, object]:
        """The rows so far."""
        return {"rows": self.rows}

    def load_state_dict(self, state_dict: dict[str, object]) -> None:
        """Take the rows up from a checkpoint."""
        rows = state_dict["rows"]
        assert isinstance(rows, list)
        self.rows = list(rows)

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start the epoch's clock."""
        self._began = time.perf_counter()

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Add the epoch's row; validation has run by now where it was due."""
        assert isinstance(pl_module, AveragedTask)
        summary = pl_module.epoch_summary()
        pl_module.log_dict(summary)
        row = {"epoch": float(trainer.current_epoch + 1)} | summary
        if (trainer.current_epoch + 1) % (trainer.check_val_every_n_epoch or 1) == 0:
            metrics = trainer.callback_metrics
            row |= {name: float(metrics[name]) for name in VALIDATED if name in metrics}
        row["seconds"] = time.perf_counter() - self._began
        self.rows.append(row)
        if trainer.is_global_zero:
            write_text(self.folder.metrics, _table(self.rows))
            draw_curves(self.rows, self.folder.curves)


class EpochLines(Callback):
    """Logs one line an epoch, with the time left."""

    def __init__(self, history: History, epochs: int) -> None:
        self.history = history
        self.epochs = epochs

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Say how it went and when it will be done."""
        if not trainer.is_global_zero:
            return
        rows = self.history.rows
        recent = [row["seconds"] for row in rows[-5:]]
        left = sum(recent) / len(recent) * (self.epochs - len(rows))
        row = rows[-1]
        parts = [f"epoch {len(rows)}/{self.epochs}", f"loss {row['loss']:.4f}"]
        if "val_loss" in row:
            parts.append(f"validation loss {row['val_loss']:.4f}")
        if "val_dice" in row:
            parts.append(f"validation Dice {row['val_dice']:.4f}")
        if "val_normals_outlined" in row:
            parts.append(f"normals outlined {row['val_normals_outlined']:.0%}")
        parts.append(f"{row['seconds']:.0f} s, {_clock(left)} left")
        LOG.info("  ".join(parts))


def _table(rows: list[dict[str, float]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        cells = {name: f"{value:.6g}" for name, value in row.items()}
        writer.writerow(cells | {"epoch": str(int(row["epoch"]))})
    return text.getvalue()


def _clock(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02d} min" if minutes >= 60 else f"{minutes} min"
