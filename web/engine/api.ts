import type { Box } from "./box";
import type { LesionRecord, SegmenterRecord } from "./generated/results";
import type { Bundle } from "./bundle";
import type { Image } from "./image";
import type { Sides, Volume } from "./volume";

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
  readonly step: "read" | "decode" | "load" | "network";
  /** 0 to 1; null where it cannot be told. */
  readonly fraction: number | null;
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
  /** That the image shows a lesion, 0 to 1; null where the bundle was not calibrated for it. */
  readonly confidence: number | null;
  readonly threshold: number;
  readonly remarks: readonly string[];
  readonly provenance: SegmenterRecord;
  /** What was done, in order, in words. */
  readonly steps: readonly string[];
}

/** A region of a volume's mask; the largest comes first. */
export interface VolumeLesion {
  readonly number: number;
  /** First index and last index plus one along each axis: slice, row, column, slice, row, column. */
  readonly box: readonly number[];
  readonly voxels: number;
  readonly volumeMm3: number | null;
  readonly meanProbability: number;
  readonly maxProbability: number;
}

/** What `segmentVolume` gives; arrays as the volume's own, slice by slice. */
export interface VolumeSegmentation {
  readonly shape: Sides;
  /** 0 to 1. */
  readonly probability: Float32Array;
  /** 1 in a lesion, else 0. */
  readonly mask: Uint8Array;
  readonly lesions: readonly VolumeLesion[];
  readonly threshold: number;
  readonly remarks: readonly string[];
  readonly provenance: SegmenterRecord;
  readonly steps: readonly string[];
}

/** A bundle that is loaded in the worker. */
export interface OpenBundle {
  /** What it says of itself. */
  readonly bundle: Bundle;
  segment(image: Image, options?: SegmentOptions): Promise<Segmentation>;
  /** Of a bundle for volumes; it takes no prompt. A cancelled job ends after the patch that has begun. */
  segmentVolume(volume: Volume, options?: Omit<SegmentOptions, "prompt">): Promise<VolumeSegmentation>;
  /** Frees its memory in the worker. */
  close(): Promise<void>;
}

/** What `decodeVolumes` found among files. */
export interface Volumes {
  readonly volumes: readonly Volume[];
  /** Indices of the files that are part of no volume. */
  readonly others: readonly number[];
  /** Of the volumes that could not be read. */
  readonly problems: readonly { readonly name: string; readonly message: string }[];
}

/** Where a bundle comes from: its folder's address, or its files as dropped. */
export type BundleSource = string | URL | readonly File[];

/** The engine in its worker. Jobs run one after the other, in the order in which they are asked for. */
export interface Engine {
  /**
   * Read PNG, JPEG, TIFF and DICOM; one image for each page or frame.
   *
   * The arrays are those of Python's reader.
   *
   * @throws EngineError kind "unreadable": damaged, or no image; kind "unsupported": of a kind that cannot be read
   * on the device with the same result as in Python.
   */
  decode(file: File, options?: JobOptions): Promise<Image[]>;
  /**
   * Read NIfTI files, each a volume with the phases along its fourth axis, and the DICOM slices among the files, whose
   * phases make a volume together.
   *
   * The arrays are those of Python's reader.
   */
  decodeVolumes(files: readonly File[], options?: JobOptions): Promise<Volumes>;
  /**
   * Outline the dark lesion in a box without a network, as Python's method "polar-path" does by default.
   *
   * @throws EngineError kind "unsupported": a prompt without a box.
   */
  outline(image: Image, prompt: Prompt, options?: JobOptions): Promise<Segmentation>;
  /** @throws EngineError kind "bundle" or "unsupported". */
  openBundle(source: BundleSource, options?: JobOptions): Promise<OpenBundle>;
  /** Ends the worker; what it was doing is rejected with an AbortError. */
  close(): void;
}
