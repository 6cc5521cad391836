/** PNG (ISO/IEC 15948): grey keeps its depth, colour has 8 bits, alpha is composited on black. */
import { unzlibSync } from "fflate";
import type { Image, Pixels } from "../image";
import { exifOrientation } from "./exif";
import { checkSize, damaged, imageOf, oneIfEqual, unsupported, upright, unreadable, type Raster } from "./raster";

const SPACING = "spacing_mm";
const GREY = 0;
const RGB = 2;
const PALETTE = 3;
const GREY_ALPHA = 4;
const RGB_ALPHA = 6;
const SAMPLES: Record<number, number> = { [GREY]: 1, [RGB]: 3, [PALETTE]: 1, [GREY_ALPHA]: 2, [RGB_ALPHA]: 4 };
/** First column and row of each pass of Adam7, and the distance to the next. */
const ADAM7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

interface Header {
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
  readonly colour: number;
  readonly isInterlaced: boolean;
}

interface Parts {
  readonly header: Header;
  readonly compressed: Uint8Array;
  readonly palette: Uint8Array | undefined;
  readonly transparency: Uint8Array | undefined;
  readonly exif: Uint8Array | undefined;
  readonly spacing: string | undefined;
}

/** @throws EngineError as Python's reader refuses it, or for an animation or profile that is not read here. */
export function readPng(file: Uint8Array, name: string): Image {
  const parts = chunksOf(file, name);
  const { header } = parts;
  checkSize(header.rows, header.columns, name);
  let samples: Uint16Array;
  try {
    samples = samplesOf(unzlibSync(parts.compressed), header);
  } catch (error) {
    throw damaged(name, (error as Error).message);
  }
  const orientation = parts.exif ? exifOrientation(parts.exif) : 1;
  const raster = upright(oneIfEqual(shown(samples, parts, name)), orientation);
  const spacing = spacingOf(parts.spacing, name);
  const isTurned = orientation >= 5;
  return imageOf(raster, name, { spacingMm: spacing && isTurned ? [spacing[1], spacing[0]] : spacing });
}

function chunksOf(file: Uint8Array, name: string): Parts {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const found = new Map<string, Uint8Array[]>();
  let type = "";
  for (let at = 8; type !== "IEND"; ) {
    if (at + 12 > file.length) throw damaged(name, "it ends before its last chunk");
    const length = view.getUint32(at);
    type = String.fromCharCode(...file.subarray(at + 4, at + 8));
    if (length > file.length - at - 12) throw damaged(name, `it ends within the chunk ${type}`);
    const body = file.subarray(at + 8, at + 8 + length);
    if (crc32(file.subarray(at + 4, at + 8 + length)) !== view.getUint32(at + 8 + length)) {
      throw damaged(name, `the checksum of the chunk ${type} is wrong`);
    }
    found.set(type, [...(found.get(type) ?? []), body]);
    at += 12 + length;
  }
  for (const kind of ["acTL", "zTXt", "iTXt"]) {
    if (found.has(kind)) throw unsupported(`${name}: has the chunk ${kind}`, "a single picture, plain text in tEXt");
  }
  const texts = new Map((found.get("tEXt") ?? []).map(textOf));
  if ([...texts.keys()].some((key) => key.startsWith("Raw profile"))) {
    throw unsupported(`${name}: has a raw profile`, "no profile in a text");
  }
  return {
    header: headerOf(found.get("IHDR")?.[0], name),
    compressed: joined(found.get("IDAT") ?? []),
    palette: found.get("PLTE")?.[0],
    transparency: found.get("tRNS")?.[0],
    exif: found.get("eXIf")?.[0],
    spacing: texts.get(SPACING),
  };
}

function headerOf(body: Uint8Array | undefined, name: string): Header {
  if (body?.length !== 13) throw damaged(name, "it has no header");
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const [depth, colour, compression, filter, interlace] = body.subarray(8);
  const depths = colour === GREY ? [1, 2, 4, 8, 16] : colour === PALETTE ? [1, 2, 4, 8] : [8, 16];
  if (!(colour in SAMPLES) || !depths.includes(depth) || compression || filter || interlace > 1) {
    throw damaged(name, `its header declares colour type ${colour} of ${depth} bits`);
  }
  return {
    columns: view.getUint32(0),
    rows: view.getUint32(4),
    depth,
    colour,
    isInterlaced: interlace === 1,
  };
}

function textOf(body: Uint8Array): [string, string] {
  const text = Array.from(body, (code) => String.fromCharCode(code)).join("");
  const end = text.indexOf("\0");
  return [text.slice(0, end), text.slice(end + 1)];
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** (rows, columns, samples) as they are stored. */
function samplesOf(data: Uint8Array, header: Header): Uint16Array {
  const count = SAMPLES[header.colour];
  const result = new Uint16Array(header.rows * header.columns * count);
  let at = 0;
  for (const [x, y, across, down] of header.isInterlaced ? ADAM7 : [[0, 0, 1, 1] as const]) {
    const columns = Math.ceil((header.columns - x) / across);
    const rows = Math.ceil((header.rows - y) / down);
    if (columns <= 0 || rows <= 0) continue;
    const bytes = Math.ceil((columns * count * header.depth) / 8);
    const step = Math.max(1, (count * header.depth) >> 3);
    let before: Uint8Array = new Uint8Array(bytes);
    for (let row = 0; row < rows; row++) {
      if (at + 1 + bytes > data.length) throw new RangeError("its pixels end early");
      const line = data.subarray(at + 1, at + 1 + bytes);
      unfilter(data[at], line, before, step);
      at += 1 + bytes;
      for (let i = 0; i < columns * count; i++) {
        const column = x + Math.floor(i / count) * across;
        const place = ((y + row * down) * header.columns + column) * count + (i % count);
        result[place] = sampleAt(line, i, header.depth);
      }
      before = line;
    }
  }
  return result;
}

function sampleAt(line: Uint8Array, i: number, depth: number): number {
  if (depth === 8) return line[i];
  if (depth === 16) return (line[2 * i] << 8) | line[2 * i + 1];
  const bit = i * depth;
  return (line[bit >> 3] >> (8 - depth - (bit & 7))) & ((1 << depth) - 1);
}

/** Undo the filter of a line, in place. */
function unfilter(kind: number, line: Uint8Array, before: Uint8Array, step: number): void {
  if (kind > 4) throw new RangeError(`a line has the filter ${kind}`);
  for (let i = 0; kind > 0 && i < line.length; i++) {
    const left = i < step ? 0 : line[i - step];
    const above = before[i];
    if (kind === 1) line[i] += left;
    else if (kind === 2) line[i] += above;
    else if (kind === 3) line[i] += (left + above) >> 1;
    else line[i] += paeth(left, above, i < step ? 0 : before[i - step]);
  }
}

function paeth(left: number, above: number, corner: number): number {
  const [a, b, c] = [Math.abs(above - corner), Math.abs(left - corner), Math.abs(left + above - 2 * corner)];
  if (a <= b && a <= c) return left;
  return b <= c ? above : corner;
}

/** As a viewer would show it. */
function shown(samples: Uint16Array, parts: Parts, name: string): Raster {
  const { rows, columns, depth, colour } = parts.header;
  const { transparency } = parts;
  const size = rows * columns;
  if (colour === GREY && (depth === 16 || !transparency)) {
    const data: Pixels = depth === 16 ? samples : Uint8Array.from(samples, (value) => to8(value, depth));
    return { data, channels: 1, rows, columns };
  }
  const pixel = pixelReader(samples, parts, name);
  const data = new Uint8Array(3 * size);
  for (let i = 0; i < size; i++) {
    const [red, green, blue, alpha] = pixel(i);
    data[i] = onBlack(red, alpha);
    data[size + i] = onBlack(green, alpha);
    data[2 * size + i] = onBlack(blue, alpha);
  }
  return { data, channels: 3, rows, columns };
}

/** Red, green, blue and alpha of pixel i, 0 to 255. */
function pixelReader(samples: Uint16Array, parts: Parts, name: string): (i: number) => number[] {
  const { depth, colour } = parts.header;
  const { palette, transparency } = parts;
  const count = SAMPLES[colour];
  if (colour === PALETTE) {
    if (!palette) throw damaged(name, "it has no palette");
    return (i) => {
      const entry = samples[i];
      if (3 * entry + 2 >= palette.length) throw damaged(name, `its palette has no colour ${entry}`);
      return [...palette.subarray(3 * entry, 3 * entry + 3), transparency?.[entry] ?? 255];
    };
  }
  // Of a colour that stands for "transparent", 16 bits are stored, whatever the depth.
  const clear = transparency
    ? Array.from({ length: transparency.length >> 1 }, (_, k) => (transparency[2 * k] << 8) | transparency[2 * k + 1])
    : [];
  if (clear.length && depth !== 8) throw unsupported(`${name}: has a transparent colour of ${depth} bits`, "8 bits");
  return (i) => {
    const values = Array.from(samples.subarray(i * count, (i + 1) * count));
    const isClear = clear.length > 0 && values.every((value, k) => value === clear[k]);
    const eight = values.map((value) => to8(value, depth));
    const alpha = isClear ? 0 : colour === GREY_ALPHA ? eight[1] : colour === RGB_ALPHA ? eight[3] : 255;
    return count < 3 ? [eight[0], eight[0], eight[0], alpha] : [eight[0], eight[1], eight[2], alpha];
  };
}

/** A sample in 8 bits: of 16, the high byte. */
function to8(value: number, depth: number): number {
  if (depth === 16) return value >> 8;
  return depth === 8 ? value : (value * 255) / ((1 << depth) - 1);
}

/** Over opaque black, rounded as Pillow's alpha_composite does. */
function onBlack(value: number, alpha: number): number {
  const scaled = value * alpha * 128 + 16384;
  return (((scaled >> 8) + scaled) >> 8) >> 7;
}

function spacingOf(text: string | undefined, name: string): [number, number] | null {
  if (text === undefined) return null;
  const parts = text.split(",").map((part) => (part.trim() === "" ? NaN : Number(part)));
  if (parts.length !== 2 || !parts.every((step) => Number.isFinite(step) && step > 0)) {
    throw unreadable(`${name}: has the text ${SPACING} "${text.slice(0, 60)}"`, "'row,column' in millimetres");
  }
  return [parts[0], parts[1]];
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let value = n;
  for (let k = 0; k < 8; k++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

function crc32(data: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of data) crc = CRC_TABLE[(crc ^ byte) & 255] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}
