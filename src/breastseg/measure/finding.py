"""The lesions of one prediction, each with its measurements."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from breastseg.core.calibrated import Conformal, Margin
from breastseg.core.errors import InputError
from breastseg.core.image import Image, Modality
from breastseg.core.prediction import Lesion, Prediction
from breastseg.measure.descriptors import Descriptor, descriptors
from breastseg.measure.echo import grey_levels, surroundings
from breastseg.measure.lesion import LesionMeasurement, measure, spacing_at
from breastseg.measure.margin import LesionMargin, lesion_margin
from breastseg.measure.skin import Skin, skin_of
from breastseg.measure.uncertainty import region_uncertainty
from breastseg.measure.volume import measure_volume


@dataclass(frozen=True, eq=False)
class Finding:
    """One segmented lesion with its measurements.

    Attributes:
        lesion: where it lies.
        measured: its size in an image; None in a volume.
        volume: in a volume, in mm3, or in voxels where the spacing is unknown; None in an image.
        uncertainty: the mean over it, 0 (sure) to 1; None where the method gives none.
        classes: mean probability over it of each kind of lesion; empty where there are no kinds.
        margin: between which contours it lies; None where that was not asked for.
        descriptors: in an image, those after BI-RADS that can be computed.
        skin_distance: from the skin, in the unit of `measured`; None where no skin is known.
    """

    lesion: Lesion
    measured: LesionMeasurement | None
    volume: float | None = None
    uncertainty: float | None = None
    classes: Mapping[str, float] = field(default_factory=dict)
    margin: LesionMargin | None = None
    descriptors: tuple[Descriptor, ...] = ()
    skin_distance: float | None = None


def findings(
    prediction: Prediction, image: Image, coverage: float | None = None, skin: Skin | None = None
) -> tuple[Finding, ...]:
    """The lesions of an image or a volume, the largest first.

    Args:
        prediction: of an image where a coverage is asked for.
        image: what was segmented; its grey levels tell the echo pattern of ultrasound.
        coverage: with which probability an inner and an outer contour shall hold; what was asked
            for with the prediction by default.
        skin: of the image; by default as it is seen in a mammogram.

    Raises:
        InputError: the method was not calibrated for such contours, see `margin_of`.
    """
    grid = prediction.grid
    coverage = prediction.coverage if coverage is None else coverage
    margin = None if coverage is None else margin_of(prediction.conformal, coverage)
    described = _describer(image, prediction) if grid.ndim == 2 else None
    lesions = prediction.lesions()
    skin = skin_of(image) if skin is None and lesions else skin
    return tuple(
        Finding(
            lesion,
            measure(lesion, grid) if grid.ndim == 2 else None,
            measure_volume(lesion, grid).volume if grid.ndim == 3 else None,
            region_uncertainty(prediction, lesion),
            _classes(prediction, lesion),
            None if margin is None else lesion_margin(lesion, prediction.probability, grid, margin),
            () if described is None else described(lesion),
            None if skin is None or grid.ndim == 3 else skin.distance(lesion, grid),
        )
        for lesion in lesions
    )


def margin_of(conformal: Conformal | None, coverage: float) -> Margin:
    """The margin of a coverage.

    Args:
        conformal: of a prediction or a network at its operating point.
        coverage: as `findings`.

    Raises:
        InputError: no margin was calibrated for this coverage, method and operating point.
    """
    if conformal is None:
        raise InputError(
            "a margin for a method without calibrated margins",
            "a single network with margins in its bundle, at its own operating point",
            "leave out what changes the operating point, or calibrate margins for the bundle",
        )
    return conformal.margin(coverage)


def _describer(image: Image, prediction: Prediction) -> Callable[[Lesion], tuple[Descriptor, ...]]:
    """What describes the lesions of an image; its grey levels are looked at for ultrasound."""
    ultrasound = image.modality is Modality.ULTRASOUND
    levels = grey_levels(image) if ultrasound else None
    mask = prediction.mask().foreground

    def described(lesion: Lesion) -> tuple[Descriptor, ...]:
        rows, columns = spacing_at(lesion, image.grid) or (1.0, 1.0)
        around = None if levels is None else surroundings(image, lesion, levels, mask)
        return descriptors(lesion.crop, (rows, columns), ultrasound, around)

    return described


def _classes(prediction: Prediction, lesion: Lesion) -> Mapping[str, float]:
    if prediction.class_probability is None:
        return {}
    maps = zip(prediction.class_names, prediction.class_probability, strict=True)
    return {name: float(lesion.values(one).mean()) for name, one in maps}
