"""A result or a version as what it was made of, for the exports."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from breastseg.core.errors import InputError
from breastseg.core.image import Image
from breastseg.core.prediction import Prediction
from breastseg.core.provenance import Provenance
from breastseg.measure.finding import Finding, findings
from breastseg.measure.skin import LaidSkin
from breastseg.results.schema import Document, Entry, SegmenterRecord


@dataclass(frozen=True, eq=False)
class Outlined:
    """An image with its mask and what is said of them.

    Attributes:
        image: what was segmented.
        prediction: its mask, with the probability where a method has given one.
        entry: its measurements, with all that must be known of image and method.
        made_at: when.
        made_by: name of the account.
        note: what the person has written.
        skin: the skin line as the person has laid it, where there is one.
    """

    image: Image
    prediction: Prediction
    entry: Entry
    made_at: datetime
    made_by: str
    note: str = ""
    skin: LaidSkin | None = None

    @property
    def found(self) -> tuple[Finding, ...]:
        """The lesions, the largest first."""
        return findings(self.prediction, self.image, skin=self.skin)

    @property
    def document(self) -> Document:
        """The whole of ``results.json``."""
        return document_of(self.entry, self.prediction.provenance)


def document_of(entry: Entry, provenance: Provenance) -> Document:
    """One entry as the whole of ``results.json``."""
    record = SegmenterRecord.of(provenance)
    return Document(complete=True, options={}, provenance=record, entries=(entry,))


def restored(
    image: Image, probability: np.ndarray, mask: np.ndarray, record: SegmenterRecord, entry: Entry
) -> Prediction:
    """The prediction that a stored result came from.

    Args:
        image: what was segmented.
        probability: as it was kept, of the image's shape.
        mask: likewise.
        record: of the method.
        entry: of the result.

    Raises:
        InputError: the kept mask is not the one that the probability gives.
    """
    made = Provenance(
        record.segmenter, record.version, record.parameters, record.weights_sha256, entry.steps
    )
    stated = record.parameters.get("threshold")
    threshold = float(stated) if isinstance(stated, int | float) else 0.5
    prediction = Prediction(
        np.asarray(probability, np.float32),
        image.grid,
        made,
        threshold,
        malignancy=entry.malignancy,
        target=entry.label or "lesion",
        image=image,
    )
    if not np.array_equal(prediction.mask().foreground, mask != 0):
        raise InputError(
            "a kept mask that its probability does not give", remedy="segment the image again"
        )
    return prediction
