/** A brush that grows to edges. */
import { place, strokeBox } from "./paint";
import { clipped, emptyMask, type Box, type Mask, type Point } from "./mask";
import { holesFilled } from "./tidy";

export interface Grey {
  readonly rows: number;
  readonly columns: number;
  /** rows * columns values in row-major order. */
  readonly values: ArrayLike<number>;
}

/** Two kinds of tissue lie under the brush where their means are so many of their standard deviations apart. */
const APART = 3.2;

/**
 * Adds the pixels under a round brush that hang together with its centre and are of the tissue there.
 *
 * Speckle is smoothed away, and the grey levels under the brush are parted in two by Otsu's threshold. Where the two parts
 * are no further apart than one spread of levels parted in the middle, there is no edge, and the whole disc is painted.
 *
 * Source of the threshold: Otsu 1979, doi 10.1109/TSMC.1979.4310076.
 */
export function smartStroke(mask: Mask, image: Grey, at: Point, radius: number): Box {
  const box = strokeBox(mask, at, at, radius);
  const [row0, column0] = [Math.round(at.row), Math.round(at.column)];
  if (row0 < 0 || column0 < 0 || row0 >= mask.rows || column0 >= mask.columns) return box;
  const crop = emptyMask(box.row1 - box.row0, box.column1 - box.column0);
  const grey = smoothedIn(image, box, Math.max(1, Math.round(radius / 6)));
  const limit = Math.max(radius, 0.5) ** 2;
  const under = (row: number, column: number): boolean => (row + box.row0 - at.row) ** 2 + (column + box.column0 - at.column) ** 2 <= limit;
  const levels = grey.filter((_, index) => under(Math.floor(index / crop.columns), index % crop.columns));
  const centre = (row0 - box.row0) * crop.columns + column0 - box.column0;
  const edge = edgeLevel(levels);
  const like = edge === null ? () => true : (value: number) => value > edge === grey[centre] > edge;
  const queue = [centre];
  crop.data[centre] = 1;
  for (let index = queue.pop(); index !== undefined; index = queue.pop()) {
    const row = Math.floor(index / crop.columns);
    const column = index - row * crop.columns;
    for (const [r, c] of [[row - 1, column], [row + 1, column], [row, column - 1], [row, column + 1]]) {
      const next = r * crop.columns + c;
      if (r < 0 || r >= crop.rows || c < 0 || c >= crop.columns || crop.data[next] === 1 || !under(r, c) || !like(grey[next])) continue;
      crop.data[next] = 1;
      queue.push(next);
    }
  }
  place(mask, box, holesFilled(crop), 1);
  return box;
}

/** The means of the squares around each pixel of a box, by sums over all that lie above and left. */
function smoothedIn(image: Grey, box: Box, reach: number): Float64Array {
  const wide = clipped({ row0: box.row0 - reach, column0: box.column0 - reach, row1: box.row1 + reach, column1: box.column1 + reach }, image.rows, image.columns);
  const width = wide.column1 - wide.column0 + 1;
  const sums = new Float64Array((wide.row1 - wide.row0 + 1) * width);
  for (let row = wide.row0; row < wide.row1; row += 1) {
    let line = 0;
    for (let column = wide.column0; column < wide.column1; column += 1) {
      line += image.values[row * image.columns + column];
      const here = (row - wide.row0 + 1) * width + column - wide.column0 + 1;
      sums[here] = sums[here - width] + line;
    }
  }
  const columns = box.column1 - box.column0;
  return Float64Array.from({ length: (box.row1 - box.row0) * columns }, (_, index) => {
    const [row, column] = [box.row0 + Math.floor(index / columns), box.column0 + (index % columns)];
    const [top, bottom] = [Math.max(row - reach, wide.row0), Math.min(row + reach + 1, wide.row1)];
    const [left, right] = [Math.max(column - reach, wide.column0), Math.min(column + reach + 1, wide.column1)];
    const at = (r: number, c: number): number => sums[(r - wide.row0) * width + c - wide.column0];
    return (at(bottom, right) - at(top, right) - at(bottom, left) + at(top, left)) / ((bottom - top) * (right - left));
  });
}

/** The level that parts the values best in two; null where they are one kind. */
function edgeLevel(values: Float64Array): number | null {
  const sorted = values.slice().sort();
  const total = sorted.reduce((sum, value) => sum + value, 0);
  const squares = sorted.reduce((sum, value) => sum + value * value, 0);
  let [best, level, below, step] = [0, 0, 0, 0];
  for (let count = 1; count < sorted.length; count += 1) {
    below += sorted[count - 1];
    if (sorted[count] === sorted[count - 1]) continue;
    const apart = (total - below) / (sorted.length - count) - below / count;
    const between = count * (sorted.length - count) * apart * apart;
    if (between > best) [best, level, step] = [between, (sorted[count] + sorted[count - 1]) / 2, apart];
  }
  const within = Math.max(0, squares - (total * total) / sorted.length - best / sorted.length) / sorted.length;
  return step > APART * Math.sqrt(within) ? level : null;
}
