"""The parts of a recipe that ask for more than learning from the truth; free of torch."""

from __future__ import annotations

from dataclasses import dataclass

from breastseg.core.errors import RecipeError


@dataclass(frozen=True)
class DistillationRecipe:
    """Learn what other networks think of each pixel, besides the truth.

    The teachers' mean probability is computed once, on the images before augmentation, and moved
    with them. See `breastseg.training.distillation`.

    Attributes:
        teachers: names of shipped bundles, or folders of bundles.
        weight: share of the loss that compares with the teachers, above 0 to 1; the rest compares
            with the truth.

    Raises:
        RecipeError: no teacher, or a weight outside its range.
    """

    teachers: tuple[str, ...]
    weight: float = 0.5

    def __post_init__(self) -> None:
        object.__setattr__(self, "teachers", tuple(self.teachers))
        if not self.teachers or not 0 < self.weight <= 1:
            raise RecipeError(
                f"{len(self.teachers)} teachers with a weight of {self.weight}",
                "at least one teacher, a weight above 0 and up to 1",
            )


@dataclass(frozen=True)
class TransferRecipe:
    """How an encoder that comes trained is let go of; see `breastseg.training.transfer`.

    Attributes:
        frozen_epochs: epochs in which the encoder stays as it came, its batch statistics too.
        unfreezing_epochs: so many epochs after that, its layers join one after another, the
            deepest first; 0: all at once.
        layer_decay: a layer's rate is this times the rate of the next deeper one, above 0 to 1;
            the first layers, whose edges and textures serve every picture, change least.

    Raises:
        RecipeError: a value outside its range.
    """

    frozen_epochs: int = 0
    unfreezing_epochs: int = 0
    layer_decay: float = 1.0

    def __post_init__(self) -> None:
        if min(self.frozen_epochs, self.unfreezing_epochs) < 0 or not 0 < self.layer_decay <= 1:
            raise RecipeError(
                f"transfer with frozen_epochs = {self.frozen_epochs}, unfreezing_epochs = "
                f"{self.unfreezing_epochs}, layer_decay = {self.layer_decay}",
                "epochs of at least 0, a decay above 0 and up to 1",
            )


@dataclass(frozen=True)
class MaskingRecipe:
    """Self-supervised pretraining: fill in what was masked out; no outlines are needed.

    Attributes:
        share: of each image that is masked, above 0 to below 1.
        patch: side of a masked square as a share of the image's side, above 0 to 0.5.

    Raises:
        RecipeError: a value outside its range.
    """

    share: float = 0.6
    patch: float = 0.0625

    def __post_init__(self) -> None:
        if not 0 < self.share < 1 or not 0 < self.patch <= 0.5:
            raise RecipeError(
                f"masking with share = {self.share}, patch = {self.patch}",
                "a share above 0 and below 1, a patch above 0 and up to 0.5",
            )


@dataclass(frozen=True)
class AdversarialRecipe:
    """A discriminator beside the network; see `breastseg.training.adversarial`.

    Attributes:
        weight: of the discriminator's judgement beside the recipe's loss, above 0.
        first_epoch: epochs, from 0, before which the network is trained alone.
        discriminator_width: channels of the discriminator's first layer, 4 to 512.
        learning_rate: of the discriminator, above 0.

    Raises:
        RecipeError: a value outside its range.
    """

    weight: float = 0.05
    first_epoch: int = 1
    discriminator_width: int = 32
    learning_rate: float = 2e-4

    def __post_init__(self) -> None:
        positive = self.weight > 0 and self.learning_rate > 0 and self.first_epoch >= 0
        if not positive or not 4 <= self.discriminator_width <= 512:
            raise RecipeError(
                f"adversarial training with weight = {self.weight}, first_epoch = "
                f"{self.first_epoch}, discriminator_width = {self.discriminator_width}, "
                f"learning_rate = {self.learning_rate}",
                "weight and rate above 0, an epoch of at least 0, a width of 4 to 512",
            )
