"""Speckle reduction."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

_LARGEST_EXACT_PX = 2  # OpenCV's median of float32 has no larger radius
_TINY = float(np.finfo(np.float32).tiny)


def median(unit: NDArray[np.float32], radius_px: int) -> NDArray[np.float32]:
    """The median of a square around each pixel; beyond the edge, the edge's pixels repeat.

    Up to a radius of 2 it is exact. For larger ones the image is first rounded to 256 levels
    between its darkest and its brightest pixel, which makes it many times faster: a value is then
    off by at most 1/510 of the image's range.

    Args:
        unit: (rows, columns) float32.
        radius_px: the square's side is 2 radius_px + 1 pixels; 0 changes nothing.

    Returns:
        (rows, columns) float32, within the input's range.
    """
    if radius_px == 0 or unit.size == 0:
        return unit.copy()
    side = 2 * radius_px + 1
    if radius_px <= _LARGEST_EXACT_PX:
        return np.asarray(cv2.medianBlur(np.ascontiguousarray(unit), side), np.float32)
    low, high = unit.min(), unit.max()
    if low == high:
        return unit.copy()
    levels = np.rint((unit - low) / (high - low) * np.float32(255)).astype(np.uint8)
    scale = np.linspace(low, high, 256, dtype=np.float32)
    return np.asarray(scale[cv2.medianBlur(levels, side)], np.float32)


def srad(
    unit: NDArray[np.float32], iterations: int, step: float = 0.5, decay: float = 1 / 6
) -> NDArray[np.float32]:
    """Speckle reducing anisotropic diffusion: smooth where only speckle varies, not at edges.

    A scanner shows the logarithm of the echo, so the filter runs on its exponential, where speckle
    is multiplicative as the method assumes, and returns the logarithm. The speckle scale q0, above
    which variation counts as an edge, starts at the median of the instantaneous coefficient of
    variation q over all pixels that are not flat, which takes at least half of them for pure
    speckle, and falls as exp(-decay * time).

    Source: Yu Y, Acton ST. Speckle reducing anisotropic diffusion. IEEE Trans Image Process 11(11),
    1260-1270 (2002), doi:10.1109/TIP.2002.804276.

    Args:
        unit: (rows, columns) float32, 0 to 1.
        iterations: how many steps; more smooth more.
        step: time of one step, above 0; up to 1 no new extremes can arise.
        decay: how fast the speckle scale falls; 0 keeps it and smooths more.

    Returns:
        (rows, columns) float32, within the input's range.
    """
    if iterations < 1 or unit.size == 0:
        return unit.copy()
    echo = np.exp(unit)
    diffusion = _Diffusion(echo)
    scale = 0.0
    for number in range(iterations):
        variation = diffusion.variation(echo)
        if number == 0:
            uneven = variation[variation > 0]
            if uneven.size == 0:
                return unit.copy()
            scale = math.sqrt(float(np.median(uneven)))
        diffusion.advance(echo, variation, scale * math.exp(-decay * step * number), step)
    out = np.log(echo, out=echo)
    return np.clip(out, unit.min(), unit.max(), out=out)


class _Diffusion:
    """One explicit step of the diffusion, with buffers that are kept between steps."""

    def __init__(self, echo: NDArray[np.float32]) -> None:
        rows, columns = echo.shape
        # Differences across the edges between pixels; those of the image's border stay 0, so
        # nothing flows in or out.
        self._down = np.zeros((rows + 1, columns), np.float32)
        self._along = np.zeros((rows, columns + 1), np.float32)
        self._total = np.empty_like(echo)
        self._square = np.empty_like(echo)
        self._work = np.empty_like(echo)

    def variation(self, echo: NDArray[np.float32]) -> NDArray[np.float32]:
        """The squared instantaneous coefficient of variation, in a buffer."""
        down, along, total, square = self._down, self._along, self._total, self._square
        np.subtract(echo[1:], echo[:-1], out=down[1:-1])
        np.subtract(echo[:, 1:], echo[:, :-1], out=along[:, 1:-1])
        self._diverge(total)
        np.multiply(down[1:], down[1:], out=square)
        for part in (down[:-1], along[:, 1:], along[:, :-1]):
            square += np.multiply(part, part, out=self._work)
        # With G = |gradient| / I and L = laplacian / I: (G^2 / 2 - L^2 / 16) / (1 + L / 4)^2. The
        # numerator is never below 0, and I (1 + L / 4) is the mean of the neighbours, above 0.
        square *= np.float32(0.5)
        np.multiply(total, np.float32(0.25), out=self._work)
        self._work += echo
        np.multiply(self._work, self._work, out=self._work)
        np.multiply(total, total, out=total)
        total *= np.float32(1 / 16)
        square -= total
        square /= self._work
        return np.maximum(square, 0, out=square)

    def advance(
        self,
        echo: NDArray[np.float32],
        variation: NDArray[np.float32],
        scale: float,
        step: float,
    ) -> None:
        """Change `echo` by one step; `variation` is that of `echo`, and used up."""
        # 1 / (1 + (q^2 - q0^2) / (q0^2 (1 + q0^2))), on one denominator
        conductance = variation
        conductance += np.float32(max(scale**4, _TINY))
        np.divide(np.float32(scale**2 * (1 + scale**2)), conductance, out=conductance)
        np.minimum(conductance, 1, out=conductance)
        # What flows between two pixels is ruled by the lower and the right one.
        self._down[1:-1] *= conductance[1:]
        self._along[:, 1:-1] *= conductance[:, 1:]
        self._diverge(self._total)
        self._total *= np.float32(step / 4)
        echo += self._total

    def _diverge(self, out: NDArray[np.float32]) -> None:
        """What flows into each pixel over its four edges."""
        np.subtract(self._down[1:], self._down[:-1], out=out)
        out += self._along[:, 1:]
        out -= self._along[:, :-1]
