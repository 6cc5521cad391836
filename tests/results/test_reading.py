"""What is read of a source: its images, and what a table or the user says of their scale."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

from breastseg.core.errors import DataSetError, UnreadableError, UnsupportedError
from breastseg.core.image import Image, Modality
from breastseg.io import memory
from breastseg.io.write import write_png
from breastseg.results.reading import read_source
from breastseg.results.source import STANDARD_INPUT, Source, find_sources


def scan(folder: Path, spacing: tuple[float, float] | None = None) -> Source:
    path = folder / "scan.png"
    write_png(path, np.arange(12, dtype=np.uint8).reshape(3, 4), spacing)
    return Source("scan.png", path)


def only(source: Source, spacing: tuple[float, float] | None = None) -> Image:
    (image,) = read_source(source, spacing)
    return image


def test_a_given_spacing_that_is_not_taken_is_told(tmp_path: Path) -> None:
    image = only(scan(tmp_path, (0.1, 0.2)), (0.5, 0.5))
    assert image.grid.spacing_mm == (0.1, 0.2)
    assert image.remarks == ("sizes are by the spacing that the file states, not by the given one",)
    assert only(scan(tmp_path, (0.1, 0.2)), (0.1, 0.2)).remarks == ()
    assert only(scan(tmp_path), (0.5, 0.5)).remarks == ()


def test_a_spacing_is_for_images_without_one(tmp_path: Path) -> None:
    assert only(scan(tmp_path)).grid.spacing_mm is None
    assert only(scan(tmp_path), (0.1, 0.2)).grid.spacing_mm == (0.1, 0.2)
    assert only(scan(tmp_path, (0.3, 0.3)), (0.1, 0.2)).grid.spacing_mm == (0.3, 0.3)


@pytest.mark.parametrize("place", ["images", "elsewhere"])
def test_a_table_beside_the_image_is_heeded(tmp_path: Path, place: str) -> None:
    source = scan(tmp_path / place)
    table = (tmp_path if place == "images" else tmp_path / place) / "cases.csv"
    table.write_text("file,spacing_mm,modality\nscan.png,0.1 0.2,mammography\n")
    image = only(source, (0.5, 0.5))
    assert image.grid.spacing_mm == (0.1, 0.2)
    assert image.modality is Modality.MAMMOGRAPHY


def test_a_table_that_has_changed_is_read_again(tmp_path: Path) -> None:
    source, table = scan(tmp_path), tmp_path / "cases.csv"
    assert only(source).grid.spacing_mm is None
    for spacing in (0.1, 0.25):
        table.write_text(f"file,spacing_mm\nscan.png,{spacing}\n")
        assert only(source).grid.spacing_mm == (spacing, spacing)
    table.unlink()
    assert only(source).grid.spacing_mm is None


def test_a_table_that_states_scales_and_leaves_an_image_out_is_said(tmp_path: Path) -> None:
    source = scan(tmp_path)
    (tmp_path / "cases.csv").write_text("file,spacing_mm\nSCAN2.png,0.1\n")
    image = only(source)
    assert image.grid.spacing_mm is None
    assert image.remarks == (
        "cases.csv states the scale of other files, and has no row for this one",
    )


def test_a_row_that_makes_no_sense_is_said(tmp_path: Path) -> None:
    source = scan(tmp_path)
    (tmp_path / "cases.csv").write_text("file,spacing_mm\nscan.png,wide\n")
    with pytest.raises(DataSetError, match="wide"):
        only(source)


def test_want_of_memory_is_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise MemoryError

    source = scan(tmp_path)
    monkeypatch.setattr("breastseg.io.open.open_images", fail)
    with pytest.raises(UnsupportedError, match=r"scan\.png: there is not enough memory"):
        only(source)


def test_standard_input_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    class Endless:
        buffer = io.BytesIO(bytes(100))

        def isatty(self) -> bool:
            return False

    monkeypatch.setattr("sys.stdin", Endless())
    monkeypatch.setattr(memory, "_limit", 99)
    with pytest.raises(UnsupportedError, match="standard input"):
        list(read_source(Source("standard input", STANDARD_INPUT)))


def test_two_links_to_one_file_are_two_scans(tmp_path: Path) -> None:
    scan(tmp_path)
    for name in ("p1.png", "p2.png"):
        (tmp_path / name).symlink_to("scan.png")
    links = [tmp_path / "p1.png", tmp_path / "p2.png"]
    assert [source.stem for source in find_sources([*links, links[0]], None)] == ["p1", "p2"]


def test_other_files_are_counted_and_outputs_are_not(tmp_path: Path) -> None:
    scan(tmp_path)
    scan(tmp_path / "out")
    (tmp_path / "notes.txt").write_text("hello")
    sources = find_sources([tmp_path], tmp_path / "out")
    assert ([source.stem for source in sources], sources.others) == (["scan"], 1)


@pytest.mark.parametrize(("names", "said"), [((), "nothing in it"), (("a.txt",), "its 1 files")])
def test_a_folder_without_images_says_so(tmp_path: Path, names: tuple[str, ...], said: str) -> None:
    for name in names:
        (tmp_path / name).write_text("hello")
    (source,) = find_sources([tmp_path], None)
    with pytest.raises(UnreadableError, match=said):
        list(read_source(source))
