/** NIfTI-1 and NIfTI-2 files (https://nifti.nimh.nih.gov), plain or gzip; chooses among sform and qform as Python does. */
import type { Pixels } from "../image";
import { voxelsOf, type Sides, type Volume, type VolumeGrid } from "../volume";
import { damaged, unreadable, unsupported } from "./raster";
import { isFinite3, MOST_SKEWED, placeAxes, skewness, times, type Matrix, type Vector } from "./volume-axes";

/** The longest header. */
export const NIFTI_BYTES = 540;
const KINDS = {
  2: Uint8Array,
  4: Int16Array,
  8: Int32Array,
  16: Float32Array,
  64: Float64Array,
  256: Int8Array,
  512: Uint16Array,
  768: Uint32Array,
} as const;
const MILLIMETRES: Record<number, number> = { 1: 1000, 2: 1, 3: 1e-3 };
const PLAUSIBLE_MM = [1e-3, 100];
/** Of a voxel's side, by which sform and qform may differ. */
const AGREE = 0.1;
/** Below it a quaternion's fourth part counts as 0. */
const QUATERNION_ROUNDING = 3 * 2 ** -23;

interface Affine {
  readonly axes: Matrix;
  readonly origin: Vector;
}

export interface NiftiHeader {
  readonly grid: VolumeGrid;
  readonly phases: number;
  readonly kind: keyof typeof KINDS;
  readonly isLittle: boolean;
  readonly offset: number;
  readonly slope: number;
  readonly intercept: number;
  readonly remarks: readonly string[];
}

export function isNifti(head: Uint8Array): boolean {
  const said = (from: number): string => String.fromCharCode(...head.subarray(from, from + 4));
  return said(344) === "n+1\0" || said(4) === "n+2\0";
}

/** @param head the first `NIFTI_BYTES`, decompressed. */
export function niftiHeader(head: Uint8Array, name: string): NiftiHeader {
  const isSecond = String.fromCharCode(...head.subarray(4, 8)) === "n+2\0";
  const size = isSecond ? 540 : 348;
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  if (head.length < size) throw unreadable(`${name}: has a damaged NIfTI header`, "a whole NIfTI file");
  const isLittle = view.getInt32(0, true) === size;
  if (!isLittle && view.getInt32(0, false) !== size) {
    throw unreadable(`${name}: has a damaged NIfTI header`, "a whole NIfTI file");
  }
  const read = isSecond ? second(view, isLittle) : first(view, isLittle);
  const count = read.dim[0];
  if (!(count >= 1 && count <= 7)) throw damaged(name, `it declares ${count} axes`);
  const all = read.dim.slice(1, count + 1);
  const sizes = [...all.slice(0, 3), ...all.slice(3).filter((side) => side !== 1)];
  if (sizes.some((side) => side < 1)) throw unreadable(`${name}: declares ${sizes.join(", ")} voxels`, "at least 1 along an axis");
  if (sizes.length !== 3 && sizes.length !== 4) {
    throw unsupported(`${name}: has ${sizes.length} axes`, "3 axes, or a fourth one for the phases", "export each volume as a file");
  }
  if (!(read.kind in KINDS)) {
    throw unsupported(`${name}: has values of the type ${read.kind}`, "whole numbers of up to 32 bits, or real ones, on the device");
  }
  const kind = read.kind as keyof typeof KINDS;
  if (read.bits !== 8 * KINDS[kind].BYTES_PER_ELEMENT) throw damaged(name, `values of ${read.bits} bits`);
  if (!(read.offset >= 0 && read.offset < 2 ** 31)) throw damaged(name, `data from byte ${read.offset}`);
  const isScaled = Number.isFinite(read.slope) && Number.isFinite(read.intercept) && read.slope !== 0;
  const { grid, remarks } = gridOf(read, [sizes[2], sizes[1], sizes[0]], name);
  return {
    grid,
    phases: sizes[3] ?? 1,
    kind,
    isLittle,
    offset: Math.floor(read.offset),
    slope: isScaled ? read.slope : 1,
    intercept: isScaled ? read.intercept : 0,
    remarks,
  };
}

export function niftiBytes({ grid, phases, kind }: NiftiHeader): number {
  return voxelsOf(grid.shape) * phases * KINDS[kind].BYTES_PER_ELEMENT;
}

/** @param data the values as they are stored; they are changed where their order of bytes is another one. */
export function niftiVolume(header: NiftiHeader, data: Uint8Array, source: string): Volume {
  const { kind, isLittle, slope, intercept, grid, remarks } = header;
  const bytes = KINDS[kind].BYTES_PER_ELEMENT;
  if (!isLittle) for (let at = 0; at < data.length && bytes > 1; at += bytes) data.subarray(at, at + bytes).reverse();
  const size = voxelsOf(grid.shape);
  const phases = Array.from({ length: header.phases }, (_, k): Pixels => {
    const stored = new KINDS[kind](data.buffer as ArrayBuffer, data.byteOffset + k * size * bytes, size);
    return slope === 1 && intercept === 0 ? stored : rescaled(stored, slope, intercept);
  });
  return { ...grid, phases, modality: "unknown", studyDate: "", source, remarks };
}

/** In float32, or in float64 where the stored values need it. */
function rescaled(stored: Pixels, slope: number, intercept: number): Pixels {
  if (stored.BYTES_PER_ELEMENT < 4 || stored instanceof Float32Array) {
    const [times, plus] = [Math.fround(slope), Math.fround(intercept)];
    return Float32Array.from(stored, (value) => Math.fround(Math.fround(value) * times) + plus);
  }
  return Float64Array.from(stored, (value) => value * slope + intercept);
}

interface Fields {
  readonly dim: number[];
  readonly kind: number;
  readonly bits: number;
  readonly pixdim: number[];
  readonly offset: number;
  readonly slope: number;
  readonly intercept: number;
  readonly unit: number;
  readonly qform: number;
  readonly sform: number;
  readonly quaternion: number[];
  readonly shift: number[];
  readonly rows: number[][];
}

function first(view: DataView, isLittle: boolean): Fields {
  const short = (at: number): number => view.getInt16(at, isLittle);
  const reals = (at: number, count: number): number[] => Array.from({ length: count }, (_, k) => view.getFloat32(at + 4 * k, isLittle));
  return {
    dim: Array.from({ length: 8 }, (_, k) => short(40 + 2 * k)),
    kind: short(70),
    bits: short(72),
    pixdim: reals(76, 8),
    offset: reals(108, 1)[0],
    slope: reals(112, 1)[0],
    intercept: reals(116, 1)[0],
    unit: view.getUint8(123),
    qform: short(252),
    sform: short(254),
    quaternion: reals(256, 3),
    shift: reals(268, 3),
    rows: [reals(280, 4), reals(296, 4), reals(312, 4)],
  };
}

function second(view: DataView, isLittle: boolean): Fields {
  const long = (at: number): number => Number(view.getBigInt64(at, isLittle));
  const reals = (at: number, count: number): number[] => Array.from({ length: count }, (_, k) => view.getFloat64(at + 8 * k, isLittle));
  return {
    dim: Array.from({ length: 8 }, (_, k) => long(16 + 8 * k)),
    kind: view.getInt16(12, isLittle),
    bits: view.getInt16(14, isLittle),
    pixdim: reals(104, 8),
    offset: long(168),
    slope: reals(176, 1)[0],
    intercept: reals(184, 1)[0],
    unit: view.getInt32(500, isLittle),
    qform: view.getInt32(344, isLittle),
    sform: view.getInt32(348, isLittle),
    quaternion: reals(352, 3),
    shift: reals(376, 3),
    rows: [reals(400, 4), reals(432, 4), reals(464, 4)],
  };
}

/** Where the voxels lie, and what must be said of it. */
function gridOf(read: Fields, shape: Sides, name: string): { grid: VolumeGrid; remarks: string[] } {
  const steps = read.pixdim.slice(1, 4);
  const isStated = steps.every((step) => Number.isFinite(step) && step !== 0);
  const sform = sformOf(read);
  const qform = isStated ? qformOf(read) : null;
  let { chosen, remarks } = choice(sform, qform, shape);
  if (!chosen) {
    if (!isStated) {
      const axial = [1, 0, 0, 0, 1, 0, 0, 0, 1];
      return { grid: { shape, spacingMm: null, originMm: [0, 0, 0], direction: axial }, remarks: [] };
    }
    const [x, y, z] = steps.map(Math.abs);
    const middle = [(shape[2] - 1) / 2, (shape[1] - 1) / 2, (shape[0] - 1) / 2];
    chosen = { axes: [[-x, 0, 0], [0, y, 0], [0, 0, z]], origin: [x * middle[0], -y * middle[1], -z * middle[2]] };
    remarks = ["the file states no orientation: its columns are taken to run to the left"];
  }
  const factor = millimetres(read.unit & 7, chosen.axes, name);
  // NIfTI's axes run to the right, the front and the head.
  const turned = ([x, y, z]: Vector): Vector => [-x * factor, -y * factor, z * factor];
  const columns = [0, 1, 2].map((k) => turned([chosen.axes[0][k], chosen.axes[1][k], chosen.axes[2][k]]));
  const axes = [0, 1, 2].map((row) => columns.map((column) => column[row])) as unknown as Matrix;
  const placed = placeAxes(shape, axes, turned(chosen.origin), name);
  return { grid: placed.grid, remarks: [...remarks, ...placed.remarks] };
}

function millimetres(unit: number, axes: Matrix, name: string): number {
  const factor = unit === 0 ? 1 : (MILLIMETRES[unit] ?? 1);
  const lengths = [0, 1, 2].map((k) => Math.hypot(axes[0][k], axes[1][k], axes[2][k]) * factor);
  if (factor !== 1 && !lengths.every((length) => length >= PLAUSIBLE_MM[0] && length <= PLAUSIBLE_MM[1])) {
    throw unsupported(`${name}: states voxels of ${lengths.join(" x ")} mm`, "1e-3 to 100 mm from voxel to voxel", "correct the unit in its header");
  }
  return factor;
}

/** Where it is meant and makes sense. */
function sformOf({ sform, rows }: Fields): Affine | null {
  const axes = rows.map((row) => row.slice(0, 3)) as unknown as Matrix;
  const origin = rows.map((row) => row[3]) as unknown as Vector;
  const [a, b, c] = axes;
  const determinant =
    a[0] * (b[1] * c[2] - b[2] * c[1]) - a[1] * (b[0] * c[2] - b[2] * c[0]) + a[2] * (b[0] * c[1] - b[1] * c[0]);
  const isUsable = axes.every(isFinite3) && isFinite3(origin) && Math.abs(determinant) > 0;
  return sform > 0 && isUsable ? { axes, origin } : null;
}

function qformOf({ qform, quaternion, pixdim, shift }: Fields): Affine | null {
  const [b, c, d] = quaternion;
  const rest = 1 - (b * b + c * c + d * d);
  if (qform <= 0 || !Number.isFinite(rest) || !isFinite3(shift as unknown as Vector)) return null;
  const isRounding = Math.abs(rest) < QUATERNION_ROUNDING;
  if (rest < 0 && !isRounding) return null;
  const a = isRounding ? 0 : Math.sqrt(rest);
  const scale = 2 / (a * a + b * b + c * c + d * d);
  const turn: Matrix = [
    [1 - scale * (c * c + d * d), scale * (b * c - a * d), scale * (b * d + a * c)],
    [scale * (b * c + a * d), 1 - scale * (b * b + d * d), scale * (c * d - a * b)],
    [scale * (b * d - a * c), scale * (c * d + a * b), 1 - scale * (b * b + c * c)],
  ];
  const zooms = [Math.abs(pixdim[1]), Math.abs(pixdim[2]), Math.abs(pixdim[3]) * (pixdim[0] === -1 ? -1 : 1)];
  const axes = turn.map((row) => row.map((value, k) => value * zooms[k])) as unknown as Matrix;
  return { axes, origin: [shift[0], shift[1], shift[2]] };
}

/** Which of the two counts, and what must be said of it. */
function choice(sform: Affine | null, qform: Affine | null, shape: Sides): { chosen: Affine | null; remarks: string[] } {
  if (!sform || !qform) return { chosen: sform ?? qform, remarks: [] };
  if (skewness(sform.axes) > MOST_SKEWED) {
    return { chosen: qform, remarks: ["the sform of the file has skewed axes: its qform counts"] };
  }
  const corners: Vector[] = [[0, 0, 0], [shape[2], 0, 0], [0, shape[1], 0], [0, 0, shape[0]]];
  const apart = Math.max(
    ...corners.flatMap((corner) => {
      const [one, other] = [sform, qform].map(({ axes, origin }) => times(axes, corner).map((value, k) => value + origin[k]));
      return one.map((value, k) => Math.abs(value - other[k]));
    }),
  );
  const sides = [0, 1, 2].map((k) => Math.hypot(sform.axes[0][k], sform.axes[1][k], sform.axes[2][k]));
  if (apart <= AGREE * Math.min(...sides)) return { chosen: sform, remarks: [] };
  return {
    chosen: sform,
    remarks: [
      `sform and qform of the file differ by up to ${Number(apart.toPrecision(3))} of its unit of length: ` +
        "the sform counts here, and what is written repeats both",
    ],
  };
}
