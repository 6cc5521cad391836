/** How far a lesion lies from the skin, in the plane of the image: the rule of `breastseg.measure.skin`. */
import { lengthBetween, type Diameter, type Steps } from "./diameters";
import type { Mask, Point } from "./mask";
import type { Region } from "./regions";

/** The skin: pixels that were found in the image, or a straight line that a person has laid, which goes on beyond its ends. */
export type Skin = { readonly pixels: readonly Point[] } | { readonly line: readonly [Point, Point] };

/** The outermost pixels of the breast: those with a side towards what is not breast. The image's border is no skin. */
export function skinOf({ rows, columns, data }: Mask): Skin | null {
  const pixels: Point[] = [];
  const dark = (row: number, column: number): boolean => row >= 0 && column >= 0 && row < rows && column < columns && data[row * columns + column] === 0;
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      if (data[row * columns + column] === 0) continue;
      if (dark(row - 1, column) || dark(row + 1, column) || dark(row, column - 1) || dark(row, column + 1)) pixels.push({ row, column });
    }
  }
  return pixels.length === 0 ? null : { pixels };
}

/** The shortest line between a lesion and the skin, between centres of pixels; of length 0 where the lesion reaches it. */
export function toSkin(region: Region, skin: Skin, steps: Steps): Diameter {
  let best: Diameter | null = null;
  let side = 0;
  for (const from of edgeOf(region)) {
    const to = "line" in skin ? footOn(skin.line, from, steps) : nearest(skin.pixels, from, steps);
    const length = lengthBetween(from, to.at, steps);
    // A lesion on both sides of a line crosses it.
    if (side !== 0 && to.side !== 0 && to.side !== side) return { length: 0, ends: [from, from] };
    side = to.side === 0 ? side : to.side;
    if (best === null || length < best.length) best = { length, ends: [from, to.at] };
  }
  if (best === null) throw new Error("An empty region. Expected: at least one pixel.");
  return best;
}

/** Pixels of a region with a side towards what is not region: one of them is nearest to anything outside. */
function edgeOf({ box, crop }: Region): Point[] {
  const { rows, columns, data } = crop;
  const clear = (row: number, column: number): boolean => row < 0 || column < 0 || row >= rows || column >= columns || data[row * columns + column] === 0;
  const found: Point[] = [];
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      if (data[row * columns + column] === 0) continue;
      if (clear(row - 1, column) || clear(row + 1, column) || clear(row, column - 1) || clear(row, column + 1)) found.push({ row: row + box.row0, column: column + box.column0 });
    }
  }
  return found;
}

function nearest(pixels: readonly Point[], from: Point, steps: Steps): { at: Point; side: 0 } {
  let [best, at] = [Infinity, pixels[0]];
  for (const pixel of pixels) {
    const squared = ((pixel.row - from.row) * steps[0]) ** 2 + ((pixel.column - from.column) * steps[1]) ** 2;
    if (squared < best) [best, at] = [squared, pixel];
  }
  return { at, side: 0 };
}

/** The foot of the perpendicular on a line, and on which side of it the point lies. */
function footOn([a, b]: readonly [Point, Point], from: Point, steps: Steps): { at: Point; side: number } {
  const along = [(b.row - a.row) * steps[0], (b.column - a.column) * steps[1]];
  const to = [(from.row - a.row) * steps[0], (from.column - a.column) * steps[1]];
  const share = (along[0] * to[0] + along[1] * to[1]) / (along[0] ** 2 + along[1] ** 2);
  const side = Math.sign(along[0] * to[1] - along[1] * to[0]);
  return { at: { row: a.row + share * (b.row - a.row), column: a.column + share * (b.column - a.column) }, side };
}
