"""From an image to a network's input."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from breastseg.core.bundle import InputSpec, Region
from breastseg.core.errors import UnsupportedError
from breastseg.core.image import Image
from breastseg.preprocess.breast_frame import breast_frame
from breastseg.preprocess.geometry import Placement
from breastseg.preprocess.intensity import colour_to_unit, rescale, to_unit


def prepare_unit(image: Image, spec: InputSpec) -> tuple[NDArray[np.float32], Placement]:
    """The luminance in [0, 1] at the network's size: what augmentation works on.

    Returns:
        (rows, columns) of `spec.size`, float32, 0 to 1, or (3, rows, columns) of RGB where the
        network takes colour; and where the image lies in it.

    Raises:
        UnsupportedError: the image is a volume.
    """
    if image.grid.ndim != 2:
        raise UnsupportedError(
            f"{image.source or 'image'}: a volume of shape {image.grid.shape}",
            "2-D images or the frames of a cine",
        )
    rows, columns = image.grid.shape
    unit = None if spec.colour else to_unit(image.grey())
    placement = Placement.of((rows, columns), spec.size, spec.fit)
    if spec.region is Region.BREAST and unit is not None:
        box, flipped = breast_frame(unit)
        placement = Placement.of((rows, columns), spec.size, spec.fit, box, flipped)
    if unit is None:
        # around an image of stained tissue lies bare glass
        channels = [placement.forward(part, fill=1.0) for part in colour_to_unit(image.array)]
        return np.stack(channels), placement
    return placement.forward(unit), placement


def prepare(image: Image, spec: InputSpec) -> tuple[NDArray[np.float32], Placement]:
    """The network's input for one image.

    Returns:
        (spec.channels, rows, columns), float32, on the scale of `spec.intensity`; and the
        placement that brings a map of that size back to the image's own grid.

    Raises:
        UnsupportedError: the image is a volume.
    """
    unit, placement = prepare_unit(image, spec)
    scaled = rescale(unit, spec.intensity)
    if spec.colour:
        return scaled, placement
    return np.repeat(scaled[None], spec.channels, axis=0), placement
