/** One channel of float32 values, row by row. */
export interface Plane {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float32Array;
}

export function plane(rows: number, columns: number, data = new Float32Array(rows * columns)): Plane {
  return { rows, columns, data };
}

/** A copy with left and right exchanged. */
export function mirrored({ rows, columns, data }: Plane): Plane {
  const result = data.slice();
  for (let row = 0; row < rows; row++) result.subarray(row * columns, (row + 1) * columns).reverse();
  return plane(rows, columns, result);
}
