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
from breastseg.data.no_mask import RIM, is_contour, is_image, may_be_inverted

MAX_CLASS = 16
"""Up to here whole numbers are class numbers, so that several in one file may be told apart."""

_LOG = logging.getLogger(__name__)
_SAID: set[tuple[str, str]] = set()

_MANY = 16  # distinct values: no set of labels
_OVERSHOOT = 4 / 3  # of what is meant: resampling and compression go no further beyond it


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
            out, in a colour or in the alpha channel alone; its palette shows several of its
            values in one colour; or it has several pages.
    """
    from breastseg.io.raster import read_raster, what_is_not_shown

    image = read_raster(path, name)
    hidden = "several pages" if image.frame is not None else what_is_not_shown(path)
    if hidden:
        raise _refused(name, f"a mask with {hidden}")
    return image.array


def lesion_pixels(values: NDArray[np.generic], name: str) -> LesionPixels:
    """Tell lesion from background in an undeclared mask.

    One value above 0, whatever it is, is lesion. Class numbers up to `MAX_CLASS`, and pure colours,
    are lesion all together, and the log of this module says so once for each data set. A mask with
    soft borders is lesion from half of its value on. Anything else is refused, for what its values
    mean is not known; so are a contour without its inside, and an image. A mask that looks as if
    lesion and background changed places is read, and the log says so.

    Args:
        values: (channels, rows, columns) of an image, or (1, slices, rows, columns) of a volume.
        name: what messages call it.

    Returns:
        A mask without the channels.

    Raises:
        DataSetError: a value is negative or not finite, several values that are no class numbers
            or leave no background, a contour alone, or an image rather than a mask.
    """
    found = _lesion_pixels(values, name)
    if is_contour(found.lesion):
        raise _refused(name, "a contour without its inside")
    if len(found.values) > 1:
        _say(name, f"the classes {', '.join(found.values)} count as one lesion")
    if may_be_inverted(found.lesion):
        _say(
            name,
            "the lesion covers most of the image and all of its edge: lesion and background may "
            "have changed places",
        )
    return found


def _say(name: str, what: str) -> None:
    """Once for each data set and remark, with one file of them: masks are read often."""
    place = name.rpartition("/")[0]
    if (place, what) not in _SAID:
        _SAID.add((place, what))
        _LOG.warning("%s: %s", name, what)


def _lesion_pixels(values: NDArray[np.generic], name: str) -> LesionPixels:
    if len(values) > 1:
        pure = _pure_colours(values, name)
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
    if not bool(np.any(above % 1)) and above[-1] <= MAX_CLASS:
        if len(above) == len(levels):
            raise _refused(name, f"the values {_listed(above)} and no background")
        return LesionPixels(np.asarray(plane > 0), tuple(str(int(level)) for level in above))
    full = _meant(plane, levels, name)
    lesion = np.asarray(plane > full / 2)
    if is_image(plane, full, lesion):
        raise _refused(name, f"{len(levels)} grey levels, as an image has")
    return LesionPixels(lesion, (f"{full:g}",))


def _meant(plane: NDArray[Any], levels: NDArray[Any], name: str) -> float:
    """The one value that stands for lesion in a mask whose borders are soft.

    Compression leaves flat areas near 0 and near that value, and goes a little beyond it.
    """
    flat, top = _flat(plane, levels[levels > 0]), float(levels[-1])
    if len(levels) <= _MANY and len(flat) > 1:
        raise _refused(name, f"the values {_listed(flat)}")
    if levels[0] > RIM * top:
        raise _refused(name, f"values from {levels[0]:g} to {top:g} and no background")
    meant = flat[flat > RIM * top]
    full = float(meant[-1]) if len(meant) else top
    if top > _OVERSHOOT * full or bool((meant < (1 - RIM) * full).any()):
        raise _refused(name, f"the values {_listed(distinct(np.append(meant, levels[-1])))}")
    return full


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


def _pure_colours(values: NDArray[Any], name: str) -> LesionPixels | None:
    """A mask whose classes are colours, each channel of a colour being 0 or the largest value."""
    top: Any = values.max()
    if len(values) != 3 or top == 0 or not bool(np.isin(values, (0, top)).all()):
        return None
    code = np.tensordot(np.array([1, 2, 4], np.uint8), (values > 0).astype(np.uint8), 1)
    names = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
    classes = tuple(names[int(one)] for one in distinct(code.astype(np.uint8)) if one)
    if len(classes) > 1 and bool((code > 0).all()):
        raise _refused(name, f"the colours {', '.join(classes)} and no black background")
    return LesionPixels(np.asarray(code > 0), classes)


def _flat(plane: NDArray[Any], above: NDArray[Any]) -> NDArray[Any]:
    """The values above 0 that fill at least one block of three pixels a side."""
    if min(plane.shape) < 3:
        return above
    low = ndimage.minimum_filter(plane, 3)
    flat = plane[(low == ndimage.maximum_filter(plane, 3)) & (plane > 0)]
    return distinct(flat)


def _listed(values: NDArray[np.generic], limit: int = 8) -> str:
    shown = ", ".join(f"{value:g}" for value in values[:limit].tolist())
    return shown + (f" and {len(values) - limit} more" if len(values) > limit else "")


def _refused(name: str, found: str) -> DataSetError:
    return DataSetError(
        f"{name}: {found}",
        f"one value inside lesions and 0 outside, or class numbers up to {MAX_CLASS}",
        "write the mask again with 0 and 255",
    )
