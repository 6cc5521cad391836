"""Soft Dice loss."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from breastseg.losses.inputs import as_float32, lesion_probability, mass, require


class DiceLoss(nn.Module):
    """One minus the soft Dice coefficient of each image and lesion class, averaged over both.

    With p the probability of a class and t its target, summed over the pixels of one image::

        loss = 1 - (2 sum p t + s) / (sum p + sum t + s)

    Empty target, which is what a class that is not in the image has: s is a fraction of the image
    instead, so that the loss is ``m / (m + s)`` for a predicted mass m: 0 for none, 0.5 at a mass
    of s. With the small s of the other images it would reach 1 within a few pixels and be flat
    beyond, and a false alarm of the size of a lesion would cost nothing more than a small one and
    leave no gradient to shrink it.

    Source: Milletari et al. 2016, doi:10.1109/3DV.2016.79, with plain sums in the denominator.

    Args:
        smooth: s where there is a lesion, in pixels.
        empty_fraction: s where there is none, as a fraction of the image's pixels, above 0.
    """

    def __init__(self, smooth: float = 1.0, empty_fraction: float = 0.01) -> None:
        super().__init__()
        require("smooth", smooth, 0)
        require("empty_fraction", empty_fraction, 1e-6)
        self.smooth = smooth
        self.empty_fraction = empty_fraction

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """The loss, a float32 scalar from 0 to 1; logits and target as `as_float32` takes."""
        logits, target = as_float32(logits, target)
        probability, lesion = lesion_probability(logits), mass(target)
        shared = mass(probability * target)
        total = mass(probability) + lesion
        empty = self.empty_fraction * target[0, 0].numel()
        smooth = torch.where(lesion > 0, self.smooth, empty)
        return (1 - (2 * shared + smooth) / (total + smooth)).mean()
