/** Volumes in the orientation that a network was trained in: axes are exchanged and reversed, nothing is interpolated. */
import type { Sides } from "./volume";

/** For each axis of the result, the axis that it was, and whether it is counted from the other end. */
export interface Turn {
  readonly axes: readonly [number, number, number];
  readonly reversed: readonly [boolean, boolean, boolean];
}

/** A row-major array in another order: voxel (a, b, c) stands at start + a steps[0] + b steps[1] + c steps[2]. */
export interface View {
  readonly shape: Sides;
  readonly start: number;
  readonly steps: Sides;
}

/** The component of (z, y, x) in the patient that a letter names, and whether the index grows with it. */
const LETTERS: Record<string, readonly [part: number, sign: number]> = {
  S: [0, 1],
  I: [0, -1],
  P: [1, 1],
  A: [1, -1],
  L: [2, 1],
  R: [2, -1],
};
const ORDERS = [
  [0, 1, 2],
  [0, 2, 1],
  [1, 0, 2],
  [1, 2, 0],
  [2, 0, 1],
  [2, 1, 0],
] as const;
/** Cosines that agree to so many decimals are equal: no rounding decides between two axes. */
const DIGITS = 1e6;

/** How a volume with these cosines is brought to an orientation, such as "SPL". */
export function turnTo(direction: readonly number[], wanted: string): Turn {
  const targets = Array.from(wanted, (letter) => LETTERS[letter]);
  const cosine = (part: number, axis: number): number => direction[3 * part + axis];
  let [axes, best] = [ORDERS[0] as Turn["axes"], [] as number[]];
  for (const order of ORDERS) {
    const fit = fitOf(order, targets, cosine);
    const first = fit.findIndex((value, k) => value !== best[k]);
    if (!best.length || (first >= 0 && fit[first] > best[first])) [axes, best] = [order, fit];
  }
  const away = targets.map(([part, sign], k) => cosine(part, axes[k]) * sign < 0);
  return { axes, reversed: [away[0], away[1], away[2]] };
}

/** How near an order of the axes is: the sum of cosines first; then what no reversal of an axis changes. */
function fitOf(
  order: Turn["axes"],
  targets: readonly (readonly [number, number])[],
  cosine: (part: number, axis: number) => number,
): number[] {
  const lines: number[][] = [[], [], []];
  targets.forEach(([part], k) => (lines[part] = [cosine(0, order[k]), cosine(1, order[k]), cosine(2, order[k])]));
  const near = lines.map((line, part) => Math.abs(line[part]));
  const leans = lines.flatMap((line) => line.map((value, k) => value * line[(k + 2) % 3]));
  const rounded = (value: number): number => Math.round(value * DIGITS) / DIGITS;
  return [near[0] + near[1] + near[2], ...near, ...leans].map(rounded);
}

/** How the voxels of a volume of this shape are found in the other orientation. */
export function viewOf(shape: Sides, { axes, reversed }: Turn): View {
  const strides = [shape[1] * shape[2], shape[2], 1];
  const turned = ordered(shape, axes);
  const steps = ordered(strides, axes).map((stride, k) => (reversed[k] ? -stride : stride));
  const start = steps.reduce((sum, step, k) => (reversed[k] ? sum - step * (turned[k] - 1) : sum), 0);
  return { shape: turned, start, steps: [steps[0], steps[1], steps[2]] };
}

/** Values that stand one an axis, such as a spacing, in the order of the turned axes. */
export function ordered(values: ArrayLike<number>, axes: Turn["axes"]): Sides {
  return [values[axes[0]], values[axes[1]], values[axes[2]]];
}

/** A turned map in the volume's own order. */
export function undone(map: Float32Array, view: View): Float32Array {
  const result = new Float32Array(map.length);
  const [slices, rows, columns] = view.shape;
  let from = 0;
  for (let slice = 0; slice < slices; slice++) {
    for (let row = 0; row < rows; row++) {
      let at = view.start + slice * view.steps[0] + row * view.steps[1];
      for (let column = 0; column < columns; column++, at += view.steps[2]) result[at] = map[from++];
    }
  }
  return result;
}
