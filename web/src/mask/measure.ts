/** What a radiologist reads off each lesion of a mask. */
import { perimeter } from "./contour";
import { diameters, hull, type Diameter, type Steps } from "./diameters";
import type { Mask, Point } from "./mask";
import { regionsOf, type Region } from "./regions";

export interface Measured {
  region: Region;
  /** "px" where the spacing is not known; areas are in its square. */
  unit: "mm" | "px";
  longest: Diameter;
  perpendicular: Diameter;
  area: number;
  perimeter: number;
  /** 4 pi area / perimeter²: 1 for a disc, less for other shapes. */
  circularity: number;
  /** Area over that of the convex hull: 1 where nothing is bent inwards. */
  solidity: number;
  /** Height over width of the box: above 1 the lesion is taller than wide. */
  tallerThanWide: number;
}

/** The spacing of a 2-D image where a point lies, (row, column) in mm; null where it is not known. */
export type SpacingAt = (region: Region) => Steps | null;

/** The lesions of a mask, the largest first. */
export function measuredLesions(mask: Mask, spacingAt: SpacingAt): Measured[] {
  return regionsOf(mask).map((region) => measured(region, spacingAt(region)));
}

function measured(region: Region, spacing: Steps | null): Measured {
  const steps: Steps = spacing ?? [1, 1];
  const [longest, perpendicular] = diameters(region.crop, steps).map((line) => shifted(line, region));
  const area = region.pixels * steps[0] * steps[1];
  const around = perimeter(region.crop, steps);
  return {
    region,
    unit: spacing === null ? "px" : "mm",
    longest,
    perpendicular,
    area,
    perimeter: around,
    circularity: Math.min(1, (4 * Math.PI * area) / around ** 2),
    solidity: Math.min(1, area / hullArea(region.crop, steps)),
    tallerThanWide: (region.crop.rows * steps[0]) / (region.crop.columns * steps[1]),
  };
}

function shifted(line: Diameter, region: Region): Diameter {
  const move = ({ row, column }: Point): Point => ({ row: row + region.box.row0, column: column + region.box.column0 });
  return { length: line.length, ends: [move(line.ends[0]), move(line.ends[1])] };
}

function hullArea(crop: Mask, steps: Steps): number {
  const corners: [number, number][] = [];
  for (let row = 0; row < crop.rows; row += 1) {
    const line = crop.data.subarray(row * crop.columns, (row + 1) * crop.columns);
    const [first, last] = [line.indexOf(1), line.lastIndexOf(1)];
    if (first < 0) continue;
    for (const r of [row, row + 1]) corners.push([r * steps[0], first * steps[1]], [r * steps[0], (last + 1) * steps[1]]);
  }
  const points = hull(corners);
  const centre = [0, 1].map((axis) => points.reduce((sum, point) => sum + point[axis], 0) / points.length);
  const around = [...points].sort((a, b) => Math.atan2(a[0] - centre[0], a[1] - centre[1]) - Math.atan2(b[0] - centre[0], b[1] - centre[1]));
  let twice = 0;
  around.forEach((a, index) => {
    const b = around[(index + 1) % around.length];
    twice += a[1] * b[0] - b[1] * a[0];
  });
  return Math.abs(twice) / 2;
}
