/** The golden vectors of tests/golden, for the tests under Node. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { arraysOf, type Index, type Vector } from "./vectors";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
export const GOLDEN = `${ROOT}tests/golden/bundles/`;
export const GOLDEN_IMAGES = `${ROOT}tests/golden/images`;
export const FINDINGS = `${ROOT}tests/golden/findings.json`;
export const BUNDLES = `${ROOT}src/breastseg/bundles/`;

/** The arrays of NAME.json and NAME.bin. */
export function vectors(stem: string): Map<string, Vector> {
  const index = JSON.parse(readFileSync(`${stem}.json`, "utf8")) as Index;
  return arraysOf(index, Uint8Array.from(readFileSync(`${stem}.bin`)).buffer);
}
