"""What a radiologist reads off an outline: diameters, area, distance to the skin."""

from breastseg.measure.diameters import Diameter, diameters
from breastseg.measure.lesion import LesionMeasurement, measure
from breastseg.measure.skin import LaidSkin, SeenSkin, skin_line, skin_of

__all__ = [
    "Diameter",
    "LaidSkin",
    "LesionMeasurement",
    "SeenSkin",
    "diameters",
    "measure",
    "skin_line",
    "skin_of",
]
