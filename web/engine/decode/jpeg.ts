/** JPEG (ISO/IEC 10918-1) by libjpeg-turbo, which Python's reader uses too: the pixels are the same. */
import type { Image } from "../image";
import type { JpegCodec } from "./codec";
import { exifOrientation } from "./exif";
import { isFrameHeader, lastEnd, silentDamage } from "./jpeg-damage";
import { checkSize, damaged, imageOf, oneIfEqual, planar, unsupported, upright } from "./raster";

const START = 0xd8;
const SCAN = 0xda;
const JFIF = 0xe0;
const EXIF = 0xe1;
const ADOBE = 0xee;
/** Baseline, extended and progressive, Huffman coded. */
const READ = [0xc0, 0xc1, 0xc2];
/** An Adobe marker that says: the three components are no YCbCr, leave them. */
const NO_TRANSFORM = [0xff, ADOBE, 0, 14, 0x41, 0x64, 0x6f, 0x62, 0x65, 0, 100, 0, 0, 0, 0, 0];

interface Segment {
  readonly marker: number;
  readonly start: number;
  readonly end: number;
}

export interface JpegHeader {
  readonly rows: number;
  readonly columns: number;
  readonly components: number;
  readonly segments: readonly Segment[];
}

export function readJpeg(file: Uint8Array, name: string, codec: JpegCodec): Image {
  const { rows, columns, components, segments } = jpegHeader(file, name);
  checkSize(rows, columns, name);
  const data = decoded(file, name, codec);
  const exif = segments.find(({ marker, start }) => marker === EXIF && isExif(file, start));
  const orientation = exif ? exifOrientation(file.subarray(exif.start + 10, exif.end)) : 1;
  return imageOf(upright(oneIfEqual(planar(data, rows, columns, components)), orientation), name);
}

/** The three components as they are stored, without a conversion of colours; or the one of grey. */
export function rawComponents(file: Uint8Array, name: string, codec: JpegCodec): Uint8Array {
  const { components, segments } = jpegHeader(file, name);
  if (components === 1) return decoded(file, name, codec);
  if (segments.some(({ marker }) => marker === ADOBE)) {
    throw unsupported(`${name}: a compressed frame has an Adobe marker`, "colours as the DICOM header says");
  }
  const parts = [[0xff, START], NO_TRANSFORM];
  let at = 2;
  for (const { marker, start, end } of segments) {
    if (marker === JFIF) {
      parts.push([...file.subarray(at, start)]);
      at = end;
    }
  }
  const head = Uint8Array.from(parts.flat());
  const changed = new Uint8Array(head.length + file.length - at);
  changed.set(head);
  changed.set(file.subarray(at), head.length);
  return decoded(changed, name, codec);
}

export function jpegHeader(file: Uint8Array, name: string): JpegHeader {
  const segments = segmentsOf(file, name);
  const frame = segments.find(({ marker }) => isFrameHeader(marker));
  if (!frame) throw damaged(name, "it has no frame header");
  const [precision, high, low, wide, narrow, components] = file.subarray(frame.start + 4, frame.start + 10);
  if (!READ.includes(frame.marker) || precision !== 8 || (components !== 1 && components !== 3)) {
    throw unsupported(
      `${name}: is a JPEG of kind ${frame.marker.toString(16)} with ${components} components of ${precision} bits`,
      "baseline, extended or progressive, 1 or 3 components of 8 bits",
    );
  }
  const damage = lastEnd(file) < 0 ? "it has no end" : silentDamage(file, frame.start);
  if (damage) throw damaged(name, damage);
  return { rows: high * 256 + low, columns: wide * 256 + narrow, components, segments };
}

/** The segments before the first scan. */
function segmentsOf(file: Uint8Array, name: string): Segment[] {
  const segments: Segment[] = [];
  for (let at = 2; at + 4 <= file.length; ) {
    if (file[at] !== 0xff) break;
    const marker = file[at + 1];
    if (marker === 0xff) {
      at += 1;
      continue;
    }
    if (marker === SCAN) return segments;
    const end = at + 2 + file[at + 2] * 256 + file[at + 3];
    segments.push({ marker, start: at, end });
    at = end;
  }
  throw damaged(name, "it ends before its first scan");
}

function isExif(file: Uint8Array, start: number): boolean {
  return String.fromCharCode(...file.subarray(start + 4, start + 8)) === "Exif";
}

/** (rows, columns, components). */
function decoded(file: Uint8Array, name: string, codec: JpegCodec): Uint8Array {
  const decoder = new codec.JPEGDecoder();
  try {
    decoder.getEncodedBuffer(file.length).set(file);
    decoder.decode();
    return Uint8Array.from(decoder.getDecodedBuffer());
  } catch {
    throw damaged(name, "its coded data do not decode");
  } finally {
    decoder.delete();
  }
}
