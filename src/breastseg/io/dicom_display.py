"""From stored DICOM values to what a viewer shows: DICOM PS3.4 N.2 as far as the VOI LUT.

Values pass the modality LUT or rescale, then the first VOI LUT or, without one, the first
window, and are turned over where the largest value is the darkest.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from pydicom import Dataset

Array = NDArray[np.generic]

_PADDING = ("PixelPaddingValue", "PixelPaddingRangeLimit")


def show_grey(stored: Array, header: Dataset) -> Array:
    """Bring a grey frame to what a viewer shows.

    Padding, which is no part of the image, takes the darkest value in it.

    Args:
        stored: (rows, columns) as decoded.
        header: the frame's attributes; not changed.

    Returns:
        (rows, columns), bright is large: the stored dtype where the header asks for no change
        of values, the LUT's where it has one, else float32.
    """
    padding = _padding(stored, header)
    shown = _apply(stored, header)
    inside = shown if padding is None else shown[~padding]
    if _largest_is_darkest(header) and inside.size:
        # The mirror image within their own range: exact, and what overflows between the two
        # steps wraps back. In place where that is safe, for the sake of large mammograms.
        low, high = inside.min(), inside.max()
        shown = np.subtract(high, shown, out=None if shown is stored else shown)
        shown += low
        inside = shown if padding is None else shown[~padding]
    if padding is not None and inside.size:
        shown = np.where(padding, inside.min(), shown)
    return shown


def show_palette(stored: Array, header: Dataset) -> Array:
    """Look up palette colours, DICOM PS3.3 C.7.6.3.1.5.

    Args:
        stored: (rows, columns) as decoded.
        header: with the palette; not changed.

    Returns:
        (rows, columns, 3), uint8 or uint16.
    """
    from pydicom import Dataset
    from pydicom.pixels.processing import apply_color_lut

    palette = Dataset()
    low, high = _stored_range(stored.dtype, header)
    for element in header.group_dataset(0x0028):
        palette.add(element)
    for colour in ("Red", "Green", "Blue"):
        keyword = f"{colour}PaletteColorLookupTableDescriptor"
        if keyword in palette:
            entries, first, depth = _descriptor(palette[keyword].value, low, high)
            palette.add_new(keyword, "SS" if first < 0 else "US", [entries % 2**16, first, depth])
    palette.set_original_encoding(*header.original_encoding)
    return np.asarray(apply_color_lut(stored, palette))[..., :3]


def _largest_is_darkest(header: Dataset) -> bool:
    """MONOCHROME1, which a presentation LUT shape of INVERSE repeats and does not undo.

    DICOM PS3.3 C.8.11.3.1.2 pairs the two.
    """
    shape = str(header.get("PresentationLUTShape", "")).upper()
    return header.PhotometricInterpretation == "MONOCHROME1" or shape == "INVERSE"


def _padding(stored: Array, header: Dataset) -> NDArray[np.bool_] | None:
    """True where a pixel is padding, DICOM PS3.3 C.7.5.1.1.2; None without any.

    The values are of the stored pixels' type, whatever type their element has.
    """
    bits = min(int(header.BitsStored), 16)
    low, high = _stored_range(stored.dtype, header)
    said = [_fitting(header.get(tag), low, high, bits) for tag in _PADDING]
    ends = [value for value in said if value is not None]
    if said[0] is None:
        return None
    low_end, high_end = np.array(min(ends)), np.array(max(ends))
    padding = np.greater_equal(stored, low_end) & np.less_equal(stored, high_end)
    return padding if padding.any() else None


def _fitting(value: object, low: float, high: float, bits: int) -> int | None:
    """A number with the same bits that lies between `low` and `high`, if there is one."""
    if isinstance(value, bytes) and len(value) == 2:
        value = int.from_bytes(value, "little")
    if not isinstance(value, int):
        return None
    turns = (0, -(2**16), 2**16, -(2**bits), 2**bits)
    return next((value + turn for turn in turns if low <= value + turn <= high), value)


def _apply(stored: Array, header: Dataset) -> Array:
    """Modality and VOI transformation, through a table where the dtype is small enough.

    A table of at most 65536 entries instead of passes in float64 over each pixel saves most
    of the time, and for a mammogram a gigabyte.
    """
    if not _changes_values(header):
        return stored
    if stored.dtype.kind not in "iu" or stored.dtype.itemsize > 2:
        return _transform(stored, header)
    unsigned = np.dtype(f"u{stored.dtype.itemsize}")
    every = np.arange(2 ** (8 * unsigned.itemsize), dtype=unsigned)
    table = _transform(every.view(stored.dtype), header)
    return np.asarray(table[stored.view(unsigned)])


def _changes_values(header: Dataset) -> bool:
    rescaled = (_slope(header), _intercept(header)) != (1.0, 0.0)
    luts = header.get("ModalityLUTSequence") or header.get("VOILUTSequence")
    return bool(luts) or rescaled or _has_window(header)


def _transform(values: Array, header: Dataset) -> Array:
    """Modality LUT or rescale, then VOI LUT or window; the order is that of PS3.3 C.11."""
    low, high = _stored_range(values.dtype, header)
    if header.get("ModalityLUTSequence"):
        table = _Table.read(header.ModalityLUTSequence[0], header, low, high)
        values, low, high = table.look_up(values), 0.0, 2.0**table.depth - 1
    elif (_slope(header), _intercept(header)) != (1.0, 0.0):
        slope, intercept = _slope(header), _intercept(header)
        values = np.asarray(values.astype(np.float64)) * slope + intercept
        # a slope below 0 turns the ends round, and bright stays what it then is
        low, high = sorted((low * slope + intercept, high * slope + intercept))
    if header.get("VOILUTSequence"):
        values = _Table.read(header.VOILUTSequence[0], header, low, high).look_up(values)
    elif _has_window(header):
        values = _window(values, header, low, high)
    return values.astype(np.float32) if values.dtype.kind == "f" else values


def _stored_range(dtype: np.dtype[np.generic], header: Dataset) -> tuple[float, float]:
    """The least and largest value that the stored bits can hold."""
    if dtype.kind not in "iu":
        return 0.0, 1.0
    bits = min(int(header.BitsStored), 8 * dtype.itemsize)
    if dtype.kind == "i":
        return -(2.0 ** (bits - 1)), 2.0 ** (bits - 1) - 1
    return 0.0, 2.0**bits - 1


def _window(values: Array, header: Dataset, low: float, high: float) -> Array:
    """Spread a window over what comes out, from `low` to `high`; PS3.3 C.11.2.1.2 and C.11.2.1.3.

    A function that the standard does not know counts as its default, LINEAR.
    """
    centre, width = _number(header, "WindowCenter", 0.0), _number(header, "WindowWidth", 1.0)
    real: NDArray[np.float64] = values.astype(np.float64)
    function = _function(header)
    if function == "SIGMOID":
        with np.errstate(over="ignore"):
            fraction = 1 / (1 + np.exp(-4 * (real - centre) / width))
    elif function == "LINEAR_EXACT":
        fraction = (real - centre) / width + 0.5
    elif width == 1:
        fraction = np.where(real > centre - 0.5, 1.0, 0.0)
    else:
        fraction = (real - (centre - 0.5)) / (width - 1) + 0.5
    return np.asarray(np.clip(fraction, 0, 1) * (high - low) + low)


def _function(header: Dataset) -> str:
    said = str(header.get("VOILUTFunction") or "").strip().upper()
    return said if said in ("LINEAR_EXACT", "SIGMOID") else "LINEAR"


def _slope(header: Dataset) -> float:
    return _number(header, "RescaleSlope", 1.0)


def _intercept(header: Dataset) -> float:
    return _number(header, "RescaleIntercept", 0.0)


def _number(header: Dataset, keyword: str, default: float) -> float:
    """The first value of an element, or the default where it is absent, empty or not finite."""
    value = header.get(keyword)
    if value is not None and not isinstance(value, str | int | float):
        value = next(iter(value), None)
    number = default if value in (None, "") else float(value)
    return number if math.isfinite(number) else default


def _has_window(header: Dataset) -> bool:
    """Whether there is a window; one whose width the standard forbids (C.11.2.1.2) is none."""
    width = _number(header, "WindowWidth", 0.0)
    center = _number(header, "WindowCenter", math.nan)
    least = 1.0 if _function(header) == "LINEAR" else math.ulp(0.0)
    return width >= least and "WindowCenter" in header and not math.isnan(center)


@dataclass(frozen=True)
class _Table:
    """A modality or VOI LUT, DICOM PS3.3 C.11.1.1 and C.11.2.1.1.

    pydicom's own applies an 8-bit LUT of more than 256 entries modulo 256.
    """

    entries: Array
    first: int
    depth: int

    @classmethod
    def read(cls, item: Dataset, header: Dataset, low: float, high: float) -> _Table:
        """Read one for values from `low` to `high`."""
        count, first, depth = _descriptor(item.LUTDescriptor, low, high)
        data = item.LUTData
        if isinstance(data, bytes):
            packed = len(data) < 2 * count  # two 8-bit entries to a word
            little_endian = header.original_encoding[1] is not False
            kind = "u1" if packed else "<u2" if little_endian else ">u2"
            data = np.frombuffer(data[: len(data) // 2 * 2], kind)
        table = np.atleast_1d(np.asarray(data))[:count]
        return cls(table.astype(np.uint8 if depth <= 8 else np.uint16), first, depth)

    def look_up(self, values: Array) -> Array:
        """The entries for values; what lies outside takes the first or last."""
        steps = np.rint(values).astype(np.int64) - self.first
        return self.entries[np.clip(steps, 0, len(self.entries) - 1)]


def _descriptor(said: object, low: float, high: float) -> tuple[int, int, int]:
    """Number of entries, first value mapped and bits an entry, of a table for `low` to `high`.

    The first value is signed where the values are, whatever type the element has; the number of
    entries is not signed, and 0 is 65536.
    """
    if isinstance(said, bytes):
        said = struct.unpack("<3H", said)
    if not isinstance(said, Iterable):
        raise ValueError("a look-up table's descriptor has other than three values")
    count, first, depth = (int(part) for part in said)
    first = next((n for n in (first, first - 2**16, first + 2**16) if low <= n <= high), first)
    return count % 2**16 or 2**16, first, depth
