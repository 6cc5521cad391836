/** One volume through a bundle: "Volumes" in docs/reference/bundle.md, what Python's volume segmenter does. */
import type { VolumeLesion, VolumeSegmentation } from "./api";
import type { Bundle, VolumeSpec } from "./bundle";
import { EngineError } from "./errors";
import { networkMaps, type Network } from "./map";
import { reject } from "./operating-point";
import { ordered, turnTo, undone, viewOf } from "./orientation";
import { prepareVolume, resample, workingShape } from "./prepare-volume";
import { volumeProvenanceOf, volumeStepsOf } from "./provenance";
import { connectedVolumeRegions } from "./regions";
import { checkModality, checkThreshold } from "./segment";
import { slidingWindow } from "./sliding-window";
import { stepsOf, voxelsOf, type Sides, type Volume } from "./volume";

/** What a run may take beside the network, the volume itself included. */
const MOST_BYTES = 2 ** 31;

/**
 * Outline the lesions of one volume.
 *
 * @param onFraction told before each patch, 0 to 1; what it throws ends the run.
 * @throws EngineError kind "input": another modality than the bundle's, an unknown spacing, too few phases, a threshold
 * that is none; kind "unsupported": an image's network, or more memory than a browser has; kind "bundle": the network fails.
 */
export async function segmentVolume(
  network: Network,
  bundle: Bundle,
  volume: Volume,
  threshold = bundle.output.threshold,
  onFraction: (fraction: number) => void = () => undefined,
): Promise<VolumeSegmentation> {
  const spec = check(bundle, volume, threshold);
  const turn = turnTo(volume.direction, spec.orientation);
  const view = viewOf(volume.shape, turn);
  const shape = workingShape(view.shape, ordered(stepsOf(volume), turn.axes), spec);
  checkMemory(volume, shape, spec);
  const output = { ...bundle.output, threshold };
  const [slices, rows, columns] = spec.patch;
  const prepared = prepareVolume(volume.phases, view, shape, spec);
  const found = await slidingWindow(
    prepared,
    shape,
    async (patch) => (await networkMaps(network, patch, [slices * rows, columns], output))[0].data,
    spec.patch,
    spec.overlap,
    onFraction,
  );
  const turned = new Float32Array(voxelsOf(view.shape));
  const whole = { shape, start: 0, steps: [shape[1] * shape[2], shape[2], 1] } as const;
  resample(found, whole, view.shape, turned);
  for (let i = 0; i < turned.length; i++) turned[i] = Math.min(Math.max(turned[i], 0), 1);
  const limit = Math.fround(threshold);
  const regions = connectedVolumeRegions(view.shape, (i) => turned[i] >= limit);
  reject(turned, regions, output, spec.minVolumeMm3 / voxelsOf(stepsOf(volume)));
  const probability = undone(turned, view);
  return {
    shape: volume.shape,
    probability,
    mask: Uint8Array.from(probability, (value) => (value >= limit ? 1 : 0)),
    lesions: lesionsOf(probability, volume, limit),
    threshold,
    remarks: volume.remarks,
    provenance: volumeProvenanceOf(bundle, spec, threshold),
    steps: volumeStepsOf(bundle, spec, volume, shape, threshold),
  };
}

/** The largest first. */
function lesionsOf(probability: Float32Array, volume: Volume, limit: number): VolumeLesion[] {
  const { labels, sizes, boxes } = connectedVolumeRegions(volume.shape, (i) => probability[i] >= limit);
  const sums = sizes.map(() => 0);
  const most = sizes.map(() => 0);
  for (let i = 0; i < labels.length; i++) {
    if (!labels[i]) continue;
    sums[labels[i] - 1] += probability[i];
    most[labels[i] - 1] = Math.max(most[labels[i] - 1], probability[i]);
  }
  const order = sizes.map((_, k) => k).sort((a, b) => sizes[b] - sizes[a] || a - b);
  return order.map((k, index) => ({
    number: index + 1,
    box: boxes[k],
    voxels: sizes[k],
    volumeMm3: volume.spacingMm ? sizes[k] * voxelsOf(volume.spacingMm) : null,
    meanProbability: sums[k] / sizes[k],
    maxProbability: most[k],
  }));
}

function check(bundle: Bundle, volume: Volume, threshold: number): VolumeSpec {
  if (!bundle.volume) {
    throw new EngineError("unsupported", `a volume for "${bundle.name}"`, "an image: its network looks at images", "choose a bundle for volumes");
  }
  checkModality(bundle, volume);
  checkThreshold(threshold);
  if (!volume.spacingMm) {
    throw new EngineError(
      "input",
      `${volume.source}: the spacing of its voxels is unknown`,
      "spacing in millimetres along each axis",
      "convert it again from the DICOM series, which states it",
    );
  }
  const { channels } = bundle.volume;
  if (volume.phases.length < channels) {
    throw new EngineError(
      "input",
      `${volume.source}: ${volume.phases.length} phase${volume.phases.length > 1 ? "s" : ""}`,
      `at least ${channels}: the phase before contrast and then those after it`,
      "open the series of all phases together",
    );
  }
  return bundle.volume;
}

function checkMemory({ phases, shape, source }: Volume, worked: Sides, { channels }: VolumeSpec): void {
  const given = phases.reduce((sum, { byteLength }) => sum + byteLength, 0);
  // The channels and the map at the network's spacing, then maps, regions and the mask on the volume's own grid.
  const needed = given + 4 * (channels + 1) * voxelsOf(worked) + 13 * voxelsOf(shape);
  if (needed <= MOST_BYTES) return;
  throw new EngineError(
    "unsupported",
    `${source}: ${shape.join(" x ")} voxels, and the maps of them, take about ${(needed / 2 ** 30).toFixed(1)} GiB of memory`,
    `at most ${MOST_BYTES / 2 ** 30} GiB on the device`,
    "segment it with the server",
  );
}
