/** Segmenting on the server that the page came from. */
import type { Backend, Frame, ImageInfo, Margin, Method, Outcome, Parameter, Progress, Prompt, Request, Scalar, Scan, Version } from "./backend";
import { namedWithVersion, Told } from "./backend";
import { archive } from "./archive";
import { cancelJob, followedJob, waitingText } from "./jobs";
import { answered, json, posted, raw, uploaded, type Wire } from "./http";
import { greyFromPng, maskFromPng, pngOf, rgbFromPng } from "./png";
import type { Mask, Point } from "../mask/mask";

export class Server implements Backend {
  readonly place = "server";
  private known: Promise<readonly Method[]> | null = null;

  methods(): Promise<readonly Method[]> {
    this.known ??= json<Wire["Method"][]>("/methods").then((methods) => methods.map(methodOf));
    return this.known;
  }

  /** Methods that have come since are asked for again. */
  forgetMethods(): void {
    this.known = null;
  }

  about(): Promise<Wire["About"]> {
    return json("/about");
  }

  async logOut(): Promise<void> {
    await answered("/session", { method: "DELETE" });
  }

  /** The service answers with a cookie that scripts cannot read. */
  async logIn(name: string, password: string): Promise<void> {
    await answered("/session", posted({ name, password }));
  }

  examples(): Promise<Wire["Example"][]> {
    return json("/examples");
  }

  async openExample(name: string): Promise<Scan> {
    return scanOf(await json<Wire["ScanInfo"]>(`/examples/${encodeURIComponent(name)}`, { method: "POST" }));
  }

  async takeFromArchive(study: string, series: string | null): Promise<Scan> {
    return scanOf(await archive.take(study, series));
  }

  async scans(): Promise<Scan[]> {
    return (await json<Wire["ScanInfo"][]>("/scans?limit=1000")).map(scanOf);
  }

  async scan(id: string): Promise<Scan> {
    return scanOf(await json<Wire["ScanInfo"]>(`/scans/${id}`));
  }

  async open(files: readonly File[], progress: Progress, signal: AbortSignal): Promise<Scan> {
    const form = new FormData();
    for (const file of files) form.append("files", file, file.name);
    const scan = await uploaded<Wire["ScanInfo"]>("/scans", form, (fraction) => {
      progress(fraction, fraction < 1 ? "Uploading" : "Reading");
    }, signal);
    return scanOf(scan);
  }

  async setSpacing(scan: Scan, image: number, spacing: readonly [number, number]): Promise<Scan> {
    return scanOf(await json<Wire["ScanInfo"]>(`/scans/${scan.id}/images/${image}/spacing`, posted({ spacing_mm: spacing }, "PUT")));
  }

  async frame(scan: Scan, image: number, frame: number, phase: number): Promise<Frame> {
    const info = scan.images[image];
    const query = info.frames > 1 || info.kind === "volume" ? `?frame=${frame}&phase=${phase}` : "";
    if (info.kind === "image" && info.channels === 3) {
      return rgbFromPng(await (await answered(`/scans/${scan.id}/images/${image}/display.png${query}`)).blob());
    }
    const { shape, values } = await raw(`/scans/${scan.id}/images/${image}/pixels${query}`);
    return { rows: shape[0], columns: shape[1], channels: 1, values };
  }

  prepare(): void {
    // The service keeps its methods loaded.
  }

  async segment(scan: Scan, image: number, request: Request, progress: Progress, signal: AbortSignal): Promise<Outcome> {
    const { rows, columns, frames, kind } = scan.images[image];
    const alone = frames === 1 && kind === "image";
    const asked = {
      scan: scan.id,
      image,
      frame: alone ? null : request.frame,
      phase: request.phase,
      method: request.method,
      parameters: request.parameters,
      prompt: request.prompt === null ? null : await promptOf(request.prompt, rows, columns),
      screenshot: request.screenshot,
      margin: request.margin,
    };
    const first = await json<Wire["SegmentationInfo"]>("/segmentations", { ...posted(asked), signal });
    const info = first.state === "done" ? first : await this.followed(first, progress, signal);
    const probability = await this.probabilities(info.id, alone ? 0 : request.frame, signal);
    const outcome = { ...outcomeOf(info, probability), parameters: request.parameters };
    return request.margin === null ? outcome : { ...outcome, margins: new Map([[alone ? 0 : (request.frame ?? 0), await this.margin(info, request.margin)]]) };
  }

  private async margin(info: Wire["SegmentationInfo"], coverage: number): Promise<Margin> {
    const { rows, columns, data } = await greyFromPng(await (await answered(`/segmentations/${info.id}/margin.png`)).blob());
    const above = (level: number): Mask => ({ rows, columns, data: data.map((value) => (value > level ? 1 : 0)) });
    const lesions = info.document?.entries.at(0)?.lesions ?? [];
    const ranges = lesions.flatMap(({ number, margin, unit }) => (margin === undefined || margin === null ? [] : [{ number, unit: unit === "mm" ? ("mm" as const) : ("px" as const), longest: margin.longest_diameter }]));
    return { coverage, outer: above(64), inner: above(192), ranges };
  }

  /** Whether two images are of one patient, as their files state it. */
  async patientBeside([scan, image]: readonly [Scan, number], [other, otherImage]: readonly [Scan, number]): Promise<Wire["Beside"]["patient"]> {
    return (await json<Wire["Beside"]>(`/scans/${scan.id}/images/${image}/beside/${other.id}/${otherImage}`)).patient;
  }

  async versions(scan: Scan, image: number): Promise<Version[]> {
    return (await json<Wire["VersionInfo"][]>(`/scans/${scan.id}/images/${image}/versions`)).map(versionOf);
  }

  async keep(scan: Scan, image: number, mask: Mask, about: { frame: number; base: string | null; note: string; seconds: number; skinLine: Version["skinLine"] }): Promise<Version> {
    const form = new FormData();
    form.append("mask", pngOf(mask), "mask.png");
    form.append("frame", String(about.frame));
    form.append("note", about.note);
    form.append("seconds", about.seconds.toFixed(1));
    if (about.base !== null) form.append("base", about.base);
    for (const { row, column } of about.skinLine ?? []) for (const at of [row, column]) form.append("skin_line", String(at));
    return versionOf(await json<Wire["VersionInfo"]>(`/scans/${scan.id}/images/${image}/versions`, { method: "POST", body: form }));
  }

  async versionMask(scan: Scan, image: number, version: Version): Promise<Mask> {
    return maskFromPng(await (await answered(versionPath(scan, image, version, "mask.png"))).blob());
  }

  /** Follows a job by its events until it is finished. */
  private async followed(first: Wire["SegmentationInfo"], progress: Progress, signal: AbortSignal): Promise<Wire["SegmentationInfo"]> {
    if (first.job === null) throw new Told(first.message === "" ? "The segmentation failed." : first.message);
    const job = first.job;
    signal.addEventListener("abort", () => { void cancelJob(job); });
    const last = await followedJob(job, (info) => { progress(info.progress, waitingText(info) || "Segmenting"); }, signal);
    if (last.state !== "done") throw new Told(last.message === "" ? `The job was ${last.state}.` : last.message);
    return json(`/segmentations/${first.id}`, { signal });
  }

  private async probabilities(id: string, frame: number | null, signal: AbortSignal): Promise<Map<number, Float32Array>> {
    const { shape, values } = await raw(`/segmentations/${id}/probability`, signal);
    if (!(values instanceof Float32Array)) throw new Told("A probability that is not float32.");
    if (shape.length === 2) return new Map([[frame ?? 0, values]]);
    const size = shape[1] * shape[2];
    return new Map(Array.from({ length: shape[0] }, (_, at) => [at, values.subarray(at * size, (at + 1) * size)]));
  }
}

export function versionPath(scan: Scan, image: number, version: Version, what: string): string {
  return `/scans/${scan.id}/images/${image}/versions/${version.number}/${what}?frame=${version.frame}`;
}

function scanOf(info: Wire["ScanInfo"]): Scan {
  return { id: info.id, name: info.name, createdAt: info.created_at, images: info.images.map(imageOf), problems: info.problems };
}

function imageOf(info: Wire["ImageInfo"]): ImageInfo {
  const [rows, columns] = info.shape.slice(-2);
  const spacing = info.spacing_mm;
  return {
    name: info.name,
    kind: info.kind,
    rows,
    columns,
    frames: info.frames,
    channels: info.channels,
    low: info.low,
    high: info.high,
    spacingMm: spacing === null ? null : [spacing[spacing.length - 2], spacing[spacing.length - 1]],
    sliceMm: spacing?.length === 3 ? spacing[0] : null,
    spacingFrom: info.spacing_from,
    parts: info.regions.map(({ box: [row0, column0, row1, column1], spacing_mm: spacingMm }) => ({ box: { row0, column0, row1, column1 }, spacingMm })),
    modality: info.modality,
    view: info.view,
    remarks: info.remarks,
    phases: info.phases,
    studyDate: info.study_date,
    number: info.number,
    dicom: info.dicom,
  };
}

function methodOf(info: Wire["Method"]): Method {
  const properties = (info.parameters.properties ?? {}) as Record<string, Record<string, unknown>>;
  return {
    name: info.name,
    kind: info.kind,
    summary: info.summary,
    weakness: info.weakness,
    trainedOn: info.trained_on,
    modality: info.modality,
    dimensions: info.dimensions,
    takesPrompt: info.takes_prompt,
    givesProbability: info.gives_probability,
    margins: info.margins,
    remarks: info.remarks,
    parameters: Object.entries(properties).map(([name, schema]) => parameterOf(name, schema)),
  };
}

function parameterOf(name: string, schema: Record<string, unknown>): Parameter {
  const low = (schema.minimum ?? schema.exclusiveMinimum) as number | undefined;
  const high = (schema.maximum ?? schema.exclusiveMaximum) as number | undefined;
  return {
    name,
    help: String(schema.description),
    kind: schema.type as Parameter["kind"],
    default: schema.default as Scalar,
    logarithmic: schema["x-logarithmic"] === true,
    ...(low === undefined ? {} : { low }),
    ...(high === undefined ? {} : { high }),
    ...(schema.enum === undefined ? {} : { choices: schema.enum as string[] }),
  };
}

async function promptOf(prompt: Prompt, rows: number, columns: number): Promise<unknown> {
  const { box, inside, outside, scribble } = prompt;
  return {
    box: box === null ? null : [box.row0, box.column0, box.row1, box.column1],
    inside,
    outside,
    scribble: scribble === null ? null : await base64(pngOf({ rows, columns, data: scribble }, 1)),
  };
}

async function base64(blob: Blob): Promise<string> {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(text);
}

function outcomeOf(info: Wire["SegmentationInfo"], probability: Map<number, Float32Array>): Omit<Outcome, "parameters"> {
  const provenance = info.document?.provenance;
  const entry = info.document?.entries.at(0);
  const threshold = provenance?.parameters.threshold;
  return {
    id: info.id,
    method: info.request.method,
    version: provenance?.version ?? "",
    threshold: typeof threshold === "number" ? threshold : 0.5,
    probability,
    remarks: entry?.remarks ?? [],
    malignancy: entry?.malignancy ?? null,
    milliseconds: info.milliseconds ?? null,
    margins: new Map(),
  };
}

function versionOf(info: Wire["VersionInfo"]): Version {
  const { number, frame, note, seconds } = info;
  const { base, base_version: version } = info.document.provenance?.parameters ?? {};
  const laid = info.document.entries.at(0)?.skin_line ?? null;
  const point = ([row, column]: readonly number[]): Point => ({ row, column });
  return {
    base: typeof base === "string" ? [namedWithVersion({ method: base, version: typeof version === "string" ? version : "" })] : [],
    baseId: info.base,
    lesions: info.document.entries.at(0)?.lesions.length ?? 0,
    number, frame, note, seconds, skinLine: laid === null ? null : [point(laid[0]), point(laid[1])], createdAt: info.created_at, createdBy: info.created_by };
}
