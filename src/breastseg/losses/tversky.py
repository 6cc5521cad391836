"""Tversky loss: Dice with false alarms and misses weighed apart."""

from __future__ import annotations

from torch import Tensor, nn

from breastseg.losses.inputs import as_float32, lesion_probability, mass, require


class TverskyLoss(nn.Module):
    """One minus the soft Tversky index of each image and lesion class, averaged over both.

    With p the probability of a class and t its target, summed over the pixels of one image::

        TP = sum p t,  FP = sum p (1 - t),  FN = sum (1 - p) t
        loss = 1 - (TP + s) / (TP + a FP + b FN + s)

    Empty target, which is what a class that is not in the image has: the loss is ``1 - s / (a FP +
    s)``: 0 for no predicted mass, rising with every false alarm towards 1.

    Source: Salehi et al. 2017, doi:10.1007/978-3-319-67389-9_44, equation 3.

    Args:
        false_alarm: a, the weight of false positives.
        miss: b, the weight of false negatives.
        smooth: s, in pixels, above 0.
    """

    def __init__(self, false_alarm: float = 0.3, miss: float = 0.7, smooth: float = 1.0) -> None:
        super().__init__()
        require("false_alarm", false_alarm, 0)
        require("miss", miss, 0)
        require("smooth", smooth, 1e-6)
        self.false_alarm = false_alarm
        self.miss = miss
        self.smooth = smooth

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """The loss, a float32 scalar from 0 to 1; logits and target as `as_float32` takes."""
        logits, target = as_float32(logits, target)
        probability = lesion_probability(logits)
        hit = mass(probability * target)
        false_alarm = mass(probability) - hit
        miss = mass(target) - hit
        bottom = hit + self.false_alarm * false_alarm + self.miss * miss + self.smooth
        return (1 - (hit + self.smooth) / bottom).mean()
