"""A mask of any size as a tiled TIFF with reduced copies, written tile by tile."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from breastseg.core.errors import GeometryError
from breastseg.io.tiled_tiff import TiledTiff
from breastseg.io.write import replacing

INSIDE = 255
"""The grey level of what is outlined; all else is 0."""
SMALLEST = 1024
"""Copies are made until the longer side is at most this."""

Size = tuple[int, int]


def write_mask_pyramid(
    path: Path,
    tiles: Iterable[NDArray[np.bool_]],
    size: Size,
    tile: int,
    um_per_px: float | None = None,
) -> None:
    """Write a mask whose tiles come one after the other, whole or not at all.

    The file is a BigTIFF of 8-bit grey, 255 inside and 0 outside, compressed by deflate. Each copy
    has half the size of the one before; of its pixels those are inside of which at least half was.
    Only two rows of tiles of one copy are in memory at a time.

    Args:
        path: the file to write.
        tiles: (tile, tile) bool each, row by row; what reaches beyond `size` is cut off.
        size: (rows, columns) of the mask.
        tile: rows and columns of a tile, a multiple of 16.
        um_per_px: micrometres a pixel, for the resolution tags.

    Raises:
        GeometryError: a tile side that is none, or too few tiles.
        InputError: the file cannot be written.
    """
    import tifffile

    if tile < 16 or tile % 16:
        raise GeometryError(f"tiles of {tile} pixels", "a multiple of 16")
    wanted = math.prod(math.ceil(side / tile) for side in size)
    with replacing(path) as temporary:
        rising = _counted(tiles, wanted, tile)
        level = 0
        while True:
            with tifffile.TiffWriter(temporary, bigtiff=True, append=level > 0) as writer:
                writer.write(
                    rising,
                    shape=size,
                    dtype=np.uint8,
                    tile=(tile, tile),
                    photometric="minisblack",
                    compression="zlib",
                    subfiletype=1 if level else 0,
                    metadata=None,
                    resolution=_resolution(um_per_px, level),
                    resolutionunit="NONE" if um_per_px is None else "CENTIMETER",
                )
            if max(size) <= SMALLEST:
                return
            rising, level = _halved(temporary, level, size, tile), level + 1
            size = (math.ceil(size[0] / 2), math.ceil(size[1] / 2))


def read_mask_level(path: Path, most: int) -> tuple[NDArray[np.bool_], int]:
    """The finest copy in a file of `write_mask_pyramid` that has at most so many pixels.

    Args:
        path: the file.
        most: pixels; the smallest copy is taken where all have more.

    Returns:
        (rows, columns) bool, and how often it was halved: 0 for the mask itself.

    Raises:
        UnreadableError: missing or damaged.
    """
    with TiledTiff(path) as tiff:
        fitting = [level for level, size in enumerate(tiff.levels) if math.prod(size) <= most]
        level = fitting[0] if fitting else len(tiff.levels) - 1
        return tiff.window(level, 0, 0, *tiff.levels[level])[..., 0] > INSIDE // 2, level


def _counted(
    tiles: Iterable[NDArray[np.bool_]], wanted: int, tile: int
) -> Iterator[NDArray[np.uint8]]:
    """The tiles in grey, checked."""
    count = 0
    for count, values in enumerate(tiles, start=1):
        if values.shape != (tile, tile) or count > wanted:
            raise GeometryError(
                f"tile {count} of shape {values.shape}", f"{wanted} tiles of {tile} x {tile}"
            )
        yield np.where(values, np.uint8(INSIDE), np.uint8(0))
    if count < wanted:
        raise GeometryError(f"{count} tiles", f"{wanted}")


def _halved(path: Path, level: int, size: Size, tile: int) -> Iterator[NDArray[np.uint8]]:
    """The tiles of the next copy, from the last one in the file."""
    with TiledTiff(path) as tiff:
        for row in range(0, math.ceil(size[0] / 2), tile):
            for column in range(0, math.ceil(size[1] / 2), tile):
                height = min(2 * tile, size[0] - 2 * row)
                width = min(2 * tile, size[1] - 2 * column)
                fine = tiff.window(level, 2 * row, 2 * column, height, width)[..., 0] > 0
                fine = np.pad(fine, ((0, height % 2), (0, width % 2)), mode="edge")
                blocks = fine.reshape(fine.shape[0] // 2, 2, fine.shape[1] // 2, 2)
                small = np.where(blocks.sum(axis=(1, 3)) >= 2, np.uint8(INSIDE), np.uint8(0))
                out = np.zeros((tile, tile), np.uint8)
                out[: small.shape[0], : small.shape[1]] = small
                yield out


def _resolution(um_per_px: float | None, level: int) -> tuple[float, float]:
    """Pixels a centimetre along both axes; 1 without a unit where the step is not known."""
    steps_a_cm = 1.0 if um_per_px is None else 10_000 / (um_per_px * 2**level)
    return steps_a_cm, steps_a_cm
