"""The nouns: valid once constructed, free of I/O and of torch."""

from breastseg.core.box import Box
from breastseg.core.bundle import (
    Bundle,
    Fit,
    InputSpec,
    Intensity,
    OutputSpec,
    PlattScaling,
    VolumeIntensity,
    VolumeSpec,
)
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
    "Fit",
    "FrameReference",
    "Grid",
    "Image",
    "InputSpec",
    "Intensity",
    "Lesion",
    "Mask",
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
