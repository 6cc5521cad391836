"""The recipe of a run on volumes, whose file has a ``[volume]`` table; `recipe_file` reads it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Discriminator

from breastseg.core.bundle import VolumeSpec
from breastseg.core.errors import RecipeError
from breastseg.core.parameters import Strict, Within, check_bounds
from breastseg.losses import LossRecipe
from breastseg.networks.recipe import OwnNetworkRecipe, SwinUNETR3dRecipe, UNet3dRecipe
from breastseg.training.recipe import OptimiserRecipe, SourceRecipe

Size = tuple[int, int, int]


@dataclass(frozen=True)
class PhantomsRecipe(Strict):
    """The synthetic studies of a run; see `breastseg.data.phantoms.volume`.

    Attributes:
        train: how many are trained on.
        validation: how many others are for validation.
        shape: (slices, rows, columns) in voxels; their spacing is drawn.
        seed: of the training ones; those for validation come from the next seed.
    """

    train: Annotated[int, Within(1, 100_000)] = 80
    validation: Annotated[int, Within(0, 100_000)] = 10
    shape: Size = (48, 160, 160)
    seed: int = 1

    def __post_init__(self) -> None:
        check_bounds(self, RecipeError)


@dataclass(frozen=True)
class PatchesRecipe(Strict):
    """Which patches a network is shown.

    Attributes:
        lesion_fraction: fraction of the patches that hold a lesion's voxel near their middle;
            each lesion of a study as often as any other, whatever its size.
        bright_fraction: fraction around a voxel that enhances and is no lesion; vessels, skin
            and heart are what a lesion is mistaken for. So are the first fraction's patches in a
            study without lesions. The rest lies anywhere.
    """

    lesion_fraction: Annotated[float, Within(0, 1)] = 0.5
    bright_fraction: Annotated[float, Within(0, 1)] = 0.35

    def __post_init__(self) -> None:
        check_bounds(self, RecipeError)
        fraction = self.lesion_fraction + self.bright_fraction
        if fraction > 1:
            raise RecipeError(
                f"patches.lesion_fraction + patches.bright_fraction = {fraction}", "0 to 1"
            )


@dataclass(frozen=True)
class VolumeAugmentationRecipe(Strict):
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
    scale: Annotated[float, Within(0, 4)] = 0.25
    gamma: Annotated[float, Within(0, 4)] = 0.2
    noise: Annotated[float, Within(0, 4)] = 0.05

    def __post_init__(self) -> None:
        check_bounds(self, RecipeError)


@dataclass(frozen=True)
class VolumeRecipe(Strict):
    """One training run on volumes.

    Attributes:
        name: for folders and reports.
        sources: the data sets of volumes; none: phantoms alone.
        seed: decides weights, patches and augmentation.
        epochs: how many epochs.
        epoch_steps: optimiser steps an epoch.
        batch_size: patches a step, over all devices.
        validate_every: epochs between validations; the last epoch is always validated.
        patience: stop after this many validations without a better Dice; 0 never stops early.
        precision: ``"auto"`` is bf16 where the hardware multiplies it, else float32.
        folds, fold: as in a recipe for images.
        network: a network of three dimensions.
        volume: spacing, patch and grey scale.
        phantoms: synthetic studies, besides the sources where there are any; none without
            a table of theirs, unless there are no sources.
        patches, augmentation, loss, optimiser: the parts.

    Raises:
        RecipeError: a value out of bounds.
    """

    name: str
    sources: tuple[SourceRecipe, ...] = ()
    seed: int = 1
    epochs: Annotated[int, Within(1, 100_000)] = 20
    epoch_steps: Annotated[int, Within(1, 1_000_000)] = 50
    batch_size: Annotated[int, Within(1, 65_536)] = 4
    validate_every: Annotated[int, Within(1, 100_000)] = 5
    patience: Annotated[int, Within(0, 100_000)] = 0
    precision: Literal["auto", "bf16", "float32"] = "auto"
    folds: str | None = None
    fold: Annotated[int, Within(0, 1000)] | None = None
    network: Annotated[
        UNet3dRecipe | SwinUNETR3dRecipe | OwnNetworkRecipe, Discriminator("name")
    ] = field(default_factory=lambda: UNet3dRecipe(in_channels=2))
    volume: VolumeSpec = field(default_factory=VolumeSpec)
    phantoms: PhantomsRecipe | None = None
    patches: PatchesRecipe = field(default_factory=PatchesRecipe)
    augmentation: VolumeAugmentationRecipe = field(default_factory=VolumeAugmentationRecipe)
    loss: LossRecipe = field(default_factory=LossRecipe)
    optimiser: OptimiserRecipe = field(default_factory=OptimiserRecipe)

    def __post_init__(self) -> None:
        if not self.sources and self.phantoms is None:
            object.__setattr__(self, "phantoms", PhantomsRecipe())
        check_bounds(self, RecipeError)
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
