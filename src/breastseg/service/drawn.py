"""Masks that people have drawn: measured, and stored."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from breastseg import __version__
from breastseg.core.errors import GeometryError
from breastseg.core.image import Image
from breastseg.core.prediction import Prediction
from breastseg.core.provenance import Provenance
from breastseg.measure.finding import findings
from breastseg.results.entry import success
from breastseg.results.schema import Document, Files, SegmenterRecord
from breastseg.service.encoded import png_bytes

BY_HAND = "by-hand"
"""What stands for the segmenter in the results of a drawn mask."""


def drawn_prediction(image: Image, mask: NDArray[np.bool_], by: str) -> Prediction:
    """A drawn mask as a prediction that is certain.

    Args:
        image: that it was drawn on.
        mask: True on the lesions.
        by: name of the account.

    Raises:
        GeometryError: it is not of the image's shape.
    """
    if mask.shape != image.grid.shape:
        raise GeometryError(
            f"a mask of {mask.shape} for an image of {image.grid.shape}", "one of the same size"
        )
    made = Provenance(BY_HAND, __version__, steps=(f"drawn or corrected by {by}",))
    return Prediction(mask.astype(np.float32), image.grid, made, image=image)


def measured(image: Image, mask: NDArray[np.bool_], by: str) -> Document:
    """The measurements of a drawn mask, as ``results.json`` has them; errors as above."""
    prediction = drawn_prediction(image, mask, by)
    entry = success(image.source, image, prediction, findings(prediction), Files())
    return Document(
        complete=True,
        options={},
        provenance=SegmenterRecord.of(prediction.provenance),
        entries=(entry,),
    )


def stored_mask(mask: NDArray[np.bool_]) -> bytes:
    """A mask as the store keeps it, a PNG of 0 and 255: the same mask is the same bytes."""
    return png_bytes(np.where(mask, np.uint8(255), np.uint8(0)))
