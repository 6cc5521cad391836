/** DICOM images that are stored without compression, as RLE or as 8-bit JPEG; single and multi-frame. */
import * as dicomParser from "dicom-parser";
import type { DataSet, Element } from "dicom-parser";
import { brief } from "../errors";
import type { Image, Pixels } from "../image";
import type { JpegCodec } from "./codec";
import { showGrey } from "./dicom-display";
import { Header } from "./dicom-header";
import { rleFrame } from "./dicom-rle";
import { modalityOf, regionsOf, remarksOf, spacingOf } from "./dicom-spacing";
import { studyDateOf, viewOf } from "./dicom-view";
import { jpegHeader, rawComponents } from "./jpeg";
import { checkSize, damaged, imageOf, MAX_PIXELS, oneIfEqual, unreadable, unsupported, type Raster } from "./raster";

const TAG = {
  syntax: "x00020010",
  samples: "x00280002",
  photometric: "x00280004",
  planar: "x00280006",
  frames: "x00280008",
  rows: "x00280010",
  columns: "x00280011",
  allocated: "x00280100",
  stored: "x00280101",
  high: "x00280102",
  signed: "x00280103",
  slideColumns: "x00480006",
  pixels: "x7fe00010",
};
const IMPLICIT = "1.2.840.10008.1.2";
const EXPLICIT = "1.2.840.10008.1.2.1";
const BIG_ENDIAN = "1.2.840.10008.1.2.2";
const JPEG = ["1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51"];
const RLE = "1.2.840.10008.1.2.5";
const READ = [IMPLICIT, EXPLICIT, BIG_ENDIAN, RLE, ...JPEG];
const GREY = ["MONOCHROME1", "MONOCHROME2"];
/** Of all frames of a file together. */
const MOST_BYTES = 2 ** 30;

/** What the header says of the pixels. */
interface Layout {
  readonly rows: number;
  readonly columns: number;
  readonly samples: number;
  readonly photometric: string;
  readonly isPlanar: boolean;
  readonly frames: number;
  readonly allocated: number;
  readonly stored: number;
  /** The bit of the cell in which the value ends, counted from 1. */
  readonly top: number;
  readonly isSigned: boolean;
  readonly isBigEndian: boolean;
  readonly compression: "jpeg" | "rle" | null;
}

/** The frames of a file, one after the other. */
export function* readDicom(file: Uint8Array, name: string, codec: JpegCodec): Generator<Image & { total: number }> {
  const set = parsed(file, name);
  const header = new Header([set]);
  const layout = layoutOf(header, name);
  const element = set.elements[TAG.pixels] as Element | undefined;
  if (!element) throw unreadable(`${name}: holds no pixel data`, "a DICOM image");
  checkCompression(element, layout, name);
  for (let index = 0; index < layout.frames; index++) {
    const stored = layout.compression
      ? compressedFrame(set, element, index, layout, name, codec)
      : plainFrame(set, element, index, layout, name);
    const image = shown(stored, header.ofFrame(index), layout, name);
    yield { ...image, frame: layout.frames > 1 ? index : null, total: layout.frames };
  }
}

/** The stored values of the one frame of a slice, before any transformation; bright is large. */
export function storedSlice(file: Uint8Array, name: string, codec: JpegCodec): Pixels {
  const set = parsed(file, name);
  const layout = layoutOf(new Header([set]), name);
  const element = set.elements[TAG.pixels] as Element | undefined;
  if (!element) throw unreadable(`${name}: holds no pixel data`, "a DICOM image");
  if (layout.photometric !== "MONOCHROME2") {
    throw unsupported(`${name}: has ${brief(layout.photometric)} pixels`, "grey ones, bright is large", "open a series of slices");
  }
  checkCompression(element, layout, name);
  return layout.compression ? compressedFrame(set, element, 0, layout, name, codec) : plainFrame(set, element, 0, layout, name);
}

function parsed(file: Uint8Array, name: string): DataSet {
  try {
    return dicomParser.parseDicom(file);
  } catch (error) {
    const said = typeof error === "object" && error !== null && "exception" in error ? error.exception : error;
    throw damaged(name, brief(said instanceof Error ? said.message : said, 200));
  }
}

function layoutOf(header: Header, name: string): Layout {
  const syntax = header.text(TAG.syntax);
  if (!READ.includes(syntax)) {
    throw unsupported(`${name}: has the transfer syntax ${brief(syntax)}`, "uncompressed, RLE or 8-bit JPEG on the device");
  }
  const need = (tag: string, what: string): number => {
    const value = header.integer(tag);
    if (value === undefined) throw unreadable(`${name}: declares no ${what}`, "a DICOM image");
    return value;
  };
  const stored = need(TAG.stored, "bits stored");
  const allocated = need(TAG.allocated, "bits allocated");
  const high = header.integer(TAG.high) ?? stored - 1;
  const layout: Layout = {
    rows: need(TAG.rows, "rows"),
    columns: need(TAG.columns, "columns"),
    samples: need(TAG.samples, "samples"),
    photometric: header.text(TAG.photometric),
    isPlanar: header.integer(TAG.planar) === 1,
    frames: Math.max(1, header.number(TAG.frames, 1)),
    allocated,
    stored,
    top: high >= stored && high < allocated ? high + 1 : stored,
    isSigned: need(TAG.signed, "sign") === 1,
    isBigEndian: syntax === BIG_ENDIAN,
    compression: syntax === RLE ? "rle" : JPEG.includes(syntax) ? "jpeg" : null,
  };
  checkSize(layout.rows, layout.columns, name);
  checkKind(layout, header, name);
  return layout;
}

/** Refuse what is read otherwise in Python, or not at all. */
function checkKind(layout: Layout, header: Header, name: string): void {
  const { samples, photometric, allocated, stored, columns, frames, rows } = layout;
  if ((header.long(TAG.slideColumns) ?? 0) > columns) {
    throw unsupported(`${name}: is one part of a whole-slide image`, "images that are stored whole");
  }
  const isGrey = samples === 1 && GREY.includes(photometric) && [8, 16, 32].includes(allocated);
  const isJpeg = layout.compression === "jpeg";
  const colours = isJpeg ? ["RGB", "YBR_FULL", "YBR_FULL_422"] : ["RGB", "YBR_FULL"];
  const isColour = samples === 3 && colours.includes(photometric) && allocated === 8 && stored === 8 && !layout.isSigned;
  const isWhole = stored >= 1 && stored <= allocated;
  if (!isWhole || !(isGrey || isColour) || (isJpeg && (allocated !== 8 || stored !== 8 || layout.isSigned))) {
    throw unsupported(
      `${name}: has ${samples} samples of ${stored} of ${allocated} bits in ${brief(photometric)}`,
      "grey of up to 32 bits, or RGB or YBR_FULL of 8 bits, on the device",
    );
  }
  if (!Number.isInteger(frames) || rows * columns * samples * frames * (allocated / 8) > MOST_BYTES) {
    throw unsupported(`${name}: holds ${frames} frames of ${rows} x ${columns}`, `${MOST_BYTES} bytes, ${MAX_PIXELS} pixels a frame`);
  }
}

function checkCompression(element: Element, layout: Layout, name: string): void {
  const isCompressed = element.fragments !== undefined;
  if (isCompressed !== (layout.compression !== null)) {
    throw unreadable(`${name}: holds pixel data of another kind than it declares`, "pixel data as the transfer syntax says");
  }
  const size = layout.rows * layout.columns * layout.samples * (layout.allocated / 8);
  const found = element.fragments ? element.fragments.length : Math.floor(element.length / size);
  const isPadded = !isCompressed && element.length - layout.frames * size < 2;
  if (found < layout.frames || (found > layout.frames && !isPadded)) {
    throw unsupported(
      `${name}: declares ${layout.frames} frames and holds ${found}${isCompressed ? " fragments" : ""}`,
      "all frames, each whole and in one piece",
    );
  }
}

/** (samples, rows, columns) of one frame without compression. */
function plainFrame(set: DataSet, element: Element, index: number, layout: Layout, name: string): Pixels {
  const { samples, allocated } = layout;
  const count = layout.rows * layout.columns * samples;
  const from = element.dataOffset + (index * count * allocated) / 8;
  const bytes = set.byteArray.slice(from, from + (count * allocated) / 8);
  if (bytes.length * 8 < count * allocated) throw damaged(name, "its pixels end early");
  if (layout.isBigEndian && allocated > 8 && element.vr !== "OB") swapBytes(bytes, allocated / 8);
  const values = typed(bytes, layout);
  return samples === 3 && !layout.isPlanar ? channelsFirst(values, samples) : values;
}

/** The cells as numbers: what lies above and below the stored bits goes, and the sign is extended. */
function typed(bytes: Uint8Array, { allocated, top, stored, isSigned }: Layout): Pixels {
  const kinds = isSigned
    ? { 8: Int8Array, 16: Int16Array, 32: Int32Array }
    : { 8: Uint8Array, 16: Uint16Array, 32: Uint32Array };
  const values = new kinds[allocated as 8 | 16 | 32](bytes.buffer as ArrayBuffer, bytes.byteOffset, (8 * bytes.length) / allocated);
  if (top === allocated && stored === allocated) return values;
  const drop = 32 - top;
  for (let i = 0; i < values.length; i++) {
    const high = values[i] << drop;
    values[i] = isSigned ? high >> (32 - stored) : high >>> (32 - stored);
  }
  return values;
}

function swapBytes(bytes: Uint8Array, size: number): void {
  for (let at = 0; at + size <= bytes.length; at += size) bytes.subarray(at, at + size).reverse();
}

function channelsFirst(values: Pixels, samples: number): Pixels {
  const result = values.slice();
  const size = values.length / samples;
  for (let i = 0; i < size; i++) for (let k = 0; k < samples; k++) result[k * size + i] = values[i * samples + k];
  return result;
}

function compressedFrame(
  set: DataSet,
  element: Element,
  index: number,
  layout: Layout,
  name: string,
  codec: JpegCodec,
): Pixels {
  const fragment = element.fragments?.[index];
  if (!fragment) throw damaged(name, `frame ${index + 1} is missing`);
  const data = set.byteArray.subarray(fragment.position, fragment.position + fragment.length);
  if (layout.compression === "rle") {
    return typed(rleFrame(data, layout.samples, layout.rows * layout.columns, layout.allocated / 8, name), layout);
  }
  const { rows, columns, components } = jpegHeader(data, name);
  if (rows !== layout.rows || columns !== layout.columns || components !== layout.samples) {
    throw unreadable(`${name}: a compressed frame has ${rows} x ${columns} pixels of ${components} samples`, "what the header declares");
  }
  const values = rawComponents(data, name, codec);
  return components === 3 ? channelsFirst(values, 3) : values;
}

function shown(stored: Pixels, header: Header, layout: Layout, name: string): Image {
  const { rows, columns, photometric, samples } = layout;
  let raster: Raster = { data: stored, channels: samples === 3 ? 3 : 1, rows, columns };
  try {
    if (samples === 1) raster = { ...raster, data: showGrey(stored, header) };
    else raster = oneIfEqual(photometric === "RGB" ? raster : { ...raster, data: rgbOf(stored) });
    return imageOf(raster, name, {
      spacingMm: spacingOf(header),
      regions: regionsOf(header, rows, columns),
      modality: modalityOf(header),
      view: viewOf(header),
      studyDate: studyDateOf(header),
      remarks: remarksOf(header),
    });
  } catch (error) {
    // What reading a number out of the header raises.
    if (error instanceof RangeError) throw damaged(name, error.message);
    throw error;
  }
}

/** From YBR_FULL, DICOM PS3.3 C.7.6.3.1.2. */
function rgbOf(ybr: Pixels): Uint8Array {
  const size = ybr.length / 3;
  const rgb = new Uint8Array(ybr.length);
  const clipped = (value: number): number => Math.min(Math.max(Math.floor(Math.fround(value + 0.5)), 0), 255);
  for (let i = 0; i < size; i++) {
    const y = ybr[i];
    const blue = ybr[size + i] - 128;
    const red = ybr[2 * size + i] - 128;
    rgb[i] = clipped(y + 1.402 * red);
    rgb[size + i] = clipped(y - ((0.114 * 1.772) / 0.587) * blue - ((0.299 * 1.402) / 0.587) * red);
    rgb[2 * size + i] = clipped(y + 1.772 * blue);
  }
  return rgb;
}
