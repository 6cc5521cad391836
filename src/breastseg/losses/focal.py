"""Focal loss: cross-entropy with the easy pixels turned down."""

from __future__ import annotations

import math

import torch.nn.functional as F  # noqa: N812 (torch's own name for it)
from torch import Tensor, nn

from breastseg.losses.inputs import as_float32, require, with_background


class FocalLoss(nn.Module):
    """Mean focal loss of the pixels.

    With q the probability given to the true class: ``-w (1 - q)^g log q``, where w is `lesion` on
    pixels of any lesion class and ``1 - lesion`` on the others, averaged over all pixels of the
    batch.

    Empty target: the mean of ``-(1 - lesion) p^g log(1 - p)`` with p the probability of any lesion:
    every false alarm costs, confident ones far more than hesitant ones.

    Source: Lin et al. 2017, doi:10.1109/ICCV.2017.324, equation 5 (there g is gamma, w alpha).

    Args:
        focus: g, at least 0; 0 is weighted cross-entropy.
        lesion: weight of lesion pixels, 0 to 1.
    """

    def __init__(self, focus: float = 2.0, lesion: float = 0.25) -> None:
        super().__init__()
        require("focus", focus, 0)
        require("lesion", lesion, 0, 1)
        self.focus = focus
        self.lesion = lesion

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """The loss, a float32 scalar of at least 0; logits and target as `as_float32` takes."""
        logits, target = as_float32(logits, target)
        if logits.shape[1] == 1:
            toward_truth = logits * (2 * target - 1)
            log_right, log_wrong = F.logsigmoid(toward_truth), F.logsigmoid(-toward_truth)
        else:
            log_right, log_wrong = _softmax_logarithms(logits, target)
        # (1 - q)^g by its logarithm: a power of a difference that rounds to 0 has no gradient.
        modulation = (self.focus * log_wrong).exp()
        lesion = target.sum(dim=1, keepdim=True)
        weight = self.lesion * lesion + (1 - self.lesion) * (1 - lesion)
        return (-weight * modulation * log_right).mean()


def _softmax_logarithms(logits: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """``log q`` and ``log(1 - q)``, each (N, 1, ...), of the true class's probability q."""
    true = with_background(target) > 0.5
    whole = logits.logsumexp(dim=1, keepdim=True)
    right = logits.masked_fill(~true, -math.inf).logsumexp(dim=1, keepdim=True)
    wrong = logits.masked_fill(true, -math.inf).logsumexp(dim=1, keepdim=True)
    return right - whole, wrong - whole
