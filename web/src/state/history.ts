/** Undo and redo without limit: each step keeps only the pixels that it changed, eight in a byte. */
import { withoutPixels, type Prediction } from "./prediction";
import type { Lines } from "./lines";
import { boundsOf, clipped, copyOf, emptyMask, isEmptyBox, union, whole, type Box, type Mask } from "../mask/mask";

/** Changes that follow one another in one go, such as those of a slider that is dragged: together they are one step. */
export type Run = symbol;

interface Both<T> {
  before: T;
  after: T;
}

/** What a step changed beside the pixels, where it did. */
interface Beside<Marks> {
  /** What a person had pointed at. */
  marks?: Both<Marks>;
  lines?: Both<Lines>;
  /** What a method found on the image, and where it is cut. */
  prediction?: Both<Prediction | undefined>;
  /** Whose mask it is; without it the step was done by hand. */
  origin?: Origin;
  run?: Run;
}

export interface Step<Marks> extends Beside<Marks> {
  /** What was done, in words. */
  label: string;
  /** Which image of the scan, from 0. */
  image: number;
  box: Box;
  /** Of the box, row-major: 1 where the pixel changed. */
  changed: Uint8Array;
}

/** Where the mask of a step comes from. */
export interface Origin {
  /** Methods and people; nobody for an empty mask. */
  by: readonly string[];
  /** Whether what was there before stays beside it. */
  adds: boolean;
  /** The method's result in the store, if it is there. */
  resultId?: string | null;
}

export interface History<Marks = undefined> {
  readonly done: readonly Step<Marks>[];
  readonly undone: readonly Step<Marks>[];
}

export interface Edit<Marks> extends Beside<Marks> {
  label: string;
  image: number;
  before: Mask;
  after: Mask;
  /** Outside of it nothing has changed; the whole image by default. */
  within?: Box;
}

/** Whose work a mask is. */
export interface Authors {
  /** Each method, and each person whose kept mask it is, once; in the order of their steps. */
  by: readonly string[];
  byHand: boolean;
  /** The stored result that the mask started from; null where it was not one that the service has. */
  resultId: string | null;
}

/** Whose work the mask of an image is, from the steps that made it. */
export function authorsOf<Marks>({ done }: History<Marks>, image: number): Authors {
  let { by: everyone, byHand, resultId }: Authors = { by: [], byHand: false, resultId: null };
  for (const step of done) {
    if (step.image !== image || !isOfMask(step)) continue;
    if (step.origin === undefined) {
      byHand = true;
      continue;
    }
    const { by, adds } = step.origin;
    resultId = step.origin.resultId ?? (adds ? resultId : null);
    everyone = adds ? [...new Set([...everyone, ...by])] : by;
    byHand &&= adds;
  }
  return { by: everyone, byHand, resultId };
}

/** Whether a step is one of the mask: lines that were laid or moved change none. */
function isOfMask<Marks>({ box, origin }: Step<Marks>): boolean {
  return origin !== undefined || !isEmptyBox(box);
}

/** The last step that made the mask what it is. */
export function lastOfMask<Marks>({ done }: History<Marks>): Step<Marks> | undefined {
  return done.findLast(isOfMask);
}

/** The history with one more step, or the same one where nothing changed. An edit of the last step's run makes one step with it. */
export function recorded<Marks>(history: History<Marks>, edit: Edit<Marks>): History<Marks> {
  const last = history.done.at(-1);
  if (edit.run !== undefined && last?.run === edit.run && last.image === edit.image && history.undone.length === 0) {
    return recorded({ done: history.done.slice(0, -1), undone: [] }, together(last, edit));
  }
  const { label, image, before, after, marks, lines, prediction, origin, run } = edit;
  const difference = differenceOf(before, after, clipped(edit.within ?? whole(before), before.rows, before.columns));
  const box = boundsOf(difference);
  if (isEmptyBox(box) && [marks, lines, prediction, origin].every((one) => one === undefined)) return history;
  const step: Step<Marks> = { label, image, box, changed: packed(difference, box), marks, lines, prediction, origin, run };
  return { done: withinMemory([...history.done, step]), undone: [] };
}

/** Bytes of probability that the steps may hold together: some 40 images of 1,200x1,200, or four mammograms. */
const MOST_BYTES = 256 * 2 ** 20;

/** The steps, of which the oldest let the pixels go that a method found. They stay the same objects: a kept step is known by its own. */
function withinMemory<Marks>(steps: readonly Step<Marks>[]): readonly Step<Marks>[] {
  const held = new Set<Float32Array>();
  let bytes = 0;
  const light = (prediction: Prediction | undefined): Prediction | undefined => {
    if (prediction === undefined || prediction.probability === null || held.has(prediction.probability)) return prediction;
    bytes += prediction.probability.byteLength;
    if (bytes > MOST_BYTES) return withoutPixels(prediction);
    held.add(prediction.probability);
    return prediction;
  };
  for (const step of steps.toReversed()) {
    if (step.prediction !== undefined) step.prediction = { after: light(step.prediction.after), before: light(step.prediction.before) };
  }
  return steps;
}

/** A step and the edit that goes on with it, from the beginning of the one to the end of the other. */
function together<Marks>(step: Step<Marks>, edit: Edit<Marks>): Edit<Marks> {
  const before = copyOf(edit.before);
  toggle(before, step);
  return {
    ...edit,
    before,
    within: union(step.box, edit.within ?? whole(before)),
    marks: spanned(step.marks, edit.marks),
    lines: spanned(step.lines, edit.lines),
    prediction: spanned(step.prediction, edit.prediction),
  };
}

function spanned<T>(first: Both<T> | undefined, second: Both<T> | undefined): Both<T> | undefined {
  return first === undefined || second === undefined ? (first ?? second) : { before: first.before, after: second.after };
}

function differenceOf(before: Mask, after: Mask, box: Box): Mask {
  const difference = emptyMask(before.rows, before.columns);
  for (let row = box.row0; row < box.row1; row += 1) {
    for (let at = row * before.columns + box.column0; at < row * before.columns + box.column1; at += 1) {
      difference.data[at] = before.data[at] ^ after.data[at];
    }
  }
  return difference;
}

interface Taken<Marks> {
  history: History<Marks>;
  step: Step<Marks>;
}

/** The last step is taken back; `maskOf` gives the mask of an image, changed in place. */
export function undone<Marks>(history: History<Marks>, maskOf: (image: number) => Mask): Taken<Marks> | null {
  const step = history.done.at(-1);
  if (step === undefined) return null;
  toggle(maskOf(step.image), step);
  return { history: { done: history.done.slice(0, -1), undone: [...history.undone, step] }, step };
}

/** The last step that was taken back is done again. */
export function redone<Marks>(history: History<Marks>, maskOf: (image: number) => Mask): Taken<Marks> | null {
  const step = history.undone.at(-1);
  if (step === undefined) return null;
  toggle(maskOf(step.image), step);
  return { history: { done: [...history.done, step], undone: history.undone.slice(0, -1) }, step };
}

function packed(mask: Mask, within: Box): Uint8Array {
  const box = clipped(within, mask.rows, mask.columns);
  const width = box.column1 - box.column0;
  const bits = new Uint8Array(Math.ceil((width * (box.row1 - box.row0)) / 8));
  let at = 0;
  for (let row = box.row0; row < box.row1; row += 1) {
    for (let column = box.column0; column < box.column1; column += 1, at += 1) {
      bits[at >> 3] |= mask.data[row * mask.columns + column] << (at & 7);
    }
  }
  return bits;
}

export interface Changed {
  box: Box;
  changed: Uint8Array;
}

function toggle(mask: Mask, step: Changed): void {
  eachChanged(step, mask.columns, (index) => { mask.data[index] ^= 1; });
}

/** Tells the pixels that a step changed. */
export function eachChanged({ box, changed }: Changed, columns: number, told: (index: number) => void): void {
  let at = 0;
  for (let row = box.row0; row < box.row1; row += 1) {
    for (let column = box.column0; column < box.column1; column += 1, at += 1) {
      if (((changed[at >> 3] >> (at & 7)) & 1) === 1) told(row * columns + column);
    }
  }
}
