"""What makes a case easy or hard, read off its image and its ground truth."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from breastseg.core.box import Box
from breastseg.core.case import Case
from breastseg.core.image import Image, Modality
from breastseg.core.regions import connected_regions
from breastseg.evaluation.comparison.cell import Traits
from breastseg.preprocess.intensity import to_unit

RING = 0.2
"""Width of the ring around a lesion, as a fraction of the diameter of a disc of its area; a disc's
ring then has about as many pixels as the disc. Of a volume: of a ball of its volume."""
_SMOOTHED = 0.3
"""Standard deviation of the smoothing of a surface, in the largest distance of neighbours."""
_BRIGHTER = (Modality.MAMMOGRAPHY, Modality.MRI)
"""Where lesions are brighter than what is around them."""


def unknown_traits(key: str) -> Traits:
    """The traits of a case that could not be read."""
    return Traits(key, 0, 0.0, None, None, 0)


def traits(key: str, case: Case) -> Traits:
    """Measure a case at its image's own size.

    Args:
        key: ``"source/case_id"``.
        case: with ground truth.

    Returns:
        Its traits. The contrast is taken on grey levels stretched to 0 to 1, of a study of
        several phases on how much the second enhances, and is None where the lesion leaves no ring
        around it; all lesions of a case count as one there.
    """
    image = case.images[0]
    lesion = np.zeros(image.grid.shape, bool)
    if case.mask is not None:
        lesion = case.mask.foreground
    area = int(np.count_nonzero(lesion))
    if area == 0:
        return Traits(key, 0, 0.0, None, None, 0)
    lesions = connected_regions(lesion)
    region = lesions.largest()
    steps = image.grid.steps
    darker = contrast(_shown(image), lesion, steps)
    sign = -1 if image.modality in _BRIGHTER else 1
    return Traits(
        key=key,
        area_px=area,
        area_fraction=area / lesion.size,
        contrast=None if darker is None else sign * darker,
        irregularity=irregularity(region) if region.ndim == 2 else unevenness(region, steps),
        lesions=len(lesions),
    )


def _shown(image: Image) -> NDArray[np.float32]:
    """The grey levels on which a lesion is told from what is around it, 0 to 1."""
    if image.grid.ndim == 2 or image.array.shape[0] == 1:
        return to_unit(image.grey())
    before, after = image.array[:2].astype(np.float32)
    return to_unit(np.maximum(after - before, 0))


def contrast(
    grey: NDArray[np.float32], lesion: NDArray[np.bool_], steps: tuple[float, ...] = (1.0, 1.0)
) -> float | None:
    """How much darker a lesion is than the ring around it.

    Args:
        grey: (H, W) or (slices, H, W) float32, 0 to 1.
        lesion: of that shape, bool, not empty.
        steps: distance of neighbours along each axis of a volume; the pixels of an image are
            taken for squares.

    Returns:
        (ring - lesion) / (ring + lesion) of the mean grey levels, -1 to 1; 0 where both are black,
        None where there is no ring.
    """
    if lesion.ndim == 2:
        width = max(2.0, RING * 2 * math.sqrt(np.count_nonzero(lesion) / math.pi))
        outside = (~lesion).astype(np.uint8)
        distance = cv2.distanceTransform(outside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    else:
        volume = np.count_nonzero(lesion) * math.prod(steps)
        width = max(2.0 * min(steps), RING * 2 * (3 * volume / (4 * math.pi)) ** (1 / 3))
        # what lies farther off than the ring is wide has no part in it
        near = _around(lesion).padded(*(math.ceil(width / step) for step in steps))
        part = near & Box.whole(lesion.shape)
        assert part is not None
        grey, lesion = grey[part.slices], lesion[part.slices]
        distance = ndimage.distance_transform_edt(~lesion, sampling=steps)
    ring = ~lesion & (distance <= width)
    if not ring.any():
        return None
    around, within = (float(grey[part].mean(dtype=np.float64)) for part in (ring, lesion))
    return (around - within) / (around + within) if around + within > 0 else 0.0


def irregularity(region: NDArray[np.bool_]) -> float:
    """How far a region is from a disc: 1 - 4 pi area / perimeter^2, with its holes filled.

    The perimeter is Crofton's in four directions (Legland et al. 2007, doi:10.5566/ias.v26.p83-92),
    which does not grow with the steps of a digital border; the edge of the image counts as border.

    Args:
        region: (H, W) bool, one connected region.

    Returns:
        0 for a disc, towards 1 for a ragged border.
    """
    from skimage.measure import perimeter_crofton

    part = region[_around(region).slices]
    solid = ndimage.binary_fill_holes(np.pad(part, 1))
    roundness = 4 * math.pi * np.count_nonzero(solid) / perimeter_crofton(solid, directions=4) ** 2
    return float(min(max(1 - roundness, 0.0), 1.0))


def unevenness(region: NDArray[np.bool_], steps: tuple[float, ...]) -> float:
    """How far a region of a volume is from a ball: 1 - sphericity, with its holes filled.

    Sphericity is the surface of a ball of the same volume over the region's own (Wadell 1935,
    doi:10.1086/624298). Surface and volume are those of the mesh that marching cubes find, after
    the steps between slices are smoothed a little; the edge of the volume counts as surface.

    Args:
        region: (slices, H, W) bool, one connected region.
        steps: distance of neighbours along each axis.

    Returns:
        0 for a ball, up to 0.1 where it has few voxels; towards 1 for a ragged border.
    """
    from skimage.measure import marching_cubes, mesh_surface_area

    part = region[_around(region).slices]
    solid = ndimage.binary_fill_holes(np.pad(part, 4)).astype(np.float32)
    smooth = ndimage.gaussian_filter(solid, [_SMOOTHED * max(steps) / step for step in steps])
    if smooth.max() > 0.5:  # else it is thinner than the smoothing is wide
        solid = smooth
    points, triangles, _, _ = marching_cubes(solid, 0.5, spacing=steps)
    a, b, c = (points[triangles[:, corner]].astype(np.float64) for corner in range(3))
    volume = abs(float(np.einsum("ij,ij->", a, np.cross(b, c)))) / 6
    surface = mesh_surface_area(points, triangles)
    return float(min(max(1 - math.pi ** (1 / 3) * (6 * volume) ** (2 / 3) / surface, 0.0), 1.0))


def _around(region: NDArray[np.bool_]) -> Box:
    """The tightest box around a region that is not empty."""
    box = Box.around(region)
    assert box is not None
    return box
