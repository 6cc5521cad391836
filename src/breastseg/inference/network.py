"""What every engine's network is: probabilities of a batch, checked before they are given out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from breastseg.core.bundle import InputSpec, VolumeSpec
from breastseg.core.errors import BundleError

ROUNDING = 1e-3
ROUNDING_OF_SUM = 0.02  # of a network in 8-bit whole numbers


class Network(ABC):
    """A network from (N, channels, *size) to (N, outputs, *size) probabilities.

    May be called from several threads at once.

    Attributes:
        engine: that runs it, for the provenance of results.

    Args:
        path: of its file, for messages.
        spec: the size of an image or of a patch.
        outputs: maps that it must give.
    """

    engine: str

    def __init__(self, path: Path, spec: InputSpec | VolumeSpec, outputs: int) -> None:
        self._path = path
        self._shape = (outputs, *spec.size)

    @abstractmethod
    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """What the engine computes, unchecked.

        Raises:
            BundleError: the network fails on it.
        """

    def __call__(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Run the network.

        Args:
            batch: (N, channels, *size) float32.

        Returns:
            (N, outputs, *size) float32, 0 to 1; several outputs add up to 1.

        Raises:
            BundleError: the network fails on it, or gives anything else.
        """
        values = np.asarray(self.run(batch), np.float32)
        self._check(values, len(batch))
        return np.clip(values, 0, 1)

    def _check(self, values: NDArray[np.float32], count: int) -> None:
        if values.shape != (count, *self._shape):
            raise BundleError(
                f"{self._path}: the network gave an array of {values.shape}",
                f"{(count, *self._shape)}",
                "make the bundle again of a network that leaves the size as it is",
            )
        low, high = float(values.min()), float(values.max())
        if not (low >= -ROUNDING and high <= 1 + ROUNDING):  # "not" also catches NaN
            raise BundleError(
                f"{self._path}: the network gave values of {low:.3g} to {high:.3g}",
                "probabilities of 0 to 1",
                "make the bundle again of a network with its sigmoid or softmax",
            )
        apart = float(np.abs(values.sum(axis=1) - 1).max()) if self._shape[0] > 1 else 0.0
        if apart > ROUNDING_OF_SUM:
            raise BundleError(
                f"{self._path}: the probabilities of the classes add up to 1 but for {apart:.3g}",
                "the background and all classes together 1",
                "make the bundle again of a network with its softmax",
            )
