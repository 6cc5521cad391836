"""The nouns: valid once constructed, free of I/O and of torch."""

from breastseg.core.box import Box
from breastseg.core.bundle import (
    Bundle,
    Fit,
    InputSpec,
    Intensity,
    OutputSpec,
    VolumeIntensity,
    VolumeSpec,
)
from breastseg.core.calibrated import Confidence, Conformal, Margin, MissedArea, PlattScaling
from breastseg.core.case import Case
from breastseg.core.grid import Grid
from breastseg.core.image import Image, Modality
from breastseg.core.mask import Mask
from breastseg.core.prediction import Lesion, Prediction, malignancy_of
from breastseg.core.prompt import Prompt
from breastseg.core.provenance import Provenance
from breastseg.core.reference import FrameReference, Reference
from breastseg.core.segmenter import Segmenter

__all__ = [
    "Box",
    "Bundle",
    "Case",
    "Confidence",
    "Conformal",
    "Fit",
    "FrameReference",
    "Grid",
    "Image",
    "InputSpec",
    "Intensity",
    "Lesion",
    "Margin",
    "Mask",
    "MissedArea",
    "Modality",
    "OutputSpec",
    "PlattScaling",
    "Prediction",
    "Prompt",
    "Provenance",
    "Reference",
    "Segmenter",
    "VolumeIntensity",
    "VolumeSpec",
    "malignancy_of",
]
