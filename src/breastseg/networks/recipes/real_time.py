"""Networks of less than half a million parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from breastseg.core.errors import RecipeError
from breastseg.core.parameters import Within
from breastseg.networks.recipes.base import NetworkRecipe, widths


@dataclass(frozen=True)
class UNeXtRecipe(NetworkRecipe):
    """UNeXt; its small variant (UNeXt-S) by default.

    Attributes:
        stage_widths: channels of the three convolutional and the two token stages.
    """

    title: ClassVar[str] = "UNeXt (real time)"
    paper: ClassVar[str] = "https://doi.org/10.1007/978-3-031-16443-9_3"
    name: Literal["unext"] = "unext"
    stage_widths: tuple[int, ...] = (8, 16, 32, 64, 128)

    def __post_init__(self) -> None:
        super().__post_init__()
        widths(self, "stage_widths", 5)


@dataclass(frozen=True)
class CMUNeXtRecipe(NetworkRecipe):
    """CMUNeXt; its small variant (CMUNeXt-S) by default.

    Attributes:
        stage_widths: channels of the five stages.
        stage_blocks: blocks of the five stages.
        kernels: side of each stage's depthwise kernel in pixels, odd.
    """

    title: ClassVar[str] = "CMUNeXt (real time)"
    paper: ClassVar[str] = "https://doi.org/10.1109/ISBI56570.2024.10635609"
    name: Literal["cmunext"] = "cmunext"
    stage_widths: tuple[int, ...] = (8, 16, 32, 64, 128)
    stage_blocks: tuple[int, ...] = (1, 1, 1, 1, 1)
    kernels: tuple[int, ...] = (3, 3, 7, 7, 9)

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("stage_widths", "stage_blocks", "kernels"):
            widths(self, name, 5)
        if any(kernel % 2 == 0 for kernel in self.kernels):
            raise RecipeError(f"kernels = {self.kernels} of a CMUNeXt", "odd numbers")


@dataclass(frozen=True)
class FastUNetRecipe(NetworkRecipe):
    """This project's own real-time U-Net, on the first blocks of MobileNetV2.

    Attributes:
        encoder_weights: a safetensors file of MobileNetV2's weights; None or empty: random.
        scale: the side at which the network works, as a fraction of the image's.
        context_width: channels at a stride of 32.
        decoder_width: channels of the decoder at every stride.
    """

    title: ClassVar[str] = "fast U-Net (real time)"
    paper: ClassVar[str] = "docs/decisions/fast-unet.md"
    name: Literal["fast-unet"] = "fast-unet"
    encoder_weights: str | None = None
    scale: Annotated[float, Within(0.25, 1)] = 0.75
    context_width: Annotated[int, Within(8, 512)] = 96
    decoder_width: Annotated[int, Within(4, 512)] = 32

    def __post_init__(self) -> None:
        super().__post_init__()
