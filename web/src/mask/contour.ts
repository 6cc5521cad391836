/** Contours along the edges of the pixels, so that what is drawn is what is stored. */
import { clipped, isEmptyBox, type Box, type Mask } from "./mask";

/** Closed rings of lattice corners (row, column) in turn, flat; pixel (0, 0) reaches from 0 to 1 along both axes. */
export type Ring = readonly number[];

const [RIGHT, DOWN, LEFT, UP] = [0, 1, 2, 3] as const;
const STEP_ROW = [0, 1, 0, -1];
const STEP_COLUMN = [1, 0, -1, 0];

/** All rings of a mask, or of its part within a box; the foreground lies to the right of the direction of travel. */
export function rings(mask: Mask, within?: Box): Ring[] {
  const box = within === undefined ? { row0: 0, column0: 0, row1: mask.rows, column1: mask.columns } : clipped(within, mask.rows, mask.columns);
  if (isEmptyBox(box)) return [];
  const width = box.column1 - box.column0;
  const inside = (row: number, column: number): boolean =>
    row >= box.row0 && row < box.row1 && column >= box.column0 && column < box.column1 && mask.data[row * mask.columns + column] === 1;
  const seen = new Uint8Array((box.row1 - box.row0) * width);
  const found: Ring[] = [];
  for (let row = box.row0; row < box.row1; row += 1) {
    for (let column = box.column0; column < box.column1; column += 1) {
      const index = (row - box.row0) * width + column - box.column0;
      if (seen[index] === 1 || !inside(row, column) || inside(row - 1, column)) continue;
      found.push(
        traced(row, column, inside, (r, c) => {
          seen[(r - box.row0) * width + c - box.column0] = 1;
        }),
      );
    }
  }
  return found;
}

/** Follows one ring from the upper left corner of a pixel whose upper side is an edge. */
function traced(
  startRow: number,
  startColumn: number,
  inside: (row: number, column: number) => boolean,
  passUpperSide: (row: number, column: number) => void,
): Ring {
  const ring: number[] = [];
  let [row, column, direction] = [startRow, startColumn, RIGHT as number];
  do {
    ring.push(row, column);
    do {
      if (direction === RIGHT) passUpperSide(row, column);
      row += STEP_ROW[direction];
      column += STEP_COLUMN[direction];
    } while (next(direction, row, column, inside) === direction);
    direction = next(direction, row, column, inside);
  } while (row !== startRow || column !== startColumn || direction !== RIGHT);
  return ring;
}

/** Where to go on at a corner. Pixels that touch by a corner alone are joined there, as regions are. */
function next(direction: number, row: number, column: number, inside: (row: number, column: number) => boolean): number {
  // The four pixels around the corner, seen in the direction of travel.
  const [aheadLeft, aheadRight] = ahead(direction, row, column, inside);
  if (aheadLeft) return (direction + 3) % 4;
  return aheadRight ? direction : (direction + 1) % 4;
}

function ahead(
  direction: number,
  row: number,
  column: number,
  inside: (row: number, column: number) => boolean,
): [boolean, boolean] {
  switch (direction) {
    case RIGHT:
      return [inside(row - 1, column), inside(row, column)];
    case DOWN:
      return [inside(row, column), inside(row, column - 1)];
    case LEFT:
      return [inside(row, column - 1), inside(row - 1, column - 1)];
    case UP:
    default:
      return [inside(row - 1, column - 1), inside(row - 1, column)];
  }
}

/** The area that a ring encloses; negative for a hole. */
export function signedArea(ring: Ring): number {
  let twice = 0;
  for (let index = 0; index < ring.length; index += 2) {
    const after = (index + 2) % ring.length;
    twice += ring[index + 1] * ring[after] - ring[after + 1] * ring[index];
  }
  return twice / 2;
}

/** The length of a mask's contours in units of the steps. The staircase of the pixels is smoothed first: it is longer than what it stands for. */
export function perimeter(mask: Mask, steps: readonly [number, number] = [1, 1]): number {
  let total = 0;
  for (const ring of rings(mask)) {
    const path = smoothedPath(edgeMiddles(ring));
    path.forEach(([row, column], index) => {
      const [afterRow, afterColumn] = path[(index + 1) % path.length];
      total += Math.hypot((afterRow - row) * steps[0], (afterColumn - column) * steps[1]);
    });
  }
  return total;
}

/** The middle of each unit edge. */
function edgeMiddles(ring: Ring): [number, number][] {
  const middles: [number, number][] = [];
  for (let index = 0; index < ring.length; index += 2) {
    const after = (index + 2) % ring.length;
    const [dr, dc] = [ring[after] - ring[index], ring[after + 1] - ring[index + 1]];
    const length = Math.abs(dr) + Math.abs(dc);
    for (let step = 0.5; step < length; step += 1) {
      middles.push([ring[index] + (dr / length) * step, ring[index + 1] + (dc / length) * step]);
    }
  }
  return middles;
}

/** Each point becomes the mean of itself and two on either side; short rings stay as they are. */
function smoothedPath(points: [number, number][]): [number, number][] {
  if (points.length < 16) return points;
  return points.map((_, index) => {
    let [row, column] = [0, 0];
    for (let step = -2; step <= 2; step += 1) {
      const [r, c] = points[(index + step + points.length) % points.length];
      row += r / 5;
      column += c / 5;
    }
    return [row, column];
  });
}
