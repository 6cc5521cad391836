"""What every loss takes: logits and a target of 0 and 1, of one lesion class or of several."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from breastseg.core.errors import GeometryError, RecipeError

IGNORED = -1.0
"""The value of a target, in all of its classes, where nothing is known."""
_CERTAIN = 1e4
"""A logit from which every term is exactly 0 where it is right; half precision holds it."""


def as_float32(logits: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Both as float32, so that sums over an image do not overflow under mixed precision.

    Args:
        logits: (N, 1, H, W) for lesion against background, or (N, K + 1, H, W) for the background
            and K lesion classes, in this order; any float dtype. A volume has (D, H, W) in place
            of (H, W).
        target: (N, 1, H, W) or (N, K, H, W) as a channel a lesion class, 0 or 1 and at most one of
            them 1 at a pixel; any dtype.

    Raises:
        GeometryError: other shapes; broadcasting would hide the mistake.
    """
    channels, classes = (x.shape[1] if x.ndim in (4, 5) else 0 for x in (logits, target))
    paired = channels == classes + 1 or channels == classes == 1
    apart = logits.shape[:1] + logits.shape[2:] != target.shape[:1] + target.shape[2:]
    if classes < 1 or not paired or apart:
        raise GeometryError(
            f"logits of shape {tuple(logits.shape)} and a target of {tuple(target.shape)}",
            "(N, 1, H, W) for both, or (N, K + 1, H, W) and (N, K, H, W); the same with (D, H, W)",
        )
    return logits.float(), target.float()


def without_ignored(logits: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Both with background, found with certainty, where the target is `IGNORED`.

    No term then depends on the logits there, nor has a gradient for them.

    Args:
        logits: as `as_float32` takes them.
        target: likewise, or `IGNORED` in all classes of a pixel.
    """
    ignored = target[:, :1] < 0
    if not bool(ignored.any()):
        return logits, target
    background = logits.new_full((1, logits.shape[1], *[1] * (logits.ndim - 2)), -_CERTAIN)
    if logits.shape[1] > 1:
        background[:, 0] = 0
    return torch.where(ignored, background, logits), target.masked_fill(ignored, 0)


def lesion_probability(logits: Tensor) -> Tensor:
    """The probability of each lesion class, (N, K, ...), 0 to 1.

    Args:
        logits: (N, 1, ...), of which the sigmoid is taken, or (N, K + 1, ...) with the background
            first, of which the softmax is taken.
    """
    return logits.sigmoid() if logits.shape[1] == 1 else logits.softmax(dim=1)[:, 1:]


def with_background(target: Tensor) -> Tensor:
    """A target (N, K, ...) as (N, K + 1, ...): the background, which is what no class is, first."""
    return torch.cat((1 - target.sum(dim=1, keepdim=True), target), dim=1)


def mass(values: Tensor) -> Tensor:
    """The sum over the pixels of each image and class: (N, K, ...) to (N, K)."""
    return values.sum(dim=tuple(range(2, values.ndim)))


def require(name: str, value: float, low: float, high: float = math.inf) -> None:
    """Refuse a loss's parameter outside [low, high], or one that is not a finite number.

    Raises:
        RecipeError: it is.
    """
    if not (math.isfinite(value) and low <= value <= high):
        most = "" if high == math.inf else f", at most {high:g}"
        raise RecipeError(f"{name} = {value} of a loss", f"at least {low:g}{most}")
