"""Windows of a large TIFF image: only the tiles or strips that a window touches are decoded."""

from __future__ import annotations

import logging
import math
import operator
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from breastseg.core.errors import GeometryError, UnreadableError, UnsupportedError
from breastseg.io.memory import check_memory
from breastseg.io.ome import ome_spacing_um
from breastseg.io.source import brief, opened, quiet
from breastseg.io.tiff_pages import check_page_chain

if TYPE_CHECKING:
    from tifffile import TiffPage

_REDUCED = 1  # TIFF 6.0, NewSubfileType: a smaller copy of another page
_UM_OF_UNIT = {2: 25_400.0, 3: 10_000.0}  # ResolutionUnit: inch, centimetre
_RGB, _YCBCR, _GREY = 2, 6, 1
_JPEG = 7
_NOWHERE = logging.NullHandler()
_ERRORS = (
    OSError,
    ValueError,
    RuntimeError,
    IndexError,
    KeyError,
    TypeError,
    ArithmeticError,
    AttributeError,
    MemoryError,
    struct.error,
    zlib.error,
)
"""What tifffile raises on damaged input."""


def check_tiles(path: Path) -> None:
    """Refuse a TIFF file whose tiles would take more memory than the limit.

    OpenSlide ends the whole process where it cannot have the memory for a tile. What tifffile does
    not understand passes: OpenSlide knows formats that it does not.

    Raises:
        UnsupportedError: they would, see `breastseg.io.memory`.
        UnreadableError: its pages have no end.
    """
    from tifffile import TiffFile

    with opened(path) as stream:
        check_page_chain(stream, str(path))

    logging.getLogger("tifffile").addHandler(_NOWHERE)
    try:
        with quiet(), TiffFile(path) as file:
            tiles = [_tile_of(one.aspage()) for one in file.pages]
    except _ERRORS:
        return
    for rows, columns in tiles:
        check_memory(4 * rows * columns, str(path), f"tiles of {columns} x {rows} pixels")


def page_areas(path: Path) -> list[int]:
    """Pixels of each page of a TIFF file; none where tifffile does not understand it."""
    from tifffile import TiffFile

    try:
        with quiet(), TiffFile(path) as file:
            return [_area(one.aspage()) for one in file.pages]
    except _ERRORS:
        return []


def _area(page: TiffPage) -> int:
    return int(page.imagelength) * int(page.imagewidth)


def _tile_of(page: TiffPage) -> tuple[int, int]:
    """(rows, columns) that are decoded at a time: of a tile, or of a strip."""
    if page.is_tiled:
        return operator.index(page.tilelength), operator.index(page.tilewidth)
    rows = min(operator.index(page.rowsperstrip), operator.index(page.imagelength))
    return rows, operator.index(page.imagewidth)


class TiledTiff:
    """The largest image of a TIFF file and its reduced copies. Close it, or use it in ``with``.

    What else lies in the file, such as its label, is passed over.

    Args:
        path: a TIFF or BigTIFF file of 8-bit grey or RGB, tiled or in strips.

    Raises:
        UnreadableError: missing, damaged, or no TIFF.
        UnsupportedError: another kind of pixels, or several images of the largest size, such as
            channels or focal planes.
    """

    def __init__(self, path: Path) -> None:
        from tifffile import TiffFile

        with opened(path) as stream:  # says what is wrong with the path
            check_page_chain(stream, str(path))
        self.path = path
        # what it would print, it raises, or it is no matter; whoever sets up logging has it still
        logging.getLogger("tifffile").addHandler(_NOWHERE)
        with self._decoding():
            self._file = TiffFile(path)
        try:
            with self._decoding():
                self._pages = self._levels()
                for page in self._pages:
                    self._check(page)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; nothing can be read any more."""
        self._file.close()

    @property
    def levels(self) -> tuple[tuple[int, int], ...]:
        """(rows, columns) of the image and of each reduced copy, the largest first."""
        return tuple((page.imagelength, page.imagewidth) for page in self._pages)

    @property
    def spacing_um(self) -> tuple[float, float] | None:
        """(row, column) step in micrometres, by OME-XML or else by the resolution tags.

        None where both are absent.
        """
        stated = ome_spacing_um(self._file.ome_metadata, self.levels[0])
        if stated is not None:
            return stated
        tags = self._pages[0].tags
        try:
            unit = _UM_OF_UNIT[tags.valueof("ResolutionUnit", 2)]
            (high, below), (wide, beside) = (tags.valueof(f"{side}Resolution") for side in "YX")
            return unit * below / high, unit * beside / wide
        except (KeyError, TypeError, ValueError, ArithmeticError):
            return None

    def window(
        self, level: int, row: int, column: int, rows: int, columns: int
    ) -> NDArray[np.uint8]:
        """A part of one level.

        Args:
            level: index into `levels`.
            row: first row of the window, at that level.
            column: first column.
            rows: its height; it must lie within the level.
            columns: its width.

        Returns:
            (rows, columns, samples) uint8; 1 sample for grey, 3 for RGB.

        Raises:
            GeometryError: the window reaches beyond the level.
            UnreadableError: a tile is damaged.
        """
        page = self._pages[level]
        height, width = self.levels[level]
        if min(row, column) < 0 or min(rows, columns) < 1:
            raise GeometryError(f"a window at {row}, {column} of {rows} x {columns} pixels")
        if row + rows > height or column + columns > width:
            raise GeometryError(
                f"a window at {row}, {column} of {rows} x {columns} pixels",
                f"one within {height} x {width}",
            )
        samples = int(page.samplesperpixel)
        out = np.zeros((rows, columns, samples), np.uint8)
        for top, left, tile in self._tiles(page, row, column, row + rows, column + columns):
            first, begin = max(top, row), max(left, column)
            last = min(top + tile.shape[0], row + rows)
            end = min(left + tile.shape[1], column + columns)
            if last > first and end > begin:
                part = tile[first - top : last - top, begin - left : end - left]
                out[first - row : last - row, begin - column : end - column] = part
        return out

    def _tiles(
        self, page: TiffPage, row: int, column: int, below: int, right: int
    ) -> Iterator[tuple[int, int, NDArray[np.uint8]]]:
        """First row and column, and pixels, of each tile that touches the window."""
        height, width = _tile_of(page)
        across = math.ceil(page.imagewidth / width)
        handle = self._file.filehandle
        for i in range(row // height, math.ceil(below / height)):
            for j in range(column // width, math.ceil(right / width)):
                index = i * across + j
                with self._decoding():
                    if page.databytecounts[index] == 0:
                        continue  # a tile that was left out holds zeros
                    handle.seek(page.dataoffsets[index])
                    data = handle.read(page.databytecounts[index])
                    options = {"jpegtables": page.jpegtables} if page.compression == _JPEG else {}
                    decoded = page.decode(data, index, **options)[0]
                if decoded is not None:
                    yield i * height, j * width, np.asarray(decoded[0], np.uint8)

    def _levels(self) -> list[TiffPage]:
        """The largest page and the reduced copies beside it or that hang on it, by size."""
        # read whole, never as frames, which know their tiles alone
        pages = [self._file.pages[index].aspage() for index in range(len(self._file.pages))]
        if not pages:
            raise UnreadableError(
                f"{self.path}: holds no page", "a whole TIFF file", "export it again"
            )
        first = max(pages, key=_area)
        others = (*pages, *(page.aspage() for page in first.pages or ()))
        copies = (page for page in others if page is not first and page.subfiletype & _REDUCED)
        found = [first, *copies]
        as_large = [page for page in pages if _area(page) == _area(first)]
        if len(as_large) > 1:
            raise UnsupportedError(
                f"{self.path}: holds {len(as_large)} images of {first.imagewidth} x "
                f"{first.imagelength} pixels, such as channels or focal planes",
                "one image of the full size, with its reduced copies",
                "export the one that is meant, in RGB",
            )
        for page in found:
            if min(page.imagelength, page.imagewidth, *_tile_of(page)) < 1:
                raise UnreadableError(
                    f"{self.path}: has a page of {page.imagelength} x {page.imagewidth} pixels",
                    "a whole TIFF file, each page with a width and a length",
                    "export it again",
                )
        shape = first.imagelength / first.imagewidth
        # labels and images of the whole glass are reduced pages too, of another form
        alike = [p for p in found if abs(p.imagelength / p.imagewidth / shape - 1) < 0.02]
        return sorted(alike, key=lambda page: -int(page.imagelength))

    def _check(self, page: TiffPage) -> None:
        height, width = _tile_of(page)
        check_memory(4 * height * width, str(self.path), f"tiles of {width} x {height} pixels")
        # JPEG alone turns its luminance and colour differences into RGB when it is decoded
        kinds = {(_GREY, 1), (_RGB, 3), *([(_YCBCR, 3)] if page.compression == _JPEG else [])}
        found = (int(page.photometric), int(page.samplesperpixel))
        if found not in kinds or page.bitspersample != 8 or page.planarconfig != 1:
            raise UnsupportedError(
                f"{self.path}: pixels of {page.samplesperpixel} x {page.bitspersample} bits, "
                f"{page.photometric!s}",
                "8-bit grey or RGB, channels together",
                "export it as RGB",
            )

    @contextmanager
    def _decoding(self) -> Iterator[None]:
        """The one place where tifffile's exceptions become ours."""
        try:
            with quiet():
                yield
        except _ERRORS as error:
            raise UnreadableError(
                f"{self.path}: cannot be read as TIFF ({brief(error, 150)})",
                "a whole TIFF file, uncompressed or compressed by deflate",
                "export it again; other compressions need the package imagecodecs",
            ) from error
