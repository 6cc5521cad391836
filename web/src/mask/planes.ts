/** A volume's other planes, made of its slices. */
import type { Frame } from "../backend/backend";
import type { Mask } from "./mask";

export type Plane = "row" | "column";

interface Slices<T> {
  readonly rows: number;
  readonly columns: number;
  /** By slice; undefined where it is not loaded yet. */
  readonly of: (slice: number) => T | undefined;
  readonly count: number;
}

/** The values of all slices along one row or one column: (slices, columns) or (slices, rows). */
export function reformatted(slices: Slices<ArrayLike<number>>, plane: Plane, at: number): Frame {
  const across = plane === "row" ? slices.columns : slices.rows;
  const values = new Float32Array(slices.count * across);
  for (let slice = 0; slice < slices.count; slice += 1) {
    const source = slices.of(slice);
    if (source === undefined) continue;
    for (let index = 0; index < across; index += 1) {
      values[slice * across + index] = source[plane === "row" ? at * slices.columns + index : index * slices.columns + at];
    }
  }
  return { rows: slices.count, columns: across, channels: 1, values };
}

/** The mask of a volume in the same plane. */
export function reformattedMask(slices: Slices<Uint8Array>, plane: Plane, at: number): Mask {
  const { rows, columns, values } = reformatted(slices, plane, at);
  return { rows, columns, data: Uint8Array.from(values) };
}
