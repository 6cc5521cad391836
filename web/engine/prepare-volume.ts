/** Steps 2, 3 and 5 of "Volumes" in docs/reference/bundle.md: grey levels and resampling. */
import type { VolumeSpec } from "./bundle";
import type { Pixels } from "./image";
import { quantileOfSorted, stepsIn } from "./numbers";
import type { View } from "./orientation";
import { plane } from "./plane";
import { resize, taps } from "./resize";
import { voxelsOf, type Sides } from "./volume";

/** Grey levels are cut off here, 1 being the upper percentile. */
const BRIGHTEST = 8;
/** So many voxels, evenly spread, give the percentiles. */
const SAMPLE = 1e6;
const LARGEST = 1e37;

/** The shape of a volume at the network's spacing. */
export function workingShape(shape: Sides, spacingMm: Sides, { spacingMm: wanted }: VolumeSpec): Sides {
  const side = (axis: 0 | 1 | 2): number => stepsIn((shape[axis] * spacingMm[axis]) / wanted[axis]);
  return [side(0), side(1), side(2)];
}

/** (channels, ...shape) as the network takes it. */
export function prepareVolume(phases: readonly Pixels[], view: View, shape: Sides, spec: VolumeSpec): Float32Array {
  const size = voxelsOf(shape);
  const result = new Float32Array(spec.channels * size);
  let [low, high] = [0, 1];
  for (let channel = 0; channel < spec.channels; channel++) {
    if (channel === 0 || spec.intensity === "each-channel") [low, high] = levels(phases[channel], view, spec.percentiles);
    const scaled = result.subarray(channel * size, (channel + 1) * size);
    resample(phases[channel], view, shape, scaled);
    const [from, span] = [Math.fround(low), Math.fround(high - low)];
    for (let i = 0; i < size; i++) {
      scaled[i] = Math.min(Math.max(Math.fround(scaled[i] - from) / span, 0), BRIGHTEST);
    }
  }
  for (let i = size; spec.subtraction && i < result.length; i++) result[i] -= result[i % size];
  return result;
}

/**
 * A volume of another shape into `result`: the triangle filter along slices, then columns and rows. Voxels that float32
 * cannot hold, or that are not finite, count as 0.
 */
export function resample(values: Pixels, view: View, shape: Sides, result: Float32Array): void {
  const [slices, rows, columns] = view.shape;
  const { first, weights } = taps(slices, shape[0]);
  const area = shape[1] * shape[2];
  const sums = new Float64Array(rows * columns);
  for (let slice = 0; slice < shape[0]; slice++) {
    sums.fill(0);
    weights[slice].forEach((weight, k) => {
      if (weight <= 0) return;
      let i = 0;
      for (let row = 0; row < rows; row++) {
        let at = view.start + (first[slice] + k) * view.steps[0] + row * view.steps[1];
        for (let column = 0; column < columns; column++, at += view.steps[2]) {
          const value = Math.fround(values[at]);
          sums[i++] += Number.isFinite(value) ? weight * value : 0;
        }
      }
    });
    result.set(resize(plane(rows, columns, Float32Array.from(sums)), shape[1], shape[2]).data, slice * area);
  }
}

/** The grey levels at the percentiles; apart, so that one may divide by their difference. */
function levels(values: Pixels, view: View, [lower, upper]: readonly [number, number]): [number, number] {
  const { shape, start, steps } = view;
  const stride = Math.max(1, Math.ceil(Math.cbrt(voxelsOf(shape) / SAMPLE) - 1e-12));
  const sample: number[] = [];
  for (let slice = 0; slice < shape[0]; slice += stride) {
    for (let row = 0; row < shape[1]; row += stride) {
      for (let column = 0; column < shape[2]; column += stride) {
        const value = values[start + slice * steps[0] + row * steps[1] + column * steps[2]];
        if (Math.abs(value) < LARGEST) sample.push(value);
      }
    }
  }
  if (!sample.length) return [0, 1];
  const sorted = Float64Array.from(sample).sort();
  const low = quantileOfSorted(sorted, lower / 100);
  const high = quantileOfSorted(sorted, upper / 100);
  const least = Math.max(1e-6, 1e-6 * Math.abs(low));
  return high - low > least ? [low, high] : [low, low + Math.max(1, Math.abs(low))];
}
