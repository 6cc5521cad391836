/** "A network that takes a click or a box" of docs/reference/bundle.md. */
import type { Prompt } from "./api";
import { boxShape, intersection, type Box } from "./box";
import type { Bundle } from "./bundle";
import { EngineError } from "./errors";
import { rescale } from "./intensity";
import { networkMaps, type Network } from "./map";
import { roundEven } from "./numbers";
import { backward, crop, forward, placementOf, pointForward, type Placement } from "./placement";
import type { Plane } from "./plane";
import { repeated } from "./prepare";
import { connectedRegions, type Regions } from "./regions";

type Points = readonly (readonly [row: number, column: number])[];

/** A point that hits no region means the nearest one within this fraction of the image's longer side. */
const NEAR = 0.05;
/** Half the side of the box around a point where nothing was found, as a fraction. */
const BLIND = 0.15;
/** The fraction of a box that is lesion at least; an ellipse in it fills 0.78. */
const FILLED = 0.55;
/** Below it a network says nothing that scaling would bring out. */
const SILENT = 1e-3;
/** Points that a scribble is read as, at most, of either kind. */
const STROKES = 48;
/** What a pixel is called in `Marks.marked`. */
export const INSIDE = 1;
export const OUTSIDE = 2;

/** A prompt on the grid of an image: its points with those of the scribble, and every pixel that is marked. */
interface Marks {
  readonly box: Box | null;
  readonly given: Box | undefined;
  readonly inside: Points;
  readonly outside: Points;
  /** 1 where a pixel is called lesion, 2 where it is called background. */
  readonly marked: Uint8Array;
}

/**
 * The probability of the lesion that a prompt means.
 *
 * @param unit the image's luminance, 0 to 1.
 * @param threshold pixels at or above it are lesion.
 * @throws EngineError kind "input": the prompt does not fit the image, or does not say where the lesion is.
 */
export async function promptedProbability(
  network: Network,
  bundle: Bundle,
  unit: Plane,
  prompt: Prompt,
  threshold: number,
): Promise<Plane> {
  const marks = marksOf(prompt, unit.rows, unit.columns);
  if (!marks.box && !marks.inside.length) {
    throw new EngineError(
      "input",
      "a prompt that says only where the lesion is not",
      "a box, a point or a stroke in the lesion",
    );
  }
  const look = (frame: Box): Promise<Plane> => lookAt(network, bundle, unit, marks, frame, threshold);
  const { frame, looks } = bundle.prompt ?? { frame: 1, looks: 1 };
  const limit = Math.fround(threshold);
  const whole: Box = [0, 0, unit.rows, unit.columns];
  let found: Plane;
  if (marks.box) {
    found = onlyMeant(await look(frameAround(marks.box, frame, whole)), marks, threshold);
  } else {
    const total = await look(whole);
    const counts = new Float32Array(total.data.length).fill(1);
    found = onlyMeant(total, marks, threshold);
    for (let again = 1; again < looks; again++) {
      const there = frameAround(boxToLookAt(found, limit, marks.inside), frame, whole);
      addWithin(there, total, counts, await look(there));
      const closer = onlyMeant(mean(total, counts), marks, threshold);
      if (closer.data.some((value) => value >= limit)) found = closer;
    }
  }
  const below = Math.fround(0.5 * threshold);
  marks.marked.forEach((mark, i) => {
    if (mark === INSIDE) found.data[i] = Math.max(found.data[i], limit);
    else if (mark === OUTSIDE) found.data[i] *= below;
  });
  return found;
}

/** The map of one frame on the image's grid; 0 outside it. */
async function lookAt(
  network: Network,
  bundle: Bundle,
  unit: Plane,
  marks: Marks,
  frame: Box,
  threshold: number,
): Promise<Plane> {
  const place = placementOf([unit.rows, unit.columns], bundle.input, frame);
  const grey = forward(unit, place, 0).data;
  rescale(grey, bundle.input.intensity);
  const image = repeated(grey, bundle.input.channels);
  const maps = promptMaps(marks, place, bundle.prompt?.disc ?? 0);
  const input = new Float32Array(image.length + maps.length);
  input.set(image);
  input.set(maps, image.length);
  const [map] = await networkMaps(network, input, bundle.input.size, bundle.output);
  fillBox(map, maps, threshold);
  return backward(crop(map, place.inner), place);
}

/** Adds what one more look saw within its frame, and counts it. */
function addWithin([top, left, bottom, right]: Box, total: Plane, counts: Float32Array, seen: Plane): void {
  for (let row = top; row < bottom; row++) {
    for (let column = left; column < right; column++) {
      const at = row * total.columns + column;
      total.data[at] += seen.data[at];
      counts[at]++;
    }
  }
}

function mean({ rows, columns, data }: Plane, counts: Float32Array): Plane {
  return { rows, columns, data: data.map((value, i) => value / counts[i]) };
}

/** A copy in which the regions that are not meant are scaled below the threshold. */
function onlyMeant({ rows, columns, data }: Plane, marks: Marks, threshold: number): Plane {
  const found: Plane = { rows, columns, data: data.slice() };
  const limit = Math.fround(threshold);
  const regions = connectedRegions(rows, columns, (i) => data[i] >= limit);
  if (!regions.count) return found;
  const kept = meant(regions, marks, rows, columns);
  const below = Math.fround(0.5 * threshold);
  regions.labels.forEach((label, i) => {
    if (label && !kept[label - 1]) found.data[i] *= below;
  });
  return found;
}

/** Believe the reader's box: scale a map up where it says that most of the box is no lesion. */
function fillBox(map: Plane, maps: Float32Array, threshold: number): void {
  const inBox = map.data.filter((_, i) => maps[i] > 0).sort();
  if (!inBox.length) return;
  const place = (1 - FILLED) * (inBox.length - 1);
  const below = Math.floor(place);
  const above = Math.min(below + 1, inBox.length - 1);
  const level = inBox[below] + (inBox[above] - inBox[below]) * (place - below);
  if (level >= threshold) return;
  const factor = Math.fround(threshold / Math.max(level, SILENT));
  map.data.forEach((value, i) => {
    map.data[i] = Math.min(1, value * factor);
  });
}

/** The box, the points inside and the points outside, as the network sees them. */
function promptMaps(marks: Marks, place: Placement, disc: number): Float32Array {
  const [rows, columns] = place.size;
  const area = rows * columns;
  const maps = new Float32Array(3 * area);
  if (marks.given) {
    const [top, left] = pointForward(marks.given[0], marks.given[1], place);
    const [bottom, right] = pointForward(marks.given[2], marks.given[3], place);
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const isIn = row + 0.5 >= top && row + 0.5 < bottom && column + 0.5 >= left && column + 0.5 < right;
        if (isIn) maps[row * columns + column] = 1;
      }
    }
  }
  [marks.inside, marks.outside].forEach((points, which) => {
    for (const point of points) {
      const [y, x] = pointForward(point[0] + 0.5, point[1] + 0.5, place);
      for (let row = 0; row < rows; row++) {
        for (let column = 0; column < columns; column++) {
          const away = ((row + 0.5 - y) / rows) ** 2 + ((column + 0.5 - x) / columns) ** 2;
          if (away <= disc ** 2) maps[(1 + which) * area + row * columns + column] = 1;
        }
      }
    }
  });
  return maps;
}

/** Which regions a prompt means: those with a point inside, else the one with most of the box, else one near. */
function meant(regions: Regions, marks: Marks, rows: number, columns: number): boolean[] {
  const kept = regions.sizes.map(() => false);
  for (const [row, column] of marks.inside) {
    const label = regions.labels[row * columns + column];
    if (label) kept[label - 1] = true;
  }
  if (kept.includes(true)) return kept;
  if (marks.box) {
    const counts = regions.sizes.map(() => 0);
    for (let row = marks.box[0]; row < marks.box[2]; row++) {
      for (let column = marks.box[1]; column < marks.box[3]; column++) {
        const label = regions.labels[row * columns + column];
        if (label) counts[label - 1]++;
      }
    }
    const most = Math.max(...counts);
    kept[counts.indexOf(most)] = most > 0;
    return kept;
  }
  const [first] = marks.inside;
  let [nearest, label] = [Infinity, 0];
  regions.labels.forEach((value, i) => {
    if (!value) return;
    const row = Math.floor(i / columns);
    const away = Math.hypot(row - first[0], i - row * columns - first[1]);
    if (away < nearest) [nearest, label] = [away, value];
  });
  kept[label - 1] = nearest <= NEAR * Math.max(rows, columns);
  return kept;
}

/** The frame around a box: a multiple of its sides, each counted as at least half of the other. */
function frameAround(box: Box, times: number, whole: Box): Box {
  const [height, width] = boxShape(box);
  const half = [Math.max(height, width / 2), Math.max(width, height / 2)].map((side) => (times * side) / 2);
  const middle = [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2];
  const frame: Box = [
    Math.floor(middle[0] - half[0]),
    Math.floor(middle[1] - half[1]),
    Math.ceil(middle[0] + half[0]),
    Math.ceil(middle[1] + half[1]),
  ];
  return intersection(frame, whole) ?? whole;
}

/** Around what is lesion, or around the first point where nothing is, and around all points inside. */
function boxToLookAt({ rows, columns, data }: Plane, limit: number, inside: Points): Box {
  let [top, left, bottom, right] = [rows, columns, 0, 0];
  const include = (box: Box): void => {
    top = Math.min(top, box[0]);
    left = Math.min(left, box[1]);
    bottom = Math.max(bottom, box[2]);
    right = Math.max(right, box[3]);
  };
  data.forEach((value, i) => {
    const row = Math.floor(i / columns);
    const column = i - row * columns;
    if (value >= limit) include([row, column, row + 1, column + 1]);
  });
  if (bottom === 0) {
    const high = Math.max(1, roundEven(BLIND * rows));
    const wide = Math.max(1, roundEven(BLIND * columns));
    const [row, column] = inside[0];
    const around: Box = [row - high, column - wide, row + high + 1, column + wide + 1];
    include(intersection(around, [0, 0, rows, columns]) ?? [0, 0, rows, columns]);
  }
  for (const [row, column] of inside) include([row, column, row + 1, column + 1]);
  return [top, left, bottom, right];
}

/** @throws EngineError kind "input": the prompt does not fit the image. */
export function marksOf(prompt: Prompt, rows: number, columns: number): Marks {
  const allowed = `within an image of ${rows} rows and ${columns} columns`;
  const box = prompt.box ? intersection(prompt.box, [0, 0, rows, columns]) : null;
  if (prompt.box && !box) throw new EngineError("input", `box ${prompt.box.join(", ")}`, allowed);
  const marked = new Uint8Array(rows * columns);
  const mark = (at: number, kind: number): void => {
    if (marked[at] && marked[at] !== kind) {
      throw new EngineError("input", "a pixel called lesion and background", "one of them");
    }
    marked[at] = kind;
  };
  for (const [points, kind] of [
    [prompt.inside ?? [], INSIDE],
    [prompt.outside ?? [], OUTSIDE],
  ] as const) {
    for (const [row, column] of points) {
      const fits = Number.isInteger(row) && Number.isInteger(column) && row >= 0 && column >= 0;
      if (!fits || row >= rows || column >= columns) {
        throw new EngineError("input", `point (${row}, ${column})`, allowed);
      }
      mark(row * columns + column, kind);
    }
  }
  const { scribble } = prompt;
  if (scribble && scribble.length !== rows * columns) {
    throw new EngineError("input", `a scribble of ${scribble.length} pixels`, `${rows * columns}`);
  }
  scribble?.forEach((kind, at) => {
    if (kind === INSIDE || kind === OUTSIDE) mark(at, kind);
  });
  return {
    box,
    given: prompt.box,
    inside: [...(prompt.inside ?? []), ...strokes(scribble, INSIDE, columns)],
    outside: [...(prompt.outside ?? []), ...strokes(scribble, OUTSIDE, columns)],
    marked,
  };
}

/** Some of the pixels of a scribble, evenly spread. */
function strokes(scribble: Uint8Array | undefined, kind: number, columns: number): Points {
  const pixels: number[] = [];
  scribble?.forEach((value, at) => {
    if (value === kind) pixels.push(at);
  });
  const count = Math.min(pixels.length, STROKES);
  const step = count > 1 ? (pixels.length - 1) / (count - 1) : 0;
  const chosen = new Set<number>();
  for (let i = 0; i < count; i++) chosen.add(i === count - 1 && i > 0 ? pixels.length - 1 : Math.floor(i * step));
  return [...chosen].map((index) => {
    const row = Math.floor(pixels[index] / columns);
    return [row, pixels[index] - row * columns] as const;
  });
}
