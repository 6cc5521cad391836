/** Connected regions of a mask. Pixels that touch by a side or a corner belong to one region, as everywhere in breastseg. */
import type { Box, Mask } from "./mask";

export interface Region {
  /** From 1, the largest first; ties by the first pixel. */
  number: number;
  box: Box;
  pixels: number;
  /** The region on its own box, row-major, 0 or 1. */
  crop: Mask;
}

/** Labels each pixel: 0 outside, from 1 by the first pixel in row-major order. */
export function labelled(mask: Mask, corners = true): { labels: Int32Array; count: number } {
  const { rows, columns, data } = mask;
  const labels = new Int32Array(data.length);
  const stack: number[] = [];
  let count = 0;
  for (let start = 0; start < data.length; start += 1) {
    if (data[start] === 0 || labels[start] !== 0) continue;
    count += 1;
    labels[start] = count;
    stack.push(start);
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      const row = Math.floor(at / columns);
      const column = at - row * columns;
      for (let down = -1; down <= 1; down += 1) {
        const r = row + down;
        if (r < 0 || r >= rows) continue;
        for (let right = -1; right <= 1; right += 1) {
          const c = column + right;
          if (c < 0 || c >= columns || (!corners && down !== 0 && right !== 0)) continue;
          const next = r * columns + c;
          if (data[next] === 1 && labels[next] === 0) {
            labels[next] = count;
            stack.push(next);
          }
        }
      }
    }
  }
  return { labels, count };
}

/** The regions of a mask, the largest first; ties by position. */
export function regionsOf(mask: Mask): Region[] {
  const { columns } = mask;
  const { labels, count } = labelled(mask);
  const boxes: Box[] = Array.from({ length: count }, () => ({
    row0: mask.rows,
    column0: columns,
    row1: 0,
    column1: 0,
  }));
  const pixels = new Int32Array(count);
  labels.forEach((label, index) => {
    if (label === 0) return;
    const row = Math.floor(index / columns);
    const column = index - row * columns;
    const box = boxes[label - 1];
    pixels[label - 1] += 1;
    box.row0 = Math.min(box.row0, row);
    box.row1 = row + 1;
    box.column0 = Math.min(box.column0, column);
    box.column1 = Math.max(box.column1, column + 1);
  });
  return boxes
    .map((box, index) => ({ box, label: index + 1, pixels: pixels[index] }))
    .sort((a, b) => b.pixels - a.pixels || a.box.row0 - b.box.row0 || a.box.column0 - b.box.column0)
    .map(({ box, label, pixels: size }, index) => ({
      number: index + 1,
      box,
      pixels: size,
      crop: cropOf(labels, columns, box, label),
    }));
}

function cropOf(labels: Int32Array, columns: number, box: Box, label: number): Mask {
  const [height, width] = [box.row1 - box.row0, box.column1 - box.column0];
  const data = new Uint8Array(height * width);
  for (let row = 0; row < height; row += 1) {
    const from = (box.row0 + row) * columns + box.column0;
    for (let column = 0; column < width; column += 1) {
      if (labels[from + column] === label) data[row * width + column] = 1;
    }
  }
  return { rows: height, columns: width, data };
}

/** A region as a mask of the whole image. */
export function regionMask(region: Region, rows: number, columns: number): Mask {
  const data = new Uint8Array(rows * columns);
  const { box, crop } = region;
  for (let row = 0; row < crop.rows; row += 1) {
    data.set(crop.data.subarray(row * crop.columns, (row + 1) * crop.columns), (box.row0 + row) * columns + box.column0);
  }
  return { rows, columns, data };
}

/** The region that holds a pixel, if one does. */
export function regionAt(regions: readonly Region[], row: number, column: number): Region | undefined {
  return regions.find(({ box, crop }) => {
    const [r, c] = [row - box.row0, column - box.column0];
    return r >= 0 && c >= 0 && r < crop.rows && c < crop.columns && crop.data[r * crop.columns + c] === 1;
  });
}
