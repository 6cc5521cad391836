/** The golden vectors of tests/golden, for the tests under Node. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { jpegCodec } from "../decode/codec";
import { arraysOf, type Index, type Vector } from "./vectors";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
export const GOLDEN = `${ROOT}tests/golden/bundles/`;
export const GOLDEN_IMAGES = `${ROOT}tests/golden/images`;
export const VOLUMES = `${ROOT}tests/golden/volumes`;
export const FINDINGS = `${ROOT}tests/golden/findings.json`;
export const BUNDLES = `${ROOT}src/breastseg/bundles/`;

/** libjpeg-turbo under Node. */
export async function testCodec(): ReturnType<typeof jpegCodec> {
  const wasm = createRequire(import.meta.url).resolve("@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasm");
  return jpegCodec(Uint8Array.from(readFileSync(wasm)).buffer);
}

/** The arrays of NAME.json and NAME.bin. */
export function vectors(stem: string): Map<string, Vector> {
  const index = JSON.parse(readFileSync(`${stem}.json`, "utf8")) as Index;
  return arraysOf(index, Uint8Array.from(readFileSync(`${stem}.bin`)).buffer);
}
