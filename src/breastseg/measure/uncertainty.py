"""One number that tells good masks from bad ones."""

from __future__ import annotations

import numpy as np

from breastseg.core.prediction import Lesion, Prediction


def region_uncertainty(prediction: Prediction, lesion: Lesion | None = None) -> float | None:
    """The mean uncertainty within a lesion, or within the whole mask.

    On images with a lesion it falls as the Dice with the ground truth rises; see
    ``docs/how-to``. It says nothing of a lesion that was not outlined at all.

    Args:
        prediction: with a map of uncertainty.
        lesion: one of its lesions; the whole mask by default.

    Returns:
        0 (sure) to 1; None where the prediction has no such map or nothing is outlined.
    """
    unsure = prediction.uncertainty
    if unsure is None:
        return None
    within = unsure[prediction.mask().foreground] if lesion is None else lesion.values(unsure)
    return float(within.mean(dtype=np.float64)) if within.size else None
