"""The recipe of a run on volumes, read from a TOML file with a ``[volume]`` table."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Discriminator

from breastseg.core.bundle import VolumeSpec
from breastseg.core.errors import BundleError, RecipeError
from breastseg.losses import LossRecipe
from breastseg.networks.recipe import RECIPES, SwinUNETR3dRecipe, UNet3dRecipe
from breastseg.training.recipe import OptimiserRecipe, SourceRecipe, read_table

Size = tuple[int, int, int]


@dataclass(frozen=True)
class PhantomsRecipe:
    """The synthetic examinations of a run; see `breastseg.data.phantoms.volume`.

    Attributes:
        train: how many are learnt from.
        validation: how many others are only watched.
        shape: (slices, rows, columns) in voxels; their spacing is drawn.
        seed: of the training ones; those watched come from the next seed.
    """

    train: int = 80
    validation: int = 10
    shape: Size = (48, 160, 160)
    seed: int = 1


@dataclass(frozen=True)
class PatchesRecipe:
    """Which patches a network is shown.

    Attributes:
        lesion_share: share of the patches that hold a lesion's voxel near their middle, 0 to 1;
            each lesion of an examination as often as any other, whatever its size.
        bright_share: share around a voxel that enhances and is no lesion, 0 to 1; vessels, skin
            and heart are what a lesion is mistaken for. So are the first share's patches in an
            examination without lesions. The rest lies anywhere.
    """

    lesion_share: float = 0.5
    bright_share: float = 0.35


@dataclass(frozen=True)
class VolumeAugmentationRecipe:
    """How patches are changed at random; every value is drawn for each patch.

    Attributes:
        flip_slices, flip_rows, flip_columns: mirror along this axis every other time. Rows run
            from front to back in an axial volume, which is known, so they are left by default.
        scale: grey levels are multiplied by a factor between 1 / (1 + scale) and 1 + scale.
        gamma: and raised to a power between 1 / (1 + gamma) and 1 + gamma.
        noise: standard deviation of Gaussian noise, up to this, in units of the upper percentile.
    """

    flip_slices: bool = True
    flip_rows: bool = False
    flip_columns: bool = True
    scale: float = 0.25
    gamma: float = 0.2
    noise: float = 0.05


@dataclass(frozen=True)
class VolumeRecipe:
    """One training run on volumes.

    Attributes:
        name: for folders and reports.
        sources: the data sets of volumes; none: phantoms alone.
        seed: decides weights, patches and augmentation.
        epochs: at least 1.
        epoch_steps: optimiser steps an epoch, at least 1.
        batch_size: patches a step, over all devices, at least 1.
        validate_every: epochs between validations; the last epoch is always validated.
        patience: stop after this many validations without a better Dice; 0 never stops early.
        precision: ``"auto"`` is bf16 where the hardware multiplies it, else float32.
        network: a network of three dimensions.
        volume: spacing, patch and grey scale.
        phantoms: synthetic examinations, besides the sources where there are any; none without
            a table of theirs, unless there are no sources.
        patches, augmentation, loss, optimiser: the parts.

    Raises:
        RecipeError: a value out of bounds.
    """

    name: str
    sources: tuple[SourceRecipe, ...] = ()
    seed: int = 1
    epochs: int = 20
    epoch_steps: int = 50
    batch_size: int = 4
    validate_every: int = 5
    patience: int = 0
    precision: Literal["auto", "bf16", "float32"] = "auto"
    network: Annotated[UNet3dRecipe | SwinUNETR3dRecipe, Discriminator("name")] = field(
        default_factory=lambda: UNet3dRecipe(in_channels=2)
    )
    volume: VolumeSpec = field(default_factory=VolumeSpec)
    phantoms: PhantomsRecipe | None = None
    patches: PatchesRecipe = field(default_factory=PatchesRecipe)
    augmentation: VolumeAugmentationRecipe = field(default_factory=VolumeAugmentationRecipe)
    loss: LossRecipe = field(default_factory=LossRecipe)
    optimiser: OptimiserRecipe = field(default_factory=OptimiserRecipe)

    def __post_init__(self) -> None:
        if not self.sources and self.phantoms is None:
            object.__setattr__(self, "phantoms", PhantomsRecipe())
        self._check_bounds()
        if self.network.in_channels != self.volume.channels:
            raise RecipeError(
                f"network.in_channels = {self.network.in_channels}, "
                f"volume.channels = {self.volume.channels}",
                "the same number",
            )
        if self.network.out_channels != 1:
            raise RecipeError(f"network.out_channels = {self.network.out_channels}", "1")
        if self.phantoms is not None and not 2 <= self.volume.channels <= 8:
            raise RecipeError(f"volume.channels = {self.volume.channels}", "2 to 8 on phantoms")

    def _check_bounds(self) -> None:
        phantoms = self.phantoms or PhantomsRecipe()
        share = self.patches.lesion_share + self.patches.bright_share
        for name, value, low, high in (
            ("epochs", self.epochs, 1, 100_000),
            ("epoch_steps", self.epoch_steps, 1, 1_000_000),
            ("batch_size", self.batch_size, 1, 65_536),
            ("validate_every", self.validate_every, 1, 100_000),
            ("patience", self.patience, 0, 100_000),
            ("phantoms.train", phantoms.train, 1, 100_000),
            ("phantoms.validation", phantoms.validation, 0, 100_000),
            ("patches.lesion_share", self.patches.lesion_share, 0, 1),
            ("patches.bright_share", self.patches.bright_share, 0, 1),
            ("patches.lesion_share + patches.bright_share", share, 0, 1),
            ("augmentation.scale", self.augmentation.scale, 0, 4),
            ("augmentation.gamma", self.augmentation.gamma, 0, 4),
            ("augmentation.noise", self.augmentation.noise, 0, 4),
            ("optimiser.learning_rate", self.optimiser.learning_rate, 1e-9, 10),
            ("optimiser.average_decay", self.optimiser.average_decay, 0, 1),
            *((f"repeat of {source.name}", source.repeat, 1e-3, 1000) for source in self.sources),
        ):
            if not low <= value <= high:
                raise RecipeError(f"{name} = {value} in the recipe", f"{low} to {high}")


def is_volume_recipe(table: Mapping[str, object]) -> bool:
    """True where the tables of a recipe are those of a run on volumes."""
    return "volume" in table


def read_volume_recipe(path: Path, changes: Mapping[str, str] | None = None) -> VolumeRecipe:
    """Read a TOML recipe of a run on volumes.

    Args:
        path: the file.
        changes: values to put in place of the file's, as for
            `breastseg.training.recipe.read_recipe`.

    Raises:
        RecipeError: no such file, not TOML, an unknown key or a value out of bounds.
    """
    return volume_recipe_from(read_table(path, changes), str(path))


def volume_recipe_from(table: Mapping[str, object], where: str) -> VolumeRecipe:
    """Build a recipe from plain containers; `where` names their origin in messages."""
    from pydantic import TypeAdapter, ValidationError

    _refuse_unknown(table, VolumeRecipe, "")
    network = table.get("network")
    if isinstance(network, Mapping):
        table = {**table, "network": {"name": UNet3dRecipe.name, **network}}
    try:
        return TypeAdapter(VolumeRecipe).validate_python(table)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise RecipeError(
            f"{where}: {place} = {first['input']!r}", first["msg"], "see docs/reference/recipe.md"
        ) from error
    except BundleError as error:
        raise RecipeError(f"{where}: {error.given}", error.allowed, error.remedy) from error


def _refuse_unknown(table: Mapping[str, object], kind: type, place: str) -> None:
    """A misspelt key must not be ignored in silence."""
    assert dataclasses.is_dataclass(kind)
    known = {f.name for f in dataclasses.fields(kind)}
    for key, value in table.items():
        if key not in known:
            raise RecipeError(
                f"unknown key {place}{key} in the recipe", "one of " + ", ".join(sorted(known))
            )
        part = _part(key, value) if kind is VolumeRecipe else None
        if part is not None:
            for item in value if isinstance(value, list) else [value]:
                if not isinstance(item, Mapping):
                    raise RecipeError(f"{place}{key} = {item!r} in the recipe", "a table")
                _refuse_unknown(item, part, f"{place}{key}.")


def _part(key: str, value: object) -> type | None:
    """The dataclass of a recipe's table."""
    if key != "network" or not isinstance(value, Mapping):
        return _PARTS.get(key)
    name = value.get("name", UNet3dRecipe.name)
    volumes = {known: recipe for known, recipe in RECIPES.items() if recipe.dimensions == 3}
    if name not in volumes:
        raise RecipeError(f"network {name!r} on volumes", f"one of {', '.join(volumes)}")
    return volumes[name]


_PARTS: dict[str, type] = {
    "sources": SourceRecipe,
    "volume": VolumeSpec,
    "phantoms": PhantomsRecipe,
    "patches": PatchesRecipe,
    "augmentation": VolumeAugmentationRecipe,
    "loss": LossRecipe,
    "optimiser": OptimiserRecipe,
}
