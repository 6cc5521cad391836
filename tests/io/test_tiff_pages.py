"""TIFF files whose pages lead back to one another are refused by every way in."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pytest
import tifffile

from breastseg.core.errors import UnreadableError
from breastseg.io.open import open_images
from breastseg.io.slide import Slide
from breastseg.io.tiff_pages import check_page_chain


def links(data: bytes) -> list[int]:
    """Where the offset of each next page stands, by tifffile; the last is that of the end."""
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        order, big = file.byteorder, file.is_bigtiff
        pages = [page.offset for page in file.pages]
    found = []
    for offset in pages:
        (count,) = struct.unpack_from(order + ("Q" if big else "H"), data, offset)
        found.append(offset + (8 + 20 * count if big else 2 + 12 * count))
    return found


def stack(pages: int, back_to: int | None, big: bool = False, order: str = "<") -> bytes:
    """Tiled pages, the last of which leads to the one of that number."""
    stream = io.BytesIO()
    with tifffile.TiffWriter(stream, bigtiff=big, byteorder=order) as file:
        for _ in range(pages):
            file.write(np.full((16, 16, 3), 9, np.uint8), tile=(16, 16), photometric="rgb")
    data = bytearray(stream.getvalue())
    if back_to is not None:
        at, kind = links(bytes(data)), order + ("Q" if big else "I")
        first = struct.unpack_from(kind, data, 8 if big else 4)[0]
        target = first if back_to == 0 else struct.unpack_from(kind, data, at[back_to - 1])[0]
        struct.pack_into(kind, data, at[-1], target)
    return bytes(data)


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("pages", "back_to"), [(1, 0), (3, 1), (130, 5)])
def test_a_chain_without_an_end(pages: int, back_to: int, order: str, big: bool) -> None:
    check_page_chain(io.BytesIO(stack(pages, None, big, order)), "a.tif")
    with pytest.raises(UnreadableError, match=r"a\.tif: its pages lead back to an earlier one"):
        check_page_chain(io.BytesIO(stack(pages, back_to, big, order)), "a.tif")


def test_no_way_in_follows_it(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    path.write_bytes(stack(3, 1))
    with pytest.raises(UnreadableError, match="lead back"):
        list(open_images(path))
    with pytest.raises(UnreadableError, match="lead back"), Slide(path):
        pass


def test_links_beyond_the_file_are_left_to_the_reader() -> None:
    whole = stack(2, None)
    for offset in (2**31, 2**32 - 1, len(whole)):
        data = bytearray(whole)
        struct.pack_into("<I", data, links(whole)[-1], offset)
        check_page_chain(io.BytesIO(bytes(data)), "a.tif")
    check_page_chain(io.BytesIO(b"II+\0\x08\0\0\0" + b"\xff" * 8), "a.tif")
