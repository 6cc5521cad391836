/** What produced a result, in the words of Python's ONNX segmenter. */
import type { Prompt } from "./api";
import type { Bundle, VolumeSpec } from "./bundle";
import type { SegmenterRecord } from "./generated/results";
import type { Image } from "./image";
import type { Sides, Volume } from "./volume";

export function provenanceOf(bundle: Bundle, threshold: number): SegmenterRecord {
  const { input } = bundle;
  return {
    segmenter: bundle.name,
    version: bundle.version,
    parameters: {
      input_rows: input.size[0],
      input_columns: input.size[1],
      intensity: input.intensity,
      fit: input.fit,
      region: input.region,
      ...operatingPoint(bundle, threshold),
    },
    weights_sha256: bundle.weightsSha256,
  };
}

function operatingPoint({ output }: Bundle, threshold: number): SegmenterRecord["parameters"] {
  return {
    threshold,
    min_score: output.minScore,
    min_area_fraction: output.minAreaFraction,
    largest_only: output.largestOnly,
    flip_average: output.flipAverage,
    temperature: output.temperature,
  };
}

/** The same of a volume. */
export function volumeProvenanceOf(bundle: Bundle, spec: VolumeSpec, threshold: number): SegmenterRecord {
  return {
    segmenter: bundle.name,
    version: bundle.version,
    parameters: {
      patch: spec.patch.join("x"),
      spacing_mm: spec.spacingMm.join("x"),
      channels: spec.channels,
      orientation: spec.orientation,
      intensity: spec.intensity,
      overlap: spec.overlap,
      min_volume_mm3: spec.minVolumeMm3,
      ...operatingPoint(bundle, threshold),
    },
    weights_sha256: bundle.weightsSha256,
  };
}

export function volumeStepsOf(bundle: Bundle, spec: VolumeSpec, volume: Volume, worked: Sides, threshold: number): string[] {
  const { output } = bundle;
  const given = volume.shape.join("x");
  const [low, high] = spec.percentiles;
  const said: (string | false)[] = [
    volume.phases.length > spec.channels && `of ${volume.phases.length} phases the first ${spec.channels}`,
    `axes brought to the orientation ${spec.orientation}, and the result back`,
    `grey levels scaled by percentiles ${low} and ${high} of the ${spec.intensity === "first-channel" ? "first channel" : "channel itself"}`,
    `${given} voxels brought to ${worked.join("x")} of ${spec.spacingMm.join("x")} mm`,
    `network in overlapping patches of ${spec.patch.join("x")}: ${bundle.network}`,
    output.temperature !== 1 && `logits divided by ${output.temperature}`,
    output.flipAverage && "averaged with the prediction for the flipped volume",
    `brought back to ${given} voxels, outlined at ${threshold}`,
    output.minScore > threshold && `regions with a score below ${output.minScore} dropped`,
    output.minAreaFraction > 0 && `regions below ${output.minAreaFraction} of the volume dropped`,
    spec.minVolumeMm3 > 0 && `regions below ${spec.minVolumeMm3} cubic millimetres dropped`,
    output.largestOnly && "only the largest region kept",
  ];
  return said.filter((step) => step !== false);
}

/** What was done, in order. */
export function stepsOf(bundle: Bundle, image: Image, threshold: number, prompt?: Prompt): string[] {
  const { input, output } = bundle;
  const shape = `${image.rows}x${image.columns}`;
  const said: (string | false)[] = [
    image.channels === 3 && !input.colour && "colour to luminance",
    input.colour
      ? "red, green and blue on their full range"
      : "grey levels stretched to the image's own minimum and maximum",
    input.region === "breast" && "box around the breast, chest wall to the left",
    `${shape} pixels brought to ${input.size.join("x")} (${input.fit})`,
    `intensity scale ${input.intensity}`,
    `network: ${bundle.network}`,
    output.temperature !== 1 && `logits divided by ${output.temperature}`,
    output.flipAverage && "averaged with the prediction for the flipped image",
    output.minScore > threshold && `regions with a score below ${output.minScore} dropped`,
    output.minAreaFraction > 0 && `regions below ${output.minAreaFraction} of the image dropped`,
    output.largestOnly && "only the largest region kept",
    `brought back to ${shape} pixels, outlined at ${threshold}`,
    bundle.labels.length > 1 && `classes: ${bundle.labels.join(", ")}`,
    bundle.malignancy !== null &&
      `malignancy scaled by slope ${bundle.malignancy.slope}, intercept ${bundle.malignancy.intercept}`,
    prompt !== undefined && `asked with a ${described(prompt)}`,
  ];
  return said.filter((step) => step !== false);
}

function described({ box, inside, outside, scribble }: Prompt): string {
  const parts = [
    box && `box (${box.join(", ")})`,
    inside?.length && `${inside.length} points inside`,
    outside?.length && `${outside.length} points outside`,
    scribble && "a scribble",
  ];
  return `prompt: ${parts.filter(Boolean).join(", ")}`;
}
