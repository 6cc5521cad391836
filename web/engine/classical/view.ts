/** The surroundings of a box at a common size, and the way back; breastseg.classical.view and .tidy of Python. */
import { boxShape, intersection, type Box } from "../box";
import { roundEven } from "../numbers";
import { crop } from "../placement";
import { plane, type Plane } from "../plane";
import { connectedRegions } from "../regions";
import { resize } from "../resize";
import { filledHoles, gaussian, medianOf, opened } from "./raster";

/** What the longer side of the box is scaled to. */
const SIDE = 96;
const LARGEST_SCALE = 4;
const CONTEXT = 0.3;
const MEDIAN = 2;
const OPENING = 3;
const SMOOTHING = 2;
const CORE = 0.4;

export interface View {
  readonly rows: number;
  readonly columns: number;
  /** The part of the image that it shows. */
  readonly part: Box;
  /** 0 to 1, speckle reduced; the lesion is dark. */
  readonly grey: Float32Array;
  /** The box, in pixels of the view. */
  readonly box: Box;
  /** 1 where a mask may lie; where a pixel is called lesion; where one is called background. */
  readonly allowed: Uint8Array;
  readonly inside: Uint8Array;
  readonly outside: Uint8Array;
}

type Points = readonly (readonly [row: number, column: number])[];

export function viewOf(unit: Plane, box: Box, inside: Points, outside: Points): View {
  const longer = Math.max(...boxShape(box));
  const pad = Math.max(2, roundEven(CONTEXT * longer));
  const whole: Box = [0, 0, unit.rows, unit.columns];
  const part = intersection([box[0] - pad, box[1] - pad, box[2] + pad, box[3] + pad], whole) ?? box;
  const scale = Math.min(SIDE / longer, LARGEST_SCALE);
  const [height, width] = boxShape(part);
  const [rows, columns] = [height, width].map((side) => Math.max(1, roundEven(side * scale)));
  const [down, along] = [rows / height, columns / width];
  const top = Math.min(roundEven((box[0] - part[0]) * down), rows - 1);
  const left = Math.min(roundEven((box[1] - part[1]) * along), columns - 1);
  const bottom = Math.max(roundEven((box[2] - part[0]) * down), top + 1);
  const right = Math.max(roundEven((box[3] - part[1]) * along), left + 1);
  const marks = (points: Points): Uint8Array => {
    const found = new Uint8Array(rows * columns);
    for (const [row, column] of points) {
      if (row < part[0] || row >= part[2] || column < part[1] || column >= part[3]) continue;
      found[Math.floor((row - part[0] + 0.5) * down) * columns + Math.floor((column - part[1] + 0.5) * along)] = 1;
    }
    return found;
  };
  const lesion = marks(inside);
  const background = marks(outside).map((mark, i) => (lesion[i] ? 0 : mark));
  const allowed = new Uint8Array(rows * columns).map((_, i) => {
    const [row, column] = [Math.floor(i / columns), i % columns];
    const isIn = row >= top && row < bottom && column >= left && column < right;
    return (isIn || lesion[i]) && !background[i] ? 1 : 0;
  });
  const grey = medianOf(resize(crop(unit, part), rows, columns).data, rows, columns, MEDIAN);
  return { rows, columns, part, grey, box: [top, left, bottom, right], allowed, inside: lesion, outside: background };
}

/** The part that is the lesion, without holes, spurs and jagged edges. */
export function tidy(chosen: Uint8Array, view: View): Uint8Array {
  const { rows, columns, allowed } = view;
  const within = (mask: Uint8Array): Uint8Array => mask.map((value, i) => value & allowed[i]);
  const core = coreOf(view);
  let mask = mainPart(opened(within(chosen), rows, columns, OPENING), view, core);
  mask = within(filledHoles(mask, rows, columns));
  if (!mask.includes(1)) return mask;
  const soft = gaussian(mask, rows, columns, SMOOTHING, "repeat");
  return mainPart(within(Uint8Array.from(soft, (value) => (value >= 0.5 ? 1 : 0))), view, core);
}

/** What is lesion in all likelihood: the middle of the box, and what is called so. */
function coreOf({ rows, columns, box, allowed, inside, outside }: View): Uint8Array {
  const radius = (i: number): number => {
    const down = (Math.floor(i / columns) + 0.5 - (box[0] + box[2]) / 2) / ((box[2] - box[0]) / 2);
    const along = ((i % columns) + 0.5 - (box[1] + box[3]) / 2) / ((box[3] - box[1]) / 2);
    return Math.fround(Math.sqrt(down ** 2 + along ** 2));
  };
  const core = new Uint8Array(rows * columns).map((_, i) => ((radius(i) <= CORE && allowed[i]) || inside[i] ? 1 : 0) & (outside[i] ^ 1));
  if (!core.includes(1) && allowed.includes(1)) {
    let nearest = -1;
    allowed.forEach((value, i) => {
      if (value && (nearest < 0 || radius(i) < radius(nearest))) nearest = i;
    });
    core[nearest] = 1;
  }
  return core;
}

/** The region that covers most of the core, with those that are pointed at. */
function mainPart(mask: Uint8Array, { rows, columns, inside }: View, core: Uint8Array): Uint8Array {
  const { labels, count, sizes } = connectedRegions(rows, columns, (i) => mask[i] > 0);
  if (!count) return mask;
  const covering = sizes.map(() => 0);
  const kept = sizes.map(() => false);
  labels.forEach((label, i) => {
    if (!label) return;
    if (core[i]) covering[label - 1]++;
    if (inside[i]) kept[label - 1] = true;
  });
  const by = covering.some((pixels) => pixels > 0) ? covering : sizes;
  kept[by.indexOf(Math.max(...by))] = true;
  return Uint8Array.from(labels, (label) => (label && kept[label - 1] ? 1 : 0));
}

/** A mask of the view on the image's grid. */
export function pasted(mask: Uint8Array, { rows, columns, part }: View, image: Plane): Uint8Array {
  const [height, width] = boxShape(part);
  const back = resize(plane(rows, columns, Float32Array.from(mask)), height, width).data;
  const result = new Uint8Array(image.rows * image.columns);
  back.forEach((value, i) => {
    const at = (part[0] + Math.floor(i / width)) * image.columns + part[1] + (i % width);
    result[at] = value >= 0.5 ? 1 : 0;
  });
  return result;
}
