/** ONNX Runtime in the browser: WebAssembly with SIMD, and with threads where the page is isolated. */
import * as ort from "onnxruntime-web/wasm";
import mjs from "onnxruntime-web/ort-wasm-simd-threaded.mjs?url";
import wasm from "onnxruntime-web/ort-wasm-simd-threaded.wasm?url";
import type { Runtime } from "./network";

/** More make a small network slower. */
const MOST_THREADS = 4;

/**
 * The runtime, set up on the first call.
 *
 * @param threads 0 for as many as there are cores, at most 4. Without isolation there is always one.
 */
export function runtime(threads: number): Runtime {
  const cores = Math.min(navigator.hardwareConcurrency || 1, MOST_THREADS);
  ort.env.wasm.wasmPaths = { mjs, wasm };
  ort.env.wasm.numThreads = self.crossOriginIsolated ? threads || cores : 1;
  ort.env.wasm.proxy = false; // this is the worker
  ort.env.logLevel = "error";
  return ort;
}
