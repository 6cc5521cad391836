/** "Grey levels" and "The scale" of docs/reference/bundle.md. */
import type { InputSpec } from "./bundle";
import type { Image, Pixels } from "./image";
import { plane, type Plane } from "./plane";

const RED = 0.299;
const GREEN = 0.587;
const BLUE = 0.114;

/** The luminance, stretched to the image's own range: 0 to 1. */
export function greyUnit(image: Image): Plane {
  const { rows, columns, data, channels } = image;
  const values = channels === 1 ? data : luminance(data, rows * columns);
  return plane(rows, columns, stretched(values));
}

/** Red, green and blue on the full range of their type, 0 to 1; grey is repeated. */
export function colourUnit(image: Image): Plane[] {
  const { rows, columns, data, channels } = image;
  const most = largest(data);
  const unit = most === null ? stretched(data) : Float32Array.from(data, (value) => value / most);
  const size = rows * columns;
  return [0, 1, 2].map((channel) => {
    const from = channels === 1 ? 0 : channel * size;
    return plane(rows, columns, unit.subarray(from, from + size));
  });
}

/** The largest value of an integer type; null of real numbers. */
function largest(data: Pixels): number | null {
  if (data instanceof Uint8Array) return 2 ** 8 - 1;
  if (data instanceof Int8Array) return 2 ** 7 - 1;
  if (data instanceof Uint16Array) return 2 ** 16 - 1;
  if (data instanceof Int16Array) return 2 ** 15 - 1;
  if (data instanceof Int32Array) return 2 ** 31 - 1;
  if (data instanceof Uint32Array) return 2 ** 32 - 1;
  return null;
}

function luminance(data: Pixels, size: number): Float64Array {
  const grey = new Float64Array(size);
  for (let i = 0; i < size; i++) {
    grey[i] = RED * data[i] + GREEN * data[size + i] + BLUE * data[2 * size + i];
  }
  return grey;
}

/** On the range of the finite values: 0 to 1. */
export function stretched(values: ArrayLike<number>): Float32Array<ArrayBuffer> {
  let low = Infinity;
  let high = -Infinity;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (Number.isFinite(value)) {
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  const unit = new Float32Array(values.length);
  if (!(high > low)) return unit;
  // In parts: the difference of the largest numbers would not be finite.
  const span = high / 4 - low / 4;
  for (let i = 0; i < values.length; i++) {
    const value = Number.isFinite(values[i]) ? values[i] : low;
    unit[i] = Math.min(Math.max((value / 4 - low / 4) / span, 0), 1);
  }
  return unit;
}

/** Bring 0 to 1 to the scale that the network was trained on, in place; the channels are scaled as one. */
export function rescale(values: Float32Array, intensity: InputSpec["intensity"]): void {
  if (intensity === "unit") return;
  if (intensity === "symmetric") {
    for (let i = 0; i < values.length; i++) values[i] = 2 * values[i] - 1;
    return;
  }
  let sum = 0;
  for (const value of values) sum += value;
  const mean = sum / values.length;
  let squares = 0;
  for (const value of values) squares += (value - mean) ** 2;
  const deviation = Math.sqrt(squares / values.length);
  for (let i = 0; i < values.length; i++) {
    values[i] = deviation < 1e-6 ? 0 : (values[i] - mean) / deviation;
  }
}
