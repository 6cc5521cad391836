/** What stands in a box, outlined without a network: Python's method "polar-path" with its defaults. */
import type { Prompt, Segmentation } from "../api";
import { EngineError } from "../errors";
import type { Image } from "../image";
import { greyUnit } from "../intensity";
import { lesionRecords } from "../lesions";
import { plane } from "../plane";
import { INSIDE, marksOf, OUTSIDE } from "../prompt";
import { polarPath } from "./polar-path";
import { pasted, tidy, viewOf } from "./view";

export const METHOD = "polar-path";
const VERSION = "0.1.0";
const THRESHOLD = 0.5;
const FILTERS = { median_px: 2, srad_iterations: 0, clahe_clip: 0 };
const named = (part: string): Record<string, number> =>
  Object.fromEntries(Object.entries(FILTERS).map(([name, value]) => [`${part}.${name}`, value]));
/** What each stage has; the finder's are said and not used, since nothing is looked for. */
const PARAMETERS = {
  lesion: "dark",
  context: 0.3,
  reach: 1.3,
  opening: 3,
  smoothing: 2,
  sigma: 2,
  edge: 3,
  area: 1,
  prior: 8,
  bend: 0.25,
  target: 1,
  fit: 0.9,
  "finder.weights": "ultrasound",
  "finder.tissue_only": false,
  "finder.side_px": 128,
  "finder.levels": 8,
  "finder.min_score": 0.3,
  "finder.max_lesions": 1,
  ...named("finder.filters"),
  ...named("filters"),
};

/**
 * Outline the dark lesion in a box, with what is called lesion and background in it.
 *
 * @throws EngineError kind "input": the prompt does not fit the image; kind "unsupported": a prompt without a box.
 */
export function outlineBox(image: Image, prompt: Prompt): Segmentation {
  const unit = greyUnit(image);
  const { box, marked } = marksOf(prompt, image.rows, image.columns);
  if (!box) {
    throw new EngineError(
      "unsupported",
      `${METHOD} on the device, without a box`,
      "a box around the lesion; points and strokes count besides",
      "draw a box, or choose a network that takes a click",
    );
  }
  const points = (kind: number): [number, number][] => {
    const found: [number, number][] = [];
    marked.forEach((mark, i) => {
      if (mark === kind) found.push([Math.floor(i / image.columns), i % image.columns]);
    });
    return found;
  };
  const [inside, outside] = [points(INSIDE), points(OUTSIDE)];
  const view = viewOf(unit, box, inside, outside);
  const mask = pasted(tidy(polarPath(view), view), view, unit);
  marked.forEach((mark, i) => {
    const [row, column] = [Math.floor(i / image.columns), i % image.columns];
    const isIn = row >= box[0] && row < box[2] && column >= box[1] && column < box[3];
    mask[i] = (mask[i] && isIn && mark !== OUTSIDE) || mark === INSIDE ? 1 : 0;
  });
  const probability = Float32Array.from(mask);
  return {
    rows: image.rows,
    columns: image.columns,
    probability,
    mask,
    lesions: lesionRecords(plane(image.rows, image.columns, probability), THRESHOLD, image),
    malignancy: null,
    confidence: null,
    threshold: THRESHOLD,
    remarks: image.remarks,
    provenance: { segmenter: METHOD, version: VERSION, parameters: PARAMETERS, weights_sha256: "" },
    steps: stepsOf(inside.length, outside.length, box),
  };
}

function stepsOf(inside: number, outside: number, box: readonly number[]): string[] {
  const shown = [`box (${box.join(", ")})`];
  if (inside) shown.push(`${inside} pixels called lesion`);
  if (outside) shown.push(`${outside} pixels called background`);
  return [
    "grey levels stretched to the image's own minimum and maximum",
    `dark lesion expected; prompt: ${shown.join(", ")}`,
    "speckle reduced in a window around it",
    "the cheapest closed path around the centre, by dynamic programming",
    "holes filled, spurs cut off, mask smoothed and brought back to the image's grid",
  ];
}
