/** What the page and the worker say to each other. */
import type { BundleSource, Progress, Prompt, Segmentation, Volumes, VolumeSegmentation } from "./api";
import type { Bundle } from "./bundle";
import type { ErrorKind } from "./errors";
import type { Image } from "./image";
import type { Wish } from "./segment";
import type { Volume } from "./volume";

/** Each kind of job: what it is given and what it gives. */
export interface Jobs {
  decode: { given: { file: File }; result: Image[] };
  decodeVolumes: { given: { files: readonly File[] }; result: Volumes };
  open: { given: { source: BundleSource; threads: number }; result: { handle: number; bundle: Bundle } };
  segment: { given: { handle: number; image: Image; wish: Wish }; result: Segmentation };
  outline: { given: { image: Image; prompt: Prompt }; result: Segmentation };
  segmentVolume: { given: { handle: number; volume: Volume; threshold?: number }; result: VolumeSegmentation };
  release: { given: { handle: number }; result: null };
}

export type JobKind = keyof Jobs;

export type Request =
  | { [K in JobKind]: { id: number; kind: K; given: Jobs[K]["given"] } }[JobKind]
  | { id: number; kind: "cancel" };

export interface Failure {
  readonly kind: ErrorKind | "cancelled" | "fault";
  readonly given: string;
  readonly allowed: string;
  readonly remedy: string;
}

export type Reply =
  | { id: number; result: Jobs[JobKind]["result"] }
  | { id: number; progress: Progress }
  | { id: number; failure: Failure };
