"""JPEG files whose coded data end early, behind an end marker that says otherwise."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image as Pillow

from breastseg.core.errors import UnreadableError
from breastseg.io.codestream import Codestream, jpeg_damage, read_codestream
from breastseg.io.raster import read_raster

END = b"\xff\xd9"


def jpeg(mode: str = "L", **options: object) -> bytes:
    pixels = np.random.default_rng(0).integers(0, 256, (80, 96, 3), np.uint8)
    stream = io.BytesIO()
    Pillow.fromarray(pixels).convert(mode).save(stream, "JPEG", **options)
    return stream.getvalue()


KINDS = [
    jpeg(),
    jpeg("RGB"),
    jpeg("CMYK"),
    jpeg(progressive=True),
    jpeg("RGB", progressive=True),
    jpeg("RGB", restart_marker_rows=1),
]


@pytest.mark.parametrize("data", KINDS)
@pytest.mark.parametrize("fraction", [0.3, 0.5, 0.9, 0.98])
def test_cut_behind_an_end_marker(data: bytes, fraction: float) -> None:
    cut = data[: int(fraction * len(data))].rstrip(b"\xff") + END
    with pytest.raises(UnreadableError, match="damaged or incomplete"):
        read_raster(io.BytesIO(cut))


@pytest.mark.parametrize("data", KINDS)
def test_whole_ones_pass(data: bytes) -> None:
    assert jpeg_damage(data) == ""
    assert read_codestream(data) == Codestream(80, 96, 8)
    assert jpeg_damage(data[:-2] + b"\0\0" + END) == ""
    assert jpeg_damage(data + bytes(20)) == ""


@pytest.mark.parametrize("data", [KINDS[3], KINDS[4]])
def test_progressive_data_cut_between_two_scans(data: bytes) -> None:
    scans = [at for at in range(len(data)) if data[at : at + 2] == b"\xff\xda"]
    tables = data.rindex(b"\xff\xc4", 0, scans[-1])
    assert "last scans" in jpeg_damage(data[:tables] + END)


@pytest.mark.parametrize("fill", [0x00, 0x20, 0x55, 0xAA, 0xCC])
@pytest.mark.parametrize("data", [*KINDS[:2], *KINDS[3:]])
def test_a_hole_that_is_filled(data: bytes, fill: int) -> None:
    middle = data.index(b"\xff\xda") + 400
    holed = data[:middle] + bytes([fill]) * 20 + data[middle + 20 :]
    assert jpeg_damage(holed)


@pytest.mark.parametrize("quality", [30, 75, 95])
@pytest.mark.parametrize("options", [{}, {"optimize": True}, {"progressive": True}])
@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_constant_parts_are_no_hole(mode: str, options: dict[str, bool], quality: int) -> None:
    grid = np.indices((200, 320)).sum(axis=0)[..., None]
    for colour in ((0, 0, 0), (255, 255, 255), (90, 30, 140)):
        pixels = np.broadcast_to(np.array(colour, np.uint8), (200, 320, 3)).copy()
        pixels[60:90, 200:260] = grid[60:90, 200:260] % 256
        pixels[150:153] = 255 - pixels[150:153]  # a line across, the same in each block
        stream = io.BytesIO()
        picture = Pillow.fromarray(pixels).convert(mode)
        picture.save(stream, "JPEG", quality=quality, **options)
        assert jpeg_damage(stream.getvalue()) == ""


def test_black_parts_are_no_hole() -> None:
    pixels = np.zeros((600, 800), np.uint8)
    pixels[300:316, 300:316] = np.arange(256).reshape(16, 16)
    for options in ({}, {"optimize": True}):
        stream = io.BytesIO()
        Pillow.fromarray(pixels).save(stream, "JPEG", **options)
        assert jpeg_damage(stream.getvalue()) == ""
        if options:
            assert bytes(12) in stream.getvalue()
