/** What the app asks of whatever segments: the server, or the device itself. */
import type { Box, Mask, Point } from "../mask/mask";

export type Values = Uint8Array | Int8Array | Uint16Array | Int16Array | Int32Array | Uint32Array | Float32Array | Float64Array;

/** One 2-D image: a still, a frame of a cine loop or a slice. */
export interface Frame {
  rows: number;
  columns: number;
  channels: 1 | 3;
  /** (channels, rows, columns), row-major. */
  values: Values;
}

/** A part of an image with a scale of its own, as ultrasound screens have them. */
export interface ScaledPart {
  box: Box;
  spacingMm: readonly [number, number] | null;
}

export interface ImageInfo {
  name: string;
  kind: "image" | "volume";
  rows: number;
  columns: number;
  /** Frames of a cine loop or slices of a volume, else 1. */
  frames: number;
  channels: number;
  low: number;
  high: number;
  /** (row, column); null where it is not known. */
  spacingMm: readonly [number, number] | null;
  sliceMm: number | null;
  spacingFrom: "file" | "user" | null;
  parts: readonly ScaledPart[];
  modality: string;
  view: string;
  remarks: readonly string[];
  /** Of a volume, in words; one for each of its channels. */
  phases: readonly string[];
  /** YYYY-MM-DD as the file states it; empty where it does not. */
  studyDate: string;
  /** Series and place there as the file states them; empty where it does not. */
  number: string;
  /** Whether the service can make DICOM objects of it. */
  dicom: boolean;
}

export interface Scan {
  id: string;
  name: string;
  createdAt: string;
  images: readonly ImageInfo[];
  problems: readonly { name: string; message: string }[];
}

export type Scalar = string | number | boolean;

export interface Parameter {
  name: string;
  help: string;
  kind: "number" | "integer" | "boolean" | "string";
  default: Scalar;
  low?: number;
  high?: number;
  logarithmic: boolean;
  choices?: readonly string[];
}

export interface Method {
  name: string;
  kind: "classical" | "network";
  summary: string;
  weakness: string;
  trainedOn: string;
  modality: string;
  dimensions: 2 | 3;
  takesPrompt: boolean;
  givesProbability: boolean;
  /** Probabilities for which it has calibrated inner and outer contours. */
  margins: readonly number[];
  /** To be shown before its first use and in every export. */
  remarks: readonly string[];
  parameters: readonly Parameter[];
}

export interface Prompt {
  box: Box | null;
  /** (row, column) of whole pixels. */
  inside: readonly (readonly [number, number])[];
  outside: readonly (readonly [number, number])[];
  /** One value a pixel: 1 lesion, 2 background, 0 unmarked. */
  scribble: Uint8Array | null;
}

export interface Request {
  method: string;
  parameters: Readonly<Record<string, Scalar>>;
  prompt: Prompt | null;
  /** Of the frame or slice; null for all of them. */
  frame: number | null;
  /** That a slice of a volume shows. */
  phase: number;
  /** Look at the scan on an ultrasound screen alone. */
  screenshot: boolean;
  /** One of the method's margins, for one image or frame; null for none. */
  margin: number | null;
}

/** An inner and an outer contour of the lesions, each of which holds with a probability. */
export interface Margin {
  coverage: number;
  outer: Mask;
  inner: Mask;
  /** Of each lesion, the longest diameter of what is within the inner and within the outer contour. */
  ranges: readonly { number: number; unit: "mm" | "px"; longest: readonly [number, number] }[];
}

/** What came of a request, a frame each. */
export interface Outcome {
  /** Of the result in the store; null on the device. */
  id: string | null;
  method: string;
  version: string;
  /** Those that it was asked with. */
  parameters: Readonly<Record<string, Scalar>>;
  threshold: number;
  /** By frame or slice: (rows, columns), 0 to 1. */
  probability: ReadonlyMap<number, Float32Array>;
  remarks: readonly string[];
  malignancy: number | null;
  milliseconds: number | null;
  /** By frame; empty where there is no guarantee. */
  margins: ReadonlyMap<number, Margin>;
}

export interface Version {
  number: number;
  /** The method that it started from, if any. */
  base: readonly string[];
  /** The result of that method in the store. */
  baseId: string | null;
  frame: number;
  createdAt: string;
  createdBy: string;
  note: string;
  seconds: number | null;
  /** In its mask. */
  lesions: number;
  /** That a person has laid; null where none was. */
  skinLine: readonly [Point, Point] | null;
}

export type Progress = (fraction: number, what: string) => void;

export interface Backend {
  readonly place: "server" | "device";
  methods(): Promise<readonly Method[]>;
  open(files: readonly File[], progress: Progress, signal: AbortSignal): Promise<Scan>;
  frame(scan: Scan, image: number, frame: number, phase: number): Promise<Frame>;
  /** Loads what a method needs before it is asked, where that takes time. */
  prepare(method: string): void;
  segment(scan: Scan, image: number, request: Request, progress: Progress, signal: AbortSignal): Promise<Outcome>;
}

/** A method as sentences and files name it. */
export function namedWithVersion({ method, version }: { method: string; version: string }): string {
  return version === "" ? method : `${method} ${version}`;
}

/** An error that is told to the person as it is: what was found, what is expected, what to try. */
export class Told extends Error {}

/** The message of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
