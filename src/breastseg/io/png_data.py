"""Whether a PNG file holds all rows that it declares.

Decoders fill rows that are not there with 0 where the compressed data end properly (PNG,
ISO/IEC 15948, sections 8 and 10). Of interlaced files they notice it.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO

_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by colour type
_STEP = 2**20


def png_damage(stream: BinaryIO) -> str:
    """Why the rows are not whole; empty where they are.

    Args:
        stream: a file that is not interlaced and whose chunks are sound; its position is kept.
    """
    at = stream.tell()
    try:
        stream.seek(8)
        wanted, found = 0, 0
        inflate = zlib.decompressobj()
        for kind, data in _chunks(stream):
            if kind == b"IHDR":
                wanted = _length(data)
            rest = data if kind == b"IDAT" else b""
            while rest and found <= wanted and not inflate.eof:
                found += len(inflate.decompress(rest, _STEP))
                rest = inflate.unconsumed_tail
        return "" if found >= wanted else f"{found} of {wanted} bytes of its rows"
    finally:
        stream.seek(at)


def _length(header: bytes) -> int:
    """Of all rows, each with the byte that names its filter."""
    columns, rows, depth, colour = struct.unpack(">IIBB", header[:10])
    return int(rows * (1 + (columns * depth * _SAMPLES[colour] + 7) // 8))


def _chunks(stream: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    while len(head := stream.read(8)) == 8:
        length, kind = struct.unpack(">I4s", head)
        yield kind, stream.read(length)
        stream.seek(4, 1)
