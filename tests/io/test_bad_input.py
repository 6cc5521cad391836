"""Whatever is given, the answer is an image or one clear line."""

from __future__ import annotations

import errno
import io
import os
import struct
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest

from breastseg.core.errors import BreastsegError, InputError, UnreadableError, UnsupportedError
from breastseg.io import source
from breastseg.io.dicom_image import decoding
from breastseg.io.open import open_image, open_images
from breastseg.io.source import MAX_PIXELS, brief, quiet

MakeDicom = Callable[..., bytes]


def refusal(path: Path | BinaryIO, name: str = "") -> BreastsegError:
    """The error that opening gives; its message is one short printable line with the name."""
    with pytest.raises(BreastsegError) as caught:
        list(open_images(path, name))
    line = str(caught.value)
    assert line.isprintable()
    assert len(line) < 500
    assert line.startswith(f"{name or path}: ")
    assert caught.value.remedy or caught.value.allowed
    return caught.value


def test_missing(tmp_path: Path) -> None:
    assert "there is no such file" in str(refusal(tmp_path / "gone.png"))
    assert "cannot be opened" in str(refusal(tmp_path / ("x" * 300)))


def test_folder(tmp_path: Path) -> None:
    assert "is a folder" in str(refusal(tmp_path))


def test_dangling_link(tmp_path: Path) -> None:
    (tmp_path / "a.png").symlink_to(tmp_path / "gone.png")
    assert "which does not exist" in str(refusal(tmp_path / "a.png"))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_pipe_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "not a regular file" in str(refusal(tmp_path / "pipe"))


def test_no_permission(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, samples: dict[str, bytes]
) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(samples["grey.png"])

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    assert "Permission denied" in str(refusal(path))


@pytest.mark.parametrize("name", ["a.png", "a.dcm"])
def test_empty(name: str) -> None:
    assert "is empty (0 bytes)" in str(refusal(io.BytesIO(), name))


@pytest.mark.parametrize(
    ("data", "kind", "message"),
    [
        (b"hello, world\n", UnreadableError, "is text"),
        (b"%PDF-1.7\n", UnsupportedError, "PDF"),
        (b"GIF89a" + bytes(50), UnsupportedError, "GIF"),
        (b"PK\x03\x04" + bytes(50), UnsupportedError, "ZIP"),
        (b"RIFF\0\0\0\0WEBP", UnsupportedError, "WebP"),
        (b"\x1f\x8b" + bytes(50), UnsupportedError, "gzip"),
        (b"NRRD0005\ntype: uint8\n", UnreadableError, "NRRD"),
        (b"\x5c\x01\0\0" + bytes(340) + b"n+1\0", UnreadableError, "NIfTI"),
        (b"\x5c\x01\0\0" + bytes(340) + b"ni1\0", UnsupportedError, "in another file"),
        (b"\x1c\x02\0\0n+2\0\r\n\x1a\n", UnreadableError, "NIfTI"),
        (b"\x1c\x02\0\0ni2\0\r\n\x1a\n", UnsupportedError, "in another file"),
        (bytes(1000), UnreadableError, "not known"),
    ],
)
def test_other_kinds(data: bytes, kind: type, message: str) -> None:
    error = refusal(io.BytesIO(data), "a.png")
    assert isinstance(error, kind)
    assert message in str(error)


@pytest.mark.parametrize("fraction", [0.1, 0.5, 0.9])
def test_truncated(samples: dict[str, bytes], fraction: float) -> None:
    for name, data in samples.items():
        error = refusal(io.BytesIO(data[: int(fraction * len(data))]), name)
        assert isinstance(error, UnreadableError), name


def test_a_png_without_its_last_bytes(samples: dict[str, bytes]) -> None:
    assert isinstance(refusal(io.BytesIO(samples["grey.png"][:-5]), "a.png"), UnreadableError)


def test_a_png_with_one_wrong_byte(samples: dict[str, bytes]) -> None:
    data = bytearray(samples["grey.png"])
    data[data.index(b"IDAT") + 12] ^= 1
    assert isinstance(refusal(io.BytesIO(data), "a.png"), UnreadableError)


def test_a_tiff_whose_strips_end_too_early(samples: dict[str, bytes]) -> None:
    data = bytearray(samples["grey.tif"])
    rows = data.index(struct.pack("<HHI", 257, 4, 1)) + 8
    data[rows : rows + 4] = (60000).to_bytes(4, "little")
    error = refusal(io.BytesIO(data), "a.tif")
    assert isinstance(error, UnreadableError)


def test_header_that_promises_too_much(samples: dict[str, bytes], make_dicom: MakeDicom) -> None:
    """Refused by the declared size, before anything of that size is set aside."""
    side = 30000
    bmp = bytearray(samples["grey.bmp"])
    bmp[18:26] = struct.pack("<ii", side, side)
    assert isinstance(refusal(io.BytesIO(bmp), "a.bmp"), UnsupportedError)
    dicom = make_dicom(np.zeros((2, 2), np.uint8), Rows=side, Columns=side)
    error = refusal(io.BytesIO(dicom), "a.dcm")
    assert isinstance(error, UnsupportedError)
    assert f"30000 x 30000 = 900000000 pixels. Expected: at most {MAX_PIXELS}" in str(error)


def test_the_stated_limit_is_the_limit(
    samples: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    for limit, fits in ((48, True), (47, False)):
        monkeypatch.setattr(source, "MAX_PIXELS", limit)
        for name in ("grey.png", "grey.tif", "grey.bmp", "grey.dcm"):
            if fits:
                assert open_image(io.BytesIO(samples[name])).grid.size == 48
            else:
                assert "6 x 8 = 48 pixels" in str(refusal(io.BytesIO(samples[name]), name))


def test_frames_that_are_not_there(make_dicom: MakeDicom) -> None:
    data = make_dicom(np.zeros((4, 4), np.uint8), NumberOfFrames=10**6)
    assert "frames 2 to 1000000 of 1000000 are missing" in str(refusal(io.BytesIO(data), "a.dcm"))


def test_zero_sized(make_dicom: MakeDicom) -> None:
    data = make_dicom(np.zeros((4, 4), np.uint8), Rows=0)
    assert "0 rows" in str(refusal(io.BytesIO(data), "a.dcm"))


def test_odd_colours(make_dicom: MakeDicom) -> None:
    data = make_dicom(np.zeros((4, 4), np.uint8), PhotometricInterpretation="HSV")
    assert isinstance(refusal(io.BytesIO(data), "a.dcm"), UnsupportedError)


def test_what_a_file_says_is_cut_short_in_messages() -> None:
    assert brief("a\n\0b" + "x" * 100) == "a b" + "x" * 54 + "..."


def test_quiet_restores_the_filters() -> None:
    before = list(warnings.filters)
    with quiet(), quiet():
        warnings.warn("unheard", stacklevel=1)
    assert warnings.filters == before
    with pytest.warns(UserWarning, match="heard"):
        warnings.warn("heard", stacklevel=1)


def test_quiet_in_many_threads_restores_the_filters() -> None:
    before = list(warnings.filters)
    barrier = threading.Barrier(4)
    heard = []

    def work() -> None:
        barrier.wait()
        for _ in range(50):
            try:
                with quiet():
                    warnings.warn("unheard", stacklevel=1)
            except UserWarning as error:
                heard.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not heard
    assert warnings.filters == before


def mutate(rng: np.random.Generator, data: bytes, other: bytes) -> bytes:
    """A few of: a flipped bit, another byte, a cut, a hole, an insertion, a splice, a number."""
    changed = bytearray(data)
    for _ in range(rng.integers(1, 5)):
        # Half of the places are anywhere, half near the start, where the headers are.
        spread = len(changed) if rng.random() < 0.5 else 1 + len(changed) // 6
        at = int(rng.integers(0, max(1, spread)))
        few = int(rng.integers(1, 9))
        begin = int(rng.integers(0, len(other)))
        some = bytes(rng.integers(0, 256, few, np.uint8))
        ways: tuple[tuple[int, bytes], ...] = (
            (at + 1, bytes([(changed[at : at + 1] or b"\0")[0] ^ 1 << (few - 1)])),
            (at + 1, some[:1]),
            (at + 1, bytes([int(rng.choice([0, 1, 127, 128, 255]))])),
            (len(changed), b""),
            (at + few, b""),
            (at, some),
            (at + 8 * few, other[begin : begin + 8 * few]),
            (at + 4, int(rng.integers(0, 2**32)).to_bytes(4, "little")),
        )
        end, replacement = ways[int(rng.integers(0, len(ways)))]
        changed[at:end] = replacement
    return bytes(changed)


def answer(data: bytes, name: str) -> str:
    """The error's line, or nothing where there are images."""
    try:
        images = list(open_images(io.BytesIO(data), name))
    except BreastsegError as error:
        return str(error)
    assert all(image.grid.size <= source.MAX_PIXELS for image in images)
    return ""


def test_damaged_files_give_an_image_or_one_line(
    samples: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(source, "MAX_PIXELS", 2**20)
    rng = np.random.default_rng(20)
    names = [name for name in samples if name != "lossless.dcm"]  # a process each: see below
    for number in range(640):
        name = names[number % len(names)]
        data = mutate(rng, samples[name], samples[names[rng.integers(len(names))]])
        line = answer(data, name)
        assert line == "" or line.startswith(f"{name}: ")
        assert line.isprintable()
        assert len(line) < 500
    assert capfd.readouterr() == ("", "")


def test_damaged_lossless_jpeg_gives_an_image_or_one_line(
    samples: dict[str, bytes], capfd: pytest.CaptureFixture[str]
) -> None:
    rng = np.random.default_rng(21)
    data = samples["lossless.dcm"]
    start = data.index(b"\xff\xd8\xff\xc3") + 21  # behind the frame header, at its table
    for _ in range(6):
        damaged = data[:start] + mutate(rng, data[start:], samples["grey.jpg"])
        assert answer(damaged, "a.dcm").isprintable()
    assert capfd.readouterr() == ("", "")


def test_a_full_disk_is_no_fault_of_the_file() -> None:
    with pytest.raises(InputError, match="No space left") as caught, decoding("scan.dcm"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert not isinstance(caught.value, UnreadableError)
