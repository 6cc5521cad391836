"""The recipe: everything that decides a training run, read from a TOML file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Discriminator

from breastseg.core.bundle import InputSpec
from breastseg.core.errors import RecipeError
from breastseg.losses import LossRecipe
from breastseg.networks.recipe import RECIPES, AnyNetworkRecipe, EncoderUNetRecipe
from breastseg.training.augmentation import AugmentationRecipe
from breastseg.training.parts import (
    AdversarialRecipe,
    DistillationRecipe,
    MaskingRecipe,
    TransferRecipe,
)


@dataclass(frozen=True)
class SourceRecipe:
    """Which cases of one data set are trained on and which only watched.

    Attributes:
        name: the data set's name, as in ``--data NAME=PATH``.
        train: selection of the training cases (see ``breastseg.data.selection``).
        validation: selection of the validation cases.
        repeat: how often an epoch shows each training case, above 0; 1 shows each once.
    """

    name: str
    train: str = "all"
    validation: str = "none"
    repeat: float = 1.0


@dataclass(frozen=True)
class OptimiserRecipe:
    """AdamW (doi 10.48550/arXiv.1711.05101), linear warm-up, then a cosine to zero.

    Attributes:
        learning_rate: peak rate, above 0.
        encoder_factor: the encoder's rate as a multiple of the peak rate, 0 to 1.
        weight_decay: decoupled decay of weights (not of biases and norms), at least 0.
        warmup_epochs: epochs of linear warm-up, at least 0.
        clip_norm: gradients are scaled down to this norm; 0 leaves them.
        average_decay: decay a step of the exponential moving average of the weights, 0 to 1.
    """

    learning_rate: float = 1e-3
    encoder_factor: float = 0.5
    weight_decay: float = 0.01
    warmup_epochs: float = 1.0
    clip_norm: float = 1.0
    average_decay: float = 0.998


@dataclass(frozen=True)
class Recipe:
    """One training run.

    Attributes:
        name: for folders and reports.
        sources: the data.
        seed: decides weights, order and augmentation.
        epochs: passes over the training plan, at least 1.
        batch_size: images a step, over all devices, at least 1.
        small_epochs: how many of the first epochs are trained at `small_size`; progressive
            resizing spends less time where a coarse view is enough.
        small_size: (rows, columns) of those epochs.
        normal_share: share of lesion-free images among those shown, 0 to 1; None shows them
            as often as they occur.
        validate_every: epochs between validations; the last epoch is always validated.
        patience: stop after this many validations without a better Dice; 0 never stops early.
        precision: ``"auto"`` is bf16 where the hardware multiplies it, else float32.
        initial_weights: what to start from besides the encoder's own weights: a run's folder or
            one of its ``weights/*.safetensors``, the folder of a bundle, or the name of a shipped
            one; tensors that do not fit (a head of other classes) keep their own start.
        classes: what lesions are told apart, by the labels of the cases, e.g. ``["benign",
            "malignant"]``; none: lesion against background.
        network, input, augmentation, loss, optimiser: the parts.
        transfer: how an encoder that comes trained is let go of.
        distillation: learn from other networks besides; none: from the truth alone.
        adversarial: train against a discriminator; none: without.
        masking: learn to fill in what is masked, without outlines; none: learn to outline.
    """

    name: str
    sources: tuple[SourceRecipe, ...]
    seed: int = 1
    epochs: int = 40
    batch_size: int = 16
    small_epochs: int = 0
    small_size: tuple[int, int] = (160, 160)
    normal_share: float | None = None
    validate_every: int = 1
    patience: int = 0
    precision: Literal["auto", "bf16", "float32"] = "auto"
    initial_weights: str | None = None
    classes: tuple[str, ...] = ()
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

    def __post_init__(self) -> None:
        limits = [
            ("sources", len(self.sources), 1, 1000),
            ("epochs", self.epochs, 1, 100_000),
            ("batch_size", self.batch_size, 1, 65_536),
            ("small_epochs", self.small_epochs, 0, self.epochs),
            ("validate_every", self.validate_every, 1, 100_000),
            ("patience", self.patience, 0, 100_000),
            ("normal_share", self.normal_share or 0.0, 0, 0.95),
            ("optimiser.learning_rate", self.optimiser.learning_rate, 1e-9, 10),
            ("optimiser.encoder_factor", self.optimiser.encoder_factor, 0, 1),
            ("optimiser.average_decay", self.optimiser.average_decay, 0, 1),
        ]
        limits += [(f"repeat of {s.name}", s.repeat, 1e-3, 1000) for s in self.sources]
        for name, value, low, high in limits:
            if not low <= value <= high:
                raise RecipeError(f"{name} = {value} in the recipe", f"{low} to {high}")
        if self.network.in_channels != self.input.channels:
            raise RecipeError(
                f"network.in_channels = {self.network.in_channels}, "
                f"input.channels = {self.input.channels}",
                "the same number",
            )
        special = {
            "distillation": self.distillation is not None,
            "adversarial": self.adversarial is not None,
            "masking": self.masking is not None,
            "network.name = 'mask-rcnn'": self.network.name == "mask-rcnn",
        }
        asked = [name for name, there in special.items() if there]
        if len(asked) > 1:
            raise RecipeError(" and ".join(asked) + " in one recipe", "one of them")
        if self.distillation is not None and self.input.colour:
            raise RecipeError(
                "distillation with input.colour", "grey images, which every teacher takes"
            )
        if self.augmentation.stain_p > 0 and not self.input.colour:
            raise RecipeError(
                f"augmentation.stain_p = {self.augmentation.stain_p} on grey images",
                "0, or input.colour = true",
            )
        channels = len(self.classes) + 1 if self.classes else 1
        if self.network.out_channels != channels:
            raise RecipeError(
                f"network.out_channels = {self.network.out_channels} with {len(self.classes)} "
                f"classes",
                f"{channels}",
            )


def read_recipe(path: Path, changes: Mapping[str, str] | None = None) -> Recipe:
    """Read a TOML recipe.

    Args:
        path: the file.
        changes: values to put in place of the file's, e.g. ``{"epochs": "3",
            "sources.0.train": "fold:1"}``; each is read as a TOML value, else as text.

    Raises:
        RecipeError: no such file, not TOML, an unknown key or a value out of bounds.
    """
    return recipe_from(read_table(path, changes), str(path))


def read_table(path: Path, changes: Mapping[str, str] | None = None) -> dict[str, object]:
    """The tables of a TOML recipe, changed but not checked yet.

    Args:
        path: the file.
        changes: as for `read_recipe`.

    Raises:
        RecipeError: no such file, not TOML, or a change without a place.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RecipeError(f"recipe {path}: {error}", "a readable TOML file") from error
    for key, text in (changes or {}).items():
        _put(table, key, _value(text))
    return table


def recipe_from(table: Mapping[str, object], where: str) -> Recipe:
    """Build a recipe from plain containers; `where` names their origin in messages."""
    from pydantic import TypeAdapter, ValidationError

    _refuse_unknown(table, Recipe, "")
    network = table.get("network")
    if isinstance(network, Mapping):
        table = {**table, "network": {"name": EncoderUNetRecipe.name, **network}}
    try:
        return TypeAdapter(Recipe).validate_python(table)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise RecipeError(
            f"{where}: {place} = {first['input']!r}", first["msg"], "see docs/reference/recipe.md"
        ) from error


def recipe_table(recipe: object) -> dict[str, object]:
    """A recipe (a dataclass) with all defaults filled in, as plain containers ready for TOML."""

    def plain(value: object) -> object:
        if is_dataclass(value) and not isinstance(value, type):
            pairs = ((f.name, getattr(value, f.name)) for f in fields(value))
            return {name: plain(item) for name, item in pairs if item is not None}
        if isinstance(value, Mapping):
            return {str(key): plain(item) for key, item in value.items()}
        if isinstance(value, tuple | list):
            return [plain(item) for item in value]
        return str(value) if isinstance(value, str) else value

    table = plain(recipe)
    assert isinstance(table, dict)
    return table


def _refuse_unknown(table: Mapping[str, object], kind: type, place: str) -> None:
    """A misspelt key must not be ignored in silence."""
    assert is_dataclass(kind)
    known = {f.name: f for f in fields(kind)}
    for key, value in table.items():
        if key not in known:
            raise RecipeError(
                f"unknown key {place}{key} in the recipe", "one of " + ", ".join(sorted(known))
            )
        part = _part(key, value) if kind is Recipe else None
        if part is not None:
            for item in value if isinstance(value, list) else [value]:
                if not isinstance(item, Mapping):
                    raise RecipeError(f"{place}{key} = {item!r} in the recipe", "a table")
                _refuse_unknown(item, part, f"{place}{key}.")


def _part(key: str, value: object) -> type | None:
    """The dataclass of a recipe's table."""
    if key != "network" or not isinstance(value, Mapping):
        return _PARTS.get(key)
    name = value.get("name", EncoderUNetRecipe.name)
    if name not in RECIPES:
        raise RecipeError(f"network {name!r}", f"one of {', '.join(RECIPES)}")
    return RECIPES[name]


_PARTS: dict[str, type] = {
    "sources": SourceRecipe,
    "transfer": TransferRecipe,
    "distillation": DistillationRecipe,
    "adversarial": AdversarialRecipe,
    "masking": MaskingRecipe,
    "input": InputSpec,
    "augmentation": AugmentationRecipe,
    "loss": LossRecipe,
    "optimiser": OptimiserRecipe,
}


def _value(text: str) -> object:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _put(table: dict[str, object], key: str, value: object) -> None:
    *path, last = key.split(".")
    place: object = table
    try:
        for part in path:
            if isinstance(place, list):
                place = place[int(part)]
            else:
                assert isinstance(place, dict)
                place = place.setdefault(part, {})
        if isinstance(place, list):
            place[int(last)] = value
        else:
            assert isinstance(place, dict)
            place[last] = value
    except (ValueError, IndexError, AssertionError) as error:
        raise RecipeError(
            f"no place {key!r} in the recipe", "a dotted path such as sources.0.train"
        ) from error
