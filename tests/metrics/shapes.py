"""Masks that the tests of this room share."""

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

few = settings(max_examples=40, deadline=None, derandomize=True)


def mask(*rows: str) -> NDArray[np.bool_]:
    """Draw a mask: ``#`` is lesion."""
    return np.array([[letter == "#" for letter in row] for row in rows], bool)


def ellipse(
    shape: tuple[int, int], centre: tuple[float, float], radii: tuple[float, float]
) -> NDArray[np.bool_]:
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    return ((rows - centre[0]) / radii[0]) ** 2 + ((columns - centre[1]) / radii[1]) ** 2 <= 1


def full(shape: tuple[int, int]) -> NDArray[np.bool_]:
    return np.ones(shape, bool)


def empty(shape: tuple[int, int]) -> NDArray[np.bool_]:
    return np.zeros(shape, bool)


def pixel(shape: tuple[int, int], row: int, column: int) -> NDArray[np.bool_]:
    one = empty(shape)
    one[row, column] = True
    return one


_shapes = st.tuples(st.integers(1, 12), st.integers(1, 12))
pairs = _shapes.flatmap(lambda shape: st.tuples(arrays(bool, shape), arrays(bool, shape)))
"""Two bool masks of one shape, from 1x1 to 12x12."""


def examples() -> list[tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
    """Pairs of non-empty masks for comparison with other implementations."""
    shape = (61, 80)
    noise = np.random.default_rng(3).random((2, *shape))
    lesion = ellipse(shape, (30, 40), (14, 22))
    return [
        (lesion, ellipse(shape, (33, 36), (11, 25))),
        (lesion, lesion),
        (lesion, pixel(shape, 0, 0)),
        (pixel(shape, 60, 79), pixel(shape, 0, 0)),
        (full(shape), lesion),
        (full(shape), full(shape)),
        (ellipse(shape, (0, 0), (20, 30)), ellipse(shape, (60, 40), (9, 60))),
        (lesion | ellipse(shape, (55, 8), (4, 4)), lesion),
        (noise[0] > 0.6, noise[1] > 0.9),
    ]
