"""Haematoxylin and eosin: how much of each dye a pixel holds, and the same slide in other dyes.

A dye takes light away by a factor, so that optical densities add up (Beer and Lambert). The dyes of
an image are estimated as Macenko et al. do: A method for normalizing histology slides for
quantitative analysis, ISBI 2009, doi:10.1109/ISBI.2009.5193250.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from breastseg.core.errors import InputError
from breastseg.preprocess.tissue import check_rgb

LIGHT = 240.0
"""The grey level of bare glass, as in the authors' example; what is brighter counts as glass."""
LEAST_DENSITY = 0.15
"""In each channel, of a pixel that is taken for stained (beta in the paper)."""
EXTREME = 1.0
"""Percent of the pixels that are passed over at either end (alpha in the paper)."""
LEAST_PIXELS = 100
LEAST_ANGLE = np.deg2rad(5.0)
"""Between two dyes; an image whose colours lie closer together shows one dye alone."""
MOST_PIXELS = 2**20
"""Of a larger image every n-th stained pixel is looked at."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Stains:
    """The two dyes of an image.

    Attributes:
        haematoxylin: optical density of red, green and blue; of length 1.
        eosin: likewise.
        strengths: the 99th percentile of the amount of each, haematoxylin first.

    Raises:
        InputError: two dyes that cannot be told apart, or a strength that is not above 0.
    """

    haematoxylin: tuple[float, float, float]
    eosin: tuple[float, float, float]
    strengths: tuple[float, float]

    def __post_init__(self) -> None:
        if not min(self.strengths) > 0 or np.linalg.matrix_rank(self.matrix, tol=1e-3) < 2:
            raise InputError(
                f"dyes {self.haematoxylin} and {self.eosin} of strengths {self.strengths}",
                "two that differ, above 0",
            )

    @property
    def matrix(self) -> Floats:
        """(3, 2): a dye a column."""
        return np.array((self.haematoxylin, self.eosin)).T


REFERENCE = Stains((0.5626, 0.7201, 0.4062), (0.2159, 0.8012, 0.5581), (1.9705, 1.0308))
"""What images are brought to: the dyes of the authors' published example."""


def optical_density(rgb: NDArray[np.uint8]) -> Floats:
    """``-ln(I / 240)``, 0 for what is brighter; black counts as grey level 1.

    Args:
        rgb: any shape, uint8.

    Returns:
        The same shape, float64, 0 to 5.49.
    """
    return np.asarray(np.log(LIGHT / np.clip(rgb, 1, LIGHT)))


def estimate_stains(rgb: NDArray[np.uint8]) -> Stains | None:
    """The dyes of an image, after Macenko.

    The densities of all stained pixels lie about a plane; in it the dyes are the directions of
    the extreme angles. The one that takes more red light is haematoxylin.

    Args:
        rgb: (rows, columns, 3) uint8.

    Returns:
        None where fewer than 100 pixels are stained, or by one dye alone.

    Raises:
        GeometryError: another shape or dtype.
    """
    check_rgb(rgb)
    density = optical_density(rgb).reshape(-1, 3)
    stained = density[(density > LEAST_DENSITY).all(axis=1)]
    if len(stained) < LEAST_PIXELS:
        return None
    stained = stained[:: -(-len(stained) // MOST_PIXELS)]
    _, axes = np.linalg.eigh(np.cov(stained, rowvar=False))
    plane = axes[:, [2, 1]]
    # the sign of an axis is arbitrary: density is positive
    plane = plane * np.where(plane.sum(axis=0) < 0, -1, 1)
    angles = np.arctan2(*(stained @ plane).T[::-1])
    low, high = np.percentile(angles, (EXTREME, 100 - EXTREME))
    if high - low < LEAST_ANGLE:
        return None
    dyes = [plane @ (np.cos(angle), np.sin(angle)) for angle in (low, high)]
    haematoxylin, eosin = sorted(dyes, key=lambda dye: -float(dye[0]))
    amounts = np.linalg.lstsq(np.array((haematoxylin, eosin)).T, stained.T, rcond=None)[0]
    first, second = np.percentile(amounts, 99, axis=1)
    if min(first, second) <= 0:
        return None
    return Stains(_triple(haematoxylin), _triple(eosin), (float(first), float(second)))


def normalise_stain(
    rgb: NDArray[np.uint8], stains: Stains | None = None, reference: Stains = REFERENCE
) -> NDArray[np.uint8]:
    """The image as if it had been stained with other dyes.

    Args:
        rgb: (rows, columns, 3) uint8.
        stains: of the image, or of the slide that it is a part of, which is steadier; by default
            they are estimated. Where that cannot be done the image is given back as it is.
        reference: the dyes to bring it to.

    Returns:
        (rows, columns, 3) uint8, a fresh array; glass becomes an even 240.

    Raises:
        GeometryError: another shape or dtype.
    """
    check_rgb(rgb)
    own = estimate_stains(rgb) if stains is None else stains
    if own is None:
        return rgb.copy()
    amounts = np.linalg.lstsq(own.matrix, optical_density(rgb).reshape(-1, 3).T, rcond=None)[0]
    scaled = np.maximum(amounts, 0) * (np.divide(reference.strengths, own.strengths))[:, None]
    light = LIGHT * np.exp(-(reference.matrix @ scaled))
    return np.asarray(np.clip(np.rint(light), 0, 255).T.reshape(rgb.shape), np.uint8)


def _triple(dye: Floats) -> tuple[float, float, float]:
    red, green, blue = (float(part) for part in dye)
    return red, green, blue
