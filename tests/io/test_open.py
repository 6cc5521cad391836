"""Images are opened by content; folders are expanded."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from breastseg.core.errors import InputError, UnreadableError
from breastseg.core.grid import Grid
from breastseg.io.open import find_images, open_image, open_images
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
        with pytest.raises(InputError, match=r"frame 7; frames 0 to \d of this file"):
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
    with pytest.raises(InputError, match="frame 1; frames 0 to 0 of this file"):
        open_image(path, frame=1)


def test_expanding_folders(tmp_path: Path, samples: dict[str, bytes]) -> None:
    files = {
        "b/2.png": samples["grey.png"],
        "b/10.JPG": samples["grey.jpg"],
        "b/IM0001": samples["grey.dcm"],
        "b/deep/er/x.tif": samples["grey.tif"],
        "volume.nii.gz": b"\x1f\x8b",
        "a.bmp": samples["grey.bmp"],
        "broken.png": b"",
        "broken.dcm": b"not DICOM",
        "2_mask.dcm": samples["grey.dcm"],
    }
    left_out = {
        "b/2_mask.png": samples["grey.png"],
        "b/2_mask_1.png": samples["grey.png"],
        "b/2_overlay.png": samples["grey.png"],
        ".hidden.png": samples["grey.png"],
        ".cache/a.png": samples["grey.png"],
        "notes.txt": b"hello",
        "empty": b"",
        "volume_mask.nii.gz": b"\x1f\x8b",
        "archive.gz": b"\x1f\x8b",
        "DICOMDIR": samples["grey.dcm"],
    }
    for name, data in {**files, **left_out}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    found = [path.relative_to(tmp_path).as_posix() for path in find_images([tmp_path])]
    assert found == [
        "2_mask.dcm",
        "a.bmp",
        "b/10.JPG",
        "b/2.png",
        "b/IM0001",
        "b/deep/er/x.tif",
        "broken.dcm",
        "broken.png",
        "volume.nii.gz",
    ]


def test_named_files_stay_in_the_given_order(tmp_path: Path, samples: dict[str, bytes]) -> None:
    (tmp_path / "a").mkdir()
    for name in ("a/1.png", "a/2.png", "z_mask.png"):
        (tmp_path / name).write_bytes(samples["grey.png"])
    missing, mask = tmp_path / "missing.png", tmp_path / "z_mask.png"
    given = [mask, missing, tmp_path / "a" / "2.png", tmp_path / "a", mask]
    assert find_images(given) == [mask, missing, tmp_path / "a" / "2.png", tmp_path / "a" / "1.png"]


def test_links(tmp_path: Path, samples: dict[str, bytes]) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "data.png").write_bytes(samples["grey.png"])
    (tmp_path / "in" / "a.png").symlink_to(tmp_path / "data.png")
    (tmp_path / "in" / "gone.png").symlink_to(tmp_path / "nowhere.png")
    (tmp_path / "in" / "round").symlink_to(tmp_path / "in")
    found = find_images([tmp_path / "in"])
    assert [path.name for path in found] == ["a.png", "gone.png"]
    with pytest.raises(UnreadableError, match="which does not exist"):
        open_image(found[1])


def test_a_folder_without_images_is_one_error(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    assert find_images([tmp_path]) == [tmp_path]
    with pytest.raises(UnreadableError, match="is a folder"):
        open_image(tmp_path)


def test_a_folder_that_cannot_be_listed_is_one_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, samples: dict[str, bytes]
) -> None:
    (tmp_path / "a.png").write_bytes(samples["grey.png"])
    (tmp_path / "locked").mkdir()
    listing = Path.iterdir

    def refuse(folder: Path) -> object:
        if folder.name == "locked":
            raise PermissionError(13, "Permission denied")
        return listing(folder)

    monkeypatch.setattr(Path, "iterdir", refuse)
    assert find_images([tmp_path]) == [tmp_path / "a.png", tmp_path / "locked"]
    with pytest.raises(UnreadableError, match=r"locked: .*Permission denied"):
        open_image(tmp_path / "locked")
