"""What the export of a network for volumes needs besides that of one for images."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from breastseg.core.bundle import VolumeSpec
from breastseg.preprocess.volume import resample


def seeded_patches(spec: VolumeSpec, count: int = 2, seed: int = 0) -> NDArray[np.float32]:
    """Patches with detail at every scale, the same for the same seed.

    Each channel is a little brighter than the one before it in places, as after contrast.

    Args:
        spec: the patch's size and channels.
        count: how many patches.
        seed: of their randomness.

    Returns:
        (count, channels, *patch) float32 of 0 to 2, as `prepare_volume` scales volumes.
    """
    rng = np.random.default_rng(seed)

    def field() -> NDArray[np.float32]:
        layers = [
            resample(rng.standard_normal((side,) * 3), spec.patch) / (index + 1)
            for index, side in enumerate((3, 8, 32))
        ]
        whole = np.sum(layers, axis=0)
        whole -= whole.min()
        return np.asarray(whole / max(float(whole.max()), 1e-6), np.float32)

    patches = np.empty((count, spec.channels, *spec.patch), np.float32)
    for patch in patches:
        tissue, gain = field(), field() ** 4
        for index, channel in enumerate(patch):
            channel[:] = tissue * (1 + min(index, 1) * gain)
    return patches


def volume_facts(spec: VolumeSpec) -> str:
    """The input of a network for volumes in words, for the model card."""
    patch, spacing = "x".join(map(str, spec.patch)), "x".join(f"{s:g}" for s in spec.spacing_mm)
    low, high = spec.percentiles
    later = ", later phases less the first" * spec.subtraction
    return (
        f"volumes of {spec.channels} channel{'s' if spec.channels > 1 else ''} at {spacing} mm "
        f"(slices, rows, columns, which grow to {spec.orientation}), in patches of {patch} voxels; "
        f"intensity: percentiles {low:g} and {high:g}, {spec.intensity}{later}"
    )
