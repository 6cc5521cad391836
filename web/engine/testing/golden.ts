/** The golden vectors of tests/golden, for the tests under Node. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Image, Pixels } from "../image";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
export const GOLDEN = `${ROOT}tests/golden/bundles/`;
export const GOLDEN_IMAGES = `${ROOT}tests/golden/images`;
export const BUNDLES = `${ROOT}src/breastseg/bundles/`;

export interface Vector {
  readonly shape: number[];
  readonly data: Pixels;
}

interface Index {
  arrays: Record<string, { dtype: keyof typeof KINDS; shape: number[]; offset: number }>;
}

const KINDS = {
  uint8: Uint8Array,
  int8: Int8Array,
  uint16: Uint16Array,
  int16: Int16Array,
  uint32: Uint32Array,
  float32: Float32Array,
};

/** The typed array of a NumPy dtype. */
export function kindOf(dtype: string): (typeof KINDS)[keyof typeof KINDS] {
  return KINDS[dtype as keyof typeof KINDS];
}

/** The arrays of NAME.json and NAME.bin. */
export function vectors(stem: string): Map<string, Vector> {
  const { arrays } = JSON.parse(readFileSync(`${stem}.json`, "utf8")) as Index;
  const file = readFileSync(`${stem}.bin`);
  const bytes = file.buffer.slice(file.byteOffset, file.byteOffset + file.length);
  return new Map(
    Object.entries(arrays).map(([name, { dtype, shape, offset }]) => {
      const size = shape.reduce((a, b) => a * b, 1);
      return [name, { shape, data: new KINDS[dtype](bytes, offset, size) }];
    }),
  );
}

/** An image of a vector (channels, rows, columns), without a header. */
export function imageOf({ shape, data }: Vector, about: Partial<Image> = {}): Image {
  return {
    data,
    channels: shape[0] === 3 ? 3 : 1,
    rows: shape[1],
    columns: shape[2],
    spacingMm: null,
    regions: [],
    modality: "unknown",
    source: "vector",
    frame: null,
    remarks: [],
    ...about,
  };
}
