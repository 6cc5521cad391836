"""Soft Dice loss."""

from __future__ import annotations

from torch import Tensor, nn

from breastseg.losses.inputs import as_float32


class DiceLoss(nn.Module):
    """One minus the soft Dice coefficient of each image, averaged over the batch.

    With p the probability and t the target, summed over the pixels of one image::

        loss = 1 - (2 sum p t + s) / (sum p + sum t + s)

    Empty target: the loss is ``1 - s / (sum p + s)``: 0 for no predicted mass, rising with every
    false alarm towards 1. It rises steeply for the first few pixels (to 0.5 at a mass of s) and
    is nearly flat for large ones; add cross-entropy, which is not, to push large ones down.

    Source: Milletari et al. 2016, doi:10.1109/3DV.2016.79, with plain sums in the denominator.

    Args:
        smooth: s, in pixels.
    """

    def __init__(self, smooth: float = 1.0) -> None:
        super().__init__()
        self.smooth = smooth

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """The loss, a float32 scalar from 0 to 1; logits and target are (N, 1, H, W)."""
        logits, target = as_float32(logits, target)
        probability = logits.sigmoid()
        shared = (probability * target).sum(dim=(1, 2, 3))
        total = probability.sum(dim=(1, 2, 3)) + target.sum(dim=(1, 2, 3))
        return (1 - (2 * shared + self.smooth) / (total + self.smooth)).mean()
