/** Connected regions: the only place that labels them. Pixels touch by a side or a corner. */
import type { Box } from "./box";
import type { Sides } from "./volume";

export interface Regions {
  /** 0 outside, k in region k; regions are numbered from 1 by their first pixel, row by row. */
  readonly labels: Int32Array;
  readonly count: number;
  /** Pixels of region k at k - 1. */
  readonly sizes: readonly number[];
  /** The tightest box around region k at k - 1. */
  readonly boxes: readonly Box[];
}

/**
 * Label the regions of a mask.
 *
 * @param inside whether pixel i, counted row by row, belongs to the mask.
 */
export function connectedRegions(rows: number, columns: number, inside: (i: number) => boolean): Regions {
  const labels = new Int32Array(rows * columns);
  for (let i = 0; i < labels.length; i++) labels[i] = inside(i) ? -1 : 0;
  const waiting: number[] = [];
  const sizes: number[] = [];
  const boxes: Box[] = [];
  for (let start = 0; start < labels.length; start++) {
    if (labels[start] !== -1) continue;
    const label = sizes.length + 1;
    let size = 0;
    let [top, left, bottom, right] = [rows, columns, 0, 0];
    labels[start] = label;
    waiting.push(start);
    for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
      const row = Math.floor(at / columns);
      const column = at - row * columns;
      size++;
      top = Math.min(top, row);
      left = Math.min(left, column);
      bottom = Math.max(bottom, row);
      right = Math.max(right, column);
      for (let y = Math.max(row - 1, 0); y <= Math.min(row + 1, rows - 1); y++) {
        for (let x = Math.max(column - 1, 0); x <= Math.min(column + 1, columns - 1); x++) {
          const near = y * columns + x;
          if (labels[near] === -1) {
            labels[near] = label;
            waiting.push(near);
          }
        }
      }
    }
    sizes.push(size);
    boxes.push([top, left, bottom + 1, right + 1]);
  }
  return { labels, count: sizes.length, sizes, boxes };
}

/** Regions of a volume; voxels touch by a face, an edge or a corner. */
export interface VolumeRegions {
  /** As of `Regions`, slice by slice. */
  readonly labels: Int32Array;
  readonly sizes: readonly number[];
  /** First and last index plus one along each axis. */
  readonly boxes: readonly (readonly number[])[];
}

/** Label the regions of a volume; `inside` as for `connectedRegions`. */
export function connectedVolumeRegions(shape: Sides, inside: (i: number) => boolean): VolumeRegions {
  const [slices, rows, columns] = shape;
  const labels = new Int32Array(slices * rows * columns);
  for (let i = 0; i < labels.length; i++) labels[i] = inside(i) ? -1 : 0;
  const waiting: number[] = [];
  const sizes: number[] = [];
  const boxes: number[][] = [];
  for (let start = labels.indexOf(-1); start >= 0; start = labels.indexOf(-1, start + 1)) {
    const label = sizes.length + 1;
    const box = [slices, rows, columns, 0, 0, 0];
    let size = 0;
    labels[start] = label;
    waiting.push(start);
    for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
      const place = [Math.floor(at / (rows * columns)), Math.floor(at / columns) % rows, at % columns];
      size++;
      place.forEach((index, axis) => {
        box[axis] = Math.min(box[axis], index);
        box[axis + 3] = Math.max(box[axis + 3], index + 1);
      });
      const [lows, highs] = [place.map((index) => Math.max(index - 1, 0)), place.map((index, axis) => Math.min(index + 1, shape[axis] - 1))];
      for (let z = lows[0]; z <= highs[0]; z++) {
        for (let y = lows[1]; y <= highs[1]; y++) {
          for (let x = lows[2]; x <= highs[2]; x++) {
            const near = (z * rows + y) * columns + x;
            if (labels[near] === -1) {
              labels[near] = label;
              waiting.push(near);
            }
          }
        }
      }
    }
    sizes.push(size);
    boxes.push(box);
  }
  return { labels, sizes, boxes };
}
