"""Boundary loss: false pixels cost by their distance from the true boundary."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor, nn

from breastseg.losses.inputs import as_float32, lesion_probability


class BoundaryLoss(nn.Module):
    """Mean over all pixels of the probability times the signed distance from the true boundary.

    The distance is negative inside, so the loss is least, and below 0, where the prediction is the
    truth. Of several lesion classes the values are added. It is meant beside a regional loss such
    as Dice, not alone. The distance maps are computed on the CPU by scipy, outside the gradient.

    Empty target: there is no boundary, and every pixel counts as a whole diagonal away, so the
    loss is the mean probability and every false alarm costs. (Its authors' code counts 0 there.)
    A target that fills the image is the mirror case: minus the mean probability.

    Source: Kervadec et al. 2021, doi:10.1016/j.media.2020.101851, equation 5. Distances are in
    image diagonals, not pixels, so that a weight means the same at every size. A voxel of a volume
    counts as a cube.
    """

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """The loss, a float32 scalar from -1 to 1; logits and target as `as_float32` takes."""
        logits, target = as_float32(logits, target)
        truth = target.detach().cpu().numpy() > 0.5
        distances = np.stack([[signed_distance(mask) for mask in image] for image in truth])
        away = torch.from_numpy(distances).to(logits.device)
        return (lesion_probability(logits) * away).sum(dim=1).mean()


def signed_distance(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Distance of pixel centres from the boundary in image diagonals, negative inside.

    Args:
        mask: (H, W) or (D, H, W). The boundary runs half a pixel from the centres of the pixels
            beside it.

    Returns:
        The same shape, from -1 to 1; all 1 for an empty mask, all -1 for a full one.
    """
    if not mask.any():
        return np.ones(mask.shape, np.float32)
    if mask.all():
        return -np.ones(mask.shape, np.float32)
    outside: NDArray[np.float64] = ndimage.distance_transform_edt(~mask)
    inside: NDArray[np.float64] = ndimage.distance_transform_edt(mask)
    pixels = np.where(mask, 0.5 - inside, outside - 0.5) / math.hypot(*mask.shape)
    return pixels.astype(np.float32)
