/** "A scale in micrometres" of docs/reference/bundle.md. */
import type { Bundle } from "./bundle";
import { EngineError } from "./errors";
import type { Image } from "./image";

/** Of the micrometres a pixel that the network sees from those that it was made for. */
const LARGEST_DEVIATION = 0.1;

/**
 * Refuse an image that the network would see at another scale than it was made for.
 *
 * @throws EngineError kind "input".
 */
export function checkScale(image: Image, { name, input }: Bundle): void {
  const wanted = input.umPerPx;
  if (wanted === null) return;
  let steps = [image.rows / input.size[0], image.columns / input.size[1]];
  if (input.fit === "pad") steps = steps.map(() => Math.max(...steps));
  const spacing = image.spacingMm;
  const fits = spacing
    ? steps.every((step, axis) => Math.abs((1000 * spacing[axis] * step) / wanted - 1) <= LARGEST_DEVIATION)
    : steps.every((step) => step === 1);
  if (fits) return;
  const shown = spacing
    ? `shows ${[image.rows * spacing[0], image.columns * spacing[1]].map((mm) => (1000 * mm).toPrecision(4)).join(" x ")} micrometres`
    : `${image.rows} x ${image.columns} pixels of unknown size`;
  throw new EngineError(
    "input",
    `${image.source}: ${shown}`,
    `${input.size.map((side) => side * wanted).join(" x ")} micrometres, at which "${name}" sees ${wanted} a pixel`,
    "cut a part of that size out of the slide",
  );
}
