import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import * as ort from "onnxruntime-web";
import { describe, expect, test } from "vitest";
import { parseBundle, type Bundle, type OutputSpec, type PlattScaling } from "./bundle";
import { emptyMaps, isConstant, networkMaps, temper, type Network } from "./map";
import { loadNetwork, outputsOf } from "./network";
import { imageProbability, labelProbabilities, malignancyOf, maskOf } from "./operating-point";
import { placementOf } from "./placement";
import { plane } from "./plane";
import { prepare } from "./prepare";
import { segmentImage } from "./segment";
import { BUNDLES, GOLDEN, vectors } from "./testing/golden";
import { imageOf, spacingFor } from "./testing/vectors";

const NAMES = ["ultrasound", "ultrasound-fast", "mammography", "histopathology-nuclei", "histopathology-tumour"];
const INPUTS = vectors(`${GOLDEN}inputs`);
/** Of the probability, and of the distance from the threshold at which a pixel may have the other label. */
const TOLERANCE = 1e-3;
const PREPARED = 1e-4;
const SIXTEEN_BITS = 65535;

ort.env.wasm.numThreads = 1;

async function opened(name: string): Promise<{ bundle: Bundle; model: Uint8Array }> {
  const bundle = parseBundle(readFileSync(`${BUNDLES}${name}/bundle.json`, "utf8"));
  return Promise.resolve({ bundle, model: readFileSync(`${BUNDLES}${name}/model.onnx`) });
}

/** The same network, which runs an input that it has seen only once. */
function remembering(network: Network): Network {
  const known = new Map<string, Promise<Float32Array>>();
  return (input) => {
    const key = createHash("sha256").update(new Uint8Array(input.buffer)).digest("hex");
    const found = known.get(key) ?? network(input);
    known.set(key, found);
    return found;
  };
}

/** Every k-th row and column of (channels, rows, columns), at most 32 of each. */
function sample(data: Float32Array, channels: number, rows: number, columns: number): number[] {
  const [down, along] = [Math.ceil(rows / 32), Math.ceil(columns / 32)];
  const values: number[] = [];
  for (let channel = 0; channel < channels; channel++) {
    for (let row = 0; row < rows; row += down) {
      for (let column = 0; column < columns; column += along) {
        values.push(data[(channel * rows + row) * columns + column]);
      }
    }
  }
  return values;
}

function largestDifference(found: ArrayLike<number>, wanted: ArrayLike<number>): number {
  expect(found.length).toBe(wanted.length);
  let most = 0;
  for (let i = 0; i < found.length; i++) most = Math.max(most, Math.abs(found[i] - wanted[i]));
  return most;
}

describe.each(NAMES)("the golden vectors of %s", (name) => {
  const wanted = vectors(GOLDEN + name);
  const cases = [...new Set([...wanted.keys()].map((key) => key.split("/")[0]))];
  const of = (key: string): ArrayLike<number> => wanted.get(key)?.data ?? [];

  test("the prepared input, the map, the probability and the mask are Python's", async () => {
    const { bundle, model } = await opened(name);
    const loaded = await loadNetwork(ort, model, bundle);
    const run = remembering(loaded.run);
    let near = 0;
    for (const one of cases) {
      const [rows, columns] = bundle.input.size;
      const vector = INPUTS.get(one) ?? { shape: [], data: new Uint8Array() };
      const image = imageOf(vector, { spacingMm: spacingFor(bundle, vector.shape) });
      const { input } = prepare(image, bundle.input);
      const sampled = sample(input, bundle.input.channels, rows, columns);
      expect(largestDifference(sampled, of(`${one}/prepared/sample`)), one).toBeLessThan(PREPARED);
      const maps = isConstant(input, rows * columns)
        ? emptyMaps(outputsOf(bundle), bundle.input.size)
        : await networkMaps(run, input, bundle.input.size, bundle.output);
      const map = sample(maps[0].data, 1, rows, columns);
      expect(largestDifference(map, of(`${one}/network/sample`)), one).toBeLessThan(TOLERANCE);

      const found = await segmentImage(run, bundle, image);
      const probability = Float32Array.from(of(`${one}/probability`), (value) => value / SIXTEEN_BITS);
      expect(largestDifference(found.probability, probability), one).toBeLessThan(TOLERANCE);
      const mask = of(`${one}/mask`);
      found.mask.forEach((label, i) => {
        if (label === mask[i]) return;
        near++;
        expect(Math.abs(probability[i] - bundle.output.threshold), one).toBeLessThan(TOLERANCE);
      });
    }
    await loaded.release();
    expect(near, "pixels so near to the threshold that their label differs").toBeLessThan(5);
  });
});

interface Rule {
  given: {
    maps: number[][][];
    image: [number, number];
    fit: "stretch" | "pad";
    output: Record<string, number | boolean>;
    malignancy: PlattScaling | null;
  };
  probability: number[][];
  mask: number[][];
  malignancy: number | null;
}

const RULES = JSON.parse(readFileSync(`${GOLDEN}rules.json`, "utf8")) as Rule[];

test.each(RULES.map((rule, number) => ({ rule, number })))("rule $number of the operating point", ({ rule }) => {
  const { given } = rule;
  const size: [number, number] = [given.maps[0].length, given.maps[0][0].length];
  const spec = parseBundle(readFileSync(`${BUNDLES}ultrasound/bundle.json`, "utf8")).input;
  const output = {
    threshold: given.output.threshold,
    minScore: given.output.min_score,
    minAreaFraction: given.output.min_area_fraction,
    largestOnly: given.output.largest_only,
    flipAverage: given.output.flip_average,
    temperature: given.output.temperature,
  } as OutputSpec;
  const placement = placementOf(given.image, { ...spec, size, fit: given.fit });
  const maps = given.maps.map((map) => plane(...size, Float32Array.from(map.flat())));
  if (output.temperature !== 1) temper(maps, output.temperature);
  const probability = imageProbability(maps, placement, output);
  const each = maps.length > 1 ? labelProbabilities(maps, placement, probability) : [];
  expect(largestDifference(probability.data, rule.probability.flat())).toBeLessThan(1e-5);
  expect([...maskOf(probability, each, output.threshold)]).toEqual(rule.mask.flat());
  if (each.length) {
    const found = malignancyOf(probability, each[0], each[1], output.threshold, given.malignancy);
    if (rule.malignancy === null) expect(found).toBeNull();
    else expect(Math.abs((found ?? NaN) - rule.malignancy)).toBeLessThan(1e-5);
  }
});
