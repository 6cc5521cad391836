"""Telling a method what the protocol allows it to know."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from breastseg.core.box import Box
from breastseg.core.errors import DataSetError
from breastseg.core.image import Image
from breastseg.core.mask import Mask
from breastseg.core.prediction import Prediction
from breastseg.core.prompt import Prompt
from breastseg.core.regions import connected_regions
from breastseg.core.segmenter import Segmenter
from breastseg.evaluation.protocol import Prompting


def boxes(truth: Mask) -> tuple[Box, ...]:
    """The tightest box around each lesion of a 2-D truth."""
    return connected_regions(truth.foreground).boxes


def prompted(
    segmenter: Segmenter, image: Image, truth: Mask, prompting: Prompting = Prompting.NONE
) -> Prediction:
    """Segment an image under a prompting.

    With boxes the method is called once for each true region, and its maps are joined by their
    maximum.

    Args:
        segmenter: the method.
        image: what to segment.
        truth: where its lesions are; only looked at where the prompting says so.
        prompting: what the method is told.

    Raises:
        DataSetError: there is no lesion to draw a box around.
        UnsupportedError: the method takes no prompt.
    """
    if prompting is Prompting.NONE:
        return segmenter.segment(image)
    parts = [segmenter.segment(image, Prompt(box=box)) for box in boxes(truth)]
    if not parts:
        raise DataSetError(
            "an empty ground truth: no lesion to draw a box around", "images with a lesion"
        )
    first = parts[0]
    if len(parts) == 1:
        return first
    joined = f"the maximum of {len(parts)} maps, one for each box"
    return replace(
        first,
        probability=np.maximum.reduce([part.probability for part in parts]),
        provenance=replace(first.provenance, steps=(*first.provenance.steps, joined)),
    )
