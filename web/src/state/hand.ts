/** What a hand has drawn or erased, which an answer to a click must not take away in silence. */
import type { Prompt } from "../backend/backend";
import type { Mask } from "../mask/mask";
import { regionsOf } from "../mask/regions";
import { eachChanged, type History } from "./history";

interface HandSet {
  /** Row-major: 1 where a hand has set the pixel since the mask was last replaced as a whole, and no answer has changed it. */
  set: Uint8Array;
  count: number;
}

/** Of each frame, for the history that it was last asked for. */
export class HandSets {
  private readonly known = new Map<number, HandSet & { history: unknown }>();

  of<Marks>(history: History<Marks>, frame: number, mask: Mask): HandSet {
    let found = this.known.get(frame);
    if (found?.history !== history) {
      const set = handSet(history, frame, mask);
      found = { history, set, count: set.reduce((sum, value) => sum + value, 0) };
      this.known.set(frame, found);
    }
    return found;
  }
}

function handSet<Marks>({ done }: History<Marks>, frame: number, { rows, columns }: Mask): Uint8Array {
  const set = new Uint8Array(rows * columns);
  for (const step of done) {
    if (step.image !== frame) continue;
    if (step.origin?.adds === false) set.fill(0);
    else eachChanged(step, columns, (index) => { set[index] = step.origin === undefined ? 1 : 0; });
  }
  return set;
}

/** Pixels that are newly pointed at: 1 as lesion, 2 as background. */
export function newlyMarked(before: Prompt, now: Prompt, { rows, columns }: Mask): Uint8Array {
  const marked = new Uint8Array(rows * columns);
  now.scribble?.forEach((label, index) => {
    if (label !== before.scribble?.[index]) marked[index] = label;
  });
  for (const [row, column] of now.inside.slice(before.inside.length)) marked[row * columns + column] = 1;
  for (const [row, column] of now.outside.slice(before.outside.length)) marked[row * columns + column] = 2;
  return marked;
}

/** Of the pixels set by hand those that stay: no region of them of one value in which a mark says the other. */
export function keptByHand(mask: Mask, set: Uint8Array, marked: Uint8Array): Uint8Array {
  const kept = set.slice();
  for (const value of [0, 1]) {
    const regions = regionsOf({ ...mask, data: set.map((by, index) => (by === 1 && mask.data[index] === value ? 1 : 0)) });
    const denied = value === 1 ? 2 : 1;
    for (const { box, crop } of regions) {
      const indices: number[] = [];
      crop.data.forEach((here, at) => {
        if (here === 1) indices.push((box.row0 + Math.floor(at / crop.columns)) * mask.columns + box.column0 + (at % crop.columns));
      });
      if (indices.some((index) => marked[index] === denied)) for (const index of indices) kept[index] = 0;
    }
  }
  return kept;
}
