"""The pixels of an image without burned-in text, written uncompressed.

What is kept compressed could hide comments in its codestream, and cells that are wider than the
stored bits an overlay: every frame is decoded, cleaned and written as plain values.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from numpy.typing import NDArray

from breastseg.core.box import Box
from breastseg.core.errors import UnsupportedError
from breastseg.dicom.deidentify.text import Levels, TextLook, text_boxes
from breastseg.io.dicom_display import show_palette
from breastseg.io.dicom_pixels import PixelData, decode_frames
from breastseg.io.dicom_regions import reach_beyond, stated_boxes
from breastseg.preprocess.scan_sector import scan_box

if TYPE_CHECKING:
    from pydicom import Dataset

Frame = NDArray[np.generic]

FIRST = TextLook(min_letters=3, min_clarity=0.11)
"""What is painted over."""

SECOND = TextLook(min_letters=4, min_clarity=0.15)
"""What is held back for a person to look at."""

_SCREENS = ("1.2.840.10008.5.1.4.1.1.7", "1.2.840.10008.5.1.4.1.1.3", "1.2.840.10008.5.1.4.1.1.6")
"""How the classes of secondary capture and ultrasound begin."""


@dataclass(frozen=True)
class CleanPixels:
    """What was done to the pixels.

    Attributes:
        stream: of the values of all frames, little endian; at its start.
        shape: of all frames, (frames, rows, columns) or with a last axis of three colours.
        dtype: of a value.
        bits: that the values need, at least those that the file declares.
        cleaned: whether text was looked for and painted over.
        outside: whether all outside the scan was painted over.
        painted: the boxes that were painted over in every frame.
        left: in how many frames the second look finds text, by box.
        remarks: what of the values was lost.
    """

    stream: BinaryIO
    shape: tuple[int, ...]
    dtype: np.dtype[np.generic]
    bits: int
    cleaned: bool
    outside: bool
    painted: tuple[Box, ...]
    left: tuple[Box, ...]
    remarks: tuple[str, ...]


@contextmanager
def clean_pixels(pixels: PixelData, folder: Path) -> Iterator[CleanPixels]:
    """Decode all frames, paint over what is burned in, and look a second time.

    Ultrasound and secondary captures are cleaned: all outside the scan, and rows of letters in it,
    take the darkest value of the frame. Other images are looked at alone.

    Args:
        pixels: of the image.
        folder: for a temporary file, so that only one frame is held at a time.

    Raises:
        UnreadableError: a frame is missing or damaged.
        UnsupportedError: values of 1 bit or of a floating-point kind.
    """
    if pixels.keyword != "PixelData" or int(pixels.header.BitsAllocated) < 8:
        raise UnsupportedError(
            f"{pixels.name}: has values of {pixels.header.BitsAllocated} bits in {pixels.keyword}",
            "integers of 8 bits or more",
        )
    with TemporaryFile(dir=folder) as stream:
        yield _cleaned(pixels, stream)


def is_screen(header: Dataset) -> bool:
    """Whether an image is of a kind that has text burned in: what the option cleans."""
    return str(header.get("SOPClassUID", "")).startswith(_SCREENS) or (
        header.get("Modality") == "US" or header.get("BurnedInAnnotation") == "YES"
    )


def _cleaned(pixels: PixelData, stream: BinaryIO) -> CleanPixels:
    clean = is_screen(pixels.header)
    brightest: Levels | None = None
    text: list[Box] = []
    first: Frame | None = None
    bits = int(pixels.header.BitsStored)
    remarks: dict[str, None] = {}
    for frame, _, said in decode_frames(pixels, range(pixels.frames)):
        first = frame if first is None else first
        bits = max(bits, _bits_of(frame))
        remarks.update(dict.fromkeys(said))
        stream.write(np.ascontiguousarray(frame, frame.dtype.newbyteorder("<")).tobytes())
        if clean:
            levels = _shown(frame, pixels.header)
            text += text_boxes(levels, FIRST)
            brightest = levels if brightest is None else np.maximum(brightest, levels)
    assert first is not None
    shape, dtype = (pixels.frames, *first.shape), first.dtype.newbyteorder("<")
    stream.flush()
    frames = np.memmap(stream, dtype, "r+", shape=shape)
    size = first.shape[:2]
    painted = tuple(dict.fromkeys(padded(text, size)))
    outside = None if brightest is None else _outside(pixels.header, brightest)
    left: dict[Box, None] = {}
    for frame in frames:
        if clean:
            _paint(frame, pixels.header, painted, outside)
        left.update(dict.fromkeys(text_boxes(_shown(frame, pixels.header), SECOND)))
    frames.flush()
    stream.seek(0)
    return CleanPixels(
        stream, shape, dtype, bits, clean, outside is not None, painted, tuple(left), tuple(remarks)
    )


def _bits_of(frame: Frame) -> int:
    """The bits that hold every value of a frame, its sign among them where it has one.

    Compressed values may need more than the file declares.
    """
    low, high = int(frame.min()), int(frame.max())
    return max(high.bit_length(), (~min(low, 0)).bit_length()) + (frame.dtype.kind == "i")


def padded(boxes: Iterable[Box], shape: tuple[int, ...]) -> Iterator[Box]:
    """With room for a letter beside the row that is not told from what it stands on."""
    for box in boxes:
        height = box.shape[0]
        wide = box.padded(max(2, height // 3), max(4, 2 * height)).within(shape)
        if wide is not None:
            yield wide


def _outside(header: Dataset, brightest: Levels) -> NDArray[np.bool_] | None:
    """Where no scan is: outside the regions that the file states, else outside the found one."""
    boxes = () if reach_beyond(header) else tuple(stated_boxes(header, brightest.shape))
    if not boxes:
        boxes = (scan_box(brightest.astype(np.float32) / np.float32(255)),)
    outside = np.ones(brightest.shape, np.bool_)
    for box in boxes:
        outside[box.slices] = False
    return outside if outside.any() else None


def _paint(
    frame: Frame, header: Dataset, boxes: Iterable[Box], outside: NDArray[np.bool_] | None
) -> None:
    """Give all of it the value that the darkest pixel of the frame has."""
    levels = _shown(frame, header)
    dark = frame[np.unravel_index(int(levels.argmin()), levels.shape)]
    for box in boxes:
        frame[box.slices] = dark
    if outside is not None:
        frame[outside] = dark


def _shown(frame: Frame, header: Dataset) -> Levels:
    """(rows, columns) of 256 levels, bright is large: of colours the strongest."""
    photometric = str(header.PhotometricInterpretation)
    values = show_palette(frame, header) if photometric == "PALETTE COLOR" else frame
    grey = np.asarray(values.max(axis=2) if values.ndim == 3 else values)
    if grey.dtype != np.uint8:
        wide = grey.astype(np.float32)
        low, high = np.percentile(wide[::4, ::4], (0.5, 99.5))
        grey = np.clip((wide - low) * (255 / max(high - low, 1)), 0, 255).astype(np.uint8)
    return np.asarray(255 - grey if photometric == "MONOCHROME1" else grey, np.uint8)
