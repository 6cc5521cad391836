/** The grid of a file that states how far a voxel is from the next along each axis. */
import type { Sides, VolumeGrid } from "../volume";
import { unreadable, unsupported } from "./raster";

export type Vector = readonly [number, number, number];
/** Rows. */
export type Matrix = readonly [Vector, Vector, Vector];

/** Axes that are no further off the right angle are taken for perpendicular. */
export const MOST_SKEWED = Math.PI / 180;
/** Of cosines that a file keeps in single precision. */
const ROUNDING = 1e-6;
const TOLD = (0.01 * Math.PI) / 180;

/**
 * @param shape (slices, rows, columns).
 * @param axes each column is a step along the file's first, second and third axis, (x, y, z) in LPS, millimetres.
 * @param origin (x, y, z) of the first voxel's centre.
 */
export function placeAxes(shape: Sides, axes: Matrix, origin: Vector, name: string): { grid: VolumeGrid; remarks: string[] } {
  const lengths = lengthsOf(axes);
  if (!axes.every(isFinite3) || !isFinite3(origin) || !lengths.every((length) => length > 0)) {
    throw unreadable(`${name}: states steps that make no grid`, "finite positions and steps above 0 along each axis");
  }
  let square = axes.map((row) => row.map((value, k) => value / lengths[k])) as unknown as Matrix;
  const skew = skewness(axes);
  const degrees = Number(((skew * 180) / Math.PI).toPrecision(2));
  if (skew > MOST_SKEWED) {
    throw unsupported(`${name}: has axes ${degrees} degrees off the right angle`, "at most 1", "resample it to a grid with perpendicular axes");
  }
  if (skew > ROUNDING) square = nearestRotation(square);
  const remarks =
    skew > TOLD ? [`the axes of the file are ${degrees} degrees off the right angle, and were taken for perpendicular`] : [];
  const [x, y, z] = square;
  return {
    grid: {
      shape,
      spacingMm: [lengths[2], lengths[1], lengths[0]],
      originMm: [origin[2], origin[1], origin[0]],
      direction: [z, y, x].flatMap((row) => [row[2], row[1], row[0]]),
    },
    remarks,
  };
}

/** How far the columns are off the right angle, in radians; the largest of the three. */
export function skewness(axes: Matrix): number {
  const lengths = lengthsOf(axes);
  let most = 0;
  for (let i = 0; i < 3; i++) {
    for (let j = 0; j < 3; j++) {
      const cosine = axes.reduce((sum, row) => sum + (row[i] * row[j]) / (lengths[i] * lengths[j]), i === j ? -1 : 0);
      if (!Number.isFinite(cosine)) return Math.PI / 2;
      most = Math.max(most, Math.abs(cosine));
    }
  }
  return Math.asin(Math.min(1, most));
}

/** The orthogonal factor of a polar decomposition, by Newton's iteration (Higham 1986, doi 10.1137/0907079). */
function nearestRotation(start: Matrix): Matrix {
  let square = start;
  for (let round = 0; round < 20; round++) {
    const [a, b, c] = square;
    const [bc, ca, ab] = [cross(b, c), cross(c, a), cross(a, b)];
    const determinant = a[0] * bc[0] + a[1] * bc[1] + a[2] * bc[2];
    const other = [bc, ca, ab];
    square = square.map((row, i) => row.map((value, k) => (value + other[i][k] / determinant) / 2)) as unknown as Matrix;
  }
  return square;
}

function cross(a: Vector, b: Vector): Vector {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

export function times(matrix: Matrix, [x, y, z]: Vector): Vector {
  const [a, b, c] = matrix.map((row) => row[0] * x + row[1] * y + row[2] * z);
  return [a, b, c];
}

export function isFinite3(vector: Vector): boolean {
  return vector.every(Number.isFinite);
}

function lengthsOf(axes: Matrix): number[] {
  return [0, 1, 2].map((k) => Math.hypot(axes[0][k], axes[1][k], axes[2][k]));
}
