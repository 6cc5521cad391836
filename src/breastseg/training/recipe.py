"""The recipe: everything that decides a training run; `recipe_file` reads it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Discriminator

from breastseg.core.bundle import InputSpec
from breastseg.core.errors import RecipeError
from breastseg.core.parameters import Strict, Within, check_bounds
from breastseg.losses import LossRecipe
from breastseg.networks.recipe import AnyNetworkRecipe, EncoderUNetRecipe
from breastseg.preprocess.prompt_maps import CHANNELS as PROMPT_MAPS
from breastseg.training.augmentation import AugmentationRecipe
from breastseg.training.parts import (
    AdversarialRecipe,
    DistillationRecipe,
    MaskingRecipe,
    PromptingRecipe,
    TransferRecipe,
)


@dataclass(frozen=True)
class SourceRecipe(Strict):
    """Which cases of one data set are for training and which for validation.

    Attributes:
        name: the data set's name, as in ``NAME=PATH``.
        train: selection of the training cases (see ``breastseg.data.selection``).
        validation: selection of the validation cases.
        repeat: how often an epoch shows each training case; 1 shows each once.
    """

    name: str
    train: str = "all"
    validation: str = "none"
    repeat: Annotated[float, Within(1e-3, 1000)] = 1.0

    def __post_init__(self) -> None:
        check_bounds(self, RecipeError)


@dataclass(frozen=True)
class OptimiserRecipe(Strict):
    """AdamW (doi 10.48550/arXiv.1711.05101), linear warm-up, then a cosine to zero.

    Attributes:
        learning_rate: peak rate.
        encoder_factor: the encoder's rate as a multiple of the peak rate.
        weight_decay: decoupled decay of weights (not of biases and norms).
        warmup_epochs: epochs of linear warm-up.
        clip_norm: gradients are scaled down to this norm; 0 leaves them.
        average_decay: decay a step of the exponential moving average of the weights.
    """

    learning_rate: Annotated[float, Within(1e-9, 10)] = 1e-3
    encoder_factor: Annotated[float, Within(0, 1)] = 0.5
    weight_decay: Annotated[float, Within(0, 10)] = 0.01
    warmup_epochs: Annotated[float, Within(0, 100_000)] = 1.0
    clip_norm: Annotated[float, Within(0, 1e6)] = 1.0
    average_decay: Annotated[float, Within(0, 1)] = 0.998

    def __post_init__(self) -> None:
        check_bounds(self, RecipeError)


@dataclass(frozen=True)
class Recipe(Strict):
    """One training run.

    Attributes:
        name: for folders and reports.
        sources: the data.
        seed: decides weights, order and augmentation.
        epochs: passes over the training plan.
        batch_size: images a step, over all devices.
        small_epochs: how many of the first epochs are trained at `small_size`; progressive
            resizing spends less time where a coarse view is enough.
        small_size: (rows, columns) of those epochs.
        normal_fraction: fraction of lesion-free images among those shown; None shows them
            as often as they occur.
        validate_every: epochs between validations; the last epoch is always validated.
        patience: stop after this many validations without a better Dice; 0 never stops early.
        precision: ``"auto"`` is bf16 where the hardware multiplies it, else float32.
        initial_weights: what to start from besides the encoder's own weights: a run's folder or
            one of its ``weights/*.safetensors``, the folder of a bundle, or the name of a shipped
            one; tensors that do not fit (a head of other classes) keep their own start.
        classes: what lesions are told apart, by the labels of the cases, e.g. ``["benign",
            "malignant"]``; none: lesion against background.
        folds: the file of a cross-validation, as splitting into folds writes it; none:
            the folds that the data sets' published partitions state.
        fold: the one to validate on; the training selections' other cases are trained on, and the
            validation selections are not used. None: no cross-validation.
        network, input, augmentation, loss, optimiser: the parts.
        transfer: how an encoder that comes trained is let go of.
        distillation: learn from other networks besides; none: from the ground truth alone.
        adversarial: train against a discriminator; none: without.
        prompting: learn to take clicks and boxes; none: images alone.
        masking: learn to fill in masked squares, without ground truth; none: learn to outline.
    """

    name: str
    sources: tuple[SourceRecipe, ...]
    seed: int = 1
    epochs: Annotated[int, Within(1, 100_000)] = 40
    batch_size: Annotated[int, Within(1, 65_536)] = 16
    small_epochs: Annotated[int, Within(0, 100_000)] = 0
    small_size: tuple[int, int] = (160, 160)
    normal_fraction: Annotated[float, Within(0, 0.95)] | None = None
    validate_every: Annotated[int, Within(1, 100_000)] = 1
    patience: Annotated[int, Within(0, 100_000)] = 0
    precision: Literal["auto", "bf16", "float32"] = "auto"
    initial_weights: str | None = None
    classes: tuple[str, ...] = ()
    folds: str | None = None
    fold: Annotated[int, Within(0, 1000)] | None = None
    network: Annotated[AnyNetworkRecipe, Discriminator("name")] = field(
        default_factory=EncoderUNetRecipe
    )
    input: InputSpec = field(default_factory=InputSpec)
    augmentation: AugmentationRecipe = field(default_factory=AugmentationRecipe)
    loss: LossRecipe = field(default_factory=LossRecipe)
    optimiser: OptimiserRecipe = field(default_factory=OptimiserRecipe)
    transfer: TransferRecipe = field(default_factory=TransferRecipe)
    distillation: DistillationRecipe | None = None
    adversarial: AdversarialRecipe | None = None
    masking: MaskingRecipe | None = None
    prompting: PromptingRecipe | None = None

    def __post_init__(self) -> None:
        check_bounds(self, RecipeError)
        if not self.sources:
            raise RecipeError("a recipe without sources", "at least one")
        if self.small_epochs > self.epochs:
            raise RecipeError(
                f"small_epochs = {self.small_epochs} of {self.epochs} epochs", "at most all"
            )
        maps = PROMPT_MAPS if self.prompting is not None else 0
        if self.network.in_channels != self.input.channels + maps:
            raise RecipeError(
                f"network.in_channels = {self.network.in_channels}, "
                f"input.channels = {self.input.channels} and {maps} maps of a prompt",
                "their sum",
            )
        _check_tasks(self)
        channels = len(self.classes) + 1 if self.classes else 1
        if self.network.out_channels != channels:
            raise RecipeError(
                f"network.out_channels = {self.network.out_channels} with {len(self.classes)} "
                f"classes",
                f"{channels}",
            )


def _check_tasks(recipe: Recipe) -> None:
    """Refuse tasks that exclude each other, and what a task cannot have.

    Raises:
        RecipeError: it asks for such.
    """
    special = {
        "distillation": recipe.distillation is not None,
        "adversarial": recipe.adversarial is not None,
        "masking": recipe.masking is not None,
        "prompting": recipe.prompting is not None,
        "network.name = 'mask-rcnn'": recipe.network.name == "mask-rcnn",
    }
    asked = [name for name, there in special.items() if there]
    if len(asked) > 1:
        raise RecipeError(" and ".join(asked) + " in one recipe", "one of them")
    if recipe.distillation is not None and (recipe.classes or recipe.input.colour):
        raise RecipeError(
            "distillation with classes or colour",
            "one kind of lesion on grey images, which every teacher takes",
        )
    if recipe.masking is not None and recipe.patience > 0:
        raise RecipeError(
            f"patience = {recipe.patience} with masking", "0: what it paints has no Dice"
        )
    if recipe.augmentation.stain_p > 0 and not recipe.input.colour:
        raise RecipeError(
            f"augmentation.stain_p = {recipe.augmentation.stain_p} on grey images",
            "0, or input.colour = true",
        )
    if recipe.loss.deep_weights and not getattr(recipe.network, "deep_supervision", False):
        raise RecipeError(
            f"loss.deep_weights for network {recipe.network.name!r} of a single output",
            "a network with deep supervision, or no deep_weights",
        )
    alone = not (recipe.classes or recipe.distillation or recipe.prompting or recipe.input.colour)
    if recipe.augmentation.paste_p > 0 and not alone:
        raise RecipeError(
            f"augmentation.paste_p = {recipe.augmentation.paste_p} with classes, distillation, "
            "prompting or colour",
            "0, or one kind of lesion on grey images, trained on the ground truth alone",
        )
    if recipe.augmentation.unmarked_p > 0 and recipe.input.colour:
        raise RecipeError(
            f"augmentation.unmarked_p = {recipe.augmentation.unmarked_p} on colour images",
            "0, or grey images: marks are told from tissue by their grey",
        )
    if recipe.prompting is not None and (recipe.classes or recipe.input.colour):
        raise RecipeError("prompting with classes or colour", "one kind of lesion on grey images")
