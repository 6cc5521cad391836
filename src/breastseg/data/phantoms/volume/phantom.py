"""Draw a synthetic study and what the scanner makes of it.

For trying and testing what works on volumes where no patient's image may be used. The layout is
that of an axial gradient-echo T1 series with the patient prone: one volume before contrast and
more after it, mostly with the fat suppressed. General properties (spacing, noise, the ratios of
the tissues' signals, how much they enhance) were set beside published studies; nothing is
copied from them. Results on phantoms say nothing of results on patients.

Noise in a magnitude image has the Rice distribution (Gudbjartsson and Patz 1995,
https://doi.org/10.1002/mrm.1910340618).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from breastseg.core.case import Case
from breastseg.core.errors import InputError
from breastseg.core.grid import Grid
from breastseg.core.image import Image, Modality
from breastseg.core.mask import Mask
from breastseg.data.phantoms.volume.anatomy import (
    Body,
    Signal,
    draw_body,
    paint_tissue,
    paint_vessels,
)
from breastseg.data.phantoms.volume.lesion import Lesion, draw_lesion, draw_size
from breastseg.data.phantoms.volume.space import Field, Point, Space, covered, smooth_field

SOURCE = "volume-phantom"
NONE_FRACTION = 0.15
"""How many of the phantoms have no lesion where the label is not given."""

Label = Literal["benign", "malignant", "normal"]
_LABELS: tuple[Label, ...] = ("benign", "malignant", "normal")


def volume_phantom(
    generator: np.random.Generator | int,
    shape: tuple[int, int, int] = (48, 160, 160),
    spacing_mm: Point | None = None,
    phases: int | None = None,
    label: Label | None = None,
) -> Case:
    """Draw one study.

    Args:
        generator: source of randomness, or a seed; the same state gives the same study.
        shape: (slices, rows, columns), 8 to 512 slices, 24 to 1024 rows and columns. The anatomy
            fills the field of view whatever its size; lesions keep their 4 to 30 mm where they fit.
        spacing_mm: along the same axes; drawn where it is None: 1 to 3.2 mm between slices, 0.6
            to 1.1 mm within them.
        phases: 2 to 8 volumes, the first before contrast; 2 or 3 are drawn where it is None.
        label: of the lesions, or ``"normal"`` for none; drawn where it is None.

    Returns:
        A case with one image of (phases, *shape) int16, modality MRI; a mask of `shape` with label
        1 in one to three lesions (none in a normal case); the label; and a grid in the middle of
        the patient's coordinate system, its axes those of the patient. Vessels, the gland and the
        heart enhance as well and are not in the mask.

    Raises:
        InputError: a shape, spacing, number of phases or label that is not allowed.
    """
    seed = generator if isinstance(generator, int) else None
    generator = np.random.default_rng(generator)
    _check(shape, spacing_mm, phases, label)
    space = Space(shape, spacing_mm or _draw_spacing(generator))
    drawn = phases or int(generator.integers(2, 4))
    kind = label or _draw_label(generator)
    body = draw_body(generator, space)
    lesions = _place(generator, space, body, kind) if kind != "normal" else ()
    suppressed = generator.random() < 0.8
    signal = paint_tissue(generator, space, body, fat=1.0 if suppressed else 2.6)
    paint_vessels(generator, space, signal, body, tuple(one.centre_mm for one in lesions))
    mask = np.zeros(shape, bool)
    for lesion in lesions:
        _paint_lesion(generator, space, signal, lesion)
        mask |= lesion.mask(space)
    grid = _centred(space)
    image = Image(_scan(generator, space, signal, drawn), grid, Modality.MRI, source=SOURCE)
    name = SOURCE if seed is None else f"{SOURCE}-{seed}"
    return Case(name, name, (image,), Mask(mask, grid), kind, SOURCE)


def volume_phantoms(
    count: int, seed: int, shape: tuple[int, int, int] = (48, 160, 160), phases: int | None = None
) -> Iterator[Case]:
    """A series of studies; the first ones do not depend on how many follow.

    Args:
        count: how many, at least 0.
        seed: another seed gives another series.
        shape: as for `volume_phantom`.
        phases: as for `volume_phantom`.
    """
    for index, child in enumerate(np.random.SeedSequence(seed).spawn(count)):
        case = volume_phantom(np.random.default_rng(child), shape, phases=phases)
        name = f"{SOURCE}-{index + 1:04d}"
        yield replace(case, case_id=name, patient_id=name)


def _check(
    shape: tuple[int, int, int], spacing_mm: Point | None, phases: int | None, label: Label | None
) -> None:
    low, high = (8, 24, 24), (512, 1024, 1024)
    if len(shape) != 3 or not all(a <= n <= b for a, n, b in zip(low, shape, high, strict=True)):
        raise InputError(
            f"volume phantom of shape {shape}", "8 to 512 slices, 24 to 1024 rows and columns"
        )
    if spacing_mm is not None and not all(0.2 <= step <= 10 for step in spacing_mm):
        raise InputError(f"volume phantom with spacing {spacing_mm} mm", "0.2 to 10 mm")
    if phases is not None and not 2 <= phases <= 8:
        raise InputError(f"volume phantom of {phases} phases", "2 to 8")
    if label is not None and label not in _LABELS:
        raise InputError(f"volume phantom label {label!r}", f"one of {', '.join(_LABELS)}")


def _draw_spacing(generator: np.random.Generator) -> Point:
    within = round(float(generator.uniform(0.6, 1.1)), 3)
    return round(float(generator.uniform(max(1.0, within), 3.2)), 3), within, within


def _draw_label(generator: np.random.Generator) -> Label:
    if generator.random() < NONE_FRACTION:
        return "normal"
    return "malignant" if generator.random() < 0.5 else "benign"


def _centred(space: Space) -> Grid:
    origin = tuple(
        -(n - 1) * step / 2 for n, step in zip(space.shape, space.spacing_mm, strict=True)
    )
    return Grid(space.shape, space.spacing_mm, origin)


def _place(
    generator: np.random.Generator, space: Space, body: Body, label: Label
) -> tuple[Lesion, ...]:
    """One to three lesions inside the breast that do not touch; at least one voxel each."""
    room = body.depth_in_breast_mm
    deepest = float(room.max())
    widest = 0.8 * min(space.size_mm[0], 2 * deepest)
    placed: list[Lesion] = []
    for _ in range(int(generator.choice([1, 2, 3], p=[0.65, 0.25, 0.1]))):
        diameter = draw_size(generator, widest)
        for _attempt in range(12):
            # Centred on a voxel, so that the smallest lesion still holds one.
            where = np.argwhere(room >= min(diameter / 2 + 2, deepest))
            centre = space.position(tuple(where[generator.integers(len(where))].tolist()))
            lesion = draw_lesion(generator, centre, diameter, label == "malignant")
            box, level, _ = lesion.surface(space)
            inside = bool((room[box.slices][level < 0] > 0).all())
            if inside and all(_apart(lesion, other) for other in placed):
                placed.append(lesion)
                break
            diameter *= 0.8
    return tuple(placed)


def _apart(one: Lesion, other: Lesion) -> bool:
    away = float(np.linalg.norm(np.subtract(one.centre_mm, other.centre_mm)))
    return away > one.reach_mm + other.reach_mm + 4


def _paint_lesion(
    generator: np.random.Generator, space: Space, signal: Signal, lesion: Lesion
) -> None:
    box, level, fraction = lesion.surface(space, near_mm=2 * space.edge_mm)
    size = Space((level.shape[0], level.shape[1], level.shape[2]), space.spacing_mm)
    grain = smooth_field(generator, size, (3.5, 3.0, 3.0))
    full = np.float32(1) - np.float32(1 - lesion.core) * np.clip(
        (np.float32(1 - lesion.rim) - fraction) / np.float32(0.15), 0, 1
    )
    early = np.float32(lesion.early) * full
    early *= np.maximum(1 + np.float32(lesion.texture) * grain, np.float32(0.2))
    signal.part(box).paint(covered(level, space.edge_mm), lesion.pre, early, lesion.late)


def _scan(
    generator: np.random.Generator, space: Space, signal: Signal, phases: int
) -> NDArray[np.int16]:
    """What the scanner makes of it: blur, uneven sensitivity, movement, noise, its own scale."""
    deep, high, wide = space.size_mm
    bias = np.exp(
        np.float32(generator.uniform(0.05, 0.2))
        * smooth_field(generator, space, (deep, 0.7 * high, 0.7 * wide))
    )
    pre, early, late = (
        ndimage.gaussian_filter(one, (0.45, 0.35, 0.35), truncate=2.5) * bias for one in signal.maps
    )
    sigma = np.float32(generator.uniform(0.05, 0.14))
    scale = np.float32(np.exp(generator.uniform(np.log(40), np.log(400))))
    volumes = np.empty((phases, *space.shape), np.int16)
    for phase in range(phases):
        if phase == 0:
            # The patient moves a little while the contrast is given.
            shift_px = np.append(0.0, generator.normal(0, 0.25, 2) / space.spacing_mm[1:])
            volume = ndimage.shift(pre, shift_px, order=1, mode="nearest")
        else:
            fraction = np.float32((phase - 1) / max(phases - 2, 1))
            volume = early + fraction * (late - early)
        volumes[phase] = np.rint(_with_noise(generator, volume, sigma) * scale).clip(0, 32767)
    return volumes


def _with_noise(generator: np.random.Generator, volume: Field, sigma: np.float32) -> Field:
    real = volume + sigma * generator.standard_normal(volume.shape, dtype=np.float32)
    imaginary = sigma * generator.standard_normal(volume.shape, dtype=np.float32)
    return np.asarray(np.hypot(real, imaginary), np.float32)
