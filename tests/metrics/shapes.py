"""Masks that the tests of this room share."""

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy import ndimage

Mask = NDArray[np.bool_]
Pair = tuple[Mask, Mask]

few = settings(max_examples=40, deadline=None, derandomize=True)

PLANE = (41, 56)
VOLUME = (7, 12, 15)
ANISOTROPIC = {1: (0.3,), 2: (0.3, 0.07), 3: (2.5, 0.3, 0.7)}
"""A step for each axis, by the number of axes."""


def mask(*rows: str) -> Mask:
    """Draw a mask: ``#`` is lesion."""
    return np.array([[letter == "#" for letter in row] for row in rows], bool)


def ellipse(shape: tuple[int, ...], centre: tuple[float, ...], radii: tuple[float, ...]) -> Mask:
    """An ellipse, or an ellipsoid."""
    axes = np.ogrid[tuple(slice(length) for length in shape)]
    away = [((axis - c) / r) ** 2 for axis, c, r in zip(axes, centre, radii, strict=True)]
    return np.asarray(sum(away) <= 1)


def full(shape: tuple[int, ...]) -> Mask:
    return np.ones(shape, bool)


def empty(shape: tuple[int, ...]) -> Mask:
    return np.zeros(shape, bool)


def pixel(shape: tuple[int, ...], *index: int) -> Mask:
    one = empty(shape)
    one[index] = True
    return one


def frame(shape: tuple[int, ...], width: int = 1) -> Mask:
    """What touches every border and nothing else."""
    ring = full(shape)
    ring[(slice(width, -width),) * len(shape)] = False
    return ring


def noise(shape: tuple[int, ...], density: float, seed: int) -> Pair:
    return tuple(np.random.default_rng(seed).random((2, *shape)) < density)


def regions(shape: tuple[int, ...], seed: int = 5) -> Pair:
    """Dozens of round regions each."""
    outline, truth = np.random.default_rng(seed).random((2, *shape))
    return ndimage.gaussian_filter(outline, 1.5) > 0.53, ndimage.gaussian_filter(truth, 1.5) > 0.53


def boundary(mask: Mask) -> Mask:
    """The boundary in SciPy's words: what an erosion by a cross takes away."""
    return mask & ~ndimage.binary_erosion(mask)


_shapes = st.tuples(st.integers(1, 12), st.integers(1, 12))
pairs = _shapes.flatmap(lambda shape: st.tuples(arrays(bool, shape), arrays(bool, shape)))
"""Two bool masks of one shape, from 1x1 to 12x12."""

_lesion = ellipse(PLANE, (20, 28), (9, 15))
_ball = ellipse(VOLUME, (3, 5, 7), (2, 4, 5))

EMPTY: dict[str, Pair] = {
    "both empty": (empty(PLANE), empty(PLANE)),
    "no outline": (empty(PLANE), _lesion),
    "no truth": (_lesion, empty(PLANE)),
    "no outline, truth full": (empty(PLANE), full(PLANE)),
    "no truth, outline full": (full(PLANE), empty(PLANE)),
    "no outline, truth one pixel": (empty(PLANE), pixel(PLANE, 0, 55)),
    "empty image of one pixel": (empty((1, 1)), empty((1, 1))),
    "empty volumes": (empty(VOLUME), empty(VOLUME)),
    "no outline in a volume": (empty(VOLUME), _ball),
}
"""Pairs to which the empty-mask rule applies, by name."""

FILLED: dict[str, Pair] = {
    **{f"noise of density {d}": noise(PLANE, d, seed=3) for d in (0.01, 0.1, 0.3, 0.7, 0.97)},
    "noise, sparse against dense": (noise(PLANE, 0.02, 8)[0], noise(PLANE, 0.6, 9)[1]),
    "two ellipses": (_lesion, ellipse(PLANE, (22, 25), (7, 17))),
    "identical": (_lesion, _lesion),
    "shifted by a pixel": (_lesion, np.roll(_lesion, 1, axis=1)),
    "one inside the other": (ellipse(PLANE, (20, 28), (4, 6)), _lesion),
    "disjoint": (ellipse(PLANE, (7, 8), (5, 6)), ellipse(PLANE, (32, 44), (6, 9))),
    "noise in either half": (
        noise(PLANE, 0.6, 4)[0] & (np.arange(56) < 28),
        noise(PLANE, 0.6, 4)[1] & (np.arange(56) >= 28),
    ),
    "cut by the corners": (
        ellipse(PLANE, (0, 0), (15, 20)),
        ellipse(PLANE, (40, 30), (7, 40)),
    ),
    "dozens of regions": regions(PLANE),
    "a region too many": (_lesion | ellipse(PLANE, (36, 5), (3, 3)), _lesion),
    "a hole": (_lesion, _lesion & ~ellipse(PLANE, (20, 28), (3, 4))),
    "both full": (full(PLANE), full(PLANE)),
    "full against one pixel": (full(PLANE), pixel(PLANE, 7, 50)),
    "full against all but one pixel": (full(PLANE), ~pixel(PLANE, 20, 20)),
    "touching all borders": (frame(PLANE), _lesion),
    "touching all borders, both": (frame(PLANE), frame(PLANE, 3)),
    "pixels in opposite corners": (pixel(PLANE, 40, 55), pixel(PLANE, 0, 0)),
    "the same pixel": (pixel(PLANE, 4, 9), pixel(PLANE, 4, 9)),
    "neighbouring pixels": (pixel(PLANE, 4, 9), pixel(PLANE, 5, 9)),
    "a row against a column": (
        np.broadcast_to(np.arange(41)[:, None] == 9, PLANE),
        np.broadcast_to(np.arange(56) == 50, PLANE),
    ),
    "chequered": (np.indices(PLANE).sum(0) % 2 == 0, np.indices(PLANE).sum(0) % 2 == 1),
    "image of one row": noise((1, 90), 0.2, 1),
    "image of one column": noise((90, 1), 0.2, 2),
    "image of two rows": noise((2, 70), 0.5, 3),
    "image of four rows": noise((4, 30), 0.4, 3),
    "image of one pixel": (full((1, 1)), full((1, 1))),
    "volumes of noise": noise(VOLUME, 0.2, 6),
    "two ellipsoids": (_ball, ellipse(VOLUME, (3, 6, 9), (3, 3, 5))),
    "voxels in opposite corners": (pixel(VOLUME, 0, 0, 0), pixel(VOLUME, 6, 11, 14)),
    "volumes of one slice": noise((1, 20, 30), 0.3, 7),
    "full volumes": (full(VOLUME), _ball),
}
"""Pairs in which neither mask is empty, by name."""
