import type { Box } from "./box";
import type { Image, Modality } from "./image";

/** What a person points at. Points are (row, column) of pixels, whole numbers. */
export interface Prompt {
  readonly box?: Box;
  readonly inside?: readonly (readonly [row: number, column: number])[];
  readonly outside?: readonly (readonly [row: number, column: number])[];
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

/** A diameter in the image. */
export interface Diameter {
  readonly lengthPx: number;
  /** null where the spacing is not known. */
  readonly lengthMm: number | null;
  /** Its two ends, (row, column). */
  readonly ends: readonly [readonly [number, number], readonly [number, number]];
}

/** One lesion of a mask. */
export interface Lesion {
  readonly number: number;
  readonly label: string;
  /** Its highest probability. */
  readonly score: number;
  readonly box: Box;
  readonly centroid: readonly [row: number, column: number];
  readonly areaPx: number;
  readonly areaMm2: number | null;
  readonly longest: Diameter;
  readonly perpendicular: Diameter;
}

/** What `segment` gives. */
export interface Segmentation {
  readonly rows: number;
  readonly columns: number;
  /** (rows, columns), 0 to 1. */
  readonly probability: Float32Array;
  /** (rows, columns): 0 for background, or the number of the label. */
  readonly mask: Uint8Array;
  readonly lesions: readonly Lesion[];
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
