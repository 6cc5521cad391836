"""Synthetic contrast-enhanced MRI of the breast with exactly known lesions."""

from breastseg.data.volume_phantom.lesion import Lesion
from breastseg.data.volume_phantom.phantom import volume_phantom, volume_phantoms

__all__ = ["Lesion", "volume_phantom", "volume_phantoms"]
