import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parseBundle } from "./bundle";
import { segmentImage } from "./segment";
import { BUNDLES } from "./testing/golden";
import { imageOf } from "./testing/vectors";

const BUNDLE = {
  ...parseBundle(readFileSync(`${BUNDLES}ultrasound-fast/bundle.json`, "utf8")),
  confidence: { slope: 2, intercept: -1, calibratedOn: "made up" },
};
const IMAGE = imageOf({ shape: [1, 2, 2], data: Uint8Array.of(0, 9, 30, 200) });

test("the confidence is of the highest value before regions are rejected", async () => {
  const [rows, columns] = BUNDLE.input.size;
  const map = new Float32Array(rows * columns);
  map[5] = 0.8; // too small a region to be kept
  const output = { ...BUNDLE.output, minAreaFraction: 0.5 };
  const found = await segmentImage(() => Promise.resolve(map), { ...BUNDLE, output }, IMAGE);
  expect(found.lesions).toEqual([]);
  const logit = 2 * Math.log(0.8 / 0.2) - 1;
  expect(found.confidence).toBeCloseTo(1 / (1 + Math.exp(-logit)), 5);
});

test("a bundle that was not calibrated gives none", async () => {
  const run = (): Promise<Float32Array> => Promise.resolve(new Float32Array(256 * 256));
  expect((await segmentImage(run, { ...BUNDLE, confidence: null }, IMAGE)).confidence).toBeNull();
});
