"""Deep supervision: a loss at several outputs of one network."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from breastseg.core.errors import RecipeError


class DeepSupervision(nn.Module):
    """The weighted mean of a loss over a network's outputs.

    The outputs are compared with the same target at full size, where Isensee et al. shrink the
    target to each output's own.

    Empty target: as in the loss.

    Source: Lee et al. 2015, https://proceedings.mlr.press/v38/lee15a.html; the weights are those of
    Isensee et al. 2021, doi:10.1038/s41592-020-01008-z.

    Args:
        loss: from logits and a target to a scalar.
        weights: of the outputs, the finest first; see `check_deep_weights`. Only their proportions
            count. None for 1, 1/2, 1/4 and so on.

    Raises:
        RecipeError: weights that make no sense.
    """

    def __init__(self, loss: nn.Module, weights: Sequence[float] | None = None) -> None:
        super().__init__()
        if weights is not None:
            check_deep_weights(weights)
        self.loss = loss
        self.weights = None if weights is None else tuple(weights)

    def forward(self, outputs: Sequence[Tensor], target: Tensor) -> Tensor:
        """The loss, a float32 scalar.

        Args:
            outputs: logits of at least one output, the finest first, all of one shape.
            target: as for the loss.

        Raises:
            RecipeError: another number of outputs than of weights.
        """
        weights = self.weights or tuple(0.5**i for i in range(len(outputs)))
        if len(weights) != len(outputs) or not outputs:
            raise RecipeError(
                f"{len(weights)} deep_weights for a network with {len(outputs)} outputs",
                "one an output, or none to halve them from each to the next",
            )
        total = sum(weights)
        terms = [
            weight / total * self.loss(output, target)
            for weight, output in zip(weights, outputs, strict=True)
            if weight > 0
        ]
        return torch.stack(terms).sum()


def check_deep_weights(weights: Sequence[float]) -> None:
    """Refuse weights of outputs that are not finite numbers of at least 0, some above 0.

    Raises:
        RecipeError: they are not.
    """
    if not all(math.isfinite(w) and w >= 0 for w in weights) or not sum(weights) > 0:
        raise RecipeError(
            f"deep_weights {list(weights)}",
            "finite numbers of at least 0, the finest output's first, and some above 0",
        )
