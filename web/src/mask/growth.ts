/** Lesions of two studies paired, and their growth: the rule of `breastseg.results.prior`. */
import { cheapest } from "./assignment";
import type { Measured } from "./measure";

/** How far a lesion may have moved, as a fraction of the image's sides. */
const REACH = 0.25;
/** A lesion eight times as large counts as one that has moved as far as it may. */
const SIZE = Math.log(8);

export interface Pair {
  now: Measured;
  /** null: the lesion is new. */
  prior: Measured | null;
}

interface Picture {
  rows: number;
  columns: number;
  spacingMm: readonly [number, number] | null;
}

/**
 * The lesions of this study, each with that of the prior one which it is taken for.
 *
 * A single lesion on each side is the same one. Of several those are paired whose places and sizes differ least together.
 */
export function paired(now: readonly Measured[], prior: readonly Measured[], image: Picture, priorImage: Picture): Pair[] {
  if (now.length === 1 && prior.length === 1) return [{ now: now[0], prior: prior[0] }];
  const known = image.spacingMm !== null && priorImage.spacingMm !== null;
  const costs = now.map((one) => prior.map((other) => {
    const moved = apart(centre(one, image), centre(other, priorImage)) / REACH;
    const grown = Math.abs(Math.log(extent(one, image, known) / extent(other, priorImage, known))) / SIZE;
    return moved + 0.25 * grown;
  }));
  const size = now.length + prior.length;
  // A lesion may stay without a partner: that costs as much as the farthest pair that is allowed.
  const padded = Array.from({ length: size }, (_, row) => Array.from({ length: size }, (__, column) => {
    if (row < now.length && column < prior.length) return costs[row][column] <= 1 ? costs[row][column] : 3;
    return row >= now.length && column >= prior.length ? 0 : 1;
  }));
  const columns = cheapest(padded);
  return now.map((one, row) => {
    const column = columns[row];
    return { now: one, prior: column < prior.length && costs[row][column] <= 1 ? prior[column] : null };
  });
}

/** The lesions of the prior study that no lesion of this one is paired with. */
export function gone(pairs: readonly Pair[], prior: readonly Measured[]): Measured[] {
  return prior.filter((one) => !pairs.some((pair) => pair.prior === one));
}

/** Growth of the longest diameter; null where either is not known in mm, as in the results' document. */
export function grownBetween({ now, prior }: Pair): { millimetres: number; percent: number } | null {
  if (prior === null || now.unit !== "mm" || prior.unit !== "mm") return null;
  const millimetres = now.longest.length - prior.longest.length;
  return { millimetres, percent: (100 * millimetres) / prior.longest.length };
}

/** In square millimetres where both spacings are known; else as a fraction of the image. */
function extent({ region }: Measured, { rows, columns, spacingMm }: Picture, known: boolean): number {
  return known && spacingMm !== null ? region.pixels * spacingMm[0] * spacingMm[1] : region.pixels / (rows * columns);
}

function centre({ region: { box } }: Measured, { rows, columns }: Picture): readonly [number, number] {
  return [(box.row0 + box.row1) / 2 / rows, (box.column0 + box.column1) / 2 / columns];
}

function apart(a: readonly [number, number], b: readonly [number, number]): number {
  return Math.hypot(a[0] - b[0], a[1] - b[1]);
}
