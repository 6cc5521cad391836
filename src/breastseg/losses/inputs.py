"""What every loss takes: logits and a binary target of the same shape."""

from __future__ import annotations

from torch import Tensor

from breastseg.core.errors import GeometryError


def as_float32(logits: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Both as float32, so that sums over an image do not overflow under mixed precision.

    Args:
        logits: (N, 1, H, W), any float dtype.
        target: (N, 1, H, W), 0 or 1, any dtype.

    Raises:
        GeometryError: other shapes; broadcasting would hide the mistake.
    """
    if logits.ndim != 4 or logits.shape[1] != 1 or logits.shape != target.shape:
        raise GeometryError(
            f"logits of shape {tuple(logits.shape)} and a target of {tuple(target.shape)}",
            "(N, 1, H, W) for both",
        )
    return logits.float(), target.float()
