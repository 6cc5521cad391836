/** From the network's maps to the image: "From the network to the mask" of docs/reference/bundle.md. */
import type { OutputSpec, PlattScaling } from "./bundle";
import { backward, crop, pointBack, type Placement } from "./placement";
import { plane, type Plane } from "./plane";
import { connectedRegions, type Regions } from "./regions";

/** The pixel of a map where a region that is kept has its highest value. */
interface Peak {
  readonly at: number;
  readonly score: number;
}

/** The image's probability from the maps at the network's size. */
export function imageProbability(maps: readonly Plane[], placement: Placement, output: OutputSpec): Plane {
  const inner = innerLesion(maps, placement);
  const peaks = rejectRegions(inner, output);
  const probability = backward(inner, placement);
  const threshold = Math.fround(output.threshold);
  for (const { at, score } of peaks) {
    const row = Math.floor(at / inner.columns);
    const place = pointBack(row + 0.5, at - row * inner.columns + 0.5, placement);
    const there = Math.floor(place[0]) * probability.columns + Math.floor(place[1]);
    if (probability.data[there] < threshold) probability.data[there] = score;
  }
  return probability;
}

/** The probability of any lesion in the inner part. */
function innerLesion(maps: readonly Plane[], placement: Placement): Plane {
  const { rows, columns, data } = crop(maps[0], placement.inner);
  return plane(rows, columns, maps.length === 1 ? data.slice() : data.map((background) => 1 - background));
}

/** The image's score: its highest probability of any lesion, before regions are rejected. */
export function scoreOf(maps: readonly Plane[], placement: Placement): number {
  return innerLesion(maps, placement).data.reduce((most, value) => Math.max(most, value), 0);
}

/** Scale the regions down that the operating point rejects, in place; give the peaks of the others. */
function rejectRegions({ rows, columns, data }: Plane, output: OutputSpec): Peak[] {
  const threshold = Math.fround(output.threshold);
  return reject(data, connectedRegions(rows, columns, (i) => data[i] >= threshold), output);
}

/**
 * The same of a map of any number of axes.
 *
 * @param smallest a region of fewer pixels or voxels is rejected too.
 */
export function reject(
  data: Float32Array,
  { labels, sizes }: Pick<Regions, "labels" | "sizes">,
  output: OutputSpec,
  smallest = 0,
): Peak[] {
  const peaks: Peak[] = Array.from({ length: sizes.length }, () => ({ at: -1, score: -1 }));
  for (let i = 0; i < data.length; i++) {
    if (labels[i] && data[i] > peaks[labels[i] - 1].score) peaks[labels[i] - 1] = { at: i, score: data[i] };
  }
  const least = Math.max(smallest, output.minAreaFraction * data.length);
  const kept = peaks.map(({ score }, k) => score >= Math.fround(output.minScore) && sizes[k] >= least);
  if (output.largestOnly) {
    const areas = sizes.map((size, k) => (kept[k] ? size : -1));
    const largest = areas.reduce((best, area, k) => (area > areas[best] ? k : best), 0);
    kept.forEach((_, k) => (kept[k] &&= k === largest));
  }
  const factors = peaks.map(({ score }, k) => (kept[k] ? 1 : Math.fround(Math.fround(0.5 * output.threshold) / score)));
  for (let i = 0; i < data.length; i++) {
    if (labels[i]) data[i] *= factors[labels[i] - 1];
  }
  return peaks.filter((_, k) => kept[k]);
}

/** The probability of each of several labels, which add up to the image's. */
export function labelProbabilities(
  maps: readonly Plane[],
  placement: Placement,
  probability: Plane,
): Plane[] {
  const each = maps.slice(1).map((map) => backward(crop(map, placement.inner), placement));
  for (let i = 0; i < probability.data.length; i++) {
    let total = 0;
    for (const { data } of each) total += data[i];
    for (const { data } of each) {
      data[i] = probability.data[i] * (total > 0 ? data[i] / total : 1 / each.length);
    }
  }
  return each;
}

/** The label of each pixel, 0 for background. */
export function maskOf({ data }: Plane, each: readonly Plane[], threshold: number): Uint8Array {
  const limit = Math.fround(threshold);
  const mask = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i++) {
    if (!(data[i] >= limit)) continue;
    let best = 0;
    for (let k = 1; k < each.length; k++) if (each[k].data[i] > each[best].data[i]) best = k;
    mask[i] = best + 1;
  }
  return mask;
}

/** The probability that the image shows a malignant lesion; null where nothing is outlined. */
export function malignancyOf(
  probability: Plane,
  benign: Plane,
  malignant: Plane,
  threshold: number,
  scaling: PlattScaling | null,
): number | null {
  const limit = Math.fround(threshold);
  let [sum, weights] = [0, 0];
  for (let i = 0; i < probability.data.length; i++) {
    const both = benign.data[i] + malignant.data[i];
    if (!(probability.data[i] >= limit && both > 0)) continue;
    sum += (probability.data[i] * malignant.data[i]) / both;
    weights += probability.data[i];
  }
  if (weights === 0) return null;
  const share = Math.min(1, sum / weights);
  return scaling ? scaled(scaling, share) : share;
}

/** Platt scaling of a number, 0 to 1; held one millionth from both ends. */
export function scaled({ slope, intercept }: PlattScaling, number: number): number {
  const inside = Math.min(Math.max(number, 1e-6), 1 - 1e-6);
  return 1 / (1 + Math.exp(-(slope * Math.log(inside / (1 - inside)) + intercept)));
}
