"""Parts of a node in a folder of its own, with a method that finds what the phantom has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path

import numpy as np
from pydicom import Dataset, dcmread

from breastseg.core.image import Image
from breastseg.core.prediction import Prediction
from breastseg.core.prompt import Prompt
from breastseg.dicom.node.audit import AuditTrail
from breastseg.dicom.node.config import FolderDestination, NodeConfig, Rule
from breastseg.dicom.node.folder import NodeFolder
from breastseg.dicom.node.intake import Intake, Status
from breastseg.dicom.node.queue import Queue
from breastseg.dicom.node.rules import Handler
from breastseg.dicom.node.segmenting import Segmenting
from breastseg.dicom.node.sending import Sending

from ..subjects import phantoms, predicted, saved


@dataclass(frozen=True)
class Oracle:
    """Finds the lesion of the phantom; of a cine loop in every frame."""

    name: str
    dimensions: int = 2
    phases: int = 2

    def on_one_core(self) -> Oracle:
        return self

    def segment(self, image: Image, prompt: Prompt | None = None) -> Prediction:
        truth = phantoms()[self.name].truth
        frame = image.frame or 0
        mask = truth if self.dimensions == 3 or truth.ndim == 2 else truth[frame]
        return predicted(image, np.ascontiguousarray(mask))


class Parts:
    """The parts of a node, without its threads.

    Args:
        root: everything lies below it.
        handlers: who takes what.
        config: replaces some keys.
    """

    def __init__(self, root: Path, handlers: Sequence[Handler], config: NodeConfig | None = None):
        results = FolderDestination("files", root / "out")
        self.config = config or NodeConfig(
            root / "node", folders=(results,), min_free_mib=1, quiet_s=0.0
        )
        self.folder = NodeFolder(self.config.folder)
        self.queue = Queue(self.folder.queue_file)
        self.audit = AuditTrail(self.config.audit, "BREASTSEG")
        self.intake = Intake(self.config, self.folder, self.queue, handlers, self.audit)
        self.segmenting = Segmenting(
            self.config,
            self.folder,
            self.queue,
            {one.name: one for one in handlers},
            lambda rule: Oracle(
                rule.method, next(h.dimensions for h in handlers if h.rule == rule)
            ),
        )

    def take(self, one: Dataset, change: bytes = b"") -> Status:
        file = self.folder.incoming / "one"
        file.write_bytes(saved(one) + change)
        return self.intake.take(file, "TEST")

    def sending(self) -> Sending:
        (destination,) = self.config.destinations
        return Sending(self.config, self.folder, self.queue, destination, self.audit)

    def results(self) -> dict[str, Dataset]:
        """What has been written, by SOP Class name."""
        files = sorted((self.config.folder.parent / "out").rglob("*.dcm"))
        read = [dcmread(BytesIO(file.read_bytes())) for file in files]
        return {one.Modality: one for one in read}


def handler(name: str, modality: str = "", dimensions: int = 2) -> Handler:
    """One whose method finds the lesion of a phantom."""
    return Handler(Rule(name, modality=modality), dimensions)


def synthetic(one: Handler) -> Handler:
    """The same, of a method that was trained on synthetic images."""
    return replace(one, synthetic=True)
