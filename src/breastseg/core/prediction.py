"""What a segmenter returns: a probability map on the image's own grid."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from breastseg.core.box import Box
from breastseg.core.calibrated import Conformal, PlattScaling
from breastseg.core.errors import GeometryError, InputError
from breastseg.core.grid import Grid
from breastseg.core.image import Image
from breastseg.core.mask import LESION, Mask
from breastseg.core.preview import preview
from breastseg.core.provenance import Provenance
from breastseg.core.regions import connected_regions

T = TypeVar("T", bound=np.generic)
_ROUNDING = 1e-3  # of maps that were resampled one by one


@dataclass(frozen=True, eq=False)
class Lesion:
    """One connected region of a mask (pixels that touch by a side or a corner).

    Attributes:
        crop: box.shape bool, True on the lesion; kept as a read-only view.
        box: where the crop lies in the image: the tightest box around the lesion.
        mean_probability: over the lesion, 0 to 1; not calibrated.
        score: largest probability in the lesion, 0 to 1.

    Raises:
        GeometryError: the crop and the box have different shapes.
        InputError: the crop is not bool.
    """

    crop: NDArray[np.bool_]
    box: Box
    mean_probability: float
    score: float

    def __post_init__(self) -> None:
        if self.crop.shape != self.box.shape:
            raise GeometryError(
                f"a lesion's crop of shape {self.crop.shape} in a box of {self.box.shape}",
                "one shape",
            )
        if self.crop.dtype != np.bool_:
            raise InputError(f"a lesion's crop of dtype {self.crop.dtype}", "bool")
        crop = self.crop.view()
        crop.flags.writeable = False
        object.__setattr__(self, "crop", crop)

    @cached_property
    def area_px(self) -> int:
        """Number of pixels."""
        return int(np.count_nonzero(self.crop))

    def values(self, array: NDArray[T]) -> NDArray[T]:
        """What an array of the image's shape holds on the lesion's pixels; (area_px,)."""
        return array[self.box.slices][self.crop]

    def on(self, shape: tuple[int, ...]) -> NDArray[np.bool_]:
        """The lesion as a mask of the whole image, bool of the image's shape.

        Raises:
            GeometryError: it does not lie in an image of that shape.
        """
        if not self.box.fits(shape):
            raise GeometryError(f"a lesion in the box {self.box} on a grid of {shape}")
        mask = np.zeros(shape, bool)
        mask[self.box.slices] = self.crop
        return mask


@dataclass(frozen=True, eq=False, repr=False)
class Prediction:
    """A probability of lesion for every pixel.

    Attributes:
        probability: grid.shape, float32, 0 to 1. Post-processing has been applied: a region
            that the method rejects has been pulled below the threshold.
        grid: the input image's own grid.
        provenance: what produced it.
        threshold: the operating point; pixels at or above it are lesion.
        uncertainty: grid.shape, float32, 0 (sure) to 1; None where the method gives none. Its kind
            stands in the provenance, see `breastseg.inference.uncertainty`. No post-processing: it
            also tells of regions that were rejected.
        class_probability: (K, *grid.shape), float32, 0 to 1, of a method that tells kinds of lesion
            apart; the K maps add up to `probability`. None for one that does not.
        class_names: of the K maps, e.g. ``("benign", "malignant")``.
        malignancy: probability that the image shows a malignant lesion, 0 to 1; None where nothing
            is outlined or the method does not say.
        confidence: probability that the image shows a lesion, 0 to 1, calibrated on other patients;
            None where it was not calibrated.
        conformal: what holds of the mask's margins; None where none were calibrated for it.
        coverage: the probability with which an inner and an outer contour shall hold; None where
            they were not asked for.
        target: what is segmented, in the singular.
        seen: the part of the image that was looked at, where that is not all of it.
        image: what was segmented, to be shown with the mask; None where only the map was kept.

    Raises:
        GeometryError: the shapes differ, or `seen` does not lie in the grid.
        InputError: values outside 0 to 1 or not finite, or maps of classes that have no distinct
            names or do not add up.
    """

    probability: NDArray[np.float32]
    grid: Grid
    provenance: Provenance
    threshold: float = 0.5
    uncertainty: NDArray[np.float32] | None = None
    class_probability: NDArray[np.float32] | None = None
    class_names: tuple[str, ...] = ()
    malignancy: float | None = None
    confidence: float | None = None
    conformal: Conformal | None = None
    coverage: float | None = None
    target: str = LESION
    seen: Box | None = None
    image: Image | None = None

    def __post_init__(self) -> None:
        for name in ("probability", "uncertainty"):
            given: NDArray[np.float32] | None = getattr(self, name)
            if given is not None:
                object.__setattr__(self, name, _checked(given, name, self.grid.shape))
        if self.seen is not None and not self.seen.fits(self.grid.shape):
            raise GeometryError(
                f"a part seen in the box {self.seen} on a grid of {self.grid.shape}",
                "a box within it",
            )
        if self.image is not None and self.image.grid.shape != self.grid.shape:
            raise GeometryError(f"an image of {self.image.grid} for a prediction of {self.grid}")
        self._check_classes()

    def __repr__(self) -> str:
        """What it is, in one line, without its pixels."""
        fraction = float((self.probability >= self.threshold).mean())
        return (
            f"<Prediction by {self.provenance.segmenter} {self.provenance.version}: {self.grid}, "
            f"{fraction:.2%} {self.target} at a threshold of {self.threshold:g}>"
        )

    def _repr_png_(self) -> bytes:
        """What a notebook shows: the mask's contour on the image, or on the probability."""
        whole = np.rint(self.probability[None] * 255).astype(np.uint8)
        shown = whole if self.image is None else self.image.array
        return preview(shown, self.mask().foreground)

    def _check_classes(self) -> None:
        names = tuple(self.class_names)
        object.__setattr__(self, "class_names", names)
        if len(set(names)) < len(names) or bool(names) != (self.class_probability is not None):
            raise InputError(f"classes named {names}", "one name a map, each another")
        if self.class_probability is not None:
            shape = (len(names), *self.grid.shape)
            maps = _checked(self.class_probability, "class_probability", shape)
            object.__setattr__(self, "class_probability", maps)
            apart = float(np.abs(maps.sum(axis=0) - self.probability).max())
            if apart > _ROUNDING:
                raise InputError(
                    f"maps of classes that add up to the probability but for {apart:.2g}",
                    f"at most {_ROUNDING:g}",
                )
        for name in ("malignancy", "confidence"):
            value: float | None = getattr(self, name)
            if value is not None and not 0 <= value <= 1:
                raise InputError(f"{name} {value}", "0 to 1")

    def mask(self, threshold: float | None = None) -> Mask:
        """The mask at a threshold in (0, 1]; the method's own operating point by default.

        Where there are classes, a pixel of the mask has the label of its likeliest one, from 1
        in the order of `class_names` (the first of equals).
        """
        mask = self.probability >= (self.threshold if threshold is None else threshold)
        if self.class_probability is None:
            return Mask(mask, self.grid, {1: self.target})
        likeliest = self.class_probability.argmax(axis=0) + 1
        names = dict(enumerate(self.class_names, start=1))
        return Mask(np.where(mask, likeliest, 0), self.grid, names)

    def lesions(self, threshold: float | None = None) -> tuple[Lesion, ...]:
        """The connected regions of the mask, the largest first (ties by position)."""
        cut = self.threshold if threshold is None else threshold
        found = []
        for box, crop in connected_regions(self.probability >= cut).crops():
            inside = self.probability[box.slices][crop]
            found.append(Lesion(crop, box, float(inside.mean()), float(inside.max())))
        return tuple(sorted(found, key=lambda lesion: (-lesion.area_px, lesion.box)))


def malignancy_of(prediction: Prediction, scaling: PlattScaling | None = None) -> float | None:
    """One probability of malignancy for an image, from the classes of its pixels.

    It is the mean of ``malignant / (benign + malignant)`` over the mask, every pixel counting by
    its probability of lesion; then the scaling.

    Args:
        prediction: with maps named ``"benign"`` and ``"malignant"``.
        scaling: fitted on other images; None leaves the mean as it is.

    Returns:
        0 to 1; None where nothing is outlined, or there are no such maps.
    """
    maps, names = prediction.class_probability, prediction.class_names
    if maps is None or not {"benign", "malignant"} <= set(names):
        return None
    where = prediction.probability >= prediction.threshold
    benign, malignant = (
        maps[names.index(name)][where].astype(np.float64) for name in ("benign", "malignant")
    )
    weight = np.where(benign + malignant > 0, prediction.probability[where], 0)
    if not weight.sum() > 0:
        return None
    fraction = malignant / np.maximum(benign + malignant, np.finfo(np.float64).tiny)
    mean = min(1.0, float((weight * fraction).sum() / weight.sum()))
    return mean if scaling is None else scaling(mean)


def _checked(given: NDArray[np.float32], name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """A read-only copy of a map, once it fits the grid and lies within 0 and 1."""
    if given.shape != shape:
        raise GeometryError(f"{name} of shape {given.shape} on a grid of {shape}")
    values = given.astype(np.float32, copy=True)
    if not bool(np.isfinite(values).all()) or values.min() < 0 or values.max() > 1:
        raise InputError(f"{name} outside 0 to 1", "finite values from 0 to 1")
    values.flags.writeable = False
    return values
