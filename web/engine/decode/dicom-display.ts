/**
 * From stored DICOM values to what a viewer shows: DICOM PS3.4 N.2 as far as the VOI LUT, as Python's
 * `breastseg.io.dicom_display` does it.
 */
import type { Pixels } from "../image";
import { roundEven } from "../numbers";
import type { Header } from "./dicom-header";

const PHOTOMETRIC = "x00280004";
const BITS_STORED = "x00280101";
const PADDING = ["x00280120", "x00280121"];
const WINDOW_CENTRE = "x00281050";
const WINDOW_WIDTH = "x00281051";
const VOI_FUNCTION = "x00281056";
const INTERCEPT = "x00281052";
const SLOPE = "x00281053";
const MODALITY_LUT = "x00283000";
const VOI_LUT = "x00283010";
const DESCRIPTOR = "x00283002";
const LUT_DATA = "x00283006";
const PRESENTATION_SHAPE = "x20500020";

/** The least and largest value. */
type Range = readonly [low: number, high: number];

/** A grey frame as a viewer shows it: bright is large; padding takes the darkest value in the image. */
export function showGrey(stored: Pixels, header: Header): Pixels {
  const padding = paddingOf(stored, header);
  let shown = changesValues(header) ? transformed(stored, header) : stored;
  const isInside = (i: number): boolean => !padding || padding[i] === 0;
  if (isLargestDarkest(header)) {
    const [low, high] = rangeOf(shown, isInside);
    // Within their own range; of padding, what overflows is replaced below.
    if (low <= high) shown = turnedOver(shown, low, high);
  }
  if (padding) {
    const [low, high] = rangeOf(shown, isInside);
    if (low <= high) {
      shown = shown === stored ? shown.slice() : shown;
      for (let i = 0; i < shown.length; i++) if (padding[i]) shown[i] = low;
    }
  }
  return shown;
}

/** Each value's mirror image within a range, in the arithmetic of its type. */
function turnedOver(values: Pixels, low: number, high: number): Pixels {
  if (!(values instanceof Float32Array)) return values.map((value: number) => high - value + low);
  return values.map((value) => Math.fround(high - value) + low);
}

function rangeOf(values: Pixels, isInside: (i: number) => boolean): Range {
  let [low, high] = [Infinity, -Infinity];
  for (let i = 0; i < values.length; i++) {
    if (!isInside(i)) continue;
    low = Math.min(low, values[i]);
    high = Math.max(high, values[i]);
  }
  return [low, high];
}

/** MONOCHROME1, which a presentation LUT shape of INVERSE repeats and does not undo. */
function isLargestDarkest(header: Header): boolean {
  return header.text(PHOTOMETRIC) === "MONOCHROME1" || header.text(PRESENTATION_SHAPE).toUpperCase() === "INVERSE";
}

/** 1 where a pixel is padding, DICOM PS3.3 C.7.5.1.1.2; null without any. */
function paddingOf(stored: Pixels, header: Header): Uint8Array | null {
  const bits = Math.min(header.integer(BITS_STORED) ?? 16, 16);
  const range = storedRange(stored, header);
  const [first, limit] = PADDING.map((tag) => fitting(header.integer(tag), range, bits));
  if (first === undefined) return null;
  const [low, high] = [Math.min(first, limit ?? first), Math.max(first, limit ?? first)];
  const padding = Uint8Array.from(stored, (value) => Number(value >= low && value <= high));
  return padding.includes(1) ? padding : null;
}

/** A number with the same bits that lies in the range, if there is one. */
function fitting(value: number | undefined, range: Range, bits: number): number | undefined {
  if (value === undefined) return undefined;
  const signed = value >= 2 ** 15 ? value - 2 ** 16 : value;
  const turns = [value, signed, value - 2 ** bits, value + 2 ** bits, signed - 2 ** bits, signed + 2 ** bits];
  return turns.find((one) => isWithin(one, range)) ?? value;
}

function isWithin(value: number, [low, high]: Range): boolean {
  return value >= low && value <= high;
}

/** The least and largest value that the stored bits can hold. */
function storedRange(stored: Pixels, header: Header): Range {
  const bits = Math.min(header.integer(BITS_STORED) ?? 16, 8 * stored.BYTES_PER_ELEMENT);
  const isSigned = stored instanceof Int8Array || stored instanceof Int16Array || stored instanceof Int32Array;
  return isSigned ? [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] : [0, 2 ** bits - 1];
}

function changesValues(header: Header): boolean {
  const isRescaled = header.number(SLOPE, 1) !== 1 || header.number(INTERCEPT, 0) !== 0;
  return header.items(MODALITY_LUT).length > 0 || header.items(VOI_LUT).length > 0 || isRescaled || hasWindow(header);
}

/** Modality LUT or rescale, then VOI LUT or window; the order is that of PS3.3 C.11. */
function transformed(stored: Pixels, header: Header): Pixels {
  let range = storedRange(stored, header);
  let values: ArrayLike<number> = stored;
  let shown: Pixels = stored;
  const [modality] = header.items(MODALITY_LUT);
  const slope = header.number(SLOPE, 1);
  const intercept = header.number(INTERCEPT, 0);
  if (modality as Header | undefined) {
    const table = tableOf(modality, range);
    values = shown = table.lookUp(values);
    range = [0, 2 ** table.depth - 1];
  } else if (slope !== 1 || intercept !== 0) {
    const from = values;
    values = Float64Array.from(from, (value) => value * slope + intercept);
    const ends = [range[0] * slope + intercept, range[1] * slope + intercept];
    range = [Math.min(...ends), Math.max(...ends)];
    shown = Float32Array.from(values);
  }
  const [voi] = header.items(VOI_LUT);
  if (voi as Header | undefined) return tableOf(voi, range).lookUp(values);
  return hasWindow(header) ? windowed(values, header, range) : shown;
}

/** Spread a window over what comes out; PS3.3 C.11.2.1.2 and C.11.2.1.3. */
function windowed(values: ArrayLike<number>, header: Header, [low, high]: Range): Float32Array {
  const centre = header.number(WINDOW_CENTRE, 0);
  const width = header.number(WINDOW_WIDTH, 1);
  const kind = voiFunction(header);
  const share = (value: number): number => {
    if (kind === "SIGMOID") return 1 / (1 + Math.exp((-4 * (value - centre)) / width));
    if (kind === "LINEAR_EXACT") return (value - centre) / width + 0.5;
    if (width === 1) return value > centre - 0.5 ? 1 : 0;
    return (value - (centre - 0.5)) / (width - 1) + 0.5;
  };
  const result = new Float32Array(values.length);
  for (let i = 0; i < values.length; i++) {
    result[i] = Math.min(Math.max(share(values[i]), 0), 1) * (high - low) + low;
  }
  return result;
}

/** A function that the standard does not know counts as its default, LINEAR. */
function voiFunction(header: Header): string {
  const said = header.text(VOI_FUNCTION).toUpperCase();
  return said === "LINEAR_EXACT" || said === "SIGMOID" ? said : "LINEAR";
}

/** One whose width the standard forbids is none. */
function hasWindow(header: Header): boolean {
  const width = header.number(WINDOW_WIDTH, 0);
  const least = voiFunction(header) === "LINEAR" ? 1 : Number.MIN_VALUE;
  return width >= least && Number.isFinite(header.number(WINDOW_CENTRE, NaN));
}

/** A modality or VOI LUT, DICOM PS3.3 C.11.1.1 and C.11.2.1.1. */
function tableOf(item: Header, range: Range): { depth: number; lookUp: (values: ArrayLike<number>) => Pixels } {
  const descriptor = item.words(DESCRIPTOR)?.values ?? [];
  const data = item.words(LUT_DATA);
  if (descriptor.length !== 3 || !data) throw new RangeError("a look-up table without its three values or its data");
  const count = descriptor[0] || 2 ** 16;
  const depth = descriptor[2];
  // The first value is signed where the values are, whatever type the element has.
  const first = [descriptor[1], descriptor[1] - 2 ** 16].find((value) => isWithin(value, range)) ?? descriptor[1];
  const isPacked = data.bytes.length < 2 * count; // two 8-bit entries to a word
  const read = (isPacked ? Array.from(data.bytes) : data.values).slice(0, count);
  const entries = depth <= 8 ? Uint8Array.from(read) : Uint16Array.from(read);
  const lookUp = (values: ArrayLike<number>): Pixels => {
    const result = depth <= 8 ? new Uint8Array(values.length) : new Uint16Array(values.length);
    for (let i = 0; i < values.length; i++) {
      const step = roundEven(values[i]) - first;
      result[i] = entries[Math.min(Math.max(step, 0), entries.length - 1)];
    }
    return result;
  };
  return { depth, lookUp };
}
