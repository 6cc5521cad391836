"""The lesions of one prediction, each with its measurements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from breastseg.core.prediction import Lesion, Prediction
from breastseg.measure.lesion import LesionMeasurement, measure
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
    """

    lesion: Lesion
    measured: LesionMeasurement | None
    volume: float | None = None
    uncertainty: float | None = None
    classes: Mapping[str, float] = field(default_factory=dict)


def findings(prediction: Prediction) -> tuple[Finding, ...]:
    """The lesions of an image or a volume, the largest first."""
    grid = prediction.grid
    return tuple(
        Finding(
            lesion,
            measure(lesion, grid) if grid.ndim == 2 else None,
            measure_volume(lesion, grid).volume if grid.ndim == 3 else None,
            region_uncertainty(prediction, lesion),
            _classes(prediction, lesion),
        )
        for lesion in prediction.lesions()
    )


def _classes(prediction: Prediction, lesion: Lesion) -> Mapping[str, float]:
    if prediction.class_probability is None:
        return {}
    maps = zip(prediction.class_names, prediction.class_probability, strict=True)
    return {name: float(lesion.values(one).mean()) for name, one in maps}
