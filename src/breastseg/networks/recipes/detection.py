"""Networks that give each lesion a box."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from breastseg.core.errors import RecipeError
from breastseg.core.parameters import Within
from breastseg.networks.recipes.base import NetworkRecipe


@dataclass(frozen=True)
class MaskRCNNRecipe(NetworkRecipe):
    """Mask R-CNN: a box, a score and a mask for each lesion.

    Attributes:
        encoder: "mobilenet_v2", "resnet18" or "resnet50", under a feature pyramid.
        encoder_weights: a safetensors file of the encoder's weights; None or empty: random.
        pyramid_width: channels of the feature pyramid.
        max_instances: kept for an image, those of the highest score.
    """

    title: ClassVar[str] = "Mask R-CNN"
    paper: ClassVar[str] = "https://doi.org/10.1109/ICCV.2017.322"
    name: Literal["mask-rcnn"] = "mask-rcnn"
    encoder: str = "mobilenet_v2"
    encoder_weights: str | None = None
    pyramid_width: Annotated[int, Within(16, 1024)] = 128
    max_instances: Annotated[int, Within(1, 1000)] = 20

    def __post_init__(self) -> None:
        super().__post_init__()
        known = ("mobilenet_v2", "resnet18", "resnet50")
        if self.encoder not in known:
            raise RecipeError(f"encoder {self.encoder!r} of a Mask R-CNN", ", ".join(known))
        if self.out_channels != 1:
            raise RecipeError(
                f"out_channels = {self.out_channels} of a Mask R-CNN",
                "1: it tells lesions apart, not their classes",
            )
