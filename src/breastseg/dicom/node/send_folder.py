"""Results as files."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from breastseg.core.errors import BreastsegError
from breastseg.dicom.node.config import FolderDestination
from breastseg.dicom.node.sending import Outcome
from breastseg.io.write import replacing


class FolderSender:
    """Writes each object to STUDY UID/INSTANCE UID.dcm, whole or not at all."""

    def __init__(self, destination: FolderDestination) -> None:
        self._root = destination.path

    def __call__(self, files: Sequence[Path]) -> Iterator[Outcome]:
        """Write them; see the protocol."""
        from pydicom import dcmread

        for file in files:
            one = dcmread(file, stop_before_pixels=True)
            target = self._root / str(one.StudyInstanceUID) / f"{one.SOPInstanceUID}.dcm"
            try:
                with replacing(target) as temporary:
                    temporary.write_bytes(file.read_bytes())
                    with temporary.open("rb") as stream:
                        os.fsync(stream.fileno())
                yield Outcome("sent")
            except BreastsegError as error:
                yield Outcome("later", str(error))
