"""A method at another threshold than its own."""

from __future__ import annotations

from dataclasses import replace

from breastseg.core.image import Image
from breastseg.core.prediction import Prediction
from breastseg.core.prompt import Prompt
from breastseg.core.segmenter import Segmenter


class AtThreshold(Segmenter):
    """A segmenter whose masks are made at another threshold of its probability.

    Args:
        inner: makes the probability.
        threshold: pixels at or above it are lesion, between 0 and 1.
    """

    def __init__(self, inner: Segmenter, threshold: float) -> None:
        self.inner = inner
        self.threshold = threshold

    @property
    def name(self) -> str:
        """That of the inner one."""
        return self.inner.name

    @property
    def dimensions(self) -> int:
        """Those of the inner one."""
        return self.inner.dimensions

    @property
    def phases(self) -> int:
        """Those of the inner one."""
        return self.inner.phases

    def on_one_core(self) -> AtThreshold:
        """The same with one core a call, to be called from several threads at once."""
        return AtThreshold(self.inner.on_one_core(), self.threshold)

    def segment(self, image: Image, prompt: Prompt | None = None) -> Prediction:
        """Segment the lesions of one image; errors as the inner one's."""
        found = self.inner.segment(image, prompt)
        made_by = found.provenance
        made_by = replace(
            made_by,
            parameters={**made_by.parameters, "threshold": self.threshold},
            steps=(*made_by.steps, f"mask at a threshold of {self.threshold:g}"),
        )
        return replace(found, threshold=self.threshold, conformal=None, provenance=made_by)
