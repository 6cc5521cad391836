/** Half-open, in pixels: first row, first column, last row + 1, last column + 1. */
export type Box = readonly [row0: number, column0: number, row1: number, column1: number];

/** Rows and columns of a box. */
export function boxShape(box: Box): [rows: number, columns: number] {
  return [box[2] - box[0], box[3] - box[1]];
}
