/** The form of the golden vectors of tests/golden: an index in JSON, and all arrays in one file. */
import type { Bundle } from "../bundle";
import type { Image, Pixels } from "../image";

export interface Vector {
  readonly shape: number[];
  readonly data: Pixels;
}

export interface Index {
  arrays: Record<string, { dtype: keyof typeof KINDS; shape: number[]; offset: number }>;
}

const KINDS = {
  uint8: Uint8Array,
  int8: Int8Array,
  uint16: Uint16Array,
  int16: Int16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  float64: Float64Array,
  float32: Float32Array,
};

/** The typed array of a NumPy dtype. */
export function kindOf(dtype: string): (typeof KINDS)[keyof typeof KINDS] {
  return KINDS[dtype as keyof typeof KINDS];
}

/** The arrays that an index names. */
export function arraysOf({ arrays }: Index, bytes: ArrayBuffer): Map<string, Vector> {
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
    view: "",
    studyDate: "",
    source: "vector",
    frame: null,
    remarks: [],
    ...about,
  };
}

/** A spacing at which the network sees the image at its own scale, so that it is not refused. */
export function spacingFor({ input }: Bundle, [, rows, columns]: number[]): [number, number] | null {
  if (input.umPerPx === null) return null;
  return [(input.umPerPx * input.size[0]) / rows / 1000, (input.umPerPx * input.size[1]) / columns / 1000];
}
