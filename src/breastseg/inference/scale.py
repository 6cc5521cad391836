"""Is an image as large, in the patient, as a network for parts of a slide was made for?"""

from __future__ import annotations

from breastseg.core.bundle import Fit, InputSpec
from breastseg.core.errors import InputError
from breastseg.core.image import Image

LARGEST_DEVIATION = 0.1
"""Of the micrometres a pixel that the network sees from those that it was made for."""


def check_scale(image: Image, spec: InputSpec, name: str) -> None:
    """Refuse an image that bringing it to the network's size would show at another scale.

    An image that does not state its spacing is taken as it is if it has the network's own size.

    Args:
        image: a 2-D image.
        spec: of the network's input; without `InputSpec.um_per_px` any scale will do.
        name: of the method.

    Raises:
        InputError: the scale is another, or not known.
    """
    if spec.um_per_px is None or image.grid.ndim != 2:
        return
    steps = [own / size for own, size in zip(image.grid.shape, spec.size, strict=True)]
    if spec.fit is Fit.PAD:
        steps = [max(steps)] * 2
    rows, columns = image.grid.shape
    spacing = image.grid.spacing_mm
    if spacing is None:
        if steps == [1.0, 1.0]:
            return
        shown = f"{rows}x{columns} pixels of unknown size"
    else:
        seen = [1000 * mm * step for mm, step in zip(spacing, steps, strict=True)]
        if all(abs(um / spec.um_per_px - 1) <= LARGEST_DEVIATION for um in seen):
            return
        height, width = (1000 * mm * n for mm, n in zip(spacing, image.grid.shape, strict=True))
        shown = f"shows {height:.4g} x {width:.4g} micrometres"
    height, width = (n * spec.um_per_px for n in spec.size)
    raise InputError(
        f"{image.source or 'image'}: {shown}",
        f"{height:g} x {width:g} micrometres, at which {name!r} sees {spec.um_per_px:g} a pixel",
        "segment it as a slide, which is cut into such parts",
    )
