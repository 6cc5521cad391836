"""What contrast added: the later phases of a study without the first."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from breastseg.core.errors import InputError
from breastseg.core.image import Image


def subtract_first(image: Image) -> Image:
    """Take the first phase from each later one.

    Nothing is registered: where the patient has moved, edges of fat and skin show as pairs of
    bright and dark.

    Args:
        image: (phases, slices, rows, columns), the phase before contrast first; any real dtype.

    Returns:
        (phases - 1, slices, rows, columns) float32 on the same grid, in the phases' own unit; below
        0 where a phase is darker than the first.

    Raises:
        InputError: fewer than two phases.
    """
    if image.array.shape[0] < 2:
        raise InputError(
            f"{image.source or 'volume'}: has 1 phase",
            "a phase before contrast and at least one after it",
            "give all phases of the study",
        )
    phases = image.array.astype(np.float32)
    added = phases[1:] - phases[0]
    return replace(image, array=added, phases=image.phases[1:], reference=None)
