"""PNG, JPEG, TIFF and BMP come out as a viewer would show them."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageOps
from PIL.PngImagePlugin import PngInfo
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from breastseg.core.errors import UnreadableError, UnsupportedError
from breastseg.io.raster import read_mask, read_raster, read_raster_pages

MakeRaster = Callable[..., bytes]
ORIENTATION = 0x0112


def read(data: bytes) -> NDArray[np.generic]:
    return read_raster(io.BytesIO(data)).array


def saved(picture: Pillow.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("kind", "dtype", "options"),
    [
        ("PNG", np.uint8, {}),
        ("PNG", np.uint16, {}),
        ("BMP", np.uint8, {}),
        ("TIFF", np.uint8, {}),
        ("TIFF", np.uint16, {}),
        ("TIFF", ">u2", {}),
        ("TIFF", np.int32, {}),
        ("TIFF", np.float32, {}),
        ("TIFF", np.uint8, {"compression": "tiff_lzw"}),
        ("TIFF", np.uint16, {"compression": "tiff_adobe_deflate"}),
        ("TIFF", np.float32, {"compression": "packbits"}),
    ],
)
def test_grey_is_kept_exactly(
    make_raster: MakeRaster, kind: str, dtype: str, options: dict[str, str]
) -> None:
    top = 1000.5 if np.dtype(dtype).kind == "f" else np.iinfo(dtype).max
    array = np.linspace(0, top, 35).astype(dtype).reshape(5, 7)
    got = read(make_raster(array, kind, **options))
    np.testing.assert_array_equal(got[0], array)
    assert got.dtype == np.dtype(dtype).newbyteorder("=")


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF"])
def test_colour_is_kept_exactly(make_raster: MakeRaster, kind: str) -> None:
    array = np.arange(105, dtype=np.uint8).reshape(5, 7, 3)
    np.testing.assert_array_equal(read(make_raster(array, kind)), np.moveaxis(array, 2, 0))


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF"])
def test_one_bit_becomes_black_and_white(kind: str) -> None:
    bits = np.eye(5, 9, dtype=bool)
    got = read(saved(Pillow.fromarray(bits), kind))
    np.testing.assert_array_equal(got[0], np.where(bits, 255, 0))
    assert got.dtype == np.uint8


def test_jpeg_is_what_pillow_decodes(samples: dict[str, bytes]) -> None:
    for name in ("grey.jpg", "colour.jpg"):
        with Pillow.open(io.BytesIO(samples[name])) as picture:
            expected = np.atleast_3d(np.asarray(picture))
        np.testing.assert_array_equal(read(samples[name]), np.moveaxis(expected, 2, 0))


def test_colour_that_is_grey_becomes_one_channel(
    make_raster: MakeRaster, ramp: NDArray[np.uint8]
) -> None:
    got = read(make_raster(np.stack([ramp] * 3, axis=2), "PNG"))
    np.testing.assert_array_equal(got, ramp[None])


def test_palette_is_looked_up() -> None:
    picture = Pillow.fromarray(np.array([[0, 1, 2]], np.uint8), "L").convert("P")
    picture.putpalette([10, 20, 30, 40, 50, 60, 255, 0, 7])
    expected = [[[10, 40, 255]], [[20, 50, 0]], [[30, 60, 7]]]
    for kind in ("PNG", "BMP", "TIFF"):
        assert read(saved(picture, kind)).tolist() == expected


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_shallow_grey_png_spans_the_range(depth: int) -> None:
    """A PNG file put together by hand, since Pillow writes none of 2 and 4 bits."""
    row = np.unpackbits(np.array([0b00011011], np.uint8))
    values = row.reshape(-1, depth) @ (2 ** np.arange(depth)[::-1])
    header = struct.pack(">IIBBBBB", 8 // depth, 1, depth, 0, 0, 0, 0)
    data = png(header, zlib.compress(b"\0" + bytes([0b00011011])))
    np.testing.assert_array_equal(read(data)[0, 0], values * 255 // (2**depth - 1))


def test_interlaced_png_equals_plain() -> None:
    """An Adam7 file of one colour in each pass, put together by hand (PNG, section 8.2)."""
    starts = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2)]
    starts.append((1, 0, 2, 1))
    expected = np.arange(64, dtype=np.uint8).reshape(8, 8)
    raw = b""
    for row, column, rows, columns in starts:
        for line in expected[row::rows, column::columns]:
            raw += b"\0" + line.tobytes()
    data = png(struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 1), zlib.compress(raw))
    np.testing.assert_array_equal(read(data)[0], expected)


def png(header: bytes, pixels: bytes) -> bytes:
    """A PNG file of one IDAT chunk."""
    chunks = b"\x89PNG\r\n\x1a\n"
    for kind, content in ((b"IHDR", header), (b"IDAT", pixels), (b"IEND", b"")):
        body = kind + content
        chunks += struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))
    return chunks


def test_deep_colour_keeps_the_high_byte() -> None:
    pixel = np.array([0x1234, 0x5678, 0x9ABC], ">u2")
    data = png(
        struct.pack(">IIBBBBB", 1, 1, 16, 2, 0, 0, 0), zlib.compress(b"\0" + pixel.tobytes())
    )
    assert read(data).ravel().tolist() == [0x12, 0x56, 0x9A]


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_alpha_is_composited_on_black(kind: str) -> None:
    array = np.array([[[200, 100, 50, 255], [200, 100, 50, 0], [200, 100, 50, 51]]], np.uint8)
    got = read(saved(Pillow.fromarray(array), kind))
    assert got.tolist() == [[[200, 0, 40]], [[100, 0, 20]], [[50, 0, 10]]]


def test_grey_with_alpha_is_composited_on_black() -> None:
    picture = Pillow.merge("LA", [Pillow.new("L", (2, 1), 200), Pillow.new("L", (2, 1), 51)])
    got = read(saved(picture, "PNG"))
    assert got.tolist() == [[[40, 40]]]


def test_a_transparent_palette_entry_is_black(ramp: NDArray[np.uint8]) -> None:
    picture = Pillow.fromarray(np.array([[0, 1]], np.uint8), "L").convert("P")
    picture.putpalette([90, 90, 90, 40, 50, 60])
    got = read(saved(picture, "PNG", transparency=0))
    assert got.tolist() == [[[0, 40]], [[0, 50]], [[0, 60]]]


def test_cmyk_jpeg_becomes_rgb() -> None:
    picture = Pillow.new("CMYK", (16, 16), (255, 0, 255, 0))
    got = read(saved(picture, "JPEG", quality=100))
    assert got.shape == (3, 16, 16)
    np.testing.assert_allclose(got[:, 3, 3], (0, 255, 0), atol=3)


def test_lab_tiff_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="LAB"):
        read(saved(Pillow.new("LAB", (4, 4)), "TIFF"))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_min_is_white_tiff_is_turned_over(dtype: type) -> None:
    array = np.array([[0, 1, 1000 % 256]], dtype)
    tags = ImageFileDirectory_v2()
    tags[262] = 0
    data = bytearray(saved(Pillow.fromarray(array), "TIFF"))
    entry = data.index(struct.pack("<HHI", 262, 3, 1))
    data[entry + 8] = 0
    np.testing.assert_array_equal(read(bytes(data))[0], np.iinfo(dtype).max - array)


def test_unsigned_32_bit_tiff_does_not_turn_negative() -> None:
    array = np.array([[0, 2**31 + 5]], np.uint32)
    data = saved(Pillow.fromarray(array.view(np.int32)), "TIFF")
    entry = data.index(struct.pack("<HHI", 339, 3, 1))
    data = data[: entry + 8] + b"\1" + data[entry + 9 :]
    got = read(data)
    assert got.dtype == np.uint32
    np.testing.assert_array_equal(got[0], array)


def test_not_a_number_is_kept(make_raster: MakeRaster) -> None:
    array = np.array([[np.nan, np.inf, -1.5]], np.float32)
    np.testing.assert_array_equal(read(make_raster(array, "TIFF"))[0], array)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF"])
def test_exif_orientation(ramp: NDArray[np.uint8], orientation: int, kind: str) -> None:
    exif = Pillow.Exif()
    exif[ORIENTATION] = orientation
    data = saved(Pillow.fromarray(ramp), kind, exif=exif)
    with Pillow.open(io.BytesIO(data)) as picture:
        expected = np.asarray(ImageOps.exif_transpose(picture))
    np.testing.assert_array_equal(read(data)[0], expected)


def test_a_turned_image_turns_its_spacing(ramp: NDArray[np.uint8]) -> None:
    exif = Pillow.Exif()
    exif[ORIENTATION] = 6
    text = PngInfo()
    text.add_text("spacing_mm", "0.1,0.2")
    data = saved(Pillow.fromarray(ramp), "PNG", exif=exif, pnginfo=text)
    assert read_raster(io.BytesIO(data)).grid.spacing_mm == (0.2, 0.1)


def test_damaged_exif_is_no_orientation(ramp: NDArray[np.uint8]) -> None:
    data = saved(Pillow.fromarray(ramp), "PNG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff\0\0")
    np.testing.assert_array_equal(read(data)[0], ramp)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "JPEG", "BMP"])
def test_print_resolution_is_no_spacing(ramp: NDArray[np.uint8], kind: str) -> None:
    data = saved(Pillow.fromarray(ramp), kind, dpi=(254, 254))
    assert read_raster(io.BytesIO(data)).grid.spacing_mm is None


@pytest.mark.parametrize("text", ["", "0.1", "1,1,1", "1,x", "0,1", "1,-1", "nan,1", "1,inf"])
def test_damaged_spacing_is_refused(ramp: NDArray[np.uint8], text: str) -> None:
    info = PngInfo()
    info.add_text("spacing_mm", text)
    data = saved(Pillow.fromarray(ramp), "PNG", pnginfo=info)
    with pytest.raises(UnreadableError, match="spacing_mm"):
        read(data)


def test_tiff_pages_come_one_by_one(ramp: NDArray[np.uint8]) -> None:
    pages = [Pillow.fromarray(ramp + n) for n in range(3)]
    data = saved(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    images = list(read_raster_pages(io.BytesIO(data), "scan"))
    assert [image.frame for image in images] == [0, 1, 2]
    assert {image.source for image in images} == {"scan"}
    for n, image in enumerate(images):
        np.testing.assert_array_equal(image.array[0], ramp + n)


def test_reduced_copies_are_no_pages(ramp: NDArray[np.uint8]) -> None:
    small = ImageFileDirectory_v2()
    small[254] = 1
    buffer = io.BytesIO()
    picture = Pillow.fromarray(ramp)
    thumbnail = Pillow.fromarray(ramp[:2])
    thumbnail.encoderinfo = {"tiffinfo": small}
    picture.save(buffer, "TIFF", save_all=True, append_images=[thumbnail])
    images = list(read_raster_pages(buffer))
    assert [image.array.shape for image in images] == [(1, 6, 8)]
    assert images[0].frame is None


def test_single_images_have_no_frame_and_no_modality(samples: dict[str, bytes]) -> None:
    image = read_raster(io.BytesIO(samples["grey.png"]))
    assert image.frame is None
    assert image.modality == "unknown"


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (np.array([[0, 127, 128, 255]], np.uint8), [False, False, True, True]),
        (np.array([[0, 1, 0, 1]], np.uint8), [False, True, False, True]),
        (np.array([[0, 0, 2, 3]], np.uint8), [False, False, False, False]),
        (np.array([[0, 32767, 32768, 65535]], np.uint16), [False, False, True, True]),
        (np.array([[[0, 0, 0], [255, 0, 0]]], np.uint8), [False, True]),
        (np.array([[[0, 0, 0, 255], [255, 255, 255, 0]]], np.uint8), [False, False]),
        (np.array([[False, True]]), [False, True]),
    ],
)
def test_masks(make_raster: MakeRaster, array: NDArray[np.generic], expected: list[bool]) -> None:
    mask = read_mask(io.BytesIO(make_raster(array, "PNG")))
    assert mask.dtype == np.bool_
    assert mask.tolist() == [expected]


def test_float_mask(make_raster: MakeRaster) -> None:
    array = np.array([[0.0, 0.5, 0.6, 1.0]], np.float32)
    assert read_mask(io.BytesIO(make_raster(array, "TIFF"))).tolist() == [
        [False, False, True, True]
    ]
