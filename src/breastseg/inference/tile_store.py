"""The results of tiles as they come, so that a slide that was broken off need not start again."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from breastseg.core.errors import InputError

Blocks = NDArray[np.uint8]
_HEAD = struct.Struct("<II")
"""Bytes of a batch in the file, and their checksum."""


class TileStore:
    """The kept parts of the tiles of one slide, a batch after the other, in a file.

    A file that tells of another slide, method or tiling is begun anew; a batch that was cut off, or
    does not match its checksum, counts as not done, and so do those after it.

    Args:
        path: the file.
        made_of: what all of it depends on.

    Raises:
        InputError: the file cannot be written.
    """

    def __init__(self, path: Path, made_of: Mapping[str, object]) -> None:
        self.path = path
        first = json.dumps(made_of, sort_keys=True, default=str).encode() + b"\n"
        self._batches = _read(path, first)
        whole = first + b"".join(map(_packed, self._batches))
        try:
            path.write_bytes(whole)
        except OSError as error:
            raise _unwritable(path, error) from error

    def batch(self, number: int, shape: tuple[int, ...], compute: Callable[[], Blocks]) -> Blocks:
        """The blocks of a batch: those that are known, else computed and kept.

        Args:
            number: from 0; batches are asked for in order.
            shape: of the blocks.
            compute: gives them, uint8.

        Raises:
            InputError: the file cannot be written.
        """
        if number < len(self._batches):
            known = np.frombuffer(zlib.decompress(self._batches[number]), np.uint8)
            return known.reshape(shape)
        blocks = compute()
        packed = _packed(zlib.compress(np.ascontiguousarray(blocks).tobytes(), 1))
        try:
            with self.path.open("ab") as file:
                file.write(packed)
        except OSError as error:
            raise _unwritable(self.path, error) from error
        return blocks

    def remove(self) -> None:
        """Forget it: the slide is done."""
        self.path.unlink(missing_ok=True)


def _read(path: Path, first: bytes) -> list[bytes]:
    """The batches of a file that begins with a line."""
    try:
        data = path.read_bytes()
    except OSError:
        return []
    if not data.startswith(first):
        return []
    found, at = [], len(first)
    while at + _HEAD.size <= len(data):
        length, checksum = _HEAD.unpack_from(data, at)
        batch = data[at + _HEAD.size : at + _HEAD.size + length]
        if len(batch) < length or zlib.crc32(batch) != checksum:
            break
        found.append(batch)
        at += _HEAD.size + length
    return found


def _packed(batch: bytes) -> bytes:
    return _HEAD.pack(len(batch), zlib.crc32(batch)) + batch


def _unwritable(path: Path, error: OSError) -> InputError:
    return InputError(
        f"{path}: cannot be written ({error.strerror or error})",
        remedy="make room, then continue the run",
    )
