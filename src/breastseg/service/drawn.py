"""Masks that people have drawn: measured, and stored."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from breastseg import __version__
from breastseg.core.image import Image
from breastseg.core.prediction import Prediction
from breastseg.core.provenance import BY_HAND, Provenance
from breastseg.results.given_mask import GivenMask
from breastseg.results.schema import Entry, Files
from breastseg.service.encoded import png_bytes


def measured(image: Image, mask: NDArray[np.bool_], by: str) -> tuple[Entry, Prediction]:
    """A drawn mask with its measurements.

    Args:
        image: that it was drawn on.
        mask: True on the lesions.
        by: name of the account.

    Raises:
        GeometryError: it is not of the image's shape.
    """
    given = GivenMask(image, mask)
    made = Provenance(BY_HAND, __version__, steps=(f"drawn or corrected by {by}",))
    entry, _ = given.measure(image.source, Files())
    return replace(entry, steps=made.steps), replace(given.prediction, provenance=made)


def stored_mask(mask: NDArray[np.bool_]) -> bytes:
    """A mask as the store keeps it, a PNG of 0 and 255: the same mask is the same bytes."""
    return png_bytes(np.where(mask, np.uint8(255), np.uint8(0)))
