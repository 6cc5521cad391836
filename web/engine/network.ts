/** A bundle's network in ONNX Runtime. */
import type * as Ort from "onnxruntime-web";
import type { Bundle } from "./bundle";
import { brief, EngineError } from "./errors";
import type { Network } from "./map";
import { checkNetwork } from "./onnx";

/** As far as needed of the runtime, which differs between the browser and the tests. */
export type Runtime = Pick<typeof Ort, "InferenceSession" | "Tensor">;

const INPUT = "image";
const OUTPUT = "probability";
const ROUNDING = 0.001;
const ROUNDING_OF_SUM = 0.02;
/** A prompt's box, points inside and points outside. */
const PROMPT_MAPS = 3;

export interface LoadedNetwork {
  readonly run: Network;
  release(): Promise<void>;
}

/** How many maps the network of a bundle gives. */
export function outputsOf(bundle: Bundle): number {
  return bundle.labels.length === 1 ? 1 : bundle.labels.length + 1;
}

/**
 * Load a network and check that it belongs to the bundle.
 *
 * @throws EngineError kind "bundle".
 */
export async function loadNetwork(runtime: Runtime, model: Uint8Array, bundle: Bundle): Promise<LoadedNetwork> {
  checkNetwork(model);
  const spec = bundle.volume ?? bundle.input;
  const size = bundle.volume?.patch ?? bundle.input.size;
  const channels = spec.channels + (bundle.prompt ? PROMPT_MAPS : 0);
  const outputs = outputsOf(bundle);
  let session: Ort.InferenceSession;
  try {
    session = await runtime.InferenceSession.create(model, { executionProviders: ["wasm"], logSeverityLevel: 3 });
  } catch (error) {
    throw new EngineError(
      "bundle",
      `model.onnx cannot be run by ONNX Runtime (${brief((error as Error).message, 200)})`,
      "a network that ONNX Runtime can run",
      "copy the whole bundle again",
    );
  }
  try {
    checkSignature(session, channels, outputs, size);
  } catch (error) {
    await session.release();
    throw error;
  }
  return {
    run: async (input) => {
      const tensor = new runtime.Tensor("float32", input, [1, channels, ...size]);
      const found = (await session.run({ [INPUT]: tensor }))[OUTPUT];
      return checked(found, outputs, size);
    },
    release: () => session.release(),
  };
}

function checkSignature(
  session: Ort.InferenceSession,
  channels: number,
  outputs: number,
  size: readonly number[],
): void {
  for (const [all, name, wanted] of [
    [session.inputMetadata, INPUT, [channels, ...size]],
    [session.outputMetadata, OUTPUT, [outputs, ...size]],
  ] as const) {
    const found = all.length === 1 ? all[0] : undefined;
    const shape = found?.isTensor && found.type === "float32" && found.name === name ? found.shape : [];
    const fits =
      shape.length === wanted.length + 1 &&
      typeof shape[0] !== "number" &&
      wanted.every((side, axis) => typeof shape[axis + 1] !== "number" || shape[axis + 1] === side);
    if (!fits) {
      throw new EngineError(
        "bundle",
        `model.onnx has ${all.map((one) => one.name).join(", ")} of shape ${JSON.stringify(shape)}`,
        `${name}, float32, (any N, ${wanted.join(", ")})`,
        "bundle.json and model.onnx do not belong together",
      );
    }
  }
}

/** What the network gave, clipped to 0 to 1. */
function checked(found: Ort.Tensor, outputs: number, size: readonly number[]): Float32Array {
  const area = size.reduce((product, side) => product * side, 1);
  const values = found.data;
  if (!(values instanceof Float32Array) || values.length !== outputs * area) {
    throw wrong(`an array of ${JSON.stringify(found.dims)}`, `(1, ${outputs}, ${size.join(", ")})`);
  }
  const result = new Float32Array(values.length);
  for (let i = 0; i < values.length; i++) {
    if (!(values[i] >= -ROUNDING && values[i] <= 1 + ROUNDING)) {
      throw wrong(`the value ${values[i]}`, "probabilities of 0 to 1");
    }
    result[i] = Math.min(Math.max(values[i], 0), 1);
  }
  for (let i = 0; outputs > 1 && i < area; i++) {
    let sum = 0;
    for (let k = 0; k < outputs; k++) sum += values[k * area + i];
    if (Math.abs(sum - 1) > ROUNDING_OF_SUM) throw wrong(`classes that add up to ${sum}`, "1");
  }
  return result;
}

function wrong(given: string, allowed: string): EngineError {
  return new EngineError("bundle", `the network gave ${given}`, allowed, "make the bundle again");
}
