"""What a segmenter returns: a probability map on the image's own grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from breastseg.core.errors import GeometryError, InputError
from breastseg.core.grid import Grid
from breastseg.core.mask import Mask
from breastseg.core.provenance import Provenance


@dataclass(frozen=True, eq=False)
class Lesion:
    """One connected outline (pixels that touch by a side or a corner).

    Attributes:
        region: grid.shape bool, True on this lesion.
        box: first and one-past-last index along each axis: (row0, column0, row1, column1) in 2-D.
        area_px: number of pixels.
        confidence: mean probability over the region, 0 to 1.
        peak: largest probability in the region, 0 to 1.
    """

    region: NDArray[np.bool_]
    box: tuple[int, ...]
    area_px: int
    confidence: float
    peak: float


@dataclass(frozen=True, eq=False)
class Prediction:
    """A probability of lesion for every pixel.

    Attributes:
        probability: grid.shape, float32, 0 to 1. Post-processing has been applied: a region
            that the method rejects has been pulled below the threshold.
        grid: the input image's own grid.
        provenance: what produced it.
        threshold: the operating point; pixels at or above it are lesion.

    Raises:
        GeometryError: the shapes differ.
        InputError: values outside 0 to 1 or not finite.
    """

    probability: NDArray[np.float32]
    grid: Grid
    provenance: Provenance
    threshold: float = 0.5

    def __post_init__(self) -> None:
        if self.probability.shape != self.grid.shape:
            raise GeometryError(
                f"probability of shape {self.probability.shape} on a grid of {self.grid.shape}"
            )
        values = self.probability.astype(np.float32, copy=True)
        if not bool(np.isfinite(values).all()) or values.min() < 0 or values.max() > 1:
            raise InputError("probabilities outside 0 to 1", "finite values from 0 to 1")
        values.flags.writeable = False
        object.__setattr__(self, "probability", values)

    def mask(self, threshold: float | None = None) -> Mask:
        """The outline at a threshold in (0, 1]; the method's own operating point by default."""
        cut = self.threshold if threshold is None else threshold
        return Mask(self.probability >= cut, self.grid)

    def lesions(self, threshold: float | None = None) -> tuple[Lesion, ...]:
        """The connected outlines, the largest first (ties by position)."""
        foreground = self.mask(threshold).foreground
        if not foreground.any():
            return ()
        from scipy import ndimage  # a third of a second to import

        touching = np.ones((3,) * self.grid.ndim, bool)
        numbers, _ = ndimage.label(foreground, structure=touching)
        found = []
        for number, where in enumerate(ndimage.find_objects(numbers), start=1):
            region = numbers == number
            inside = self.probability[region]
            found.append(
                Lesion(
                    region=region,
                    box=tuple(s.start for s in where) + tuple(s.stop for s in where),
                    area_px=int(region.sum()),
                    confidence=float(inside.mean()),
                    peak=float(inside.max()),
                )
            )
        return tuple(sorted(found, key=lambda lesion: (-lesion.area_px, lesion.box)))
