"""Which image to label next: where a network is unsure and has seen nothing alike.

Such images are those that it segments worst. Trained on them it did not become better than on as
many drawn at random, see studies/README.md.

Each next image is the one with the largest product of its uncertainty and its distance to the
nearest image that is labelled or chosen already. The distance is that of core-set selection
(O. Sener, S. Savarese, ICLR 2018, arXiv 1708.00489); the descriptor is a coarse view of the image
and of the probability, since it needs no network of its own.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from breastseg.annotation.project import ProjectCase
from breastseg.core.image import Image
from breastseg.inference.uncertainty import entropy

_SIDE = 8  # cells of the coarse view along each axis
_SMALLEST_LESION = 0.01  # of an image; keeps an empty map from dividing by nothing


def proposed_case(
    name: str, patient: str, image: Image, probability: NDArray[np.floating]
) -> ProjectCase:
    """An image of a project, with what a method's map says of its place in the queue.

    Args:
        name: the image's name in the project.
        patient: images of one patient share it.
        image: 2-D.
        probability: the method's map on the image's grid, 0 to 1.
    """
    rows, columns = image.grid.shape
    spacing = image.grid.spacing_mm
    return ProjectCase(
        name,
        patient,
        (rows, columns),
        None if spacing is None else (spacing[0], spacing[1]),
        image_uncertainty(probability),
        describe(image.grey(), probability),
    )


def image_uncertainty(probability: NDArray[np.floating]) -> float:
    """How unsure a map is, by the size of what it outlines.

    Args:
        probability: (rows, columns), 0 to 1.

    Returns:
        The sum of the entropy in bits over the expected area, at least 1 % of the image; 0 where
        every pixel is sure.
    """
    area = float(probability.sum(dtype=np.float64)) + _SMALLEST_LESION * probability.size
    return float(entropy(probability).sum(dtype=np.float64)) / area


def describe(grey: NDArray[np.generic], probability: NDArray[np.floating]) -> tuple[float, ...]:
    """Numbers by which images are told apart.

    Args:
        grey: (rows, columns), any real dtype.
        probability: (rows, columns), 0 to 1.

    Returns:
        128 numbers: the means of 8x8 cells of the image, standardised, and of the map, on which
        a step from 0 to 1 counts as much as one standard deviation of the image does.
    """
    cells = _cells(grey.astype(np.float64))
    spread = float(cells.std())
    cells = (cells - cells.mean()) / (spread if spread > 0 else 1.0)
    view = np.concatenate([cells.ravel(), _cells(probability.astype(np.float64)).ravel()])
    return tuple(float(value) for value in np.round(view, 4))


def order_by_gain(
    cases: Sequence[ProjectCase], labelled: Sequence[ProjectCase] = (), count: int | None = None
) -> tuple[ProjectCase, ...]:
    """The cases to label next, the best first.

    Cases without a descriptor or an uncertainty come last, in their own order.

    Args:
        cases: to choose from.
        labelled: what is labelled already.
        count: how many to choose; None orders all.
    """
    count = len(cases) if count is None else min(count, len(cases))
    known = [case for case in cases if case.descriptor and case.uncertainty is not None]
    rest = [case for case in cases if not case.descriptor or case.uncertainty is None]
    points = np.array([case.descriptor for case in known], float)
    unsure = np.array([case.uncertainty for case in known], float)
    distance = np.ones(len(known))
    near = [case.descriptor for case in labelled if case.descriptor]
    if known and near:
        distance = np.min(
            [np.linalg.norm(points - np.array(seen), axis=1) for seen in near], axis=0
        )
    chosen: list[ProjectCase] = []
    left = np.ones(len(known), bool)
    while len(chosen) < min(count, len(known)):
        best = int(np.argmax(np.where(left, unsure * distance, -1.0)))
        left[best] = False
        step = np.linalg.norm(points - points[best], axis=1)
        distance = step if not near and not chosen else np.minimum(distance, step)
        chosen.append(known[best])
    return (*chosen, *rest)[:count]


def _cells(array: NDArray[np.float64]) -> NDArray[np.float64]:
    """The means of 8x8 cells that cover the array; a side shorter than that is repeated."""
    for axis in (0, 1):
        times = -(-_SIDE // array.shape[axis])
        array = np.repeat(array, times, axis=axis)
    edges = [np.linspace(0, side, _SIDE + 1).astype(int)[:-1] for side in array.shape]
    sums = np.add.reduceat(np.add.reduceat(array, edges[0], axis=0), edges[1], axis=1)
    rows, columns = (
        np.diff(np.append(edge, side)) for edge, side in zip(edges, array.shape, strict=True)
    )
    return np.asarray(sums / np.outer(rows, columns))
