"""Keeping the regions that reach a score and some size, on a mask that is larger than memory.

A region may reach over any number of tiles, and its highest score may lie in the last of them. So
tiles are numbered and joined as they come and put aside, compressed, in a temporary file; once the
last has come, each is taken up again and what does not reach the score, or is too small, is left
out. Memory holds one tile, the last row of pixels across the slide, and some bytes a region.
"""

from __future__ import annotations

import tempfile
import zlib
from array import array
from collections.abc import Iterable, Iterator
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from breastseg.core.regions import connected_regions

IN_REGION, AT_SCORE = 1, 2
"""In a tile: inside a region, and one of the places that make a region one to keep."""


def regions_to_keep(
    tiles: Iterable[NDArray[np.uint8]], across: int, min_px: float = 0
) -> Iterator[NDArray[np.bool_]]:
    """Drop the regions in which no pixel reaches the score, and small ones, wherever they end.

    Regions touch by a side or a corner, as in `breastseg.core.prediction.Prediction.lesions`.

    Args:
        tiles: (side, side) of 0, `IN_REGION` and `AT_SCORE`, all of one size, row by row. All are
            taken before the first comes out.
        across: how many are in a row.
        min_px: pixels of the smallest region that is kept.

    Yields:
        (side, side) bool in the same order.
    """
    regions = _Regions(across)
    with tempfile.TemporaryFile() as aside:
        lengths = [_put(aside, tile, regions) for tile in tiles]
        kept = regions.kept(min_px)
        aside.seek(0)
        first = 1
        for length in lengths:
            inside = _take(aside, length, regions.side)
            numbers, count = _numbered(inside)
            yield kept[_in_all(numbers, first)]
            first += count


class _Regions:
    """The regions met so far, numbered from 1 in all tiles; parts of one have one root.

    Args:
        across: how many tiles are in a row.
    """

    def __init__(self, across: int) -> None:
        self.side = 0
        self._across = across
        self._roots = array("q", [0])
        self._scores = bytearray(1)
        self._sizes = array("q", [0])
        self._met = 0
        self._above = self._below = self._left = np.zeros(0, np.int64)

    def add(self, tile: NDArray[np.uint8]) -> None:
        """Number the regions of the next tile and join them to those that they touch."""
        self.side = len(tile)
        place = self._met % self._across
        self._met += 1
        if place == 0:
            self._above, self._left = self._below, np.zeros(self.side + 2, np.int64)
            # a pixel more to either side, so that each has three neighbours
            self._below = np.zeros(self._across * self.side + 2, np.int64)
        numbers, count = _numbered(tile > 0)
        first = len(self._roots)
        self._roots.extend(range(first, first + count))
        self._scores.extend(bytes(count))
        self._sizes.extend(np.bincount(numbers.ravel(), minlength=count + 1)[1:].tolist())
        numbers = _in_all(numbers, first)
        for number in np.unique(numbers[tile == AT_SCORE]).tolist():
            self._scores[number] = 1
        columns = slice(place * self.side, (place + 1) * self.side + 2)
        if self._above.size:
            self._join(numbers[0], self._above[columns])
        self._join(numbers[:, 0], self._left)
        self._below[columns][1:-1] = numbers[-1]
        self._left = np.pad(numbers[:, -1], 1)

    def kept(self, min_px: float) -> NDArray[np.bool_]:
        """Whether the region of each number reaches the score and the size; False for 0."""
        roots = np.array([self._root(number) for number in range(len(self._roots))])
        has = np.zeros(len(roots), bool)
        has[roots[np.frombuffer(self._scores, bool)]] = True
        sizes = np.bincount(roots, self._sizes, len(roots))
        return np.asarray((has & (sizes >= min_px))[roots])

    def _join(self, edge: NDArray[np.int64], beside: NDArray[np.int64]) -> None:
        """Join what touches across an edge; `beside` reaches a pixel further at both ends."""
        for shift in range(3):
            pairs = np.stack([edge, beside[shift : shift + len(edge)]], axis=1)
            for touching in np.unique(pairs[pairs.all(axis=1)], axis=0).tolist():
                lower, higher = sorted(map(self._root, touching))
                self._roots[higher] = lower

    def _root(self, number: int) -> int:
        while (above := self._roots[number]) != number:
            self._roots[number] = self._roots[above]  # halves the way for the next
            number = self._roots[number]
        return number


def _numbered(inside: NDArray[np.bool_]) -> tuple[NDArray[np.int64], int]:
    """The regions of one tile, numbered from 1, and how many there are."""
    regions = connected_regions(inside)
    return regions.labels.astype(np.int64), len(regions)


def _in_all(numbers: NDArray[np.int64], first: int) -> NDArray[np.int64]:
    """From numbers in a tile to numbers in all, of which the tile's first is `first`."""
    return np.where(numbers > 0, numbers + (first - 1), 0)


def _put(aside: BinaryIO, tile: NDArray[np.uint8], regions: _Regions) -> int:
    """Number a tile and put it aside; the length of what was written, 0 for an empty one."""
    regions.add(tile)
    if not tile.any():
        return 0
    return aside.write(zlib.compress(np.packbits(tile > 0).tobytes(), 1))


def _take(aside: BinaryIO, length: int, side: int) -> NDArray[np.bool_]:
    if not length:
        return np.zeros((side, side), bool)
    packed = np.frombuffer(zlib.decompress(aside.read(length)), np.uint8)
    return np.unpackbits(packed, count=side * side).reshape(side, side).astype(bool)
