"""More or less of the dyes of stained tissue, as another laboratory would have it."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from breastseg.preprocess.stain import REFERENCE
from breastseg.training.augmentation.parameters import Parameters

# What is neither dye (the direction across both) stays as it is.
_DYES = np.column_stack((REFERENCE.matrix, np.cross(REFERENCE.haematoxylin, REFERENCE.eosin)))
_LEAST_LIGHT = 1 / 255


def stain(images: Tensor, parameters: Parameters) -> Tensor:
    """Multiply the amounts of haematoxylin and eosin, each by its own factor.

    Amounts are found from the optical density with the dyes of `breastseg.preprocess.stain`;
    full light stays full light. Source: Tellez et al. 2018, doi:10.1109/TMI.2018.2820199, here
    without their offsets, which would colour the glass.

    Args:
        images: (N, C, H, W) float32, 0 to 1; only RGB, C = 3, holds dyes.
        parameters: N rows.

    Returns:
        The same shape; a row whose factors are 1 comes back bit for bit, and grey always.
    """
    rows = (parameters.stain != 1).any(dim=1).nonzero().squeeze(1)
    if rows.numel() == 0 or images.shape[1] != 3:
        return images
    dyes = torch.as_tensor(_DYES, dtype=images.dtype, device=images.device)
    factors = parameters.stain.new_ones(len(rows), 3)
    factors[:, :2] = parameters.stain[rows]
    # to amounts, their change, and back to densities, as one matrix an image
    change = dyes @ torch.diag_embed(factors.to(images.dtype)) @ torch.linalg.inv(dyes)
    density = -images[rows].clamp(min=_LEAST_LIGHT).log()
    light = (-torch.einsum("nij,njhw->nihw", change, density)).exp()
    return images.index_copy(0, rows, light.clamp(0, 1))
