"""TIFF files whose samples Pillow shows wrongly or not at all, and ImageJ's stacks.

These are signed, floating-point and deep samples (TIFF 6.0, section 19), colour of more than 8
bits, and stacks that ImageJ writes with one directory and all planes one after the other behind it.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from breastseg.core.errors import UnreadableError, UnsupportedError
from breastseg.core.signals import heed_interruption
from breastseg.io.codestream import jpeg_damage
from breastseg.io.source import check_size, one_if_equal
from breastseg.io.tiff_pages import check_page_chain, empty_parts

if TYPE_CHECKING:
    from types import ModuleType

    from tifffile import TiffPage

Plane = tuple[NDArray[np.generic], int, tuple[str, ...]]
"""(channels, rows, columns) with bright large, the orientation that the file states, remarks."""

_STORED = (1, 8, 32946)  # without compression, deflate twice
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB = 0, 1, 2
_REDUCED, _MASK = 0b001, 0b100
_IMAGES = re.compile(r"^images=(\d+)\s*$", re.MULTILINE)
_COMPRESSION, _JPEG, _JPEG_TABLES = 259, 7, 347  # TIFF technical note 2
_PLACES = ((273, 324), (279, 325))  # offsets and lengths, of strips or tiles
_PLAIN_BITS = (1, 2, 4, 8, 16)


def special_planes(stream: BinaryIO, name: str) -> Iterator[Plane] | None:
    """The planes of a TIFF file that Pillow is not to read; None where it is.

    Args:
        stream: the file.
        name: what messages call it.

    Raises:
        UnreadableError: a stack that ends before its last plane, once the whole ones have come; or
            pages without end.
        UnsupportedError: too large, or with images inside of a page.
    """
    check_page_chain(stream, name)
    stream.seek(0)
    try:
        file = _library().TiffFile(stream)
        first = file.pages[0]
        sizes = (first.imagelength, first.imagewidth)
        pages = [page for page in file.pages if is_page(page, sizes)]
        planes = _stack_size(first) if len(pages) == 1 else 1
        inside = any(_holds_more(page, sizes) for page in file.pages)
    except Exception:  # noqa: BLE001 -- Pillow then says what is wrong with the file
        heed_interruption()
        return None
    if inside:
        raise UnsupportedError(
            f"{name}: holds further images inside of a page",
            "one image a page",
            "export it again, for instance with ImageJ",
        )
    if planes > 1:
        return _stack(stream, first, planes, file.byteorder, name)
    big_endian = file.is_bigtiff and file.byteorder == ">"  # which Pillow does not know
    special = big_endian or any(_is_special(page) for page in pages)
    special = special and all(map(_is_readable, pages))
    return (_plane(page, page.asarray, name) for page in pages) if special else None


def is_page(page: TiffPage, first: tuple[int, int]) -> bool:
    """Whether a page is one of the images, and no reduced copy or mask; see `is_image_page`."""
    size = (page.imagelength, page.imagewidth)
    return is_image_page(int(page.subfiletype), size, first)


def is_image_page(kind: int, size: tuple[int, int], first: tuple[int, int]) -> bool:
    """Whether a page is an image of its own.

    Args:
        kind: NewSubfileType; bit 0 calls it a reduced copy, bit 2 a transparency mask.
        size: of the page.
        first: size of the first page; what is called reduced and is as large is an image.
    """
    return not kind & _MASK and (not kind & _REDUCED or size == first)


def _holds_more(page: TiffPage, first: tuple[int, int]) -> bool:
    """Whether a page holds images that no other page is: planes one behind the other, or pages.

    A page below it that is no reduced copy is the image itself in raw files of cameras, of which
    the page is a preview.
    """
    below = [one.keyframe for one in page.pages or ()] if page.subifds else []
    return page.imagedepth > 1 or any(is_page(one, first) for one in below if one is not None)


@cache
def _library() -> ModuleType:
    """The tifffile package, which otherwise prints what it finds wrong."""
    import tifffile

    logging.getLogger("tifffile").addHandler(logging.NullHandler())
    library: ModuleType = tifffile
    return library


def _is_readable(page: TiffPage) -> bool:
    known = page.photometric in (_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB)
    return known and page.compression in _STORED and page.predictor == 1 and page.dtype is not None


def _is_special(page: TiffPage) -> bool:
    bits = int(page.bitspersample)
    deep_colour = page.photometric == _RGB and bits > 8
    several = page.photometric in (_WHITE_IS_ZERO, _BLACK_IS_ZERO) and page.samplesperpixel > 1
    return int(page.sampleformat) != 1 or bits not in _PLAIN_BITS or deep_colour or several


def _plane(page: TiffPage, read: object, name: str) -> Plane:
    check_size(page.imagelength, page.imagewidth, name)
    damage = empty_parts(page.dataoffsets, page.databytecounts, page.compression != 1)
    if damage:
        raise UnreadableError(f"{name}: {damage}", "a whole TIFF file", "export it again")
    assert callable(read)
    array = np.asarray(read())
    if array.ndim == 3 and page.planarconfig == 1:
        array = np.moveaxis(array, 2, 0)
    tag = page.tags.get(274)
    orientation = int(tag.value) if tag is not None else 1
    used = 3 if page.photometric == _RGB else 1
    return _shown(array, page), orientation, unused_channels(page.samplesperpixel, used)


def unused_channels(samples: int, used: int) -> tuple[str, ...]:
    """The remark on a page with more samples a pixel than colours; an alpha channel is one too."""
    if samples <= used:
        return ()
    return (f"the file holds {samples} channels: of the last {samples - used} nothing is seen",)


def _shown(array: NDArray[Any], page: TiffPage) -> NDArray[np.generic]:
    """As a viewer would: grey or colour without further samples, and bright is large."""
    array = array[None] if array.ndim == 2 else array[: 3 if page.photometric == _RGB else 1]
    wider = {"f2": np.float32, "i1": np.int16, "i8": np.float64, "u8": np.float64}
    dtype = wider.get(array.dtype.str[1:], array.dtype.newbyteorder("="))
    array = array.astype(dtype, copy=False)
    if page.photometric == _WHITE_IS_ZERO:
        known = array[np.isfinite(array)] if array.dtype.kind == "f" else array
        high, low = (known.max(), known.min()) if known.size else (0, 0)
        array = np.asarray(high - array + low)
    return one_if_equal(array) if len(array) == 3 else array


def _stack_size(page: TiffPage) -> int:
    """How many planes ImageJ says lie behind one directory; 1 where it is no such stack."""
    said = _IMAGES.search(page.description) if page.description.startswith("ImageJ=") else None
    plain = page.compression == 1 and page.dtype is not None and _is_readable(page)
    return int(said[1]) if said and plain else 1


def _stack(
    stream: BinaryIO, page: TiffPage, planes: int, byteorder: str, name: str
) -> Iterator[Plane]:
    dtype = np.dtype(page.dtype).newbyteorder("<" if byteorder == "<" else ">")
    samples = int(page.samplesperpixel)
    shape = (page.imagelength, page.imagewidth, *((samples,) if samples > 1 else ()))
    check_size(page.imagelength, page.imagewidth, name)
    length = int(np.prod(shape)) * dtype.itemsize
    for plane in range(planes):
        stream.seek(page.dataoffsets[0] + plane * length)
        data = stream.read(length)
        if len(data) < length:
            raise UnreadableError(
                f"{name}: holds {plane} of {planes} planes",
                "a whole ImageJ stack",
                "export it again: it was cut short",
            )
        array = np.frombuffer(data, dtype).reshape(shape)
        yield _plane(page, lambda array=array: array, name)


def jpeg_parts_damage(stream: BinaryIO, tags: Mapping[int, object]) -> str:
    """Why JPEG strips or tiles of a TIFF page are not whole; empty where they are, or are no JPEG.

    Args:
        stream: the file.
        tags: of the page, by number.
    """
    if tags.get(_COMPRESSION) != _JPEG:
        return ""
    tables = tags.get(_JPEG_TABLES)
    shared = tables[:-2] if isinstance(tables, bytes) else b""
    starts, lengths = (_numbers(tags.get(strips) or tags.get(tiles)) for strips, tiles in _PLACES)
    for start, length in zip(starts, lengths, strict=False):
        stream.seek(start)
        part = stream.read(length)
        damage = jpeg_damage(shared + part[2:] if shared else part)
        if damage:
            return damage
    return ""


def places_damage(tags: Mapping[int, object]) -> str:
    """Why strips or tiles of a TIFF page are not all there; see `empty_parts`.

    Args:
        tags: of the page, by number.
    """
    starts, lengths = (_numbers(tags.get(strips) or tags.get(tiles)) for strips, tiles in _PLACES)
    return empty_parts(starts, lengths, tags.get(_COMPRESSION, 1) != 1)


def _numbers(value: object) -> tuple[int, ...]:
    many = value if isinstance(value, tuple) else (value,)
    return tuple(number for number in many if isinstance(number, int))
