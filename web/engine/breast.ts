/** "The box around the breast" of docs/reference/bundle.md. */
import type { Box } from "./box";
import { stretched } from "./intensity";
import { quantile, roundEven } from "./numbers";
import { plane, type Plane } from "./plane";
import { connectedRegions } from "./regions";
import { resize } from "./resize";

const COPY_SIDE = 256;
const BINS = 256;
/** Of the row r of the disc of 11 x 11, how far it reaches to either side of its middle. */
const DISC = [0, 3, 4, 5, 5, 5, 5, 5, 4, 3, 0];
const DISC_RADIUS = 5;

/** True pixels, row by row. */
interface Bits {
  readonly rows: number;
  readonly columns: number;
  readonly data: Uint8Array;
}

/**
 * The breast of a mammogram: one value a pixel, 1 within it.
 *
 * @param values (rows, columns) grey levels with a dark background.
 * @returns null where there is no even, dark background to tell it from, as in a part cut out of a mammogram.
 */
export function breastRegion(values: ArrayLike<number>, rows: number, columns: number): Uint8Array | null {
  return regionOf(plane(rows, columns, stretched(values)))?.data ?? null;
}

/** Which part of a mammogram holds the breast, and whether its chest wall is to be turned to the left. */
export function breastBox(unit: Plane): { box: Box; mirrored: boolean } {
  const { rows, columns } = unit;
  const region = regionOf(unit);
  if (!region) return { box: [0, 0, rows, columns], mirrored: false };
  const box = widened(tightest(region), roundEven(0.01 * Math.max(rows, columns)), rows, columns);
  return { box, mirrored: isRightHeavy(region, box) };
}

function regionOf(unit: Plane): Bits | null {
  const { rows, columns } = unit;
  const scale = COPY_SIDE / Math.max(rows, columns);
  const small = resize(
    unit,
    Math.max(1, roundEven(rows * scale)),
    Math.max(1, roundEven(columns * scale)),
  );
  const root = plane(small.rows, small.columns, small.data.map(Math.sqrt));
  const found = breastOf(root);
  if (!found) return null;
  const region = nearest(found, rows, columns);
  const outside = unit.data.filter((_, i) => !region.data[i]);
  if (outside.length === 0 || outside.length === region.data.length) return null;
  return quantile(outside, 0.5) > 0.25 ? null : region;
}

/** The breast on the copy; null where there is none to tell. */
function breastOf(root: Plane): Bits | null {
  const { rows, columns, data } = root;
  const [low, high] = range(data);
  if (high - low < 0.001) return null;
  const threshold = otsu(data, low, high);
  const middle = (mean(data.filter((v) => v > threshold)) + mean(data.filter((v) => v <= threshold))) / 2;
  const { level, spread } = background(root);
  if (spread > 0.25 * (middle - level)) return null;
  const limit = level + 0.35 * (middle - level);
  const bright: Bits = { rows, columns, data: Uint8Array.from(data, (value) => Number(value > limit)) };
  const largest = largestRegion(opened(bright));
  if (!largest) return null;
  const grown = dilated(largest, 0);
  const whole = { ...grown, data: grown.data.map((value, i) => value & bright.data[i]) };
  return filledToTheWall(withoutHoles(whole));
}

/** The centre of the bin that splits the values best; the first of equals. */
function otsu(values: Float32Array, low: number, high: number): number {
  const counts = new Float64Array(BINS);
  const width = (high - low) / BINS;
  const edge = (bin: number): number => (bin === BINS ? high : low + bin * width);
  for (const value of values) {
    let bin = Math.min(BINS - 1, Math.floor((value - low) / width));
    if (value < edge(bin)) bin--;
    else if (bin < BINS - 1 && value >= edge(bin + 1)) bin++;
    counts[bin]++;
  }
  const centre = (bin: number): number => (edge(bin) + edge(bin + 1)) / 2;
  let total = 0;
  counts.forEach((count, bin) => (total += count * centre(bin)));
  let [best, found, below, sum] = [-1, centre(0), 0, 0];
  for (let bin = 0; bin < BINS - 1; bin++) {
    below += counts[bin];
    sum += counts[bin] * centre(bin);
    const above = values.length - below;
    if (!below || !above) continue;
    const variance = below * above * (sum / below - (total - sum) / above) ** 2;
    if (variance > best) [best, found] = [variance, centre(bin)];
  }
  return found;
}

/** Of the strip along a side that is darkest. */
function background(root: Plane): { level: number; spread: number } {
  const high = Math.max(1, roundEven(0.04 * root.rows));
  const wide = Math.max(1, roundEven(0.04 * root.columns));
  const strips = [
    part(root, [0, 0, high, root.columns]),
    part(root, [root.rows - high, 0, root.rows, root.columns]),
    part(root, [0, 0, root.rows, wide]),
    part(root, [0, root.columns - wide, root.rows, root.columns]),
  ].map((strip) => [0.5, 0.75, 0.25].map((fraction) => quantile(strip, fraction)));
  strips.sort((a, b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2]);
  const [level, upper, lower] = strips[0];
  return { level, spread: upper - lower };
}

function part(root: Plane, [top, left, bottom, right]: Box): number[] {
  const values: number[] = [];
  for (let row = top; row < bottom; row++) {
    for (let column = left; column < right; column++) values.push(root.data[row * root.columns + column]);
  }
  return values;
}

/** Eroded, then dilated; outside the copy all is dark. */
function opened(bits: Bits): Bits {
  return dilated(inverted(dilated(inverted(bits), 1)), 0);
}

function inverted(bits: Bits): Bits {
  return { ...bits, data: bits.data.map((value) => 1 - value) };
}

/** By the disc; `beyond` is what lies outside. */
function dilated({ rows, columns, data }: Bits, beyond: 0 | 1): Bits {
  const result = new Uint8Array(data.length);
  const isSet = (row: number, column: number): boolean =>
    row < 0 || column < 0 || row >= rows || column >= columns
      ? beyond === 1
      : data[row * columns + column] === 1;
  // For each row and reach of the disc: how many set pixels lie before a column.
  for (let row = 0; row < rows; row++) {
    for (let down = -DISC_RADIUS; down <= DISC_RADIUS; down++) {
      const reach = DISC[down + DISC_RADIUS];
      let within = 0;
      for (let column = -reach; column < reach; column++) within += Number(isSet(row + down, column));
      for (let column = 0; column < columns; column++) {
        within += Number(isSet(row + down, column + reach));
        if (within) result[row * columns + column] = 1;
        within -= Number(isSet(row + down, column - reach));
      }
    }
  }
  return { rows, columns, data: result };
}

function largestRegion(bits: Bits): Bits | null {
  const { labels, sizes } = connectedRegions(bits.rows, bits.columns, (i) => bits.data[i] === 1);
  if (!sizes.length) return null;
  const label = 1 + sizes.indexOf(Math.max(...sizes));
  return { ...bits, data: Uint8Array.from(labels, (value) => Number(value === label)) };
}

/** With the dark parts filled that do not reach the border by sides. */
function withoutHoles({ rows, columns, data }: Bits): Bits {
  const outside = new Uint8Array(data.length);
  const waiting: number[] = [];
  const visit = (row: number, column: number): void => {
    const at = row * columns + column;
    if (row < 0 || column < 0 || row >= rows || column >= columns || data[at] || outside[at]) return;
    outside[at] = 1;
    waiting.push(at);
  };
  for (let row = 0; row < rows; row++) [0, columns - 1].forEach((column) => { visit(row, column); });
  for (let column = 0; column < columns; column++) [0, rows - 1].forEach((row) => { visit(row, column); });
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    const row = Math.floor(at / columns);
    const column = at - row * columns;
    visit(row - 1, column);
    visit(row + 1, column);
    visit(row, column - 1);
    visit(row, column + 1);
  }
  return { rows, columns, data: outside.map((value) => 1 - value) };
}

/** With every row filled from the chest wall, where there is one to tell. */
function filledToTheWall(region: Bits): Bits {
  const { rows, columns } = region;
  const line = (row: number): Uint8Array => region.data.subarray(row * columns, (row + 1) * columns);
  const filledRows = Array.from({ length: rows }, (_, row) => row).filter((row) => line(row).includes(1));
  if (!filledRows.length) return region;
  const gaps = [
    filledRows.map((row) => line(row).indexOf(1)),
    filledRows.map((row) => columns - 1 - line(row).lastIndexOf(1)),
  ];
  const spread = gaps.map((gap) => quantile(gap, 0.75) - quantile(gap, 0.25));
  if (2 * Math.min(...spread) >= Math.max(...spread)) return region;
  const onRight = spread[1] < spread[0];
  const distance = Math.floor(quantile(gaps[Number(onRight)], 0.05));
  const data = region.data.slice();
  for (const row of filledRows) {
    const from = row * columns;
    if (onRight) data.fill(1, Math.min(from + line(row).indexOf(1), from + columns - distance), from + columns - distance);
    else data.fill(1, from + distance, Math.max(from + distance, from + line(row).lastIndexOf(1) + 1));
  }
  return { rows, columns, data };
}

function nearest(bits: Bits, rows: number, columns: number): Bits {
  const data = new Uint8Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    const y = Math.floor(((row + 0.5) * bits.rows) / rows);
    for (let column = 0; column < columns; column++) {
      const x = Math.floor(((column + 0.5) * bits.columns) / columns);
      data[row * columns + column] = bits.data[y * bits.columns + x];
    }
  }
  return { rows, columns, data };
}

function tightest({ rows, columns, data }: Bits): Box {
  let [top, left, bottom, right] = [rows, columns, 0, 0];
  for (let row = 0; row < rows; row++) {
    const line = data.subarray(row * columns, (row + 1) * columns);
    const first = line.indexOf(1);
    if (first < 0) continue;
    top = Math.min(top, row);
    bottom = row + 1;
    left = Math.min(left, first);
    right = Math.max(right, line.lastIndexOf(1) + 1);
  }
  return [top, left, bottom, right];
}

function widened([top, left, bottom, right]: Box, margin: number, rows: number, columns: number): Box {
  return [
    Math.max(0, top - margin),
    Math.max(0, left - margin),
    Math.min(rows, bottom + margin),
    Math.min(columns, right + margin),
  ];
}

function isRightHeavy({ columns, data }: Bits, [top, left, bottom, right]: Box): boolean {
  const half = left + Math.floor((right - left) / 2);
  let balance = 0;
  for (let row = top; row < bottom; row++) {
    for (let column = left; column < right; column++) {
      if (data[row * columns + column]) balance += column < half ? -1 : 1;
    }
  }
  return balance > 0;
}

function range(values: Float32Array): [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return [low, high];
}

function mean(values: Float32Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}
