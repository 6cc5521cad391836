"""The types of what ``__init__.py`` loads when it is first used."""

from breastseg.core.image import Image
from breastseg.core.prediction import Prediction
from breastseg.front_door import (
    compare,
    lesion_margins,
    measure_lesions,
    read_image,
    read_images,
    read_volume,
    segment,
    train,
)
from breastseg.inference.methods import list_methods
from breastseg.inference.open import open_segmenter
from breastseg.inference.options import MethodOptions

__all__ = [
    "Image",
    "MethodOptions",
    "Prediction",
    "__version__",
    "compare",
    "lesion_margins",
    "list_methods",
    "measure_lesions",
    "open_segmenter",
    "read_image",
    "read_images",
    "read_volume",
    "segment",
    "train",
]

__version__: str
