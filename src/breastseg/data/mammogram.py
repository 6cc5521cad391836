"""Reading the image of a case where it is a DICOM file."""

from __future__ import annotations

from dataclasses import replace

from breastseg.core.image import Image
from breastseg.data.dataset import CaseRef


def read_mammogram(ref: CaseRef) -> Image:
    """A mammogram as a viewer would show it.

    Args:
        ref: the case; its spacing, where it states one, goes before the file's.

    Returns:
        (1, rows, columns) in the file's dtype, with the pixel spacing that the file states.

    Raises:
        UnreadableError: the file is missing or damaged.
        UnsupportedError: the file is of a kind that is not read.
    """
    from breastseg.io.open import open_image

    image = open_image(ref.image_path, source=ref.key)
    grid = image.grid
    if ref.spacing_mm is not None:
        grid = replace(grid, spacing_mm=ref.spacing_mm)
    return replace(image, grid=grid, modality=ref.modality)
