/** What a method found on one frame, and where a person cuts it. */
import { namedWithVersion, type Margin, type Outcome } from "../backend/backend";
import { atThreshold, emptyMask, type Mask } from "../mask/mask";
import type { Authors } from "./history";

export interface Prediction extends Omit<Outcome, "probability" | "margins"> {
  /** (rows, columns), 0 to 1; null where an older step let it go to save memory. */
  probability: Float32Array | null;
  margin: Margin | null;
  /** The threshold of the mask: the method's operating point until it is moved. */
  cutAt: number;
}

/** One frame of what a method found. */
export function predictionOn({ probability, margins, ...about }: Outcome, frame: number): Prediction {
  return { ...about, probability: probability.get(frame) ?? null, margin: margins.get(frame) ?? null, cutAt: about.threshold };
}

/** The same without its pixels. */
export function withoutPixels(prediction: Prediction): Prediction {
  return { ...prediction, probability: null, margin: null };
}

type Size = Pick<Mask, "rows" | "columns">;

/** The probability where it is cut; empty where there is none. */
export function cutOf(prediction: Prediction | undefined, { rows, columns }: Size): Mask {
  const { probability = null, cutAt = 1 } = prediction ?? {};
  return probability === null ? emptyMask(rows, columns) : atThreshold(probability, rows, columns, cutAt);
}

const MODEL_MASKS = new WeakMap<Float32Array, Mask>();

/** The method's own mask, at its operating point; undefined where its pixels were let go. */
export function modelMaskOf({ probability, threshold }: Prediction, { rows, columns }: Size): Mask | undefined {
  if (probability === null) return undefined;
  const mask = MODEL_MASKS.get(probability) ?? atThreshold(probability, rows, columns, threshold);
  MODEL_MASKS.set(probability, mask);
  return mask;
}

/** Inner and outer contour, which hold for the method's own mask at its operating point alone. */
export function marginOf(prediction: Prediction, { by, byHand, resultId }: Authors): Margin | null {
  const own = !byHand && by.length === 1 && by[0] === namedWithVersion(prediction) && resultId === prediction.id && prediction.cutAt === prediction.threshold;
  return own ? prediction.margin : null;
}
