"""Changes of brightness; a mask stays as it is.

Each function takes (N, C, H, W) float32 images in 0 to 1 and returns new ones in 0 to 1; a row
whose parameter is neutral comes back bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F  # noqa: N812 (torch's own name for it)
from torch import Tensor

from breastseg.training.augmentation.parameters import Parameters

# Three standard deviations of the widest blur that a recipe allows.
_BLUR_RADIUS_PX = 6


def _on_rows(images: Tensor, chosen: Tensor, change: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """Replace the chosen rows by ``change(their images, their indices)``, kept in 0 to 1."""
    rows = chosen.nonzero().squeeze(1)
    if rows.numel() == 0:
        return images
    return images.index_copy(0, rows, change(images[rows], rows).clamp_(0, 1))


def _per_image(values: Tensor) -> Tensor:
    return values.view(-1, 1, 1, 1)


def blur(images: Tensor, parameters: Parameters) -> Tensor:
    """Gaussian blur, its own width for each image; the border is repeated outwards."""

    def change(chosen: Tensor, rows: Tensor) -> Tensor:
        n, channels, height, width = chosen.shape
        offsets = torch.arange(-_BLUR_RADIUS_PX, _BLUR_RADIUS_PX + 1, device=chosen.device)
        sigma = parameters.blur_sigma_px[rows].repeat_interleave(channels)
        kernels = (-0.5 * (offsets / sigma[:, None]) ** 2).exp()
        kernels = kernels / kernels.sum(dim=1, keepdim=True)
        flat = F.pad(chosen.flatten(0, 1)[None], [_BLUR_RADIUS_PX] * 4, mode="replicate")
        flat = F.conv2d(flat, kernels[:, None, None, :], groups=n * channels)
        flat = F.conv2d(flat, kernels[:, None, :, None], groups=n * channels)
        return flat.view(n, channels, height, width)

    return _on_rows(images, parameters.blur_sigma_px != 0, change)


def speckle(images: Tensor, parameters: Parameters) -> Tensor:
    """Noise in proportion to the local brightness, in grains wider than tall."""

    def change(chosen: Tensor, rows: Tensor) -> Tensor:
        field = F.interpolate(
            parameters.speckle_field[rows],
            size=chosen.shape[2:],
            mode="bilinear",
            align_corners=False,
        )
        return chosen * (1 + _per_image(parameters.speckle_strength[rows]) * field)

    return _on_rows(images, parameters.speckle_strength != 0, change)


def shadow(images: Tensor, parameters: Parameters) -> Tensor:
    """A dark band, upright or oblique, from a random depth to the bottom, with smooth edges."""

    def change(chosen: Tensor, rows: Tensor) -> Tensor:
        height, width = chosen.shape[2:]
        row = ((torch.arange(height, device=chosen.device) + 0.5) / height).view(1, height, 1)
        column = ((torch.arange(width, device=chosen.device) + 0.5) / width).view(1, 1, width)
        middle, breadth, slope, start = (
            v.view(-1, 1, 1) for v in parameters.shadow_band[rows].unbind(dim=1)
        )
        across = 2 * (column - middle - slope * row) / breadth
        profile = (-(across**4)).exp()  # flat in the middle, e^-1 at the nominal edge
        onset = torch.sigmoid((row - start) / 0.02)
        darkness = parameters.shadow_depth[rows].view(-1, 1, 1) * profile * onset
        return chosen * (1 - darkness.unsqueeze(1))

    return _on_rows(images, parameters.shadow_depth != 0, change)


def gamma(images: Tensor, parameters: Parameters) -> Tensor:
    """Raise to a power."""

    def change(chosen: Tensor, rows: Tensor) -> Tensor:
        return chosen.pow(_per_image(parameters.gamma[rows]))

    return _on_rows(images, parameters.gamma != 1, change)


def contrast_brightness(images: Tensor, parameters: Parameters) -> Tensor:
    """Stretch about each image's mean, then add a constant."""

    def change(chosen: Tensor, rows: Tensor) -> Tensor:
        factor = _per_image(parameters.contrast[rows])
        mean = chosen.mean(dim=(1, 2, 3), keepdim=True)
        offset = _per_image(parameters.brightness[rows]) + mean * (1 - factor)
        return chosen * factor + offset

    chosen = (parameters.contrast != 1) | (parameters.brightness != 0)
    return _on_rows(images, chosen, change)


def cutout(images: Tensor, parameters: Parameters) -> Tensor:
    """Fill rectangles with each image's mean."""

    def change(chosen: Tensor, rows: Tensor) -> Tensor:
        height, width = chosen.shape[2:]
        row = (torch.arange(height, device=chosen.device) + 0.5) / height
        column = (torch.arange(width, device=chosen.device) + 0.5) / width
        top, left, bottom, right = parameters.cutout_boxes[rows].unsqueeze(3).unbind(dim=2)
        in_rows = (row >= top) & (row < bottom)  # (r, count, H)
        in_columns = (column >= left) & (column < right)  # (r, count, W)
        inside = (in_rows[..., :, None] & in_columns[..., None, :]).any(dim=1, keepdim=True)
        return torch.where(inside, chosen.mean(dim=(1, 2, 3), keepdim=True), chosen)

    return _on_rows(images, parameters.cutout, change)
