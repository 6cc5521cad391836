/** What a method found belongs to a frame and a step: nothing of one answer may stand beside the mask of another. */
import { describe, expect, it } from "vitest";
import type { Backend, ImageInfo, Outcome } from "../backend/backend";
import { emptyMask, type Mask } from "../mask/mask";
import { predictionOn, withoutPixels } from "./prediction";
import { recorded, type Edit, type History } from "./history";
import { Session } from "./session";

const IMAGE: ImageInfo = {
  ...{ name: "a", kind: "image", rows: 4, columns: 5, frames: 3, channels: 1, low: 0, high: 1, spacingMm: null, sliceMm: null },
  ...{ spacingFrom: null, parts: [], modality: "unknown", view: "", remarks: [], phases: [], studyDate: "", number: "", dicom: false },
};

function opened(): Session {
  return new Session({} as Backend, { id: "s", name: "s", createdAt: "", images: [IMAGE], problems: [] }, 0);
}

/** Of a method that gives the first pixels of a frame one probability. */
function outcome(id: string, pixels: number, { frame = 0, threshold = 0.35, value = 0.6 } = {}): Outcome {
  const probability = Float32Array.from({ length: 20 }, (_, index) => (index < pixels ? value : 0.1));
  const about = { remarks: [], malignancy: null, milliseconds: null, margins: new Map<number, never>() };
  return { id, method: "network", version: "1.0", parameters: { pixels }, threshold, probability: new Map([[frame, probability]]), ...about };
}

function sizeOf(mask: Mask | undefined): number | undefined {
  return mask?.data.reduce((sum, value) => sum + value, 0);
}

describe("what a method found", () => {
  it("goes back and forth with its mask: threshold, model mask, parameters and the result that a version names", () => {
    const session = opened();
    session.replaceAll("Outline", outcome("first", 3));
    session.replaceAll("Outline", outcome("second", 8, { threshold: 0.5 }));
    session.beginEdit();
    session.setThreshold(0.7);
    session.preview(session.answer());
    session.endEdit("Threshold", { origin: { by: ["network 1.0"], adds: false, resultId: "second" } });
    const state = (): unknown[] => [session.prediction?.id, session.authors.resultId, session.threshold, session.prediction?.parameters, sizeOf(session.modelMask), sizeOf(session.mask())];
    expect(state()).toEqual(["second", "second", 0.7, { pixels: 8 }, 8, 0]);
    session.undo();
    expect(state()).toEqual(["second", "second", 0.5, { pixels: 8 }, 8, 8]);
    session.undo();
    expect(state()).toEqual(["first", "first", 0.35, { pixels: 3 }, 3, 3]);
    session.undo();
    expect(state()).toEqual([undefined, null, 0.5, undefined, undefined, 0]);
    for (let step = 0; step < 3; step += 1) session.redo();
    expect(state()).toEqual(["second", "second", 0.7, { pixels: 8 }, 8, 0]);
  });

  it("stays with its frame, though another frame was outlined after it", () => {
    const session = opened();
    session.replaceAll("Outline", outcome("of frame 1", 3));
    session.show(1);
    expect([session.prediction, session.modelMask, session.margin]).toEqual([undefined, undefined, null]);
    session.replaceAll("Outline", outcome("of frame 2", 8, { frame: 1, threshold: 0.5 }));
    session.show(0);
    expect([session.prediction?.id, session.authors.resultId, session.threshold, sizeOf(session.modelMask)]).toEqual(["of frame 1", "of frame 1", 0.35, 3]);
  });

  it("is not what a mask of another origin started from", () => {
    const session = opened();
    session.replaceAll("Outline", outcome("result", 3));
    session.replaceWhole("Version 1", emptyMask(4, 5), ["network 1.0", "a reader (version 1)"], "an older result");
    expect(session.authors.resultId).toBe("an older result");
    session.replace("Brush", emptyMask(4, 5));
    expect(session.authors.resultId).toBe("an older result");
    session.replaceWhole("Clear", emptyMask(4, 5), []);
    expect(session.authors.resultId).toBeNull();
    session.addPrediction("Click inside", outcome("clicked", 2));
    expect(session.authors.resultId).toBe("clicked");
  });

  it("lets the pixels of old steps go, and says so by having none", () => {
    const [mask, length] = [emptyMask(4, 5), 30 * 2 ** 20];
    // Nothing is written into them, so that they take no memory here.
    const predictions = Array.from({ length: 4 }, (_, index) => {
      return { ...predictionOn(outcome(String(index), 1), 0), probability: new Float32Array(length) };
    });
    let history: History<string> = { done: [], undone: [] };
    for (const [index, after] of predictions.entries()) {
      const edit: Edit<string> = { label: "Outline", image: 0, before: mask, after: mask, prediction: { before: index === 0 ? undefined : predictions[index - 1], after } };
      history = recorded(history, edit);
    }
    const kept = history.done.map(({ prediction }) => [prediction?.before?.probability != null, prediction?.after?.probability != null]);
    expect(kept).toEqual([[false, false], [false, false], [false, true], [true, true]]);
    expect(history.done[0].prediction?.after).toEqual(withoutPixels(predictions[0]));
  });
});
