/** Segmenting in the browser by the engine: no image leaves the device. */
import { createEngine, type Engine, type Image, type OpenBundle, type Volume } from "../../engine";
import type { Backend, Frame, ImageInfo, Method, Outcome, Progress, Prompt, Request, Scan } from "./backend";
import { Told } from "./backend";
import { boundsOfValues } from "./values";

const CLASSICAL = "polar-path";

/** Says which scans were opened here. */
export const ON_DEVICE = "device-";

/** The frames of a loop, or a volume. */
type Opened = readonly Image[] | Volume;

export class Device implements Backend {
  readonly place = "device";
  private readonly engine: Engine = createEngine();
  private readonly images = new Map<string, readonly Opened[]>();
  private readonly bundles = new Map<string, Promise<OpenBundle>>();
  private opened = 0;

  /** @param known the methods of the service, which the app keeps for when the network is off. */
  constructor(private readonly known: () => Promise<readonly Method[]>) {}

  /** Bundles, and the one classical method that the engine has, with its defaults. */
  async methods(): Promise<readonly Method[]> {
    const known = await this.known();
    const classical = known.filter(({ name }) => name === CLASSICAL).map((one) => ({ ...one, parameters: [] }));
    return [...known.filter(({ kind }) => kind === "network"), ...classical];
  }

  async open(files: readonly File[], progress: Progress): Promise<Scan> {
    const found = await this.engine.decodeVolumes(files, { onProgress: ({ fraction }) => { progress(fraction ?? 0, "Reading"); } });
    const images: Opened[] = [...found.volumes];
    const problems = [...found.problems];
    for (const [step, index] of found.others.entries()) {
      const file = files[index];
      progress(step / found.others.length, "Reading");
      try {
        images.push(...loops(await this.engine.decode(file)));
      } catch (error) {
        problems.push({ name: file.name, message: error instanceof Error ? error.message : String(error) });
      }
    }
    if (images.length === 0) throw new Told(problems.at(0)?.message ?? "No image was found.");
    this.opened += 1;
    const id = `${ON_DEVICE}${this.opened}`;
    this.images.set(id, images);
    const infos = images.map((one) => (isVolume(one) ? infoOfVolume(one) : infoOf(one)));
    return { id, name: infos[0].name, createdAt: new Date().toISOString(), images: infos, problems };
  }

  frame(scan: Scan, image: number, frame: number, phase: number): Promise<Frame> {
    const { rows, columns, channels, data } = this.image(scan, image, frame, phase);
    return Promise.resolve({ rows, columns, channels, values: data });
  }

  /** A failure is told when the method is asked. */
  prepare(method: string): void {
    if (method !== CLASSICAL) this.bundle(method).catch(() => undefined);
  }

  async segment(scan: Scan, image: number, request: Request, progress: Progress, signal: AbortSignal): Promise<Outcome> {
    const started = performance.now();
    if (request.method === CLASSICAL) return this.outline(scan, image, request, signal);
    progress(0, "Loading the bundle");
    const bundle = await this.bundle(request.method);
    const held = this.held(scan, image);
    if (isVolume(held) && bundle.bundle.volume !== null) return this.segmentVolume(bundle, held, request, progress, signal);
    const frames = request.frame === null ? scan.images[image].frames : 1;
    const probability = new Map<number, Float32Array>();
    let last: Awaited<ReturnType<OpenBundle["segment"]>> | null = null;
    for (let step = 0; step < frames; step += 1) {
      const frame = request.frame ?? step;
      last = await bundle.segment(this.image(scan, image, frame, request.phase), { signal, ...(request.prompt === null ? {} : { prompt: promptOf(request.prompt) }) });
      probability.set(frame, last.probability);
      progress((step + 1) / frames, "Segmenting on this device");
    }
    return {
      id: null,
      method: request.method,
      parameters: request.parameters,
      version: last?.provenance.version ?? "",
      threshold: last?.threshold ?? 0.5,
      probability,
      remarks: last?.remarks ?? [],
      malignancy: last?.malignancy ?? null,
      milliseconds: performance.now() - started,
      margins: new Map(),
    };
  }

  /** What stands in a box. */
  private async outline(scan: Scan, image: number, request: Request, signal: AbortSignal): Promise<Outcome> {
    const started = performance.now();
    if (request.prompt === null || request.frame === null) {
      throw new Told(`${CLASSICAL} on this device outlines what stands in a box. Expected: a box. Try: draw one, or choose a bundle.`);
    }
    const found = await this.engine.outline(this.image(scan, image, request.frame, request.phase), promptOf(request.prompt), { signal });
    return {
      id: null,
      method: request.method,
      parameters: request.parameters,
      version: found.provenance.version,
      threshold: found.threshold,
      probability: new Map([[request.frame, found.probability]]),
      remarks: found.remarks,
      malignancy: null,
      milliseconds: performance.now() - started,
      margins: new Map(),
    };
  }

  /** All slices at once. */
  private async segmentVolume(bundle: OpenBundle, volume: Volume, request: Request, progress: Progress, signal: AbortSignal): Promise<Outcome> {
    const started = performance.now();
    const onProgress = ({ fraction }: { fraction: number | null }): void => { progress(fraction ?? 0, "Segmenting on this device"); };
    const found = await bundle.segmentVolume(volume, { signal, onProgress });
    const [slices, rows, columns] = found.shape;
    const area = rows * columns;
    return {
      id: null,
      method: request.method,
      parameters: request.parameters,
      version: found.provenance.version,
      threshold: found.threshold,
      probability: new Map(Array.from({ length: slices }, (_, k) => [k, found.probability.subarray(k * area, (k + 1) * area)])),
      remarks: found.remarks,
      malignancy: null,
      milliseconds: performance.now() - started,
      margins: new Map(),
    };
  }

  /** A bundle is loaded once; one that failed to load may be tried again. */
  private bundle(name: string): Promise<OpenBundle> {
    const known = this.bundles.get(name);
    if (known !== undefined) return known;
    const loading = this.engine.openBundle(`/bundles/${encodeURIComponent(name)}/`);
    this.bundles.set(name, loading);
    loading.catch(() => this.bundles.delete(name));
    return loading;
  }

  private held(scan: Scan, image: number): Opened {
    const found = this.images.get(scan.id)?.at(image);
    if (found === undefined) throw new Told("This image is no longer in the browser's memory. Try: open its file again.");
    return found;
  }

  private image(scan: Scan, image: number, frame: number, phase: number): Image {
    const held = this.held(scan, image);
    return isVolume(held) ? sliceOf(held, frame, phase) : held[frame];
  }
}

function isVolume(one: Opened): one is Volume {
  return "phases" in one;
}

/** A slice of one phase as an image of its own. */
function sliceOf({ phases, shape, spacingMm, modality, studyDate, source, remarks }: Volume, index: number, phase: number): Image {
  const [, rows, columns] = shape;
  return {
    data: phases[phase].slice(index * rows * columns, (index + 1) * rows * columns),
    channels: 1,
    rows,
    columns,
    spacingMm: spacingMm === null ? null : [spacingMm[1], spacingMm[2]],
    regions: [],
    modality,
    view: "",
    studyDate,
    source,
    frame: index,
    remarks,
  };
}

/** Frames of one size in a file belong together, as on the server. */
function loops(images: readonly Image[]): (readonly Image[])[] {
  const found: Image[][] = [];
  for (const image of images) {
    const last = found.at(-1);
    const alike = last !== undefined && last[0].rows === image.rows && last[0].columns === image.columns && last[0].channels === image.channels;
    if (alike) last.push(image);
    else found.push([image]);
  }
  return found;
}

function infoOf(frames: readonly Image[]): ImageInfo {
  const [first] = frames;
  const [low, high] = boundsOfValues(frames.map(({ data }) => data));
  return {
    name: first.source,
    kind: "image",
    rows: first.rows,
    columns: first.columns,
    frames: frames.length,
    channels: first.channels,
    low,
    high,
    spacingMm: first.spacingMm,
    sliceMm: null,
    spacingFrom: first.spacingMm === null ? null : "file",
    parts: first.regions.map(({ box: [row0, column0, row1, column1], spacingMm }) => ({ box: { row0, column0, row1, column1 }, spacingMm })),
    modality: first.modality,
    view: first.view,
    remarks: [...new Set(frames.flatMap(({ remarks }) => remarks))],
    phases: [],
    studyDate: first.studyDate,
    number: "",
    dicom: false,
  };
}

function infoOfVolume({ phases, shape, spacingMm, modality, studyDate, source, remarks }: Volume): ImageInfo {
  const [low, high] = boundsOfValues(phases);
  return {
    name: source,
    kind: "volume",
    rows: shape[1],
    columns: shape[2],
    frames: shape[0],
    channels: phases.length,
    low,
    high,
    spacingMm: spacingMm === null ? null : [spacingMm[1], spacingMm[2]],
    sliceMm: spacingMm === null ? null : spacingMm[0],
    spacingFrom: spacingMm === null ? null : "file",
    parts: [],
    modality,
    view: "",
    remarks,
    phases: phases.map((_, index) => `phase ${index + 1}`),
    studyDate,
    number: "",
    dicom: false,
  };
}

function promptOf({ box, inside, outside, scribble }: Prompt) {
  return {
    inside,
    outside,
    ...(box === null ? {} : { box: [box.row0, box.column0, box.row1, box.column1] as const }),
    ...(scribble === null ? {} : { scribble }),
  };
}
