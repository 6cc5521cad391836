"""Focal loss: cross-entropy with the easy pixels turned down."""

from __future__ import annotations

import torch.nn.functional as F  # noqa: N812 (torch's own name for it)
from torch import Tensor, nn

from breastseg.losses.inputs import as_float32


class FocalLoss(nn.Module):
    """Mean focal loss of the pixels.

    With q the probability given to the true class: ``-w (1 - q)^g log q``, where w is `lesion`
    on lesion pixels and ``1 - lesion`` on the others, averaged over all pixels of the batch.

    Empty target: the mean of ``-(1 - lesion) p^g log(1 - p)``: every false alarm costs, confident
    ones far more than hesitant ones.

    Source: Lin et al. 2017, doi:10.1109/ICCV.2017.324, equation 5 (there g is gamma, w alpha).

    Args:
        focus: g, at least 0; 0 is weighted cross-entropy.
        lesion: weight of lesion pixels, 0 to 1.
    """

    def __init__(self, focus: float = 2.0, lesion: float = 0.25) -> None:
        super().__init__()
        self.focus = focus
        self.lesion = lesion

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """The loss, a float32 scalar of at least 0; logits and target are (N, 1, H, W)."""
        logits, target = as_float32(logits, target)
        toward_truth = logits * (2 * target - 1)
        # (1 - q)^g by its logarithm: a power of a difference that rounds to 0 has no gradient.
        modulation = (self.focus * F.logsigmoid(-toward_truth)).exp()
        weight = self.lesion * target + (1 - self.lesion) * (1 - target)
        return (-weight * modulation * F.logsigmoid(toward_truth)).mean()
