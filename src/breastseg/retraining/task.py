"""What a retraining is told, what it says on its way and what comes of it; free of torch."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Literal

from breastseg.core.errors import InputError, MissingExtraError
from breastseg.core.image import Modality
from breastseg.core.parameters import Within, check_bounds

LABELS, SPLIT, BUNDLE = "labels", "split.json", "bundle"
TRAIN, HELD_OUT = "train", "held_out"


@dataclass(frozen=True)
class Retraining:
    """A retraining.

    Attributes:
        folder: holds the data set ``labels`` and its ``split.json`` with the parts ``train`` and
            ``held_out``; gets the run and the new bundle.
        method: what the new bundle is held against, and starts from where it is a network for
            images: the name of a method or the folder of a bundle.
        name: of the new bundle.
        summary: of the new bundle, in one line.
        modality: of the images, and so of what the new bundle may be used on.
        epochs: passes over the training cases.
        seed: of order, augmentation and new weights.
        threads: CPU cores; 0 for all.

    Raises:
        InputError: a number that is out of bounds.
    """

    folder: Path
    method: str
    name: str
    summary: str
    modality: Modality
    epochs: Annotated[int, Within(1, 1000)] = 10
    seed: int = 1
    threads: Annotated[int, Within(0)] = 0

    def __post_init__(self) -> None:
        check_bounds(self)


@dataclass(frozen=True)
class Step:
    """How far a retraining has come.

    Attributes:
        fraction: of all, 0 to 1.
        stage: training, then scoring of both methods.
        epoch: that was finished last; 0 before.
        epochs: how many there will be.
        loss: mean of that epoch; None before.
    """

    fraction: float
    stage: Literal["training", "scoring"]
    epoch: int
    epochs: int
    loss: float | None = None


@dataclass(frozen=True)
class Figure:
    """A figure with its 95 % interval over patients; its ends are None where nothing is known."""

    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Scores:
    """A method on the held-out cases.

    Attributes:
        method: its name.
        dice: mean over images with a lesion; None where there is none.
        missed: fraction of the lesions that are not found; likewise.
        normals_outlined: fraction of images without a lesion in which something is outlined; None
            where there is none.
        failures: images that could not be segmented; they count as missed.
    """

    method: str
    dice: Figure | None
    missed: Figure | None
    normals_outlined: Figure | None
    failures: int


@dataclass(frozen=True)
class ImageScore:
    """Dice of a held-out case by both; None where it has no lesion, or could not be segmented."""

    case: str
    before: float | None
    after: float | None


@dataclass(frozen=True)
class Outcome:
    """What came of a retraining.

    Attributes:
        start: how the network began, in one sentence.
        trained_on: images that were trained on.
        held_out: images that were scored and never trained on.
        before: of the method that was there.
        after: of the new bundle.
        dice_gained: mean difference of the Dice of each image with a lesion, the new less the old.
        images: the held-out cases, by their names.
        remarks: what must be known before a choice.
        recipe: as TOML.
    """

    start: str
    trained_on: int
    held_out: int
    before: Scores
    after: Scores
    dice_gained: Figure | None
    images: tuple[ImageScore, ...]
    remarks: tuple[str, ...]
    recipe: str


def missing_packages() -> tuple[str, ...]:
    """What training needs and is not installed; found without loading it."""
    return tuple(name for name in ("torch", "lightning", "onnx") if find_spec(name) is None)


def check_can_train() -> None:
    """Refuse where training is not installed.

    Raises:
        MissingExtraError: it is not.
    """
    missing = missing_packages()
    if missing:
        raise MissingExtraError(
            f"retraining needs {', '.join(missing)}", remedy="pip install 'breastseg[train]'"
        )


def modality_of(stated: Collection[Modality]) -> Modality:
    """What a new bundle may be used on.

    Args:
        stated: by its images, by the bundle that it starts from, or by a person.

    Raises:
        InputError: nothing says it, or they say several.
    """
    known = sorted({*stated} - {Modality.UNKNOWN})
    if len(known) != 1:
        raise InputError(
            f"images of {' and '.join(known)}"
            if known
            else "images that do not say what made them",
            f"one of {', '.join(m for m in Modality if m is not Modality.UNKNOWN)}",
            "state the modality" if not known else "label a project for each",
        )
    return known[0]
