"""Uploaded files: received in pieces, archives unpacked, names never used as paths."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from breastseg.core.errors import UnreadableError, UnsupportedError
from breastseg.io.find import image_suffix
from breastseg.io.source import brief
from breastseg.service.machine import trouble_of
from breastseg.service.settings import MIB, Limits

_CHUNK = 2**20
_ZIP = b"PK\x03\x04"
"""How a ZIP archive begins; its list of files stands at its end."""
_MOST_EXPANSION = 1000
"""An archive's member that is more times larger than its packed form is taken for a bomb."""


@dataclass(frozen=True)
class Received:
    """A file as it was received.

    Attributes:
        path: where it lies, under a name of our own, with its suffix where images have that.
        name: what the user calls it, for lists alone.
        named: whether somebody has named it; else its header says what it is called.
    """

    path: Path
    name: str
    named: bool = True


class Receiver:
    """Takes the files of one upload into a folder, within the limits.

    Args:
        folder: an empty one.
        limits: of the upload.
    """

    def __init__(self, folder: Path, limits: Limits) -> None:
        self._folder = folder
        self._left = limits.upload_mib * MIB
        self._limits = limits
        self.files: list[Received] = []

    def take(self, stream: BinaryIO, name: str) -> None:
        """Take a file, or the files of a ZIP archive; hidden ones are left out.

        Args:
            stream: at its start.
            name: what the user calls it.

        Raises:
            UnsupportedError: more than the limits allow, or an archive that is encrypted or a bomb.
            UnreadableError: a damaged archive.
        """
        received = self._write(stream, name)
        _refuse_cut_off(received)
        if not zipfile.is_zipfile(received.path):
            self.files.append(received)
            return
        try:
            with zipfile.ZipFile(received.path) as archive:
                for member in archive.infolist():
                    self._unpack(archive, member)
        except (zipfile.BadZipFile, NotImplementedError, EOFError, ValueError, OSError) as error:
            if trouble_of(error) is not None:
                raise
            raise UnreadableError(
                f"{name}: is a damaged archive ({brief(error)})",
                "a whole ZIP archive",
                "pack it again",
            ) from error
        received.path.unlink()

    def _unpack(self, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
        inner = member.filename.rstrip("/").rpartition("/")[2]
        if member.is_dir() or inner.startswith(".") or member.filename.startswith("__MACOSX/"):
            return
        if member.flag_bits & 1:
            raise UnsupportedError("an encrypted archive", "one without a password", "unpack it")
        if member.file_size > _MOST_EXPANSION * max(member.compress_size, 1024):
            raise UnsupportedError(
                "an archive whose files are suspiciously well packed",
                f"at most {_MOST_EXPANSION} bytes from one",
                "upload the files themselves",
            )
        with archive.open(member) as stream:
            # what is counted are the bytes that come out, whatever the archive states
            self.files.append(self._write(stream, inner))

    def _write(self, stream: object, name: str) -> Received:
        if len(self.files) >= self._limits.upload_files:
            raise UnsupportedError(
                f"more than {self._limits.upload_files} files in one upload",
                f"at most {self._limits.upload_files}",
                "upload one study at a time",
            )
        number = len(list(self._folder.iterdir()))
        path = self._folder / f"{number:06d}{image_suffix(name)}"
        with path.open("wb") as target:
            for chunk in _chunks(stream):
                self._left -= len(chunk)
                if self._left < 0:
                    raise UnsupportedError(
                        f"more than {self._limits.upload_mib} MiB in one upload",
                        f"at most {self._limits.upload_mib} MiB, also after unpacking",
                        "upload one study at a time",
                    )
                target.write(chunk)
        return Received(path, brief(name.replace("\\", "/").rpartition("/")[2], 120))


def _refuse_cut_off(received: Received) -> None:
    """Refuse a ZIP archive that has lost its end, where its table of contents stands.

    Raises:
        UnreadableError: it is one.
    """
    with received.path.open("rb") as stream:
        is_zip = stream.read(len(_ZIP)) == _ZIP
    if is_zip and not zipfile.is_zipfile(received.path):
        raise UnreadableError(
            f"{received.name}: is a damaged archive (its end is missing)",
            "a whole ZIP archive",
            "copy it again, or pack it again",
        )


def _chunks(stream: object) -> Iterator[bytes]:
    while chunk := stream.read(_CHUNK):  # type: ignore[attr-defined]
        yield chunk
