"""The look of another image, by the amplitudes of its frequencies."""

from __future__ import annotations

import torch
from torch import Tensor

from breastseg.training.augmentation.parameters import Parameters


def spectrum(images: Tensor, parameters: Parameters) -> Tensor:
    """Mix each image's amplitudes with those of another image of the batch; the phases stay.

    Brightness, contrast, grain and blur lie in the amplitudes, and the place of edges in the
    phases: so an image comes to look as if another scanner had made it. From Xu et al. 2021
    (arXiv 2105.11120), which mixes the whole spectrum.

    Args:
        images: (N, C, H, W) float32, 0 to 1; a batch of one comes back as it is.
        parameters: N rows; `spectrum` is the other image's fraction, 0 to 1.

    Returns:
        New images of the same shape, dtype and range; a row whose fraction is 0 comes back bit
        for bit.
    """
    n = len(images)
    rows = (parameters.spectrum != 0).nonzero().squeeze(1)
    if n < 2 or rows.numel() == 0:
        return images
    away = 1 + (parameters.spectrum_from[rows] * (n - 1)).long().clamp(max=n - 2)
    own = torch.fft.rfft2(images[rows])
    other = torch.fft.rfft2(images[(rows + away) % n]).abs()
    fraction = parameters.spectrum[rows].view(-1, 1, 1, 1)
    amplitude = own.abs() + fraction * (other - own.abs())
    mixed = torch.fft.irfft2(torch.polar(amplitude, own.angle()), s=images.shape[2:])
    return images.index_copy(0, rows, mixed.clamp_(0, 1))
