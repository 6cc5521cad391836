"""Synthetic breast ultrasound with exact ground truth and pixel spacing.

For trying the software where no patient's image may be used, and for tests. The anatomy follows
what a B-mode scan of the breast shows from the skin down: skin, subcutaneous fat with septa,
fibroglandular tissue, retromammary fat, pectoral muscle with its fasciae, chest wall. Lesions
follow the signs of BI-RADS (American College of Radiology, 5th edition, ultrasound): benign ones
are oval, parallel to the skin and circumscribed, with enhancement or no change behind; malignant
ones are irregular, not parallel, indistinct or spiculated, with a shadow behind. A phantom looks
like a scan; results on phantoms say nothing of results on patients.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from breastseg.core.errors import InputError
from breastseg.data.phantoms.ultrasound.anatomy import (
    Tissue,
    add_lesion,
    draw_lesion,
    draw_tissue,
    warped,
)
from breastseg.data.phantoms.ultrasound.physics import Scanner, display, envelope, transmitted
from breastseg.io.write import write_png, write_text

Label = Literal["benign", "malignant", "normal"]
MIX: tuple[Label, ...] = ("benign", "malignant", "benign", "malignant", "normal")
"""The labels of a series, repeated: two of five benign, two malignant, one without a lesion."""


@dataclass(frozen=True, eq=False)
class Phantom:
    """One synthetic scan.

    Attributes:
        case_id: its name in a series, ``"phantom"`` outside one.
        image: (rows, columns) uint8 grey levels.
        mask: (rows, columns) bool, True on the lesion; empty for a normal one.
        spacing_mm: (row, column) distance of pixel centres in millimetres.
        label: ``"benign"``, ``"malignant"`` or ``"normal"``.
        description: what was drawn, in words.
    """

    case_id: str
    image: NDArray[np.uint8] = field(repr=False)
    mask: NDArray[np.bool_] = field(repr=False)
    spacing_mm: tuple[float, float]
    label: Label
    description: str


def make_phantom(
    generator: np.random.Generator, label: Label, shape: tuple[int, int] = (420, 520)
) -> Phantom:
    """Draw one phantom.

    Args:
        generator: source of randomness; the same state gives the same phantom.
        label: the kind of lesion, or ``"normal"`` for none.
        shape: (rows, columns) in pixels, each 128 to 2048 and at most twice the other. The field
            of view is 34 to 46 mm wide whatever the shape.

    Raises:
        InputError: another label or shape.
    """
    if label not in get_args(Label):
        raise InputError(f"phantom label {label!r}", f"one of {', '.join(get_args(Label))}")
    if min(shape) < 128 or max(shape) > 2048 or max(shape) > 2 * min(shape):
        raise InputError(
            f"phantom of {shape[0]} x {shape[1]} pixels",
            "128 to 2048 pixels a side, neither more than twice the other",
        )
    scanner = _draw_scanner(generator, shape)
    tissue = draw_tissue(generator, shape, scanner.spacing_mm)
    mask = np.zeros(shape, bool)
    words = "no lesion"
    if label != "normal":
        lesion = draw_lesion(generator, shape, scanner.spacing_mm, malignant=label == "malignant")
        tissue = add_lesion(generator, warped(tissue, lesion), lesion)
        mask, words = lesion.mask, lesion.description
    image = _scan(generator, tissue, scanner)
    visible = _field_of_view(generator, shape, mask)
    return Phantom(
        case_id="phantom",
        image=np.where(visible, image, 0).astype(np.uint8),
        mask=mask,
        spacing_mm=(scanner.spacing_mm, scanner.spacing_mm),
        label=label,
        description=f"{words}; {scanner.looks} looks, {scanner.range_db:.0f} dB",
    )


def make_phantoms(count: int, seed: int) -> Iterator[Phantom]:
    """A series of phantoms with mixed labels; the first ones do not depend on how many follow.

    Args:
        count: how many, at least 0.
        seed: another seed gives another series.
    """
    for index, child in enumerate(np.random.SeedSequence(seed).spawn(count)):
        phantom = make_phantom(np.random.default_rng(child), MIX[index % len(MIX)])
        yield replace(phantom, case_id=f"phantom-{index + 1:04d}")


def write_phantoms(folder: Path, count: int, seed: int) -> list[Path]:
    """Write a series in the layout of `breastseg.data.sets.folder.Folder`.

    Args:
        folder: gets ``images/``, ``masks/`` and ``cases.csv``; made where it is missing. Files of
            the same names are replaced.
        count: how many.
        seed: of the series.

    Returns:
        The images' paths.

    Raises:
        InputError: the folder cannot be written.
    """
    rows = ["file,patient_id,label,spacing_mm,description"]
    images = []
    for phantom in make_phantoms(count, seed):
        name = f"{phantom.case_id}.png"
        images.append(folder / "images" / name)
        write_png(images[-1], phantom.image, spacing_mm=phantom.spacing_mm)
        write_png(folder / "masks" / name, phantom.mask, spacing_mm=phantom.spacing_mm)
        spacing = " ".join(f"{step:.6g}" for step in phantom.spacing_mm)
        rows.append(f'{name},{phantom.case_id},{phantom.label},{spacing},"{phantom.description}"')
    write_text(folder / "cases.csv", "\n".join(rows) + "\n")
    return images


def _draw_scanner(generator: np.random.Generator, shape: tuple[int, int]) -> Scanner:
    width_mm = generator.uniform(34, 46)
    return Scanner(
        spacing_mm=round(float(width_mm) / shape[1], 4),
        axial_mm=float(generator.uniform(0.07, 0.11)),
        lateral_mm=float(generator.uniform(0.18, 0.34)),
        focus_mm=float(generator.uniform(10, 20)),
        looks=int(generator.integers(2, 6)),
        noise_db=float(generator.uniform(-46, -34)),
        range_db=float(generator.uniform(52, 66)),
        level=float(generator.uniform(0.28, 0.46)),
    )


def _scan(generator: np.random.Generator, tissue: Tissue, scanner: Scanner) -> NDArray[np.uint8]:
    diffuse = np.power(np.float32(10), tissue.echo_db / np.float32(20))
    amplitude = envelope(generator, diffuse, tissue.interface, scanner)
    gain = transmitted(tissue.loss_db_per_mm, scanner)
    depth_mm = np.arange(gain.shape[0], dtype=np.float32)[:, None] * scanner.spacing_mm
    focal = 2.5 * np.exp(-(((depth_mm - scanner.focus_mm) / 6.0) ** 2))
    return display(generator, amplitude, gain + focal, scanner)


def _field_of_view(
    generator: np.random.Generator, shape: tuple[int, int], mask: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """True inside the scanned field: mostly the full rectangle, sometimes a trapezoid.

    A trapezoid that would cut the lesion is not used, so that the mask stays the ground truth.
    """
    kind = generator.random()
    slope, bend = generator.uniform(0.10, 0.30), generator.uniform(0.02, 0.06)
    full = np.ones(shape, bool)
    if kind < 0.88:
        return full
    row, column = np.ogrid[: shape[0], : shape[1]]
    middle = (shape[1] - 1) / 2
    aside = np.abs(column - middle)
    narrowest = middle - slope * shape[0] * 0.45
    bottom = shape[0] * (1 - bend * (aside / middle) ** 2 * 2)
    visible = (aside < narrowest + slope * row) & (row < bottom)
    return full if bool((mask & ~visible).any()) else np.asarray(visible)
