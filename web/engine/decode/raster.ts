/** What the readers of PNG, JPEG and TIFF share. */
import { brief, EngineError } from "../errors";
import type { Image, Pixels } from "../image";

/** The largest image that is decoded; a phone has not more memory. */
export const MAX_PIXELS = 2 ** 26;
const MAX_SIDE = 2 ** 16;

export const CONSTANT = "every pixel has the same value: there is nothing to see in this image";

/** Decoded pixels before anything is known of them. */
export interface Raster {
  /** (channels, rows, columns). */
  readonly data: Pixels;
  readonly channels: 1 | 3;
  readonly rows: number;
  readonly columns: number;
}

/** Refuse a declared size before it is decoded. */
export function checkSize(rows: number, columns: number, name: string): void {
  if (!(rows >= 1 && columns >= 1)) {
    throw unreadable(`${name}: declares ${rows} rows and ${columns} columns`, "at least 1 of each");
  }
  if (Math.max(rows, columns) > MAX_SIDE || rows * columns > MAX_PIXELS) {
    throw unsupported(
      `${name}: declares ${rows} x ${columns} pixels`,
      `at most ${MAX_SIDE} along a side and ${MAX_PIXELS} in all`,
      "crop it, or segment it with the server",
    );
  }
}

export function unreadable(given: string, allowed = "", remedy = "copy or export the file again"): EngineError {
  return new EngineError("unreadable", given, allowed, remedy);
}

export function unsupported(given: string, allowed = "", remedy = "segment it with the server"): EngineError {
  return new EngineError("unsupported", given, allowed, remedy);
}

export function damaged(name: string, why: unknown): EngineError {
  return unreadable(`${name}: is damaged or incomplete (${brief(why, 200)})`, "a whole file");
}

/** One channel where all three are equal, as in most exported scans. */
export function oneIfEqual(raster: Raster): Raster {
  if (raster.channels === 1) return raster;
  const { data } = raster;
  const size = raster.rows * raster.columns;
  for (let i = 0; i < size; i++) {
    if (data[i] !== data[size + i] || data[i] !== data[2 * size + i]) return raster;
  }
  return { ...raster, data: data.subarray(0, size), channels: 1 };
}

/** From (rows, columns, channels) to (channels, rows, columns), without the channels after the third. */
export function planar(interleaved: Pixels, rows: number, columns: number, samples: number): Raster {
  const channels = samples >= 3 ? 3 : 1;
  const size = rows * columns;
  const data = emptyLike(interleaved, channels * size);
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < channels; k++) data[k * size + i] = interleaved[i * samples + k];
  }
  return { data, channels, rows, columns };
}

/** A new array of the same type. */
export function emptyLike(like: Pixels, length: number): Pixels {
  return new (like.constructor as new (length: number) => Pixels)(length);
}

/** Undo an EXIF orientation, 1 to 8 (EXIF 2.32, section 4.6.5.1). */
export function upright(raster: Raster, orientation: number): Raster {
  if (orientation < 2 || orientation > 8) return raster;
  const isTurned = orientation >= 5;
  const rows = isTurned ? raster.columns : raster.rows;
  const columns = isTurned ? raster.rows : raster.columns;
  const isUpsideDown = [3, 4, 7, 8].includes(orientation);
  const isMirrored = [2, 3, 6, 7].includes(orientation);
  const data = emptyLike(raster.data, raster.data.length);
  for (let channel = 0; channel < raster.channels; channel++) {
    const from = channel * rows * columns;
    for (let row = 0; row < rows; row++) {
      const y = isUpsideDown ? rows - 1 - row : row;
      for (let column = 0; column < columns; column++) {
        const x = isMirrored ? columns - 1 - column : column;
        const source = isTurned ? x * raster.columns + y : y * raster.columns + x;
        data[from + row * columns + column] = raster.data[from + source];
      }
    }
  }
  return { data, channels: raster.channels, rows, columns };
}

/** An image of a raster, of which nothing else is known. */
export function imageOf(raster: Raster, source: string, about: Partial<Image> = {}): Image {
  // Handed over to the page by its buffer, an array must not share it.
  const { byteLength, buffer } = raster.data;
  const data = byteLength === buffer.byteLength ? raster.data : raster.data.slice();
  const constant = isConstant({ ...raster, data }) ? [CONSTANT] : [];
  return {
    channels: raster.channels,
    rows: raster.rows,
    columns: raster.columns,
    spacingMm: null,
    regions: [],
    modality: "unknown",
    view: "",
    studyDate: "",
    source,
    frame: null,
    ...about,
    data,
    remarks: [...(about.remarks ?? []), ...constant],
  };
}

function isConstant({ data, channels }: Raster): boolean {
  const size = data.length / channels;
  for (let i = 0; i < data.length; i++) if (data[i] !== data[i - (i % size)]) return false;
  return true;
}
