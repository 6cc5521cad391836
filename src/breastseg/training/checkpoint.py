"""The state that a run is continued from: whole, and of that run."""

from __future__ import annotations

import io
import pickle
from pathlib import Path

import torch
from lightning.fabric.plugins.io.torch_io import TorchCheckpointIO
from lightning.pytorch import Callback, LightningModule, Trainer
from torch import nn

from breastseg.core.errors import InputError, RecipeError
from breastseg.data.fingerprint import run_signature
from breastseg.io.source import brief
from breastseg.io.write import remove_leftovers, replacing
from breastseg.networks.weights import require_weights_of, save_network_weights
from breastseg.training.run_folder import RunFolder

_KEY = "breastseg_run"


class WholeFiles(TorchCheckpointIO):
    """Writes each state beside the last one and then in its place.

    Lightning writes into the system's folder for temporary files first: from there to another disk
    a file is copied over the last state, which a kill or a full disk then leaves cut.
    """

    def save_checkpoint(
        self, checkpoint: dict[str, object], path: str | Path, storage_options: object = None
    ) -> None:
        """Write it whole or not at all.

        Raises:
            InputError: it cannot be written, as where the disk is full; the last state is left.
        """
        with replacing(Path(path)) as temporary:
            state = io.BytesIO()
            torch.save(checkpoint, state)
            temporary.write_bytes(state.getbuffer())


def remove_old_leftovers(folder: RunFolder) -> None:
    """Remove what a run that was killed while it wrote has left beside its states and weights."""
    for path in (folder.last_checkpoint, folder.last_weights, folder.best_weights):
        remove_leftovers(path)


class Signed(Callback):
    """Puts into each state of which run it is."""

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder

    def on_save_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, object]
    ) -> None:
        """Sign it."""
        checkpoint[_KEY] = run_signature(self.folder.root)


def require_own_checkpoint(folder: RunFolder) -> None:
    """Hold the last state of a run against the rest of its folder.

    Raises:
        InputError: it cannot be read.
        RecipeError: it is of another run, or a file that says what the run is.
    """
    path = folder.last_checkpoint
    try:
        # as Lightning reads it: a run folder is one's own, see docs/reference/run-folder.md
        state = torch.load(path, map_location="cpu", weights_only=False)
        signature = state[_KEY]
    except (OSError, EOFError, RuntimeError, ValueError, LookupError, TypeError) as error:
        raise _no_state(folder, error) from error
    except (pickle.UnpicklingError, AttributeError, ImportError) as error:
        raise _no_state(folder, error) from error
    if signature != run_signature(folder.root):
        raise RecipeError(
            f"{path}: is the state of another run than the rest of its folder",
            "the files of one run",
            "restore the run folder, or start again in a new one",
        )


def require_own_weights(folder: RunFolder) -> None:
    """Hold the weights that a run has left so far against the rest of its folder.

    Raises:
        BundleError: they cannot be read, or are of another run.
    """
    for path in (folder.best_weights, folder.last_weights):
        if path.is_file():
            require_weights_of(run_signature(folder.root), path)


def save_weights(network: nn.Module, path: Path, folder: RunFolder) -> None:
    """Write weights of a run, which bear its signature.

    Raises:
        InputError: they cannot be written.
    """
    path.parent.mkdir(exist_ok=True)
    save_network_weights(network, path, run_signature(folder.root))


def _no_state(folder: RunFolder, error: Exception) -> InputError:
    return InputError(
        f"{folder.last_checkpoint}: no state of a run ({brief(error, 120)})",
        "the whole file that training wrote",
        "restore it, or start again in a new folder",
    )
