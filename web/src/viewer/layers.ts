/** Pictures at the image's own resolution, which the scene puts on the screen: the image, its probability, its mask. */
import type { Frame } from "../backend/backend";
import { clipped, isEmptyBox, whole, type Box, type Mask } from "../mask/mask";
import { shadeOf, type Window } from "../state/window";

export type Rgb = readonly [number, number, number];

/** Stops of the heat map from a probability of 0 to 1, dark to light so that it can be read without colour. */
const HEAT: readonly Rgb[] = [
  [20, 11, 53],
  [86, 16, 110],
  [163, 44, 96],
  [221, 81, 58],
  [252, 165, 10],
  [252, 255, 164],
];

export function sized(canvas: HTMLCanvasElement, rows: number, columns: number): CanvasRenderingContext2D {
  if (canvas.width !== columns || canvas.height !== rows) {
    canvas.width = columns;
    canvas.height = rows;
  }
  const context = canvas.getContext("2d", { willReadFrequently: false });
  if (context === null) throw new Error("The browser gave no canvas. Expected: one with a 2D context. Try: another browser.");
  return context;
}

/** Paints the image through its window. */
export function paintImage(canvas: HTMLCanvasElement, frame: Frame, window: Window): void {
  const { rows, columns, values, channels } = frame;
  const context = sized(canvas, rows, columns);
  const picture = context.createImageData(columns, rows);
  const pixels = new Uint32Array(picture.data.buffer);
  const shade = shadeOf(window);
  const size = rows * columns;
  for (let at = 0; at < size; at += 1) {
    const red = shade(values[at]) & 255;
    const green = channels === 3 ? shade(values[size + at]) & 255 : red;
    const blue = channels === 3 ? shade(values[2 * size + at]) & 255 : red;
    pixels[at] = 0xff000000 | (blue << 16) | (green << 8) | red;
  }
  context.putImageData(picture, 0, 0);
}

/** Paints the probability; what is close to 0 stays clear. */
export function paintHeat(canvas: HTMLCanvasElement, probability: Float32Array, rows: number, columns: number): void {
  const context = sized(canvas, rows, columns);
  const picture = context.createImageData(columns, rows);
  const pixels = new Uint32Array(picture.data.buffer);
  const table = Uint32Array.from({ length: 256 }, (_, index) => heatColour(index / 255));
  for (let at = 0; at < probability.length; at += 1) pixels[at] = table[Math.round(probability[at] * 255)];
  context.putImageData(picture, 0, 0);
}

export function heatColour(probability: number): number {
  const place = probability * (HEAT.length - 1);
  const below = Math.min(HEAT.length - 2, Math.floor(place));
  const [a, b] = [HEAT[below], HEAT[below + 1]];
  const mix = (channel: 0 | 1 | 2): number => Math.round(a[channel] + (b[channel] - a[channel]) * (place - below));
  const alpha = Math.round(255 * Math.min(1, probability / 0.15));
  return ((alpha << 24) | (mix(2) << 16) | (mix(1) << 8) | mix(0)) >>> 0;
}

/** Fills the mask with one colour, or only its part within a box, which is all that a brush event changes. */
export function paintMask(canvas: HTMLCanvasElement, mask: Mask, colour: Rgb, within?: Box): void {
  const context = sized(canvas, mask.rows, mask.columns);
  const box = within === undefined ? whole(mask) : clipped(within, mask.rows, mask.columns);
  if (isEmptyBox(box)) return;
  const [height, width] = [box.row1 - box.row0, box.column1 - box.column0];
  const picture = context.createImageData(width, height);
  const pixels = new Uint32Array(picture.data.buffer);
  const value = (0xff000000 | (colour[2] << 16) | (colour[1] << 8) | colour[0]) >>> 0;
  for (let row = 0; row < height; row += 1) {
    const from = (box.row0 + row) * mask.columns + box.column0;
    for (let column = 0; column < width; column += 1) {
      if (mask.data[from + column] === 1) pixels[row * width + column] = value;
    }
  }
  context.putImageData(picture, box.column0, box.row0);
}
