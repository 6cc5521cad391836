"""How far a lesion lies from the skin, in the plane of the image."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from breastseg.core.errors import GeometryError
from breastseg.core.grid import Grid
from breastseg.core.prediction import Lesion
from breastseg.measure.lesion import spacing_at


def skin_line(breast: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The outermost pixels of the breast: those with a side towards what is not breast.

    The image's border is no skin: there the breast goes on.

    Args:
        breast: (rows, columns) bool, such as `breastseg.preprocess.breast_region` gives.

    Returns:
        (rows, columns) bool; empty where the breast fills the image.
    """
    around = np.pad(breast, 1, constant_values=True)
    surrounded = around[:-2, 1:-1] & around[2:, 1:-1] & around[1:-1, :-2] & around[1:-1, 2:]
    return np.asarray(breast & ~surrounded, bool)


def skin_distance(lesion: Lesion, breast: NDArray[np.bool_], grid: Grid) -> float | None:
    """The shortest distance between a lesion and the skin line, between centres of pixels.

    Args:
        lesion: a 2-D one.
        breast: grid.shape bool, the breast with the lesion in it.
        grid: of the image.

    Returns:
        Millimetres, or pixels where the spacing at the lesion is not known; 0 where it reaches the
        skin; None where no skin is seen.

    Raises:
        GeometryError: the breast has another shape than the grid, or the lesion does not lie in it.
    """
    if breast.shape != grid.shape or not lesion.box.fits(grid.shape):
        raise GeometryError(
            f"a breast of {breast.shape} and a lesion in {lesion.box}", f"both on {grid.shape}"
        )
    skin = skin_line(breast)
    if not skin.any():
        return None
    from scipy import ndimage

    steps = spacing_at(lesion, grid) or (1.0, 1.0)
    away = ndimage.distance_transform_edt(~skin, sampling=steps)
    return float(away[lesion.box.slices][lesion.crop].min())
