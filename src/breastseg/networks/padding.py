"""Bring any image size to one that halves evenly."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional


def pad_to_multiple(images: Tensor, multiple: int) -> Tensor:
    """Repeat the last row and column until both sides are multiples of `multiple`.

    Args:
        images: (N, C, H, W), any float dtype.
        multiple: in pixels, at least 1.

    Returns:
        (N, C, H', W') with H <= H' < H + multiple; the input itself where nothing is missing.
        The original lies at the top left: ``padded[..., :H, :W]`` gives it back.
    """
    below = -images.shape[-2] % multiple
    right = -images.shape[-1] % multiple
    if below == 0 and right == 0:
        return images
    return functional.pad(images, (0, right, 0, below), mode="replicate")
