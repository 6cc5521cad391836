"""The mean of several networks for volumes, such as those of the folds of one training.

B. Lakshminarayanan et al.: Simple and Scalable Predictive Uncertainty Estimation using Deep
Ensembles, NeurIPS 2017, https://arxiv.org/abs/1612.01474.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from breastseg.core.bundle import VolumeSpec
from breastseg.core.errors import InputError
from breastseg.core.grid import Grid
from breastseg.core.image import Image
from breastseg.core.prediction import Prediction
from breastseg.core.prompt import Prompt
from breastseg.core.provenance import Provenance
from breastseg.core.segmenter import Segmenter
from breastseg.inference.uncertainty import entropy
from breastseg.inference.volume_segmenter import VolumeSegmenter


class VolumeEnsemble(Segmenter):
    """Averages the maps of its networks on the volume's own grid, and says where they are unsure.

    The networks may work at different spacings and in different patches. All count the same; the
    operating point is that of the first. The map of uncertainty is the entropy of the mean in bits;
    as for images, it also tells of regions that the operating point rejects.

    May be used from several threads at once.

    Args:
        segmenters: at least two, of one modality, that take the same number of phases.

    Raises:
        InputError: fewer, or networks that differ in these or in what they outline.
    """

    def __init__(self, segmenters: Sequence[VolumeSegmenter]) -> None:
        self.segmenters = tuple(segmenters)
        kinds = {(s.bundle.modality, s.spec.channels, s.bundle.target) for s in segmenters}
        if len(self.segmenters) < 2 or len(kinds) > 1:
            told = " and ".join(
                f"{modality} in {phases} phase{'s' if phases > 1 else ''} ({what})"
                for modality, phases, what in sorted(kinds)
            )
            raise InputError(
                f"an ensemble of {len(self.segmenters)} networks for {told or 'nothing'}",
                "two or more for volumes of one kind",
            )

    @property
    def name(self) -> str:
        """The names of the bundles, joined by a plus."""
        return "+".join(segmenter.name for segmenter in self.segmenters)

    @property
    def spec(self) -> VolumeSpec:
        """How the first of them takes volumes; all take as many phases."""
        return self.segmenters[0].spec

    @property
    def dimensions(self) -> int:
        """3: it is for volumes."""
        return 3

    @property
    def phases(self) -> int:
        """How many phases of a study it takes."""
        return self.spec.channels

    def on_one_core(self) -> VolumeEnsemble:
        """The same with one core a call, to be called from several threads at once."""
        return VolumeEnsemble([segmenter.on_one_core() for segmenter in self.segmenters])

    def memory_for(self, grid: Grid) -> int:
        """About how many bytes one call takes on such a grid beside the image."""
        most = max(segmenter.memory_for(grid) for segmenter in self.segmenters)
        return most + 8 * grid.size  # the mean and the map of uncertainty

    def segment(self, image: Image, prompt: Prompt | None = None) -> Prediction:
        """Outline the lesions of one volume; arguments and errors as `VolumeSegmenter.segment`."""
        first, *others = self.segmenters
        mean, shape = first.map_of(image, prompt)
        for segmenter in others:
            mean += segmenter.map_of(image, prompt)[0]
        mean /= len(self.segmenters)
        unsure = np.empty_like(mean)
        for index, values in enumerate(mean):  # one slice at a time, since it takes float64
            unsure[index] = entropy(values)
        found = first.prediction_of(image, mean, shape)
        return replace(found, uncertainty=unsure, provenance=self._provenance(found.provenance))

    def _provenance(self, own: Provenance) -> Provenance:
        """That of the first, and who took part."""
        digests = [segmenter.bundle.weights_sha256 for segmenter in self.segmenters]
        members = ", ".join(f"{s.bundle.name} {s.bundle.version}" for s in self.segmenters)
        return replace(
            own,
            segmenter=self.name,
            version="+".join(segmenter.bundle.version for segmenter in self.segmenters),
            parameters={**own.parameters, "networks": len(self.segmenters)},
            weights_sha256=hashlib.sha256("".join(digests).encode()).hexdigest(),
            steps=(f"mean of {len(self.segmenters)} networks: {members}", *own.steps),
        )
