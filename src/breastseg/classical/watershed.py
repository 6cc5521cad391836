"""The watershed of the gradient, from markers, and of touching lesions, from their distances."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from breastseg.classical.gradient import border_gradient, magnitude
from breastseg.classical.hint import Hint
from breastseg.classical.method import ClassicalMethod
from breastseg.classical.view import View
from breastseg.core.parameters import Within
from breastseg.core.regions import connected_regions

_EIGHT = np.ones((3, 3), bool)
_LARGEST_PX = 128  # regions are shrunk to this side to look for necks
_LEAST_DEPTH_PX = 0.5


def watershed(
    relief: NDArray[np.float32],
    lesion: NDArray[np.bool_],
    background: NDArray[np.bool_],
    compactness: float = 0.0,
) -> NDArray[np.bool_]:
    """Flood a relief from two markers; the lesion's flood.

    Args:
        relief: (h, w) float32.
        lesion: (h, w) bool, where the lesion's flood starts.
        background: (h, w) bool, where the other starts; where both do, it is lesion.
        compactness: weight of the distance from the markers against the relief.

    Returns:
        (h, w) bool; all of it without a marker of the background, nothing without one of the
        lesion.
    """
    from skimage.segmentation import watershed as flooded

    markers = np.where(lesion, 1, 2 * background).astype(np.int32)
    if not lesion.any():
        return np.zeros(relief.shape, bool)
    return np.asarray(flooded(relief, markers, compactness=compactness) == 1)


def cores(region: NDArray[np.bool_], neck: float) -> NDArray[np.int32]:
    """The deepest places of a region between which it narrows.

    Depth is the distance to the border. Of two places the shallower counts for itself if any way to
    a deeper one leads through a depth below `neck` times its own: it is a regional maximum of the
    logarithm of depth after a reconstruction by dilation from ``-log(neck)`` below.

    Args:
        region: (h, w) bool; what is beyond the array is not in it.
        neck: 0 (excluded) to 1.

    Returns:
        (h, w) int32, 0 or the number of the core, counted from 1.
    """
    from skimage.morphology import local_maxima, reconstruction

    height = np.log(np.maximum(np.pad(_depth(region), 1), _LEAST_DEPTH_PX))
    levelled = reconstruction(height + math.log(neck), height, "dilation")
    tops = local_maxima(levelled, connectivity=2)[1:-1, 1:-1] & region
    return connected_regions(tops).labels


def parted(
    region: NDArray[np.bool_], neck: float, marks: NDArray[np.bool_] | None = None
) -> NDArray[np.bool_]:
    """Cut a region at its necks, by the watershed of the distance to its border.

    Args:
        region: (h, w) bool.
        neck: cut where it is narrower than this fraction of the narrower of the two parts, 0 to 1;
            0 cuts nothing.
        marks: (h, w) bool; where given, only necks between disconnected marks are cut. No mark is
            cut itself.

    Returns:
        (h, w) bool: the region without lines one pixel wide, which no step by side or corner
        crosses.
    """
    out = region.copy()
    if neck <= 0:
        return out
    for box, part in connected_regions(region).crops():
        where = box.slices
        if marks is None:
            out[where] &= ~_lines(part, neck, None)
            continue
        strokes = connected_regions(marks[where] & part)
        if len(strokes) > 1:
            out[where] &= ~_lines(part, neck, strokes.labels) | (strokes.labels > 0)
    return out


def _lines(
    part: NDArray[np.bool_], neck: float, strokes: NDArray[np.int32] | None
) -> NDArray[np.bool_]:
    """The lines between the lesions of one connected region."""
    from skimage.segmentation import watershed as flooded

    shrink = max(1.0, max(part.shape) / _LARGEST_PX)
    size = (max(1, round(part.shape[1] / shrink)), max(1, round(part.shape[0] / shrink)))
    small = cv2.resize(part.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    markers = cores(small, neck)
    if markers.max() < 2:
        return np.zeros(part.shape, bool)
    depth = _depth(small)
    basins = flooded(-depth, markers)
    if strokes is not None:
        markers = _marked(markers, basins, strokes)
        if len(np.unique(markers)) < 3:
            return np.zeros(part.shape, bool)
        basins = flooded(-depth, markers)
    rows = np.arange(part.shape[0]) * small.shape[0] // part.shape[0]
    columns = np.arange(part.shape[1]) * small.shape[1] // part.shape[1]
    return _between(np.where(part, basins[np.ix_(rows, columns)], 0))


def _marked(
    markers: NDArray[np.int32], basins: NDArray[np.int32], strokes: NDArray[np.int32]
) -> NDArray[np.int32]:
    """The markers in whose basins there are strokes; one number where a stroke joins several."""
    group = np.arange(markers.max() + 1, dtype=np.int32)
    rows, columns = np.nonzero(strokes)
    across = basins[
        rows * basins.shape[0] // strokes.shape[0], columns * basins.shape[1] // strokes.shape[1]
    ]
    for number in range(1, strokes.max() + 1):
        touched = np.unique(group[across[strokes[rows, columns] == number]])
        group[np.isin(group, touched)] = touched[0]
    named = group[markers]
    return np.where(np.isin(named, group[across]), named, np.int32(0))


def _depth(region: NDArray[np.bool_]) -> NDArray[np.float32]:
    """The distance to the border; what is beyond the array is not in the region."""
    inner = np.pad(region, 1).astype(np.uint8)
    depth = cv2.distanceTransform(inner, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(depth[1:-1, 1:-1], np.float32)


def _between(numbers: NDArray[np.int32]) -> NDArray[np.bool_]:
    """The pixels that touch another one of a smaller number, which is not 0."""
    rows, columns = numbers.shape
    wide = np.pad(numbers, 1)
    line = np.zeros(numbers.shape, bool)
    for down in range(3):
        for along in range(3):
            other = wide[down : down + rows, along : along + columns]
            line |= (other > 0) & (other < numbers)
    return line


@dataclass(frozen=True)
class Watershed(ClassicalMethod):
    """Floods from the middle of the lesion and from the background meet on the ridge of the edge.

    Lesions that touch are parted where they are narrowest: those that the user has marked each for
    itself, or, without a prompt, all that look like several. Within a user's box there is one.

    Attributes:
        sigma: standard deviation of the smoothing before the gradient is taken, in pixels of the
            view; above, the contour is smoother and follows details less.
        outward: how much of an edge's strength counts only if the view brightens away from the
            box's centre there; 0 counts edges of any direction.
        box_trust: height of the ridge that is assumed along the ellipse that fills the box, as a
            fraction of the highest in the view; 0 goes by the image alone.
        compactness: how much the distance from the markers counts beside the ridges; above 0, the
            contour is drawn to halfway between the lesion's middle and the background.
        neck: touching lesions are parted where their mask is narrower than this fraction of the
            narrower one; 0 never parts them, 1 at the slightest waist.
    """

    name: ClassVar[str] = "watershed"
    summary: ClassVar[str] = "floods of the gradient from lesion and background, parted at necks"
    source: ClassVar[str] = (
        "Vincent L, Soille P. Watersheds in digital spaces: an efficient algorithm based on "
        "immersion simulations. IEEE Trans Pattern Anal Mach Intell 13(6), 583-598 (1991), "
        "doi:10.1109/34.87344; with the markers of Meyer F, Beucher S. Morphological segmentation. "
        "J Vis Commun Image Represent 1(1), 21-46 (1990), doi:10.1016/1047-3203(90)90014-M, and "
        "the compactness of Neubert P, Protzel P. Compact watershed and preemptive SLIC. ICPR "
        "(2014), doi:10.1109/ICPR.2014.181"
    )
    weakness: ClassVar[str] = "borders with gaps, and lesions that touch along a broad front"

    sigma: Annotated[float, Within(0, 6)] = 2.0
    outward: Annotated[float, Within(0, 1)] = 0.0
    box_trust: Annotated[float, Within(0, 1)] = 0.3
    compactness: Annotated[float, Within(0, 0.1)] = 0.0
    neck: Annotated[float, Within(0, 1)] = 0.7

    def delineate(self, view: View) -> NDArray[np.bool_]:
        """Flood the gradient from the view's core and its ground."""
        vectors = border_gradient(
            view.grey,
            view.radius,
            sigma=self.sigma,
            outward=self.outward,
            focus=np.inf,
            box_trust=self.box_trust,
        )
        return watershed(magnitude(vectors), view.core, view.ground, self.compactness)

    def _parts(self, dark: NDArray[np.float32], hint: Hint | None) -> Iterator[NDArray[np.float32]]:
        """All lesions in one map, since those that touch are parted."""
        joined = np.zeros(dark.shape, np.float32)
        for part in super()._parts(dark, hint):
            joined = np.maximum(joined, part)
        if hint is None or hint.box is None:
            marks = None if hint is None else hint.inside
            joined[~parted(joined > 0, self.neck, marks)] = 0
        yield joined
