"""What every method is: Otsu and a U-Net alike."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from breastseg.core.image import Image
from breastseg.core.prediction import Prediction
from breastseg.core.prompt import Prompt


@runtime_checkable
class Segmenter(Protocol):
    """Turns an image into a probability map on the image's own grid."""

    @property
    def name(self) -> str:
        """The name under which the method stands in the catalogue."""

    def segment(self, image: Image, prompt: Prompt | None = None) -> Prediction:
        """Outline the lesions of one image; the same input gives the same output."""
