/** The volumes among files: NIfTI, and stacks of DICOM slices. */
import { Gunzip } from "fflate";
import type { Volumes } from "../api";
import { EngineError } from "../errors";
import type { Pixels } from "../image";
import { voxelsOf, type Volume } from "../volume";
import type { JpegCodec } from "./codec";
import { storedSlice } from "./dicom";
import { isNifti, niftiBytes, niftiHeader, niftiVolume, NIFTI_BYTES } from "./nifti";
import { damaged, unsupported } from "./raster";
import { commonGrid, phasesOf, stacksAmong, type Phase } from "./series";
import { isEnhancedMri, sliceOf, type DicomSlice } from "./slice";

/** Of the values of one volume. */
const MOST_BYTES = 2 ** 30;
/** Of a gzip file, what may follow the values. */
const MOST_AFTER = 2 ** 20;
/** Of a file, compressed or not, looked at for its header. */
const HEAD_BYTES = 2048;

/**
 * Read the volumes among files.
 *
 * @param onFraction told how much is done, 0 to 1; what it throws ends the reading.
 */
export async function decodeVolumes(
  files: readonly File[],
  codec: () => Promise<JpegCodec>,
  onFraction: (fraction: number) => void,
): Promise<Volumes> {
  const volumes: Volume[] = [];
  const problems: { name: string; message: string }[] = [];
  const slices: DicomSlice[] = [];
  const used = new Set<number>();
  for (const [index, file] of files.entries()) {
    onFraction((0.5 * index) / files.length);
    const head = await headOf(file);
    if (isNifti(head)) {
      used.add(index);
      await attempt(file.name, async () => volumes.push(await readNifti(file)));
    } else if (String.fromCharCode(...head.subarray(128, 132)) === "DICM") {
      const data = new Uint8Array(await file.arrayBuffer());
      const slice = sliceOf(data, index, file.name);
      if (slice) slices.push(slice);
      else if (isEnhancedMri(data)) {
        // Its frames alone would pass for a loop: the volume and its phases would be lost without a word.
        used.add(index);
        const { message } = unsupported(`${file.name}: is an enhanced MR object`, "one file a slice, or NIfTI, on the device");
        problems.push({ name: file.name, message });
      }
    }
  }
  for (const stack of stacksAmong(slices)) {
    for (const { index } of stack) used.add(index);
    await attempt(stack[0].name, async () => volumes.push(await readStack(stack, files, await codec(), onFraction)));
  }
  return { volumes, others: files.map((_, k) => k).filter((k) => !used.has(k)), problems };

  async function attempt(name: string, read: () => Promise<unknown>): Promise<void> {
    try {
      await read();
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      problems.push({ name, message: error.message });
    }
  }
}

/** The first bytes, decompressed. */
async function headOf(file: File): Promise<Uint8Array> {
  const head = new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer());
  if (!isGzip(head)) return head;
  const parts: number[] = [];
  // Unlike the browser's own, it gives what stands before the damage.
  const gunzip = new Gunzip((part) => { parts.push(...part.subarray(0, NIFTI_BYTES - parts.length)); });
  try {
    gunzip.push(head);
  } catch {
    // What came before is looked at.
  }
  return parts.length ? Uint8Array.from(parts) : head;
}

function isGzip(head: Uint8Array): boolean {
  return head[0] === 0x1f && head[1] === 0x8b;
}

function unpacked(file: File): ReadableStreamDefaultReader<Uint8Array> {
  return file.stream().pipeThrough(new DecompressionStream("gzip")).getReader();
}

async function readNifti(file: File): Promise<Volume> {
  const { name } = file;
  const header = niftiHeader(await headOf(file), name);
  const wanted = niftiBytes(header);
  checkBytes(wanted, name);
  const data = isGzip(new Uint8Array(await file.slice(0, 2).arrayBuffer()))
    ? await unpackedValues(file, header.offset, wanted)
    : new Uint8Array(await file.slice(header.offset, header.offset + wanted).arrayBuffer());
  if (data.length < wanted) throw damaged(name, `${data.length} of ${wanted} bytes of data`);
  return niftiVolume(header, data, name);
}

/** No more is kept than is wanted; the checksum at the end is tested by the browser. */
async function unpackedValues(file: File, offset: number, wanted: number): Promise<Uint8Array> {
  const result = new Uint8Array(wanted);
  const reader = unpacked(file);
  let at = 0;
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      const from = Math.max(0, offset - at);
      const to = Math.min(part.value.length, offset + wanted - at);
      if (to > from) result.set(part.value.subarray(from, to), at + from - offset);
      at += part.value.length;
      if (at > offset + wanted + MOST_AFTER) break;
    }
    await reader.cancel();
  } catch (error) {
    throw damaged(file.name, (error as Error).message);
  }
  return result.subarray(0, Math.min(wanted, Math.max(0, at - offset)));
}

async function readStack(
  stack: Phase,
  files: readonly File[],
  codec: JpegCodec,
  onFraction: (fraction: number) => void,
): Promise<Volume> {
  const [{ name, modality, studyDate }] = stack;
  const phases = phasesOf(stack, name);
  const grid = commonGrid(phases, name);
  const isPlain = stack.every(({ slope, intercept }) => slope === 1 && intercept === 0);
  const size = voxelsOf(grid.shape);
  checkBytes(size * phases.length * (isPlain ? 2 : 4), name);
  const area = grid.shape[1] * grid.shape[2];
  const arrays: Pixels[] = [];
  let done = 0;
  for (const phase of phases) {
    let array: Pixels | null = isPlain ? null : new Float32Array(size);
    for (const [k, one] of phase.entries()) {
      onFraction(0.5 + (0.5 * done++) / stack.length);
      const stored = storedSlice(new Uint8Array(await files[one.index].arrayBuffer()), one.name, codec);
      array ??= new (stored.constructor as new (length: number) => Pixels)(size);
      if (isPlain && stored.constructor !== (arrays[0] ?? array).constructor) {
        throw unsupported(`${one.name}: has values of another type than the first slice`, "one type in a series on the device");
      }
      array.set(isPlain ? stored : rescaled(stored, one), k * area);
    }
    if (array) arrays.push(array);
  }
  return { ...grid, phases: arrays, modality, studyDate, source: name, remarks: [] };
}

function rescaled(stored: Pixels, { slope, intercept }: DicomSlice): Float32Array {
  const [times, plus] = [Math.fround(slope), Math.fround(intercept)];
  return Float32Array.from(stored, (value) => Math.fround(Math.fround(value) * times) + plus);
}

function checkBytes(bytes: number, name: string): void {
  if (bytes <= MOST_BYTES) return;
  throw unsupported(`${name}: has ${bytes} bytes of voxels`, `at most ${MOST_BYTES} on the device`);
}
