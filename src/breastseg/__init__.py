"""breastseg outlines breast lesions in medical images."""

from breastseg.offline import keep_offline

__version__ = "0.1.0"

keep_offline()
