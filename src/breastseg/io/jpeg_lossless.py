"""Lossless JPEG, decoded by gdcm in a process of its own.

gdcm ends the whole process on some damaged codestreams, by a C++ exception that nothing catches
or by a bad access. In a process of its own that costs one file, and the batch or the service
goes on. (The other decoder that pydicom knows, pylibjpeg-libjpeg, is under the GPL.)
"""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SECONDS_A_FRAME = 120.0
"""A mammogram of 28 million pixels takes about one; a frame that takes this long never ends."""


class LosslessDecoder:
    """A running gdcm process for the frames of one file."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def decode(self, frame: bytes, length: int) -> bytes:
        """Decode one frame.

        Args:
            frame: the codestream.
            length: of the decoded samples in bytes.

        Returns:
            The samples, little endian, colour by pixel.

        Raises:
            ValueError: the frame is damaged.
        """
        to, back = self._process.stdin, self._process.stdout
        if to is None or back is None:
            raise ValueError("the decoder has no pipes")
        limit = threading.Timer(_SECONDS_A_FRAME, self._process.kill)
        limit.start()
        try:
            to.write(len(frame).to_bytes(8, "big") + frame)
            to.flush()
            promised = int.from_bytes(back.read(8), "big")
            data = back.read(promised) if promised == length else b""
        except BrokenPipeError:
            data = b""
        finally:
            limit.cancel()
        if len(data) != length:
            raise ValueError("lossless JPEG frame cannot be decoded")
        return data


@contextmanager
def lossless_decoder(
    syntax: str, photometric: str, numbers: tuple[int, int, int, int, int]
) -> Iterator[LosslessDecoder]:
    """Start a decoder, and end it on leaving.

    Args:
        syntax: transfer syntax UID.
        photometric: photometric interpretation.
        numbers: columns, rows, samples, bits allocated, pixel representation.
    """
    worker = Path(__file__).with_name("gdcm_worker.py")
    command = [sys.executable, "-P", str(worker), syntax, photometric, *map(str, numbers)]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        yield LosslessDecoder(process)
    finally:
        process.kill()
        process.communicate()
