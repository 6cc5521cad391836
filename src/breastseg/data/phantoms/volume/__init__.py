"""Synthetic contrast-enhanced MRI of the breast with exactly known lesions."""

from breastseg.data.phantoms.volume.lesion import Lesion
from breastseg.data.phantoms.volume.phantom import volume_phantom, volume_phantoms

__all__ = ["Lesion", "volume_phantom", "volume_phantoms"]
