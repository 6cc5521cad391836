/** Half-open, in pixels: first row, first column, last row + 1, last column + 1. */
export type Box = readonly [row0: number, column0: number, row1: number, column1: number];

/** Rows and columns of a box. */
export function boxShape(box: Box): [rows: number, columns: number] {
  return [box[2] - box[0], box[3] - box[1]];
}

/** What two boxes share; null where they share nothing. */
export function intersection(a: Box, b: Box): Box | null {
  const shared: Box = [
    Math.max(a[0], b[0]),
    Math.max(a[1], b[1]),
    Math.min(a[2], b[2]),
    Math.min(a[3], b[3]),
  ];
  return shared[0] < shared[2] && shared[1] < shared[3] ? shared : null;
}
