/** Step 4 of "Volumes" in docs/reference/bundle.md: a network that takes patches, on a volume of any size. */
import { roundEven } from "./numbers";
import { voxelsOf, type Sides } from "./volume";

/** Deviation of the Gaussian as a fraction of the patch's side. */
const SIGMA = 0.125;

/**
 * The mean of overlapping patches. What no later patch covers is finished at once: beside the result only one patch's
 * thickness of sums is in memory.
 *
 * @param volume (channels, ...shape).
 * @param network from (channels, ...patch) to (...patch).
 * @param onFraction told before each patch how much is done, 0 to 1; what it throws ends the run.
 */
export async function slidingWindow(
  volume: Float32Array,
  shape: Sides,
  network: (patch: Float32Array) => Promise<Float32Array>,
  patch: Sides,
  overlap: number,
  onFraction: (fraction: number) => void,
): Promise<Float32Array> {
  const [tops, lefts, fronts] = shape.map((side, axis) => starts(side, patch[axis], overlap));
  const bells = patch.map(bell);
  const inverse = shape.map((side, axis) => inverseSum([tops, lefts, fronts][axis], bells[axis], side));
  const [, rows, columns] = shape;
  const area = rows * columns;
  const result = new Float32Array(voxelsOf(shape));
  const sums = new Float32Array(patch[0] * area);
  const count = tops.length * lefts.length * fronts.length;
  let done = 0;
  for (const [index, top] of tops.entries()) {
    for (const left of lefts) {
      for (const front of fronts) {
        onFraction(done++ / count);
        // A message that cancels is received between two patches.
        await new Promise((resolve) => setTimeout(resolve));
        const found = await network(cut(volume, shape, [top, left, front], patch));
        add(found, sums, bells, patch, [left, front], [rows, columns]);
      }
    }
    const below = index + 1 === tops.length ? shape[0] : tops[index + 1];
    for (let slice = top; slice < below; slice++) {
      finish(sums.subarray((slice - top) * area, (slice - top + 1) * area), result, slice * area, inverse, slice);
    }
    sums.copyWithin(0, (below - top) * area);
    sums.fill(0, Math.max(0, patch[0] - (below - top)) * area);
  }
  return result;
}

/** Where patches begin along an axis: evenly spread, the first and last flush with the ends. */
export function starts(side: number, length: number, overlap: number): number[] {
  if (side <= length) return [0];
  const step = Math.max(1, Math.floor(length * (1 - overlap)));
  const count = Math.ceil((side - length) / step) + 1;
  return Array.from({ length: count }, (_, index) => roundEven((index * (side - length)) / (count - 1)));
}

/** A patch; beyond the volume its last voxel is repeated. */
function cut(volume: Float32Array, shape: Sides, corner: Sides, patch: Sides): Float32Array {
  const size = voxelsOf(shape);
  const result = new Float32Array((volume.length / size) * voxelsOf(patch));
  let to = 0;
  for (let from = 0; from < volume.length; from += size) {
    for (let slice = 0; slice < patch[0]; slice++) {
      const z = Math.min(corner[0] + slice, shape[0] - 1);
      for (let row = 0; row < patch[1]; row++) {
        const y = Math.min(corner[1] + row, shape[1] - 1);
        const line = from + (z * shape[1] + y) * shape[2];
        for (let column = 0; column < patch[2]; column++) {
          result[to++] = volume[line + Math.min(corner[2] + column, shape[2] - 1)];
        }
      }
    }
  }
  return result;
}

/** Add what the network gave, weighted, to the sums; what reaches beyond the volume is left out. */
function add(
  found: Float32Array,
  sums: Float32Array,
  bells: readonly Float32Array[],
  patch: Sides,
  [top, left]: readonly [number, number],
  [rows, columns]: readonly [number, number],
): void {
  for (let slice = 0; slice < patch[0]; slice++) {
    for (let row = 0; row < Math.min(patch[1], rows - top); row++) {
      const weight = bells[0][slice] * bells[1][row];
      const from = (slice * patch[1] + row) * patch[2];
      const to = (slice * rows + top + row) * columns + left;
      for (let column = 0; column < Math.min(patch[2], columns - left); column++) {
        sums[to + column] += found[from + column] * weight * bells[2][column];
      }
    }
  }
}

function finish(
  sums: Float32Array,
  result: Float32Array,
  at: number,
  [slices, rows, columns]: readonly Float32Array[],
  slice: number,
): void {
  for (let row = 0; row < rows.length; row++) {
    const factor = slices[slice] * rows[row];
    for (let column = 0; column < columns.length; column++) {
      const i = row * columns.length + column;
      result[at + i] = sums[i] * factor * columns[column];
    }
  }
}

/** A Gaussian over a patch's side, 1 in the middle. */
function bell(length: number): Float32Array {
  return Float32Array.from({ length }, (_, k) => Math.exp(-0.5 * ((k - (length - 1) / 2) / (SIGMA * length)) ** 2));
}

/** One over the sum of an axis's weights at each of its voxels. */
function inverseSum(begins: readonly number[], weights: Float32Array, side: number): Float32Array {
  const total = new Float64Array(Math.max(side, weights.length));
  for (const begin of begins) weights.forEach((weight, k) => (total[begin + k] += weight));
  return Float32Array.from(total.subarray(0, side), (sum) => 1 / sum);
}
