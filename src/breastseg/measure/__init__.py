"""What a radiologist reads off an outline: diameters, area, distance to the skin."""

from breastseg.measure.diameters import Diameter, diameters
from breastseg.measure.lesion import LesionMeasurement, measure
from breastseg.measure.skin import skin_distance, skin_line

__all__ = [
    "Diameter",
    "LesionMeasurement",
    "diameters",
    "measure",
    "skin_distance",
    "skin_line",
]
