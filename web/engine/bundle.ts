/** `bundle.json`: docs/reference/bundle.md is its specification. */
import { brief, EngineError } from "./errors";
import { MODALITIES, type Modality } from "./image";
import { parseStrict, Real, type Json } from "./strict-json";

const FORMAT = 1;
const MOST_LABELS = 15;

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

/** Contours and thresholds that hold at the bundle's own operating point. */
export interface Conformal {
  readonly calibratedOn: string;
  readonly patients: number;
  readonly missed: number;
  readonly margins: readonly { readonly coverage: number; readonly outer: number; readonly inner: number }[];
  readonly missedArea: readonly { readonly expected: number; readonly threshold: number }[];
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
  readonly prompt: PromptSpec | null;
  readonly confidence: Confidence | null;
  readonly conformal: Conformal | null;
}

/**
 * Read the text of a `bundle.json`.
 *
 * @throws EngineError kind "bundle": a field that is not known, missing, given twice, of another type or out
 * of bounds, or another format; kind "unsupported": a network for volumes.
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
  const isForVolumes = !fields.isNull("volume");
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
    prompt: fields.optional("prompt", promptSpec),
    confidence: fields.optional("confidence", confidence),
    conformal: fields.optional("conformal", conformal),
  };
  fields.mapping("extensions");
  if (isForVolumes) {
    throw new EngineError(
      "unsupported",
      `${brief(bundle.name)} is a network for volumes`,
      "a network for images on the device",
      "segment volumes with the server",
    );
  }
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
  if (bundle.prompt && bundle.labels.length > 1) throw refusal("a prompt and several labels", "one label");
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

function refusal(given: string, allowed: string, remedy = "copy the whole bundle again"): EngineError {
  return new EngineError("bundle", given, allowed, remedy);
}

function shown(value: Json | undefined): string {
  if (value === undefined) return "missing";
  if (value instanceof Map) return "an object";
  return brief(value instanceof Real ? value.value : JSON.stringify(value));
}

/** The fields of one object: each is taken once, and `end` refuses what nobody took. */
class Fields {
  private readonly fields: Map<string, Json>;
  private readonly taken = new Set<string>();

  constructor(
    json: Json | undefined,
    private readonly where: string,
  ) {
    if (!(json instanceof Map)) throw refusal(`${where} is ${shown(json)}`, "an object with named fields");
    this.fields = json;
  }

  isNull(name: string): boolean {
    this.taken.add(name);
    return (this.fields.get(name) ?? null) === null;
  }

  take(name: string): Json | undefined {
    this.taken.add(name);
    return this.fields.get(name);
  }

  /** A field of one type; the default where it is absent. */
  private typed<T extends Json>(
    name: string,
    right: (value: Json) => value is T,
    word: string,
    otherwise?: T,
  ): T {
    const value = this.take(name);
    if (value === undefined && otherwise !== undefined) return otherwise;
    if (value === undefined || !right(value)) throw refusal(`${this.where}: ${name} is ${shown(value)}`, word);
    return value;
  }

  text(name: string, otherwise?: string): string {
    return this.typed(name, (value) => typeof value === "string", "text", otherwise);
  }

  truth(name: string, otherwise: boolean): boolean {
    return this.typed(name, (value) => typeof value === "boolean", "true or false", otherwise);
  }

  integer(name: string, otherwise: number): number {
    return this.typed(name, isInteger, "a whole number", otherwise);
  }

  real(name: string, otherwise: number, low: number, high: number): number {
    const value = this.take(name) ?? otherwise;
    const number = value instanceof Real ? value.value : value;
    const fits = typeof number === "number" && number >= low && number <= high;
    if (!fits || this.fields.get(name) === null) {
      throw refusal(`${this.where}: ${name} is ${shown(this.fields.get(name))}`, `${low} to ${high}`);
    }
    return number;
  }

  oneOf<T extends string>(name: string, values: readonly T[], otherwise?: T): T {
    const right = (value: Json): value is T => values.some((one) => one === value);
    return this.typed(name, right, values.join(", "), otherwise);
  }

  pair(name: string, otherwise: [number, number]): [number, number] {
    const right = (value: Json): value is [number, number] =>
      Array.isArray(value) && value.length === 2 && value.every(isInteger);
    return this.typed(name, right, "two whole numbers", otherwise);
  }

  texts(name: string): string[] {
    const right = (value: Json): value is string[] =>
      Array.isArray(value) && value.every((item) => typeof item === "string");
    return this.typed(name, right, "a list of texts", []);
  }

  mapping(name: string): void {
    const right = (value: Json): value is Map<string, Json> => value instanceof Map;
    this.typed(name, right, "an object", new Map<string, Json>());
  }

  part(name: string): Fields {
    return new Fields(this.take(name) ?? new Map<string, Json>(), `${this.where}: ${name}`);
  }

  /** A list of objects; empty where it is absent. */
  each<T>(name: string, read: (fields: Fields) => T): T[] {
    const right = (value: Json): value is Json[] => Array.isArray(value);
    return this.typed(name, right, "a list of objects", []).map((item, index) => {
      const part = new Fields(item, `${this.where}: ${name}[${index}]`);
      const found = read(part);
      part.end();
      return found;
    });
  }

  optional<T>(name: string, read: (fields: Fields) => T): T | null {
    return this.isNull(name) ? null : read(this.part(name));
  }

  end(): void {
    for (const name of this.fields.keys()) {
      if (!this.taken.has(name)) {
        throw refusal(
          `${this.where}: unknown field ${shown(name)}`,
          `only ${[...this.taken].join(", ")}`,
          "put what is your own under 'extensions', or update the app if a newer version wrote it",
        );
      }
    }
  }
}

function isInteger(value: Json): value is number {
  return typeof value === "number" && Number.isSafeInteger(value);
}
