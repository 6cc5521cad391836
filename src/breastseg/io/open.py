"""Opening an image of any kind that is read, by what is in the file and not by its name."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import BinaryIO

from breastseg.core.errors import InputError, UnreadableError, UnsupportedError
from breastseg.core.image import Image
from breastseg.io.dicom_image import read_dicom_frames
from breastseg.io.foreign import foreign_image, foreign_kind
from breastseg.io.raster import read_raster_pages
from breastseg.io.source import name_of, opened
from breastseg.io.volume import VOLUME_SUFFIXES, read_volume
from breastseg.io.volume_header import HEAD_BYTES, volume_kind

DICOM_SUFFIXES = (".dcm", ".dicom", ".ima")
SUFFIXES = (
    *(".png", ".jpg", ".jpeg", ".jfif", ".tif", ".tiff", ".bmp"),
    *DICOM_SUFFIXES,
    *VOLUME_SUFFIXES,
)
"""What image files are usually called; only `breastseg.io.find` looks at it."""


class _Kind(Enum):
    RASTER = 1
    DICOM = 2
    VOLUME = 3


_RASTER_STARTS = (
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff",  # JPEG
    b"II*\0",  # TIFF, little endian
    b"MM\0*",  # TIFF, big endian
    b"II+\0",  # BigTIFF
    b"MM\0+",
    b"BM",
)


def open_images(path: Path | BinaryIO, source: str = "") -> Iterator[Image]:
    """Read all images of a file: one a page of a TIFF, one a DICOM frame, one of any other file.

    Args:
        path: a PNG, JPEG, TIFF, BMP, DICOM, NIfTI, NRRD or MetaImage file, or a seekable binary
            stream of one.
        source: what messages and the images call it; the path by default.

    Yields:
        One image at a time; the next is read when it is asked for.

    Raises:
        UnreadableError: missing, empty, truncated, damaged, or no image.
        UnsupportedError: a kind of image that is not read, or too large.
    """
    kind = _kind_of_file(path, source)
    if kind is _Kind.DICOM:
        yield from read_dicom_frames(path, source)
    elif kind is _Kind.VOLUME:
        yield read_volume(path, source)
    else:
        yield from read_raster_pages(path, source)


def open_image(path: Path | BinaryIO, frame: int = 0, source: str = "") -> Image:
    """Read one image of a file.

    Args:
        path: as for `open_images`.
        frame: which DICOM frame or TIFF page, from 0.
        source: as for `open_images`.

    Returns:
        (channels, rows, columns) with 1 or 3 channels, as a viewer would show it; of a volume
        (channels, slices, rows, columns) with the file's own values, one channel a phase.

    Raises:
        InputError: there is no such frame.
        UnreadableError: as for `open_images`.
        UnsupportedError: as for `open_images`.
    """
    if _kind_of_file(path, source) is _Kind.DICOM:
        return next(read_dicom_frames(path, source, (frame,)))
    page = -1
    for page, image in enumerate(open_images(path, source)):
        if page == frame:
            return image
    raise InputError(f"{name_of(path, source)}: frame {frame}", f"frames 0 to {page} of this file")


def _kind_of_file(path: Path | BinaryIO, source: str) -> _Kind:
    name = name_of(path, source)
    with opened(path, source) as stream:
        try:
            head = stream.read(HEAD_BYTES)
        except OSError as error:
            raise UnreadableError(
                f"{name}: cannot be read ({error.strerror or error})", remedy="check the disk"
            ) from error
    kind = _kind(head)
    if kind is not None:
        return kind
    allowed = "PNG, JPEG, TIFF, BMP, DICOM, NIfTI, NRRD or MetaImage"
    foreign = foreign_kind(head)
    if foreign is not None:
        raise UnsupportedError(f"{name}: is {foreign.what}", allowed, foreign.remedy)
    what = "text" if is_text(head) else "of a kind that is not known"
    raise UnreadableError(f"{name}: is {what}, not an image", allowed, "name an image file")


def _kind(head: bytes) -> _Kind | None:
    if is_dicom(head):
        return _Kind.DICOM
    if head.startswith(_RASTER_STARTS):
        return _Kind.RASTER
    return _Kind.VOLUME if volume_kind(head) is not None else None


def is_image_head(head: bytes) -> bool:
    """Whether a file that begins like this, with `HEAD_BYTES` or all, is an image, read or not."""
    return _kind(head) is not None or foreign_image(head) is not None


def is_dicom(head: bytes) -> bool:
    """Whether a file with these first bytes, `HEAD_BYTES` or all of them, is DICOM."""
    return head[128:132] == b"DICM" or _is_bare_dicom(head)


def is_dicom_file(path: Path) -> bool:
    """Whether the file is DICOM by its first bytes.

    Raises:
        UnreadableError: it cannot be read.
    """
    with opened(path) as stream:
        return is_dicom(stream.read(HEAD_BYTES))


def _is_bare_dicom(head: bytes) -> bool:
    """Whether this is DICOM without preamble: it starts with an element of group 2 or 8.

    The elements at the start of those groups have numbers below 256, and either two capitals
    for a value representation or a length that is short.
    """
    if len(head) < 8 or head[:2] not in (b"\x02\0", b"\x08\0") or head[3] != 0:
        return False
    explicit = head[4:6].isalpha() and head[4:6].isupper()
    return explicit or int.from_bytes(head[4:8], "little") <= 64


def is_text(head: bytes) -> bool:
    """Whether these bytes are printable."""
    return all(byte >= 32 or byte in b"\t\n\r\f" for byte in head)
