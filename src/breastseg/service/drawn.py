"""Masks that people have drawn: measured, and stored."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from breastseg import __version__
from breastseg.core.prediction import Prediction
from breastseg.core.provenance import BY_HAND, Provenance, Scalar
from breastseg.results.given_mask import GivenMask
from breastseg.results.schema import Entry, Files
from breastseg.service.encoded import png_bytes
from breastseg.service.tables import Segmentation


def measured(
    given: GivenMask, by: str, base: Segmentation | None, changed_px: int | None = None
) -> tuple[Entry, Prediction]:
    """A drawn mask with its measurements.

    Args:
        given: on the image that it was drawn on.
        by: name of the account.
        base: the segmentation that it started from, which the provenance then names; None where it
            was drawn on the bare image.
        changed_px: in how many pixels it differs from that segmentation's mask; None where that is
            not known.
    """
    started = _started_from(base, changed_px)
    said = (f"started from a segmentation by {started['base']}",) if started else ()
    done = "kept unchanged" if started and changed_px == 0 else "drawn or corrected"
    steps = (*said, f"{done} by {by}")
    made = Provenance(BY_HAND, __version__, started, steps=steps)
    entry, _ = given.measure(given.image.source, Files())
    return replace(entry, steps=made.steps), replace(given.prediction, provenance=made)


def _started_from(base: Segmentation | None, changed_px: int | None) -> dict[str, Scalar]:
    """What produced the mask that a person started from, as parameters of a provenance."""
    if base is None or base.document is None:
        return {}
    record = base.document["provenance"]
    return {
        "base": record["segmenter"],
        "base_version": record["version"],
        "base_weights_sha256": record.get("weights_sha256"),
        **({} if changed_px is None else {"changed_px": changed_px}),
    }


def stored_mask(mask: NDArray[np.bool_]) -> bytes:
    """A mask as the store keeps it, a PNG of 0 and 255: the same mask is the same bytes."""
    return png_bytes(np.where(mask, np.uint8(255), np.uint8(0)))
