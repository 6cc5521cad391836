/** "From an image to the network" of docs/reference/bundle.md. */
import { breastBox } from "./breast";
import type { InputSpec } from "./bundle";
import type { Image } from "./image";
import { colourUnit, greyUnit, rescale } from "./intensity";
import { forward, placementOf, type Placement } from "./placement";

export interface Prepared {
  /** (channels, rows, columns) of the network's input. */
  readonly input: Float32Array;
  readonly placement: Placement;
}

export function prepare(image: Image, spec: InputSpec): Prepared {
  const source = [image.rows, image.columns] as const;
  const units = spec.colour ? colourUnit(image) : [greyUnit(image)];
  const { box, mirrored } =
    spec.region === "breast" ? breastBox(units[0]) : { box: undefined, mirrored: false };
  const placement = placementOf(source, spec, box, mirrored);
  const area = spec.size[0] * spec.size[1];
  const scaled = new Float32Array(units.length * area);
  units.forEach((unit, channel) => {
    scaled.set(forward(unit, placement, spec.colour ? 1 : 0).data, channel * area);
  });
  rescale(scaled, spec.intensity);
  return { input: spec.colour ? scaled : repeated(scaled, spec.channels), placement };
}

/** A grey plane, so many times. */
export function repeated(grey: Float32Array, channels: number): Float32Array {
  const result = new Float32Array(channels * grey.length);
  for (let channel = 0; channel < channels; channel++) result.set(grey, channel * grey.length);
  return result;
}
