"""Training of a network that tells lesions apart."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor

from breastseg.networks.mask_rcnn import MaskRCNN
from breastseg.training.task import SegmentationTask


class InstanceTask(SegmentationTask):
    """Minimises the network's own losses; validated, like any other, by its map.

    The recipe's loss is not used: a `MaskRCNN` compares boxes, classes and masks.
    """

    def step_loss(self, images: Tensor, targets: Tensor) -> Tensor:
        """Sum of the losses of the regions proposed and of the heads.

        Args:
            images: (N, C, rows, columns).
            targets: (N, K, rows, columns), 0 or 1; what belongs to any class is lesion.
        """
        network = cast(MaskRCNN, self.network)
        # what is to be ignored was refused: see `fit`
        lesion = targets.amax(dim=1, keepdim=True) > 0.5
        return torch.stack(list(network.losses(images, lesion).values())).sum()

    def validation_loss(self, logits: Tensor, targets: Tensor) -> Tensor | None:
        """None: its losses compare proposals, which an averaged network does not make."""
        return None
