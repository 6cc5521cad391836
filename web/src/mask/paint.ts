/** Tools that change a mask in place. Each returns the box within which pixels may have changed. */
import { clipped, EMPTY, union, type Box, type Mask, type Point } from "./mask";

/** Paints a stroke of a round brush from one point to another: every pixel whose centre is within the radius. */
export function stroke(mask: Mask, from: Point, to: Point, radius: number, value: 0 | 1): Box {
  const box = strokeBox(mask, from, to, radius);
  const [dr, dc] = [to.row - from.row, to.column - from.column];
  const squared = dr * dr + dc * dc;
  const limit = Math.max(radius, 0.5) ** 2;
  for (let row = box.row0; row < box.row1; row += 1) {
    for (let column = box.column0; column < box.column1; column += 1) {
      const [r, c] = [row - from.row, column - from.column];
      const along = squared === 0 ? 0 : Math.max(0, Math.min(1, (r * dr + c * dc) / squared));
      if ((r - along * dr) ** 2 + (c - along * dc) ** 2 <= limit) mask.data[row * mask.columns + column] = value;
    }
  }
  return box;
}

export function strokeBox(mask: { rows: number; columns: number }, from: Point, to: Point, radius: number): Box {
  const reach = Math.max(radius, 0.5);
  return clipped(
    {
      row0: Math.floor(Math.min(from.row, to.row) - reach),
      column0: Math.floor(Math.min(from.column, to.column) - reach),
      row1: Math.ceil(Math.max(from.row, to.row) + reach) + 1,
      column1: Math.ceil(Math.max(from.column, to.column) + reach) + 1,
    },
    mask.rows,
    mask.columns,
  );
}

/** Fills a polygon by the even-odd rule: every pixel whose centre lies inside. */
export function fillPolygon(mask: Mask, corners: readonly Point[], value: 0 | 1): Box {
  if (corners.length < 3) return EMPTY;
  const rows = corners.map(({ row }) => row);
  const columns = corners.map(({ column }) => column);
  const box = clipped(
    {
      row0: Math.floor(Math.min(...rows)),
      column0: Math.floor(Math.min(...columns)),
      row1: Math.ceil(Math.max(...rows)) + 1,
      column1: Math.ceil(Math.max(...columns)) + 1,
    },
    mask.rows,
    mask.columns,
  );
  for (let row = box.row0; row < box.row1; row += 1) {
    const crossings = crossingsAt(corners, row);
    for (let pair = 0; pair + 1 < crossings.length; pair += 2) {
      const first = Math.max(box.column0, Math.ceil(crossings[pair]));
      const last = Math.min(box.column1 - 1, Math.floor(crossings[pair + 1]));
      if (last >= first) mask.data.fill(value, row * mask.columns + first, row * mask.columns + last + 1);
    }
  }
  return box;
}

function crossingsAt(corners: readonly Point[], row: number): number[] {
  const found: number[] = [];
  corners.forEach((a, index) => {
    const b = corners[(index + 1) % corners.length];
    if (a.row <= row === b.row <= row) return;
    found.push(a.column + ((b.column - a.column) * (row - a.row)) / (b.row - a.row));
  });
  return found.sort((x, y) => x - y);
}

/** Moves a region by whole pixels; what leaves the image is lost, what it covers is joined. */
export function moveRegion(mask: Mask, region: { box: Box; crop: Mask }, down: number, right: number): Box {
  const { box, crop } = region;
  const moved: Box = {
    row0: box.row0 + down,
    row1: box.row1 + down,
    column0: box.column0 + right,
    column1: box.column1 + right,
  };
  place(mask, box, crop, 0);
  place(mask, moved, crop, 1);
  return clipped(union(box, moved), mask.rows, mask.columns);
}

/** Sets a crop's foreground to a value where it lies in the image. */
export function place(mask: Mask, box: Box, crop: Mask, value: 0 | 1): void {
  for (let row = 0; row < crop.rows; row += 1) {
    const r = box.row0 + row;
    if (r < 0 || r >= mask.rows) continue;
    for (let column = 0; column < crop.columns; column += 1) {
      const c = box.column0 + column;
      if (c < 0 || c >= mask.columns || crop.data[row * crop.columns + column] === 0) continue;
      mask.data[r * mask.columns + c] = value;
    }
  }
}

/** The value under a point; 0 beyond the image. */
export function valueAt(mask: Mask, point: Point): 0 | 1 {
  const [row, column] = [Math.round(point.row), Math.round(point.column)];
  if (row < 0 || column < 0 || row >= mask.rows || column >= mask.columns) return 0;
  return mask.data[row * mask.columns + column] === 1 ? 1 : 0;
}
