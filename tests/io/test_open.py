"""Images are opened by content; folders are expanded."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from breastseg.core.errors import InputError
from breastseg.core.grid import Grid
from breastseg.io.find import find_images
from breastseg.io.open import open_image, open_images
from breastseg.io.volume import write_volume


def test_content_decides_and_not_the_name(tmp_path: Path, samples: dict[str, bytes]) -> None:
    for name, data in samples.items():
        path = tmp_path / "scan.txt"
        path.write_bytes(data)
        from_path = list(open_images(path))
        from_stream = list(open_images(io.BytesIO(data), name))
        assert len(from_path) == len(from_stream) == (2 if name in ("cine.dcm", "rle.dcm") else 1)
        for one, other in zip(from_path, from_stream, strict=True):
            np.testing.assert_array_equal(one.array, other.array)
            assert (one.source, other.source) == (str(path), name)


def test_a_raster_does_not_wait_for_the_dicom_library() -> None:
    code = (
        "import sys, breastseg.io.open; sys.exit(bool({'pydicom', 'SimpleITK'} & {*sys.modules}))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_stream_is_left_open_and_may_stand_anywhere(samples: dict[str, bytes]) -> None:
    stream = io.BytesIO(samples["grey.dcm"])
    stream.seek(50)
    assert open_image(stream).array.shape == (1, 6, 8)
    assert open_image(stream).source == "the given stream"


def test_one_frame(samples: dict[str, bytes], ramp: NDArray[np.uint8]) -> None:
    image = open_image(io.BytesIO(samples["cine.dcm"]), frame=1)
    np.testing.assert_array_equal(image.array[0], ramp[::-1])
    for name in ("cine.dcm", "grey.tif", "grey.png"):
        with pytest.raises(InputError, match=r"frame 7. Expected: frames 0 to \d of this file"):
            open_image(io.BytesIO(samples[name]), frame=7)


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".nrrd", ".mha"])
def test_a_volume_is_one_image(tmp_path: Path, suffix: str) -> None:
    values = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
    write_volume(values, Grid((3, 4, 5), (3.0, 0.8, 0.8)), tmp_path / f"a{suffix}")
    (tmp_path / "in").mkdir()
    (tmp_path / f"a{suffix}").rename(tmp_path / "in" / "IM0001")
    (path,) = find_images([tmp_path])
    for given in (path, io.BytesIO(path.read_bytes())):
        (image,) = open_images(given)
        np.testing.assert_array_equal(image.array[0], values)
        np.testing.assert_array_equal(open_image(given).array[0], values)
    with pytest.raises(InputError, match=r"frame 1. Expected: frames 0 to 0 of this file"):
        open_image(path, frame=1)
