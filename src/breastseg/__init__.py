"""breastseg outlines breast lesions in medical images."""

__version__ = "0.1.0"
