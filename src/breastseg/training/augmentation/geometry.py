"""Moves of pixels, the same for an image and its mask."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 (torch's own name for it)
from torch import Tensor

from breastseg.losses.inputs import IGNORED
from breastseg.training.augmentation.parameters import Parameters


def flip(pictures: Tensor, parameters: Parameters) -> Tensor:
    """Flip the rows that are to be flipped, pixel for pixel; (N, C, H, W)."""
    for chosen, axis in ((parameters.horizontal_flip, -1), (parameters.vertical_flip, -2)):
        if bool(chosen.any()):
            pictures = torch.where(chosen.view(-1, 1, 1, 1), pictures.flip(axis), pictures)
    return pictures


def fractions(masks: Tensor, soft: int = 0) -> Tensor:
    """Masks as fractions of 1, which can be interpolated; `masks_of` makes masks of them again.

    Args:
        masks: (N, K, H, W) float32, 0 or 1, or `IGNORED` in all that are not soft.
        soft: so many of the last are probabilities.

    Returns:
        (N, K, H, W); where some pixels are to be ignored, one more: all that is not background.
    """
    hard = masks[:, : masks.shape[1] - soft]
    if not bool((hard[:, :1] < 0).any()):
        return masks
    marked = (hard != 0).any(dim=1, keepdim=True)
    return torch.cat((masks.clamp_min(0), marked.to(masks.dtype)), dim=1)


def masks_of(interpolated: Tensor, count: int, soft: int = 0) -> Tensor:
    """Masks at 0.5 from interpolated `fractions`.

    Args:
        interpolated: (N, K or K + 1, H, W) float32, 0 to 1.
        count: K.
        soft: so many of the K are not cut.
    """
    hard = (interpolated[:, : count - soft] >= 0.5).to(interpolated.dtype)
    if interpolated.shape[1] > count:
        known = hard.any(dim=1, keepdim=True) | (interpolated[:, count:] < 0.5)
        hard = hard.masked_fill(~known, IGNORED)
    return torch.cat((hard, interpolated[:, count - soft : count]), dim=1)


def warp(
    images: Tensor, masks: Tensor, parameters: Parameters, soft: int = 0
) -> tuple[Tensor, Tensor]:
    """Rotate, scale, shift and bend with one interpolation.

    Image and masks are sampled together, bilinearly, and the masks are cut at 0.5. What lies
    outside is the mirror image for both, so a lesion that reappears in the margin stays outlined;
    or black, where `margin` says so. Rows with nothing to do are not touched.

    Args:
        images: (N, C, H, W) float32.
        masks: (N, K, H, W) float32, 0 or 1, or `IGNORED`.
        parameters: what to do; one row an image.
        soft: so many of the last masks are probabilities, 0 to 1, and are not cut.
    """
    rows = moved(parameters).nonzero().squeeze(1)
    if rows.numel() == 0:
        return images, masks
    grid = sampling_grid(parameters, rows, (images.shape[2], images.shape[3]))
    pair = torch.cat((images[rows], fractions(masks[rows], soft)), dim=1)
    pair = _sampled(pair, grid, parameters.margin[rows])
    # Rounding in the interpolation can step a hair outside 0 to 1.
    pair = pair.clamp(0, 1)
    warped_images, warped_masks = pair[:, : images.shape[1]], pair[:, images.shape[1] :]
    warped_masks = masks_of(warped_masks, masks.shape[1], soft)
    return images.index_copy(0, rows, warped_images), masks.index_copy(0, rows, warped_masks)


def _sampled(pair: Tensor, grid: Tensor, margin: Tensor) -> Tensor:
    """Sample every row, with a black margin or with the mirror image in its place."""
    sampled = torch.empty(*pair.shape[:2], *grid.shape[1:3], dtype=pair.dtype, device=pair.device)
    for rows, padding in ((margin, "zeros"), (~margin, "reflection")):
        if bool(rows.any()):
            sampled[rows] = F.grid_sample(
                pair[rows], grid[rows], mode="bilinear", padding_mode=padding, align_corners=False
            )
    return sampled


def moved(parameters: Parameters) -> Tensor:
    """Which rows are rotated, scaled, shifted or bent; (n,) bool."""
    return (
        (parameters.rotation_deg != 0)
        | (parameters.scale != 1)
        | (parameters.shift != 0).any(dim=1)
        | (parameters.elastic != 0).flatten(1).any(dim=1)
    )


def sampling_grid(parameters: Parameters, rows: Tensor, shape: tuple[int, int]) -> Tensor:
    """Where each output pixel is read, for `torch.nn.functional.grid_sample`.

    Args:
        parameters: the batch's.
        rows: (r,) indices of the images.
        shape: (H, W) of an image.

    Returns:
        (r, H, W, 2): column and row, -1 to 1 from edge to edge.
    """
    size = [rows.numel(), 1, *shape]
    grid = F.affine_grid(_inverse_affine(parameters, rows, shape), size, align_corners=False)
    bends = parameters.elastic[rows]
    bent = (bends != 0).flatten(1).any(dim=1).nonzero().squeeze(1)
    if bent.numel() == 0:
        return grid
    # The grid runs from -1 to 1, so a fraction of the length counts twice.
    displacement = 2 * F.interpolate(bends[bent], size=shape, mode="bicubic", align_corners=True)
    return grid.index_add(0, bent, displacement.permute(0, 2, 3, 1))


def _inverse_affine(parameters: Parameters, rows: Tensor, shape: tuple[int, int]) -> Tensor:
    """From output to input, (r, 2, 3): undo the shift, then the rotation and the scale."""
    angle = torch.deg2rad(parameters.rotation_deg[rows])
    scale = parameters.scale[rows]
    cos, sin = angle.cos() / scale, angle.sin() / scale
    # A turn is rigid in pixels; in the grid's units, which differ by axis, it is not.
    aspect = shape[0] / shape[1]
    linear = torch.stack((cos, -sin * aspect, sin / aspect, cos), dim=1).view(-1, 2, 2)
    shift = 2 * parameters.shift[rows].flip(1).unsqueeze(2)
    return torch.cat((linear, -linear @ shift), dim=2)
