import { readFileSync } from "node:fs";
import * as ort from "onnxruntime-web";
import { describe, expect, test } from "vitest";
import type { Box } from "./box";
import { outlineBox } from "./classical/outline";
import { parseBundle } from "./bundle";
import type { LesionRecord } from "./generated/results";
import { lesionRecords } from "./lesions";
import { loadNetwork } from "./network";
import { significant, rounded } from "./numbers";
import { plane, type Plane } from "./plane";
import { promptedProbability } from "./prompt";
import { provenanceOf, stepsOf } from "./provenance";
import { segmentImage } from "./segment";
import { BUNDLES, FINDINGS } from "./testing/golden";
import { imageOf } from "./testing/vectors";

ort.env.wasm.numThreads = 1;

type Spacing = [number, number] | null;

interface Findings {
  prompts: {
    given: {
      image: number[][];
      size: [number, number];
      fit: "stretch" | "pad";
      prompt: { frame: number; looks: number; disc: number };
      threshold: number;
      box: Box | null;
      inside: [number, number][];
      outside: [number, number][];
      scribble: number[][] | null;
    };
    probability: number[][];
  }[];
  asked: {
    bundle: string;
    model: string;
    image: number[][];
    answers: { box: Box | null; inside: [number, number][]; outside: [number, number][]; probability: number[][]; steps: string[] }[];
  };
  boxed: {
    shape: [number, number];
    image: string;
    box: Box;
    inside: [number, number][];
    outside: [number, number][];
    scribble: number[][] | null;
    mask: number[];
    version: string;
    parameters: object;
    steps: string[];
  }[];
  lesions: {
    map: number[][];
    threshold: number;
    spacing_mm: Spacing;
    regions: { box: Box; spacing_mm: Spacing }[];
    lesions: LesionRecord[];
  }[];
  words: { bundle: string; channels: 1 | 3; parameters: object; steps: string[] }[];
}

const WANTED = JSON.parse(readFileSync(FINDINGS, "utf8")) as Findings;
const BUNDLE = parseBundle(readFileSync(`${BUNDLES}ultrasound-fast/bundle.json`, "utf8"));

function planeOf(values: number[][]): Plane {
  return plane(values.length, values[0].length, Float32Array.from(values.flat()));
}

/** The network of the prompts: the same formula as in tests/golden/make_finding_vectors.py. */
function formula(input: Float32Array): Promise<Float32Array> {
  const area = input.length / 4;
  const found = new Float32Array(area);
  for (let i = 0; i < area; i++) {
    const [image, box, inside, outside] = [0, 1, 2, 3].map((k) => input[k * area + i]);
    found[i] = Math.min(Math.max(0.1 + 0.7 * image + 0.15 * box + 0.2 * inside - 0.5 * outside, 0), 1);
  }
  return Promise.resolve(found);
}

test.each(WANTED.prompts.map((one, number) => ({ ...one, number })))("prompt $number", async ({ given, probability }) => {
  const bundle = {
    ...BUNDLE,
    input: { ...BUNDLE.input, size: given.size, fit: given.fit, intensity: "unit" as const },
    output: { ...BUNDLE.output, flipAverage: false },
    prompt: given.prompt,
  };
  const { box, inside, outside, scribble } = given;
  const prompt = { box: box ?? undefined, inside, outside, scribble: scribble ? Uint8Array.from(scribble.flat()) : undefined };
  const found = await promptedProbability(formula, bundle, planeOf(given.image), prompt, given.threshold);
  const wanted = probability.flat();
  const most = found.data.reduce((so, value, i) => Math.max(so, Math.abs(value - wanted[i])), 0);
  expect(most).toBeLessThan(1e-4);
});

test.each(WANTED.asked.answers.map((one, number) => ({ ...one, number })))("answer $number of a bundle that takes prompts", async (one) => {
  const bundle = parseBundle(WANTED.asked.bundle);
  const network = await loadNetwork(ort, Uint8Array.from(Buffer.from(WANTED.asked.model, "base64")), bundle);
  const grey = WANTED.asked.image;
  const image = imageOf({ shape: [1, grey.length, grey[0].length], data: Uint8Array.from(grey.flat()) });
  const { box, inside, outside, steps } = one;
  const prompt = box || inside.length ? { ...(box ? { box } : {}), inside, outside } : undefined;
  const found = await segmentImage(network.run, bundle, image, { prompt });
  await network.release();
  const wanted = one.probability.flat();
  const most = found.probability.reduce((so, value, i) => Math.max(so, Math.abs(value - wanted[i])), 0);
  expect(most).toBeLessThan(1e-4);
  expect(found.mask.some((label) => label > 0)).toBe(true);
  expect(found.steps).toEqual(steps);
});

test.each(WANTED.boxed.map((one, number) => ({ ...one, number })))("box $number by the classical method", (one) => {
  const image = imageOf({ shape: [1, ...one.shape], data: Uint8Array.from(Buffer.from(one.image, "base64")) });
  const { box, inside, outside, scribble } = one;
  const found = outlineBox(image, { box, inside, outside, ...(scribble ? { scribble: Uint8Array.from(scribble.flat()) } : {}) });
  const marked: number[] = [];
  found.mask.forEach((label, i) => {
    if (label) marked.push(i);
  });
  expect(marked).toEqual(one.mask);
  expect(found.provenance).toMatchObject({ segmenter: "polar-path", version: one.version, parameters: one.parameters });
  expect(found.steps).toEqual(one.steps);
});

test("the classical method asks for a box", () => {
  const image = imageOf({ shape: [1, 8, 8], data: new Uint8Array(64) });
  expect(() => outlineBox(image, { inside: [[3, 3]] })).toThrow(/box/);
});

test.each(WANTED.lesions.map((one, number) => ({ ...one, number })))("lesions of map $number", (one) => {
  const map = planeOf(one.map);
  const regions = one.regions.map(({ box, spacing_mm }) => ({ box, spacingMm: spacing_mm }));
  const vector = { shape: [1, map.rows, map.columns], data: map.data };
  const found = lesionRecords(map, one.threshold, imageOf(vector, { spacingMm: one.spacing_mm, regions }));
  expect(found).toEqual(one.lesions);
});

test.each(WANTED.words)("the words of $bundle with $channels channels", ({ bundle: name, channels, parameters, steps }) => {
  const bundle = parseBundle(readFileSync(`${BUNDLES}${name}/bundle.json`, "utf8"));
  const vector = { shape: [channels, 30, 40], data: new Uint8Array(channels * 1200) };
  expect(provenanceOf(bundle, bundle.output.threshold).parameters).toEqual(parameters);
  expect(stepsOf(bundle, imageOf(vector), bundle.output.threshold)).toEqual(steps);
});

describe("sizes are rounded as in Python", () => {
  test.each([
    [12345, 12340],
    [12355, 12360],
    [1000.5, 1000],
    [0.00012345, 0.0001234], // just below the half
    [9999.6, 10000],
    [339, 339],
    [0, 0],
  ])("%d to four digits", (value, wanted) => {
    expect(significant(value)).toBe(wanted);
  });

  test("probabilities to four decimals", () => {
    expect([0.03125, 0.09375, 0.99999, 1, -0.5].map((value) => rounded(value, 4))).toEqual([0.0312, 0.0938, 1, 1, -0.5]);
  });
});
