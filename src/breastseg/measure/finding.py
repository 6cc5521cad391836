"""The lesions of one prediction, each with its measurements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from breastseg.core.calibrated import Conformal, Margin
from breastseg.core.errors import InputError
from breastseg.core.prediction import Lesion, Prediction
from breastseg.measure.lesion import LesionMeasurement, measure
from breastseg.measure.margin import LesionMargin, lesion_margin
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
    """

    lesion: Lesion
    measured: LesionMeasurement | None
    volume: float | None = None
    uncertainty: float | None = None
    classes: Mapping[str, float] = field(default_factory=dict)
    margin: LesionMargin | None = None


def findings(prediction: Prediction, coverage: float | None = None) -> tuple[Finding, ...]:
    """The lesions of an image or a volume, the largest first.

    Args:
        prediction: of an image where a coverage is asked for.
        coverage: with which probability an inner and an outer contour shall hold; what was asked
            for with the prediction by default.

    Raises:
        InputError: the method was not calibrated for such contours, see `margin_of`.
    """
    grid = prediction.grid
    coverage = prediction.coverage if coverage is None else coverage
    margin = None if coverage is None else margin_of(prediction.conformal, coverage)
    return tuple(
        Finding(
            lesion,
            measure(lesion, grid) if grid.ndim == 2 else None,
            measure_volume(lesion, grid).volume if grid.ndim == 3 else None,
            region_uncertainty(prediction, lesion),
            _classes(prediction, lesion),
            None if margin is None else lesion_margin(lesion, grid, margin),
        )
        for lesion in prediction.lesions()
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


def _classes(prediction: Prediction, lesion: Lesion) -> Mapping[str, float]:
    if prediction.class_probability is None:
        return {}
    maps = zip(prediction.class_names, prediction.class_probability, strict=True)
    return {name: float(lesion.values(one).mean()) for name, one in maps}
