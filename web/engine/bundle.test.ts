import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parseBundle } from "./bundle";
import { EngineError } from "./errors";
import { contentsOf } from "./onnx";
import { BUNDLES } from "./testing/golden";

const TEXT = readFileSync(`${BUNDLES}ultrasound/bundle.json`, "utf8");

function changed(change: (json: Record<string, unknown>) => void): string {
  const json = JSON.parse(TEXT) as Record<string, unknown>;
  change(json);
  return JSON.stringify(json);
}

function marginOf(margin: object = { coverage: 0.9, outer: 0.2, inner: 0.1 }): object {
  return { calibrated_on: "made up", patients: 10, missed: 0.1, margins: [margin] };
}

function refusalOf(text: string): EngineError {
  try {
    parseBundle(text);
  } catch (error) {
    if (error instanceof EngineError) return error;
    throw error;
  }
  throw new Error("it was not refused");
}

test("a shipped bundle is read as it says", () => {
  const bundle = parseBundle(TEXT);
  expect(bundle.name).toBe("ultrasound");
  expect(bundle.input).toMatchObject({ size: [256, 256], intensity: "symmetric", fit: "stretch", umPerPx: null });
  expect(bundle.output).toMatchObject({ threshold: 0.35, flipAverage: true, temperature: 1.774 });
  expect(bundle.labels).toEqual(["lesion"]);
});

test("what was calibrated is read", () => {
  const confidence = { slope: 2, intercept: -1.5, calibrated_on: "made up" };
  const bundle = parseBundle(changed((json) => Object.assign(json, { confidence, conformal: marginOf() })));
  expect(bundle.confidence).toEqual({ slope: 2, intercept: -1.5, calibratedOn: "made up" });
  expect(bundle.conformal?.margins).toEqual([
    { coverage: 0.9, outer: 0.2, inner: 0.1, outerThreshold: 1, innerThreshold: 0 },
  ]);
  expect(bundle.conformal?.missedArea).toEqual([]);
});

test("fields with a default may be left out, and null means none", () => {
  const bundle = parseBundle(
    changed((json) => {
      for (const name of ["input", "output", "labels", "training_data", "licence", "remarks"]) {
        Reflect.deleteProperty(json, name);
      }
      Object.assign(json, { volume: null, malignancy: null, prompt: null, extensions: { mine: { a: [1.5] } } });
    }),
  );
  expect(bundle.input).toMatchObject({ size: [256, 256], channels: 1, colour: false, region: "whole" });
  expect(bundle.licence).toBe("not stated");
});

describe.each<[string, (json: Record<string, unknown>) => void, RegExp]>([
  ["another format", (j) => (j.format = 2), /format is 2/],
  ["no format", (j) => Reflect.deleteProperty(j, "format"), /format is missing/],
  ["an unknown field", (j) => (j.mirror = true), /unknown field "mirror"/],
  ["an unknown field further down", (j) => ((j.input as Record<string, unknown>).gamma = 2), /unknown field "gamma"/],
  ["a missing field", (j) => Reflect.deleteProperty(j, "network"), /network is missing/],
  ["a number for text", (j) => (j.version = 1), /version is 1/],
  ["a threshold out of bounds", (j) => ((j.output as Record<string, unknown>).threshold = 1), /threshold 1/],
  ["a temperature of 0", (j) => ((j.output as Record<string, unknown>).temperature = 0), /temperature is 0/],
  ["null for a threshold", (j) => ((j.output as Record<string, unknown>).threshold = null), /threshold is null/],
  ["a size of 8", (j) => ((j.input as Record<string, unknown>).size = [8, 256]), /8 x 256/],
  ["labels with a gap", (j) => (j.labels = { 1: "benign", 3: "malignant" }), /labels/],
  ["labels alike", (j) => (j.labels = { 1: "a", 2: "a" }), /labels/],
  ["a prompt and labels", (j) => Object.assign(j, { prompt: {}, labels: { 1: "a", 2: "b" } }), /prompt/],
  ["a confidence with a field more", (j) => (j.confidence = { slope: 1, share: 2 }), /share/],
  ["a margin without a distance", (j) => (j.conformal = marginOf({ coverage: 0.9, outer: 0.2 })), /inner/],
  ["a margin of no patient", (j) => (j.conformal = { ...marginOf(), patients: 0 }), /0 patients/],
  ["a scaling without its labels", (j) => (j.malignancy = {}), /malignancy/],
  ["a volume and an input", (j) => (j.volume = {}), /input and a volume/],
  ["a volume of two letters", (j) => Object.assign(j, { input: null, volume: { orientation: "SP" } }), /orientation/],
  ["a volume of half a voxel", (j) => Object.assign(j, { input: null, volume: { patch: [16, 96.5, 96] } }), /patch/],
  ["a volume and a prompt", (j) => Object.assign(j, { input: null, volume: {}, prompt: {} }), /volume/],
  ["another modality", (j) => (j.modality = "CT"), /modality is "CT"/],
  ["a short digest", (j) => (j.weights_sha256 = "ab"), /weights_sha256/],
])("a bundle with %s", (_, change, message) => {
  test("is refused", () => {
    expect(refusalOf(changed(change))).toMatchObject({ kind: "bundle", message: expect.stringMatching(message) as string });
  });
});

test("a field given twice, a real number for an integer and no JSON are refused", () => {
  expect(refusalOf(TEXT.replace('"name"', '"format": 1, "name"')).message).toMatch(/given twice/);
  expect(refusalOf(TEXT.replace('"format": 1', '"format": 1.0')).message).toMatch(/format is 1/);
  expect(refusalOf(TEXT.replace(/"threshold": [\d.]+/, '"threshold": NaN')).message).toMatch(/no JSON/);
  expect(refusalOf(`${TEXT},`).message).toMatch(/something follows/);
  expect(parseBundle(TEXT.replace(/"temperature": [\d.]+/, '"temperature": 2')).output.temperature).toBe(2);
});

test("a network for volumes is read", () => {
  const bundle = parseBundle(readFileSync(`${BUNDLES}mri-phantom/bundle.json`, "utf8"));
  expect(bundle.volume).toMatchObject({ patch: [16, 96, 96], spacingMm: [1.6, 0.8, 0.8], channels: 2, orientation: "SPL" });
});

test("the shipped networks have the operators of the reference page and no others", () => {
  const operators = new Set<string>();
  for (const name of readdirSync(BUNDLES)) {
    const { operators: own, external } = contentsOf(readFileSync(`${BUNDLES}${name}/model.onnx`));
    expect(external).toBe(false);
    for (const operator of own) operators.add(operator);
  }
  const page = readFileSync(`${BUNDLES}../../../docs/reference/bundle.md`, "utf8");
  const listed = page.split("<!-- operators -->\n")[1].split("\n\n")[0];
  expect([...operators].sort().map((name) => `\`${name}\``).join(", ") + ".").toBe(listed.replaceAll("\n", " "));
});

test("bytes that are no network are refused", () => {
  const model = readFileSync(`${BUNDLES}ultrasound-fast/model.onnx`);
  expect(() => contentsOf(model.subarray(0, model.length - 7))).toThrow(/ends within/);
});
