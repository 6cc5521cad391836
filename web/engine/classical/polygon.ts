/** Filling a polygon as OpenCV's fillPoly does, its border included: the pixels are the same. */
import { roundEven } from "../numbers";

const SHIFT = 4;
const FRACTION = 16;
const ONE = 2 ** FRACTION;

/** @param corners (column, row); whole numbers are the centres of pixels. */
export function fillPolygon(corners: readonly (readonly [number, number])[], rows: number, columns: number): Uint8Array {
  const mask = new Uint8Array(rows * columns);
  const set = (row: number, column: number): void => {
    if (row >= 0 && row < rows && column >= 0 && column < columns) mask[row * columns + column] = 1;
  };
  // The column keeps 16 bits of fraction, the row none.
  const points = corners.map(([column, row]) => {
    const [x, y] = [roundEven(column * 2 ** SHIFT), roundEven(row * 2 ** SHIFT)];
    return [x * 2 ** (FRACTION - SHIFT), Math.floor((y + 2 ** (SHIFT - 1)) / 2 ** SHIFT)] as const;
  });
  const edges: { from: number; to: number; start: number; slope: number }[] = [];
  points.forEach((point, k) => {
    const before = points[(k + points.length - 1) % points.length];
    const pixel = (x: number): number => Math.floor((x + ONE / 2) / ONE);
    drawLine([pixel(before[0]), before[1]], [pixel(point[0]), point[1]], set);
    if (before[1] === point[1]) return;
    const [upper, lower] = before[1] < point[1] ? [before, point] : [point, before];
    edges.push({ from: upper[1], to: lower[1], start: upper[0], slope: Math.trunc((lower[0] - upper[0]) / (lower[1] - upper[1])) });
  });
  for (let row = 0; row < rows; row++) {
    const crossings = edges
      .filter(({ from, to }) => from <= row && row < to)
      .map(({ from, start, slope }) => start + (row - from) * slope)
      .sort((a, b) => a - b);
    for (let k = 0; k + 1 < crossings.length; k += 2) {
      const first = Math.floor((crossings[k] + ONE - 1) / ONE);
      for (let column = Math.max(first, 0); column <= Math.floor(crossings[k + 1] / ONE) && column < columns; column++) set(row, column);
    }
  }
  return mask;
}

/** Bresenham's line, from left to right. */
function drawLine(one: readonly [number, number], other: readonly [number, number], set: (row: number, column: number) => void): void {
  const [from, to] = other[0] < one[0] ? [other, one] : [one, other];
  const [across, tall] = [to[0] - from[0], Math.abs(to[1] - from[1])];
  const down = to[1] >= from[1] ? 1 : -1;
  const isSteep = tall > across;
  const [long, short] = isSteep ? [tall, across] : [across, tall];
  let [column, row] = from;
  let error = long - 2 * short;
  for (let k = 0; k <= long; k++) {
    set(row, column);
    const isAside = error < 0;
    error += (isAside ? 2 * long : 0) - 2 * short;
    if (isSteep || isAside) row += down;
    if (!isSteep || isAside) column += 1;
  }
}
