"""Whole slides: images too large for memory, read window by window.

OpenSlide reads Aperio (.svs), Hamamatsu (.ndpi), 3DHISTECH (.mrxs), Leica (.scn) and more; TIFF
files that it refuses are read by tifffile, and PNG, JPEG and BMP files into memory. What a scanner
left out is white, as bare glass is.

Some scanners place what they scanned on a much larger empty plane and state its bounds. A slide is
what lies within them, as in QuPath: its first pixel is that of the bounds, and `Slide.origin` says
where in the file that lies.
"""

from __future__ import annotations

import math
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from breastseg.core.errors import (
    GeometryError,
    InputError,
    MissingExtraError,
    UnreadableError,
    UnsupportedError,
)
from breastseg.io.blame import blamed
from breastseg.io.flat_image import IMAGE_STARTS, FlatImage
from breastseg.io.ome import ome_spacing_um
from breastseg.io.source import brief, opened
from breastseg.io.tiff_pages import TIFF_STARTS
from breastseg.io.tiled_tiff import TiledTiff, check_tiles, page_areas

WHITE = 255
PLAUSIBLE_UM = (0.02, 50.0)
"""What a step may be; resolution tags that were meant for printing lie outside."""
LARGEST_SIDE = 2**21
"""Pixels along a side: half a metre at a quarter of a micrometre each."""
MOST_FLAT = 2**31
"""Pixels that are read for one overview: 46,000 x 46,000 take a minute, much more takes hours."""
LARGEST_READ = 2**24
"""Pixels decoded at a time; a larger window is read in parts."""

Size = tuple[int, int]


class _Reader(Protocol):
    """What a file format must offer."""

    @property
    def levels(self) -> tuple[Size, ...]: ...

    @property
    def spacing_um(self) -> tuple[float, float] | None: ...

    def window(
        self, level: int, row: int, column: int, rows: int, columns: int
    ) -> NDArray[np.uint8]: ...

    def close(self) -> None: ...


class Slide:
    """A whole slide. Close it, or use it in ``with``.

    Rows and columns without further words are those of the full resolution.

    Args:
        path: the slide's file.
        spacing_um: (row, column) step in place of what the file states.

    Raises:
        UnreadableError: missing, damaged, or no slide.
        UnsupportedError: a TIFF file, or an image, of another kind than 8-bit grey or RGB.
        GeometryError: a step that is not above 0.
    """

    def __init__(self, path: Path, spacing_um: tuple[float, float] | None = None) -> None:
        if spacing_um is not None and not all(math.isfinite(s) and s > 0 for s in spacing_um):
            raise GeometryError(f"a step of {spacing_um} micrometres", "finite, above 0")
        self.path = path
        self._reader = _open(path)
        if max(self.size) > LARGEST_SIDE:
            self.close()
            raise UnreadableError(
                f"{path}: declares {self.size[0]} x {self.size[1]} pixels",
                f"at most {LARGEST_SIDE} along a side",
                "copy or export the slide again",
            )
        stated = self._reader.spacing_um
        low, high = PLAUSIBLE_UM
        if stated is not None and not all(low <= step <= high for step in stated):
            stated = None
        self.spacing_um: tuple[float, float] | None = spacing_um or stated

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
        self._reader.close()

    @property
    def origin(self) -> Size:
        """First (row, column) of the slide in the pixels of its file, see this module."""
        return self._reader.origin if isinstance(self._reader, _OpenSlideReader) else (0, 0)

    @property
    def size(self) -> Size:
        """(rows, columns) at full resolution."""
        return self._reader.levels[0]

    @property
    def levels(self) -> tuple[Size, ...]:
        """(rows, columns) of the full resolution and of each reduced copy in the file."""
        return self._reader.levels

    def step_for(self, um: float) -> float:
        """How many pixels of the slide one pixel of `um` micrometres covers along an axis.

        Raises:
            GeometryError: the slide's own step is not known, or differs between the axes.
        """
        if self.spacing_um is None:
            raise GeometryError(
                f"{self.path}: does not state its micrometres a pixel",
                remedy="state those of the scan",
            )
        rows, columns = self.spacing_um
        if abs(rows / columns - 1) > 0.02:
            raise GeometryError(
                f"{self.path}: {rows:g} x {columns:g} micrometres a pixel", "square pixels"
            )
        return um / math.sqrt(rows * columns)

    def size_at(self, step: float) -> Size:
        """(rows, columns) of the slide where one pixel covers `step` of its own, rounded up."""
        rows, columns = (max(1, math.ceil(side / step - 1e-6)) for side in self.size)
        return rows, columns

    def region(
        self, row: int, column: int, rows: int, columns: int, step: float = 1.0
    ) -> NDArray[np.uint8]:
        """A window of the slide at any resolution.

        Pixel i of an axis covers the slide from ``i * step`` to ``(i + 1) * step``. It is made
        with a triangle filter of the copy in the file that is nearest among the finer ones, and
        does not depend on where the window begins.

        Args:
            row: first row of the window, in pixels of `step`; may be negative.
            column: first column, likewise.
            rows: its height; may reach beyond the slide.
            columns: its width.
            step: pixels of the full resolution along one pixel of the window, above 0.

        Returns:
            (rows, columns, 3) uint8 RGB, white beyond the slide.

        Raises:
            GeometryError: a size below 1, or no step.
            UnreadableError: the file is damaged there.
        """
        if min(rows, columns) < 1 or not (math.isfinite(step) and step > 0):
            raise GeometryError(
                f"a window of {rows} x {columns} pixels of {step}", "at least 1 x 1, above 0"
            )
        level = self._level_for(step)
        scale = tuple(
            step * own / full for own, full in zip(self.levels[level], self.size, strict=True)
        )
        if rows * columns * scale[0] * scale[1] > LARGEST_READ and max(rows, columns) > 1:
            return self._in_parts(row, column, rows, columns, step)
        # the triangle reaches one target pixel to either side
        top, bottom, first_row = _span(row, rows, scale[0])
        left, right, first_column = _span(column, columns, scale[1])
        source = self._padded(level, top, left, bottom - top, right - left)
        if scale == (1.0, 1.0):
            begin, start = int(first_row), int(first_column)
            return np.ascontiguousarray(source[begin : begin + rows, start : start + columns])
        box = (
            first_column,
            first_row,
            min(first_column + columns * scale[1], source.shape[1]),
            min(first_row + rows * scale[0], source.shape[0]),
        )
        picture = Pillow.fromarray(source)
        return np.array(picture.resize((columns, rows), Pillow.Resampling.BILINEAR, box))

    def thumbnail(self, longest: int = 1024) -> tuple[NDArray[np.uint8], float]:
        """The whole slide, small.

        Args:
            longest: pixels along the longer side at most; a smaller slide stays as it is. A copy
                in the file that has at least half of them is taken as it is.

        Returns:
            (rows, columns, 3) uint8 RGB, and the step of its pixels as in `region`.

        Raises:
            UnsupportedError: the file has no reduced copy, and more than `MOST_FLAT` pixels.
        """
        step = max(1.0, max(self.size) / longest)
        for level in self.levels:
            if longest / 2 <= max(level) <= longest:
                step = max(self.size) / max(level)
                break
        rows, columns = self.size_at(step)
        read = self.levels[self._level_for(step)]
        if math.prod(read) > MOST_FLAT:
            raise UnsupportedError(
                f"{self.path}: its copy for an overview has {read[0]} x {read[1]} pixels",
                f"a reduced copy of at most {MOST_FLAT} pixels, as a pyramid has",
                "save the slide as a pyramid",
            )
        return self.region(0, 0, rows, columns, step), step

    def _level_for(self, step: float) -> int:
        fine = [i for i, size in enumerate(self.levels) if self.size[0] / size[0] <= step * 1.01]
        return fine[-1] if fine else 0

    def _in_parts(
        self, row: int, column: int, rows: int, columns: int, step: float
    ) -> NDArray[np.uint8]:
        """Halves along the longer side, each read for itself."""
        if rows >= columns:
            half = rows // 2
            upper = self.region(row, column, half, columns, step)
            return np.vstack((upper, self.region(row + half, column, rows - half, columns, step)))
        half = columns // 2
        left = self.region(row, column, rows, half, step)
        return np.hstack((left, self.region(row, column + half, rows, columns - half, step)))

    def _padded(
        self, level: int, row: int, column: int, rows: int, columns: int
    ) -> NDArray[np.uint8]:
        """A window at a level, white where it reaches beyond."""
        height, width = self.levels[level]
        out = np.full((rows, columns, 3), WHITE, np.uint8)
        top, left = max(row, 0), max(column, 0)
        bottom, right = min(row + rows, height), min(column + columns, width)
        if bottom > top and right > left:
            part = self._reader.window(level, top, left, bottom - top, right - left)
            out[top - row : bottom - row, left - column : right - column] = part
        return out


def _span(first: int, count: int, scale: float) -> tuple[int, int, float]:
    """First and one-past-last pixel to read, and where among them the window begins."""
    reach = 0 if scale == 1 else math.ceil(max(scale, 1.0)) + 1
    begin = math.floor(first * scale) - reach
    end = math.ceil((first + count) * scale) + reach
    return begin, end, first * scale - begin


def _open(path: Path) -> _Reader:
    try:
        from openslide import OpenSlideError, OpenSlideUnsupportedFormatError
    except ImportError as error:
        raise MissingExtraError(
            "whole slides need openslide-python and openslide-bin",
            remedy="pip install openslide-python openslide-bin",
        ) from error
    with opened(path) as stream:
        head = stream.read(4)
    if head in TIFF_STARTS:
        check_tiles(path)
    try:
        reader = _OpenSlideReader(path)
        if not reader.is_largest(path):
            reader.close()
            return TiledTiff(path)
        return reader
    except OpenSlideUnsupportedFormatError as error:
        if head in TIFF_STARTS:
            return TiledTiff(path)
        if head.startswith(IMAGE_STARTS):
            return FlatImage(path)
        raise UnreadableError(
            f"{path}: is no whole slide",
            ".svs, .ndpi, .mrxs, .scn, .tif, or a part of one as .png or .jpg",
            "name a slide's file",
        ) from error
    except OpenSlideError as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> InputError:
    damage = UnreadableError(
        f"{path}: is damaged or incomplete ({brief(error, 150)})",
        "a whole slide",
        "copy the slide again, with the files that belong to it",
    )
    return blamed(error, str(path), damage)


class _OpenSlideReader:
    """A slide by OpenSlide."""

    def __init__(self, path: Path) -> None:
        import openslide

        self._path = path
        self._slide = openslide.OpenSlide(path)
        self._error = openslide.OpenSlideError
        self.origin, self._size = self._bounds()

    def is_largest(self, path: Path) -> bool:
        """Whether all other pages of a plain TIFF file are smaller: OpenSlide takes the first.

        Formats of a scanner's maker say themselves which page is the slide.
        """
        if self._slide.properties.get("openslide.vendor") != "generic-tiff":
            return True
        columns, rows = self._slide.dimensions
        others = page_areas(path)[1:]
        return all(area < columns * rows for area in others)

    def _bounds(self) -> tuple[Size, Size]:
        """First (row, column) of what was scanned, and its size; all where nothing is stated."""
        columns, rows = self._slide.dimensions
        try:
            row, column, height, width = (
                int(self._slide.properties[f"openslide.bounds-{side}"])
                for side in ("y", "x", "height", "width")
            )
        except (KeyError, ValueError):
            return (0, 0), (rows, columns)
        if min(row, column) < 0 or min(height, width) < 1:
            return (0, 0), (rows, columns)
        if row + height > rows or column + width > columns:
            return (0, 0), (rows, columns)
        return (row, column), (height, width)

    @property
    def levels(self) -> tuple[Size, ...]:
        whole = self._slide.dimensions
        return tuple(
            (
                max(1, round(self._size[0] * rows / whole[1])),
                max(1, round(self._size[1] * columns / whole[0])),
            )
            for columns, rows in self._slide.level_dimensions
        )

    @property
    def spacing_um(self) -> tuple[float, float] | None:
        columns, rows = self._slide.dimensions
        said = self._slide.properties.get("tiff.ImageDescription")
        stated = ome_spacing_um(said, (rows, columns))
        if stated is not None:
            return stated
        try:
            properties = self._slide.properties
            step = float(properties["openslide.mpp-y"]), float(properties["openslide.mpp-x"])
        except (KeyError, ValueError):
            return None
        return step if all(math.isfinite(s) and s > 0 for s in step) else None

    def window(
        self, level: int, row: int, column: int, rows: int, columns: int
    ) -> NDArray[np.uint8]:
        scale = self._slide.level_downsamples[level]
        top, left = self.origin
        corner = (left + round(column * scale), top + round(row * scale))
        try:
            picture = self._slide.read_region(corner, level, (columns, rows))
        except self._error as error:
            raise _damaged(self._path, error) from error
        # what was not scanned is transparent
        glass = Pillow.new("RGBA", picture.size, (WHITE, WHITE, WHITE, WHITE))
        return np.array(Pillow.alpha_composite(glass, picture).convert("RGB"))

    def close(self) -> None:
        self._slide.close()
