/** What the browser test asks the page to do; the server has the golden vectors and the bundles. */
import { createEngine, EngineError, type Engine, type Image, type Prompt, type Sides, type Volume } from "../../engine";
import { arraysOf, imageOf, kindOf, spacingFor, type Index, type Vector } from "../../engine/testing/vectors";

const SIXTEEN_BITS = 65535;

interface Agreement {
  /** Cases of the bundle. */
  cases: number;
  largestDifference: number;
  /** Pixels whose label differs, and of them those that are not near to the threshold. */
  otherLabels: number;
  wrongLabels: number;
}

let engine: Engine | undefined;

function running(): Engine {
  engine ??= createEngine();
  return engine;
}

async function vectors(stem: string): Promise<Map<string, Vector>> {
  const [index, bytes] = await Promise.all([fetch(`${stem}.json`), fetch(`${stem}.bin`)]);
  return arraysOf((await index.json()) as Index, await bytes.arrayBuffer());
}

/** What a case is made of: its input is that of its own name where nothing else is said. */
type Asked = Partial<Record<string, { input: string; prompt: Prompt | null }>>;

async function askedOf(name: string): Promise<Asked> {
  const { about } = (await (await fetch(`/golden/bundles/${name}.json`)).json()) as { about: { prompts?: Asked } };
  return about.prompts ?? {};
}

/** A bundle's golden vectors: the probability and the mask of each case. */
async function agreement(name: string, tolerance: number): Promise<Agreement> {
  const [inputs, wanted, asked] = await Promise.all([vectors("/golden/bundles/inputs"), vectors(`/golden/bundles/${name}`), askedOf(name)]);
  const open = await running().openBundle(`/bundles/${name}`);
  const cases = [...new Set([...wanted.keys()].map((key) => key.split("/")[0]))];
  const found = { cases: cases.length, largestDifference: 0, otherLabels: 0, wrongLabels: 0 };
  for (const one of cases) {
    const { input, prompt } = asked[one] ?? { input: one, prompt: null };
    const vector = inputs.get(input);
    const probability = wanted.get(`${one}/probability`);
    const mask = wanted.get(`${one}/mask`);
    if (!vector || !probability || !mask) throw new Error(`no vectors of ${one}`);
    const image = imageOf(vector, { spacingMm: spacingFor(open.bundle, vector.shape) });
    const segmented = await open.segment(image, prompt === null ? {} : { prompt });
    segmented.probability.forEach((value, i) => {
      const python = probability.data[i] / SIXTEEN_BITS;
      found.largestDifference = Math.max(found.largestDifference, Math.abs(value - python));
      if (segmented.mask[i] === mask.data[i]) return;
      found.otherLabels++;
      if (Math.abs(python - segmented.threshold) >= tolerance) found.wrongLabels++;
    });
  }
  await open.close();
  return found;
}

/** How many of the files are decoded to Python's array, and which are not. */
async function decoding(): Promise<{ same: number; refused: string[]; other: string[] }> {
  const index = (await (await fetch("/golden/images.json")).json()) as Record<
    string,
    { offset: number; length: number; images: { dtype: string; shape: number[]; offset: number }[] | null }
  >;
  const bytes = await (await fetch("/golden/images.bin")).arrayBuffer();
  const result = { same: 0, refused: [] as string[], other: [] as string[] };
  for (const [name, { offset, length, images }] of Object.entries(index)) {
    try {
      const read = await running().decode(new File([bytes.slice(offset, offset + length)], name));
      const isSame =
        read.length === images?.length &&
        read.every((image, k) => {
          const { dtype, shape, offset: at } = images[k];
          const array = new (kindOf(dtype))(bytes, at, shape.reduce((a, b) => a * b, 1));
          return image.data.length === array.length && image.data.every((value, i) => value === array[i]);
        });
      if (isSame) result.same++;
      else result.other.push(name);
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      result.refused.push(name);
    }
  }
  return result;
}

/** A made image of speckle with a dark ellipse. */
function phantom(rows: number, columns: number): Image {
  const data = new Uint8Array(rows * columns);
  for (let i = 0; i < data.length; i++) {
    const row = Math.floor(i / columns) / rows - 0.45;
    const column = (i % columns) / columns - 0.5;
    const isInside = (row / 0.16) ** 2 + (column / 0.2) ** 2 < 1;
    data[i] = (isInside ? 25 : 110) + ((i * 2654435761) >>> 26);
  }
  return imageOf({ shape: [1, rows, columns], data });
}

/** Milliseconds from a dropped file to its mask, and frames a second of the same image again and again. */
async function speed(name: string, file: number[], frames: number): Promise<Record<string, number>> {
  const start = performance.now();
  const open = await running().openBundle(`/bundles/${name}`);
  const loaded = performance.now();
  await open.segment(phantom(64, 64)); // the first run sets memory aside
  const dropped = performance.now();
  const [image] = await running().decode(new File([Uint8Array.from(file)], "scan.png"));
  await open.segment(image);
  const first = performance.now();
  for (let k = 0; k < frames; k++) await open.segment(image);
  const last = performance.now();
  await open.close();
  return {
    load_ms: loaded - start,
    drop_to_mask_ms: first - dropped,
    frames_a_second: frames ? (1000 * frames) / (last - first) : 0,
  };
}

/** Whether a cancelled job says so, and the next one is answered. */
async function cancelling(name: string): Promise<{ first: string; lesions: number }> {
  const open = await running().openBundle(`/bundles/${name}`);
  const control = new AbortController();
  const job = open.segment(phantom(256, 256), { signal: control.signal, onProgress: () => { control.abort(); } });
  const first = await job.then(
    () => "answered",
    (error: unknown) => (error as Error).name,
  );
  const { lesions } = await open.segment(phantom(256, 256));
  await open.close();
  return { first, lesions: lesions.length };
}

interface VolumeVectors {
  files: Record<string, { offset: number; length: number }>;
  segmented: Record<string, { shape: Sides; spacing_mm: Sides; origin_mm: Sides; direction: number[]; phases: Stored[]; probability: Stored }>;
}

interface Stored {
  dtype: string;
  shape: number[];
  offset: number;
}

/** Volumes that are read, refused and outlined; and what a cancelled run says. */
async function volumes(name: string, study: string): Promise<{ read: number; refused: number; largestDifference: number; cancelled: string }> {
  const index = (await (await fetch("/golden/volumes.json")).json()) as VolumeVectors;
  const bytes = await (await fetch("/golden/volumes.bin")).arrayBuffer();
  const files = Object.entries(index.files).map(([file, { offset, length }]) => new File([bytes.slice(offset, offset + length)], file));
  const nifti = files.filter((file) => !file.name.includes("/"));
  const found = await running().decodeVolumes(nifti);
  const array = ({ dtype, shape, offset }: Stored) => new (kindOf(dtype))(bytes, offset, shape.reduce((a, b) => a * b, 1));
  const { phases, probability, ...grid } = index.segmented[study];
  const volume: Volume = {
    shape: grid.shape,
    spacingMm: grid.spacing_mm,
    originMm: grid.origin_mm,
    direction: grid.direction,
    phases: phases.map((phase) => array(phase).slice()),
    modality: "mri", studyDate: "",
    source: study,
    remarks: [],
  };
  const open = await running().openBundle(`/bundles/${name}`);
  const control = new AbortController();
  const job = open.segmentVolume(volume, { signal: control.signal, onProgress: () => { control.abort(); } });
  const cancelled = await job.then(() => "answered", (error: unknown) => (error as Error).name);
  const segmented = await open.segmentVolume(volume);
  await open.close();
  const wanted = array(probability);
  const away = segmented.probability.map((value, i) => Math.abs(value - wanted[i] / SIXTEEN_BITS));
  return { read: found.volumes.length, refused: found.problems.length, largestDifference: away.reduce((a, b) => Math.max(a, b), 0), cancelled };
}

/** Let the service worker keep the app and a bundle that is used. */
async function keeping(name: string): Promise<void> {
  await navigator.serviceWorker.register("/worker.js");
  await navigator.serviceWorker.ready;
  await (await running().openBundle(`/bundles/${name}`)).close();
}

const actions = { agreement, keeping, decoding, speed, cancelling, volumes };

declare global {
  interface Window {
    actions: typeof actions;
  }
}

window.actions = actions;
