/**
 * The longest diameter of a region (maximum Feret diameter) and the longest line at a right angle to it across its
 * convex hull. A pixel is a rectangle: both are measured over the corners of the pixels.
 */

/** Lengths that differ by rounding alone are equal; the first is then the same everywhere. */
const SAME = 1 - 1e-12;

/** (row, column) in pixels; whole numbers are pixel centres. */
export type Point = [row: number, column: number];

export interface Diameter {
  /** In units of the spacing. */
  readonly length: number;
  /** The first end is the upper, then left one. */
  readonly ends: [Point, Point];
}

/**
 * Measure a region.
 *
 * @param lines of each of its rows: the row, and its first and last column.
 * @param steps distance of rows and of columns.
 */
export function diameters(
  lines: readonly (readonly [row: number, first: number, last: number])[],
  steps: readonly [number, number],
): [longest: Diameter, perpendicular: Diameter] {
  const corners: Point[] = [];
  for (const [row, first, last] of lines) {
    for (const y of [row - 0.5, row + 0.5]) {
      for (const x of [first - 0.5, last + 0.5]) corners.push([y * steps[0], x * steps[1]]);
    }
  }
  const hull = convexHull(corners);
  let most = 0;
  for (const a of hull) for (const b of hull) most = Math.max(most, apart(a, b));
  for (const start of hull) {
    const end = hull.find((point) => apart(start, point) >= most * SAME);
    if (end) return [diameter(start, end, steps), across(hull, start, end, steps)];
  }
  throw new RangeError("a region without a pixel");
}

function apart(a: Point, b: Point): number {
  return Math.hypot(a[0] - b[0], a[1] - b[1]);
}

function byPlace(a: Point, b: Point): number {
  return a[0] - b[0] || a[1] - b[1];
}

/** Its vertices, sorted by row, then column: Andrew's monotone chain. */
function convexHull(points: Point[]): Point[] {
  const ordered = points.sort(byPlace);
  const hull = new Set<Point>();
  for (const sequence of [ordered, [...ordered].reverse()]) {
    const chain: Point[] = [];
    for (const point of sequence) {
      while (chain.length > 1 && !turnsLeft(chain[chain.length - 2], chain[chain.length - 1], point)) chain.pop();
      chain.push(point);
    }
    chain.forEach((point) => hull.add(point));
  }
  const sorted = [...hull].sort(byPlace);
  return sorted.filter((point, i) => i === 0 || byPlace(point, sorted[i - 1]) !== 0);
}

function turnsLeft(a: Point, b: Point, c: Point): boolean {
  return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]) > 0;
}

/** The width of a convex polygon changes its slope only at vertices, so the widest place is at one of them. */
function across(hull: readonly Point[], start: Point, end: Point, steps: readonly [number, number]): Diameter {
  const length = apart(start, end);
  const along: Point = [(end[0] - start[0]) / length, (end[1] - start[1]) / length];
  const aside: Point = [-along[1], along[0]];
  const places = hull
    .map((point) => ({
      position: dot(point, start, along),
      offset: dot(point, start, aside),
    }))
    .sort((a, b) => a.position - b.position);
  const tolerance = 1e-9 * places[places.length - 1].position;
  const upper = places.filter(({ offset }) => offset >= -tolerance);
  const lower = places.filter(({ offset }) => offset <= tolerance);
  const lines = places.map(({ position }) => {
    const [low, high] = [interpolated(lower, position), interpolated(upper, position)];
    return { position, low, high, width: high - low };
  });
  const most = Math.max(...lines.map(({ width }) => width));
  const widest = lines.find(({ width }) => width >= most * SAME) ?? lines[0];
  const at = (offset: number): Point => [
    start[0] + widest.position * along[0] + offset * aside[0],
    start[1] + widest.position * along[1] + offset * aside[1],
  ];
  return diameter(at(widest.low), at(widest.high), steps);
}

function dot(point: Point, from: Point, direction: Point): number {
  return (point[0] - from[0]) * direction[0] + (point[1] - from[1]) * direction[1];
}

function interpolated(points: readonly { position: number; offset: number }[], position: number): number {
  const after = points.findIndex((point) => point.position > position);
  if (after === 0) return points[0].offset;
  if (after < 0) return points[points.length - 1].offset;
  const [a, b] = [points[after - 1], points[after]];
  return a.offset + ((b.offset - a.offset) * (position - a.position)) / (b.position - a.position);
}

function diameter(start: Point, end: Point, steps: readonly [number, number]): Diameter {
  const [first, second] = [start, end]
    .map(([row, column]): Point => [row / steps[0], column / steps[1]])
    .sort(byPlace);
  return { length: apart(start, end), ends: [first, second] };
}
