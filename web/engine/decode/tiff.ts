/** TIFF 6.0 in strips: grey of 8 and 16 bits and of real numbers, colour of 8 and 16 bits. */
import { decode, type TiffIfd } from "tiff";
import type { Image } from "../image";
import { checkSize, damaged, imageOf, oneIfEqual, planar, unsupported } from "./raster";

const TAG = {
  subfile: 254,
  bits: 258,
  compression: 259,
  photometric: 262,
  fillOrder: 266,
  description: 270,
  stripOffsets: 273,
  orientation: 274,
  samples: 277,
  rowsPerStrip: 278,
  planarConfiguration: 284,
  predictor: 317,
  tileOffsets: 324,
  extraSamples: 338,
  sampleFormat: 339,
};
/** A reduced copy, or a transparency mask. */
const REDUCED_OR_MASK = 0b101;
const WHITE_IS_ZERO = 0;
const BLACK_IS_ZERO = 1;
const RGB = 2;
const LZW = 5;
/** Without compression, and deflate twice. */
const STORED = [1, 8, 32946];
const MOST_PAGES = 10000;
const REAL = 3;

/** @throws EngineError kind "unsupported" for what is read otherwise in Python, or not at all here. */
export function readTiff(file: Uint8Array, name: string): Image[] {
  checkPages(file, name);
  let headers: TiffIfd[];
  let pages: TiffIfd[];
  try {
    headers = decode(file, { ignoreImageData: true });
    headers.forEach((page) => { checkPage(page, headers.length, name); });
    pages = decode(file);
  } catch (error) {
    if (error instanceof Error && error.name === "EngineError") throw error;
    throw damaged(name, (error as Error).message);
  }
  const shown = pages.filter((page) => !(number(page, TAG.subfile, 0) & REDUCED_OR_MASK));
  const read = shown.length ? shown : pages.slice(0, 1);
  return read.map((page, index) => {
    const raster = planar(page.data, page.height, page.width, page.samplesPerPixel);
    return imageOf(oneIfEqual(raster), name, { frame: read.length > 1 ? index : null });
  });
}

/** Follow the chain of pages, which a damaged file may close to a ring. */
function checkPages(file: Uint8Array, name: string): void {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const isLittle = view.getUint16(0) === 0x4949;
  const seen = new Set<number>();
  try {
    for (let at = view.getUint32(4, isLittle); at !== 0; ) {
      if (seen.has(at) || seen.size > MOST_PAGES) throw damaged(name, "its pages never end");
      seen.add(at);
      at = view.getUint32(at + 2 + 12 * view.getUint16(at, isLittle), isLittle);
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw damaged(name, "it ends within a page");
  }
}

function checkPage(page: TiffIfd, pages: number, name: string): void {
  checkSize(page.height, page.width, name);
  const photometric = number(page, TAG.photometric, -1);
  const samples = number(page, TAG.samples, 1);
  const bits = list(page, TAG.bits, 1);
  const format = list(page, TAG.sampleFormat, 1);
  const compression = number(page, TAG.compression, 1);
  const predictor = number(page, TAG.predictor, 1);
  const isGrey = samples === 1 && (photometric === WHITE_IS_ZERO || photometric === BLACK_IS_ZERO);
  const isColour = samples === 3 && photometric === RGB;
  const isPlain = format.every((one) => one === 1) && bits.every((one) => one === 8 || (one === 16 && isGrey));
  const isDeepColour = isColour && format.every((one) => one === 1) && bits.every((one) => one === 16);
  const isReal = isGrey && photometric === BLACK_IS_ZERO && format[0] === REAL && bits[0] === 32;
  const isKnown = isPlain ? STORED.includes(compression) || compression === LZW : STORED.includes(compression) && predictor === 1;
  const description: unknown = page.fields.get(TAG.description);
  const isStack = pages === 1 && typeof description === "string" && /^ImageJ=/.test(description) && /^images=/m.test(description);
  const isOdd =
    isStack ||
    page.fields.has(TAG.tileOffsets) ||
    page.fields.has(TAG.extraSamples) ||
    number(page, TAG.fillOrder, 1) !== 1 ||
    number(page, TAG.orientation, 1) !== 1 ||
    (samples > 1 && number(page, TAG.planarConfiguration, 1) !== 1);
  if (isOdd || !(isGrey || isColour) || !(isPlain || isDeepColour || isReal) || !isKnown) {
    throw unsupported(
      `${name}: is a TIFF of kind ${photometric} with ${samples} samples of ${bits.join(", ")} bits, compression ${compression}`,
      "upright grey of 8 or 16 bits, 32-bit real numbers or RGB, in strips, stored, deflated or LZW",
      "export it as PNG, or segment it with the server",
    );
  }
  const strips = list(page, TAG.stripOffsets, 0).length;
  if (strips < Math.ceil(page.height / Math.min(number(page, TAG.rowsPerStrip, page.height), page.height))) {
    throw damaged(name, "its strips end before its last row");
  }
}

function list(page: TiffIfd, tag: number, otherwise: number): number[] {
  const value: unknown = page.fields.get(tag) ?? otherwise;
  return typeof value === "number" ? [value] : Array.from(value as ArrayLike<number>);
}

function number(page: TiffIfd, tag: number, otherwise: number): number {
  return list(page, tag, otherwise)[0];
}
