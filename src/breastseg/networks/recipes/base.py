"""What all recipes of networks share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from breastseg.core.errors import RecipeError
from breastseg.core.parameters import Strict, Within, check_bounds


@dataclass(frozen=True)
class NetworkRecipe(Strict):
    """What all networks share.

    Attributes:
        in_channels: channels of the image: 1 is grey, 3 RGB, more the phases of an MRI.
        out_channels: 1 for lesion against background (a sigmoid follows), otherwise the number of
            classes with the background first (a softmax follows).

    Raises:
        RecipeError: a value outside these ranges.
    """

    title: ClassVar[str] = ""
    paper: ClassVar[str] = ""
    dimensions: ClassVar[int] = 2

    in_channels: Annotated[int, Within(1, 16)] = 1
    out_channels: Annotated[int, Within(1, 16)] = 1

    def __post_init__(self) -> None:
        check_bounds(self, RecipeError)


def require(name: str, value: float, low: float, high: float) -> None:
    """Refuse a value outside [low, high].

    Raises:
        RecipeError: it is outside, or not a number.
    """
    if not low <= value <= high:
        raise RecipeError(f"{name} = {value} of the network", f"{low:g} to {high:g}")


def widths(owner: object, name: str, blocks: int | None, why: str = "") -> None:
    """Make a sequence field a tuple (a list is what TOML gives) and check it."""
    values = tuple(getattr(owner, name))
    object.__setattr__(owner, name, values)
    if (blocks is not None and len(values) != blocks) or not values or min(values) < 1:
        wanted = "at least one value" if blocks is None else f"{blocks} values"
        raise RecipeError(f"{name} = {values}", f"{wanted} above 0{why}")
