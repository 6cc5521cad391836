"""What lies in a synthetic breast beside its lesions: skin, fat, gland, chest wall, heart, vessels.

Rows run from the front of the chest to the back, as in an axial image of a patient; columns run
across it, slices along the body.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from breastseg.core.box import Box
from breastseg.data.phantoms.volume.space import Field, Point, Space, covered, smooth_field

TWO_BREASTS_MM = 230.0
"""A field of view at least this wide shows both breasts."""


@dataclass(frozen=True, eq=False)
class Signal:
    """The signal over a volume in units of fat's, at three times.

    Attributes:
        maps: (3, *shape): before contrast, soon after it, and last.
    """

    maps: Field

    def paint(
        self, weight: Field, pre: Field | float, early: Field | float, late: float = 1.0
    ) -> None:
        """Lay tissue over what is there.

        Args:
            weight: the fraction of each voxel that it fills, 0 to 1, a block or the whole volume.
            pre: its signal before contrast.
            early: its relative enhancement soon after.
            late: the enhancement in the end as a multiple of `early`.
        """
        gain = np.multiply(pre, early)
        for phase, signal in enumerate((pre, pre + gain, pre + gain * late)):
            self.maps[phase] += weight * (np.asarray(signal, np.float32) - self.maps[phase])

    def part(self, box: Box) -> Signal:
        """A view of one box."""
        return Signal(self.maps[box.trailing])


@dataclass(frozen=True, eq=False)
class Body:
    """Where things are.

    Attributes:
        outer_mm: signed distance to the skin's surface, negative inside the body; roughly so far
            from the surface.
        wall_mm: signed distance to the chest wall along the rows, positive behind it.
        nipples_mm: the foremost points of the breasts.
    """

    outer_mm: Field
    wall_mm: Field
    nipples_mm: tuple[Point, ...]

    @property
    def depth_in_breast_mm(self) -> Field:
        """Distance to whichever is nearer, skin or chest wall; negative outside the breast."""
        return np.minimum(-self.outer_mm, -self.wall_mm)


def draw_body(generator: np.random.Generator, space: Space) -> Body:
    """Draw the contour of one breast or, in a wide field of view, of two."""
    deep, high, wide = space.size_mm
    z, y, x = space.axes()
    both = wide >= TWO_BREASTS_MM
    midline = wide / 2 if both else wide * generator.choice([-0.1, 1.1])
    foot = high * generator.uniform(0.70, 0.85)
    bend = high * generator.uniform(0.1, 0.25)
    wall = foot + bend * ((x - midline) / wide) ** 2 - bend * 0.25
    wobble_mm = smooth_field(generator, space, (deep / 2, high / 3, wide / 3))
    wobble_mm *= np.float32(0.012 * min(high, wide))
    under_skin_mm = generator.uniform(0.04, 0.08) * high
    outer = np.asarray(wall - under_skin_mm - y + wobble_mm, np.float32)
    # The same breast twice, mirrored, but for a little: no one's two sides are equal.
    reach = wide / 2 if both else wide
    axes = (
        deep * generator.uniform(0.50, 0.75),
        foot * generator.uniform(0.78, 0.95),
        reach * generator.uniform(0.40, 0.52),
    )
    middle = deep * generator.uniform(0.4, 0.6)
    centres = (wide * 0.25, wide * 0.75) if both else (wide * generator.uniform(0.45, 0.55),)
    power = generator.uniform(1.8, 2.4)
    nipples = []
    for centre in centres:
        a, b, c = (float(axis * generator.uniform(0.95, 1.02)) for axis in axes)
        dz, dy, dx = z - np.float32(middle), y - np.float32(foot), x - np.float32(centre)
        fraction = (abs(dz / a) ** power + abs(dy / b) ** power + abs(dx / c) ** power) ** (
            1 / power
        )
        # Along the ray, as for a lesion, and no steeper than the distance across the surface.
        away = np.sqrt(dz**2 + dy**2 + dx**2)
        breast = np.minimum(away, min(b, c)) * (1 - 1 / np.maximum(fraction, np.float32(0.05)))
        outer = _blended(outer, breast + wobble_mm, 0.06 * min(high, wide))
        nipples.append((float(middle), float(foot - b), float(centre)))
    return Body(outer, np.asarray(y - wall + 0 * z, np.float32), tuple(nipples))


def _blended(one: Field, other: Field, over_mm: float) -> Field:
    """The union of two bodies, its crease rounded where their surfaces are this close."""
    fraction = np.clip(np.float32(0.5) + (other - one) / np.float32(2 * over_mm), 0, 1)
    return np.asarray(
        other + (one - other) * fraction - np.float32(over_mm) * fraction * (1 - fraction)
    )


def paint_tissue(
    generator: np.random.Generator, space: Space, body: Body, fat: float = 1.0
) -> Signal:
    """Air, fat, gland, chest wall, heart and skin, in this order.

    Args:
        generator: source of randomness.
        space: the volume.
        body: its contour.
        fat: the signal of fat; that of most else does not change with it.
    """
    signal = Signal(np.zeros((3, *space.shape), np.float32))
    inside = covered(body.outer_mm, space.edge_mm)
    mottle = smooth_field(generator, space, (4.0, 4.0, 1.6))
    signal.paint(inside, np.float32(fat) * (1 + np.float32(0.1) * mottle), 0.06, 2.0)
    gland = _gland(generator, space, body)
    # Background parenchymal enhancement is patchy and grows slowly.
    patches = np.exp(np.float32(0.4) * smooth_field(generator, space, (12.0, 12.0, 12.0)))
    patches *= np.float32(math.exp(generator.uniform(math.log(0.05), math.log(0.35))))
    signal.paint(gland, np.float32(1.75) * (1 + np.float32(0.05) * mottle), patches, 1.5)
    _paint_chest(generator, space, body, signal, inside)
    skin = covered(abs(body.outer_mm + np.float32(1.0)) - np.float32(1.0), space.edge_mm) * inside
    signal.paint(skin, float(generator.uniform(1.6, 2.2)), float(generator.uniform(0.1, 0.4)), 1.3)
    return signal


def _gland(generator: np.random.Generator, space: Space, body: Body) -> Field:
    """Fraction of fibroglandular tissue, densest behind the nipple; 0 under skin, on the wall."""
    lobes = smooth_field(generator, space, (14.0, 16.0, 11.0))
    strands = smooth_field(generator, space, (5.0, 7.0, 3.0))
    threads = smooth_field(generator, space, (2.5, 2.5, 1.3))
    z, y, x = space.axes()
    deep, high, wide = space.size_mm
    reach = 0.35 * min(high, wide / len(body.nipples_mm))
    near = np.zeros(space.shape, np.float32)
    for nipple in body.nipples_mm:
        dz, dy, dx = (axis - np.float32(at) for axis, at in zip((z, y, x), nipple, strict=True))
        along = (dz / np.float32(max(reach, 0.4 * deep))) ** 2
        across = (dy / np.float32(reach) - 1) ** 2 + (dx / np.float32(reach)) ** 2
        np.maximum(near, np.exp(-along - across), out=near)
    sparse = np.float32(generator.uniform(0.6, 2.4))
    shape = np.float32(0.6) * (lobes + strands) + np.float32(0.35) * threads
    shape += np.float32(1.6) * near - sparse
    soft = np.clip(np.float32(0.5) + shape, 0, 1)
    margin_mm = 4.0
    soft *= np.clip((body.depth_in_breast_mm - np.float32(margin_mm)) / np.float32(4.0), 0, 1)
    return np.asarray(soft, np.float32)


def _paint_chest(
    generator: np.random.Generator, space: Space, body: Body, signal: Signal, inside: Field
) -> None:
    """Pectoral muscle, then ribs and lung, and the heart, which enhances more than any lesion."""
    edge = space.edge_mm
    muscle_mm = np.float32(generator.uniform(6, 14))
    grain = smooth_field(generator, space, (8.0, 2.5, 12.0))
    signal.paint(covered(-body.wall_mm, edge) * inside, 1.4 + np.float32(0.08) * grain, 0.15, 1.3)
    behind = covered(muscle_mm - body.wall_mm, edge) * inside
    lung = np.float32(0.25) + np.float32(0.08) * smooth_field(generator, space, (9.0, 9.0, 9.0))
    signal.paint(behind, lung, 0.4)
    deep, high, wide = space.size_mm
    z, y, x = space.axes()
    radius = min(wide, 2 * high) * generator.uniform(0.2, 0.35)
    at = (
        deep * generator.uniform(0, 0.6),
        high * generator.uniform(0.95, 1.1),
        wide * generator.uniform(0.1, 0.9),
    )
    dz, dy, dx = (axis - np.float32(p) for axis, p in zip((z, y, x), at, strict=True))
    heart = np.sqrt((dz * 0.8) ** 2 + dy**2 + dx**2) - np.float32(radius)
    signal.paint(
        covered(heart, 2 * edge) * behind,
        1.2 + np.float32(0.1) * grain,
        float(generator.uniform(1.2, 2.4)),
        float(generator.uniform(0.75, 0.9)),
    )


def paint_vessels(
    generator: np.random.Generator,
    space: Space,
    signal: Signal,
    body: Body,
    targets_mm: tuple[Point, ...],
) -> None:
    """Enhancing tubes along smooth curves through the breast; they are no lesions.

    Args:
        generator: source of randomness.
        space: the volume.
        signal: painted in place.
        body: its contour.
        targets_mm: points that a vessel runs to, such as lesions, which are fed by some.
    """
    depth = body.depth_in_breast_mm
    starts = np.argwhere(depth > 2 * space.edge_mm)
    if not len(starts):
        return
    level = np.full(space.shape, np.float32(1e3))
    count = int(generator.integers(3, 13)) * len(body.nipples_mm)
    aims: list[Point | None] = [None] * count
    aims += [target for target in targets_mm if generator.random() < 0.5]
    for aim in aims:
        at = aim or space.position(tuple(starts[generator.integers(len(starts))].tolist()))
        _lay_tube(generator, space, level, depth, at)
    # Flow and breathing make a vessel's brightness change along its way.
    flow = np.exp(np.float32(0.25) * smooth_field(generator, space, (25.0, 25.0, 25.0)))
    signal.paint(
        covered(level, space.edge_mm),
        float(generator.uniform(1.0, 1.3)),
        np.float32(generator.uniform(1.2, 2.6)) * flow,
        float(generator.uniform(0.8, 1.05)),
    )


def _lay_tube(
    generator: np.random.Generator, space: Space, level: Field, depth: Field, start: Point
) -> None:
    """Lower `level` to the signed distance of a tube that walks through the breast."""
    radius = float(generator.uniform(0.4, 1.4))
    step = max(radius, space.edge_mm)
    at = np.array(start)
    heading = generator.standard_normal(3)
    turn = np.zeros(3)
    spacing = np.asarray(space.spacing_mm)
    # Within a slice's thickness a tube counts as in the slice: thin ones must not break up.
    slack = np.float32(0.5 * spacing[0])
    for _ in range(int(generator.uniform(30, 110) / step)):
        heading /= np.linalg.norm(heading)
        turn = 0.8 * turn + 0.06 * step * generator.standard_normal(3)
        heading += turn
        at = at + step * heading / np.linalg.norm(heading)
        index = np.rint(at / spacing).astype(int)
        if np.any(index < 0) or np.any(index >= space.shape) or depth[tuple(index)] < radius:
            return
        centre = (float(at[0]), float(at[1]), float(at[2]))
        box = space.box_around(centre, radius + 2 * space.edge_mm + float(slack))
        z, y, x = (a - np.float32(c) for a, c in zip(space.axes(box), centre, strict=True))
        off = np.maximum(np.abs(z) - slack, 0)
        away = np.sqrt(off**2 + y**2 + x**2) - np.float32(radius)
        np.minimum(level[box.slices], away, out=level[box.slices])
