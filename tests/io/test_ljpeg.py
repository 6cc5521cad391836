"""Bare lossless JPEG, against an encoder of its own."""

from pathlib import Path

import numpy as np
import pytest

from breastseg.core.errors import UnreadableError, UnsupportedError
from breastseg.io.ljpeg import read_ljpeg

from .lossless import encode


@pytest.mark.parametrize("bits", [8, 12, 16])
def test_pixels_are_exact(tmp_path: Path, bits: int) -> None:
    dtype = np.uint8 if bits == 8 else np.uint16
    pixels = np.random.default_rng(bits).integers(0, 2**bits, (13, 17)).astype(dtype)
    (tmp_path / "a.LJPEG").write_bytes(encode(pixels, bits))
    read = read_ljpeg(tmp_path / "a.LJPEG")
    assert read.dtype == dtype
    np.testing.assert_array_equal(read, pixels)


def test_damaged_files_are_refused(tmp_path: Path) -> None:
    whole = encode(np.full((64, 64), 1000, np.uint16), 12)
    path = tmp_path / "a.LJPEG"
    for data, message in (
        (b"", "is empty"),
        (b"no image", "holds no JPEG frame"),
        (whole[:10], "holds no JPEG frame"),
        (whole[: len(whole) - 300], "is damaged or incomplete"),
    ):
        path.write_bytes(data)
        with pytest.raises(UnreadableError, match=message):
            read_ljpeg(path, "case 1")


def test_other_modes_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.LJPEG"
    path.write_bytes(encode(np.zeros((8, 8), np.uint8), 8).replace(b"\xff\xc3", b"\xff\xc0"))
    with pytest.raises(UnsupportedError, match="is JPEG of mode 0 with 1 components"):
        read_ljpeg(path)
