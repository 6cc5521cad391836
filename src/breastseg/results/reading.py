"""Reading the images of one source, with what a table beside it or the user says of their scale."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from breastseg.core.errors import BreastsegError, as_breastseg_error
from breastseg.core.image import Image, Modality
from breastseg.results.source import STANDARD_INPUT, Source

Spacing = tuple[float, float]


def read_source(source: Source, spacing_mm: Spacing | None = None) -> Iterator[Image]:
    """Read all images of a source, one at a time.

    A ``cases.csv`` in the image's folder, or above it where that is called ``images``, states
    spacing and modality as it does for a data set (see `breastseg.data.sets.folder`).

    Args:
        source: a file or standard input.
        spacing_mm: (row, column) spacing in millimetres of images whose own is not known.

    Yields:
        One image a page or frame.

    Raises:
        BreastsegError: as `breastseg.io.open.open_images`; a row of the table that cannot be
            understood; and whatever else is met, such as a want of memory.
    """
    from breastseg.io.open import open_images

    try:
        stated, modality, remarks = _stated(source.path)
        for image in open_images(source.open(), source.name):
            told = replace(image, remarks=(*image.remarks, *remarks)) if remarks else image
            yield _with(told, stated, spacing_mm, modality)
    except BreastsegError:
        raise
    except Exception as error:
        raise as_breastseg_error(error, source.name) from error


def _with(
    image: Image, stated: Spacing | None, fallback: Spacing | None, modality: Modality
) -> Image:
    """The image with what is stated of it; a table goes before the file, the fallback after."""
    grid, remarks = image.grid, image.remarks
    if grid.ndim == 2 and stated is not None:
        grid = replace(grid, spacing_mm=stated, regions=())
    elif grid.ndim == 2 and fallback is not None and grid.spacing_mm is None and not grid.regions:
        grid = replace(grid, spacing_mm=fallback)
    if fallback is not None and (grid.regions or grid.spacing_mm != fallback):
        where = "the table beside it" if stated is not None else "the file"
        remarks = (*remarks, f"sizes are by the spacing that {where} states, not by the given one")
    known = modality is not Modality.UNKNOWN
    modality = modality if known else image.modality
    return replace(image, grid=grid, modality=modality, remarks=remarks)


def _stated(path: Path) -> tuple[Spacing | None, Modality, tuple[str, ...]]:
    """What the table beside a file says of it, and that it says nothing where it states scales."""
    if path == STANDARD_INPUT:
        return None, Modality.UNKNOWN, ()
    from breastseg.data.cells import modality_of, spacing_of
    from breastseg.data.sets.folder import TABLE

    folder = path.absolute().parent
    places = [folder, folder.parent] if folder.name == "images" else [folder]
    row = next((found for place in places if (found := _row(place, path))), {})
    where = f"{path.name} in {TABLE}"
    others = [other for place in places for other in _rows(place).values()]
    scaled = not row and any(other.get("spacing_mm") for other in others)
    remarks = (f"{TABLE} states the scale of other files, and has no row for this one",) * scaled
    spacing = spacing_of(row.get("spacing_mm") or "", where)
    return spacing, modality_of(row.get("modality") or "", where), remarks


def _row(folder: Path, path: Path) -> dict[str, str]:
    """What a folder's table says of a file; nothing where the row names one of another suffix."""
    row = _rows(folder).get(path.stem, {})
    suffix = Path(row.get("file", "")).suffix.lower()
    return row if suffix in ("", path.suffix.lower()) else {}


def _rows(folder: Path) -> dict[str, dict[str, str]]:
    """The rows of a folder's table by the stem of their file; read again where it has changed."""
    from breastseg.data.sets.folder import TABLE

    table = folder / TABLE
    try:
        stat = table.stat()
    except OSError:  # it is not there, or its reader says what is wrong
        return _read_rows(table, None)
    return _read_rows(table, (stat.st_ino, stat.st_size, stat.st_mtime_ns))


@lru_cache(maxsize=16)
def _read_rows(table: Path, _state: tuple[int, ...] | None) -> dict[str, dict[str, str]]:
    from breastseg.data.sets.folder import read_rows

    used = ("file", "spacing_mm", "modality")
    return {stem: dict(row) for stem, row in read_rows(table, used).items()}
