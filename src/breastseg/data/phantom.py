"""Synthetic B-mode scans of the breast, with exact truth: for demonstrations and for tests.

A scan is made as the machine makes it: a map of echo strength and one of attenuation, random
scatterers with the strength of the tissue, blurred by a beam that widens with depth, attenuated on
the way, detected, and log-compressed. The scatterers are many to a resolution cell, so that the
envelope has Rayleigh statistics (fully developed speckle; Burckhardt 1978, doi
10.1109/T-SU.1978.30978). Nothing in them comes from a patient, and they are easier than patients:
figures on phantoms say that the software works, not how well.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Label = Literal["benign", "malignant", "normal"]
Map = NDArray[np.float64]

LABELS: tuple[Label, ...] = (
    "benign", "malignant", "benign", "normal", "malignant", "benign", "malignant", "normal",
)  # fmt: skip
"""What a series holds, again and again."""


@dataclass(frozen=True, eq=False)
class Phantom:
    """One synthetic scan.

    Attributes:
        case_id: its name.
        image: (rows, columns) uint8, as displayed.
        mask: (rows, columns) bool, the true lesion; empty for a normal.
        spacing_mm: (row, column) distance of pixel centres in millimetres.
        label: benign, malignant or normal.
        description: what was drawn, in words.
    """

    case_id: str
    image: NDArray[np.uint8]
    mask: NDArray[np.bool_]
    spacing_mm: tuple[float, float]
    label: Label
    description: str


@dataclass(eq=False)
class _Tissue:
    """What the beam meets; both maps are changed while the scan is drawn."""

    echo_db: Map  # strength of the scatterers
    attenuation_db_mm: Map  # beyond what the machine's gain makes up for
    depth_mm: Map
    spacing_mm: float


def make_phantom(
    generator: np.random.Generator,
    label: Label,
    shape: tuple[int, int] = (420, 520),
    case_id: str = "phantom",
) -> Phantom:
    """Draw one scan.

    Args:
        generator: the source of randomness.
        label: benign: smooth, wider than tall, echoes enhanced behind it. malignant: irregular,
            as tall as wide, a shadow behind it. normal: no lesion.
        shape: (rows, columns) in pixels, each at least 128.
        case_id: the name it gets.
    """
    spacing = 36.0 / shape[0] * generator.uniform(0.9, 1.15)  # some 36 mm deep
    tissue, gland_mm = _layers(generator, shape, spacing)
    mask = np.zeros(shape, bool)
    words = "no lesion"
    if label != "normal":
        mask, words = _lesion(generator, tissue, gland_mm, label)
    envelope = _beam(generator, tissue)
    image = _display(generator, envelope)
    return Phantom(case_id, image, mask, (spacing, spacing), label, words)


def make_phantoms(count: int, seed: int) -> Iterator[Phantom]:
    """Draw a series; the first phantoms of a longer series are those of a shorter one.

    Args:
        count: how many.
        seed: at least 0; the same seed draws the same series.
    """
    for number, child in enumerate(np.random.SeedSequence(seed).spawn(count)):
        label = LABELS[number % len(LABELS)]
        name = f"phantom_{number + 1:02d}"
        yield make_phantom(np.random.default_rng(child), label, case_id=name)


def write_phantoms(folder: Path, count: int, seed: int) -> list[Path]:
    """Write a series as a `breastseg.data.folder.Folder` data set.

    Args:
        folder: gets ``images/``, ``masks/`` and ``cases.csv``; files there are replaced.
        count: how many.
        seed: at least 0.

    Returns:
        The paths of the images.
    """
    from breastseg.io.write import write_png, write_text

    paths, rows = [], ["file,patient_id,label,spacing_mm"]
    for phantom in make_phantoms(count, seed):
        name = f"{phantom.case_id}.png"
        write_png(folder / "images" / name, phantom.image, spacing_mm=phantom.spacing_mm)
        write_png(folder / "masks" / name, phantom.mask, spacing_mm=phantom.spacing_mm)
        rows.append(f"{name},{phantom.case_id},{phantom.label},{phantom.spacing_mm[0]:.6f}")
        paths.append(folder / "images" / name)
    write_text(folder / "cases.csv", "\n".join(rows) + "\n")
    return paths


def _smooth(generator: np.random.Generator, shape: tuple[int, ...], widths: object) -> Map:
    """A smooth random field of mean 0 and standard deviation 1."""
    field = ndimage.gaussian_filter(generator.standard_normal(shape), widths, mode="reflect")
    return np.asarray((field - field.mean()) / (field.std() + 1e-12))


def _layers(
    generator: np.random.Generator, shape: tuple[int, int], spacing: float
) -> tuple[_Tissue, tuple[float, float]]:
    """Skin, fat with its septa, gland, and the muscle on the chest wall."""
    rows, columns = shape
    depth = (np.arange(rows)[:, None] + 0.5) * spacing * np.ones((1, columns))

    def boundary(mean_mm: float, wave_mm: float) -> Map:
        return mean_mm + wave_mm * _smooth(generator, (columns,), columns / 9)[None]

    skin = boundary(1.6, 0.08)
    fat_end = boundary(generator.uniform(6, 10), 1.1)
    gland_end = boundary(generator.uniform(20, 25), 0.9)
    muscle_end = gland_end + boundary(generator.uniform(6, 8), 0.5)

    fat = -17 + 2.0 * _smooth(generator, shape, (6, 14))
    gland = -7 + 3.0 * _smooth(generator, shape, (5, 16)) + 1.5 * _smooth(generator, shape, 2.5)
    gland += 5 * np.maximum(0, _smooth(generator, shape, (1.5, 22)) - 0.7)  # strands
    gland -= 7 / (1 + np.exp(-7 * (_smooth(generator, shape, (13, 34)) - 1.1)))  # fat in between
    muscle = -15 + 5.5 * _smooth(generator, shape, (1.6, 40))
    wall = -27 - 1.2 * np.maximum(0, depth - muscle_end)
    echo = np.select(
        [depth < skin, depth < fat_end, depth < gland_end, depth < muscle_end],
        [np.full(shape, 2.0), fat, gland, muscle],
        wall,
    )
    _septa(generator, echo, depth, (skin, fat_end), spacing)
    for edge, strength, thickness in (
        (skin, 8, 0.18), (fat_end, 3, 0.25), (gland_end, 8, 0.3), (muscle_end, 12, 0.35),
    ):  # fmt: skip
        texture = 1 + 0.35 * _smooth(generator, (columns,), 12)[None]
        echo += strength * texture * np.exp(-(((depth - edge) / thickness) ** 2))
    attenuation = np.full(shape, 0.10) + 0.10 * np.maximum(0, _smooth(generator, shape, (60, 18)))
    attenuation += 1.2 * (depth > muscle_end)  # bone and lung let little through
    tissue = _Tissue(echo, attenuation, depth, spacing)
    return tissue, (float(fat_end.mean()), float(gland_end.mean()))


def _septa(
    generator: np.random.Generator,
    echo: Map,
    depth: Map,
    between: tuple[Map, Map],
    spacing: float,
) -> None:
    """Thin bright sheets that divide the fat into lobules, drawn where a smooth field is 0."""
    field = _smooth(generator, echo.shape, (2.2 / spacing, 4.5 / spacing))
    steepness = np.hypot(*np.gradient(field)) + 1e-9
    sheet = np.exp(-((field / steepness / 1.6) ** 2))
    inside = (depth > between[0]) & (depth < between[1])
    echo += 13 * sheet * inside
    echo += 5 * sheet * (depth >= between[1])  # ligaments run on into the gland


def _lesion(
    generator: np.random.Generator, tissue: _Tissue, gland_mm: tuple[float, float], label: Label
) -> tuple[NDArray[np.bool_], str]:
    """Draw a lesion into the tissue; returns its truth and what it is."""
    spacing, shape = tissue.spacing_mm, tissue.echo_db.shape
    benign = label == "benign"
    half_mm = generator.uniform(3.5, 7.0)
    aspect = generator.uniform(1.35, 1.9) if benign else generator.uniform(0.85, 1.25)
    half_rows = min(half_mm / np.sqrt(aspect), (gland_mm[1] - gland_mm[0]) / 2 + 1.5)
    half_columns = half_rows * aspect
    centre_mm = generator.uniform(
        max(gland_mm[0] + 0.4 * half_rows, half_rows + 3.5),
        max(gland_mm[0] + 0.5 * half_rows, gland_mm[1] - half_rows) + 0.1,
    )
    width_mm = shape[1] * spacing
    column_mm = generator.uniform(half_columns + 3, width_mm - half_columns - 3)

    down = tissue.depth_mm - centre_mm
    across = (np.arange(shape[1])[None] + 0.5) * spacing - column_mm
    tilt = generator.uniform(-0.25, 0.25)
    down, across = down - tilt * across, across + tilt * down
    radius = np.hypot(down / half_rows, across / half_columns)
    angle = np.arctan2(down, across)
    outline = np.ones(shape)
    roughness = 0.05 if benign else 0.30
    for k in range(2, 4 if benign else 13):
        height = roughness * generator.standard_normal() / k
        outline += height * np.cos(k * angle + generator.uniform(0, 2 * np.pi))
    # Millimetres outwards from the border, near enough for rims of a millimetre.
    outward = (radius - outline) * np.sqrt(half_rows * half_columns)
    mask = outward < 0
    texture = _smooth(generator, shape, 5) * (1.0 if benign else 2.2)
    inner = (generator.uniform(-27, -22) if benign else generator.uniform(-25, -20)) + texture
    soft = 1 / (1 + np.exp(outward / (0.06 if benign else 0.16)))
    tissue.echo_db += soft * (inner - tissue.echo_db)
    if benign:
        tissue.echo_db += 6 * np.exp(-(((outward - 0.2) / 0.2) ** 2))  # a thin capsule
        tissue.attenuation_db_mm[mask] = -generator.uniform(0.6, 1.0)
        edge = np.abs(across) / half_columns
        tissue.attenuation_db_mm[(edge > 0.93) & (edge < 1.02) & (np.abs(outward) < 1)] += 1.5
    else:
        tissue.echo_db += 5 * np.exp(-(((outward - 0.9) / 0.8) ** 2))  # a broad bright halo
        tissue.attenuation_db_mm[mask] = generator.uniform(0.8, 1.5)
    kind = "smooth, enhancement behind it" if benign else "irregular, shadow behind it"
    return mask, f"{label}: {kind}; {2 * half_columns:.1f} x {2 * half_rows:.1f} mm"


def _beam(generator: np.random.Generator, tissue: _Tissue, looks: int = 2) -> Map:
    """The received envelope, (rows, columns), around 1 for tissue of 0 dB.

    Several looks from slightly different angles are averaged (compounding), as machines do.
    """
    shape, spacing = tissue.echo_db.shape, tissue.spacing_mm
    scatter = generator.standard_normal((2 * looks, *shape)) * 10 ** (tissue.echo_db / 20)
    axial = 0.10 / spacing
    focus_mm = generator.uniform(12, 18)
    received = np.zeros(scatter.shape)
    for lateral_mm, weight in _zones(tissue.depth_mm, focus_mm):
        lateral = lateral_mm / spacing
        # Scaled so that even tissue keeps its strength whatever the width of the beam.
        gain = np.sqrt(4 * np.pi * axial * lateral)
        received += weight * gain * ndimage.gaussian_filter(scatter, (0, axial, lateral))
    lost = np.cumsum(tissue.attenuation_db_mm, axis=0) * spacing
    lost = ndimage.gaussian_filter(lost, (1, 0.35 / spacing))  # a beam is no line
    lost = lost - lost.mean(axis=1, keepdims=True) * 0.6  # the gain that rises with depth
    received *= 10 ** (-lost / 20)
    received += 10 ** (-46 / 20) * ndimage.gaussian_filter(
        generator.standard_normal(scatter.shape), (0, 0.6, 0.9)
    )
    return np.asarray(np.sqrt((received**2).mean(axis=0)))


def _zones(depth_mm: Map, focus_mm: float) -> Iterator[tuple[float, Map]]:
    """Widths of the beam and where each holds; the squares of the weights add up to 1."""
    off_focus = np.clip(np.abs(depth_mm - focus_mm) / 16, 0, 1)
    yield 0.16, np.sqrt(1 - off_focus)
    yield 0.34, np.sqrt(off_focus)


def _display(generator: np.random.Generator, envelope: Map) -> NDArray[np.uint8]:
    """Log compression to 8 bits, as on the screen."""
    decibels = 20 * np.log10(envelope + 1e-6)
    brightest = np.percentile(decibels, 99.7)
    span_db = generator.uniform(50, 60)
    grey = np.clip(1 + (decibels - brightest) / span_db, 0, 1) ** generator.uniform(1.2, 1.6)
    return np.asarray(np.rint(ndimage.gaussian_filter(grey, 0.7) * 255), np.uint8)
