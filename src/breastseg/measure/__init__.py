"""What a radiologist reads off a mask: diameters and area."""

from breastseg.measure.diameters import Diameter, diameters
from breastseg.measure.lesion import LesionMeasurement, measure

__all__ = ["Diameter", "LesionMeasurement", "diameters", "measure"]
