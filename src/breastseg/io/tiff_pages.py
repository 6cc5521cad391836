"""The chain of pages in a TIFF file (TIFF 6.0, section 2; BigTIFF), followed before others do.

Each page tells where the next one lies. tifffile follows a chain that leads back into itself
without end.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from breastseg.core.errors import UnreadableError

MAX_PAGES = 100_000
TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
"""The first four bytes of TIFF and BigTIFF files, of either byte order."""


def check_page_chain(stream: BinaryIO, name: str) -> None:
    """Refuse a TIFF file whose pages have no end; what else is wrong with it is left to its reader.

    Args:
        stream: the file; its position is kept.
        name: what messages call it.

    Raises:
        UnreadableError: a page leads back to an earlier one, or there are over `MAX_PAGES`.
    """
    at = stream.tell()
    try:
        seen: set[int] = set()
        for offset in _offsets(stream):
            if offset in seen or len(seen) == MAX_PAGES:
                what = "lead back to an earlier one" if offset in seen else "have no end"
                raise UnreadableError(
                    f"{name}: its pages {what}", "a whole TIFF file", "export it again"
                )
            seen.add(offset)
    finally:
        stream.seek(at)


def empty_parts(offsets: Sequence[int], lengths: Sequence[int], compressed: bool) -> str:
    """Why strips or tiles are not all there; empty where they are, as far as their places tell.

    Readers fill a part without a place, or with that of another, with whatever stands there.

    Args:
        offsets: where each begins.
        lengths: of each; one part alone may lack it.
        compressed: equal parts may then be stored once.
    """
    empty = sum(at == 0 for at in offsets) or sum(n == 0 for n in lengths) * (len(offsets) > 1)
    again = 0 if compressed else len(offsets) - len({*offsets})
    return f"{empty or again} of its {len(offsets)} parts are not there" if empty or again else ""


def _offsets(stream: BinaryIO) -> Iterator[int]:
    """Where the pages lie, as far as the chain can be followed."""
    stream.seek(0)
    start = stream.read(16)
    if start[:4] not in TIFF_STARTS:
        return
    order, big = ("<" if start[:2] == b"II" else ">"), start[2:4] in (b"+\0", b"\0+")
    count, link, entry = ("Q", "Q", 20) if big else ("H", "I", 12)
    where = start[8:16] if big else start[4:8]
    while len(where) == struct.calcsize(link):
        (offset,) = struct.unpack(order + link, where)
        if offset == 0:
            return
        yield offset
        tags = _read(stream, offset, struct.calcsize(count))
        if len(tags) < struct.calcsize(count):
            return
        behind = offset + len(tags) + entry * struct.unpack(order + count, tags)[0]
        where = _read(stream, behind, struct.calcsize(link))


def _read(stream: BinaryIO, offset: int, length: int) -> bytes:
    """What lies there; nothing where that is beyond what a file can hold."""
    if offset >= 2**62:
        return b""
    stream.seek(offset)
    return stream.read(length)
