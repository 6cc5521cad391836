/** "Resizing" of docs/reference/bundle.md: a triangle filter on half-pixel centres. */
import { plane, type Plane } from "./plane";

export interface Taps {
  /** The first input of each output. */
  readonly first: Int32Array;
  /** The weights of each output, which add up to 1. */
  readonly weights: readonly Float64Array[];
}

/** A plane of another size: along the columns, then along the rows, float32 in between. */
export function resize(source: Plane, rows: number, columns: number): Plane {
  return alongRows(alongColumns(source, columns), rows);
}

function alongColumns(source: Plane, columns: number): Plane {
  if (columns === source.columns) return source;
  const { first, weights } = taps(source.columns, columns);
  const result = plane(source.rows, columns);
  for (let row = 0; row < source.rows; row++) {
    const from = row * source.columns;
    for (let column = 0; column < columns; column++) {
      const of = weights[column];
      const start = from + first[column];
      let sum = 0;
      for (let k = 0; k < of.length; k++) sum += of[k] * source.data[start + k];
      result.data[row * columns + column] = sum;
    }
  }
  return result;
}

function alongRows(source: Plane, rows: number): Plane {
  if (rows === source.rows) return source;
  const { first, weights } = taps(source.rows, rows);
  const { columns, data } = source;
  const result = plane(rows, columns);
  const line = new Float64Array(columns);
  for (let row = 0; row < rows; row++) {
    line.fill(0);
    weights[row].forEach((weight, k) => {
      const from = (first[row] + k) * columns;
      for (let column = 0; column < columns; column++) line[column] += weight * data[from + column];
    });
    result.data.set(line, row * columns);
  }
  return result;
}

/** The weights of a triangle filter from one length to another. */
export function taps(given: number, wanted: number): Taps {
  const step = given / wanted;
  const reach = Math.max(step, 1);
  const first = new Int32Array(wanted);
  const weights: Float64Array[] = [];
  for (let i = 0; i < wanted; i++) {
    const centre = (i + 0.5) * step;
    first[i] = Math.max(0, Math.floor(centre - reach + 0.5));
    const last = Math.min(given, Math.floor(centre + reach + 0.5));
    const of = new Float64Array(last - first[i]);
    let sum = 0;
    for (let k = 0; k < of.length; k++) {
      of[k] = Math.max(0, 1 - Math.abs(first[i] + k + 0.5 - centre) / reach);
      sum += of[k];
    }
    weights.push(of.map((weight) => weight / sum));
  }
  return { first, weights };
}
