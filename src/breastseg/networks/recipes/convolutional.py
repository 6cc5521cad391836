"""U-Nets that start from nothing, on images and volumes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from breastseg.core.parameters import Within
from breastseg.networks.recipes.base import NetworkRecipe, require, widths


@dataclass(frozen=True)
class UNet2015Recipe(NetworkRecipe):
    """The original U-Net.

    Attributes:
        base_width: channels of the first level, doubled at each level below.
        depth: how often the image is halved.
        batch_norm: normalise after each convolution (the paper does not).
        dropout: fraction of values zeroed on the two deepest levels in training.
    """

    title: ClassVar[str] = "U-Net of 2015"
    paper: ClassVar[str] = "https://doi.org/10.1007/978-3-319-24574-4_28"
    name: Literal["unet2015"] = "unet2015"
    base_width: Annotated[int, Within(1, 256)] = 64
    depth: Annotated[int, Within(1, 6)] = 4
    batch_norm: bool = True
    dropout: Annotated[float, Within(0, 0.99)] = 0.0


@dataclass(frozen=True)
class ResidualUNetRecipe(NetworkRecipe):
    """A U-Net of residual units.

    Attributes:
        base_width: channels of the first level, doubled at each level below.
        depth: how often the image is halved.
        dropout: fraction of channels zeroed before the head in training.
    """

    title: ClassVar[str] = "residual U-Net"
    paper: ClassVar[str] = "https://doi.org/10.1109/LGRS.2018.2802944"
    name: Literal["residual-unet"] = "residual-unet"
    base_width: Annotated[int, Within(1, 256)] = 64
    depth: Annotated[int, Within(1, 6)] = 4
    dropout: Annotated[float, Within(0, 0.99)] = 0.0


@dataclass(frozen=True)
class UNet3dRecipe(NetworkRecipe):
    """A U-Net on volumes whose slices may be thicker than their pixels are wide.

    Attributes:
        stage_widths: channels of the stages, the finest first.
        flat_stages: how many of the first stages leave the slices alone (kernel 1 x 3 x 3, stride
            1 x 2 x 2), for volumes with thick slices.
        deep_supervision: train an output at every stage but the coarsest.
    """

    title: ClassVar[str] = "3-D U-Net"
    paper: ClassVar[str] = "https://doi.org/10.1007/978-3-319-46723-8_49"
    dimensions: ClassVar[int] = 3
    name: Literal["unet3d"] = "unet3d"
    stage_widths: tuple[int, ...] = (16, 32, 64, 128)
    flat_stages: int = 1
    deep_supervision: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        widths(self, "stage_widths", None)
        require("stages", len(self.stage_widths), 2, 7)
        require("flat_stages", self.flat_stages, 0, len(self.stage_widths) - 1)
