/**
 * The cheapest closed path around the centre of a box, by dynamic programming; breastseg.classical.polar_path of Python.
 * Timp and Karssemeijer 2004, doi:10.1118/1.1688039.
 */
import { fillPolygon } from "./polygon";
import { gaussian } from "./raster";
import type { View } from "./view";

const RAYS = 96;
const STEPS = 64;
const [NEAREST, FARTHEST] = [0.25, 1.75];
/** Steps by which neighbouring rays may differ. */
const REACH = 3;
const FORBIDDEN = 1e4;
const [SIGMA, EDGE, AREA, PRIOR, BEND, TARGET, FIT] = [2, 3, 1, 8, 0.25, 1, 0.9];

/** What lies within the path, of the view's shape. */
export function polarPath(view: View): Uint8Array {
  const rays = raysOf(view);
  const path = cheapestClosedPath(costOf(view, rays));
  let [down, along] = [Math.sin, Math.cos].map((turn) => path.map((step, ray) => rays.radii[step] * turn(rays.angles[ray])));
  if (!view.outside.includes(1)) [down, along] = [stretched(down), stretched(along)];
  const corners = down.map((_, ray) => [rays.centre[1] + along[ray] * rays.axes[1], rays.centre[0] + down[ray] * rays.axes[0]] as const);
  return fillPolygon(corners, view.rows, view.columns);
}

interface Rays {
  /** (row, column). */
  readonly centre: readonly [number, number];
  readonly axes: readonly [number, number];
  readonly angles: readonly number[];
  readonly radii: readonly number[];
}

function raysOf({ box: [row0, column0, row1, column1] }: View): Rays {
  return {
    centre: [(row0 + row1 - 1) / 2, (column0 + column1 - 1) / 2],
    axes: [(row1 - row0) / 2, (column1 - column0) / 2],
    angles: Array.from({ length: RAYS }, (_, k) => k * ((2 * Math.PI) / RAYS)),
    radii: Array.from({ length: STEPS }, (_, k) => NEAREST + (k * (FARTHEST - NEAREST)) / (STEPS - 1)),
  };
}

/** An image on the rays, (rays, steps); beyond its edge, the edge's values. */
function sampled(image: ArrayLike<number>, { rows, columns }: View, { centre, axes, angles, radii }: Rays): Float32Array {
  const result = new Float32Array(RAYS * STEPS);
  const at = (row: number, column: number): number =>
    image[Math.min(Math.max(row, 0), rows - 1) * columns + Math.min(Math.max(column, 0), columns - 1)];
  angles.forEach((angle, ray) => {
    radii.forEach((radius, step) => {
      const y = Math.fround(centre[0] + radius * Math.sin(angle) * axes[0]);
      const x = Math.fround(centre[1] + radius * Math.cos(angle) * axes[1]);
      const [row, column] = [Math.floor(y), Math.floor(x)];
      const [down, right] = [y - row, x - column];
      const upper = at(row, column) * (1 - right) + at(row, column + 1) * right;
      const lower = at(row + 1, column) * (1 - right) + at(row + 1, column + 1) * right;
      result[ray * STEPS + step] = upper * (1 - down) + lower * down;
    });
  });
  return result;
}

/** What it costs to cross each ray at each radius. */
function costOf(view: View, rays: Rays): Float32Array {
  const grey = sampled(gaussian(view.grey, view.rows, view.columns, SIGMA, "reflect"), view, rays);
  const allowed = sampled(view.allowed, view, rays);
  const cost = edgeCost(grey);
  const area = areaCost(grey);
  for (let i = 0; i < cost.length; i++) {
    const away = rays.radii[i % STEPS] - TARGET;
    cost[i] = allowed[i] < 0.5 ? FORBIDDEN : EDGE * cost[i] + AREA * area[i] + PRIOR * away ** 2;
  }
  const step = rays.radii[1] - rays.radii[0];
  for (const [ray, radius] of beside(view.inside, view, rays)) {
    rays.radii.forEach((one, k) => (cost[ray * STEPS + k] += one < radius + step ? FORBIDDEN : 0));
  }
  for (const [ray, radius] of beside(view.outside, view, rays)) {
    rays.radii.forEach((one, k) => (cost[ray * STEPS + k] += one > radius - step ? FORBIDDEN : 0));
  }
  return cost;
}

/** The two rays beside each marked pixel, with the pixel's radius. */
function beside(marks: Uint8Array, { columns }: View, { centre, axes }: Rays): [number, number][] {
  const found: [number, number][] = [];
  marks.forEach((mark, i) => {
    if (!mark) return;
    const down = (Math.floor(i / columns) - centre[0]) / axes[0];
    const along = ((i % columns) - centre[1]) / axes[1];
    const left = Math.floor((Math.atan2(down, along) / (2 * Math.PI)) * RAYS);
    for (const ray of [left, left + 1]) found.push([(ray + RAYS) % RAYS, Math.hypot(down, along)]);
  });
  return found;
}

/** Low where rays turn from dark to bright, in standard deviations of such turns. */
function edgeCost(grey: Float32Array): Float32Array {
  const turns = new Float32Array(grey.length);
  for (let i = 0; i < grey.length; i++) {
    const step = i % STEPS;
    const [before, after] = [step > 0 ? i - 1 : i, step < STEPS - 1 ? i + 1 : i];
    turns[i] = (grey[after] - grey[before]) / (after - before);
  }
  const mean = turns.reduce((sum, turn) => sum + turn, 0) / turns.length;
  const spread = Math.sqrt(turns.reduce((sum, turn) => sum + (turn - mean) ** 2, 0) / turns.length);
  return turns.map((turn) => (spread > 1e-6 ? -turn / spread : 0));
}

/** Low where what lies within along a ray is dark and what lies without is bright. */
function areaCost(grey: Float32Array): Float32Array {
  const third = Math.floor(STEPS / 3);
  const dark = median(grey.filter((_, i) => i % STEPS < third));
  const bright = median(grey.filter((_, i) => i % STEPS >= STEPS - third));
  const half = Math.max((bright - dark) / 2, 1e-3);
  const result = new Float32Array(grey.length);
  let sum = 0;
  grey.forEach((value, i) => {
    const step = i % STEPS;
    const wrong = Math.min(Math.max((value - (dark + bright) / 2) / half, -1), 1);
    sum = (step === 0 ? 0 : sum) + wrong * (step / STEPS);
    result[i] = sum / (STEPS / 8);
  });
  return result;
}

function median(values: Float32Array): number {
  const sorted = values.sort();
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** One step a ray, so that costs and bends add up to the least; every step is tried as the start, so that it closes. */
function cheapestClosedPath(cost: Float32Array): number[] {
  let total = new Float32Array(STEPS * STEPS).fill(Infinity);
  for (let k = 0; k < STEPS; k++) total[k * STEPS + k] = cost[k];
  const came = new Int8Array(RAYS * STEPS * STEPS);
  for (let ray = 1; ray <= RAYS; ray++) {
    const best = new Float32Array(STEPS * STEPS).fill(Infinity);
    for (let start = 0; start < STEPS; start++) {
      for (let step = 0; step < STEPS; step++) {
        const at = start * STEPS + step;
        for (let change = -REACH; change <= REACH; change++) {
          if (step + change < 0 || step + change >= STEPS) continue;
          const option = Math.fround(total[at + change] + BEND * change ** 2);
          if (option < best[at]) {
            best[at] = option;
            came[(ray - 1) * STEPS * STEPS + at] = change;
          }
        }
        if (ray < RAYS) best[at] += cost[ray * STEPS + step];
      }
    }
    total = best;
  }
  let start = 0;
  for (let k = 1; k < STEPS; k++) if (total[k * STEPS + k] < total[start * STEPS + start]) start = k;
  const path = new Array<number>(RAYS);
  let step = start;
  for (let ray = RAYS - 1; ray >= 0; ray--) {
    step += came[ray * STEPS * STEPS + start * STEPS + step];
    path[ray] = step;
  }
  return path;
}

/** Stretch to either side of the centre where a contour reaches less far than it should. */
function stretched(offsets: number[]): number[] {
  const [low, high] = [-Math.min(...offsets), Math.max(...offsets)];
  const below = low > 0 && low < FIT ? FIT / low : 1;
  const above = high > 0 && high < FIT ? FIT / high : 1;
  return offsets.map((offset) => offset * (offset < 0 ? below : above));
}
