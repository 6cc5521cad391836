"""The parts of a recipe that ask for more than learning from the ground truth; free of torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from breastseg.core.errors import RecipeError
from breastseg.core.parameters import Strict, Within, check_bounds


@dataclass(frozen=True)
class DistillationRecipe(Strict):
    """Learn what other networks think of each pixel, besides the ground truth.

    The teachers' mean probability is computed once, on the images before augmentation, and moved
    with them. See `breastseg.training.distillation`.

    Attributes:
        teachers: names of shipped bundles, or folders of bundles.
        weight: fraction of the loss that compares with the teachers; the rest compares
            with the ground truth.

    Raises:
        RecipeError: no teacher, or a weight outside its range.
    """

    teachers: tuple[str, ...]
    weight: Annotated[float, Within(0.001, 1)] = 0.5

    def __post_init__(self) -> None:
        object.__setattr__(self, "teachers", tuple(self.teachers))
        check_bounds(self, RecipeError)
        if not self.teachers:
            raise RecipeError("distillation without teachers", "at least one")


@dataclass(frozen=True)
class TransferRecipe(Strict):
    """How an encoder that comes trained is let go of; see `breastseg.training.transfer`.

    Attributes:
        frozen_epochs: epochs in which the encoder stays as it came, its batch statistics too.
        unfreezing_epochs: so many epochs after that, its layers join one after another, the
            deepest first; 0: all at once.
        layer_decay: a layer's rate is this times the rate of the next deeper one;
            the first layers, whose edges and textures serve every image, change least.

    Raises:
        RecipeError: a value outside its range.
    """

    frozen_epochs: Annotated[int, Within(0, 100_000)] = 0
    unfreezing_epochs: Annotated[int, Within(0, 100_000)] = 0
    layer_decay: Annotated[float, Within(0.001, 1)] = 1.0

    def __post_init__(self) -> None:
        check_bounds(self, RecipeError)


@dataclass(frozen=True)
class MaskingRecipe(Strict):
    """Self-supervised pretraining: fill in what was masked out; no ground truth is needed.

    Attributes:
        fraction: of each image that is masked.
        patch: side of a masked square as a fraction of the image's side.

    Raises:
        RecipeError: a value outside its range.
    """

    fraction: Annotated[float, Within(0.01, 0.99)] = 0.6
    patch: Annotated[float, Within(0.001, 0.5)] = 0.0625

    def __post_init__(self) -> None:
        check_bounds(self, RecipeError)


@dataclass(frozen=True)
class AdversarialRecipe(Strict):
    """A discriminator beside the network; see `breastseg.training.adversarial`.

    Attributes:
        weight: of the discriminator's judgement beside the recipe's loss.
        first_epoch: epochs, from 0, before which the network is trained alone.
        discriminator_width: channels of the discriminator's first layer.
        learning_rate: of the discriminator.

    Raises:
        RecipeError: a value outside its range.
    """

    weight: Annotated[float, Within(1e-6, 1000)] = 0.05
    first_epoch: Annotated[int, Within(0, 100_000)] = 1
    discriminator_width: Annotated[int, Within(4, 512)] = 32
    learning_rate: Annotated[float, Within(1e-9, 10)] = 2e-4

    def __post_init__(self) -> None:
        check_bounds(self, RecipeError)


@dataclass(frozen=True)
class PromptingRecipe(Strict):
    """Simulated clicks and boxes; see `breastseg.training.prompting`.

    Attributes:
        stored_size: (rows, columns) at which images are kept, 32 to 2048, so that a frame around a
            small lesion still has detail.
        automatic_fraction: of the lesion images, those that get no prompt.
        frame_fraction: of the prompted ones, those that show the frame around a lesion and not the
            whole image.
        frame: side of that frame as a multiple of the lesion's, lowest and highest, 1 to 10.
        box_fraction: of the prompted ones, those that get a box and not clicks.
        tight_fraction: of the boxes, those that fit the lesion; edges of the others lie off.
        corrected_fraction: of the batches, those that get one to three corrective clicks.

    Raises:
        RecipeError: a value outside its range.
    """

    stored_size: tuple[int, int] = (512, 512)
    automatic_fraction: Annotated[float, Within(0, 1)] = 0.2
    frame_fraction: Annotated[float, Within(0, 1)] = 0.65
    frame: tuple[float, float] = (1.5, 3.5)
    box_fraction: Annotated[float, Within(0, 1)] = 0.5
    tight_fraction: Annotated[float, Within(0, 1)] = 0.35
    corrected_fraction: Annotated[float, Within(0, 1)] = 0.3

    def __post_init__(self) -> None:
        check_bounds(self, RecipeError)
        if not 1 <= self.frame[0] <= self.frame[1] <= 10:
            raise RecipeError(f"prompting.frame = {self.frame}", "two of 1 to 10, lowest first")
        if any(not 32 <= side <= 2048 for side in self.stored_size):
            raise RecipeError(f"prompting.stored_size = {self.stored_size}", "32 to 2048 a side")
