"""A weighted sum of losses, and the names they go by."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from breastseg.core.errors import RecipeError
from breastseg.core.parameters import Strict
from breastseg.io.own_code import check_own_name, is_own, own_object
from breastseg.losses.bce import BCELoss
from breastseg.losses.boundary import BoundaryLoss
from breastseg.losses.deep import check_deep_weights
from breastseg.losses.dice import DiceLoss
from breastseg.losses.focal import FocalLoss
from breastseg.losses.inputs import without_ignored
from breastseg.losses.tversky import TverskyLoss

LOSSES: dict[str, type[nn.Module]] = {
    "bce": BCELoss,
    "boundary": BoundaryLoss,
    "dice": DiceLoss,
    "focal": FocalLoss,
    "tversky": TverskyLoss,
}


@dataclass(frozen=True)
class LossRecipe(Strict):
    """What training minimises.

    Attributes:
        terms: name in the catalogue (bce, boundary, dice, focal, tversky), or ``module:Name`` of a
            loss of your own, to its weight, a finite number above 0; the losses are multiplied by
            their weights and added.
        parameters: of a term to its own, e.g. ``tversky = { miss = 0.8 }``; what is not given
            keeps its default. dice has `smooth` and `empty_fraction`, focal `focus` and `lesion`,
            tversky `false_alarm`, `miss` and `smooth`.
        deep_weights: of the outputs of a network with deep supervision, the finest first; only
            their proportions count. None for 1, 1/2, 1/4 and so on.

    Raises:
        RecipeError: no terms, an unknown name, a weight that is not a finite number above 0, or a
            parameter that its term does not have or take.
    """

    terms: Mapping[str, float] = field(default_factory=lambda: {"dice": 1.0, "bce": 1.0})
    parameters: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    deep_weights: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        if not self.terms:
            raise RecipeError("a loss without terms", f"at least one of {', '.join(LOSSES)}")
        for name, weight in self.terms.items():
            _check_term(name, weight)
        for name, values in self.parameters.items():
            if name not in self.terms:
                raise RecipeError(f"parameters of loss {name!r}", f"of {', '.join(self.terms)}")
            if not is_own(name):  # whose module is loaded when it is built, and not before
                _check_parameters(name, values)
        if self.deep_weights is not None:
            check_deep_weights(self.deep_weights)


def _check_term(name: str, weight: float) -> None:
    if is_own(name):
        check_own_name(name)
    elif name not in LOSSES:
        raise RecipeError(
            f"loss {name!r}", f"one of {', '.join(LOSSES)}, or module:Name of your own"
        )
    if not (math.isfinite(weight) and weight > 0):
        raise RecipeError(
            f"weight {weight} of loss {name!r}",
            "a finite number above 0",
            "leave the term out to switch it off",
        )


def _check_parameters(name: str, values: Mapping[str, float]) -> None:
    known = parameter_names(name)
    for parameter in values:
        if parameter not in known:
            allowed = f"one of {', '.join(known)}" if known else "none: it has no parameter"
            raise RecipeError(f"parameter {parameter!r} of loss {name!r}", allowed)
    LOSSES[name](**values)  # checks the ranges


def parameter_names(name: str) -> tuple[str, ...]:
    """The parameters that a loss of the catalogue can be given in a recipe."""
    found = inspect.signature(LOSSES[name]).parameters.values()
    return tuple(one.name for one in found if one.kind is one.POSITIONAL_OR_KEYWORD)


class WeightedLoss(nn.Module):
    """The weighted sum of a recipe's terms.

    Empty target: as in each term; all of them charge for false alarms.

    A target may be `breastseg.losses.inputs.IGNORED`: there all terms, one's own too, are given
    background, found with certainty. A known pixel weighs as much as where all are known.
    """

    def __init__(self, recipe: LossRecipe) -> None:
        super().__init__()
        self.weights = tuple(recipe.terms.values())
        self.terms = nn.ModuleList(
            [_term(name, recipe.parameters.get(name, {})) for name in recipe.terms]
        )

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """The loss, a float32 scalar; logits and target as `without_ignored` takes."""
        logits, target = without_ignored(logits, target)
        return torch.stack(
            [
                weight * term(logits, target)
                for weight, term in zip(self.weights, self.terms, strict=True)
            ]
        ).sum()


def _term(name: str, parameters: Mapping[str, float]) -> nn.Module:
    if not is_own(name):
        return LOSSES[name](**parameters)
    try:
        loss = own_object(name)(**parameters)
    except TypeError as error:
        raise RecipeError(f"{name}: {error}", "a class that takes its parameters") from error
    if not isinstance(loss, nn.Module):
        raise RecipeError(f"{name} makes {type(loss).__name__}", "a torch.nn.Module")
    return _Scalar(name, loss)


class _Scalar(nn.Module):
    """A loss of one's own, held to give one number a batch."""

    def __init__(self, name: str, loss: nn.Module) -> None:
        super().__init__()
        self.name, self.loss = name, loss

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        value: Tensor = self.loss(logits, target)
        if value.ndim != 0:
            raise RecipeError(
                f"{self.name} gives a tensor of shape {tuple(value.shape)}",
                "a single number for the whole batch",
                "take its mean",
            )
        return value


def build_loss(recipe: LossRecipe) -> nn.Module:
    """The loss of a recipe, of one output: ``loss(logits, target)`` to a scalar.

    Logits (N, 1, ...) go with a target (N, 1, ...), logits (N, K + 1, ...) with the background
    first with a target (N, K, ...); see `breastseg.losses.inputs.as_float32`.
    """
    return WeightedLoss(recipe)
