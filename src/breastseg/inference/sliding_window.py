"""A network that takes patches, on a volume of any size.

Patches overlap, and where they do their results are averaged with Gaussian weights, since a
network knows least at the border of what it sees (Isensee et al. 2021,
https://doi.org/10.1038/s41592-020-01008-z). The weights are a product of one factor an axis and
the patches lie on a regular lattice, so the sum of the weights is such a product too: it need not
be kept for every voxel. Patches are taken in the order of the first axis, and what no later patch
covers is finished at once: beside the result only one patch's thickness of sums is in memory.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

from breastseg.core.errors import GeometryError

Floats = NDArray[np.float32]
Size = tuple[int, int, int]
SIGMA = 0.125
"""Deviation of the Gaussian as a fraction of the patch's side."""


def sliding_window(
    volume: NDArray[np.generic],
    network: Callable[[Floats], Floats],
    patch: Size,
    overlap: float = 0.5,
    batch: int = 1,
) -> Floats:
    """Run a network over a volume in overlapping patches.

    Args:
        volume: (channels, slices, rows, columns), real; never copied as a whole. Where it is
            smaller than a patch, its border is repeated.
        network: from (n, channels, *patch) float32, n up to `batch`, to (n, 1, *patch).
        patch: (slices, rows, columns).
        overlap: fraction of a patch's side that the next one covers again at least, 0 to below 1.
        batch: patches given to the network at a time, at least 1.

    Returns:
        (slices, rows, columns) float32, within the range of what the network gave but for
        rounding.

    Raises:
        GeometryError: a volume, patch, overlap or batch that is not as stated.
    """
    _check(volume, patch, overlap, batch)
    shape = volume.shape[1:]
    starts = [
        patch_starts(side, length, overlap) for side, length in zip(shape, patch, strict=True)
    ]
    bells = [_bell(length) for length in patch]
    weight = bells[0][:, None, None] * bells[1][:, None] * bells[2]
    inverse = [
        _inverse_sum(first, bell, side)
        for first, bell, side in zip(starts, bells, shape, strict=True)
    ]
    across, result = inverse[1][:, None] * inverse[2], np.empty(shape, np.float32)
    sums = np.zeros((patch[0], *shape[1:]), np.float32)
    for row, top in enumerate(starts[0]):
        corners = product([top], starts[1], starts[2])
        for at, values in _patches(volume, corners, network, patch, batch):
            _, y, x = at
            held = sums[:, y : y + patch[1], x : x + patch[2]]
            held += (values * weight)[:, : held.shape[1], : held.shape[2]]
        last = row + 1 == len(starts[0])
        below = shape[0] if last else starts[0][row + 1]
        done = below - top
        result[top:below] = sums[:done] * across * inverse[0][top:below, None, None]
        if not last:
            kept = patch[0] - done
            sums[:kept] = sums[done:].copy()
            sums[kept:] = 0
    return result


def _check(volume: NDArray[np.generic], patch: Size, overlap: float, batch: int) -> None:
    if volume.ndim != 4 or min(volume.shape) < 1 or len(patch) != 3 or min(patch) < 1:
        raise GeometryError(
            f"a volume of shape {volume.shape} in patches of {patch}",
            "(channels, slices, rows, columns) and (slices, rows, columns), each at least 1",
        )
    if not 0 <= overlap < 1 or batch < 1:
        raise GeometryError(
            f"overlap {overlap} in batches of {batch}", "0 to below 1, in batches of at least 1"
        )


def patch_starts(side: int, length: int, overlap: float) -> list[int]:
    """Where patches begin along one axis: evenly spread, the first and last flush with the ends.

    Args:
        side: of the volume in voxels.
        length: of a patch.
        overlap: at least this fraction of a patch is covered again by the next.
    """
    if side <= length:
        return [0]
    step = max(1, math.floor(length * (1 - overlap)))
    count = math.ceil((side - length) / step) + 1
    return [round(index * (side - length) / (count - 1)) for index in range(count)]


def _patches(
    volume: NDArray[np.generic],
    corners: Iterator[Size],
    network: Callable[[Floats], Floats],
    patch: Size,
    batch: int,
) -> Iterator[tuple[Size, Floats]]:
    """Each corner with the network's result there, (slices, rows, columns)."""
    waiting: list[Size] = []

    def run() -> Iterator[tuple[Size, Floats]]:
        given = np.stack([cut_patch(volume, corner, patch) for corner in waiting])
        found = network(given)
        if found.shape != (len(waiting), 1, *patch):
            raise GeometryError(
                f"a network from {given.shape} to {found.shape}", f"to {(len(waiting), 1, *patch)}"
            )
        yield from zip(waiting, found[:, 0], strict=True)
        waiting.clear()

    for corner in corners:
        waiting.append(corner)
        if len(waiting) == batch:
            yield from run()
    if waiting:
        yield from run()


def cut_patch(volume: NDArray[np.generic], corner: Sequence[int], patch: Size) -> Floats:
    """One patch as float32; where it reaches beyond the volume, the border is repeated.

    Args:
        volume: (channels, slices, rows, columns).
        corner: first index along each axis.
        patch: (slices, rows, columns).

    Returns:
        (channels, *patch).
    """
    box = tuple(slice(at, at + length) for at, length in zip(corner, patch, strict=True))
    values = volume[(slice(None), *box)].astype(np.float32)
    lacking = [length - side for length, side in zip(patch, values.shape[1:], strict=True)]
    if any(lacking):
        values = np.pad(values, [(0, 0), *((0, more) for more in lacking)], mode="edge")
    return values


def _bell(length: int) -> Floats:
    """A Gaussian over a patch's side, 1 in the middle."""
    away = (np.arange(length) - (length - 1) / 2) / (SIGMA * length)
    return np.asarray(np.exp(-0.5 * away**2), np.float32)


def _inverse_sum(starts: Sequence[int], bell: Floats, side: int) -> Floats:
    """One over the sum of an axis's weights at each of its voxels."""
    total = np.zeros(max(side, len(bell)))
    for start in starts:
        total[start : start + len(bell)] += bell
    return np.asarray(1 / total[:side], np.float32)
