/** Where an image, or a box of it, lies in a network's input. */
import { boxShape, type Box } from "./box";
import type { InputSpec } from "./bundle";
import { roundEven } from "./numbers";
import { mirrored, plane, type Plane } from "./plane";
import { resize } from "./resize";

export interface Placement {
  /** Of the image. */
  readonly source: readonly [rows: number, columns: number];
  /** Of the network's input. */
  readonly size: readonly [rows: number, columns: number];
  /** The part of the input that the image covers. */
  readonly inner: Box;
  /** The part of the image that the network sees. */
  readonly box: Box;
  /** Whether it sees left and right of the box exchanged. */
  readonly mirrored: boolean;
}

export function placementOf(
  source: readonly [number, number],
  spec: InputSpec,
  box: Box = [0, 0, ...source],
  flipped = false,
): Placement {
  const [rows, columns] = spec.size;
  const [height, width] = boxShape(box);
  let [h, w] = [rows, columns];
  if (spec.fit === "pad") {
    const scale = Math.min(rows / height, columns / width);
    h = Math.min(rows, Math.max(1, roundEven(height * scale)));
    w = Math.min(columns, Math.max(1, roundEven(width * scale)));
  }
  const top = Math.floor((rows - h) / 2);
  const left = Math.floor((columns - w) / 2);
  return { source, size: spec.size, inner: [top, left, top + h, left + w], box, mirrored: flipped };
}

/** Bring a plane of the image to the network's size, with `fill` around it. */
export function forward(image: Plane, { box, inner, size, mirrored: flipped }: Placement, fill: number): Plane {
  const cut = crop(image, box);
  const result = plane(...size);
  result.data.fill(fill);
  paste(resize(flipped ? mirrored(cut) : cut, ...boxShape(inner)), result, inner);
  return result;
}

/** Bring a plane of the inner part back to the image: 0 outside the box, clipped to 0 to 1. */
export function backward(inner: Plane, { box, source, mirrored: flipped }: Placement): Plane {
  const seen = resize(inner, ...boxShape(box));
  const result = plane(...source);
  paste(flipped ? mirrored(seen) : seen, result, box);
  for (let i = 0; i < result.data.length; i++) {
    result.data[i] = Math.min(Math.max(result.data[i], 0), 1);
  }
  return result;
}

/** A place in the image, in pixels whose first has its centre at 0.5, as a place in the input. */
export function pointForward(row: number, column: number, place: Placement): [number, number] {
  const [height, width] = boxShape(place.box);
  const [rows, columns] = boxShape(place.inner);
  const across = place.mirrored ? width - (column - place.box[1]) : column - place.box[1];
  return [
    place.inner[0] + ((row - place.box[0]) * rows) / height,
    place.inner[1] + (across * columns) / width,
  ];
}

/** A place in the inner part as a place in the image. */
export function pointBack(row: number, column: number, place: Placement): [number, number] {
  const [height, width] = boxShape(place.box);
  const [rows, columns] = boxShape(place.inner);
  const across = (column * width) / columns;
  return [
    place.box[0] + (row * height) / rows,
    place.box[1] + (place.mirrored ? width - across : across),
  ];
}

/** A copy of a part; the plane itself where that is all of it. */
export function crop(image: Plane, box: Box): Plane {
  const [rows, columns] = boxShape(box);
  if (rows === image.rows && columns === image.columns) return image;
  const result = plane(rows, columns);
  for (let row = 0; row < rows; row++) {
    const from = (box[0] + row) * image.columns + box[1];
    result.data.set(image.data.subarray(from, from + columns), row * columns);
  }
  return result;
}

function paste(part: Plane, into: Plane, box: Box): void {
  for (let row = 0; row < part.rows; row++) {
    const line = part.data.subarray(row * part.columns, (row + 1) * part.columns);
    into.data.set(line, (box[0] + row) * into.columns + box[1]);
  }
}
