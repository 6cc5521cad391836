import { readFileSync } from "node:fs";
import * as ort from "onnxruntime-web";
import { describe, expect, test } from "vitest";
import { parseBundle } from "./bundle";
import { decodeVolumes } from "./decode/volumes";
import { isEnhancedMri } from "./decode/slice";
import { EngineError } from "./errors";
import { loadNetwork } from "./network";
import { ordered, turnTo, viewOf } from "./orientation";
import { prepareVolume } from "./prepare-volume";
import { segmentVolume } from "./segment-volume";
import { starts } from "./sliding-window";
import { BUNDLES, testCodec, VOLUMES } from "./testing/golden";
import { kindOf } from "./testing/vectors";
import type { Sides, Volume } from "./volume";

interface Stored {
  dtype: string;
  shape: number[];
  offset: number;
}

interface Grid {
  shape: [number, number, number];
  spacing_mm: [number, number, number] | null;
  origin_mm: [number, number, number];
  direction: number[];
  phases: Stored[];
}

interface Index {
  files: Record<string, { offset: number; length: number }>;
  volumes: Record<string, (Grid & { modality: string; remarks: string[] }) | null>;
  segmented: Record<
    string,
    Grid & { prepared_shape: number[]; prepared: Stored; probability: Stored; parameters: object; steps: string[] }
  >;
}

const INDEX = JSON.parse(readFileSync(`${VOLUMES}.json`, "utf8")) as Index;
const BYTES = Uint8Array.from(readFileSync(`${VOLUMES}.bin`)).buffer;
const TOLERANCE = 1e-3;
const PREPARED = 1e-4;
const MANY = 4;
const BUNDLE = parseBundle(readFileSync(`${BUNDLES}mri-phantom/bundle.json`, "utf8"));

ort.env.wasm.numThreads = 1;

function array({ dtype, shape, offset }: Stored) {
  return new (kindOf(dtype))(BYTES, offset, shape.reduce((a, b) => a * b, 1));
}

function filesOf(volume: string): File[] {
  const names = Object.keys(INDEX.files).filter((name) => name.split("/")[0] === volume);
  return names.map((name) => {
    const { offset, length } = INDEX.files[name];
    return new File([BYTES.slice(offset, offset + length)], name);
  });
}

const near = (values: ArrayLike<number>): number[] => Array.from(values, (value) => Number(value.toFixed(5)) + 0);

test.each(Object.keys(INDEX.volumes))("%s is read as in Python, or refused", async (name) => {
  const wanted = INDEX.volumes[name];
  const { volumes, problems, others } = await decodeVolumes(filesOf(name), testCodec, () => undefined);
  if (wanted === null) {
    expect(volumes).toEqual([]);
    expect(problems.length + others.length).toBeGreaterThan(0);
    return;
  }
  expect(problems).toEqual([]);
  expect(others).toEqual([]);
  expect(volumes.length).toBe(1);
  const [volume] = volumes;
  expect(volume.shape).toEqual(wanted.shape);
  expect(near(volume.spacingMm ?? [])).toEqual(near(wanted.spacing_mm ?? []));
  expect(near(volume.direction)).toEqual(near(wanted.direction));
  expect(near(volume.originMm)).toEqual(near(wanted.origin_mm));
  expect(volume.modality).toBe(wanted.modality);
  expect(volume.remarks).toEqual(wanted.remarks);
  expect(volume.phases.length).toBe(wanted.phases.length);
  volume.phases.forEach((phase, k) => {
    const values = array(wanted.phases[k]);
    expect(phase.constructor).toBe(values.constructor);
    expect(phase.length).toBe(values.length);
    expect(phase.findIndex((value, i) => value !== values[i]), "the first voxel that differs").toBe(-1);
  });
});

describe.each(Object.keys(INDEX.segmented))("the study %s", (name) => {
  const wanted = INDEX.segmented[name];
  const volume: Volume = {
    shape: wanted.shape,
    spacingMm: wanted.spacing_mm,
    originMm: wanted.origin_mm,
    direction: wanted.direction,
    phases: wanted.phases.map(array),
    modality: "mri", studyDate: "",
    source: name,
    remarks: [],
  };

  test("is prepared as in Python", () => {
    if (!BUNDLE.volume) throw new Error("no bundle for volumes");
    const view = viewOf(volume.shape, turnTo(volume.direction, BUNDLE.volume.orientation));
    const shape = wanted.prepared_shape as unknown as Sides;
    const found = prepareVolume(volume.phases, view, shape, BUNDLE.volume);
    const values = array(wanted.prepared);
    let [most, at] = [0, 0];
    for (let channel = 0; channel < BUNDLE.volume.channels; channel++) {
      for (let z = 0; z < shape[0]; z += MANY) {
        for (let y = 0; y < shape[1]; y += MANY) {
          for (let x = 0; x < shape[2]; x += MANY) {
            const value = found[((channel * shape[0] + z) * shape[1] + y) * shape[2] + x];
            most = Math.max(most, Math.abs(value - values[at++]));
          }
        }
      }
    }
    expect(at).toBe(values.length);
    expect(most).toBeLessThan(PREPARED);
  });

  test("is outlined as in Python", async () => {
    const network = await loadNetwork(ort, readFileSync(`${BUNDLES}mri-phantom/model.onnx`), BUNDLE);
    const told: number[] = [];
    const found = await segmentVolume(network.run, BUNDLE, volume, undefined, (fraction) => told.push(fraction));
    await network.release();
    const probability = Float32Array.from(array(wanted.probability), (value) => value / 65535);
    let [most, other] = [0, 0];
    found.probability.forEach((value, i) => {
      most = Math.max(most, Math.abs(value - probability[i]));
      const label = probability[i] >= found.threshold ? 1 : 0;
      if (found.mask[i] !== label && Math.abs(probability[i] - found.threshold) >= TOLERANCE) other++;
    });
    expect(most).toBeLessThan(TOLERANCE);
    expect(other, "voxels with another label").toBe(0);
    expect(found.lesions.length).toBeGreaterThan(0);
    expect(found.lesions.reduce((sum, { voxels }) => sum + voxels, 0)).toBe(found.mask.reduce((sum, label) => sum + label, 0));
    expect(found.provenance.parameters).toEqual(wanted.parameters);
    expect(found.steps).toEqual(wanted.steps);
    expect(told[0]).toBe(0);
    expect(told).toEqual([...told].sort((a, b) => a - b));
  });

  test("is not begun without its phases, with another modality, or after it was cancelled", async () => {
    const never = (): Promise<Float32Array> => Promise.reject(new Error("the network ran"));
    const asked = (changes: Partial<Volume>): Promise<unknown> => segmentVolume(never, BUNDLE, { ...volume, ...changes });
    await expect(asked({ phases: volume.phases.slice(0, 1) })).rejects.toThrow(/1 phase/);
    await expect(asked({ modality: "ultrasound" })).rejects.toThrow(/modality/);
    await expect(asked({ spacingMm: null })).rejects.toThrow(/spacing/);
    await expect(asked({ spacingMm: [100, 60, 60] })).rejects.toBeInstanceOf(EngineError);
    const cancelled = segmentVolume(never, BUNDLE, volume, undefined, () => {
      throw new Error("cancelled");
    });
    await expect(cancelled).rejects.toThrow("cancelled");
  });
});

test("an axis of any order and direction is brought to the orientation that is wanted", () => {
  const turn = turnTo([0, 0, -1, 1, 0, 0, 0, -1, 0], "SPL");
  expect(turn).toEqual({ axes: [2, 0, 1], reversed: [true, false, true] });
  const view = viewOf([2, 3, 4], turn);
  expect(view.shape).toEqual([4, 2, 3]);
  expect(ordered([2, 3, 4], turn.axes)).toEqual([4, 2, 3]);
  // Voxel (0, 0, 0) of the result is the last one of axis 2, the first of axis 0, the last of axis 1.
  expect(view.start).toBe(0 * 12 + 2 * 4 + 3);
});

test("patches are flush with both ends", () => {
  expect(starts(10, 16, 0.5)).toEqual([0]);
  expect(starts(40, 16, 0.25)).toEqual([0, 12, 24]);
});

test("knows an enhanced MR object, whose frames would pass for a loop", () => {
  const element = (tag: readonly [number, number], value: string): number[] => {
    const text = value.padEnd(value.length + (value.length % 2), "\0");
    return [...tag.flatMap((part) => [part & 255, part >> 8]), 0x55, 0x49, text.length, 0, ...Buffer.from(text)];
  };
  const file = (sopClass: string): Uint8Array => {
    const meta = element([0x0002, 0x0010], "1.2.840.10008.1.2.1");
    return Uint8Array.from([...new Uint8Array(128), ...Buffer.from("DICM"), ...meta, ...element([0x0008, 0x0016], sopClass)]);
  };
  expect(isEnhancedMri(file("1.2.840.10008.5.1.4.1.1.4.1"))).toBe(true);
  expect(isEnhancedMri(file("1.2.840.10008.5.1.4.1.1.4"))).toBe(false);
  expect(isEnhancedMri(new Uint8Array(200))).toBe(false);
});
