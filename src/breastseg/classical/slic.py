"""SLIC superpixels, merged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from breastseg.classical.likelihood import grey_odds
from breastseg.classical.method import ClassicalMethod
from breastseg.classical.view import View
from breastseg.core.parameters import Within

_SURE = 20.0
"""Evidence, as log odds, for a superpixel that the user has pointed at."""
_STEPS = 10  # of the clustering; its authors find no change after that


def superpixels(grey: NDArray[np.float32], segments: int, compactness: float) -> NDArray[np.intp]:
    """Patches of like grey level, found by k-means of grey level and position.

    Args:
        grey: (h, w) float32; its own range is stretched to 0 to 1.
        segments: how many, more or less.
        compactness: of the distance against the grey level; high values give squares.

    Returns:
        (h, w) whole numbers from 0, without gaps; each patch is connected.
    """
    from skimage.segmentation import slic

    labels = slic(
        grey,
        n_segments=segments,
        compactness=compactness,
        max_num_iter=_STEPS,
        start_label=0,
        channel_axis=None,
    )
    return np.asarray(labels, np.intp)


def merged(
    labels: NDArray[np.intp],
    grey: NDArray[np.float32],
    evidence: NDArray[np.float32],
    *,
    tolerance: float,
    rounds: int,
) -> NDArray[np.float64]:
    """Evidence of each superpixel after neighbours of like grey level have shared theirs.

    In each round a superpixel takes the mean of its own evidence and its neighbours', weighted by
    the length of the border and ``exp(-(d / tolerance)**2)`` for a difference d in mean grey
    level. It counts for itself as much as neighbours all around it that are equal to it.

    Args:
        labels: (h, w) superpixels, from 0 without gaps.
        grey: (h, w) float32, 0 to 1.
        evidence: (h, w) float32, of lesion, above 0, or background, below 0.
        tolerance: difference in grey level at which neighbours hardly count any more; 0 for none.
        rounds: how far evidence spreads, in superpixels.

    Returns:
        (number of superpixels,) float64.
    """
    areas = np.bincount(labels.ravel())
    level = _means(labels, grey, areas)
    shared = _means(labels, evidence, areas)
    if tolerance == 0 or rounds == 0:
        return shared
    one, other = _borders(labels)
    likeness = np.exp(-(((level[one] - level[other]) / tolerance) ** 2))
    border = np.bincount(one, minlength=areas.size)
    links = sparse.csr_array((likeness, (one, other)), shape=(areas.size, areas.size))
    own = np.maximum(border, 1)
    total = links.sum(axis=1) + own
    for _ in range(rounds):
        shared = (links @ shared + own * shared) / total
    return shared


def _means(
    labels: NDArray[np.intp], values: NDArray[np.float32], areas: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Mean of an image over each superpixel."""
    return np.asarray(np.bincount(labels.ravel(), values.ravel().astype(np.float64)) / areas)


def _borders(labels: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The superpixels on both sides of each pixel's edge on a border, in both directions."""
    pairs = [(labels[1:], labels[:-1]), (labels[:, 1:], labels[:, :-1])]
    one = np.concatenate([a.ravel() for a, _ in pairs] + [b.ravel() for _, b in pairs])
    other = np.concatenate([b.ravel() for _, b in pairs] + [a.ravel() for a, _ in pairs])
    apart = one != other
    return one[apart], other[apart]


@dataclass(frozen=True)
class Slic(ClassicalMethod):
    """Superpixels, each called lesion or background by its own and its neighbours' evidence.

    Evidence is the likelihood of the grey levels, estimated from the middle of the box and from its
    surroundings, and the place in the box.

    Attributes:
        segments: number of superpixels in the view; more follow finer detail and more speckle.
        compactness: of position against grey level when superpixels are formed; low ones hug edges,
            high ones are square.
        tolerance: difference in mean grey level, as a fraction of the range, up to which
            neighbouring superpixels share their evidence; higher merges more, 0 nothing.
        rounds: how often they share it; more carries it further.
        position_trust: of the place in the box against the grey level; higher is more like the
            ellipse that fills the box.
    """

    name: ClassVar[str] = "slic"
    summary: ClassVar[str] = "superpixels merged by grey level and place"
    source: ClassVar[str] = (
        "Achanta R, Shaji A, Smith K, Lucchi A, Fua P, Süsstrunk S. SLIC superpixels compared to "
        "state-of-the-art superpixel methods. IEEE Trans Pattern Anal Mach Intell 34(11), "
        "2274-2282 (2012), doi:10.1109/TPAMI.2012.120"
    )
    weakness: ClassVar[str] = "margins finer than a superpixel, and lesions as grey as tissue"

    segments: Annotated[int, Within(20, 600)] = 250
    compactness: Annotated[float, Within(0.001, 1, log=True)] = 0.12
    tolerance: Annotated[float, Within(0, 0.5)] = 0.1
    rounds: Annotated[int, Within(0, 10)] = 4
    position_trust: Annotated[float, Within(0, 40)] = 16.0

    def delineate(self, view: View) -> NDArray[np.bool_]:
        """Take the superpixels whose evidence speaks for lesion."""
        labels = superpixels(view.grey, self.segments, self.compactness)
        odds = grey_odds(view.grey, view.core, view.ground)
        evidence = odds + self.position_trust * (1 - view.radius)
        # A point of the user's speaks for its superpixel, and through it for what is like it.
        for marks, meant in ((view.outside, -_SURE), (view.inside, _SURE)):
            evidence[np.isin(labels, labels[marks])] = meant
        score = merged(labels, view.grey, evidence, tolerance=self.tolerance, rounds=self.rounds)
        return np.asarray(score[labels] > 0)
