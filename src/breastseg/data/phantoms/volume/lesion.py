"""The shape and the uptake of one enhancing lesion.

Shapes and enhancement follow the signs of BI-RADS (American College of Radiology, 5th edition,
MRI): oval, lobulated or irregular masses; circumscribed or spiculated margins; homogeneous,
heterogeneous or rim enhancement. The uptake follows the three types of time course of Kuhl et al.
1999, https://doi.org/10.1148/radiology.211.1.r99ap38101: persistent is typical of benign lesions,
wash-out of malignant ones.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from breastseg.core.box import Box
from breastseg.data.phantoms.volume.space import Field, Point, Space

LARGEST_MM = 30.0
SMALLEST_MM = 4.0


@dataclass(frozen=True, eq=False)
class Lesion:
    """An ellipsoid whose radius waves and bears spikes.

    With u the direction from the centre in the ellipsoid's own frame, scaled to a unit sphere, the
    surface lies at ``1 + sum_i a_i cos(w_i . u + p_i) + max_j s_j exp(-k_j (1 - u . d_j))`` times
    the ellipsoid's radius. Without waves and spikes it is the plain ellipsoid.

    Attributes:
        centre_mm: along (slices, rows, columns), from the centre of the volume's first voxel.
        semi_axes_mm: of the ellipsoid, in its own frame.
        rotation: (3, 3), its rows are the ellipsoid's axes in the volume's frame.
        waves: (n, 5): amplitude a, vector w (3 values), phase p.
        spikes: (n, 5): height s, sharpness k, unit vector d (3 values).
        pre: signal before contrast, in units of fat.
        early: relative enhancement in the first phase after contrast: 1 doubles the signal.
        late: enhancement in the last phase as a multiple of `early`: below 1 is wash-out.
        rim: fraction of the radius that enhances in full; 1 for a homogeneous lesion.
        core: enhancement inside that rim, as a multiple of `early`.
        texture: deviation of the enhancement's heterogeneity, relative.
    """

    centre_mm: Point
    semi_axes_mm: Point
    rotation: NDArray[np.float64] = field(default_factory=lambda: np.eye(3))
    waves: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 5)))
    spikes: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 5)))
    pre: float = 1.8
    early: float = 1.5
    late: float = 1.0
    rim: float = 1.0
    core: float = 1.0
    texture: float = 0.0

    @property
    def reach_mm(self) -> float:
        """No part of the lesion lies further from its centre."""
        grown = 1 + float(np.abs(self.waves[:, 0]).sum() + self.spikes[:, 0].max(initial=0))
        return max(self.semi_axes_mm) * grown

    def surface(self, space: Space, near_mm: float = 0.0) -> tuple[Box, Field, Field]:
        """The lesion's surface on the voxels around it.

        Args:
            space: the volume.
            near_mm: how far beyond the lesion to look.

        Returns:
            The box of voxels; signed distance to the surface along the ray from the centre in
            millimetres, negative inside; and the fraction of the way to the surface, 0 at the
            centre and 1 on it. Both float32 of the box's shape.
        """
        box = space.box_around(self.centre_mm, self.reach_mm + near_mm)
        offsets = np.stack(
            np.broadcast_arrays(
                *(a - np.float32(c) for a, c in zip(space.axes(box), self.centre_mm, strict=True))
            )
        )
        frame = (self.rotation / np.asarray(self.semi_axes_mm)[:, None]).astype(np.float32)
        # einsum, not a matrix library: its threads wait on each other on a busy machine.
        inner = np.einsum("ij,j...->i...", frame, offsets)
        radius = np.sqrt((inner**2).sum(axis=0))
        fraction = radius / self._radius(inner / np.maximum(radius, np.float32(1e-6)))
        away_mm = np.sqrt((offsets**2).sum(axis=0))
        # At the centre itself the ray has no direction: it lies inside by the shortest half-axis.
        level = away_mm * (1 - 1 / np.maximum(fraction, np.float32(1e-6)))
        level[fraction < 1e-6] = -min(self.semi_axes_mm)
        return box, level, fraction

    def _radius(self, direction: Field) -> Field:
        """The surface's distance from the centre in units of the ellipsoid's radius."""
        radius = np.ones(direction.shape[1:], np.float32)
        for amplitude, *vector, phase in self.waves:
            radius += amplitude * np.cos(np.einsum("i,i...", vector, direction) + phase)
        longest = np.zeros_like(radius)
        for height, sharpness, *tip in self.spikes:
            aside = 1 - np.einsum("i,i...", tip, direction)
            np.maximum(longest, height * np.exp(-sharpness * aside), out=longest)
        return radius + longest

    def mask(self, space: Space) -> NDArray[np.bool_]:
        """True at voxels whose centre lies inside; ``space.shape``."""
        inside = np.zeros(space.shape, bool)
        box, level, _ = self.surface(space)
        inside[box.slices] = level < 0
        return inside


def draw_size(generator: np.random.Generator, limit_mm: float) -> float:
    """A mean diameter in millimetres, small ones being as frequent as large ones on a log scale.

    Args:
        generator: source of randomness.
        limit_mm: the largest that fits; it wins over the usual 4 to 30 mm.
    """
    high = min(LARGEST_MM, limit_mm)
    low = min(SMALLEST_MM, high)
    return float(math.exp(generator.uniform(math.log(low), math.log(high))))


def draw_lesion(
    generator: np.random.Generator, centre_mm: Point, diameter_mm: float, malignant: bool
) -> Lesion:
    """A lesion of one kind.

    Args:
        generator: source of randomness.
        centre_mm: where.
        diameter_mm: mean diameter of the ellipsoid.
        malignant: irregular and mostly washing out, or mostly smooth and persistent.
    """
    stretch = np.exp(generator.normal(0, 0.15 if malignant else 0.22, 3))
    a, b, c = (diameter_mm / 2 * stretch / np.cbrt(stretch.prod())).tolist()
    waves = _draw_waves(generator, generator.uniform(0.10, 0.22) if malignant else 0.06)
    spiculated = malignant and generator.random() < 0.6
    spikes = _draw_spikes(generator, int(generator.integers(6, 18)) if spiculated else 0)
    rim, core = 1.0, 1.0
    if diameter_mm > 8 and generator.random() < (0.3 if malignant else 0.05):
        rim, core = generator.uniform(0.2, 0.45), generator.uniform(0.1, 0.6)
    early = generator.uniform(1.0, 2.4) if malignant else generator.uniform(0.6, 1.6)
    # One in six of each kind shows the time course that is typical of the other.
    washes_out = malignant != (generator.random() < 1 / 6)
    late = generator.uniform(0.65, 0.92) if washes_out else generator.uniform(0.98, 1.4)
    return Lesion(
        centre_mm=centre_mm,
        semi_axes_mm=(a, b, c),
        rotation=_draw_rotation(generator),
        waves=waves,
        spikes=spikes,
        pre=float(generator.uniform(1.5, 2.1)),
        early=float(early),
        late=float(late),
        rim=float(rim),
        core=float(core),
        texture=float(generator.uniform(0.08, 0.25) if malignant else generator.uniform(0, 0.1)),
    )


def _draw_waves(generator: np.random.Generator, total: float) -> NDArray[np.float64]:
    """Lobulation whose amplitudes have the given root sum of squares."""
    amplitude = generator.random(5)
    amplitude *= total / np.sqrt((amplitude**2).sum())
    vector = _directions(generator, 5) * generator.uniform(2, 5, (5, 1))
    phase = generator.uniform(0, 2 * math.pi, (5, 1))
    return np.hstack([amplitude[:, None], vector, phase])


def _draw_spikes(generator: np.random.Generator, count: int) -> NDArray[np.float64]:
    height = generator.uniform(0.2, 0.6, (count, 1))
    sharpness = generator.uniform(25, 90, (count, 1))
    return np.hstack([height, sharpness, _directions(generator, count)])


def _directions(generator: np.random.Generator, count: int) -> NDArray[np.float64]:
    """Unit vectors, uniform over the sphere."""
    vectors = generator.standard_normal((count, 3))
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def _draw_rotation(generator: np.random.Generator) -> NDArray[np.float64]:
    """An orthogonal frame, uniform over all (mirrored ones included: an ellipsoid is the same)."""
    frame, _ = np.linalg.qr(generator.standard_normal((3, 3)))
    return np.asarray(frame)
