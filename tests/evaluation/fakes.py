"""Cases and methods made up for the tests of this room."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from breastseg.core import Case, Grid, Image, Mask, Prediction, Prompt, Provenance
from breastseg.core.errors import UnreadableError
from breastseg.data.dataset import CaseRef


@dataclass(frozen=True)
class DrawnRef(CaseRef):
    """A case whose image is its own truth (255 on the lesion), or a file that is damaged."""

    truth: NDArray[np.bool_] | None = field(default=None, compare=False)

    def load(self) -> Case:
        if self.truth is None:
            raise UnreadableError(f"{self.case_id}: truncated", "a whole file")
        grid = Grid(self.truth.shape, self.spacing_mm)
        picture = (self.truth[None] * 255).astype(np.uint8)
        return Case(
            case_id=self.case_id,
            patient_id=self.patient_id,
            images=(Image(picture, grid),),
            mask=Mask(self.truth, grid),
            label=self.label,
            source=self.source,
        )


def drawn(
    case_id: str,
    truth: NDArray[np.bool_] | None,
    label: str = "benign",
    patient: str | None = None,
    source: str = "made",
    spacing_mm: tuple[float, float] | None = None,
) -> DrawnRef:
    masks = () if label == "normal" else (Path("mask.png"),)
    return DrawnRef(
        case_id=case_id,
        patient_id=patient or case_id,
        label=label,
        source=source,
        image_path=Path("image.png"),
        mask_paths=masks,
        spacing_mm=spacing_mm,
        truth=truth,
    )


def block(rows: int, columns: int, shape: tuple[int, int] = (20, 20)) -> NDArray[np.bool_]:
    """A lesion of rows x columns in the upper left corner."""
    mask = np.zeros(shape, bool)
    mask[:rows, :columns] = True
    return mask


@dataclass(frozen=True)
class Method:
    """Makes a prediction of the image by a function on its (H, W) grey levels in [0, 1]."""

    draw: Callable[[NDArray[np.float32]], NDArray[np.float32]]
    name: str = "drawing"

    def segment(self, image: Image, prompt: Prompt | None = None) -> Prediction:
        probability = self.draw(image.grey() / np.float32(255))
        grid = Grid(probability.shape)
        return Prediction(probability, grid, Provenance(self.name, "1", {"steady": True}))


PERFECT = Method(lambda grey: grey)
NOTHING = Method(np.zeros_like)
EVERYTHING = Method(np.ones_like)
