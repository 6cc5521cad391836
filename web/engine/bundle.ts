/** `bundle.json`: docs/reference/bundle.md is its specification. */
import { Fields, refusal, shown } from "./bundle-fields";
import { brief } from "./errors";
import { MODALITIES, type Modality } from "./image";
import { parseStrict, type Json } from "./strict-json";

const FORMAT = 1;
const MOST_LABELS = 15;
/** In a patch. */
const MOST_VOXELS = 2 ** 24;

export interface InputSpec {
  readonly size: readonly [rows: number, columns: number];
  readonly intensity: "unit" | "symmetric" | "zscore";
  readonly fit: "stretch" | "pad";
  readonly channels: number;
  readonly colour: boolean;
  readonly umPerPx: number | null;
  readonly region: "whole" | "breast";
}

export interface OutputSpec {
  readonly threshold: number;
  readonly minScore: number;
  readonly minAreaFraction: number;
  readonly largestOnly: boolean;
  readonly flipAverage: boolean;
  readonly temperature: number;
}

export interface PromptSpec {
  readonly frame: number;
  readonly looks: number;
  readonly disc: number;
}

export interface PlattScaling {
  readonly slope: number;
  readonly intercept: number;
}

/** How the score of an image becomes the probability that it shows a lesion. */
export interface Confidence extends PlattScaling {
  readonly calibratedOn: string;
}

/** Where an outer and an inner contour lie, with which probability each of them holds. */
export interface Margin {
  readonly coverage: number;
  readonly outer: number;
  readonly inner: number;
  readonly outerThreshold: number;
  readonly innerThreshold: number;
}

/** Contours and thresholds that hold at the bundle's own operating point. */
export interface Conformal {
  readonly calibratedOn: string;
  readonly patients: number;
  readonly missed: number;
  readonly margins: readonly Margin[];
  readonly missedArea: readonly { readonly expected: number; readonly threshold: number }[];
}

/** Of a network for volumes; (slices, rows, columns). */
export interface VolumeSpec {
  readonly patch: readonly [number, number, number];
  readonly spacingMm: readonly [number, number, number];
  readonly channels: number;
  readonly intensity: "first-channel" | "each-channel";
  readonly percentiles: readonly [low: number, high: number];
  readonly subtraction: boolean;
  readonly overlap: number;
  readonly minVolumeMm3: number;
  /** A letter an axis: where its index grows in the patient. */
  readonly orientation: string;
}

export interface Bundle {
  readonly name: string;
  readonly version: string;
  readonly modality: Modality;
  readonly summary: string;
  readonly network: string;
  readonly weightsSha256: string;
  readonly input: InputSpec;
  readonly output: OutputSpec;
  /** What label 1, 2, ... means. */
  readonly labels: readonly string[];
  readonly trainingData: readonly string[];
  readonly licence: string;
  readonly remarks: readonly string[];
  readonly malignancy: PlattScaling | null;
  /** Of a network for volumes; its `input` says nothing. */
  readonly volume: VolumeSpec | null;
  readonly prompt: PromptSpec | null;
  readonly confidence: Confidence | null;
  readonly conformal: Conformal | null;
}

/**
 * Read the text of a `bundle.json`.
 *
 * @throws EngineError kind "bundle": a field that is not known, missing, given twice, of another type or out
 * of bounds, fields that exclude each other, or another format.
 */
export function parseBundle(text: string): Bundle {
  let json: Json;
  try {
    json = parseStrict(text);
  } catch (error) {
    throw refusal(`bundle.json is no JSON (${brief((error as Error).message)})`, "JSON as breastseg writes it");
  }
  const fields = new Fields(json, "bundle.json");
  const format = fields.take("format");
  if (format !== FORMAT) {
    throw refusal(`bundle.json: format is ${shown(format)}`, `${FORMAT}`, "export the bundle with this version");
  }
  if (!fields.isNull("volume") && !fields.isNull("input")) throw refusal("an input and a volume", "one of them");
  const bundle: Bundle = {
    name: fields.text("name"),
    version: fields.text("version"),
    modality: fields.oneOf("modality", MODALITIES),
    summary: fields.text("summary"),
    network: fields.text("network"),
    weightsSha256: fields.text("weights_sha256"),
    input: inputSpec(fields.part("input")),
    output: outputSpec(fields.part("output")),
    labels: labels(fields.take("labels")),
    trainingData: fields.texts("training_data"),
    licence: fields.text("licence", "not stated"),
    remarks: fields.texts("remarks"),
    malignancy: fields.optional("malignancy", plattScaling),
    volume: fields.optional("volume", volumeSpec),
    prompt: fields.optional("prompt", promptSpec),
    confidence: fields.optional("confidence", confidence),
    conformal: fields.optional("conformal", conformal),
  };
  fields.mapping("extensions");
  fields.end();
  check(bundle);
  return bundle;
}

function check(bundle: Bundle): void {
  if (!/^[a-z0-9][a-z0-9._-]{0,99}$/.test(bundle.name)) {
    throw refusal(`name is ${shown(bundle.name)}`, "1 to 100 lower-case letters, digits, '.', '_' and '-'");
  }
  if (!/^[0-9a-f]{64}$/.test(bundle.weightsSha256)) {
    throw refusal(`weights_sha256 is ${shown(bundle.weightsSha256)}`, "64 hexadecimal digits, lower-case");
  }
  if ((bundle.prompt ?? bundle.volume) && bundle.labels.length > 1) {
    throw refusal("a prompt or a volume, and several labels", "one label");
  }
  if (bundle.volume && (bundle.prompt ?? bundle.confidence ?? bundle.conformal)) {
    throw refusal("a volume, and a prompt, confidence or conformal", "a volume alone");
  }
  if (bundle.malignancy && !(bundle.labels.includes("benign") && bundle.labels.includes("malignant"))) {
    throw refusal(`malignancy of labels ${shown(bundle.labels.join(", "))}`, "labels benign and malignant");
  }
}

function inputSpec(fields: Fields): InputSpec {
  const spec: InputSpec = {
    size: fields.pair("size", [256, 256]),
    intensity: fields.oneOf("intensity", ["unit", "symmetric", "zscore"], "symmetric"),
    fit: fields.oneOf("fit", ["stretch", "pad"], "stretch"),
    channels: fields.integer("channels", 1),
    colour: fields.truth("colour", false),
    umPerPx: fields.isNull("um_per_px") ? null : fields.real("um_per_px", NaN, 0.02, 50),
    region: fields.oneOf("region", ["whole", "breast"], "whole"),
  };
  fields.end();
  if (spec.size.some((side) => side < 16 || side > 4096) || ![1, 3].includes(spec.channels)) {
    throw refusal(
      `input size ${spec.size.join(" x ")} with ${spec.channels} channels`,
      "16 to 4096 pixels a side, 1 or 3 channels",
    );
  }
  if (spec.colour && (spec.channels !== 3 || spec.region === "breast")) {
    throw refusal("colour with another number of channels or a region", "3 channels, the whole image");
  }
  return spec;
}

function outputSpec(fields: Fields): OutputSpec {
  const spec: OutputSpec = {
    threshold: fields.real("threshold", 0.5, 0, 1),
    minScore: fields.real("min_score", 0, 0, 1),
    minAreaFraction: fields.real("min_area_fraction", 0, 0, 1),
    largestOnly: fields.truth("largest_only", false),
    flipAverage: fields.truth("flip_average", false),
    temperature: fields.real("temperature", 1, 0.01, 100),
  };
  fields.end();
  if (spec.threshold === 0 || spec.threshold === 1) {
    throw refusal(`threshold ${spec.threshold}`, "between 0 and 1");
  }
  return spec;
}

function promptSpec(fields: Fields): PromptSpec {
  const spec = {
    frame: fields.real("frame", 2, 1, 10),
    looks: fields.integer("looks", 2),
    disc: fields.real("disc", 0.02, 0.001, 0.2),
  };
  fields.end();
  if (spec.looks < 1 || spec.looks > 5) {
    throw refusal(`prompt with looks ${spec.looks}`, "1 to 5 looks");
  }
  return spec;
}

function volumeSpec(fields: Fields): VolumeSpec {
  const spec: VolumeSpec = {
    patch: fields.triple("patch", [16, 96, 96], true, 1, 1024),
    spacingMm: fields.triple("spacing_mm", [1.6, 0.8, 0.8], false, 0.05, 20),
    channels: fields.integer("channels", 2),
    intensity: fields.oneOf("intensity", ["first-channel", "each-channel"], "first-channel"),
    percentiles: fields.reals("percentiles", [1, 99.5], 0, 100) as [number, number],
    subtraction: fields.truth("subtraction", false),
    overlap: fields.real("overlap", 0.25, 0, 0.9),
    minVolumeMm3: fields.real("min_volume_mm3", 0, 0, 1e9),
    orientation: fields.text("orientation", "SPL"),
  };
  fields.end();
  const axes = ["SI", "PA", "LR"].map((pair) => Array.from(spec.orientation).filter((letter) => pair.includes(letter)).length);
  if (spec.orientation.length !== 3 || axes.some((count) => count !== 1)) {
    throw refusal(`orientation ${shown(spec.orientation)}`, "a letter of S or I, of P or A, and of L or R");
  }
  const { patch, channels, percentiles, subtraction } = spec;
  if (patch[0] * patch[1] * patch[2] > MOST_VOXELS || channels < 1 || channels > 16) {
    throw refusal(`patches of ${patch.join(" x ")} voxels and ${channels} channels`, `${MOST_VOXELS} voxels, 1 to 16 channels`);
  }
  if (percentiles[0] >= percentiles[1]) throw refusal(`percentiles ${percentiles.join(" and ")}`, "the lower first");
  if (subtraction && channels < 2) throw refusal("subtraction of one channel", "2 or more");
  return spec;
}

function plattScaling(fields: Fields): PlattScaling {
  const scaling = {
    slope: fields.real("slope", 1, 0, 1000),
    intercept: fields.real("intercept", 0, -1000, 1000),
  };
  fields.end();
  return scaling;
}

function confidence(fields: Fields): Confidence {
  const calibratedOn = fields.text("calibrated_on", "");
  return { ...plattScaling(fields), calibratedOn };
}

function conformal(fields: Fields): Conformal {
  const found = {
    calibratedOn: fields.text("calibrated_on"),
    patients: fields.integer("patients", 0),
    missed: fields.real("missed", NaN, 0, 1),
    margins: fields.each("margins", (part) => ({
      coverage: part.real("coverage", NaN, 0, 1),
      outer: part.real("outer", NaN, 0, 100),
      inner: part.real("inner", NaN, 0, 100),
      outerThreshold: part.real("outer_threshold", 1, 0, 1),
      innerThreshold: part.real("inner_threshold", 0, 0, 1),
    })),
    missedArea: fields.each("missed_area", (part) => ({
      expected: part.real("expected", NaN, 0, 1),
      threshold: part.real("threshold", NaN, 0, 1),
    })),
  };
  fields.end();
  if (found.patients < 1) throw refusal(`conformal of ${found.patients} patients`, "at least 1");
  return found;
}

function labels(json: Json | undefined): string[] {
  if (json === undefined) return ["lesion"];
  const given = json instanceof Map ? json : new Map<string, Json>();
  const names = [...given.keys()].map((_, index) => given.get(String(index + 1)));
  const right = names.every((name) => typeof name === "string" && name !== "");
  if (!right || names.length < 1 || names.length > MOST_LABELS || new Set(names).size < names.length) {
    throw refusal(
      `labels ${shown(json)}`,
      `1 to ${MOST_LABELS} different names, numbered from "1" without a gap`,
    );
  }
  return names as string[];
}
