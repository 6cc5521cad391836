/* Made by `npm run types` from docs/reference/bundle.schema.json. */

/**
 * what it may be used on
 */
export type Modality = "ultrasound" | "mammography" | "mri" | "histopathology" | "other" | "unknown";
/**
 * the scale of the grey levels
 */
export type Intensity = "unit" | "symmetric" | "zscore";
/**
 * how an image is brought to `size`
 */
export type Fit = "stretch" | "pad";
/**
 * which part of the image is brought to `size`: `"whole"`, or `"breast"`, the box around the breast of a mammogram, its chest wall turned to the left; the rest has no lesion
 */
export type Region = "whole" | "breast";
/**
 * whose percentiles scale the grey levels
 */
export type VolumeIntensity = "first-channel" | "each-channel";

export interface Bundle {
  /**
   * of this file
   */
  format: 1;
  /**
   * catalogue name, e.g. `"ultrasound"`
   */
  name: string;
  /**
   * of the bundle
   */
  version: string;
  modality: Modality;
  /**
   * one line for lists
   */
  summary: string;
  /**
   * the architecture, in words
   */
  network: string;
  /**
   * hex digest of `model.onnx`
   */
  weights_sha256: string;
  input?: InputSpec;
  output?: OutputSpec;
  /**
   * what each label above 0 means, in the singular, from 1 without a gap. Of one label the network gives the probability; of several, that of the background and then of each label
   */
  labels?: {
    [k: string]: string;
  };
  /**
   * one line a source: name, count, licence, citation
   */
  training_data?: string[];
  /**
   * of the weights, as who made the bundle states it
   */
  licence?: string;
  /**
   * what a user must know besides: how the operating point was chosen, examples of failures, traps in the data; a sentence or two each
   */
  remarks?: string[];
  /**
   * preprocessing of a volume; None for a network that takes images
   */
  volume?: VolumeSpec | null;
  /**
   * of a network with the labels benign and malignant: how their shares of the outline become an image's probability of malignancy; None leaves the share as it is
   */
  malignancy?: PlattScaling | null;
  /**
   * of a network that takes a click or a box; None for one that looks by itself alone
   */
  prompt?: PromptSpec | null;
  /**
   * what others keep in the file, by their name; it has no meaning here, and a reader need not know it
   */
  extensions?: {
    [k: string]: unknown;
  };
}
/**
 * preprocessing of an image; its default, and not in the file, where there is a `volume`
 */
export interface InputSpec {
  /**
   * (rows, columns) of the network's input in pixels
   *
   * @minItems 2
   * @maxItems 2
   */
  size?: [number, number];
  intensity?: Intensity;
  fit?: Fit;
  /**
   * grey images are repeated to this many channels
   */
  channels?: number;
  /**
   * the channels are red, green and blue as they were recorded, as in histopathology; otherwise colour counts by its luminance, stretched to the image's own range
   */
  colour?: boolean;
  /**
   * micrometres along one pixel of the network's input, 0.02 to 50, for networks that look at a part of a slide at a time; absent where images of any scale are brought to `size`
   */
  um_per_px?: number | null;
  region?: Region;
}
/**
 * operating point and post-processing
 */
export interface OutputSpec {
  /**
   * pixels at or above it are lesion, 0 to 1
   */
  threshold?: number;
  /**
   * an outline whose highest probability stays below this is dropped, 0 to 1
   */
  min_score?: number;
  /**
   * an outline smaller than this share of the image is dropped, 0 to 1
   */
  min_area_fraction?: number;
  /**
   * keep only the largest outline
   */
  largest_only?: boolean;
  /**
   * average the prediction with that of the mirrored image
   */
  flip_average?: boolean;
  /**
   * the network's logits are divided by this before anything else; above 1 makes it less sure of itself, 1 leaves it as it is. At a threshold of 0.5 no outline of one prediction changes (Guo et al. 2017, https://proceedings.mlr.press/v70/guo17a.html)
   */
  temperature?: number;
}
export interface VolumeSpec {
  /**
   * (slices, rows, columns) of the network's input in voxels
   *
   * @minItems 3
   * @maxItems 3
   */
  patch?: [number, number, number];
  /**
   * distance of voxels along each of these axes that a volume is brought to
   *
   * @minItems 3
   * @maxItems 3
   */
  spacing_mm?: [number, number, number];
  /**
   * the phases of an examination, the one before contrast first
   */
  channels?: number;
  intensity?: VolumeIntensity;
  /**
   * the grey levels that become 0 and 1, in percent of the voxels
   *
   * @minItems 2
   * @maxItems 2
   */
  percentiles?: [number, number];
  /**
   * whether the channels after the first are what each has more than the first: what contrast added, in place of the phase itself
   */
  subtraction?: boolean;
  /**
   * share of a patch's side that the next one covers again, 0 to 0.9
   */
  overlap?: number;
  /**
   * an outline smaller than this is dropped, at least 0
   */
  min_volume_mm3?: number;
  /**
   * where the index of slices, rows and columns grows in the patient, a letter each: to the left or right (`L`, `R`), to the back or front (`P`, `A`), to the head or feet (`S`, `I`). A volume is brought to this orientation, which is that of the training data, by reversing and exchanging axes, and its mask back to its own
   */
  orientation?: string;
}
export interface PlattScaling {
  /**
   * 0 to 1000; at least 0, so that the order of images is kept. 1 leaves logits as they are
   */
  slope?: number;
  /**
   * -1000 to 1000; 0 leaves them
   */
  intercept?: number;
}
export interface PromptSpec {
  /**
   * sides of the frame that it looks at, as a multiple of those of the lesion's box, 1 to 10
   */
  frame?: number;
  /**
   * how often it looks at most where there is no box, at the whole image first, 1 to 5
   */
  looks?: number;
  /**
   * radius of a point's disc as a fraction of the frame's side, above 0 to 0.2
   */
  disc?: number;
}
