"""What is kept of one method on one case, and of the case itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from breastseg.evaluation.protocol import Protocol
from breastseg.evaluation.run import Row
from breastseg.evaluation.score import VolumeScore
from breastseg.inference.methods import MethodInfo

THRESHOLDS = tuple(round(0.05 * i, 2) for i in range(1, 20))
"""Where the probability is cut for the free-response curve: .05, .10, ... .95."""
BINS = 10
"""Equal steps of probability in a reliability diagram."""


@dataclass(frozen=True)
class Traits:
    """What makes a case easy or hard, taken from its image and its ground truth.

    Attributes:
        key: ``"source/case_id"``.
        area_px: pixels, or voxels, of lesion, at the image's own size; 0 on a normal image.
        area_fraction: fraction of the image that is lesion, 0 to 1.
        contrast: difference of the mean grey of the lesion and of the ring around it, over their
            sum (Weber-like, -1 to 1); above 0 where the lesion stands out as lesions of its
            modality do, brighter in mammograms and MRI, darker elsewhere. None without a lesion.
        irregularity: how far the largest region is from a disc or ball, 0 for one, towards 1 for a
            ragged border; None without a lesion.
        lesions: regions of the ground truth.
    """

    key: str
    area_px: int
    area_fraction: float
    contrast: float | None
    irregularity: float | None
    lesions: int


@dataclass(frozen=True)
class Cell:
    """One method on one case.

    Attributes:
        method: the method's label.
        row: the case and its scores at the method's own operating point; a failed case is here
            with its reason, and scored as a miss.
        found: at each of `THRESHOLDS`, how many true lesions are found by the map cut there.
        false_positives: at each of `THRESHOLDS`, how many regions hit no true lesion.
        bin_pixels: per bin of probability (`BINS`), how many pixels.
        bin_lesion: per bin, how many of them are lesion.
        bin_probability: per bin, the sum of their probabilities.
    """

    method: str
    row: Row
    found: tuple[int, ...]
    false_positives: tuple[int, ...]
    bin_pixels: tuple[int, ...]
    bin_lesion: tuple[int, ...]
    bin_probability: tuple[float, ...]


@dataclass(frozen=True)
class Comparison:
    """All methods on all cases.

    Attributes:
        methods: what is known of each method, by label, in the order given.
        cells: by label, one a case, in one order for all methods.
        traits: by the case's key.
        protocol: how the cases were scored.
        baseline: the label that the others are held against.
        masks: the folder of the masks, ``masks / label / key.png`` (1-bit PNG, of a
            volume ``.nii.gz``, on the image's own grid; see `mask_path`).
        parameters: by label, the provenance parameters in force.
        unscored: by key, why a case is in no cell; see `breastseg.evaluation.run.Evaluation`.
        warnings: what speaks against the figures, see `breastseg.evaluation.seen`.
    """

    methods: Mapping[str, MethodInfo]
    cells: Mapping[str, tuple[Cell, ...]]
    traits: Mapping[str, Traits]
    protocol: Protocol
    baseline: str
    masks: Path
    parameters: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    unscored: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    @property
    def of_volumes(self) -> bool:
        """True where the images are volumes."""
        return any(isinstance(cell.row.score, VolumeScore) for cell in self.cells[self.baseline])
