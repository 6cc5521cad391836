"""How well a mask agrees with the ground truth: overlap, surface distance, lesions found."""

from breastseg.metrics.lesionwise import DEFAULT_MIN_IOU, LesionMatch, match_lesions
from breastseg.metrics.overlap import (
    Confusion,
    confusion,
    dice,
    f1,
    iou,
    precision,
    recall,
    specificity,
)
from breastseg.metrics.rules import EMPTY_RULE
from breastseg.metrics.surface import SurfaceDistances, assd, hd95, surface_distances

__all__ = [
    "DEFAULT_MIN_IOU",
    "EMPTY_RULE",
    "Confusion",
    "LesionMatch",
    "SurfaceDistances",
    "assd",
    "confusion",
    "dice",
    "f1",
    "hd95",
    "iou",
    "match_lesions",
    "precision",
    "recall",
    "specificity",
    "surface_distances",
]
