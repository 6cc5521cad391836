"""Synthetic breast ultrasound with exactly known lesions."""

from breastseg.data.phantoms.ultrasound.phantom import (
    MIX,
    Label,
    Phantom,
    make_phantom,
    make_phantoms,
    write_phantoms,
)

__all__ = ["MIX", "Label", "Phantom", "make_phantom", "make_phantoms", "write_phantoms"]
