"""A weighted sum of losses, and the names they go by."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from breastseg.core.errors import RecipeError
from breastseg.losses.bce import BCELoss
from breastseg.losses.boundary import BoundaryLoss
from breastseg.losses.dice import DiceLoss
from breastseg.losses.focal import FocalLoss
from breastseg.losses.tversky import TverskyLoss

LOSSES: dict[str, type[nn.Module]] = {
    "bce": BCELoss,
    "boundary": BoundaryLoss,
    "dice": DiceLoss,
    "focal": FocalLoss,
    "tversky": TverskyLoss,
}


@dataclass(frozen=True)
class LossRecipe:
    """What training minimises.

    Attributes:
        terms: name in the catalogue (bce, boundary, dice, focal, tversky) to its weight, a finite
            number above 0; the losses are multiplied by their weights and added.

    Raises:
        RecipeError: no terms, an unknown name, or a weight that is not a finite number above 0.
    """

    terms: Mapping[str, float] = field(default_factory=lambda: {"dice": 1.0, "bce": 1.0})

    def __post_init__(self) -> None:
        if not self.terms:
            raise RecipeError("a loss without terms", f"at least one of {', '.join(LOSSES)}")
        for name, weight in self.terms.items():
            if name not in LOSSES:
                raise RecipeError(f"loss {name!r}", f"one of {', '.join(LOSSES)}")
            if not (math.isfinite(weight) and weight > 0):
                raise RecipeError(
                    f"weight {weight} of loss {name!r}",
                    "a finite number above 0",
                    "leave the term out to switch it off",
                )


class WeightedLoss(nn.Module):
    """The weighted sum of a recipe's terms.

    Empty target: as in each term; all of them charge for false alarms.
    """

    def __init__(self, recipe: LossRecipe) -> None:
        super().__init__()
        self.weights = dict(recipe.terms)
        self.terms = nn.ModuleDict({name: LOSSES[name]() for name in recipe.terms})

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """The loss, a float32 scalar; logits and target are (N, 1, H, W)."""
        return torch.stack(
            [self.weights[name] * term(logits, target) for name, term in self.terms.items()]
        ).sum()


def build_loss(recipe: LossRecipe) -> nn.Module:
    """The loss of a recipe: ``loss(logits (N, 1, H, W), target (N, 1, H, W))`` to a scalar."""
    return WeightedLoss(recipe)
