/** The pixel spacing at a lesion. */
import type { ImageInfo } from "../backend/backend";
import type { Steps } from "../mask/diameters";
import type { Box } from "../mask/mask";
import type { Region } from "../mask/regions";

/** The share of a lesion's pixels that lie in the part whose scale it has, as in Python. */
const INSIDE = 0.95;

/** The spacing where a lesion lies: of parts with scales of their own, that of the smallest that holds it. */
export function spacingOf(image: ImageInfo, region: Region): Steps | null {
  if (image.spacingFrom === "user" || image.parts.length === 0) return image.spacingMm;
  const area = ({ box }: { box: Box }): number => (box.row1 - box.row0) * (box.column1 - box.column0);
  const bySize = [...image.parts].sort((a, b) => area(a) - area(b));
  const holding = bySize.find(({ box }) => pixelsIn(region, box) >= INSIDE * region.pixels);
  return holding?.spacingMm ?? null;
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
