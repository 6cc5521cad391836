import type { Box } from "./box";

/** The kinds of numbers that a decoded image has: as in the file, not converted to 8 bits. */
export type Pixels =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array;

export const MODALITIES = ["ultrasound", "mammography", "mri", "histopathology", "other", "unknown"] as const;

export type Modality = (typeof MODALITIES)[number];

/** A part of an ultrasound screen, with its own scale if it states one. */
export interface Region {
  readonly box: Box;
  readonly spacingMm: readonly [row: number, column: number] | null;
}

/** A decoded 2-D image: the same array as Python's reader gives. */
export interface Image {
  /** (channels, rows, columns), row-major; 1 channel of grey or 3 of red, green and blue. */
  readonly data: Pixels;
  readonly channels: 1 | 3;
  readonly rows: number;
  readonly columns: number;
  /** Distance of rows and of columns in millimetres; null where it is not known. */
  readonly spacingMm: readonly [row: number, column: number] | null;
  /** The parts of an ultrasound screen that state a scale; measurements in them use theirs. */
  readonly regions: readonly Region[];
  readonly modality: Modality;
  /** Side and view of a mammogram, such as "L MLO"; empty where the file says neither. */
  readonly view: string;
  /** Of the study, YYYY-MM-DD; empty where the file does not state it. */
  readonly studyDate: string;
  /** The file's name. */
  readonly source: string;
  /** Index from 0 in a file of several images; null in a file of one. */
  readonly frame: number | null;
  /** What a user must know of how the file was read. */
  readonly remarks: readonly string[];
}
