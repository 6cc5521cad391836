"""From stored DICOM values to what a viewer shows: DICOM PS3.4 N.2 as far as the VOI LUT.

Values pass the modality LUT or rescale, then the first VOI LUT or, without one, the first
window, and are turned over where the largest value is the darkest.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from pydicom import Dataset

Array = NDArray[np.generic]


def show_grey(stored: Array, header: Dataset) -> Array:
    """Bring a grey frame to what a viewer shows.

    Padding, which is no part of the picture, takes the darkest value in it.

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
    """Look up palette colours.

    Args:
        stored: (rows, columns) as decoded.
        header: with the palette; not changed.

    Returns:
        (rows, columns, 3), uint8 or uint16.
    """
    from pydicom.pixels.processing import apply_color_lut

    return np.asarray(apply_color_lut(stored, header))[..., :3]


def _largest_is_darkest(header: Dataset) -> bool:
    """MONOCHROME1, which a presentation LUT shape of INVERSE repeats and does not undo.

    DICOM PS3.3 C.8.11.3.1.2 pairs the two.
    """
    shape = str(header.get("PresentationLUTShape", "")).upper()
    return header.PhotometricInterpretation == "MONOCHROME1" or shape == "INVERSE"


def _padding(stored: Array, header: Dataset) -> NDArray[np.bool_] | None:
    """True where a pixel is padding, DICOM PS3.3 C.7.5.1.1.2; None without any."""
    first = header.get("PixelPaddingValue")
    if not isinstance(first, int):
        return None
    last = header.get("PixelPaddingRangeLimit", first)
    low, high = min(first, last), max(first, last)
    padding = np.asarray((stored >= low) & (stored <= high))
    return padding if padding.any() else None


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
    if header.get("ModalityLUTSequence"):
        values = _look_up(values, header.ModalityLUTSequence[0], header)
    elif (_slope(header), _intercept(header)) != (1.0, 0.0):
        values = values.astype(np.float64) * _slope(header) + _intercept(header)
    if header.get("VOILUTSequence"):
        values = _look_up(values, header.VOILUTSequence[0], header)
    elif _has_window(header):
        from pydicom.pixels.processing import apply_windowing

        values = apply_windowing(values, header)
    return values.astype(np.float32) if values.dtype.kind == "f" else values


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
    function = str(header.get("VOILUTFunction") or "LINEAR").upper()
    least = 1.0 if function == "LINEAR" else math.ulp(0.0)
    return width >= least and "WindowCenter" in header and not math.isnan(center)


def _look_up(values: Array, item: Dataset, header: Dataset) -> Array:
    """Apply a modality or VOI LUT, DICOM PS3.3 C.11.1.1 and C.11.2.1.1.

    pydicom's own applies an 8-bit LUT of more than 256 entries modulo 256.
    """
    entries, first, depth = (int(v) for v in item.LUTDescriptor)
    entries = entries or 2**16
    data = item.LUTData
    if isinstance(data, bytes):
        packed = len(data) < 2 * entries  # two 8-bit entries to a word
        little_endian = header.original_encoding[1] is not False
        kind = "u1" if packed else "<u2" if little_endian else ">u2"
        data = np.frombuffer(data[: len(data) // 2 * 2], kind)
    table = np.atleast_1d(np.asarray(data))[:entries].astype(np.uint8 if depth <= 8 else np.uint16)
    steps = np.rint(values).astype(np.int64) - first
    return table[np.clip(steps, 0, len(table) - 1)]
