"""What a volume file says of itself, and whether it is all there.

SimpleITK reads some files that were cut short without a word, and follows a header that points to
data in another file; so both are looked at here first. The formats: NIfTI-1 and NIfTI-2
(https://nifti.nimh.nih.gov), NRRD (https://teem.sourceforge.net/nrrd/format.html) and MetaImage
(https://itk.org/Wiki/ITK/MetaIO/Documentation).
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import BinaryIO

from breastseg.core.errors import UnreadableError, UnsupportedError
from breastseg.io.source import brief

HEAD_BYTES = 1024
"""How much of a file's start `volume_kind` needs."""

_HEADER_LIMIT = 2**20  # of a text header
_CHUNK = 2**20
_NIFTI_BYTES = 540


class VolumeKind(Enum):
    """A format of volume files; the value is the suffix that its files bear."""

    NIFTI = ".nii"
    NIFTI_GZIP = ".nii.gz"
    NRRD = ".nrrd"
    META = ".mha"


@dataclass(frozen=True)
class VolumeHeader:
    """What is needed to know of a file beside what SimpleITK tells.

    Attributes:
        has_spacing: the file states the distance of its voxels.
        offset: where the data start, in bytes; in a compressed NIfTI file, after decompression.
        data_bytes: how many bytes of data there must be, where the header says so by itself.
        compression: of the data alone, as zlib's ``wbits``: 15 for zlib, as in MetaImage, 31 for
            gzip, as in NRRD, 0 where there is none.
        stored_bytes: the length of the compressed data, where it is stated.
    """

    has_spacing: bool
    offset: int = 0
    data_bytes: int | None = None
    compression: int = 0
    stored_bytes: int | None = None


def volume_kind(head: bytes) -> VolumeKind | None:
    """Tell a volume file by its first `HEAD_BYTES`; None where it is no volume in one file."""
    if head.startswith(b"\x1f\x8b"):
        try:
            inner = zlib.decompressobj(wbits=31).decompress(head, _NIFTI_BYTES)
        except zlib.error:
            return None
        return VolumeKind.NIFTI_GZIP if _is_nifti(inner) else None
    if _is_nifti(head):
        return VolumeKind.NIFTI
    if head.startswith(b"NRRD000"):
        return VolumeKind.NRRD
    first = head.split(b"\n", 1)[0].replace(b" ", b"").rstrip(b"\r")
    if first in (b"ObjectType=Image", b"ObjectType=image") or first.startswith(b"NDims="):
        return VolumeKind.META
    return None


def _is_nifti(head: bytes) -> bool:
    return head[344:348] == b"n+1\0" or head[4:8] == b"n+2\0"


def check_header(stream: BinaryIO, kind: VolumeKind, name: str) -> VolumeHeader:
    """Read what the header says.

    Args:
        stream: the file, at its start.
        kind: its format.
        name: what messages call it.

    Raises:
        UnreadableError: the header is damaged.
        UnsupportedError: it points to data in another file.
    """
    if kind is VolumeKind.NIFTI_GZIP:
        try:
            with gzip.open(stream) as inner:
                return _nifti_header(inner.read(_NIFTI_BYTES), name)
        except (OSError, EOFError, zlib.error) as error:
            raise _damaged(name, error) from error
    if kind is VolumeKind.NIFTI:
        return _nifti_header(stream.read(_NIFTI_BYTES), name)
    text = stream.read(_HEADER_LIMIT)
    return _nrrd_header(text, name) if kind is VolumeKind.NRRD else _meta_header(text, name)


def check_whole(
    stream: BinaryIO, kind: VolumeKind, header: VolumeHeader, data_bytes: int, name: str
) -> None:
    """Refuse a file that was cut short or whose compressed data are damaged.

    NRRD without compression is passed over: its reader checks by itself.

    Args:
        stream: the file, at its start.
        kind: its format.
        header: what `check_header` returned.
        data_bytes: how many bytes the voxels take, where the header does not say so by itself.
        name: what messages call it.

    Raises:
        UnreadableError: it is not whole.
    """
    if kind is VolumeKind.NRRD and not header.compression:
        return
    wanted = header.offset + (data_bytes if header.data_bytes is None else header.data_bytes)
    try:
        if kind is VolumeKind.NIFTI_GZIP:
            with gzip.open(stream) as inner:
                found = _length(inner, wanted)
        elif header.compression:
            size = stream.seek(0, 2) - header.offset
            # MetaImage's reader believes the size that is stated, and returns noise without one.
            if kind is VolumeKind.META and header.stored_bytes != size:
                stated = header.stored_bytes or "an unknown number of"
                raise EOFError(f"{size} of {stated} bytes of compressed data")
            stream.seek(header.offset)
            found = header.offset + _inflated(stream, wanted - header.offset, header.compression)
        else:
            found = stream.seek(0, 2)
    except (OSError, EOFError, zlib.error) as error:
        raise _damaged(name, error) from error
    if found < wanted:
        raise UnreadableError(
            f"{name}: holds {found} of {wanted} bytes", "a whole file", "copy the file again"
        )


def _length(stream: gzip.GzipFile, wanted: int) -> int:
    """How many bytes there are; it looks a little past what is wanted, for the checksum."""
    found = 0
    while chunk := stream.read(_CHUNK):
        found += len(chunk)
        if found > wanted + _CHUNK:
            break
    return found


def _inflated(stream: BinaryIO, wanted: int, wbits: int) -> int:
    """The length of a stream, read no further than what is wanted; its checksum is tested."""
    inflate, found = zlib.decompressobj(wbits), 0
    while found <= wanted and not inflate.eof and (chunk := stream.read(_CHUNK)):
        while chunk and found <= wanted:
            found += len(inflate.decompress(chunk, _CHUNK))
            chunk = inflate.unconsumed_tail
    if found <= wanted and not inflate.eof:
        raise EOFError("the compressed data end too early")
    return found


def _nifti_header(head: bytes, name: str) -> VolumeHeader:
    """Dimensions, bits a voxel and offset; nifti1.h and nifti2.h have them at other places."""
    second = head[4:8] == b"n+2\0"
    size = 540 if second else 348
    order = next((o for o in "<>" if head[:4] == struct.pack(f"{o}i", size)), None)
    if order is None or len(head) < size:
        raise UnreadableError(f"{name}: has a damaged NIfTI header", "a whole NIfTI file")
    count, *sizes = struct.unpack_from(
        f"{order}8q" if second else f"{order}8h", head, 16 if second else 40
    )
    (bits,) = struct.unpack_from(f"{order}h", head, 14 if second else 72)
    (start,) = struct.unpack_from(
        f"{order}q" if second else f"{order}f", head, 168 if second else 108
    )
    steps = struct.unpack_from(
        f"{order}4d" if second else f"{order}4f", head, 104 if second else 76
    )[1:]
    if not 1 <= count <= 7 or min(sizes[:count]) < 1 or bits < 1 or not 0 <= start < 2**31:
        raise UnreadableError(
            f"{name}: declares {count} axes of {sizes} voxels, {bits} bits each, from byte {start}",
            "a whole NIfTI file",
        )
    stated = all(math.isfinite(step) and step != 0 for step in steps[: min(count, 3)])
    return VolumeHeader(stated, int(start), math.prod(sizes[:count]) * bits // 8)


def _nrrd_header(text: bytes, name: str) -> VolumeHeader:
    """The fields up to the blank line before the data."""
    ends = [at + len(gap) for gap in (b"\n\n", b"\r\n\r\n") if (at := text.find(gap)) >= 0]
    if not ends:
        raise UnreadableError(f"{name}: has no end of its NRRD header", "a whole NRRD file")
    offset = min(ends)
    fields = _fields(text[:offset].splitlines()[1:], b":")
    if "data file" in fields or "datafile" in fields:
        raise _detached(name, fields.get("data file") or fields.get("datafile", ""))
    skips = {"line skip", "lineskip", "byte skip", "byteskip"} & fields.keys()
    zipped = fields.get("encoding", "").lower() in ("gz", "gzip") and not skips
    stated = "spacings" in fields or "space directions" in fields
    return VolumeHeader(stated, offset, compression=31 if zipped else 0)


def _meta_header(text: bytes, name: str) -> VolumeHeader:
    """The fields up to ``ElementDataFile``, which comes last."""
    marker = text.find(b"ElementDataFile")
    end = text.find(b"\n", marker)
    fields = _fields(text[:end].split(b"\n"), b"=")
    where = fields.get("elementdatafile", "local")
    if where.lower() != "local":
        raise _detached(name, where)
    missing = [
        key
        for key in ("NDims", "DimSize", "ElementType", "ElementDataFile")
        if key.lower() not in fields
    ]
    if marker < 0 or end < 0 or missing:
        raise UnreadableError(
            f"{name}: has a damaged MetaImage header (no {', no '.join(missing) or 'end'})",
            "a whole .mha file",
        )
    stored = fields.get("compresseddatasize", "")
    return VolumeHeader(
        has_spacing="elementspacing" in fields or "elementsize" in fields,
        offset=end + 1,
        compression=15 if fields.get("compresseddata", "").lower() == "true" else 0,
        stored_bytes=int(stored) if stored.isdecimal() else None,
    )


def _fields(lines: list[bytes], sign: bytes) -> Mapping[str, str]:
    """Keys in small letters and their values."""
    pairs = (line.split(sign, 1) for line in lines if sign in line and not line.startswith(b"#"))
    return {
        key.decode("latin-1").strip().lower(): value.decode("latin-1").strip()
        for key, value in pairs
    }


def _detached(name: str, where: str) -> UnsupportedError:
    return UnsupportedError(
        f"{name}: is a header whose data lie in another file ({brief(where)})",
        "a volume in one file",
        "export it as .nii.gz, .nrrd or .mha",
    )


def _damaged(name: str, error: Exception) -> UnreadableError:
    return UnreadableError(
        f"{name}: is damaged or incomplete ({brief(error, 200) or type(error).__name__})",
        "a whole volume file",
        "copy or export the file again",
    )
