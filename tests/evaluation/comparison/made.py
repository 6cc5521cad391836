"""A comparison made by hand: discs on noise, and methods that miss them each in its own way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from breastseg.core import Case, Grid, Image, Mask, Prediction, Provenance
from breastseg.core.image import Modality
from breastseg.core.parameters import Parameter, Within
from breastseg.data.dataset import CaseRef
from breastseg.evaluation.comparison.cell import BINS, THRESHOLDS, Cell, Comparison, Traits
from breastseg.evaluation.protocol import Protocol
from breastseg.evaluation.run import Row
from breastseg.evaluation.score import score_failure, score_image
from breastseg.inference.methods import MethodInfo

SHAPE = (48, 64)


@dataclass(frozen=True)
class Disc(CaseRef):
    """A grey image with a darker disc of some radius; 0 for none."""

    radius: int = 0

    @property
    def truth(self) -> NDArray[np.bool_]:
        return disc(self.radius)

    def load(self) -> Case:
        grid = Grid(SHAPE, self.spacing_mm)
        noise = np.random.default_rng(self.radius).integers(90, 150, SHAPE)
        picture = np.where(self.truth, noise // 3, noise).astype(np.uint8)
        return Case(
            self.case_id,
            self.patient_id,
            (Image(picture[None], grid),),
            Mask(self.truth, grid),
            self.label,
        )


@dataclass(frozen=True)
class Habit:
    """How a made-up method goes wrong.

    Attributes:
        grow: pixels that its radius is too large.
        shift: columns that its disc lies too far right.
        spread: how much both vary from case to case, in pixels.
        alarms: it outlines something on normal images.
        fails: the cases, by number, on which it fails.
        network: a network with graded numbers, else a classical method without.
    """

    grow: int = 0
    shift: int = 0
    spread: int = 0
    alarms: bool = False
    fails: tuple[int, ...] = ()
    network: bool = False


HABITS: Mapping[str, Habit] = {
    "otsu": Habit(grow=3, shift=4, spread=3, alarms=True),
    "net": Habit(grow=1, spread=2, network=True),
    "snake": Habit(grow=-2, shift=2, spread=4, fails=(1,)),
}


def disc(radius: int, shift: int = 0) -> NDArray[np.bool_]:
    rows, columns = np.ogrid[: SHAPE[0], : SHAPE[1]]
    return (rows - SHAPE[0] / 2) ** 2 + (columns - SHAPE[1] / 2 - shift) ** 2 < max(radius, 0) ** 2


def made_cases(count: int = 12, normals: int = 2, stated: bool = True) -> tuple[Disc, ...]:
    """Cases with a lesion, two to a patient where patients are stated, then normal ones."""
    cases = []
    for number in range(count + normals):
        name = f"c{number:03d}"
        lesion = number < count
        label = ("benign", "malignant")[number % 2] if lesion else "normal"
        cases.append(
            Disc(
                case_id=name,
                patient_id=f"p{number // 2}" if stated else name,
                label=label,
                source="made",
                image_path=Path(f"{name}.png"),
                mask_paths=(Path("m.png"),) if lesion else (),
                spacing_mm=(0.1, 0.1) if stated else None,
                radius=5 + number % 11 if lesion else 0,
            )
        )
    return tuple(cases)


def made_comparison(
    cases: Sequence[Disc] = (),
    habits: Mapping[str, Habit] = HABITS,
    baseline: str = "net",
    folder: Path = Path("masks"),
    draw: bool = False,
) -> Comparison:
    """Score every habit on every case; with `draw` the outlines are written below `folder`."""
    cases = tuple(cases) or made_cases()
    protocol = Protocol()
    cells = {}
    for order, (label, habit) in enumerate(habits.items()):
        generator = np.random.default_rng(order)
        cells[label] = tuple(
            _cell(label, habit, number, case, generator) for number, case in enumerate(cases)
        )
        if draw:
            _draw(folder, label, habit, cases, np.random.default_rng(order))
    return Comparison(
        methods={label: _info(label, habit) for label, habit in habits.items()},
        cells=cells,
        traits={case.key: _traits(case) for case in cases},
        protocol=protocol,
        baseline=baseline,
        masks=folder,
        parameters={
            label: {"threshold": 0.4, "flip_average": True} if habit.network else {"shift": 0.1}
            for label, habit in habits.items()
        },
    )


def _outline(habit: Habit, case: Disc, generator: np.random.Generator) -> NDArray[np.bool_]:
    grow, shift = generator.integers(-habit.spread, habit.spread + 1, 2)
    if case.radius == 0:
        return disc(4) if habit.alarms else disc(0)
    return disc(case.radius + habit.grow + int(grow), habit.shift + int(shift))


def _cell(
    label: str, habit: Habit, number: int, case: Disc, generator: np.random.Generator
) -> Cell:
    outline = _outline(habit, case, generator)
    grid = Grid(SHAPE, case.spacing_mm)
    truth = Mask(case.truth, grid)
    row = Row(
        key=case.key,
        patient=case.patient_key,
        source=case.source,
        label=case.label,
        scanner=case.scanner,
        has_lesion=not truth.is_empty,
        lesion_fraction=float(case.truth.mean()),
        score=score_failure(truth, truth.is_empty, 0.1),
        error="UnsupportedError: no such image",
    )
    steps, bins = len(THRESHOLDS), np.arange(BINS)
    if number in habit.fails:
        nothing = (0,) * steps
        return Cell(label, row, nothing, nothing, (0,) * BINS, (0,) * BINS, (0.0,) * BINS)
    prediction = Prediction(outline.astype(np.float32), grid, Provenance(label, "1"))
    score = score_image(prediction, truth, None, 0.1)
    row = replace(row, score=score, milliseconds=10.0 + number, error=None)
    if habit.network:
        found = tuple(int(score.found and step < 15) for step in range(steps))
        false = tuple(score.false_positives + int(step < 4) for step in range(steps))
    else:
        found, false = (score.found,) * steps, (score.false_positives,) * steps
    pixels = np.where(bins == 0, 3000, 8)
    probability = pixels * (bins + 0.5) / BINS
    lesion = np.round(probability * 0.9).astype(int)
    return Cell(
        label,
        row,
        found,
        false,
        tuple(int(n) for n in pixels),
        tuple(int(n) for n in lesion),
        tuple(float(p) for p in probability),
    )


def _draw(
    folder: Path, label: str, habit: Habit, cases: Sequence[Disc], generator: np.random.Generator
) -> None:
    from breastseg.evaluation.comparison.store import mask_path
    from breastseg.io.write import write_png

    for number, case in enumerate(cases):
        outline = _outline(habit, case, generator)
        if number not in habit.fails:
            write_png(mask_path(folder, label, case.key), outline)


def _traits(case: Disc) -> Traits:
    area = int(case.truth.sum())
    lesion = area > 0
    return Traits(
        key=case.key,
        area_px=area,
        area_fraction=area / case.truth.size,
        contrast=0.2 + 0.03 * (case.radius % 7) if lesion else None,
        irregularity=0.05 * (case.radius % 5) if lesion else None,
        lesions=int(lesion),
    )


def _info(label: str, habit: Habit) -> MethodInfo:
    return MethodInfo(
        name=label,
        kind="network" if habit.network else "classical",
        summary=f"outlines what {label} takes for a lesion",
        source="a made-up method (doi:10.1000/182)",
        weakness="it looks at no image at all",
        modality=Modality.ULTRASOUND,
        takes_prompt=not habit.network,
        gives_probability=habit.network,
        parameters=()
        if habit.network
        else (Parameter("shift", float, 0.1, Within(0, 1), (), "how far the border moves"),),
    )
