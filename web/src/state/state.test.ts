import { describe, expect, it } from "vitest";
import { copyOf, countOf, emptyMask, type Mask, type Point } from "../mask/mask";
import { fillPolygon, stroke } from "../mask/paint";
import { recorded, redone, undone, type Edit, type History } from "./history";
import type { Backend, ImageInfo, Outcome, Prompt } from "../backend/backend";
import { baseFor } from "./base";
import { interpolate } from "./interpolate";
import { changeLines } from "./lines";
import { Session } from "./session";
import { spacingBetween, spacingOfAll } from "./spacing";
import { diceText, madeBy, personText, sentence } from "./words";
import { fitted, panned, toImage, toScreen, zoomed } from "./viewport";
import { csvOf } from "../ui/exports";
import { diameterLines } from "../viewer/lines";
import { dragged, fullWindow, shadeOf } from "./window";

it("words the names of people, with other letters in brackets", () => {
  expect(personText("Phantom^Number 1^^Dr")).toBe("Phantom, Number 1 Dr");
  expect(personText("Yamada^Tarou=山田^太郎=やまだ^たろう")).toBe("Yamada, Tarou (山田, 太郎; やまだ, たろう)");
  expect(personText("ZZTOP")).toBe("ZZTOP");
});

it("words a gain, a loss and no change of Dice", () => {
  const told = (before: number, after: number, change: number, ends: readonly (number | null)[] = [null, null]): string => {
    const scores = { method: "m", missed: null, normals_outlined: null, failures: 0 };
    return diceText({ before: { ...scores, dice: { value: before } }, after: { ...scores, dice: { value: after } }, dice_gained: { value: change, low: ends[0], high: ends[1] } }).replace(/^.*: /, "");
  };
  expect(told(0.812, 0.804, -0.008)).toBe("0.812 before, 0.804 after (-0.008).");
  expect(told(0.804, 0.812, 0.008, [-0.0004, 0.02])).toBe("0.804 before, 0.812 after (+0.008 [0.000, +0.020]).");
  expect(told(0.812, 0.812, 0.0001, [-0.01, 0.012])).toBe("0.812 before, 0.812 after (no change [-0.010, +0.012]).");
});

describe("history", () => {
  it("takes back and redoes any number of steps, over several images", () => {
    const masks = [emptyMask(40, 50), emptyMask(40, 50)];
    const maskOf = (image: number): Mask => masks[image];
    const states = [masks.map(copyOf)];
    let history: History = { done: [], undone: [] };
    for (let step = 0; step < 300; step += 1) {
      const image = step % 2;
      const before = copyOf(masks[image]);
      stroke(masks[image], { row: (step * 7) % 40, column: (step * 11) % 50 }, { row: 20, column: 25 }, 2, step % 3 === 0 ? 0 : 1);
      history = recorded(history, { label: "brush", image, before, after: masks[image] });
      states.push(masks.map(copyOf));
    }
    const steps = history.done.length;
    expect(steps).toBeGreaterThan(100);
    for (let back = undone(history, maskOf); back !== null; back = undone(history, maskOf)) history = back.history;
    expect(masks).toEqual(states[0]);
    for (let again = redone(history, maskOf); again !== null; again = redone(history, maskOf)) history = again.history;
    expect(masks).toEqual(states.at(-1));
  });

  it("keeps no step that changes nothing, and forgets what was undone at the next step", () => {
    const none: History<string> = { done: [], undone: [] };
    const mask = emptyMask(4, 4);
    expect(recorded(none, { label: "nothing", image: 0, before: mask, after: copyOf(mask) })).toBe(none);
    const marks = { before: "", after: "a click" };
    expect(recorded(none, { label: "click", image: 0, before: mask, after: copyOf(mask), marks }).done[0].marks).toBe(marks);
    const after = copyOf(mask);
    fillPolygon(after, [{ row: 0, column: 0 }, { row: 0, column: 3 }, { row: 3, column: 3 }], 1);
    const back = undone(recorded(none, { label: "polygon", image: 0, before: mask, after }), () => after);
    expect(back?.history.undone).toHaveLength(1);
    expect(after).toEqual(mask);
    const other = copyOf(mask);
    other.data[5] = 1;
    expect(back && recorded(back.history, { label: "brush", image: 0, before: mask, after: other }).undone).toHaveLength(0);
  });
});

describe("a run of a slider", () => {
  const edit = (before: Mask, pixels: readonly number[], run?: symbol, image = 0): Edit<string> => {
    const after = copyOf(before);
    after.data.fill(0);
    for (const at of pixels) after.data[at] = 1;
    return { label: "slider", image, before, after, run, marks: { before: before.data.join(""), after: after.data.join("") } };
  };

  it("is one step from its beginning to its end", () => {
    const run = Symbol("run");
    const mask = emptyMask(4, 4);
    let history: History<string> = { done: [], undone: [] };
    for (const pixels of [[1, 2], [2, 7], [7, 11]]) {
      const one = edit(copyOf(mask), pixels, run);
      history = recorded(history, one);
      mask.data.set(one.after.data);
    }
    expect(history.done).toHaveLength(1);
    expect(history.done[0].marks).toEqual({ before: "0".repeat(16), after: mask.data.join("") });
    const back = undone(history, () => mask);
    expect(countOf(mask)).toBe(0);
    if (back !== null) redone(back.history, () => mask);
    expect([...mask.data.keys()].filter((at) => mask.data[at] === 1)).toEqual([7, 11]);
  });

  it("ends at another run, another image, another step and an undo", () => {
    const [run, other] = [Symbol("run"), Symbol("other")];
    const mask = emptyMask(4, 4);
    const one = recorded({ done: [], undone: [] }, edit(mask, [1], run));
    expect(recorded(one, edit(mask, [2], other)).done).toHaveLength(2);
    expect(recorded(one, edit(mask, [2], run, 1)).done).toHaveLength(2);
    const drawn = recorded(one, edit(mask, [3]));
    expect(recorded(drawn, edit(mask, [2], run)).done).toHaveLength(3);
    const back = undone(drawn, () => copyOf(mask));
    expect(back && recorded(back.history, edit(mask, [2], run)).done).toHaveLength(2);
  });
});

describe("viewport", () => {
  it("fits the image in its true proportion and keeps the point under the pointer when zooming", () => {
    const viewport = fitted(100, 200, { width: 400, height: 400 }, 1.5);
    expect(viewport).toEqual({ scaleRow: 3, scaleColumn: 2, top: 50, left: 0 });
    const point = toImage(viewport, 120, 80);
    expect(toScreen(viewport, point)).toEqual({ x: 120, y: 80 });
    const closer = zoomed(viewport, 3, 120, 80);
    expect(toImage(closer, 120, 80).row).toBeCloseTo(point.row);
    expect(toImage(closer, 120, 80).column).toBeCloseTo(point.column);
    expect(toScreen(panned(closer, 5, -4), point)).toEqual({ x: 125, y: 76 });
  });
});

describe("window", () => {
  it("spans the values, is dragged, and inverts", () => {
    const window = fullWindow([0, 50, 100]);
    expect(window).toEqual({ centre: 50, width: 100, invert: false });
    expect([0, 50, 100].map(shadeOf(window)).map(Math.round)).toEqual([0, 127, 255]);
    expect(shadeOf({ ...window, invert: true })(0)).toBe(255);
    expect(dragged(window, 512, -256, 100)).toEqual({ centre: 0, width: 200, invert: false });
    expect(fullWindow([7, 7]).width).toBe(1);
  });
});

describe("whose work a mask is", () => {
  const square = fillPolygonOf([[2, 2], [2, 8], [8, 8]]);
  function fillPolygonOf(corners: readonly (readonly [number, number])[]): Mask {
    const mask = emptyMask(20, 20);
    fillPolygon(mask, corners.map(([row, column]) => ({ row, column })), 1);
    return mask;
  }
  const image: ImageInfo = {
    ...{ name: "a", kind: "image", rows: 20, columns: 20, frames: 1, channels: 1, low: 0, high: 1, spacingMm: null, sliceMm: null },
    ...{ spacingFrom: null, parts: [], modality: "unknown", view: "", remarks: [], phases: [], studyDate: "", number: "", dicom: false },
  };
  const session = (): Session => new Session({} as Backend, { id: "s", name: "s", createdAt: "", images: [image], problems: [] }, 0);

  it("names every method and a correction, and forgets those whose work was replaced", () => {
    const one = session();
    expect(sentence(one)).toContain("No lesion was outlined");
    one.replaceWhole("Outline", square, ["network 1.0"]);
    one.replace("Click inside", square, { origin: { by: ["polar-path 0.1"], adds: true } });
    expect(madeBy(one.authors)).toBe("outlined by network 1.0 and polar-path 0.1");
    one.replace("Brush", emptyMask(20, 20));
    expect(madeBy(one.authors)).toBe("outlined by network 1.0 and polar-path 0.1, corrected by hand");
    one.undo();
    one.replaceWhole("Outline", square, ["other 2"]);
    expect(madeBy(one.authors)).toBe("outlined by other 2");
    one.replaceWhole("Clear", emptyMask(20, 20), []);
    one.replace("Polygon", square);
    expect(madeBy(one.authors)).toBe("drawn by hand");
  });

  it("keeps the lesions that a first click does not point at, and takes a click back with its answer", () => {
    const one = session();
    one.replaceWhole("Outline", square, ["network 1.0"]);
    expect(baseFor(one, (region) => region.number === 1)).toBeNull();
    const base = baseFor(one, () => false);
    expect(base).toEqual(square);
    const prompt = { ...one.marks.prompt, inside: [[15, 15]] as const };
    one.setMarks({ base, prompt });
    one.replace("Click inside", square, { marks: { base, prompt }, origin: { by: ["polar-path"], adds: true } });
    one.undo();
    expect(one.marks.prompt.inside).toHaveLength(0);
    one.redo();
    expect(one.marks.prompt.inside).toHaveLength(1);
    one.setMarks({ base, prompt: { ...prompt, outside: [[1, 1]] } });
    one.forgetUnanswered();
    expect(one.marks.prompt.outside).toHaveLength(0);
    one.replaceWhole("Proposed mask", square, ["network 1.0"]);
    expect(one.marks.prompt.inside).toHaveLength(0);
  });

  it("leaves what a hand has drawn or erased through clicks and the threshold, until a mark says otherwise", () => {
    const one = session();
    const probability = new Map([[0, Float32Array.from(square.data)]]);
    const outcome: Outcome = { id: null, method: "network", version: "1.0", parameters: {}, threshold: 0.5, remarks: [], malignancy: null, milliseconds: null, probability, margins: new Map() };
    const answered = (label: string, prompt: Partial<Prompt>): Mask => {
      one.setMarks({ base: null, prompt: { ...one.marks.prompt, ...prompt } });
      one.addPrediction(label, outcome);
      return one.mask();
    };
    expect(answered("Click inside", { inside: [[4, 6]] })).toEqual(square);
    const corrected = copyOf(square);
    corrected.data.fill(1, 15 * 20 + 3, 15 * 20 + 6);
    corrected.data[3 * 20 + 3] = 0;
    one.replace("Brush", copyOf(corrected));
    expect(one.handSet().count).toBe(4);
    expect(answered("Click inside", { inside: [[4, 6], [4, 7]] })).toEqual(corrected);
    expect(one.authors).toEqual({ by: ["network 1.0"], byHand: true, resultId: null });
    // A click on what was erased takes the lesion back there; what was drawn elsewhere stays.
    answered("Click inside", { inside: [[4, 6], [4, 7], [3, 3]] });
    expect([one.mask().data[3 * 20 + 3], one.mask().data[15 * 20 + 4], one.handSet().count]).toEqual([1, 1, 3]);
    answered("Click outside", { outside: [[15, 4]] });
    expect(one.mask()).toEqual(square);
    one.undo();
    expect(one.mask().data[15 * 20 + 4]).toBe(1);
    one.replaceWhole("Outline", square, ["network 1.0"]);
    expect(one.handSet().count).toBe(0);
  });

  it("interpolates all frames between two, and takes each back", () => {
    const one = new Session({} as Backend, { id: "s", name: "s", createdAt: "", images: [{ ...image, frames: 6 }], problems: [] }, 0);
    const disc = (radius: number): Mask => {
      const mask = emptyMask(20, 20);
      stroke(mask, { row: 10, column: 10 }, { row: 10, column: 10 }, radius, 1);
      return mask;
    };
    for (const [frame, radius] of [[1, 2], [4, 8]]) {
      one.show(frame);
      one.replace("Brush", disc(radius));
    }
    one.show(2);
    interpolate(one, 1, 4);
    expect(one.frame).toBe(2);
    // A disc that grows by two pixels of radius a frame, within less than one.
    for (const [frame, radius] of [[2, 4], [3, 6]]) {
      expect(countOf(one.mask(frame))).toBeGreaterThan(countOf(disc(radius - 1)));
      expect(countOf(one.mask(frame))).toBeLessThan(countOf(disc(radius + 1)));
    }
    expect(one.outlinedFrames()).toEqual([1, 2, 3, 4]);
    one.undo();
    one.undo();
    expect(one.outlinedFrames()).toEqual([1, 4]);
  });

  it("tells a moved diameter in the place of the measured one, wherever it is told", async () => {
    const one = session();
    one.replaceWhole("Outline", square, ["network 1.0"]);
    expect(sentence(one)).not.toContain("moved");
    one.measurements.move(1, "longest", [{ row: 0, column: 0 }, { row: 0, column: 15 }]);
    expect(sentence(one)).toMatch(/^1 lesion: 15 x .*diameters moved by hand/);
    expect(await csvOf(one, { text: "", remarks: [] }).text()).toMatch(/"px","15.00",.*"moved by hand"/);
    expect(diameterLines(one)[0].ends[1].column).toBe(15);
    one.measurements.forgetMoved();
    expect(sentence(one)).not.toContain("moved");
  });

  it("takes a dragged diameter, a caliper and a skin line back as steps, which leave the mask as it is", () => {
    const one = session();
    const line: [Point, Point] = [{ row: 0, column: 0 }, { row: 0, column: 15 }];
    one.replaceWhole("Outline", square, ["network 1.0"]);
    one.markKept();
    changeLines(one, "Caliper", () => { one.setCalipers([{ frame: 0, ends: line }]); });
    changeLines(one, "Skin line", () => { one.skin.lay(line); });
    changeLines(one, "Move the end of a line", () => { one.measurements.move(1, "longest", line); });
    expect(madeBy(one.authors)).toBe("outlined by network 1.0");
    expect(one.isUnkept).toBe(false);
    one.replace("Clear", emptyMask(20, 20));
    expect(one.measurements.byHand).toBe(false);
    one.undo();
    expect(one.lesions[0].longest.length).toBe(15);
    one.undo();
    expect(one.lesions[0].longest.byHand).toBeUndefined();
    one.undo();
    expect(one.skin.line).toBeNull();
    one.undo();
    expect(one.calipers).toHaveLength(0);
    expect(countOf(one.mask())).toBe(countOf(square));
    for (let step = 0; step < 3; step += 1) one.redo();
    expect([one.calipers.length, one.skin.line, one.lesions[0].longest.length]).toEqual([1, line, 15]);
  });

  it("opens a volume in its middle, after contrast", () => {
    const volume: ImageInfo = { ...image, kind: "volume", frames: 9, channels: 2, phases: ["before", "after"] };
    const one = new Session({} as Backend, { id: "s", name: "s", createdAt: "", images: [volume], problems: [] }, 0);
    expect([one.frame, one.phase]).toEqual([4, 1]);
  });

  it("measures a line in the part of an ultrasound screen that holds it", () => {
    const part = (row0: number, row1: number, step: number) => ({ box: { row0, column0: 0, row1, column1: 20 }, spacingMm: [step, step] as const });
    const screen: ImageInfo = { ...image, spacingFrom: "file", parts: [part(0, 10, 0.1), part(10, 20, 0.2)] };
    expect(spacingBetween(screen, { row: 1, column: 1 }, { row: 9, column: 9 })).toEqual([0.1, 0.1]);
    expect(spacingBetween(screen, { row: 11, column: 1 }, { row: 19, column: 9 })).toEqual([0.2, 0.2]);
    expect(spacingBetween(screen, { row: 1, column: 1 }, { row: 19, column: 9 })).toBeNull();
    expect(spacingOfAll(screen)).toBeNull();
    expect(spacingOfAll({ ...screen, parts: [part(0, 20, 0.1)] })).toEqual([0.1, 0.1]);
  });

  it("has a margin for the model's own mask alone", () => {
    const one = session();
    const margin = { coverage: 0.9, outer: square, inner: emptyMask(20, 20), ranges: [] };
    const about = { id: null, method: "network", version: "1.0", parameters: {}, threshold: 0.5, remarks: [], malignancy: null, milliseconds: null };
    one.replaceAll("Outline", { ...about, probability: new Map([[0, Float32Array.from(square.data)]]), margins: new Map([[0, margin]]) });
    expect(one.margin).toBe(margin);
    const run = Symbol("run");
    for (const threshold of [0.45, 0.4]) {
      one.beginEdit();
      one.setThreshold(threshold);
      one.endEdit("Threshold", { origin: { by: ["network 1.0"], adds: false }, run });
    }
    expect(one.margin).toBeNull();
    // The slider goes back with its mask.
    one.undo();
    expect([one.threshold, one.undoLabel]).toEqual([0.5, "Outline"]);
    expect(one.margin).toBe(margin);
    one.replace("Brush", emptyMask(20, 20));
    expect(one.margin).toBeNull();
    one.undo();
    expect(one.margin).toBe(margin);
  });
});
