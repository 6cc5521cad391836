/** Single-frame DICOM slices as a volume, its phases in the order of their time; the rules of Python's series reader. */
import { EngineError } from "../errors";
import type { VolumeGrid } from "../volume";
import { MOMENTS, STARTS, type DicomSlice, type Moment } from "./slice";
import { times, type Matrix, type Vector } from "./volume-axes";

/** Slices nearer than this fraction of a pixel's side lie in one place. */
const SAME = 0.01;
const SAME_COSINE = 1e-3;
/** Of a voxel's side, by which a slice may lie off its place. */
const MOST_OFFSET = 0.1;
/** Of a voxel's side, by which the grids of two phases may differ. */
const SAME_GRID = 0.1;

export type Phase = readonly DicomSlice[];

/** The groups of slices that make a volume each, its phases together where they fit. */
export function stacksAmong(slices: readonly DicomSlice[]): Phase[] {
  const found: Phase[] = [];
  for (const group of grouped(slices, gridKey)) {
    if (isStack(group)) found.push(group);
    else found.push(...grouped(group, ({ series }) => series).filter(isStack));
  }
  return found;
}

/** What slices of one volume and its phases have in common. */
function gridKey(one: DicomSlice): string {
  const turned = one.orientation.map((cosine) => Math.round(cosine * 1000));
  return JSON.stringify([one.study, one.frameOfReference, turned.map((value) => value + 0), one.shape, one.spacingMm, one.isDerived]);
}

function isStack(group: Phase): boolean {
  try {
    const counts = new Set(phasesOf(group, "series").map(({ length }) => length));
    return counts.size === 1 && Math.min(...counts) > 1;
  } catch (error) {
    if (error instanceof EngineError) return false;
    throw error;
  }
}

/** The phases in the order of their time, each sorted along the slices' normal. */
export function phasesOf(slices: Phase, name: string): Phase[] {
  const series = grouped(slices, (one) => one.series);
  if (new Set(slices.map(({ isDerived }) => isDerived)).size > 1) {
    throw refusal(`${name}: holds original and derived series, such as subtractions`, "one kind");
  }
  return inOrder(series, name).flatMap((one) => divided(one, name));
}

/** The series by the first of `STARTS` that all have and no two share. */
function inOrder(series: Phase[], name: string): Phase[] {
  if (series.length === 1) return series;
  for (const moment of STARTS) {
    const starts = series.map((some) => Math.min(...some.map((one) => one.times[moment] ?? Infinity)));
    if (new Set(starts).size !== series.length || !starts.every(Number.isFinite)) continue;
    return series.map((_, k) => k).sort((a, b) => starts[a] - starts[b]).map((k) => series[k]);
  }
  throw refusal(`${name}: neither their times nor their numbers put the series in order`, "series with different times");
}

/** The phases of one series. */
function divided(series: Phase, name: string): Phase[] {
  const places = placesOf(series, name);
  const most = Math.max(...places.map(({ length }) => length));
  if (most === 1) return [places.map(([one]) => one)];
  const told = MOMENTS.filter((moment) => series.every((one) => moment in one.times) && isUnlike(places, moment));
  for (const moment of told) {
    const moments = [...new Set(series.map((one) => at(one, moment)))].sort((a, b) => a - b);
    if (moments.length !== most) continue;
    return moments.map((value) => places.flatMap((place) => place.filter((one) => at(one, moment) === value)));
  }
  if (told.length && places.every(({ length }) => length === most)) {
    const ranked = places.map((place) => [...place].sort((a, b) => at(a, told[0]) - at(b, told[0])));
    return Array.from({ length: most }, (_, k) => ranked.map((place) => place[k]));
  }
  throw refusal(
    `${name}: up to ${most} slices of series ${series[0].title} lie in one place, and nothing tells their phases apart`,
    "a different temporal position, acquisition number or time for each phase",
  );
}

function at(one: DicomSlice, moment: Moment): number {
  return one.times[moment] ?? NaN;
}

function isUnlike(places: readonly Phase[], moment: Moment): boolean {
  return places.every((place) => new Set(place.map((one) => at(one, moment))).size === place.length);
}

/** The slices by their place along the normal, which rises. */
function placesOf(series: Phase, name: string): DicomSlice[][] {
  const [first] = series;
  const [, , normal] = frameOf(first, name);
  for (const one of series) {
    const isTurned = one.orientation.some((cosine, k) => Math.abs(cosine - first.orientation[k]) > SAME_COSINE);
    if (isTurned || one.frameOfReference !== first.frameOfReference) {
      throw refusal(`${name}: the slices of series ${one.title} lie in different planes`, "parallel slices of one frame of reference");
    }
  }
  const heights = series.map(({ positionMm }) => dot(positionMm, normal));
  const order = series.map((_, k) => k).sort((a, b) => heights[a] - heights[b] || a - b);
  const same = SAME * Math.min(...first.spacingMm);
  const places: DicomSlice[][] = [[series[order[0]]]];
  order.slice(1).forEach((upper, k) => {
    if (heights[upper] - heights[order[k]] > same) places.push([]);
    places[places.length - 1].push(series[upper]);
  });
  return places;
}

/** The directions of column, row and slice index, (x, y, z) in LPS. */
function frameOf({ orientation, title }: DicomSlice, name: string): Matrix {
  const [across, down] = [orientation.slice(0, 3), orientation.slice(3)] as unknown as [Vector, Vector];
  const isSquare = [across, down].every((one) => Math.abs(Math.hypot(...one) - 1) <= 1.01 * SAME_COSINE);
  if (!isSquare || Math.abs(dot(across, down)) > SAME_COSINE) {
    throw refusal(`${name}: orientation ${orientation.join(", ")} of series ${title}`, "two perpendicular directions of length 1");
  }
  const x = unit(across);
  const lean = dot(down, x);
  const y = unit([down[0] - lean * x[0], down[1] - lean * x[1], down[2] - lean * x[2]]);
  return [x, y, [x[1] * y[2] - x[2] * y[1], x[2] * y[0] - x[0] * y[2], x[0] * y[1] - x[1] * y[0]]];
}

/** The one grid of all phases. */
export function commonGrid(phases: readonly Phase[], name: string): VolumeGrid {
  const grids = phases.map((phase) => gridOf(phase, name));
  const [first] = grids;
  const steps = first.spacingMm ?? [1, 1, 1];
  grids.slice(1).forEach((grid, k) => {
    const others = grid.spacingMm ?? [1, 1, 1];
    const isAlike =
      grid.shape.every((side, axis) => side === first.shape[axis]) &&
      phases[k + 1][0].frameOfReference === phases[0][0].frameOfReference &&
      [0, 1, 2].every((axis) => {
        const far = Math.abs(others[axis] - steps[axis]) * (first.shape[axis] - 1);
        return far <= SAME_GRID * Math.min(...steps) && Math.abs(grid.originMm[axis] - first.originMm[axis]) <= SAME_GRID * Math.min(...steps);
      });
    if (!isAlike) throw refusal(`${name}: phase ${k + 2} lies on another grid than the first`, "phases of one grid");
  });
  return first;
}

/** The grid of a sorted phase. */
function gridOf(phase: Phase, name: string): VolumeGrid {
  const [first] = phase;
  const title = `${name}: series ${first.title}`;
  for (const { shape, spacingMm } of phase) {
    const isAlike = spacingMm.every((step, axis) => Math.abs(step - first.spacingMm[axis]) <= 1e-3 * first.spacingMm[axis] + 1e-8);
    if (shape.some((side, axis) => side !== first.shape[axis]) || !isAlike) throw refusal(`${title} has slices of several sizes`, "one size");
  }
  const frame = frameOf(first, name);
  const places = phase.map(({ positionMm }) => times(frame, less(positionMm, first.positionMm)));
  const gaps = places.slice(1).map((place, k) => place[2] - places[k][2]);
  const least = Math.min(...gaps);
  if (Math.max(...gaps) > 1.5 * least) {
    const missing = gaps.filter((gap) => gap > 1.5 * least).reduce((sum, gap) => sum + Math.round(gap / least) - 1, 0);
    throw refusal(`${title}: ${missing} slices missing where ${phase.length} are there`, `slices every ${least.toPrecision(3)} mm`, "copy the whole series again");
  }
  const step = places[places.length - 1][2] / (phase.length - 1);
  const allowed = [first.spacingMm[1], first.spacingMm[0], step].map((side) => MOST_OFFSET * side);
  const isOff = places.some((place, k) => [place[0], place[1], place[2] - k * step].some((off, axis) => Math.abs(off) > allowed[axis]));
  if (isOff) throw refusal(`${title}: slices lie off a regular stack`, "slices at one distance, straight above each other");
  const [x, y, z] = frame;
  return {
    shape: [phase.length, ...first.shape],
    spacingMm: [step, ...first.spacingMm],
    originMm: [first.positionMm[2], first.positionMm[1], first.positionMm[0]],
    direction: [2, 1, 0].flatMap((part) => [z[part], y[part], x[part]]),
  };
}

function refusal(given: string, allowed: string, remedy = "open the files of one series alone"): EngineError {
  return new EngineError("unsupported", given, allowed, remedy);
}

function grouped(slices: Phase, key: (one: DicomSlice) => string): Phase[] {
  const groups = new Map<string, DicomSlice[]>();
  for (const one of slices) {
    const group = groups.get(key(one));
    if (group) group.push(one);
    else groups.set(key(one), [one]);
  }
  return [...groups.values()];
}

function dot(a: Vector, b: Vector): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

function less(a: Vector, b: Vector): Vector {
  return [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
}

function unit(vector: Vector): Vector {
  const length = Math.hypot(...vector);
  return [vector[0] / length, vector[1] / length, vector[2] / length];
}
