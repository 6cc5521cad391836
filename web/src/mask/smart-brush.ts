/** A brush that grows to edges. */
import { strokeBox } from "./paint";
import type { Box, Mask, Point } from "./mask";

export interface Grey {
  readonly rows: number;
  readonly columns: number;
  /** rows * columns values in row-major order. */
  readonly values: ArrayLike<number>;
}

/**
 * Adds the pixels under a round brush that are joined to its centre and as bright as what lies there.
 *
 * As bright means within `tolerance` standard deviations (of the values under the brush) of the mean around the centre,
 * so that the brush stops at an edge and needs no setting of its own.
 */
export function smartStroke(mask: Mask, image: Grey, at: Point, radius: number, tolerance = 0.8): Box {
  const box = strokeBox(mask, at, at, radius);
  const limit = Math.max(radius, 0.5) ** 2;
  const under = (row: number, column: number): boolean => (row - at.row) ** 2 + (column - at.column) ** 2 <= limit;
  const centre = meanAround(image, at, Math.max(1, Math.round(radius / 4)));
  const band = tolerance * deviation(image, box, under);
  const [row0, column0] = [Math.round(at.row), Math.round(at.column)];
  if (row0 < 0 || column0 < 0 || row0 >= mask.rows || column0 >= mask.columns) return box;
  const seen = new Set<number>([row0 * mask.columns + column0]);
  const queue = [...seen];
  for (let index = queue.pop(); index !== undefined; index = queue.pop()) {
    mask.data[index] = 1;
    const row = Math.floor(index / mask.columns);
    const column = index - row * mask.columns;
    for (const [r, c] of [
      [row - 1, column],
      [row + 1, column],
      [row, column - 1],
      [row, column + 1],
    ]) {
      const next = r * mask.columns + c;
      if (r < box.row0 || r >= box.row1 || c < box.column0 || c >= box.column1 || seen.has(next) || !under(r, c)) continue;
      if (Math.abs(meanAround(image, { row: r, column: c }, 1) - centre) > band) continue;
      seen.add(next);
      queue.push(next);
    }
  }
  return box;
}

function meanAround(image: Grey, at: Point, reach: number): number {
  let [sum, count] = [0, 0];
  const [row, column] = [Math.round(at.row), Math.round(at.column)];
  for (let r = Math.max(0, row - reach); r <= Math.min(image.rows - 1, row + reach); r += 1) {
    for (let c = Math.max(0, column - reach); c <= Math.min(image.columns - 1, column + reach); c += 1) {
      sum += image.values[r * image.columns + c];
      count += 1;
    }
  }
  return count === 0 ? 0 : sum / count;
}

function deviation(image: Grey, box: Box, under: (row: number, column: number) => boolean): number {
  let [sum, squares, count] = [0, 0, 0];
  for (let row = box.row0; row < box.row1; row += 1) {
    for (let column = box.column0; column < box.column1; column += 1) {
      if (!under(row, column)) continue;
      const value = image.values[row * image.columns + column];
      sum += value;
      squares += value * value;
      count += 1;
    }
  }
  return count === 0 ? 0 : Math.sqrt(Math.max(0, squares / count - (sum / count) ** 2));
}
