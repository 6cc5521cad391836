"""A study of several phases, from its files to a prediction, with steps of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from breastseg.core.image import Image
from breastseg.core.prediction import Prediction
from breastseg.core.segmenter import Segmenter
from breastseg.inference.volume_segmenter import check_study_memory
from breastseg.io.open import is_dicom_file
from breastseg.io.source import constant_remark
from breastseg.io.volume import read_volume_grid
from breastseg.io.volume_series import read_phases
from breastseg.preprocess.bias_field import bias_corrected
from breastseg.preprocess.breast_volume import breast_region_of_volume
from breastseg.preprocess.orientation import AXIAL, oriented, reorientation


def read_study(segmenter: Segmenter, paths: Sequence[Path]) -> Image:
    """Read the phases of a study, unless segmenting them would take too much memory.

    Args:
        segmenter: of volumes.
        paths: as for `breastseg.io.volume_series.read_phases`.

    Returns:
        All phases; remarks say how many the method takes, where it takes fewer, and in which of
            these there is nothing to see.

    Raises:
        InputError, GeometryError: as for `read_phases`.
        UnsupportedError: more memory than the limit; of volume files it is estimated before
            anything is decoded.
    """
    for path in paths[:1]:
        if path.is_file() and not is_dicom_file(path):
            grid, _ = read_volume_grid(path)
            check_study_memory(segmenter, grid, 2 * len(paths) * grid.size, str(path))
    image = read_phases(paths)
    there, taken = len(image.array), segmenter.phases
    remarks = [*image.remarks, *_empty_phases(image.array[:taken])]
    if there > taken:
        remarks.append(f"of {there} phases {segmenter.name!r} takes the first {taken}")
    return replace(image, remarks=tuple(remarks))


def _empty_phases(phases: NDArray[np.generic]) -> Iterator[str]:
    """What is said of phases without contrast, in themselves or to another."""
    for number, phase in enumerate(phases, 1):
        if constant_remark(phase[None]):
            yield f"every voxel of phase {number} has the same value: there is nothing to see in it"
    for (one, first), (other, second) in combinations(enumerate(phases, 1), 2):
        if np.array_equal(first, second):
            yield (
                f"phases {one} and {other} have the same values: one may have been given twice, "
                "and no contrast agent is to be seen between them"
            )


def segment_study(
    segmenter: Segmenter, image: Image, correct_bias: bool = False, within_breast: bool = False
) -> Prediction:
    """Outline the lesions of one volume, with steps that the network was not measured with.

    Args:
        segmenter: of volumes.
        image: (phases, slices, rows, columns).
        correct_bias: first take the coils' shading away, see `bias_corrected`.
        within_breast: outline nothing behind the chest wall, see `breast_region_of_volume`.

    Returns:
        On the image's own grid; the provenance says what was done.

    Raises:
        GeometryError, InputError, UnsupportedError, BundleError: as the segmenter and these steps.
    """
    turn = reorientation(image.grid, AXIAL)
    turned = oriented(image, AXIAL)  # so that no step depends on how the file stores its axes
    found = segmenter.segment(bias_corrected(turned) if correct_bias else turned)
    steps = list(found.provenance.steps)
    if correct_bias:
        steps.insert(0, "all phases divided by the shading of the first (N4)")
    if within_breast:
        region = breast_region_of_volume(turned)
        found = replace(found, probability=np.where(region, found.probability, np.float32(0)))
        steps.append("nothing outlined outside the breasts, as far as they are told from the chest")
    unsure = found.uncertainty
    return replace(
        found,
        probability=turn.undo(found.probability),
        grid=image.grid,
        uncertainty=None if unsure is None else turn.undo(unsure),
        provenance=replace(found.provenance, steps=tuple(steps)),
    )
