"""Finding the lesion where nobody has pointed at it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated

import cv2
import numpy as np
from numpy.typing import NDArray

from breastseg.classical.filters import Filters
from breastseg.classical.view import Box
from breastseg.core.parameters import Within, check_parameters


@dataclass(frozen=True, eq=False)
class Candidate:
    """A region that may be a lesion.

    Attributes:
        box: around it, in pixels of the image.
        score: how much it looks like a lesion, 0 to 1; comparable between images.
        region: (rows, columns) of the image's small copy, bool.
    """

    box: Box
    score: float
    region: NDArray[np.bool_]


@dataclass(frozen=True)
class Finder:
    """Chooses among the dark regions of an image by size, place, contrast and shape.

    Attributes:
        filters: what is done to the image's small copy first.
        side_px: the longer side of the small copy in pixels.
        levels: how many grey levels the regions are cut at.
        min_score: a candidate below this is not outlined, 0 to 1.
        max_lesions: how many candidates are outlined at most.
    """

    filters: Filters = field(default_factory=Filters)
    side_px: Annotated[int, Within(64, 256)] = 128
    levels: Annotated[int, Within(4, 32)] = 12
    min_score: Annotated[float, Within(0, 1)] = 0.0
    max_lesions: Annotated[int, Within(1, 10)] = 1

    def __post_init__(self) -> None:
        check_parameters(self)

    def find(self, dark: NDArray[np.float32]) -> Sequence[Candidate]:
        """The best candidates, the best first; at most `max_lesions`.

        Args:
            dark: (rows, columns) float32, 0 to 1, whose lesions are dark.
        """
        from breastseg.preprocess.geometry import resize

        scale = min(1.0, self.side_px / max(dark.shape))
        size = (max(1, round(dark.shape[0] * scale)), max(1, round(dark.shape[1] * scale)))
        small = self.filters(resize(dark, size))
        if min(size) < 8 or float(small.max() - small.min()) < 1e-3:
            return ()
        best: list[Candidate] = []
        for cut in np.quantile(small, np.linspace(0.05, 0.5, self.levels)):
            n, labels, stats, centres = cv2.connectedComponentsWithStats(
                (small <= cut).astype(np.uint8)
            )
            for i in range(1, n):
                left, top, width, height, area = stats[i]
                share = area / small.size
                if not 0.005 < share < 0.4:
                    continue
                region = labels == i
                ring = (
                    cv2.dilate(region.astype(np.uint8), np.ones((9, 9), np.uint8)).astype(bool)
                    & ~region
                )
                contrast = float(small[ring].mean() - small[region].mean()) if ring.any() else 0.0
                off = np.hypot(centres[i][1] / size[0] - 0.45, centres[i][0] / size[1] - 0.5)
                solid = area / (width * height) / 0.785
                touches = (
                    (top == 0) + (left == 0) + (left + width == size[1]) + (top + height == size[0])
                )
                score = (
                    contrast * 2
                    - off
                    + 0.5 * min(solid, 1)
                    - 0.3 * touches
                    + 0.1 * np.log(share * 20)
                )
                back = 1 / scale
                box = (
                    int(top * back),
                    int(left * back),
                    min(dark.shape[0], round((top + height) * back)),
                    min(dark.shape[1], round((left + width) * back)),
                )
                best.append(Candidate(box, float(1 / (1 + np.exp(-4 * score))), region))
        best.sort(key=lambda c: -c.score)
        return best[: self.max_lesions]
