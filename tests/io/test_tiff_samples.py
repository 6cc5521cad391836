"""TIFF samples that are signed, floating-point or deep, and stacks with one directory."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image as Pillow

from breastseg.core.errors import BreastsegError, UnreadableError, UnsupportedError
from breastseg.io.raster import read_raster, read_raster_pages

RAMP = np.linspace(-50, 50, 12).reshape(3, 4)
KINDS = ("int8", "int16", "int32", "float16", "float32", "float64")


def tiff(array: NDArray[np.generic], **options: object) -> bytes:
    stream = io.BytesIO()
    tifffile.imwrite(stream, array, **options)
    return stream.getvalue()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_values_are_kept(kind: str, byteorder: str, compression: str | None) -> None:
    array = RAMP.astype(kind)
    data = tiff(array, photometric="minisblack", byteorder=byteorder, compression=compression)
    assert np.array_equal(read_raster(io.BytesIO(data)).array[0], array)


@pytest.mark.parametrize("kind", [*KINDS, "uint32"])
def test_white_is_zero_is_turned_over(kind: str) -> None:
    array = (RAMP + 50 * kind.startswith("u")).astype(kind)
    got = read_raster(io.BytesIO(tiff(array, photometric="miniswhite"))).array[0]
    assert np.argsort(got.ravel()).tolist() == np.argsort(-RAMP.ravel()).tolist()


@pytest.mark.parametrize("kind", ["uint16", "int16", "float32"])
@pytest.mark.parametrize("planes", ["contig", "separate"])
def test_deep_colour_is_kept(kind: str, planes: str) -> None:
    rgb = np.stack([RAMP, -RAMP, RAMP / 2]) * 100 + 6000
    array = rgb.astype(kind)
    stored = np.moveaxis(array, 0, 2) if planes == "contig" else array
    data = tiff(np.ascontiguousarray(stored), photometric="rgb", planarconfig=planes)
    assert np.array_equal(read_raster(io.BytesIO(data)).array, array)


def imagej(planes: NDArray[np.generic], images: int) -> bytes:
    """One directory, and the other planes behind its own, as ImageJ writes large stacks."""
    description = f"ImageJ=1.53t\nimages={images}\nslices={images}\nloop=false\n"
    first = tiff(planes[0], description=description, metadata=None, byteorder=">")
    return first + b"".join(plane.astype(plane.dtype.newbyteorder(">")) for plane in planes[1:])


@pytest.mark.parametrize("kind", ["uint8", "uint16", "float32"])
def test_a_stack_with_one_directory(kind: str) -> None:
    planes = np.stack([RAMP + 50 + n for n in range(4)]).astype(kind)
    images = list(read_raster_pages(io.BytesIO(imagej(planes, 4))))
    assert [image.frame for image in images] == [0, 1, 2, 3]
    assert np.array_equal([image.array[0] for image in images], planes)


def test_a_stack_that_is_cut_keeps_its_whole_planes() -> None:
    planes = np.stack([RAMP + 50 + n for n in range(4)]).astype(np.uint8)
    images = read_raster_pages(io.BytesIO(imagej(planes, 4)[:-1]), "a.tif")
    for number in range(3):
        assert next(images).frame == number
    with pytest.raises(UnreadableError, match="3 of 4 planes"):
        next(images)


@pytest.mark.parametrize("kind", ["int8", "float64"])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_a_cut_file_is_refused(kind: str, compression: str | None) -> None:
    rng = np.random.default_rng(0)
    data = tiff(rng.integers(-99, 99, (40, 40)).astype(kind), compression=compression)
    with pytest.raises(BreastsegError):
        list(read_raster_pages(io.BytesIO(data[: len(data) * 2 // 3])))


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_jpeg_strip_that_ends_early_is_refused(mode: str) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (128, 160, 3), np.uint8)
    stream = io.BytesIO()
    Pillow.fromarray(pixels).convert(mode).save(stream, "TIFF", compression="jpeg")
    data = stream.getvalue()
    assert read_raster(stream).grid.shape == (128, 160)
    page = tifffile.TiffFile(io.BytesIO(data)).pages[0]
    start, length = page.dataoffsets[0], page.databytecounts[0]
    cut = data[: start + length // 2] + b"\xff\xd9" + bytes(length - length // 2 - 2)
    with pytest.raises(UnreadableError, match="damaged"):
        read_raster(io.BytesIO(cut + data[start + length :]))


def test_bigtiff_of_the_other_byte_order(tmp_path: Path) -> None:
    values = np.arange(200, dtype=np.uint16).reshape(10, 20)
    tifffile.imwrite(tmp_path / "a.tif", values, byteorder=">", bigtiff=True)
    assert np.array_equal(read_raster(tmp_path / "a.tif").array[0], values)


def test_images_inside_of_a_page_are_not_lost(tmp_path: Path) -> None:
    """A volume in one page, and pages below a page that are no reduced copies of it."""
    grey = np.arange(16 * 16, dtype=np.uint16).reshape(16, 16)
    tifffile.imwrite(
        tmp_path / "a.tif",
        np.stack([grey] * 4),
        photometric="minisblack",
        volumetric=True,
        tile=(16, 16, 16),
    )
    with tifffile.TiffWriter(tmp_path / "b.tif") as writer:
        writer.write(grey, subifds=1, subfiletype=1)
        writer.write(np.tile(grey, (2, 2)))
    for name in ("a.tif", "b.tif"):
        with pytest.raises(UnsupportedError, match="further images inside"):
            read_raster(tmp_path / name)
    with tifffile.TiffWriter(tmp_path / "c.tif") as writer:
        writer.write(grey, subifds=1)
        writer.write(grey[::2, ::2], subfiletype=1)
    assert np.array_equal(read_raster(tmp_path / "c.tif").array[0], grey)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize(("kind", "samples"), [("minisblack", 2), ("rgb", 4), ("rgb", 5)])
def test_channels_that_are_not_seen_are_told(
    tmp_path: Path, dtype: type, kind: str, samples: int
) -> None:
    array = np.arange(8 * 9 * samples, dtype=dtype).reshape(8, 9, samples)
    more = ["unspecified"] * (samples - 3) or ["unspecified"]
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, array, photometric=kind, planarconfig="contig", extrasamples=more)
    image = read_raster(path)
    seen = np.moveaxis(array, 2, 0)[: 1 if kind == "minisblack" else 3]
    assert np.array_equal(image.array, seen)
    said = f"the file holds {samples} channels: of the last {samples - len(seen)} nothing is seen"
    assert said in image.remarks
