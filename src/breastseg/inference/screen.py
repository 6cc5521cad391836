"""Looking at the scan on an ultrasound screen, not at what else is drawn there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from breastseg.core.box import Box
from breastseg.core.errors import InputError, UnsupportedError
from breastseg.core.grid import Grid
from breastseg.core.image import Image, Modality
from breastseg.core.prediction import Prediction
from breastseg.core.prompt import Prompt
from breastseg.core.segmenter import Segmenter
from breastseg.preprocess.burned_in import burned_in, without_marks
from breastseg.preprocess.intensity import to_unit
from breastseg.preprocess.scan_sector import scan_box


class WithinScan(Segmenter):
    """A segmenter that is shown the scan alone: cut out of the screen, without burned-in graphics.

    Callipers, dotted lines and letters are filled from their surroundings, titles and margins are
    cut off, and outside the scan nothing is outlined. The scan is looked for within `Image.scan`,
    where the file states that. The mask lies on the image's own grid.

    Args:
        inner: looks at what is left.
    """

    def __init__(self, inner: Segmenter) -> None:
        self.inner = inner

    @property
    def name(self) -> str:
        """That of the inner one."""
        return self.inner.name

    def on_one_core(self) -> WithinScan:
        """The same with one core a call, to be called from several threads at once."""
        return WithinScan(self.inner.on_one_core())

    def segment(self, image: Image, prompt: Prompt | None = None) -> Prediction:
        """Outline the lesions of one ultrasound image.

        Raises:
            InputError: the image is known to be no ultrasound, or as the inner one.
            UnsupportedError: a prompt, whose places are those of the whole screen.
        """
        if prompt is not None:
            raise UnsupportedError("a prompt on a screen", "none", "show it the whole image")
        if image.modality not in (Modality.ULTRASOUND, Modality.UNKNOWN):
            raise InputError(
                f"{image.source or 'image'}: modality {image.modality_name}",
                "ultrasound, for what looks for the scan on a screen",
                "show it the whole image",
            )
        unit = to_unit(image.grey())
        marks = burned_in(image)
        clean = without_marks(unit, marks)
        box = _scan_within(clean, image.scan)
        seen = np.ascontiguousarray(clean[None, *box.slices])
        grid = Grid(box.shape, image.grid.spacing_mm)
        return _put_back(
            self.inner.segment(replace(image, array=seen, grid=grid, scan=None)), image, box, marks
        )


def _scan_within(unit: NDArray[np.float32], stated: Box | None) -> Box:
    """The scan in the stated part of the image, whose corners may be black or lettered too."""
    part = stated or Box.whole(unit.shape)
    return scan_box(unit[part.slices]).shifted(*part.start)


def _put_back(found: Prediction, image: Image, box: Box, marks: NDArray[np.bool_]) -> Prediction:
    def whole(values: NDArray[np.float32]) -> NDArray[np.float32]:
        out = np.zeros((*values.shape[:-2], *image.grid.shape), values.dtype)
        out[box.trailing] = values
        return out

    (row, column), (rows, columns) = box.start, box.shape
    where = " of the region that the file states" if image.scan else ""
    steps = (
        f"{marks.mean():.2%} of the image taken for burned-in graphics and filled",
        f"scan of {rows}x{columns} pixels at row {row}, column {column} cut out{where}",
        *found.provenance.steps,
        "put back on the whole image",
    )
    uncertainty, classes = found.uncertainty, found.class_probability
    return replace(
        found,
        probability=whole(found.probability),
        seen=box,
        confidence=None,  # calibrated on whole images
        conformal=None,
        grid=image.grid,
        uncertainty=None if uncertainty is None else whole(uncertainty),
        class_probability=None if classes is None else whole(classes),
        provenance=replace(found.provenance, steps=steps),
    )
