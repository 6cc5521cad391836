"""What in a file of ground truth is lesion: one rule for every reader and for the audit.

Masks come as 0 and 255, as 0 and 65535, as any other grey, as class numbers, in colour, and with
borders softened by resampling or compression. What a file means is decided by its flat areas: a
value that fills a block of three pixels a side is meant, one that stands on borders alone is not.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from breastseg.core.errors import DataSetError
from breastseg.core.grid import Grid
from breastseg.core.mask import IGNORE, LESION, Mask

MAX_CLASS = 16
"""Up to here whole numbers are class numbers, so that several in one file may be told apart."""

_LOG = logging.getLogger(__name__)
_SAID: set[tuple[str, tuple[str, ...]]] = set()

_RIM = 0.125  # of the largest value: compression stays that close to the two ends
_BORDER = 8  # pixels across a softened border
_MANY = 16  # distinct values: no set of labels


@dataclass(frozen=True, eq=False)
class LesionPixels:
    """What was read of one file.

    Attributes:
        lesion: True inside a lesion.
        values: what was taken as lesion: numbers or colours, several where classes were merged.
    """

    lesion: NDArray[np.bool_]
    values: tuple[str, ...] = ()


def read_lesion_pixels(path: Path, name: str = "") -> LesionPixels:
    """Read a mask drawn as an image; see `lesion_pixels`.

    Args:
        path: PNG, JPEG, TIFF or BMP.
        name: what messages call it; the file's name by default.

    Raises:
        UnreadableError: the file is missing or damaged.
        UnsupportedError: it is too large.
        DataSetError: as `read_mask_values` and `lesion_pixels`.
    """
    name = name or path.name
    return lesion_pixels(read_mask_values(path, name), name)


def read_mask_values(path: Path, name: str) -> NDArray[np.generic]:
    """The values of a mask drawn as an image, (channels, rows, columns).

    Raises:
        InputError: as `breastseg.io.raster.read_raster`.
        DataSetError: a part of it is transparent: the lesion may be what is drawn or what is left
            out, in a colour or in the alpha channel alone.
    """
    from breastseg.io.raster import is_transparent, read_raster

    values = read_raster(path, name).array
    if is_transparent(path):
        raise _refused(name, "a mask that is transparent in parts")
    return values


def lesion_pixels(values: NDArray[np.generic], name: str) -> LesionPixels:
    """Tell lesion from background in an undeclared mask.

    One value above 0, whatever it is, is lesion. Class numbers up to `MAX_CLASS`, and pure colours,
    are lesion all together, and the log of this module says so once for each data set. A mask with
    soft borders is lesion from half of its value on. Anything else is refused, for what its values
    mean is not known.

    Args:
        values: (channels, rows, columns) of an image, or (1, slices, rows, columns) of a volume.
        name: what messages call it.

    Returns:
        A mask without the channels.

    Raises:
        DataSetError: a value is negative or not finite, several values that are no class numbers,
            or an image rather than a mask.
    """
    found = _lesion_pixels(values, name)
    if len(found.values) > 1:
        _say_merged(name.rpartition("/")[0], found.values, name)
    return found


def _say_merged(place: str, values: tuple[str, ...], name: str) -> None:
    """Once for each data set and set of values, with one file of them: masks are read often."""
    if (place, values) not in _SAID:
        _SAID.add((place, values))
        _LOG.warning("%s: the classes %s count as one lesion", name, ", ".join(values))


def _lesion_pixels(values: NDArray[np.generic], name: str) -> LesionPixels:
    if len(values) > 1:
        pure = _pure_colours(values)
        if pure is not None:
            return pure
    plane: NDArray[Any] = values.max(axis=0)
    top = plane.max(initial=0)
    if top > 0 and bool(((plane == 0) | (plane == top)).all()):
        return LesionPixels(np.asarray(plane > 0), (f"{top:g}",))
    levels: NDArray[Any] = distinct(plane)
    if not np.isfinite(levels).all() or bool((levels < 0).any()):
        raise _refused(name, "values that are negative or not finite")
    above = levels[levels > 0]
    if len(above) == 0:
        return LesionPixels(np.zeros(plane.shape, bool))
    flat = _flat(plane, above)
    whole = not bool(np.any(above % 1))
    if whole and above[-1] <= MAX_CLASS:
        return LesionPixels(np.asarray(plane > 0), tuple(str(int(level)) for level in above))
    if len(flat) > 1 and not _is_compressed(flat, levels):
        raise _refused(name, f"the values {_listed(flat)}")
    full = float(flat[-1] if len(flat) else above[-1])
    lesion = np.asarray(plane > full / 2)
    if _is_image(plane, full, lesion):
        raise _refused(name, f"{len(levels)} grey levels, as an image has")
    return LesionPixels(lesion, (f"{full:g}",))


def _is_image(plane: NDArray[Any], full: float, lesion: NDArray[np.bool_]) -> bool:
    """Whether more lies apart from dark and bright than softened borders explain.

    Of 60 images of the public sets all have more than 8 such pixels for one of the border, or more
    than a quarter in all; masks that were resampled and compressed have less of both.
    """
    apart = int(
        ((plane > _RIM * full) & (abs(plane.astype(np.float64) - full) > _RIM * full)).sum()
    )
    border = int((lesion & ~ndimage.binary_erosion(lesion)).sum())
    few = apart <= 0.01 * plane.size
    return not few and (apart > _BORDER * border or apart > 0.25 * plane.size)


def check_declared(values: NDArray[np.generic], declared: Collection[int], name: str) -> None:
    """Refuse labels that the data set does not declare.

    Args:
        values: of any shape.
        declared: all values that have a meaning, that of the background among them.
        name: what messages call the file.

    Raises:
        DataSetError: names the values.
    """
    known = np.isin(values, list(declared))
    if not known.all():
        unknown = distinct(values[~known])
        raise DataSetError(
            f"{name}: the undeclared label{'s' * (len(unknown) > 1)} {_listed(unknown)}",
            f"labels of {_listed(np.array(sorted(declared)))}",
            "declare the label, or repair the file",
        )


class Labels(Protocol):
    """Which values of a file of labels mean what."""

    @property
    def lesion_values(self) -> tuple[int, ...]:
        """Lesion; empty where it is not declared."""

    @property
    def ignore_value(self) -> int | None:
        """Where nothing is known."""


def labelled(files: Iterable[tuple[NDArray[np.generic], str]], labels: Labels, grid: Grid) -> Mask:
    """The ground truth of one case, from its files of labels.

    Args:
        files: (1, *grid.shape) and a name for messages, each.
        labels: what their values mean.
        grid: of the image.

    Returns:
        1 inside any lesion, and 2, named `breastseg.core.mask.IGNORE`, where nothing is known.

    Raises:
        DataSetError: a label is not declared, or what is lesion cannot be told.
    """
    lesion, ignored = np.zeros(grid.shape, bool), np.zeros(grid.shape, bool)
    for values, name in files:
        if not labels.lesion_values:
            lesion |= lesion_pixels(values, name).lesion
            continue
        ignore = () if labels.ignore_value is None else (labels.ignore_value,)
        check_declared(values, (0, *labels.lesion_values, *ignore), name)
        lesion |= np.isin(values[0], labels.lesion_values)
        ignored |= np.isin(values[0], ignore)
    ignored &= ~lesion
    if not ignored.any():
        return Mask(lesion, grid)
    return Mask(np.where(ignored, 2, lesion.astype(np.uint8)), grid, {1: LESION, 2: IGNORE})


def distinct(values: NDArray[np.generic]) -> NDArray[np.generic]:
    """The distinct values, ascending; as `numpy.unique`, and faster for 8 and 16 bits."""
    if values.dtype.kind == "u" and values.dtype.itemsize <= 2 and values.size:
        found = np.flatnonzero(np.bincount(values.ravel()))
        return found.astype(values.dtype)
    return np.unique(values)


def _pure_colours(values: NDArray[Any]) -> LesionPixels | None:
    """A mask whose classes are colours, each channel of a colour being 0 or the largest value."""
    top: Any = values.max()
    if len(values) != 3 or top == 0 or not bool(np.isin(values, (0, top)).all()):
        return None
    code = np.tensordot(np.array([1, 2, 4], np.uint8), (values > 0).astype(np.uint8), 1)
    names = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
    classes = tuple(names[int(one)] for one in distinct(code.astype(np.uint8)) if one)
    return LesionPixels(np.asarray(code > 0), classes)


def _flat(plane: NDArray[Any], above: NDArray[Any]) -> NDArray[Any]:
    """The values above 0 that fill at least one block of three pixels a side."""
    if min(plane.shape) < 3:
        return above
    low = ndimage.minimum_filter(plane, 3)
    flat = plane[(low == ndimage.maximum_filter(plane, 3)) & (plane > 0)]
    return distinct(flat)


def _is_compressed(flat: NDArray[Any], levels: NDArray[Any]) -> bool:
    """Whether all flat values lie so near to 0 or to the largest that compression explains them."""
    fraction = flat / float(flat[-1])
    return len(levels) > _MANY and bool(np.all((fraction <= _RIM) | (fraction >= 1 - _RIM)))


def _listed(values: NDArray[np.generic], limit: int = 8) -> str:
    shown = ", ".join(f"{value:g}" for value in values[:limit].tolist())
    return shown + (f" and {len(values) - limit} more" if len(values) > limit else "")


def _refused(name: str, found: str) -> DataSetError:
    return DataSetError(
        f"{name}: {found}",
        f"one value inside lesions and 0 outside, or class numbers up to {MAX_CLASS}",
        "write the mask again with 0 and 255",
    )
