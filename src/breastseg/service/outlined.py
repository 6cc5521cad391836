"""A result or a version as what it was made of, for the exports."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from breastseg.core.errors import InputError
from breastseg.core.image import Image
from breastseg.core.prediction import Prediction
from breastseg.core.provenance import Provenance
from breastseg.measure.finding import Finding, findings
from breastseg.results.entry import success
from breastseg.results.schema import Document, Entry, Files, SegmenterRecord


@dataclass(frozen=True, eq=False)
class Outlined:
    """An image with its mask and what is said of them.

    Attributes:
        image: what was segmented.
        prediction: its mask, with the probability where a method has given one.
        made_at: when.
        made_by: name of the account.
        note: what the person has written.
        remarks: what must be known of the method.
    """

    image: Image
    prediction: Prediction
    made_at: datetime
    made_by: str
    note: str = ""
    remarks: tuple[str, ...] = ()

    @property
    def found(self) -> tuple[Finding, ...]:
        """The lesions, the largest first."""
        return findings(self.prediction)

    @property
    def entry(self) -> Entry:
        """As ``results.json`` has it, with the method's remarks."""
        made = success(self.image.source, self.image, self.prediction, self.found, Files())
        return replace(made, remarks=(*made.remarks, *self.remarks))

    @property
    def document(self) -> Document:
        """The whole of ``results.json``."""
        return Document(
            complete=True,
            options={},
            provenance=SegmenterRecord.of(self.prediction.provenance),
            entries=(self.entry,),
        )


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
