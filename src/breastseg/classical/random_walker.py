"""The random walker with priors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solveh_banded
from scipy.special import expit

from breastseg.classical.likelihood import grey_odds
from breastseg.classical.method import ClassicalMethod
from breastseg.classical.view import View
from breastseg.core.parameters import Within
from breastseg.preprocess.geometry import resize

_LEAST_WEIGHT = 1e-6
"""Of an edge: no pixel is cut off, so that the equations can be solved."""


def random_walker(
    grey: NDArray[np.float32],
    core: NDArray[np.bool_],
    ground: NDArray[np.bool_],
    prior: NDArray[np.float32],
    *,
    beta: float,
    prior_weight: float,
) -> NDArray[np.float32]:
    """Probability that a walker reaches the lesion's seeds before those of the background.

    It steps to a neighbour with a probability proportional to ``exp(-beta d**2 / variance)`` for a
    difference d in grey level, and may at each step decide by the prior instead. The linear system
    is banded, with the shorter side of the image as its bandwidth, and is solved directly.

    Args:
        grey: (h, w) float32, 0 to 1.
        core: (h, w) bool, seeds in the lesion.
        ground: (h, w) bool, seeds in the background; where both are set, it is lesion.
        prior: (h, w) float32, 0 to 1, probability of lesion from what is known of a pixel alone.
        beta: how strongly an edge stops the walker.
        prior_weight: of the prior against an edge between two equal pixels, which has 1.

    Returns:
        (h, w) float32, 0 to 1; 0.5 everywhere where there are neither seeds nor a prior.
    """
    if grey.shape[0] < grey.shape[1]:
        turned = random_walker(
            grey.T, core.T, ground.T, prior.T, beta=beta, prior_weight=prior_weight
        )
        return turned.T
    fixed = core | ground
    if not fixed.any() and prior_weight == 0:
        return np.full(grey.shape, 0.5, np.float32)
    variance = max(float(grey.var(dtype=np.float64)), 1e-12)
    known = core.astype(np.float64)
    diagonal = np.full(grey.shape, prior_weight, np.float64)
    right = prior_weight * prior.astype(np.float64)
    columns = grey.shape[1]
    bands = np.zeros((columns + 1, *grey.shape))
    for axis, step in ((0, columns), (1, 1)):
        here, there = _neighbours(axis)
        weight = np.exp(-beta / variance * np.diff(grey.astype(np.float64), axis=axis) ** 2)
        weight = np.maximum(weight, _LEAST_WEIGHT)
        diagonal[here] += weight
        diagonal[there] += weight
        right[here] += weight * known[there]
        right[there] += weight * known[here]
        bands[step][here] -= weight * ~(fixed[here] | fixed[there])
    bands[0] = np.where(fixed, 1, diagonal)
    right = np.where(fixed, known, right)
    lower = bands.reshape(columns + 1, -1)[: grey.size]  # a single pixel has no other band
    solved = solveh_banded(lower, right.ravel(), overwrite_ab=True, lower=True)
    return np.asarray(np.clip(solved, 0, 1).reshape(grey.shape), np.float32)


def _neighbours(axis: int) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """All pixels but the last along an axis, and all but the first."""
    across = (slice(None),) * axis
    return (*across, slice(None, -1)), (*across, slice(1, None))


@dataclass(frozen=True)
class RandomWalker(ClassicalMethod):
    """Each pixel goes to the seeds that a random walker who avoids edges reaches first.

    Attributes:
        beta: how strongly edges stop the walker; high values make contours follow them closely.
        prior_weight: of a pixel's own grey level and position; low values leave the decision to
            seeds and edges.
        grey_trust: of the grey levels in the prior; 0 leaves the position alone.
        position_trust: of the position in the prior: how steeply lesion ends at the ellipse that
            fills the box; 0 leaves the grey levels alone.
    """

    name: ClassVar[str] = "random-walker"
    summary: ClassVar[str] = "random walks from seeds, stopped by edges, with grey level priors"
    source: ClassVar[str] = (
        "Grady L. Random walks for image segmentation. IEEE Trans Pattern Anal Mach Intell "
        "28(11), 1768-1783 (2006), doi:10.1109/TPAMI.2006.233; with the priors of Grady L. "
        "Multilabel random walker image segmentation using prior models. CVPR (2005), "
        "doi:10.1109/CVPR.2005.239"
    )
    weakness: ClassVar[str] = "small lesions that fill little of their box, and fading margins"
    gives_probability: ClassVar[bool] = True

    beta: Annotated[float, Within(1, 1000, log=True)] = 25.0
    prior_weight: Annotated[float, Within(0.001, 10, log=True)] = 0.1
    grey_trust: Annotated[float, Within(0, 3)] = 1.0
    position_trust: Annotated[float, Within(0, 40)] = 16.0

    def delineate(self, view: View) -> NDArray[np.float32]:
        """Solve at half the size, which averages speckle and costs a sixteenth."""
        odds = self.grey_trust * grey_odds(view.grey, view.core, view.ground)
        prior = expit(odds + self.position_trust * (1 - view.radius))
        half = ((view.shape[0] + 1) // 2, (view.shape[1] + 1) // 2)
        walked = random_walker(
            resize(view.grey, half),
            _halved(view.core, half),
            _halved(view.ground, half),
            resize(prior, half),
            beta=self.beta,
            prior_weight=self.prior_weight,
        )
        return resize(walked, view.shape)


def _halved(seeds: NDArray[np.bool_], half: tuple[int, int]) -> NDArray[np.bool_]:
    """Seeds at half the size; none is lost."""
    rows, columns = np.nonzero(seeds)
    out = np.zeros(half, bool)
    out[rows // 2, columns // 2] = True
    return out
