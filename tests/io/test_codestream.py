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


@pytest.mark.parametrize("data", [KINDS[0], KINDS[1], KINDS[5]])
def test_a_hole_of_zeros(data: bytes) -> None:
    middle = data.index(b"\xff\xda") + 400
    holed = data[:middle] + bytes(20) + data[middle + 20 :]
    assert jpeg_damage(holed)


def test_black_parts_are_no_hole() -> None:
    pixels = np.zeros((600, 800), np.uint8)
    pixels[300:316, 300:316] = np.arange(256).reshape(16, 16)
    for options in ({}, {"optimize": True}):
        stream = io.BytesIO()
        Pillow.fromarray(pixels).save(stream, "JPEG", **options)
        assert jpeg_damage(stream.getvalue()) == ""
        if options:
            assert bytes(12) in stream.getvalue()
