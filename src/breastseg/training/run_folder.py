"""The files of a training run, by name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class RunFolder:
    """Where a run keeps what it makes.

    Attributes:
        root: the folder.
    """

    root: Path

    @property
    def is_started(self) -> bool:
        """Whether there is something to lose: a state or weights."""
        kept = (self.last_checkpoint, self.last_weights, self.best_weights)
        return any(path.exists() for path in kept)

    @property
    def is_complete(self) -> bool:
        """Whether the run came to its end."""
        return self.last_weights.is_file()

    @property
    def recipe(self) -> Path:
        """The recipe with all defaults filled in."""
        return self.root / "recipe.toml"

    @property
    def network(self) -> Path:
        """The `NetworkRecipe` as JSON, for the export."""
        return self.root / "network.json"

    @property
    def input(self) -> Path:
        """The `InputSpec` as JSON, for the export."""
        return self.root / "input.json"

    @property
    def volume(self) -> Path:
        """The `VolumeSpec` as JSON, for the export; of a run on volumes, in place of `input`."""
        return self.root / "volume.json"

    @property
    def split(self) -> Path:
        """Which cases were trained on and which validated, as a split file."""
        return self.root / "split.json"

    @property
    def data(self) -> Path:
        """Where the data lay and the digests of its files, see `RunData`."""
        return self.root / "data.json"

    @property
    def own_code(self) -> Path:
        """Of a run with code of a person's own: the digests of its files, see `OwnCode`."""
        return self.root / "own_code.json"

    @property
    def modality(self) -> Path:
        """Of which modalities the training cases were, for the export."""
        return self.root / "modality.json"

    @property
    def prepared(self) -> Path:
        """Folder of the studies of data sets at the network's spacing, see `StoredVolume`."""
        return self.root / "prepared"

    @property
    def environment(self) -> Path:
        """Versions, processor and command."""
        return self.root / "environment.json"

    @property
    def metrics(self) -> Path:
        """One row an epoch."""
        return self.root / "metrics.csv"

    @property
    def curves(self) -> Path:
        """The same as an image."""
        return self.root / "curves.png"

    @property
    def overlays(self) -> Path:
        """Best, median and worst validation cases as an image."""
        return self.root / "validation.png"

    @property
    def checkpoints(self) -> Path:
        """Folder of the trainer's states."""
        return self.root / "checkpoints"

    @property
    def last_checkpoint(self) -> Path:
        """What a run is continued from."""
        return self.checkpoints / "last.ckpt"

    @property
    def last_weights(self) -> Path:
        """Averaged weights after the last epoch."""
        return self.root / "weights" / "last.safetensors"

    @property
    def best_weights(self) -> Path:
        """Averaged weights of the epoch with the best validation Dice."""
        return self.root / "weights" / "best.safetensors"
