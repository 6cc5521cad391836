"""A network of a person's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from breastseg.io.own_code import check_own_name
from breastseg.networks.recipes.base import NetworkRecipe


@dataclass(frozen=True)
class OwnNetworkRecipe(NetworkRecipe):
    """A network of your own, from a module beside the recipe or one that Python finds.

    It is called with `in_channels`, `out_channels` and `parameters`, and gives a torch module from
    (N, in_channels, H, W) to logits (N, out_channels, H, W); on volumes (D, H, W) stands in place
    of (H, W).

    Attributes:
        path: the class, as ``module:Name``; its module is loaded, which runs it, when the network
            is built and not before.
        parameters: further arguments of the class, by name.
    """

    title: ClassVar[str] = "network of one's own"
    name: Literal["own"] = "own"
    path: str = ""
    parameters: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_own_name(self.path)
