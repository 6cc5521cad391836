"""The compressed frames in DICOM pixel data: which fragments make which frame, PS3.5 A.4."""

from __future__ import annotations

import os
import struct
from collections.abc import Sequence
from typing import BinaryIO

from breastseg.io.codestream import STARTS

_ITEM = b"\xfe\xff\x00\xe0"
_RLE = "1.2.840.10008.1.2.5"

Fragment = tuple[int, int]
"""Offset in the file and length in bytes."""


def find_frames(stream: BinaryIO, offset: int, syntax: str) -> list[list[Fragment]]:
    """Group the fragments of encapsulated pixel data into frames.

    A frame begins where a fragment begins with a codestream's start marker, whatever the offset
    table and Number of Frames say: these are wrong more often. Of RLE each fragment is a frame.

    Args:
        stream: the file.
        offset: of the pixel data's value.
        syntax: transfer syntax UID.

    Returns:
        The fragments of each frame; of a file that was cut short the last fragment may reach
        beyond its end.
    """
    fragments = _fragments(stream, offset)[1:]  # the first is the offset table
    if syntax == _RLE:
        return [[fragment] for fragment in fragments if fragment[1]]
    frames: list[list[Fragment]] = []
    for start, length in fragments:
        stream.seek(start)
        if not frames or stream.read(12).startswith(STARTS):
            frames.append([])
        frames[-1].append((start, length))
    return frames


def read_frame(stream: BinaryIO, fragments: Sequence[Fragment]) -> bytes:
    """The bytes of one frame; fewer than its fragments declare where the file is cut short."""
    parts = []
    for start, length in fragments:
        stream.seek(start)
        parts.append(stream.read(length))
    return b"".join(parts)


def _fragments(stream: BinaryIO, offset: int) -> list[Fragment]:
    end = stream.seek(0, os.SEEK_END)
    found, at = [], offset
    while at + 8 <= end:
        stream.seek(at)
        tag, length = struct.unpack("<4sL", stream.read(8))
        if tag != _ITEM:
            break  # the delimiter, or no fragment any more
        found.append((at + 8, length))
        at += 8 + length
    return found
