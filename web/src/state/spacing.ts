/** The pixel spacing at a lesion. */
import type { ImageInfo } from "../backend/backend";
import type { Steps } from "../mask/diameters";
import type { Box, Point } from "../mask/mask";
import type { Region } from "../mask/regions";

/** The share of a lesion's pixels that lie in the part whose scale it has, as in Python. */
const INSIDE = 0.95;

/** The spacing where a lesion lies: of parts with scales of their own, that of the smallest that holds it. */
export function spacingOf(image: ImageInfo, region: Region): Steps | null {
  if (image.spacingFrom === "user" || image.parts.length === 0) return image.spacingMm;
  const holding = bySize(image.parts).find(({ box }) => pixelsIn(region, box) >= INSIDE * region.pixels);
  return holding?.spacingMm ?? null;
}

/** The spacing of a line: that of the smallest part that holds both ends, where parts have scales of their own. */
export function spacingBetween(image: ImageInfo, ...ends: readonly Point[]): Steps | null {
  if (image.spacingFrom === "user" || image.parts.length === 0) return image.spacingMm;
  const holds = ({ row0, column0, row1, column1 }: Box): boolean =>
    ends.every(({ row, column }) => row >= row0 - 0.5 && row <= row1 - 0.5 && column >= column0 - 0.5 && column <= column1 - 0.5);
  return bySize(image.parts).find(({ box }) => holds(box))?.spacingMm ?? null;
}

/** The spacing that holds for every part of an image, such as a scale bar needs; null where there is none. */
export function spacingOfAll(image: ImageInfo): Steps | null {
  if (image.spacingFrom === "user" || image.parts.length === 0) return image.spacingMm;
  const [first, ...others] = image.parts.map(({ spacingMm }) => spacingMm);
  return first !== null && others.every((one) => one?.[0] === first[0] && one[1] === first[1]) ? first : null;
}

function bySize(parts: ImageInfo["parts"]): ImageInfo["parts"] {
  const area = ({ box }: { box: Box }): number => (box.row1 - box.row0) * (box.column1 - box.column0);
  return [...parts].sort((a, b) => area(a) - area(b));
}

function pixelsIn(region: Region, box: Box): number {
  let count = 0;
  for (let row = 0; row < region.crop.rows; row += 1) {
    const r = row + region.box.row0;
    if (r < box.row0 || r >= box.row1) continue;
    for (let column = 0; column < region.crop.columns; column += 1) {
      const c = column + region.box.column0;
      if (c >= box.column0 && c < box.column1) count += region.crop.data[row * region.crop.columns + column];
    }
  }
  return count;
}
