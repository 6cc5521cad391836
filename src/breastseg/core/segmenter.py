"""What every method is: Otsu and a U-Net alike."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from breastseg.core.image import Image
from breastseg.core.prediction import Prediction
from breastseg.core.prompt import Prompt


@runtime_checkable
class Segmenter(Protocol):
    """Turns an image into a probability map on the image's own grid.

    May be used from several threads at once. A class that derives from this one is for images and
    computes on one core, unless it says otherwise.
    """

    @property
    def name(self) -> str:
        """The name under which the method stands in the catalogue."""

    @property
    def dimensions(self) -> int:
        """2 for a method for images, 3 for one for volumes."""
        return 2

    @property
    def phases(self) -> int:
        """Of a method for volumes, how many phases of a study it takes; 0 for images."""
        return 0

    def on_one_core(self) -> Segmenter:
        """The same method with one CPU core a call, to be called from several threads at once."""
        return self

    def segment(self, image: Image, prompt: Prompt | None = None) -> Prediction:
        """Segment the lesions of one image; the same input gives the same output."""
