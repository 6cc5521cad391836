"""Views of an image for test-time augmentation: how each is made, and how its map is undone.

G. Wang et al.: Aleatoric uncertainty estimation with test-time augmentation for medical image
segmentation with convolutional neural networks, Neurocomputing 2019,
https://doi.org/10.1016/j.neucom.2019.01.103. There the augmentations are drawn at random; here they
are a fixed list, so that the same image gives the same mask.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from breastseg.core.box import Box
from breastseg.core.errors import InputError
from breastseg.preprocess.geometry import Placement


@dataclass(frozen=True)
class View:
    """One way to look at an image.

    Attributes:
        flipped: left and right are exchanged.
        upside_down: top and bottom are exchanged.
        gamma: exponent of the grey levels, 0.2 to 5; above 1 darkens the middle ones.
        scale: the image fills this fraction of each side, 0.5 to 1, with the darkest value
            around.

    Raises:
        InputError: a value outside its range.
    """

    flipped: bool = False
    upside_down: bool = False
    gamma: float = 1.0
    scale: float = 1.0

    def __post_init__(self) -> None:
        if not 0.2 <= self.gamma <= 5 or not 0.5 <= self.scale <= 1:
            raise InputError(
                f"a view of gamma {self.gamma} and scale {self.scale}",
                "a gamma of 0.2 to 5, a scale of 0.5 to 1",
            )

    def of(self, unit: NDArray[np.float32]) -> NDArray[np.float32]:
        """The image so seen.

        Args:
            unit: (rows, columns) or (channels, rows, columns) float32, 0 to 1.

        Returns:
            The same shape, float32, 0 to 1.
        """
        if unit.ndim == 3:
            return np.stack([self.of(channel) for channel in unit])
        shape = (unit.shape[0], unit.shape[1])
        seen = unit if self.gamma == 1 else unit ** np.float32(self.gamma)
        return self._flipped(seen if self.scale == 1 else self._placement(shape).forward(seen))

    def undo(self, probability: NDArray[np.float32]) -> NDArray[np.float32]:
        """Bring a map of the view back to the image: the same shape, float32."""
        shape = (probability.shape[0], probability.shape[1])
        values = self._flipped(probability)
        return values if self.scale == 1 else self._placement(shape).backward(values)

    def __str__(self) -> str:
        """In words, e.g. ``"flipped, gamma 0.8"``."""
        words = ["flipped"] * self.flipped + ["upside down"] * self.upside_down
        words += [f"gamma {self.gamma:g}"] * (self.gamma != 1)
        words += [f"scale {self.scale:g}"] * (self.scale != 1)
        return ", ".join(words) or "plain"

    def _flipped(self, array: NDArray[np.float32]) -> NDArray[np.float32]:
        rows, columns = -1 if self.upside_down else 1, -1 if self.flipped else 1
        return array[::rows, ::columns]

    def _placement(self, shape: tuple[int, int]) -> Placement:
        rows, columns = (max(1, round(self.scale * side)) for side in shape)
        inner = Box.whole((rows, columns)).shifted(
            (shape[0] - rows) // 2, (shape[1] - columns) // 2
        )
        return Placement(shape, shape, inner, Box.whole(shape))


PLAIN = View()
FLIPS = (PLAIN, View(flipped=True))
"""What a bundle with ``flip_average`` does."""
