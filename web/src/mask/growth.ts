/** Lesions of two studies paired, and their growth. */
import type { Measured } from "./measure";

export interface Pair {
  now: Measured;
  /** null: the lesion is new. */
  prior: Measured | null;
}

interface Size {
  rows: number;
  columns: number;
}

/** Each lesion with the nearest one of the prior study that no nearer one has taken; places are shares of the image's size. */
export function pairedByPlace(now: readonly Measured[], prior: readonly Measured[], size: Size, priorSize: Size): Pair[] {
  const candidates = now
    .flatMap((one) => prior.map((other) => ({ one, other, apart: apart(centre(one, size), centre(other, priorSize)) })))
    .sort((a, b) => a.apart - b.apart);
  const paired = new Map<Measured, Measured>();
  const taken = new Set<Measured>();
  for (const { one, other } of candidates) {
    if (paired.has(one) || taken.has(other)) continue;
    paired.set(one, other);
    taken.add(other);
  }
  return now.map((one) => ({ now: one, prior: paired.get(one) ?? null }));
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

function centre({ region: { box } }: Measured, { rows, columns }: Size): readonly [number, number] {
  return [(box.row0 + box.row1) / 2 / rows, (box.column0 + box.column1) / 2 / columns];
}

function apart(a: readonly [number, number], b: readonly [number, number]): number {
  return Math.hypot(a[0] - b[0], a[1] - b[1]);
}
