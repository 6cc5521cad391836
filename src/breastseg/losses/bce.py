"""Cross-entropy, binary for one lesion class."""

from __future__ import annotations

import torch.nn.functional as F  # noqa: N812 (torch's own name for it)
from torch import Tensor, nn

from breastseg.losses.inputs import as_float32, with_background


class BCELoss(nn.Module):
    """Mean cross-entropy of the pixels.

    One class: ``-t log p - (1 - t) log(1 - p)``. Several: ``-log q`` with q the probability that
    the softmax gives to the true class, which may be the background. Averaged over all pixels of
    the batch.

    Empty target: the mean of ``-log(1 - p)`` with p the probability of any lesion: every false
    alarm costs, without bound.

    Source: Bishop 2006, Pattern Recognition and Machine Learning, equations 4.90 and 4.108.
    """

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """The loss, a float32 scalar of at least 0; logits and target as `as_float32` takes."""
        logits, target = as_float32(logits, target)
        if logits.shape[1] == 1:
            return F.binary_cross_entropy_with_logits(logits, target)
        return F.cross_entropy(logits, with_background(target))
