"""What is checked of an opened picture before and after its pixels are decoded."""

from __future__ import annotations

from typing import BinaryIO

import numpy as np
from PIL import Image as Pillow
from PIL import ImageFile

from breastseg.core.errors import UnreadableError
from breastseg.io.png_data import png_damage
from breastseg.io.tiff_samples import places_damage, unused_channels

SEVERAL_JPEG = "MPO"
"""Pillow's name for JPEG pictures one behind the other, CIPA DC-007."""

_COLUMNS, _ROWS, _SAMPLES = 256, 257, 277  # TIFF 6.0, section 8


def tiff_tag(picture: Pillow.Image, tag: int, default: int) -> int:
    """A TIFF tag's first number."""
    value = getattr(picture, "tag_v2", {}).get(tag, default)
    value = value[0] if isinstance(value, tuple) and value else value
    return value if isinstance(value, int) else default


def first_of_many(picture: ImageFile.ImageFile) -> tuple[str, ...]:
    """The remark on a JPEG file with further pictures behind it, such as previews and depths."""
    if picture.format != SEVERAL_JPEG:
        return ()
    count = getattr(picture, "n_frames", 1)
    return (f"the file holds {count} pictures: the first is read, the others are passed over",)


def not_seen(picture: ImageFile.ImageFile) -> tuple[str, ...]:
    """The remark on a TIFF page of which Pillow leaves out channels; before it is loaded."""
    return unused_channels(tiff_tag(picture, _SAMPLES, 1), len(picture.getbands()))


def check_rows(picture: ImageFile.ImageFile, stream: BinaryIO, name: str) -> None:
    """Refuse a PNG file that holds less rows than it declares, which would come as black ones."""
    columns, rows = picture.size
    last = np.asarray(picture.crop((0, rows - 1, columns, rows)))
    if last.any() or picture.info.get("interlace"):
        return
    damage = png_damage(stream)
    if damage:
        raise UnreadableError(f"{name}: holds {damage}", "a whole PNG file", "export it again")


def check_parts(picture: ImageFile.ImageFile, name: str) -> None:
    """Refuse a TIFF file whose strips or tiles end before its last row or column.

    Pillow leaves what no strip covers black.
    """
    tags = getattr(picture, "tag_v2", {})
    damage = places_damage(tags)
    if damage:
        raise UnreadableError(f"{name}: {damage}", "a whole TIFF file", "export it again")
    declared = (tiff_tag(picture, _ROWS, 0), tiff_tag(picture, _COLUMNS, 0))
    rows = max((part.extents[3] for part in picture.tile if part.extents), default=0)
    columns = max((part.extents[2] for part in picture.tile if part.extents), default=0)
    if rows < declared[0] or columns < declared[1]:
        raise UnreadableError(
            f"{name}: holds {rows} x {columns} of {declared[0]} x {declared[1]} pixels",
            "a whole file",
            "export it again: it was cut short or its header is wrong",
        )
