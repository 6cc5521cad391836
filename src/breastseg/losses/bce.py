"""Binary cross-entropy."""

from __future__ import annotations

import torch.nn.functional as F  # noqa: N812 (torch's own name for it)
from torch import Tensor, nn

from breastseg.losses.inputs import as_float32


class BCELoss(nn.Module):
    """Mean binary cross-entropy of the pixels.

    ``-t log p - (1 - t) log(1 - p)``, averaged over all pixels of the batch.

    Empty target: the mean of ``-log(1 - p)``: every false alarm costs, without bound.

    Source: Bishop 2006, Pattern Recognition and Machine Learning, equation 4.90.
    """

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """The loss, a float32 scalar of at least 0; logits and target are (N, 1, H, W)."""
        logits, target = as_float32(logits, target)
        return F.binary_cross_entropy_with_logits(logits, target)
