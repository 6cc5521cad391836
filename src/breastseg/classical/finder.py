"""Finding the lesion where nobody has pointed at it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray

from breastseg.classical.filters import Filters
from breastseg.classical.regions import FEATURES, Region, dark_regions
from breastseg.core.box import Box
from breastseg.core.parameters import Within, check_parameters
from breastseg.preprocess.breast_region import tissue_region
from breastseg.preprocess.geometry import resize

WEIGHTS = Path(__file__).resolve().parent / "finder_weights.json"
_LEAST_SIDE_PX = 8
_LEAST_RANGE = 1e-3  # of grey levels; below, the image shows nothing
_SAME = 0.2  # candidates that overlap more are one


@dataclass(frozen=True, eq=False)
class Candidate:
    """A region that may be a lesion.

    Attributes:
        box: around it, in pixels of the image.
        score: the Dice coefficient that it is expected to have with a lesion, 0 to 1.
        region: (rows, columns) of the image's small copy, bool.
    """

    box: Box
    score: float
    region: NDArray[np.bool_]


@dataclass(frozen=True)
class Finder:
    """Chooses among the dark regions of an image by contrast, size, place, shape and border.

    The score is linear in what `regions.FEATURES` names; its weights were fitted by least squares
    to the Dice coefficient of each region with the true lesion (the calibration of the finder).

    Attributes:
        weights: fitted on breast ultrasound or on mammograms.
        tissue_only: look only within the breast, without labels and the pectoral muscle; for
            mammograms.
        side_px: the longer side of the small copy in pixels.
        levels: how many grey levels the regions are cut at, at each scale.
        min_score: a candidate whose expected Dice lies below is not outlined, 0 to 1.
        max_lesions: how many candidates are outlined at most.
        filters: what is done to the image's small copy first.
    """

    weights: Literal["ultrasound", "mammography"] = "ultrasound"
    tissue_only: bool = False
    side_px: Annotated[int, Within(64, 256)] = 128
    levels: Annotated[int, Within(4, 32)] = 8
    min_score: Annotated[float, Within(0, 1)] = 0.3
    max_lesions: Annotated[int, Within(1, 10)] = 1
    filters: Filters = field(default_factory=Filters)

    def __post_init__(self) -> None:
        check_parameters(self)

    def find(self, dark: NDArray[np.float32]) -> Sequence[Candidate]:
        """The best candidates, the best first; at most `max_lesions`, none on a blank image.

        Args:
            dark: (rows, columns) float32, 0 to 1, whose lesions are dark.
        """
        chosen: list[Candidate] = []
        for score, region, size in self._ranked(dark):
            mask = region.on(size)
            if any(_overlap(mask, other.region) > _SAME for other in chosen):
                continue
            chosen.append(_candidate(score, region, size, dark.shape))
            if len(chosen) == self.max_lesions:
                break
        return chosen

    def at(self, dark: NDArray[np.float32], marks: NDArray[np.bool_]) -> Candidate | None:
        """The best candidate that holds most of what a user has marked; None where none does.

        Args:
            dark: as for `find`.
            marks: the same shape, bool; True on at least one pixel.
        """
        rows, columns = np.nonzero(marks)
        for score, region, size in self._ranked(dark):
            mask = region.on(size)
            down, along = size[0] / dark.shape[0], size[1] / dark.shape[1]
            held = mask[((rows + 0.5) * down).astype(int), ((columns + 0.5) * along).astype(int)]
            if held.mean() > 0.5:
                return _candidate(score, region, size, dark.shape)
        return None

    def _ranked(self, dark: NDArray[np.float32]) -> Iterator[tuple[float, Region, tuple[int, int]]]:
        """All candidates with their scores, the best first, and the shape of the small copy."""
        regions, size = self.regions(dark)
        if not regions:
            return
        weights, offset = _weights(self.weights)
        scores = np.array([region.features for region in regions]) @ weights + offset
        for index in np.argsort(-scores, kind="stable"):
            yield float(np.clip(scores[index], 0, 1)), regions[index], size

    def regions(self, dark: NDArray[np.float32]) -> tuple[list[Region], tuple[int, int]]:
        """All candidates of the small copy, unscored, and its (rows, columns)."""
        scale = min(1.0, self.side_px / max(dark.shape))
        size = (max(1, round(dark.shape[0] * scale)), max(1, round(dark.shape[1] * scale)))
        small = resize(dark, size)
        if min(size) < _LEAST_SIDE_PX or float(small.max() - small.min()) < _LEAST_RANGE:
            return [], size
        if self.tissue_only:
            tissue = tissue_region(np.float32(1) - small)
            if not tissue.any():
                return [], size
            # outside, the brightest, so that little stands out there
            small = np.where(tissue, small, np.float32(small[tissue].max()))
        return dark_regions(self.filters(small), self.levels), size


def _overlap(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    """Intersection over the smaller region."""
    return float((one & other).sum()) / max(1, min(int(one.sum()), int(other.sum())))


def _candidate(
    score: float, region: Region, size: tuple[int, int], shape: tuple[int, ...]
) -> Candidate:
    """A region of the small copy with its box in pixels of the image."""
    down, along = shape[0] / size[0], shape[1] / size[1]
    top, left, bottom, right = region.box
    row0, column0 = int(top * down), int(left * along)
    row1, column1 = round(bottom * down), round(right * along)
    box = Box.of(row0, column0, max(row1, row0 + 1), max(column1, column0 + 1))
    return Candidate(box, score, region.on(size))


@cache
def _weights(name: str) -> tuple[NDArray[np.float64], float]:
    """The fitted weights in the order of `FEATURES`, and the offset."""
    fitted: Mapping[str, float] = json.loads(WEIGHTS.read_text(encoding="utf-8"))[name]["weights"]
    return np.array([fitted[name] for name in FEATURES]), fitted["offset"]
