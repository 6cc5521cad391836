"""Files are written whole or not at all."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from breastseg.core.errors import InputError
from breastseg.io.folder_lock import lock_folder, unlock_folder
from breastseg.io.raster import read_raster
from breastseg.io.write import (
    appearing,
    clear_leftovers,
    replacing,
    write_bytes,
    write_png,
    write_text,
    write_texts,
)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_png_keeps_grey_levels_and_spacing(tmp_path: Path, dtype: type) -> None:
    array = np.array([[0, 1, 2], [3, np.iinfo(dtype).max, 5]], dtype)
    write_png(tmp_path / "a.png", array, spacing_mm=(0.1, 1 / 3))
    image = read_raster(tmp_path / "a.png")
    np.testing.assert_array_equal(image.array[0], array)
    assert image.array.dtype == dtype
    assert image.grid.spacing_mm == (0.1, 1 / 3)


def test_png_keeps_colour(tmp_path: Path) -> None:
    array = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    write_png(tmp_path / "a.png", array)
    image = read_raster(tmp_path / "a.png")
    np.testing.assert_array_equal(image.array, np.moveaxis(array, 2, 0))
    assert image.grid.spacing_mm is None


def test_png_of_a_mask_is_black_and_white(tmp_path: Path) -> None:
    mask = np.array([[True, False]])
    write_png(tmp_path / "a.png", mask)
    assert read_raster(tmp_path / "a.png").array.tolist() == [[[255, 0]]]


@pytest.mark.parametrize(
    "array",
    [np.zeros((2, 2)), np.zeros((2, 2, 4), np.uint8), np.zeros((0, 2), np.uint8), np.zeros(3)],
)
def test_png_refuses_other_arrays(tmp_path: Path, array: NDArray[np.generic]) -> None:
    with pytest.raises(InputError, match=r"a\.png"):
        write_png(tmp_path / "a.png", array)
    assert list(tmp_path.iterdir()) == []


def test_text_and_bytes(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "µm\n")
    assert (tmp_path / "a.txt").read_bytes() == "µm\n".encode()
    write_bytes(tmp_path / "a.txt", b"\0")
    assert (tmp_path / "a.txt").read_bytes() == b"\0"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_missing_folders_are_made(tmp_path: Path) -> None:
    write_text(tmp_path / "new" / "er" / "a.txt", "x")
    assert (tmp_path / "new" / "er" / "a.txt").read_text() == "x"


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")

    def fail(temporary: Path) -> None:
        temporary.write_text("half")
        assert temporary.suffix == ".txt"
        assert temporary.parent == tmp_path
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), replacing(target) as temporary:
        fail(temporary)
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_files_that_belong_together_appear_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, last = tmp_path / "table.csv", tmp_path / "summary.json"
    write_texts({first: "1", last: "2"})
    written, room = Path.write_bytes, [1]

    def one_alone(path: Path, data: bytes) -> int:
        if not room:
            raise OSError(errno.ENOSPC, "No space left on device")
        room.pop()
        return written(path, data)

    monkeypatch.setattr(Path, "write_bytes", one_alone)
    with pytest.raises(InputError, match="No space left"):
        write_texts({first: "3", last: "4"})
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "table.csv": "1",
        "summary.json": "2",
    }


def test_a_link_keeps_pointing(tmp_path: Path) -> None:
    (tmp_path / "real.txt").write_text("old")
    (tmp_path / "link.txt").symlink_to("real.txt")
    write_text(tmp_path / "link.txt", "new")
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "real.txt").read_text() == "new"


def test_a_folder_is_not_replaced(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a folder"):
        write_text(tmp_path, "x")


def test_a_file_where_a_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    with pytest.raises(InputError, match="cannot be written"):
        write_text(tmp_path / "a" / "b.txt", "x")


def test_a_long_name(tmp_path: Path) -> None:
    path = tmp_path / ("ä" * 120 + ".txt")
    write_text(path, "x")
    assert path.read_text() == "x"


def test_what_a_killed_process_has_left_is_told_from_what_a_person_has(tmp_path: Path) -> None:
    kept = {".hidden", ".scan.0123456789ab", "a.0123456789ab.png", ".scan.previous.png"}
    left = {".scan.0123456789ab.png", ".a.b.nii.0123456789ab.gz"}
    for name in {*kept, *left} - {".scan.0123456789ab"}:
        (tmp_path / name).touch()
    (tmp_path / ".scan.0123456789ab").mkdir()
    clear_leftovers(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == kept


@pytest.mark.skipif(os.name != "posix", reason="locks of folders")
def test_a_folder_that_appears_takes_the_leftovers_of_killed_processes_along(
    tmp_path: Path,
) -> None:
    names = ".out.0123456789ab", ".out.ba9876543210", ".out.previous", ".out.b.0123456789ab"
    for name in names:
        (tmp_path / name / "out").mkdir(parents=True)
    handle = lock_folder(tmp_path / names[1])  # another process is at it
    with appearing(tmp_path / "out") as folder:
        (folder / "a").touch()
        assert not (tmp_path / "out").exists()
    unlock_folder(handle)
    assert {path.name for path in tmp_path.iterdir()} == {"out", *names[1:]}
    assert (tmp_path / "out/a").exists()


def test_a_folder_that_fails_leaves_nothing(tmp_path: Path) -> None:
    making = appearing(tmp_path / "out")
    (making.__enter__() / "a").touch()
    assert not making.__exit__(ZeroDivisionError, ZeroDivisionError(), None)
    assert not [*tmp_path.iterdir()]
