"""Listing and reading the files of a data set."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from breastseg.core.errors import DataSetError
from breastseg.io.foreign import FOREIGN_SUFFIXES

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff")


def visible(folder: Path, *suffixes: str) -> list[Path]:
    """The files of a folder whose names end so, in capitals or not; sorted.

    Hidden ones are none of them: macOS leaves a ``._scan.png`` beside each ``scan.png``.

    Args:
        folder: need not exist.
        suffixes: such as ``".png"``.
    """
    if not folder.is_dir():
        return []
    return sorted(
        path
        for path in folder.iterdir()
        if path.name.lower().endswith(suffixes) and not path.name.startswith(".") and path.is_file()
    )


def by_stem(folders: Path | Iterable[Path], *suffixes: str) -> dict[str, Path]:
    """`visible` files of one or of several folders by their names without the suffix.

    Raises:
        DataSetError: two files have one stem.
    """
    found: dict[str, Path] = {}
    places = [folders] if isinstance(folders, Path) else folders
    for path in (path for place in places for path in visible(place, *suffixes)):
        if path.stem in found:
            other = found[path.stem]
            beside = other.name if other.parent == path.parent else other
            raise DataSetError(
                f"{beside} and {path.name} in {path.parent} have one stem",
                "one file a stem",
                "rename one of them",
            )
        found[path.stem] = path
    return found


def folders_of_images(folder: Path) -> list[Path]:
    """The folders below one, at any depth, that hold images; sorted."""
    inside = (path for path in folder.rglob("*") if path.is_dir() and not path.name.startswith("."))
    return sorted(path for path in inside if visible(path, *IMAGE_SUFFIXES))


def unread_images(folders: Path | Iterable[Path]) -> list[str]:
    """Names of the `visible` images of folders that are of a kind that is not read, such as GIF."""
    places = [folders] if isinstance(folders, Path) else folders
    return [path.name for place in places for path in visible(place, *FOREIGN_SUFFIXES)]


def read_json(path: Path, expected: str) -> object:
    """Read a JSON file.

    Args:
        path: in UTF-8.
        expected: what messages say it should hold.

    Raises:
        DataSetError: it cannot be read, is no JSON, or nests too deeply.
    """
    try:
        found: object = json.loads(path.read_text(encoding="utf-8-sig"))
    except RecursionError as error:
        raise DataSetError(f"{path} nests too deeply", expected) from error
    except (OSError, ValueError) as error:
        raise DataSetError(f"{path} cannot be read: {error}", expected) from error
    return found
