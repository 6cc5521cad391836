"""The voxels of a volume file, read and written by what its header says.

Nothing is read beyond what the header declares, so that compressed data cannot claim more memory
than was agreed to; and nothing less is accepted, so that a file that was cut short is refused.
"""

from __future__ import annotations

import bz2
import gzip
import zlib
from collections.abc import Iterator
from typing import BinaryIO, Protocol

import numpy as np
from numpy.typing import NDArray

from breastseg.core.errors import UnsupportedError
from breastseg.io.memory import check_memory
from breastseg.io.volume_header import Encoding, VolumeHeader, damaged

CHUNK = 2**20
_LEVEL = 4  # half the time of zlib's default, and hardly larger
_DAMAGE = (OSError, EOFError, ValueError, OverflowError, zlib.error)
"""What damaged data end in."""


class _Source(Protocol):
    def read(self, size: int, /) -> bytes: ...


def read_voxels(stream: BinaryIO, header: VolumeHeader, name: str) -> NDArray[np.generic]:
    """Read all voxels.

    Args:
        stream: the file, seekable.
        header: what its header says.
        name: what messages call it.

    Returns:
        (channels, slices, rows, columns) in the machine's byte order; rescaled, in floating point,
        where the header says so.

    Raises:
        UnreadableError: the data end too early, or are damaged.
        UnsupportedError: they would take more memory than the limit, see `breastseg.io.memory`.
    """
    check_memory(memory_of(header), name, header.in_words)
    try:
        array = _values(stream, header).reshape(header.shape)
    except _DAMAGE as error:
        raise damaged(name, error) from error
    except MemoryError as error:
        raise UnsupportedError(
            f"{name}: {header.in_words} do not fit the memory that is free",
            remedy="close other programs, or crop the volume",
        ) from error
    if header.channel_axis is None:
        array = array[None]
    elif header.channel_axis:
        array = np.ascontiguousarray(np.moveaxis(array, header.channel_axis, 0))
    return _rescaled(array, header) if header.rescaled else array


def check_voxels(stream: BinaryIO, header: VolumeHeader, name: str) -> None:
    """Read as `read_voxels` and keep nothing; for a file that has just been written.

    Raises:
        UnreadableError: the data end too early, or are damaged.
    """
    try:
        for _ in _decoded(stream, header):
            pass
    except _DAMAGE as error:
        raise damaged(name, error) from error


def memory_of(header: VolumeHeader) -> int:
    """Bytes of memory that reading takes: the values, and the copies that are made of them."""
    needed = header.data_bytes * (2 if header.channel_axis else 1)
    if header.rescaled:
        needed += header.data_bytes // header.dtype.itemsize * header.result.itemsize
    return needed


def encoded(values: NDArray[np.generic], encoding: Encoding, head: bytes = b"") -> Iterator[bytes]:
    """What is written of an array, in parts; the same for the same values.

    Args:
        values: at least one axis, little endian or of one byte.
        encoding: `RAW`, `GZIP` or `ZLIB`; of a `GZIP_FILE` the head is compressed too.
        head: what comes before the values.
    """
    if encoding is not Encoding.GZIP_FILE and head:
        yield head
        head = b""
    bits = {Encoding.ZLIB: 15, Encoding.GZIP: 31, Encoding.GZIP_FILE: 31}.get(encoding)
    pack = None if bits is None else zlib.compressobj(_LEVEL, wbits=bits)
    for part in (head, *values):
        data = part if isinstance(part, bytes) else np.ascontiguousarray(part).tobytes()
        yield data if pack is None else pack.compress(data)
    if pack is not None:
        yield pack.flush()


def _rescaled(array: NDArray[np.generic], header: VolumeHeader) -> NDArray[np.generic]:
    result = np.empty(array.shape, header.result)
    slices = array.shape[2:]
    pairs = zip(result.reshape(-1, *slices), array.reshape(-1, *slices), strict=True)
    with np.errstate(all="ignore"):  # what floating point cannot hold becomes infinite
        for values, part in pairs:
            values[:] = part
            np.multiply(values, header.slope, out=values)
            np.add(values, header.intercept, out=values)
    return result


def _values(stream: BinaryIO, header: VolumeHeader) -> NDArray[np.generic]:
    """One axis, in the machine's byte order."""
    buffer, filled = np.empty(header.data_bytes, np.uint8), 0
    for part in _decoded(stream, header):
        buffer[filled : filled + len(part)] = np.frombuffer(part, np.uint8)
        filled += len(part)
    values = buffer.view(header.dtype)
    if not header.dtype.isnative:
        values = values.byteswap(inplace=True).view(header.dtype.newbyteorder("="))
    return values


def _decoded(stream: BinaryIO, header: VolumeHeader) -> Iterator[bytes]:
    """The data as they are in memory, no more than are declared; checksums are tested."""
    wanted = header.data_bytes
    if header.encoding in (Encoding.TEXT, Encoding.HEX):
        data = _from_text(stream, header)
        yield data
        wanted -= len(data)
    else:
        source = _source(stream, header)
        while wanted and (part := source.read(min(CHUNK, wanted))):
            wanted -= len(part)
            yield part
        if header.encoding is not Encoding.RAW and not wanted:
            source.read(CHUNK)  # to its end, where the checksum stands
    if wanted:
        raise EOFError(f"{header.data_bytes - wanted} of {header.data_bytes} bytes of data")


def _source(stream: BinaryIO, header: VolumeHeader) -> _Source:
    """What the data are read from, at their start."""
    if header.encoding is Encoding.GZIP_FILE:
        stream.seek(0)
        whole = gzip.GzipFile(fileobj=stream)
        ahead = header.offset
        while ahead and (part := whole.read(min(CHUNK, ahead))):
            ahead -= len(part)
        return whole
    size = stream.seek(0, 2) - header.offset
    stream.seek(header.offset)
    if header.encoding is Encoding.GZIP:
        return gzip.GzipFile(fileobj=stream)
    if header.encoding is Encoding.BZIP2:
        return bz2.BZ2File(stream)
    if header.encoding is Encoding.RAW:
        return stream
    if header.stored_bytes != size:
        stated = header.stored_bytes or "an unknown number of"
        raise EOFError(f"{size} of {stated} bytes of compressed data")
    return _Inflated(stream)


class _Inflated:
    """A zlib stream."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self._inflate, self._rest = stream, zlib.decompressobj(), b""

    def read(self, size: int, /) -> bytes:
        """At most so many bytes; none at the end."""
        while not self._inflate.eof:
            self._rest = self._rest or self._stream.read(CHUNK)
            if not self._rest:
                raise EOFError("the compressed data end too early")
            part = self._inflate.decompress(self._rest, size)
            self._rest = self._inflate.unconsumed_tail
            if part:
                return part
        return b""


def _from_text(stream: BinaryIO, header: VolumeHeader) -> bytes:
    """Numbers, or bytes as hexadecimal digits; at most 40 characters a value are looked at."""
    stream.seek(header.offset)
    count = header.data_bytes // header.dtype.itemsize
    text = stream.read(40 * count)
    if header.encoding is Encoding.HEX:
        return bytes.fromhex(text.decode("ascii"))[: header.data_bytes]
    return np.array(text.split()[:count], np.float64).astype(header.dtype).tobytes()
