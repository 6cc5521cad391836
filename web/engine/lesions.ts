/** The lesions of a probability map, measured: the records of docs/reference/results.md. */
import { boxShape, intersection, type Box } from "./box";
import { diameters, type Diameter, type Point } from "./diameters";
import type { LesionRecord } from "./generated/results";
import type { Image, Region } from "./image";
import { rounded, significant } from "./numbers";
import type { Plane } from "./plane";
import { connectedRegions, type Regions } from "./regions";

/** Of a lesion's pixels, so many lie in the region whose scale it has. */
const INSIDE = 0.95;

/** The lesions at a threshold, the largest first. */
export function lesionRecords(probability: Plane, threshold: number, image: Image): LesionRecord[] {
  const limit = Math.fround(threshold);
  const { rows, columns, data } = probability;
  const regions = connectedRegions(rows, columns, (i) => data[i] >= limit);
  const order = regions.sizes.map((_, k) => k);
  order.sort((a, b) => regions.sizes[b] - regions.sizes[a] || compareBoxes(regions.boxes[a], regions.boxes[b]));
  return order.map((k, index) => record(index + 1, regions, k + 1, probability, image));
}

function record(number: number, regions: Regions, label: number, { columns, data }: Plane, image: Image): LesionRecord {
  const box = regions.boxes[label - 1];
  const pixels = regions.sizes[label - 1];
  const lines: [number, number, number][] = [];
  let [sum, most] = [0, 0];
  for (let row = box[0]; row < box[2]; row++) {
    let [first, last] = [-1, -1];
    for (let column = box[1]; column < box[3]; column++) {
      const at = row * columns + column;
      if (regions.labels[at] !== label) continue;
      if (first < 0) first = column;
      last = column;
      sum += data[at];
      most = Math.max(most, data[at]);
    }
    if (first >= 0) lines.push([row - box[0], first - box[1], last - box[1]]);
  }
  const spacing = spacingAt(regions, label, columns, image);
  const steps = spacing ?? ([1, 1] as const);
  const [longest, perpendicular] = diameters(lines, steps);
  return {
    number,
    box: [...box],
    pixels,
    unit: spacing ? "mm" : "px",
    longest_diameter: significant(longest.length),
    longest_diameter_ends: ends(longest, box),
    perpendicular_diameter: significant(perpendicular.length),
    perpendicular_diameter_ends: ends(perpendicular, box),
    area: significant(pixels * steps[0] * steps[1]),
    mean_probability: rounded(sum / pixels, 4),
    max_probability: rounded(most, 4),
  };
}

/**
 * The spacing where a lesion lies; null where it is not known. In an image with regions it is that of the region
 * that holds the lesion, but for a few pixels on its border; of several, that of the smallest.
 */
function spacingAt(regions: Regions, label: number, columns: number, image: Image): readonly [number, number] | null {
  if (!image.regions.length) return image.spacingMm;
  const box = regions.boxes[label - 1];
  const bySize = [...image.regions].sort((a, b) => areaOf(a.box) - areaOf(b.box));
  for (const region of bySize) {
    if (!intersection(region.box, box)) continue;
    const alike = image.regions.filter((other) => isSameScale(other, region));
    let inside = 0;
    for (let row = box[0]; row < box[2]; row++) {
      for (let column = box[1]; column < box[3]; column++) {
        const isOf = regions.labels[row * columns + column] === label;
        if (isOf && alike.some((one) => intersection(one.box, [row, column, row + 1, column + 1]))) inside++;
      }
    }
    if (inside >= INSIDE * regions.sizes[label - 1]) return region.spacingMm;
  }
  return null;
}

function isSameScale(a: Region, b: Region): boolean {
  return a.spacingMm?.[0] === b.spacingMm?.[0] && a.spacingMm?.[1] === b.spacingMm?.[1];
}

function areaOf(box: Box): number {
  const [rows, columns] = boxShape(box);
  return rows * columns;
}

function compareBoxes(a: Box, b: Box): number {
  const axis = a.findIndex((value, i) => value !== b[i]);
  return axis < 0 ? 0 : a[axis] - b[axis];
}

function ends({ ends: [first, second] }: Diameter, box: Box): [Point, Point] {
  const shifted = ([row, column]: Point): Point => [rounded(row + box[0], 2), rounded(column + box[1], 2)];
  return [shifted(first), shifted(second)];
}
