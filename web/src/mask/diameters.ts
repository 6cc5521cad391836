/**
 * The longest diameter of a region and the longest line perpendicular to it: the rule of `breastseg.measure.diameters`.
 *
 * A pixel is a rectangle: both are measured between pixel corners and lie within the convex hull.
 */
import type { Mask, Point } from "./mask";

export interface Diameter {
  /** In units of the spacing, else pixels. */
  length: number;
  ends: [Point, Point];
  /** A person has moved it. */
  byHand?: true;
}

/** Row and column step, such as millimetres; (1, 1) for pixels. */
export type Steps = readonly [number, number];

type XY = readonly [number, number];

export function diameters(region: Mask, steps: Steps = [1, 1]): [Diameter, Diameter] {
  const points = hull(corners(region).map(([row, column]) => [row * steps[0], column * steps[1]] as const));
  if (points.length === 0) throw new Error("An empty region. Expected: at least one pixel.");
  let longest = 0;
  for (const a of points) for (const b of points) longest = Math.max(longest, distance(a, b));
  for (const a of points) {
    for (const b of points) {
      // Lengths that differ by rounding alone are equal; the first is then the same everywhere.
      if (distance(a, b) >= longest * (1 - 1e-12)) return [diameter(a, b, steps), across(points, a, b, steps)];
    }
  }
  throw new Error("unreachable: one pair has the longest distance");
}

/** The distance of two points. */
export function lengthBetween(a: Point, b: Point, steps: Steps = [1, 1]): number {
  return Math.hypot((a.row - b.row) * steps[0], (a.column - b.column) * steps[1]);
}

/** Corners of the first and last pixel of every row; no others can be on the hull. */
function corners(region: Mask): XY[] {
  const found: XY[] = [];
  for (let row = 0; row < region.rows; row += 1) {
    const line = region.data.subarray(row * region.columns, (row + 1) * region.columns);
    const first = line.indexOf(1);
    if (first < 0) continue;
    const last = line.lastIndexOf(1);
    for (const r of [row - 0.5, row + 0.5]) found.push([r, first - 0.5], [r, last + 0.5]);
  }
  return found;
}

/** Vertices of the convex hull, sorted by row, then column (Andrew 1979, doi 10.1016/0020-0190(79)90072-3). */
export function hull(points: readonly XY[]): XY[] {
  const ordered = [...points].sort(byRow);
  const kept = new Map<string, XY>();
  for (const sequence of [ordered, [...ordered].reverse()]) {
    const chain: XY[] = [];
    for (const point of sequence) {
      while (chain.length > 1 && !turnsLeft(chain[chain.length - 2], chain[chain.length - 1], point)) chain.pop();
      chain.push(point);
    }
    for (const point of chain) kept.set(point.join(), point);
  }
  return [...kept.values()].sort(byRow);
}

function byRow(a: XY, b: XY): number {
  return a[0] - b[0] || a[1] - b[1];
}

function distance(a: XY, b: XY): number {
  return Math.hypot(a[0] - b[0], a[1] - b[1]);
}

function turnsLeft(a: XY, b: XY, c: XY): boolean {
  return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]) > 0;
}

/** The longest line across the hull perpendicular to the one from `start` to `end`; its widest place is at a vertex. */
function across(points: readonly XY[], start: XY, end: XY, steps: Steps): Diameter {
  const length = distance(start, end);
  const along: XY = [(end[0] - start[0]) / length, (end[1] - start[1]) / length];
  const aside: XY = [-along[1], along[0]];
  const placed = points
    .map((point) => {
      const [dr, dc] = [point[0] - start[0], point[1] - start[1]];
      return { at: dr * along[0] + dc * along[1], off: dr * aside[0] + dc * aside[1] };
    })
    .sort((a, b) => a.at - b.at);
  const tolerance = 1e-9 * length;
  const upper = placed.filter(({ off }) => off >= -tolerance);
  const lower = placed.filter(({ off }) => off <= tolerance);
  let best = { width: -1, at: 0, high: 0, low: 0 };
  for (const { at } of placed) {
    const [high, low] = [interpolated(upper, at), interpolated(lower, at)];
    if (high - low > best.width) best = { width: high - low, at, high, low };
  }
  const foot: XY = [start[0] + best.at * along[0], start[1] + best.at * along[1]];
  const reach = (off: number): XY => [foot[0] + off * aside[0], foot[1] + off * aside[1]];
  return diameter(reach(best.low), reach(best.high), steps);
}

function interpolated(chain: readonly { at: number; off: number }[], at: number): number {
  const after = chain.findIndex((point) => point.at >= at);
  if (after < 0) return chain[chain.length - 1].off;
  const b = chain[after];
  if (after === 0 || b.at === at) return b.off;
  const a = chain[after - 1];
  return a.off + ((b.off - a.off) * (at - a.at)) / (b.at - a.at);
}

function diameter(a: XY, b: XY, steps: Steps): Diameter {
  const [first, second] = [a, b].sort(byRow).map(([row, column]) => ({ row: row / steps[0], column: column / steps[1] }));
  return { length: distance(a, b), ends: [first, second] };
}
