"""Volumes to a network's spacing and grey scale, and back."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from breastseg.core.bundle import VolumeIntensity, VolumeSpec
from breastseg.core.errors import GeometryError, InputError
from breastseg.core.image import Image
from breastseg.preprocess.geometry import resize
from breastseg.preprocess.intensity import LARGEST_SPAN

BRIGHTEST = 8.0
"""Grey levels are cut off here, 1 being the upper percentile: a vessel full of contrast has 4."""
SAMPLE = 1_000_000
"""So many voxels, evenly spread, give the percentiles."""


def resample(volume: NDArray[np.generic], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Resample a volume with a triangle filter along each axis, without a shift.

    As `breastseg.preprocess.geometry.resize`: outer faces stay where they are, the filter widens
    with the step when shrinking, values never leave the input's range. Slices are made one at a
    time, so that no copy of the volume in another type is needed. Voxels that are not finite
    or too large for float32 count as 0.

    Args:
        volume: (slices, rows, columns), real or bool.
        shape: (slices, rows, columns) of the result.

    Returns:
        `shape`, float32.

    Raises:
        GeometryError: other than three axes of at least 1.
    """
    if volume.ndim != 3 or len(shape) != 3 or min(*volume.shape, *shape) < 1:
        raise GeometryError(f"resampling {volume.shape} to {shape}", "three axes of at least 1")
    result = np.empty(shape, np.float32)
    for index, (first, weights) in enumerate(_triangle(volume.shape[0], shape[0])):
        with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite
            block = volume[first : first + len(weights)].astype(np.float32)
        np.nan_to_num(block, copy=False, nan=0, posinf=0, neginf=0)
        mixture = np.tensordot(weights, block, axes=1) if len(weights) > 1 else block[0]
        result[index] = resize(mixture, (shape[1], shape[2]))
    return result


def _triangle(given: int, wanted: int) -> list[tuple[int, NDArray[np.float32]]]:
    """For each of the wanted samples, the first that bears on it and the weights from there on."""
    step = given / wanted
    reach = max(step, 1.0)
    found = []
    for index in range(wanted):
        centre = (index + 0.5) * step - 0.5
        taps = np.arange(max(0, math.ceil(centre - reach)), min(given, int(centre + reach) + 1))
        weights = 1 - np.abs(taps - centre) / reach
        kept = weights > 1e-9
        found.append((int(taps[kept][0]), (weights[kept] / weights.sum()).astype(np.float32)))
    return found


def working_shape(image: Image, spec: VolumeSpec) -> tuple[int, int, int]:
    """The shape of a volume at the network's spacing.

    Raises:
        GeometryError: no volume, or one of unknown spacing.
    """
    grid = image.grid
    if grid.ndim != 3:
        raise GeometryError(
            f"{image.source or 'image'}: an image of {grid.shape} pixels",
            "a volume of (slices, rows, columns)",
            "open the whole series at once",
        )
    if grid.spacing_mm is None:
        raise GeometryError(
            f"{image.source or 'volume'}: the spacing of its voxels is unknown",
            "spacing in millimetres along each axis",
            "convert it again from the DICOM series, which states it",
        )
    slices, rows, columns = (
        steps_in(n * step / wanted)
        for n, step, wanted in zip(grid.shape, grid.spacing_mm, spec.spacing_mm, strict=True)
    )
    return slices, rows, columns


def steps_in(length: float) -> int:
    """A length in steps as a whole number of them, at least 1.

    A half goes to the even number, and what is within a thousandth of it counts as a half: files of
    one scan round its spacing differently, and that must not decide.

    Args:
        length: in steps, above 0.
    """
    half = math.floor(length) + 0.5
    return max(1, round(half if abs(length - half) < 1e-3 else length))


def prepare_volume(image: Image, spec: VolumeSpec) -> NDArray[np.float32]:
    """A volume as the network takes it: at its spacing, its grey levels scaled by percentiles.

    The lower percentile becomes 0 and the upper 1; what lies below or far above is cut off. Where
    the first channel's percentiles serve all channels, the ratio of a later phase to the one
    before contrast stays what it was, whatever the scanner's own unit.

    Args:
        image: (channels, slices, rows, columns), any real dtype; channels after those that the
            network takes are passed over.
        spec: what the network wants.

    Returns:
        (channels, *working_shape(image, spec)) float32, 0 to `BRIGHTEST`; with `subtraction` the
        channels after the first are differences, down to minus `BRIGHTEST`.

    Raises:
        GeometryError: no volume, or one of unknown spacing.
        InputError: fewer channels.
    """
    shape = working_shape(image, spec)
    image = first_channels(image, spec.channels)
    result = np.empty((spec.channels, *shape), np.float32)
    low, high = 0.0, 1.0
    for channel, values in enumerate(image.array):
        if channel == 0 or spec.intensity is VolumeIntensity.EACH_CHANNEL:
            low, high = _levels(values, spec.percentiles)
        scaled = result[channel]
        scaled[:] = resample(values, shape)
        scaled -= np.float32(low)
        scaled /= np.float32(high - low)
        np.clip(scaled, 0, BRIGHTEST, out=scaled)
    if spec.subtraction:
        result[1:] -= result[0]
    return result


def first_channels(image: Image, count: int) -> Image:
    """The phases of a study that a network takes: the first ones.

    Args:
        image: (channels, slices, rows, columns); nothing of it is copied.
        count: of the channels that the network takes.

    Raises:
        InputError: the image has fewer.
    """
    found = image.array.shape[0]
    if found < count:
        raise InputError(
            f"{image.source or 'volume'}: {found} channel{'s' if found > 1 else ''}",
            f"at least {count}: the phase before contrast and then those after it",
            "give as many phases as the network was trained on",
        )
    return replace(image, array=image.array[:count], phases=image.phases[:count], reference=None)


def _levels(values: NDArray[np.generic], percentiles: tuple[float, float]) -> tuple[float, float]:
    """The grey levels at the percentiles; apart, so that one may divide by their difference."""
    stride = max(1, math.ceil((values.size / SAMPLE) ** (1 / 3)))
    sample = values[::stride, ::stride, ::stride].astype(np.float64)
    sample = sample[np.abs(sample) < LARGEST_SPAN]  # neither are holes
    if not sample.size:
        return 0.0, 1.0
    low, high = (float(level) for level in np.percentile(sample, percentiles))
    least = max(1e-6, 1e-6 * abs(low))  # float32 could not tell them apart
    return (low, high) if high - low > least else (low, low + max(1.0, abs(low)))
