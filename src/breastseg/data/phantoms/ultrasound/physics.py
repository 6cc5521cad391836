"""What a B-mode scanner does to tissue: speckle, shadows, noise, compression.

Fully developed speckle: many scatterers in each resolution cell add up to a complex Gaussian
field, and the scanner sees it through its point-spread function; the envelope is then
Rayleigh-distributed, with a mean of 1.91 standard deviations (Burckhardt 1978,
https://doi.org/10.1109/T-SU.1978.30978; Wagner et al. 1983,
https://doi.org/10.1109/T-SU.1983.31404). Spatial compounding averages several such looks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Field = NDArray[np.float32]


@dataclass(frozen=True)
class Scanner:
    """The settings of a simulated linear array.

    Attributes:
        spacing_mm: side of a (square) pixel in millimetres.
        axial_mm: standard deviation of the point-spread function along the beam.
        lateral_mm: the same across the beam, in the focus.
        focus_mm: depth of the focus; the beam widens away from it.
        widening: growth of that width in millimetres per millimetre from the focus.
        looks: number of compounded views, at least 1.
        noise_db: electronic noise below the brightest tissue, in decibels (negative).
        range_db: displayed dynamic range in decibels.
        level: grey level that typical tissue is set to by the gain, 0 to 1.
    """

    spacing_mm: float
    axial_mm: float = 0.10
    lateral_mm: float = 0.20
    focus_mm: float = 15.0
    widening: float = 0.006
    looks: int = 1
    noise_db: float = -48.0
    range_db: float = 55.0
    level: float = 0.38


def smooth_noise(
    generator: np.random.Generator, shape: tuple[int, int], scale_px: tuple[float, float]
) -> Field:
    """Gaussian noise with structure of a given size.

    Args:
        generator: source of randomness.
        shape: (rows, columns).
        scale_px: standard deviation of the smoothing kernel along rows and columns in pixels.

    Returns:
        float32 of `shape`, zero mean and unit deviation (within sampling error).
    """
    # drawn on a coarse grid, three samples a kernel width: the cost does not grow with the scale
    step = [max(1.0, scale / 3.0) for scale in scale_px]
    coarse = [math.ceil(n / s) + 2 for n, s in zip(shape, step, strict=True)]
    sigma = [scale / s for scale, s in zip(scale_px, step, strict=True)]
    field = generator.standard_normal(coarse, dtype=np.float32)
    field = ndimage.gaussian_filter(field, sigma, mode="wrap")
    field *= 2.0 * math.sqrt(math.pi * max(sigma[0], 0.3) * max(sigma[1], 0.3))
    offset = generator.random(2)
    rows = np.arange(shape[0]) / step[0] + offset[0]
    columns = np.arange(shape[1]) / step[1] + offset[1]
    return _interpolate(_interpolate(field, rows).T, columns).T


def _interpolate(field: Field, positions: NDArray[np.float64]) -> Field:
    """Rows of `field` at fractional positions, linearly."""
    below = np.minimum(positions.astype(np.intp), field.shape[0] - 2)
    weight = (positions - below).astype(np.float32)[:, None]
    return np.asarray(field[below] * (1 - weight) + field[below + 1] * weight)


def envelope(
    generator: np.random.Generator, diffuse: Field, specular: Field, scanner: Scanner
) -> Field:
    """The received amplitude of a map of scatterers.

    Args:
        generator: source of randomness.
        diffuse: root mean square amplitude of the unresolved scatterers, (rows, columns).
        specular: amplitude of resolved interfaces, which add in phase, (rows, columns).
        scanner: its point-spread function and number of looks.

    Returns:
        float32 amplitude of the same shape. For constant `diffuse` and no `specular` it has the
        root mean square `diffuse` and, with one look, the Rayleigh distribution.
    """
    power = np.zeros(diffuse.shape, np.float32)
    for _ in range(scanner.looks):
        for interface in (specular, 0.0):  # real part, imaginary part
            scatterers = generator.standard_normal(diffuse.shape, dtype=np.float32) * diffuse
            part = _receive(scatterers, scanner, noise=True)
            if isinstance(interface, np.ndarray):
                part += _receive(interface, scanner, noise=False)
            power += part * part
    return np.sqrt(power / scanner.looks)


def _receive(field: Field, scanner: Scanner, noise: bool) -> Field:
    """Blur by a point-spread function that widens away from the focus.

    Noise is scaled to keep its power (half of 1, the other half being the other quadrature); an
    interface, constant across the beam, keeps its amplitude without scaling.
    """
    axial = scanner.axial_mm / scanner.spacing_mm
    narrow = scanner.lateral_mm / scanner.spacing_mm
    depth_mm = np.arange(field.shape[0], dtype=np.float32)[:, None] * scanner.spacing_mm
    growth = 1.0 + scanner.widening * np.abs(depth_mm - scanner.focus_mm) / scanner.lateral_mm
    wide = narrow * float(growth.max())
    along = ndimage.gaussian_filter1d(field, axial, axis=0, mode="reflect")
    sharp = ndimage.gaussian_filter1d(along, narrow, axis=1, mode="reflect")
    if wide <= narrow * 1.05:
        return np.asarray(sharp * np.float32(_noise_gain(axial, narrow) if noise else 1.0))
    blurred = ndimage.gaussian_filter1d(along, wide, axis=1, mode="reflect")
    fraction = (growth * narrow - narrow) / (wide - narrow)
    if not noise:
        return np.asarray((1 - fraction) * sharp + fraction * blurred)
    # the two are correlated; their mixture's variance follows from the kernels' overlap
    a, b = (1 - fraction) * _noise_gain(axial, narrow), fraction * _noise_gain(axial, wide)
    overlap = math.sqrt(2 * narrow * wide / (narrow**2 + wide**2))
    power = (1 - fraction) ** 2 + fraction**2 + 2 * fraction * (1 - fraction) * overlap
    return np.asarray((a * sharp + b * blurred) / np.sqrt(power))


def _noise_gain(axial: float, lateral: float) -> float:
    """Brings white noise of deviation 1, blurred, to a power of one half."""
    return math.sqrt(_kernel_norm(axial) * _kernel_norm(lateral) * 0.5)


def _kernel_norm(sigma: float) -> float:
    """The reciprocal of the sum of squares of a sampled Gaussian kernel."""
    reach = int(4 * sigma + 0.5)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    return float(kernel.sum() ** 2 / (kernel**2).sum())


def transmitted(loss_db_per_mm: Field, scanner: Scanner) -> Field:
    """Brightness that attenuation on the way there and back leaves, after gain compensation.

    Args:
        loss_db_per_mm: loss beyond what the gain compensates; negative where tissue attenuates
            less than that, which makes the region behind it brighter.
        scanner: its pixel size and lateral width.

    Returns:
        decibels, of the same shape.
    """
    total = np.cumsum(loss_db_per_mm, axis=0, dtype=np.float32) * np.float32(scanner.spacing_mm)
    # the aperture looks around the edge of an obstacle
    return np.asarray(-ndimage.gaussian_filter1d(total, 0.5 / scanner.spacing_mm, axis=1))


def display(
    generator: np.random.Generator, amplitude: Field, gain_db: Field, scanner: Scanner
) -> NDArray[np.uint8]:
    """Noise, gain, logarithmic compression to grey levels.

    Args:
        generator: source of randomness.
        amplitude: of the echo, root mean square 1 for typical tissue.
        gain_db: added everywhere, (rows, columns) in decibels.
        scanner: noise, dynamic range and level.

    Returns:
        uint8 grey levels.
    """
    quadratures = generator.standard_normal((2, *amplitude.shape), dtype=np.float32)
    noise = np.hypot(*ndimage.gaussian_filter(quadratures, (0, 0.7, 0.9))) * 1.8
    floor = noise * np.float32(10 ** (scanner.noise_db / 20))
    echo = amplitude * np.power(np.float32(10), gain_db / np.float32(20))
    decibels = 20 * np.log10(np.hypot(echo, floor) + np.float32(1e-6))
    upper = decibels[: int(0.6 * len(decibels))]
    grey = (decibels - np.median(upper)) / scanner.range_db + scanner.level
    # a soft shoulder, as scanners' grey maps have: highlights are compressed, not cut
    grey = np.where(grey > 0.7, 0.7 + 0.3 * np.tanh((grey - 0.7) / 0.3), grey)
    levels: NDArray[np.uint8] = np.clip(grey * 255.0 + 0.5, 0, 255).astype(np.uint8)
    return levels
