"""The score of one image: one row of the report."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from breastseg.core.errors import GeometryError
from breastseg.core.mask import Mask
from breastseg.core.prediction import Prediction
from breastseg.metrics.lesionwise import match_lesions
from breastseg.metrics.overlap import confusion
from breastseg.metrics.surface import surface_distances
from breastseg.preprocess.geometry import resize


@dataclass(frozen=True)
class ImageScore:
    """How one image was outlined, whatever image it was.

    Attributes:
        true_positive: pixels outlined and lesion, at the size scored at.
        false_positive: pixels outlined, not lesion.
        false_negative: pixels of lesion, not outlined.
        true_negative: pixels that are neither, without those that are to be ignored.
        dice: 0 to 1, under the empty-mask rule, as are `iou`, `precision` and `recall`.
        iou: intersection over union.
        precision: fraction of the mask that is lesion.
        recall: fraction of the lesion that is outlined.
        specificity: fraction of background left alone.
        hd95_px: 95th percentile Hausdorff distance in pixels; NaN where undefined.
        assd_px: average symmetric surface distance in pixels; NaN where undefined.
        hd95_mm: the same in millimetres; None where the spacing is unknown or another size
            than the image's own is scored at.
        assd_mm: likewise.
        true_lesions: regions of the ground truth.
        found: those that are found, each by another region.
        regions: how many regions are outlined.
        false_positives: those that hit no true lesion; see `breastseg.metrics.lesionwise`.
    """

    true_positive: int = 0
    false_positive: int = 0
    false_negative: int = 0
    true_negative: int = 0
    dice: float = 0.0
    iou: float = 0.0
    precision: float = 0.0
    recall: float = 0.0
    specificity: float = 0.0
    hd95_px: float = math.nan
    assd_px: float = math.nan
    hd95_mm: float | None = None
    assd_mm: float | None = None
    true_lesions: int = 0
    found: int = 0
    regions: int = 0
    false_positives: int = 0


@dataclass(frozen=True)
class VolumeScore(ImageScore):
    """The same of a volume, whose pixels are voxels, with how large the lesions are in all.

    Attributes:
        volume_cm3: outlined; None where the spacing is unknown.
        true_volume_cm3: of the ground truth; None where it could not be read, or the spacing is
            unknown.
    """

    volume_cm3: float | None = None
    true_volume_cm3: float | None = None

    @property
    def volume_error_cm3(self) -> float | None:
        """By how much the outlined volume differs from the true one, at least 0."""
        if self.volume_cm3 is None or self.true_volume_cm3 is None:
            return None
        return abs(self.volume_cm3 - self.true_volume_cm3)


def score_image(
    prediction: Prediction, truth: Mask, size: tuple[int, int] | None, min_iou: float
) -> ImageScore:
    """Score a prediction at its own operating point.

    Args:
        prediction: on the image's grid.
        truth: on the same grid.
        size: (rows, columns) to score at: the probability is resampled with a triangle filter
            and then cut at the threshold, the ground truth is taken from the nearest pixel. None
            scores at the image's own size, which alone is possible for volumes.
        min_iou: from which a region and a true lesion match.

    Returns:
        A `VolumeScore` for volumes.

    Raises:
        GeometryError: the prediction lies on another grid than the ground truth.
    """
    probability, lesion, ignored = at_size(prediction, truth, size)
    mask = probability >= prediction.threshold
    # At another size the pixels have no known spacing.
    spacing = truth.grid.spacing_mm if lesion.shape == truth.grid.shape else None
    counts = confusion(mask, lesion)
    # What is to be ignored is neither: no background was left alone there.
    background = counts.true_negative - int(np.count_nonzero(ignored))
    counts = replace(counts, true_negative=background)
    pixels = surface_distances(mask, lesion)
    lengths = None if spacing is None else surface_distances(mask, lesion, spacing)
    lesions = match_lesions(mask, lesion, min_iou)
    score = ImageScore(
        true_positive=counts.true_positive,
        false_positive=counts.false_positive,
        false_negative=counts.false_negative,
        true_negative=counts.true_negative,
        dice=counts.dice,
        iou=counts.iou,
        precision=counts.precision,
        recall=counts.recall,
        specificity=counts.specificity,
        hd95_px=pixels.hd95,
        assd_px=pixels.assd,
        hd95_mm=None if lengths is None else lengths.hd95,
        assd_mm=None if lengths is None else lengths.assd,
        true_lesions=lesions.true_lesions,
        found=lesions.found,
        regions=lesions.regions,
        false_positives=lesions.false_positives,
    )
    if truth.grid.ndim == 2:
        return score
    return VolumeScore(
        **vars(score),
        volume_cm3=_cm3(mask, spacing),
        true_volume_cm3=_cm3(lesion, spacing),
    )


def _cm3(mask: NDArray[np.bool_], spacing_mm: tuple[float, ...] | None) -> float | None:
    """The volume of a mask; None where the spacing is unknown."""
    return None if spacing_mm is None else float(mask.sum()) * math.prod(spacing_mm) / 1000


def at_size(
    prediction: Prediction, truth: Mask, size: tuple[int, int] | None
) -> tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.bool_]]:
    """The probability, the ground truth and what is to be ignored, at the size scored at.

    Args:
        prediction: on the image's grid.
        truth: on the same grid.
        size: (rows, columns); None for the image's own.

    Returns:
        (rows, columns) float32, resampled with a triangle filter, and twice bool, each from the
        nearest pixel. Where the ground truth is to be ignored the probability is 0.

    Raises:
        GeometryError: the prediction lies on another grid than the ground truth.
    """
    if prediction.grid.shape != truth.grid.shape:
        raise GeometryError(
            f"a prediction of shape {prediction.grid.shape} for a ground truth of "
            f"{truth.grid.shape}",
            "the image's own grid",
        )
    probability, ignored = without_ignored(prediction.probability, truth), truth.ignored
    if size is None or size == truth.grid.shape:
        return probability, truth.foreground, ignored
    ignored = nearest(ignored, size)
    probability = np.where(ignored, np.float32(0), resize(probability, size))
    return probability, nearest(truth.foreground, size), ignored


def without_ignored(probability: NDArray[np.float32], truth: Mask) -> NDArray[np.float32]:
    """A map with 0 where the ground truth is to be ignored, so that nothing is outlined there."""
    if not truth.ignored.any():
        return probability
    return np.where(truth.ignored, np.float32(0), probability)


def score_failure(
    truth: Mask | None, is_normal: bool, min_iou: float, is_volume: bool = False
) -> ImageScore:
    """The score of an image that could not be segmented: the worst there is.

    Overlap is 0, on a normal image too, every lesion is missed, distances are undefined. Where
    the ground truth could not be read either, an image that is not normal counts as one lesion. The
    score of a volume says that nothing was outlined of its lesions' volume.
    """
    kind = VolumeScore if is_volume else ImageScore
    if truth is None:
        return kind(true_lesions=0 if is_normal else 1)
    lesion = truth.foreground
    missed = match_lesions(np.zeros_like(lesion), lesion, min_iou).true_lesions
    score = kind(false_negative=int(lesion.sum()), true_lesions=missed)
    if not isinstance(score, VolumeScore):
        return score
    spacing = truth.grid.spacing_mm
    return replace(
        score,
        volume_cm3=_cm3(np.zeros_like(lesion), spacing),
        true_volume_cm3=_cm3(lesion, spacing),
    )


def nearest(mask: NDArray[np.bool_], size: tuple[int, int]) -> NDArray[np.bool_]:
    """Bring a mask (H, W) to `size`: each pixel takes the one under its centre; bool."""
    rows, columns = (
        ((np.arange(n) + 0.5) * old / n).astype(np.intp)
        for n, old in zip(size, mask.shape, strict=True)
    )
    return mask[np.ix_(rows, columns)]
