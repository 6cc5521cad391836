"""What must be said wherever a method is used on an image, whoever asks for it."""

from __future__ import annotations

from dataclasses import replace

from breastseg.core.bundle import TRAINED_ON_SYNTHETIC, Bundle
from breastseg.core.image import Image
from breastseg.core.prompt import Prompt
from breastseg.core.segmenter import Segmenter


def marked(image: Image, segmenter: Segmenter, prompt: Prompt | None = None) -> Image:
    """The image with remarks on the method and the prompt, which every output then carries.

    Args:
        image: to be segmented.
        segmenter: what segments it.
        prompt: what it is told.
    """
    remarks = method_remarks(segmenter)
    cut = None if prompt is None else prompt.cut_remark(image.grid.shape)
    if cut is not None:
        remarks = (*remarks, cut)
    return replace(image, remarks=(*image.remarks, *remarks)) if remarks else image


def method_remarks(segmenter: Segmenter) -> tuple[str, ...]:
    """What must be said of a method: that it was trained on synthetic images."""
    members = getattr(segmenter, "segmenters", (segmenter,))
    bundles = [getattr(one, "bundle", None) for one in members]
    synthetic = any(isinstance(one, Bundle) and one.trained_on_synthetic for one in bundles)
    return (TRAINED_ON_SYNTHETIC,) if synthetic else ()
