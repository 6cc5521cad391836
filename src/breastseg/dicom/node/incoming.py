"""The file of an instance that is being received, which a full disk does not end.

pynetdicom ends the association where it cannot write. A sender would take that for a broken
network. So the rest is read and thrown away, and the answer is that there is no room.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4


class IncomingFile:
    """What pynetdicom takes for a file.

    Args:
        folder: where it is made.

    Attributes:
        name: its path.
        failure: why it could not be written; None while it could.
    """

    def __init__(self, folder: Path) -> None:
        self.name = str(folder / f"{uuid4().hex}.dcm")
        self.failure: OSError | None = None
        self._stream: BinaryIO | None = None
        self._try(self._open)

    @property
    def file(self) -> IncomingFile:
        """The same: what is flushed."""
        return self

    def write(self, data: bytes) -> int:
        """Write, as long as nothing has failed."""
        self._try(lambda: self._stream and self._stream.write(data))
        return len(data)

    def flush(self) -> None:
        """Have it where others read it."""
        self._try(lambda: self._stream and self._stream.flush())

    def close(self) -> None:
        """Have all of it in the file, or none: no room for the rest means no room for it."""
        stream, self._stream = self._stream, None
        if stream is not None:
            with contextlib.suppress(OSError):  # what was kept for later does not fit either
                stream.close()

    def _open(self) -> None:
        self._stream = Path(self.name).open("xb")  # noqa: SIM115 -- pynetdicom closes it

    def _try(self, step: Callable[[], object]) -> None:
        if self.failure is not None:
            return
        try:
            step()
        except OSError as error:
            self.failure = error
            self.close()
            Path(self.name).unlink(missing_ok=True)  # others may need the room


def receive_into(folder: Path) -> None:
    """Have pynetdicom write each object to a file as it comes, so that its size takes no memory."""
    from pynetdicom import _config, dimse_messages

    _config.STORE_RECV_CHUNKED_DATASET = True

    def incoming(**_: object) -> IncomingFile:
        return IncomingFile(folder)

    dimse_messages.NamedTemporaryFile = incoming  # type: ignore[attr-defined,assignment]
