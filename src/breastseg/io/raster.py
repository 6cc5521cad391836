"""PNG, JPEG, TIFF and BMP.

Pixels come out as a viewer would show them: palettes are looked up, CMYK becomes RGB, 1 bit
becomes 0 and 255, min-is-white becomes bright-is-large, and the EXIF orientation is applied.
Grey keeps its depth. Colour has 8 bits a channel: of 16-bit colour in a PNG file the high byte is
kept; TIFF keeps all (see `breastseg.io.tiff_samples`). An alpha channel is composited on black, so
what is transparent counts as nothing. Colour whose channels are all equal becomes one channel.

The physical resolution in a PNG or TIFF says how large to print the image, not how large the
breast is, so it is no spacing. Only the text chunk that `breastseg.io.write.write_png` writes is.
"""

from __future__ import annotations

import ctypes
import logging
import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import (
    BmpImagePlugin,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    _imaging,
)
from PIL import Image as Pillow

from breastseg.core.errors import GeometryError, UnreadableError, UnsupportedError
from breastseg.core.grid import Grid
from breastseg.core.image import Image
from breastseg.io.blame import blamed
from breastseg.io.codestream import jpeg_damage
from breastseg.io.raster_checks import (
    SEVERAL_JPEG,
    check_parts,
    check_rows,
    first_of_many,
    not_seen,
    tiff_tag,
)
from breastseg.io.source import (
    brief,
    check_size,
    constant_remark,
    name_of,
    one_if_equal,
    opened,
    quiet,
)
from breastseg.io.tiff_pages import TIFF_STARTS
from breastseg.io.tiff_samples import (
    Plane,
    is_image_page,
    jpeg_parts_damage,
    special_planes,
)
from breastseg.io.upright import upright
from breastseg.io.write import SPACING_KEY

# Naming the plug-ins imports them, and keeps Pillow from importing the other forty.
_FORMATS = tuple(
    kind.format
    for kind in (
        PngImagePlugin.PngImageFile,
        JpegImagePlugin.JpegImageFile,
        TiffImagePlugin.TiffImageFile,
        BmpImagePlugin.BmpImageFile,
    )
)

PILLOW_ERRORS = (
    OSError,  # includes UnidentifiedImageError and "image file is truncated"
    SyntaxError,  # Pillow's word for a broken header
    ValueError,
    EOFError,
    struct.error,
    zlib.error,
    Pillow.DecompressionBombError,
    MemoryError,
    OverflowError,
    IndexError,
    KeyError,
    TypeError,
    AttributeError,
    ZeroDivisionError,
    RuntimeError,  # includes NotImplementedError and RecursionError
    AssertionError,
)
"""What Pillow's decoders raise on damaged input, found by feeding them damaged input."""

_ORIENTATION = 0x0112  # EXIF and TIFF 6.0
_SUBFILE_TYPE = 254  # TIFF 6.0, section 8; bit 0: a reduced copy, bit 2: a transparency mask
_PHOTOMETRIC = 262
_SAMPLE_FORMAT, _UNSIGNED, _SIGNED = 339, 1, 2
_WHITE_IS_ZERO = 0


def read_raster(path: Path | BinaryIO, source: str = "") -> Image:
    """Read one image, the first where a TIFF file has several pages.

    Args:
        path: a PNG, JPEG, TIFF or BMP file, or a seekable binary stream of one.
        source: what messages and the image call it; the path by default.

    Returns:
        (channels, rows, columns) with 1 or 3 channels; uint8 or, for deeper grey, uint16,
        int32, uint32 or float32. The spacing is unknown unless `write_png` wrote it.

    Raises:
        UnreadableError: missing, empty, truncated, damaged, or none of these formats.
        UnsupportedError: more than `breastseg.io.source.MAX_PIXELS`, or a colour space
            that has no plain RGB form.
    """
    return next(read_raster_pages(path, source))


def read_raster_pages(path: Path | BinaryIO, source: str = "") -> Iterator[Image]:
    """Read the pages of a TIFF file one after the other, or the one image of another format.

    Reduced copies and transparency masks inside a TIFF file are no pages and are passed over.
    `Image.frame` counts the pages from 0 where there is more than one.

    Args:
        path: as for `read_raster`.
        source: as for `read_raster`.

    Yields:
        One image a page; only one page is held at a time.

    Raises:
        UnreadableError: as for `read_raster`, when the page in question is reached.
        UnsupportedError: as for `read_raster`.
    """
    name = name_of(path, source)
    with opened(path, source) as stream:
        if stream.read(4) in TIFF_STARTS:
            with _decoding(name):
                special = special_planes(stream, name)
            if special is not None:
                yield from _special_images(special, name)
                return
        stream.seek(0)
        with _decoding(name):
            picture = _open(stream)
            pages = _pages(picture)
        for number, page in enumerate(pages):
            with _decoding(name):
                picture.seek(page)
                here = stream.tell()
                if damage := jpeg_parts_damage(stream, getattr(picture, "tag_v2", {})):
                    raise OSError(damage)
                stream.seek(here)
                image = _read_page(picture, stream, name, number if len(pages) > 1 else None)
            yield image


def raster_shape(path: Path) -> tuple[int, int]:
    """The (rows, columns) of an image as `read_raster` gives it; only its header is read.

    Raises:
        UnreadableError: missing, empty, damaged, or no PNG, JPEG, TIFF or BMP file.
    """
    with opened(path) as stream, _decoding(name_of(path, "")):
        picture = Pillow.open(stream, formats=_FORMATS)
        columns, rows = picture.size
        return (columns, rows) if _orientation(picture) > 4 else (rows, columns)


def what_is_not_shown(path: Path) -> str:
    """What an image that `read_raster` reads holds beside its colours, in words; often nothing.

    That is transparency, whole or in parts, and entries of a palette that are used and look alike.
    """
    with opened(path) as stream, _decoding(name_of(path, "")):
        picture = Pillow.open(stream, formats=_FORMATS)
        alpha = picture.convert("RGBA").getchannel("A") if picture.has_transparency_data else None
        if alpha is not None and alpha.getextrema() != (255, 255):
            return "parts that are transparent"
        if picture.mode != "P":
            return ""
        used = [index for index, count in enumerate(picture.histogram()) if count]
        colours = np.array(picture.getpalette("RGB") or [], np.uint8).reshape(-1, 3)
        shown = {tuple(colours[index]) if index < len(colours) else () for index in used}
        return "several values in one colour of its palette" if len(shown) < len(used) else ""


def _special_images(planes: Iterator[Plane], name: str) -> Iterator[Image]:
    """The images of a TIFF file that Pillow is not to read; see `special_planes`."""
    with _decoding(name):
        following = next(planes, None)
    number, several = 0, False
    while following is not None:
        array, orientation, remarks = following
        with _decoding(name):
            try:
                following, problem = next(planes, None), None
            except UnreadableError as error:
                following, problem = None, error
        several = several or following is not None or problem is not None
        turned = np.ascontiguousarray(upright(array, orientation))
        yield Image(
            turned,
            Grid(turned.shape[1:]),
            source=name,
            frame=number if several else None,
            remarks=(*remarks, *constant_remark(turned)),
        )
        if problem is not None:
            raise problem
        number += 1


def read_mask(path: Path | BinaryIO, source: str = "") -> NDArray[np.bool_]:
    """Read a mask drawn as an image.

    A pixel is lesion where its brightest channel lies above half of the range: above 127 in
    8 bits, 32767 in 16 bits, 0.5 in floating point. Where the largest value in the file is 1,
    the file holds labels, and 1 is lesion.

    Args:
        path: as for `read_raster`.
        source: as for `read_raster`.

    Returns:
        (rows, columns) bool.

    Raises:
        UnreadableError: as for `read_raster`.
        UnsupportedError: as for `read_raster`.
    """
    values = read_raster(path, source).array.max(axis=0)
    if values.dtype.kind == "f":
        return np.asarray(values > 0.5)
    half = 0 if values.max() <= 1 else np.iinfo(values.dtype).max // 2
    return np.asarray(values > half)


@contextmanager
def _decoding(name: str) -> Iterator[None]:
    """The one place where Pillow's exceptions become ours."""
    try:
        with quiet():
            yield
    except UnidentifiedImageError as error:
        raise UnreadableError(
            f"{name}: is not an image that can be read",
            "PNG, JPEG, TIFF or BMP",
            "check that the file is complete and export it in one of these formats",
        ) from error
    except Pillow.DecompressionBombError as error:
        raise UnsupportedError(
            f"{name}: {error}", remedy="crop it or export it at a lower resolution"
        ) from error
    except PILLOW_ERRORS as error:
        damage = UnreadableError(
            f"{name}: is damaged or incomplete ({brief(error, 200) or type(error).__name__})",
            "a whole PNG, JPEG, TIFF or BMP file",
            "copy or export the file again",
        )
        raise blamed(error, name, damage) from error


def _open(stream: BinaryIO) -> ImageFile.ImageFile:
    """Read the header."""
    _silence_tiff()
    picture = Pillow.open(stream, formats=_FORMATS)
    if picture.format == "PNG":
        # Loading ignores the checksums of the pixels; this consumes the image.
        picture.verify()
        stream.seek(0)
        picture = Pillow.open(stream, formats=_FORMATS)
    if picture.format in ("JPEG", SEVERAL_JPEG):
        stream.seek(0)
        damage = jpeg_damage(stream.read())
        if damage:
            raise OSError(damage)
        stream.seek(0)
        picture = Pillow.open(stream, formats=_FORMATS)
    return picture


@cache
def _silence_tiff() -> None:
    """Keep Pillow, and the C library behind it, from printing what Pillow raises anyway.

    Records still reach whoever has set up logging.
    """
    logging.getLogger("PIL").addHandler(logging.NullHandler())
    try:
        library = ctypes.CDLL(_imaging.__file__)
        library.TIFFSetErrorHandler(None)
        library.TIFFSetWarningHandler(None)
    except (OSError, AttributeError):
        return  # it is linked in a way that hides it, as on Windows


def _pages(picture: ImageFile.ImageFile) -> Sequence[int]:
    """The indices of the images proper; the first image if none calls itself one."""
    count = getattr(picture, "n_frames", 1)
    if picture.format != "TIFF":
        return range(count if picture.format == "PNG" else 1)
    pages, first = [], picture.size
    for index in range(count):
        picture.seek(index)
        if is_image_page(tiff_tag(picture, _SUBFILE_TYPE, 0), picture.size, first):
            pages.append(index)
    return pages or [0]


def _read_page(
    picture: ImageFile.ImageFile, stream: BinaryIO, name: str, frame: int | None
) -> Image:
    """Decode the page on which `image` stands."""
    columns, rows = picture.size
    check_size(rows, columns, name)
    check_parts(picture, name)
    # Loading may drop the tags, and it applies the orientation of a TIFF file by itself.
    inverted = tiff_tag(picture, _PHOTOMETRIC, 1) == _WHITE_IS_ZERO
    samples = tiff_tag(picture, _SAMPLE_FORMAT, 0 if picture.format != "TIFF" else 1)
    unused = not_seen(picture)
    picture.load()
    if picture.format == "PNG" and not frame:
        check_rows(picture, stream, name)
    spacing_mm = _spacing(picture, name)
    array = _pixels(picture, name)
    if array.dtype == np.int32 and samples == _UNSIGNED:
        array = array.view(np.uint32)
    if array.dtype == np.uint8 and samples == _SIGNED:
        array = array.view(np.int8).astype(np.int16)
    if inverted and array.dtype == np.uint16:  # Pillow inverts up to 8 bits, not 16
        array = np.invert(array)
    orientation = _orientation(picture)
    array = np.ascontiguousarray(upright(array, orientation))
    if spacing_mm is not None and orientation >= 5:
        spacing_mm = spacing_mm[::-1]
    return Image(
        array,
        Grid(array.shape[1:], spacing_mm),
        source=name,
        frame=frame,
        remarks=(*first_of_many(picture), *unused, *constant_remark(array)),
    )


def _pixels(picture: Pillow.Image, name: str) -> NDArray[np.generic]:
    """(channels, rows, columns) in native byte order."""
    mode = picture.mode
    if mode in ("I", "F") or mode.startswith("I;16"):
        deep = np.asarray(picture)
        return deep.astype(deep.dtype.newbyteorder("="))[None]
    if mode in ("1", "L") and "transparency" not in picture.info:
        return np.array(picture.convert("L"))[None]
    if picture.format == "BMP" and mode == "RGBA" and not picture.getchannel("A").getbbox():
        picture = picture.convert("RGB")  # the fourth byte is nothing, which many leave at 0
    elif picture.has_transparency_data:
        picture = picture.convert("RGBA")
        over = Pillow.new("RGBA", picture.size, (0, 0, 0, 255))
        picture = Pillow.alpha_composite(over, picture)
    elif mode not in ("P", "RGB", "RGBX", "CMYK", "YCbCr", "HSV"):
        raise UnsupportedError(
            f"{name}: has the colour space {mode}",
            "grey, palette, RGB, CMYK or YCbCr",
            "export it as RGB",
        )
    return one_if_equal(np.moveaxis(np.asarray(picture.convert("RGB")), 2, 0))


def _spacing(picture: Pillow.Image, name: str) -> tuple[float, float] | None:
    """The (row, column) spacing in millimetres from our own text chunk of a PNG file."""
    text = picture.info.get(SPACING_KEY) if picture.format == "PNG" else None
    if text is None:
        return None
    try:
        row, column = (float(part) for part in str(text).split(","))
        Grid((1, 1), (row, column))  # which refuses what is not finite and above 0
    except (ValueError, GeometryError) as error:
        raise UnreadableError(
            f"{name}: has the spacing_mm text {brief(text)!r}", "'row,column' in millimetres"
        ) from error
    return row, column


def _orientation(picture: Pillow.Image) -> int:
    """The EXIF orientation, 1 to 8; 1 where the block is absent or damaged."""
    try:
        value = picture.getexif().get(_ORIENTATION, 1)
    except PILLOW_ERRORS:
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1
