"""Correction of the slow shading that the coils lay over an MRI.

N4: Tustison et al. 2010, https://doi.org/10.1109/TMI.2010.2046908, as SimpleITK implements it.
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from breastseg.core.errors import GeometryError, InputError
from breastseg.core.image import Image
from breastseg.preprocess.breast_volume import body_region
from breastseg.preprocess.volume import resample

WORKING_MM = 4.0
"""The field is estimated on voxels of this size: it varies over centimetres."""

_LEAST = 4  # samples along an axis that N4's splines need
_LARGEST = 10.0  # by which the field may brighten or darken


def bias_field(image: Image, rounds: int = 30, levels: int = 3) -> NDArray[np.float32]:
    """Estimate the shading of the first phase.

    Args:
        image: (phases, slices, rows, columns) with a known spacing, any real dtype; what it shows
            must be brighter than air.
        rounds: of fitting at each level, 1 or more.
        levels: how often the spline's mesh is refined, 1 to 6; more follow faster shading.

    Returns:
        (slices, rows, columns) float32 above 0, with a geometric mean of 1 over the body: dividing
        by it takes the shading away.

    Raises:
        GeometryError: no volume, one of unknown spacing, or fewer than 4 samples along an axis at
            the working size.
        InputError: `rounds` or `levels` is out of range.
    """
    if rounds < 1 or not 1 <= levels <= 6:
        raise InputError(f"rounds {rounds}, levels {levels}", "1 or more, and 1 to 6")
    body = body_region(image)
    shape = image.grid.shape
    small = tuple(
        min(side, max(_LEAST, round(side * step / WORKING_MM)))
        for side, step in zip(shape, image.grid.steps, strict=True)
    )
    if min(small) < _LEAST:
        raise GeometryError(
            f"{image.source or 'volume'}: {shape} voxels", f"at least {_LEAST} along each axis"
        )
    inside = resample(body, small) > 0.5
    if not inside.any():
        return np.ones(shape, np.float32)
    values = resample(image.array[0], small)
    # N4 takes logarithms: air and what lies below 0 must not matter
    values = np.maximum(values, max(float(values[inside].max()) * 1e-3, 1e-6))
    itk = _simpleitk()
    volume, mask = itk.GetImageFromArray(values), itk.GetImageFromArray(inside.astype(np.uint8))
    spacing = [n * step / m for n, step, m in zip(shape, image.grid.steps, small, strict=True)]
    for each in (volume, mask):
        each.SetSpacing(spacing[::-1])
    correction = itk.N4BiasFieldCorrectionImageFilter()
    correction.SetMaximumNumberOfIterations([rounds] * levels)
    correction.SetNumberOfThreads(1)  # the same on every machine
    correction.Execute(volume, mask)
    field = itk.GetArrayFromImage(correction.GetLogBiasFieldAsImage(volume)).astype(np.float32)
    field -= field[inside].mean()
    return np.clip(np.exp(resample(field, shape)), 1 / _LARGEST, _LARGEST)


def bias_corrected(image: Image, rounds: int = 30, levels: int = 3) -> Image:
    """Divide all phases by the shading of the first, so that their ratios stay what they were.

    Args:
        image: as for `bias_field`.
        rounds: as for `bias_field`.
        levels: as for `bias_field`.

    Returns:
        The image in float32 on the same grid; its mean brightness is about what it was.

    Raises:
        GeometryError: as for `bias_field`.
        InputError: as for `bias_field`.
    """
    field = bias_field(image, rounds, levels)
    return replace(image, array=image.array.astype(np.float32) / field)


def _simpleitk() -> ModuleType:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of how its bindings were made
        import SimpleITK
    return SimpleITK
