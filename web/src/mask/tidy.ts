/** Fill holes, smooth, interpolate: each gives a new mask. */
import { emptyMask, type Mask } from "./mask";
import { labelled } from "./regions";

/** Background that the image's border does not touch becomes lesion. */
export function holesFilled(mask: Mask): Mask {
  const inverse = { ...mask, data: mask.data.map((value) => 1 - value) };
  // Regions are joined by corners, so their background is joined by sides.
  const { labels, count } = labelled(inverse, false);
  const open = new Uint8Array(count + 1);
  for (let row = 0; row < mask.rows; row += 1) {
    open[labels[row * mask.columns]] = 1;
    open[labels[(row + 1) * mask.columns - 1]] = 1;
  }
  for (let column = 0; column < mask.columns; column += 1) {
    open[labels[column]] = 1;
    open[labels[(mask.rows - 1) * mask.columns + column]] = 1;
  }
  return { ...mask, data: mask.data.map((value, index) => (value === 1 || open[labels[index]] === 0 ? 1 : 0)) };
}

/** Each pixel takes the majority of the square around it (a median filter); the size of a large region changes little. */
export function smoothed(mask: Mask, radius = 2): Mask {
  const sums = windowSums(windowSums(mask.data, mask.rows, mask.columns, radius, false), mask.rows, mask.columns, radius, true);
  const ones = new Int32Array(mask.data.length).fill(1);
  const sizes = windowSums(windowSums(ones, mask.rows, mask.columns, radius, false), mask.rows, mask.columns, radius, true);
  const data = new Uint8Array(mask.data.length);
  sums.forEach((sum, index) => {
    data[index] = 2 * sum > sizes[index] ? 1 : 0;
  });
  return { ...mask, data };
}

/** Sums over 2 * radius + 1 values along rows, or down columns; beyond the border there is nothing. */
function windowSums(values: ArrayLike<number>, rows: number, columns: number, radius: number, down: boolean): Int32Array {
  const [lines, length] = down ? [columns, rows] : [rows, columns];
  const [lineStep, step] = down ? [1, columns] : [columns, 1];
  const sums = new Int32Array(rows * columns);
  for (let line = 0; line < lines; line += 1) {
    const start = line * lineStep;
    let sum = 0;
    for (let at = -radius; at < length; at += 1) {
      const entering = at + radius;
      const leaving = at - radius - 1;
      if (entering < length) sum += values[start + entering * step];
      if (leaving >= 0) sum -= values[start + leaving * step];
      if (at >= 0) sums[start + at * step] = sum;
    }
  }
  return sums;
}

/**
 * The mask at a fraction of the way between two slices or frames: the zero level of their mixed signed distances.
 *
 * Source: Raya and Udupa 1990, doi 10.1109/42.52980.
 */
export function interpolated(first: Mask, last: Mask, fraction: number): Mask {
  const [a, b] = [signedDistance(first), signedDistance(last)];
  const mask = emptyMask(first.rows, first.columns);
  a.forEach((value, index) => {
    mask.data[index] = value * (1 - fraction) + b[index] * fraction > 0 ? 1 : 0;
  });
  return mask;
}

/** Distance to the edge in pixels, positive inside; exact (Felzenszwalb and Huttenlocher 2012, doi 10.4086/toc.2012.v008a019). */
export function signedDistance(mask: Mask): Float64Array {
  const inside = squaredDistance(mask, 0);
  const outside = squaredDistance(mask, 1);
  return inside.map((value, index) => (mask.data[index] === 1 ? Math.sqrt(value) - 0.5 : 0.5 - Math.sqrt(outside[index])));
}

/** Squared distance of each pixel to the nearest one of a value; larger than any in the image where there is none. */
function squaredDistance(mask: Mask, value: 0 | 1): Float64Array {
  const { rows, columns } = mask;
  const far = 4 * (rows + columns) ** 2;
  const field = Float64Array.from(mask.data, (here) => (here === value ? 0 : far));
  for (let column = 0; column < columns; column += 1) lowerEnvelope(field, column, columns, rows);
  for (let row = 0; row < rows; row += 1) lowerEnvelope(field, row * columns, 1, columns);
  return field;
}

/** In place along one line: the lower envelope of a parabola at each of its values. */
function lowerEnvelope(field: Float64Array, start: number, step: number, length: number): void {
  const values = Float64Array.from({ length }, (_, index) => field[start + index * step]);
  const at = new Int32Array(length);
  const from = new Float64Array(length + 1).fill(Infinity);
  let last = 0;
  from[0] = -Infinity;
  for (let place = 1; place < length; place += 1) {
    let meeting = crossing(values, at[last], place);
    while (meeting <= from[last]) {
      last -= 1;
      meeting = crossing(values, at[last], place);
    }
    last += 1;
    at[last] = place;
    from[last] = meeting;
    from[last + 1] = Infinity;
  }
  let which = 0;
  for (let place = 0; place < length; place += 1) {
    while (from[which + 1] < place) which += 1;
    field[start + place * step] = (place - at[which]) ** 2 + values[at[which]];
  }
}

function crossing(values: Float64Array, a: number, b: number): number {
  return (values[b] + b * b - (values[a] + a * a)) / (2 * (b - a));
}
