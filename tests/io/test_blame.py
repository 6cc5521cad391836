"""A machine that fails while a file is read is not a file that is damaged."""

from __future__ import annotations

import errno
import gzip
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from breastseg.core.errors import InputError, UnreadableError
from breastseg.core.grid import Grid
from breastseg.io.dicom_image import read_dicom
from breastseg.io.raster import read_raster
from breastseg.io.volume import read_volume, write_volume
from breastseg.io.write import write_png

from ..scans import cine, scan


class Failing(io.BytesIO):
    """A file whose later bytes cannot be read."""

    def __init__(self, data: bytes, error: Exception) -> None:
        super().__init__(data)
        self._error = error

    def read(self, size: int | None = -1) -> bytes:
        """Read what lies in the first part."""
        size = -1 if size is None else size
        if size < 0 or self.tell() + size > len(self.getvalue()) * 0.8:
            raise self._error
        return super().read(size)


def _png(folder: Path) -> bytes:
    write_png(folder / "a.png", np.random.default_rng(0).integers(0, 255, (64, 64), np.uint8))
    return (folder / "a.png").read_bytes()


def _volume(folder: Path) -> bytes:
    values = np.random.default_rng(0).random((8, 64, 64)).astype(np.float32)
    write_volume(values, Grid(values.shape, (1.0, 1.0, 1.0)), folder / "a.nii")
    return gzip.compress((folder / "a.nii").read_bytes(), 0)


READERS: dict[str, tuple[Callable[[Path], bytes], Callable[..., object]]] = {
    "png": (_png, read_raster),
    "dicom": (lambda _folder: cine(scan()), read_dicom),
    "volume": (_volume, read_volume),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.EIO, "Input/output error"), "Input/output error"),
        (OSError(errno.EMFILE, "Too many open files"), "Too many open files"),
        (MemoryError(), "memory"),
    ],
)
def test_a_disk_that_fails_is_no_damage(
    reader: str, error: Exception, said: str, tmp_path: Path
) -> None:
    whole, read = READERS[reader]
    stream = Failing(whole(tmp_path), error)
    with pytest.raises(InputError) as told:
        read(stream, source="scan")
    assert not isinstance(told.value, UnreadableError)
    assert "damaged" not in str(told.value)
    assert said in str(told.value)


def test_an_offset_before_the_start_is_damage() -> None:
    with pytest.raises(UnreadableError, match="damaged"):
        read_dicom(Failing(cine(scan()), OSError(errno.EINVAL, "Invalid")), source="scan")
