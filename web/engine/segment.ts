/** One image through a bundle: what Python's ONNX segmenter does. */
import type { Prompt, Segmentation } from "./api";
import type { Bundle } from "./bundle";
import { EngineError } from "./errors";
import type { Image } from "./image";
import { greyUnit } from "./intensity";
import { lesionRecords } from "./lesions";
import { emptyMaps, isConstant, networkMaps, type Network } from "./map";
import { outputsOf } from "./network";
import { imageProbability, labelProbabilities, malignancyOf, maskOf, scaled, scoreOf } from "./operating-point";
import type { Plane } from "./plane";
import { prepare } from "./prepare";
import { promptedProbability } from "./prompt";
import { provenanceOf, stepsOf } from "./provenance";
import { checkScale } from "./scale";

/** What may be asked for besides. */
export interface Wish {
  readonly prompt?: Prompt;
  readonly threshold?: number;
}

/** Maps of the image, before lesions are measured. */
interface Found {
  readonly probability: Plane;
  readonly each: readonly Plane[];
  /** The image's score; null with a prompt, which asks of one lesion. */
  readonly score: number | null;
}

/**
 * Outline the lesions of one image.
 *
 * @throws EngineError kind "input": another modality or scale than the bundle's, a threshold that is none, a prompt
 * that does not fit; kind "unsupported": a prompt for a network that takes none; kind "bundle": the network fails.
 */
export async function segmentImage(
  network: Network,
  bundle: Bundle,
  image: Image,
  wish: Wish = {},
): Promise<Segmentation> {
  check(bundle, image, wish);
  const threshold = wish.threshold ?? bundle.output.threshold;
  const found = wish.prompt
    ? await prompted(network, bundle, image, wish.prompt, threshold)
    : await unprompted(network, bundle, image, threshold);
  const { probability, each } = found;
  return {
    rows: image.rows,
    columns: image.columns,
    probability: probability.data,
    mask: maskOf(probability, each, threshold),
    lesions: lesionRecords(probability, threshold, image),
    malignancy: malignancy(bundle, found, threshold),
    confidence: bundle.confidence && found.score !== null ? scaled(bundle.confidence, found.score) : null,
    threshold,
    remarks: image.remarks,
    provenance: provenanceOf(bundle, threshold),
    steps: stepsOf(bundle, image, threshold, wish.prompt),
  };
}

async function unprompted(network: Network, bundle: Bundle, image: Image, threshold: number): Promise<Found> {
  const { input, placement } = prepare(image, bundle.input);
  const { size } = bundle.input;
  const area = size[0] * size[1];
  const maps = isConstant(input, area)
    ? emptyMaps(outputsOf(bundle), size)
    : await networkMaps(network, withoutPrompt(input, bundle, area), size, bundle.output);
  const probability = imageProbability(maps, placement, { ...bundle.output, threshold });
  const each = maps.length > 1 ? labelProbabilities(maps, placement, probability) : [];
  return { probability, each, score: scoreOf(maps, placement) };
}

async function prompted(
  network: Network,
  bundle: Bundle,
  image: Image,
  prompt: Prompt,
  threshold: number,
): Promise<Found> {
  const unit = greyUnit(image);
  return { probability: await promptedProbability(network, bundle, unit, prompt, threshold), each: [], score: null };
}

/** With empty maps of a prompt, where the network takes one. */
function withoutPrompt(input: Float32Array, bundle: Bundle, area: number): Float32Array {
  if (!bundle.prompt) return input;
  const result = new Float32Array(input.length + 3 * area);
  result.set(input);
  return result;
}

function malignancy(bundle: Bundle, { probability, each }: Found, threshold: number): number | null {
  const benign = each[bundle.labels.indexOf("benign")] as Plane | undefined;
  const malignant = each[bundle.labels.indexOf("malignant")] as Plane | undefined;
  if (!benign || !malignant) return null;
  return malignancyOf(probability, benign, malignant, threshold, bundle.malignancy);
}

function check(bundle: Bundle, image: Image, wish: Wish): void {
  if (bundle.volume) {
    throw new EngineError("unsupported", `an image for "${bundle.name}"`, "a volume: its network looks at volumes", "choose another bundle");
  }
  checkModality(bundle, image);
  checkScale(image, bundle);
  if (wish.threshold !== undefined) checkThreshold(wish.threshold);
  if (wish.prompt && !bundle.prompt) {
    throw new EngineError(
      "unsupported",
      `a prompt for "${bundle.name}"`,
      "none: this network looks at the whole image",
      "choose a bundle that takes a click or a box",
    );
  }
}

/** Refuse what is known to be of another modality. */
export function checkModality(bundle: Bundle, { modality, source }: Pick<Image, "modality" | "source">): void {
  if (modality === "unknown" || modality === bundle.modality) return;
  throw new EngineError(
    "input",
    `${source}: modality ${modality}`,
    `"${bundle.name}" was trained and measured on ${bundle.modality} only`,
    "choose another bundle",
  );
}

export function checkThreshold(threshold: number): void {
  if (!(threshold > 0 && threshold < 1)) throw new EngineError("input", `threshold ${threshold}`, "between 0 and 1");
}
