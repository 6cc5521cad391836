"""Pictures that are within their format's rules, or nearly, and that decoders show wrongly."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from breastseg.core.errors import UnreadableError
from breastseg.core.image import Image
from breastseg.io.open import open_images
from breastseg.io.source import CONSTANT

RAMP = (np.arange(48, dtype=np.uint8) * 5).reshape(6, 8)
COLOUR = np.stack([RAMP, RAMP[::-1], 255 - RAMP], axis=2)


def read(data: bytes) -> list[Image]:
    return list(open_images(io.BytesIO(data), "x"))


def tiff(array: NDArray[np.generic], **options: object) -> bytes:
    stream = io.BytesIO()
    tifffile.imwrite(stream, array, **options)  # type: ignore[arg-type]
    return stream.getvalue()


@pytest.mark.parametrize("packing", [None, "tiff_lzw", "packbits", "tiff_adobe_deflate"])
def test_signed_bytes_of_a_tiff_in_every_packing(packing: str | None) -> None:
    signed = np.arange(-24, 24, dtype=np.int8).reshape(6, 8)
    tags, stream = ImageFileDirectory_v2(), io.BytesIO()
    tags[339] = 2
    picture = Pillow.fromarray(signed.view(np.uint8))
    picture.save(stream, "TIFF", compression=packing, tiffinfo=tags)
    (image,) = read(stream.getvalue())
    assert np.array_equal(image.array[0], signed)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("orientation", [0, 9, 99])
def test_an_orientation_that_is_none_turns_nothing(dtype: type, orientation: int) -> None:
    array = RAMP.astype(dtype)
    (image,) = read(tiff(array, extratags=[(274, 3, 1, orientation, True)]))
    assert np.array_equal(image.array[0], array)


def test_min_is_white_with_values_that_are_none() -> None:
    array = RAMP.astype(np.float32)
    array[0, 0], array[5, 7] = np.nan, np.inf
    (image,) = read(tiff(array, photometric="miniswhite"))
    known = array[np.isfinite(array)]
    assert np.array_equal(image.array[0, 1:5], known.max() + known.min() - array[1:5])


def test_an_image_without_a_value_says_so() -> None:
    (image,) = read(tiff(np.full((6, 8), np.nan, np.float32)))
    assert image.remarks == (CONSTANT,)


@pytest.mark.parametrize("second", [RAMP[::-1], RAMP[::2, ::2]])
def test_a_page_that_is_as_large_is_no_reduced_copy(second: NDArray[np.uint8]) -> None:
    stream = io.BytesIO()
    with tifffile.TiffWriter(stream) as file:
        file.write(RAMP)
        file.write(np.ascontiguousarray(second), subfiletype=1)
    assert len(read(stream.getvalue())) == 1 + (second.shape == RAMP.shape)


def bitmap(alpha: int) -> bytes:
    """A BMP file of 32 bits a pixel with a mask for the fourth byte."""
    rows, columns = RAMP.shape
    head = struct.pack("<IiiHHIIiiII", 108, columns, rows, 1, 32, 3, 0, 0, 0, 0, 0)
    head += struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000) + b"BGRs" + bytes(48)
    fourth = np.full((rows, columns, 1), alpha, np.uint8)
    pixels = np.concatenate([COLOUR[::-1, :, ::-1], fourth], axis=2).tobytes()
    start = 14 + len(head)
    return b"BM" + struct.pack("<IHHI", start + len(pixels), 0, 0, start) + head + pixels


@pytest.mark.parametrize("alpha", [0, 255])
def test_a_bitmap_whose_fourth_byte_is_nothing(alpha: int) -> None:
    (image,) = read(bitmap(alpha))
    assert np.array_equal(image.array, COLOUR.transpose(2, 0, 1))


def test_an_animated_png_has_frames() -> None:
    pages = [Pillow.fromarray(page) for page in (RAMP, 255 - RAMP, RAMP // 2)]
    stream = io.BytesIO()
    pages[0].save(stream, "PNG", save_all=True, append_images=pages[1:])
    images = read(stream.getvalue())
    assert [image.frame for image in images] == [0, 1, 2]
    assert [int(image.array.max()) for image in images] == [235, 255, 117]


def test_pictures_behind_a_jpeg_are_told() -> None:
    first = Pillow.fromarray(np.tile(RAMP, (8, 8)))
    stream = io.BytesIO()
    first.save(stream, "MPO", save_all=True, append_images=[first.transpose(Pillow.ROTATE_180)])
    (image,) = read(stream.getvalue())
    assert image.remarks == (
        "the file holds 2 pictures: the first is read, the others are passed over",
    )


@pytest.mark.parametrize("part", ["offset", "length", "place of another"])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_strips_without_a_place_are_damage(part: str, dtype: type) -> None:
    data = bytearray(tiff(np.tile(RAMP, (40, 5)).astype(dtype), rowsperstrip=16))
    with tifffile.TiffFile(io.BytesIO(bytes(data))) as file:
        tag = file.pages[0].tags["StripByteCounts" if part == "length" else "StripOffsets"]
        size = 2 if int(tag.dtype) == 3 else 4
        at, first = tag.valueoffset, bytes(data[tag.valueoffset : tag.valueoffset + size])
    data[at + 5 * size : at + 6 * size] = first if part == "place of another" else bytes(size)
    with pytest.raises(UnreadableError, match="1 of its 15 parts are not there"):
        read(bytes(data))


def png(rows: bytes, interlaced: int = 0) -> bytes:
    """A grey PNG of 64 x 48 pixels with these rows, whole or not."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = struct.pack(">IIBBBBB", 64, 48, 8, 0, 0, 0, interlaced)
    parts = chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def test_rows_that_a_png_does_not_hold() -> None:
    picture = np.tile(RAMP, (8, 8))
    rows = b"".join(b"\0" + bytes(row) for row in picture)
    assert np.array_equal(read(png(rows))[0].array[0], picture)
    dark = b"".join(b"\0" + bytes(row) for row in np.where(np.arange(48) < 40, picture.T, 0).T)
    assert not read(png(dark))[0].array[0, 40:].any()
    with pytest.raises(UnreadableError, match="x: holds 1560 of 3120 bytes of its rows"):
        read(png(rows[: len(rows) // 2]))


def test_passes_that_an_interlaced_png_does_not_hold() -> None:
    steps = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2))
    picture = np.tile(RAMP, (8, 8))
    passes = [picture[a::c, b::d] for a, b, c, d in (*steps, (1, 0, 2, 1))]
    rows = b"".join(b"\0" + bytes(row) for part in passes for row in part)
    assert np.array_equal(read(png(rows, 1))[0].array[0], picture)
    with pytest.raises(UnreadableError, match="truncated"):
        read(png(rows[: len(rows) // 2], 1))
