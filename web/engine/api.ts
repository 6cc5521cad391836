import type { Box } from "./box";
import type { LesionRecord } from "./generated/results";
import type { Image, Modality } from "./image";

/** What a person points at. Points are (row, column) of pixels, whole numbers. */
export interface Prompt {
  readonly box?: Box;
  readonly inside?: readonly (readonly [row: number, column: number])[];
  readonly outside?: readonly (readonly [row: number, column: number])[];
  /** (rows, columns): 1 lesion, 2 background, 0 unmarked. */
  readonly scribble?: Uint8Array;
}

/** What a job tells while it runs. */
export interface Progress {
  readonly step: "read" | "decode" | "load" | "prepare" | "network" | "measure";
  /** 0 to 1. */
  readonly fraction: number;
}

export interface JobOptions {
  /** Aborting it ends the job: its promise is rejected with an AbortError. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

export interface SegmentOptions extends JobOptions {
  readonly prompt?: Prompt;
  /** 0 to 1; the bundle's own by default. */
  readonly threshold?: number;
}

/** What `segment` gives. */
export interface Segmentation {
  readonly rows: number;
  readonly columns: number;
  /** (rows, columns), 0 to 1. */
  readonly probability: Float32Array;
  /** (rows, columns): 0 for background, or the number of the label. */
  readonly mask: Uint8Array;
  /** The largest first; as in the results of a run. */
  readonly lesions: readonly LesionRecord[];
  /** 0 to 1, of a bundle with the labels benign and malignant; null where nothing is outlined or it does not say. */
  readonly malignancy: number | null;
  readonly threshold: number;
  readonly remarks: readonly string[];
}

/** A bundle that is loaded in the worker. */
export interface OpenBundle {
  readonly name: string;
  readonly version: string;
  readonly modality: Modality;
  readonly summary: string;
  readonly labels: readonly string[];
  readonly threshold: number;
  readonly takesPrompt: boolean;
  readonly remarks: readonly string[];
  readonly trainingData: readonly string[];
  segment(image: Image, options?: SegmentOptions): Promise<Segmentation>;
  /** Frees its memory in the worker. */
  close(): Promise<void>;
}

/** Where a bundle comes from: its folder's address, or its files as dropped. */
export type BundleSource = string | URL | readonly File[];

/** The engine in its worker. */
export interface Engine {
  /** Reads PNG, JPEG, TIFF and DICOM; one image for each page or frame. */
  decode(file: File, options?: JobOptions): Promise<Image[]>;
  openBundle(source: BundleSource, options?: JobOptions): Promise<OpenBundle>;
  close(): void;
}
