/** A binary mask on an image's grid, and boxes on it. Points are (row, column); a pixel's centre is at whole numbers. */

export interface Point {
  row: number;
  column: number;
}

/** Half-open: the first row and column, then one past the last. The same four numbers as in Python. */
export interface Box {
  row0: number;
  column0: number;
  row1: number;
  column1: number;
}

export interface Mask {
  readonly rows: number;
  readonly columns: number;
  /** rows * columns values in row-major order, 0 or 1. */
  readonly data: Uint8Array;
}

export const EMPTY: Box = { row0: 0, column0: 0, row1: 0, column1: 0 };

export function emptyMask(rows: number, columns: number): Mask {
  return { rows, columns, data: new Uint8Array(rows * columns) };
}

export function copyOf(mask: Mask): Mask {
  return { ...mask, data: mask.data.slice() };
}

export function isEmptyBox(box: Box): boolean {
  return box.row1 <= box.row0 || box.column1 <= box.column0;
}

/** The smallest box around two; an empty one adds nothing. */
export function union(a: Box, b: Box): Box {
  if (isEmptyBox(a)) return b;
  if (isEmptyBox(b)) return a;
  return {
    row0: Math.min(a.row0, b.row0),
    column0: Math.min(a.column0, b.column0),
    row1: Math.max(a.row1, b.row1),
    column1: Math.max(a.column1, b.column1),
  };
}

/** What two boxes share; an empty box where they share nothing. */
export function intersection(a: Box, b: Box): Box {
  return { row0: Math.max(a.row0, b.row0), column0: Math.max(a.column0, b.column0), row1: Math.min(a.row1, b.row1), column1: Math.min(a.column1, b.column1) };
}

/** The part of a box within an image of that size. */
export function clipped(box: Box, rows: number, columns: number): Box {
  const row0 = Math.max(0, Math.min(rows, box.row0));
  const column0 = Math.max(0, Math.min(columns, box.column0));
  return {
    row0,
    column0,
    row1: Math.max(row0, Math.min(rows, box.row1)),
    column1: Math.max(column0, Math.min(columns, box.column1)),
  };
}

export function whole(mask: { rows: number; columns: number }): Box {
  return { row0: 0, column0: 0, row1: mask.rows, column1: mask.columns };
}

/** The tightest box around the foreground; empty where there is none. */
export function boundsOf(mask: Mask): Box {
  const { rows, columns, data } = mask;
  let [row0, row1, column0, column1] = [rows, 0, columns, 0];
  for (let row = 0; row < rows; row += 1) {
    const line = data.subarray(row * columns, (row + 1) * columns);
    const first = line.indexOf(1);
    if (first < 0) continue;
    row0 = Math.min(row0, row);
    row1 = row + 1;
    column0 = Math.min(column0, first);
    column1 = Math.max(column1, line.lastIndexOf(1) + 1);
  }
  return row1 === 0 ? EMPTY : { row0, column0, row1, column1 };
}

export function countOf(mask: Mask): number {
  let count = 0;
  for (const value of mask.data) count += value;
  return count;
}

/** Pixels at or above the threshold are lesion, as in Python. */
export function atThreshold(probability: Float32Array, rows: number, columns: number, threshold: number): Mask {
  const mask = emptyMask(rows, columns);
  const cut = Math.fround(threshold);
  for (let index = 0; index < probability.length; index += 1) {
    mask.data[index] = probability[index] >= cut ? 1 : 0;
  }
  return mask;
}

/** The Dice coefficient of two masks of one size; 1 where both are empty. */
export function dice(a: Mask, b: Mask): number {
  let [both, sum] = [0, 0];
  for (let index = 0; index < a.data.length; index += 1) {
    both += a.data[index] & b.data[index];
    sum += a.data[index] + b.data[index];
  }
  return sum === 0 ? 1 : (2 * both) / sum;
}

/** How many pixels two masks of one size differ in. */
export function differingPixels(a: Mask, b: Mask): number {
  let count = 0;
  for (let index = 0; index < a.data.length; index += 1) count += a.data[index] ^ b.data[index];
  return count;
}
