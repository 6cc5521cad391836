"""The tissues and lesions of a phantom, as maps of what they do to sound."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from breastseg.core.regions import connected_regions
from breastseg.data.phantoms.ultrasound.physics import Field, smooth_noise


@dataclass(frozen=True, eq=False)
class Tissue:
    """What lies under the probe; all (rows, columns) float32.

    Attributes:
        echo_db: strength of the unresolved scatterers in decibels, 0 for glandular tissue.
        interface: amplitude of resolved interfaces, 1 as bright as glandular tissue.
        loss_db_per_mm: attenuation beyond what the scanner's gain compensates.
        spacing_mm: side of a pixel in millimetres.
    """

    echo_db: Field
    interface: Field
    loss_db_per_mm: Field
    spacing_mm: float


@dataclass(frozen=True, eq=False)
class Lesion:
    """A lesion's shape and look.

    Attributes:
        mask: (rows, columns) bool.
        distance_mm: signed distance from the contour in millimetres, negative inside.
        centre: (row, column) in pixels.
        radius_mm: that of a circle of the same area.
        malignant: its kind.
        contrast_db: echo inside against its surroundings (negative).
        blur_mm: width of the margin.
        loss_db_per_mm: attenuation inside; negative enhances what lies behind.
        spicules: number of strands radiating from it.
        description: in words.
    """

    mask: NDArray[np.bool_]
    distance_mm: Field
    centre: tuple[float, float]
    radius_mm: float
    malignant: bool
    contrast_db: float
    blur_mm: float
    loss_db_per_mm: float
    spicules: int
    description: str


@dataclass(frozen=True)
class _Noise:
    """Smooth noise by its scale in millimetres."""

    generator: np.random.Generator
    shape: tuple[int, int]
    spacing_mm: float

    def __call__(self, rows_mm: float, columns_mm: float) -> Field:
        scale_px = (rows_mm / self.spacing_mm, columns_mm / self.spacing_mm)
        return smooth_noise(self.generator, self.shape, scale_px)


@dataclass(frozen=True)
class _Borders:
    """Mean depth at which each layer ends, in millimetres."""

    skin: float
    fat: float
    gland: float
    retromammary: float
    muscle: float


@dataclass(frozen=True, eq=False)
class _Layers:
    """Fraction of each layer in each pixel, 0 to 1; `fatty` is the fat around the gland."""

    skin: Field
    fatty: Field
    gland: Field
    muscle: Field
    wall: Field


def draw_tissue(
    generator: np.random.Generator, shape: tuple[int, int], spacing_mm: float
) -> Tissue:
    """A breast without a lesion, but with what can be mistaken for one: fat islands, shadows.

    Args:
        generator: source of randomness.
        shape: (rows, columns).
        spacing_mm: side of a pixel in millimetres.
    """
    noise = _Noise(generator, shape, spacing_mm)
    depth = np.arange(shape[0], dtype=np.float32)[:, None] * np.float32(spacing_mm)
    borders = _draw_borders(generator, float(depth[-1, 0]))
    layers = _layers(noise, depth, borders)
    streaks = noise(0.10, 0.8) + 0.8 * noise(0.22, 1.8)
    septa = _ridge(noise(0.8, 3.0), 0.13) * np.clip(noise(0.9, 2.2) + 0.2, 0, 1.6)
    fibres = _ridge(noise(0.35, 2.2), 0.22) * np.clip(noise(1.0, 2.5), 0, 1.5)
    fibrous = np.float32(generator.uniform(0.6, 1.5))
    soft = layers.fatty + layers.gland

    echo = _scatterers(noise, layers, streaks) + 4 * fibrous * (septa + fibres) * soft
    interface = fibrous * (septa * (layers.fatty + 0.5 * layers.gland) + 0.7 * fibres * soft)
    interface += 0.25 * fibrous * np.clip(streaks - 1.2, 0, 2) * (soft + layers.muscle)
    interface += _fasciae(noise, depth, borders, layers)

    # everything below the skin undulates and may be tilted
    across = np.linspace(-1, 1, shape[1], dtype=np.float32)
    shift = 1.1 * noise(6, 9) + 0.35 * noise(1.8, 3) + np.float32(generator.normal(0, 1.8)) * across
    rows, columns = np.indices(shape, dtype=np.float32)
    rows += shift * np.clip(depth / 6, 0.03, 1) / np.float32(spacing_mm)
    loss = np.full(shape, generator.uniform(0.1, 0.4), np.float32)
    loss += generator.uniform(0.3, 1.3) * _step(rows * spacing_mm - borders.muscle, 0.5)
    loss += _contact_shadows(generator, shape, spacing_mm) * _step(depth - borders.fat * 0.7, 1.0)
    still = Tissue(
        echo.astype(np.float32), interface.astype(np.float32), loss.astype(np.float32), spacing_mm
    )
    return _displaced(still, rows, columns)


def _draw_borders(generator: np.random.Generator, extent_mm: float) -> _Borders:
    gland = extent_mm * generator.uniform(0.50, 0.70)
    retromammary = gland + generator.uniform(0.5, 3.0)
    return _Borders(
        skin=generator.uniform(1.0, 1.9),
        fat=extent_mm * generator.uniform(0.14, 0.34),
        gland=gland,
        retromammary=retromammary,
        muscle=retromammary + extent_mm * generator.uniform(0.10, 0.20),
    )


def _layers(noise: _Noise, depth: Field, borders: _Borders) -> _Layers:
    ragged = depth + 1.0 * noise(0.9, 1.6) + 1.2 * noise(2.5, 4)  # the gland's border is no line
    skin = _step(borders.skin - depth, 0.1)
    gland = _step(ragged - borders.fat, 0.4) * _step(borders.gland - ragged, 0.4)
    muscle = _step(depth - borders.retromammary, 0.15) * _step(borders.muscle - depth, 0.15)
    wall = _step(depth - borders.muscle, 0.15)
    return _Layers(skin, np.clip(1 - skin - gland - muscle - wall, 0, 1), gland, muscle, wall)


def _scatterers(noise: _Noise, layers: _Layers, streaks: Field) -> Field:
    """Strength of the unresolved scatterers in decibels."""
    draw = noise.generator.uniform
    clumps = noise(0.45, 1.0)
    islands = np.clip(noise(0.8, 1.8) - draw(0.2, 1.2), 0, 1.1)  # fat in the gland
    fat = draw(-12, -7) + 1.5 * clumps + 1.6 * streaks
    gland = 2.6 * streaks + 1.6 * clumps + 2.2 * noise(2, 4) - 8.0 * islands
    muscle = draw(-11, -6) + 3.5 * noise(0.13, 3.5) + 1.5 * streaks
    wall = draw(-14, -6) + 2.0 * noise(0.6, 3) + 1.5 * streaks
    echo = fat * layers.fatty + gland * layers.gland + muscle * layers.muscle + wall * layers.wall
    return np.asarray(echo + (1.0 + noise(0.2, 2)) * layers.skin)


def _fasciae(noise: _Noise, depth: Field, borders: _Borders, layers: _Layers) -> Field:
    """The bright sheets between the layers, in the muscle and at the skin."""
    bright = 2.0 * np.exp(-((depth / 0.15) ** 2)) + np.zeros(noise.shape, np.float32)
    sheets = (
        (borders.skin, 0.7), (borders.fat, 0.3), (borders.retromammary, 1.3), (borders.muscle, 1.8),
    )  # fmt: skip
    for at_mm, strength in sheets:
        patches = np.clip(noise(2, 3) + 0.5, 0, 2)
        bright += strength * patches * np.exp(-(((depth - at_mm) / 0.14) ** 2))
    striae = _ridge(noise(0.25, 5), 0.2) * np.clip(noise(0.5, 3), 0, 2)
    return np.asarray(bright + 0.8 * striae * layers.muscle)


def _contact_shadows(
    generator: np.random.Generator, shape: tuple[int, int], spacing_mm: float
) -> Field:
    """Columns of extra loss below ligaments and poor contact, (1, columns) dB per mm."""
    column = np.arange(shape[1], dtype=np.float32) * np.float32(spacing_mm)
    loss = np.zeros(shape[1], np.float32)
    for _ in range(int(generator.integers(0, 4))):
        centre, width = generator.uniform(0, column[-1]), generator.uniform(0.8, 3.5)
        loss += np.float32(generator.uniform(0.1, 0.45)) * np.exp(
            -(((column - centre) / width) ** 2)
        )
    return loss[None, :]


def _ridge(values: Field, width: float) -> Field:
    """Up to 1 along the lines where `values` is 0: curved, branching, brightest where level.

    An interface sends an echo back to the probe where the beam meets it squarely.
    """
    rows, columns = np.gradient(values)
    slope = np.hypot(rows, columns)
    level = (rows / (slope + np.float32(1e-9))) ** 4
    # divided by the slope, the lines are equally thick everywhere
    distance = values / (slope + np.float32(0.25) * slope.mean())
    typical = 1.0 / (slope.mean() + np.float32(1e-9))
    return np.asarray(level * np.exp(-((distance / (np.float32(width) * typical)) ** 2)))


def _step(values: Field, width: float) -> Field:
    """From 0 (below) to 1 (above 0) within about `width`."""
    return np.asarray(0.5 * (1.0 + np.tanh(values / np.float32(width))))


def draw_lesion(
    generator: np.random.Generator, shape: tuple[int, int], spacing_mm: float, malignant: bool
) -> Lesion:
    """A lesion somewhere in the upper two thirds of the field.

    Args:
        generator: source of randomness.
        shape: (rows, columns).
        spacing_mm: side of a pixel in millimetres.
        malignant: irregular, upright, indistinct and shadowing; or oval and circumscribed.
    """
    height_mm, width_mm = shape[0] * spacing_mm, shape[1] * spacing_mm
    half_width = generator.uniform(0.11, 0.23) * width_mm
    ratio = generator.uniform(0.75, 1.3) if malignant else generator.uniform(0.45, 0.75)
    if malignant:
        half_width *= 0.8
    half_height = min(half_width * ratio, 0.26 * height_mm)
    row = generator.uniform(max(3.0 + half_height, 0.25 * height_mm), 0.52 * height_mm)
    column = generator.uniform(0.32, 0.68) * width_mm
    angle = generator.normal(0, 0.12 if not malignant else 0.3)

    y, x = np.ogrid[: shape[0], : shape[1]]
    dy, dx = y * spacing_mm - row, x * spacing_mm - column
    u = (dx * math.cos(angle) + dy * math.sin(angle)) / half_width
    v = (dy * math.cos(angle) - dx * math.sin(angle)) / half_height
    inside = np.hypot(u, v) < _border(generator, np.arctan2(v, u), malignant)
    within = (y > 2.2 / spacing_mm) & (y < shape[0] - 2) & (x > 1) & (x < shape[1] - 2)
    mask = _largest(inside & within)
    distance = ndimage.distance_transform_edt(~mask) - ndimage.distance_transform_edt(mask)
    cyst = not malignant and generator.random() < 0.2
    contrast = generator.uniform(-18, -10) if malignant else generator.uniform(-16, -9)
    loss = generator.uniform(0.2, 1.6) if malignant else generator.uniform(-0.6, 0.1)
    spicules = int(generator.integers(4, 14)) if malignant else 0
    radius = math.sqrt(mask.sum() / math.pi) * spacing_mm
    words = "irregular mass" if malignant else "cyst" if cyst else "oval mass"
    return Lesion(
        mask=mask,
        distance_mm=(distance * spacing_mm).astype(np.float32),
        centre=(row / spacing_mm, column / spacing_mm),
        radius_mm=radius,
        malignant=malignant,
        contrast_db=-34.0 if cyst else float(contrast),
        blur_mm=float(generator.uniform(0.25, 0.6) if malignant else generator.uniform(0.08, 0.2)),
        loss_db_per_mm=-0.9 if cyst else float(loss),
        spicules=spicules,
        description=f"{words} of {2 * radius:.0f} mm mean diameter",
    )


def _border(
    generator: np.random.Generator, angle: NDArray[np.float64], malignant: bool
) -> NDArray[np.float64]:
    """Radius of the contour at each angle, about 1: smooth waves, and corners if malignant."""
    radius = np.ones_like(angle)
    roughness = generator.uniform(0.09, 0.18) if malignant else generator.uniform(0.02, 0.06)
    for order in range(2, 14 if malignant else 6):
        size = generator.normal(0, roughness / (order - 1) ** (0.6 if malignant else 0.8))
        radius += size * np.cos(order * angle + generator.uniform(0, 2 * math.pi))
    if malignant:
        for _ in range(int(generator.integers(3, 9))):
            towards, width = generator.uniform(-math.pi, math.pi), generator.uniform(0.06, 0.16)
            apart = np.angle(np.exp(1j * (angle - towards)))
            radius += generator.uniform(0.08, 0.28) * np.exp(-np.abs(apart) / width)
    return np.clip(radius, 0.45, 1.7)


def _largest(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The largest connected part, without holes."""
    largest = connected_regions(mask, corners=False).largest()
    return np.asarray(ndimage.binary_fill_holes(largest))


def warped(tissue: Tissue, lesion: Lesion) -> Tissue:
    """The tissue around a lesion: pushed aside by a benign one, drawn in by a malignant one."""
    rows, columns = np.indices(tissue.echo_db.shape, dtype=np.float32)
    dy, dx = rows - np.float32(lesion.centre[0]), columns - np.float32(lesion.centre[1])
    reach = np.exp(-np.clip(lesion.distance_mm, 0, None) / np.float32(2.5))
    pull = np.float32(0.25 if lesion.malignant else -0.45) * reach
    return _displaced(tissue, rows + pull * dy, columns + np.float32(0.3) * pull * dx)


def _displaced(tissue: Tissue, rows: Field, columns: Field) -> Tissue:
    """The tissue with each pixel fetched from (rows, columns); the losses stay where they are."""
    at = np.stack([rows, columns])

    def fetched(values: Field) -> Field:
        return np.asarray(ndimage.map_coordinates(values, at, order=1, mode="nearest"))

    return Tissue(
        fetched(tissue.echo_db), fetched(tissue.interface), tissue.loss_db_per_mm, tissue.spacing_mm
    )


def add_lesion(generator: np.random.Generator, tissue: Tissue, lesion: Lesion) -> Tissue:
    """The tissue with a lesion in it.

    Args:
        generator: source of randomness for the lesion's own texture.
        tissue: without the lesion; left as it is.
        lesion: what to put in.
    """
    step = tissue.spacing_mm
    shape = lesion.mask.shape
    distance = lesion.distance_mm
    texture = smooth_noise(generator, shape, (0.6 / step, 0.9 / step))
    coarse = smooth_noise(generator, shape, (1.5 / step, 2.5 / step))
    around = (distance > 0) & (distance < 2.5)
    level = float(tissue.echo_db[around].mean())
    quiet = 0.3 if lesion.contrast_db < -30 else 1.0
    inside = max(level, -8.0) + lesion.contrast_db + quiet * (1.6 * texture + 1.6 * coarse)

    blur = np.float32(lesion.blur_mm) * (1 + np.float32(0.6) * np.clip(coarse, -1, 1))
    weight = _step(-distance / blur, 1.0)
    echo, interface = tissue.echo_db.copy(), tissue.interface * (1 - weight)
    if lesion.malignant:
        halo = np.exp(-((np.clip(distance, 0, None) / np.float32(1.4)) ** 2)) * (distance > -0.3)
        strands = _spicules(generator, lesion, shape)
        strands = strands * np.exp(-np.clip(distance, 0, None) / 3)
        echo += halo * np.clip(3 + 2.5 * coarse, 0, 7) + 7 * strands
        interface = (interface + 0.5 * strands) * (1 - weight) + _calcifications(generator, lesion)
    else:
        echo += np.float32(2) * np.exp(-((np.clip(distance, 0, None) / np.float32(1.0)) ** 2))
    echo = np.asarray(echo * (1 - weight) + inside * weight, np.float32)
    if not lesion.malignant:
        # a capsule shines where the beam meets it squarely
        slope = np.gradient(distance, step, axis=0)
        capsule = np.exp(-(((distance - 0.12) / 0.14) ** 2)) * np.abs(slope) ** 3
        shine = 1.1 * capsule * np.clip(1 + 0.7 * coarse, 0, 2)
        interface = interface + shine.astype(np.float32)
    loss = tissue.loss_db_per_mm + np.float32(lesion.loss_db_per_mm) * lesion.mask
    loss += _edge_shadows(lesion, step)
    return Tissue(
        echo.astype(np.float32), interface.astype(np.float32), loss.astype(np.float32), step
    )


def _spicules(
    generator: np.random.Generator, lesion: Lesion, shape: tuple[int, int]
) -> NDArray[np.float32]:
    """Bright strands that run outwards from the lesion, 0 to 1."""
    y, x = np.ogrid[: shape[0], : shape[1]]
    angle = np.arctan2(y - lesion.centre[0], x - lesion.centre[1])
    strands = np.zeros(shape, np.float32)
    for _ in range(lesion.spicules):
        apart = np.angle(np.exp(1j * (angle - generator.uniform(-math.pi, math.pi))))
        strands += np.exp(-((apart / generator.uniform(0.02, 0.05)) ** 2)).astype(np.float32)
    return np.asarray(np.clip(strands, 0, 1) * (lesion.distance_mm > 0))


def _calcifications(generator: np.random.Generator, lesion: Lesion) -> Field:
    """A few bright points in one lesion of three."""
    points = np.zeros(lesion.mask.shape, np.float32)
    if generator.random() < 1 / 3:
        rows, columns = np.nonzero(lesion.distance_mm < -0.6)
        chosen = generator.integers(0, max(len(rows), 1), int(generator.integers(3, 9)))
        if len(rows):
            points[rows[chosen], columns[chosen]] = generator.uniform(4, 12, len(chosen))
    return points


def _edge_shadows(lesion: Lesion, spacing_mm: float) -> Field:
    """Loss where the beam grazes the sides of a smooth lesion and is bent away."""
    if lesion.malignant:
        return np.zeros(lesion.mask.shape, np.float32)
    grazing = np.abs(np.gradient(lesion.distance_mm, spacing_mm, axis=1)) ** 6
    return np.asarray(0.35 * grazing * (np.abs(lesion.distance_mm) < 0.4)).astype(np.float32)
