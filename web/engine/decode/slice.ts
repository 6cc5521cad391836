/** What a single-frame DICOM slice says of its place in space and in time. */
import * as dicomParser from "dicom-parser";
import type { Modality } from "../image";
import { Header } from "./dicom-header";
import { modalityOf } from "./dicom-spacing";
import { studyDateOf } from "./dicom-view";
import type { Vector } from "./volume-axes";

const TAG = {
  imageType: "x00080008",
  study: "x0020000d",
  series: "x0020000e",
  description: "x0008103e",
  frames: "x00280008",
  rows: "x00280010",
  columns: "x00280011",
  position: "x00200032",
  orientation: "x00200037",
  frameOfReference: "x00200052",
  spacing: "x00280030",
  slope: "x00281053",
  intercept: "x00281052",
};
/** What tells the phases within one series apart; what was made for it comes first. */
export const MOMENTS = ["temporalPosition", "acquisitionNumber", "acquisitionTime", "triggerTime", "contentTime"] as const;
/** What puts series in order. */
export const STARTS = ["acquisitionTime", "seriesTime", "seriesNumber"] as const;
const NUMBERS: Partial<Record<Moment, string>> = {
  temporalPosition: "x00200100",
  acquisitionNumber: "x00200012",
  triggerTime: "x00181060",
  seriesNumber: "x00200011",
};
/** Of a time of day, and of its date. */
const TIMES: Partial<Record<Moment, readonly [string, string]>> = {
  acquisitionTime: ["x00080032", "x00080022"],
  contentTime: ["x00080033", "x00080023"],
  seriesTime: ["x00080031", "x00080021"],
};
const SECONDS = 86400;

export type Moment = (typeof MOMENTS)[number] | (typeof STARTS)[number];

export interface DicomSlice {
  /** Which of the files it is. */
  readonly index: number;
  readonly name: string;
  readonly modality: Modality;
  readonly study: string;
  /** YYYY-MM-DD; empty where it is not stated. */
  readonly studyDate: string;
  readonly series: string;
  /** The series' number and description, for messages. */
  readonly title: string;
  readonly isDerived: boolean;
  readonly frameOfReference: string;
  readonly shape: readonly [rows: number, columns: number];
  readonly spacingMm: readonly [row: number, column: number];
  /** (x, y, z) of the first pixel's centre in DICOM's patient system. */
  readonly positionMm: Vector;
  /** The direction in which the columns count up, then the rows'. */
  readonly orientation: readonly number[];
  readonly slope: number;
  readonly intercept: number;
  readonly times: Partial<Record<Moment, number>>;
}

/** Enhanced MR Image Storage, and what was converted to it. */
const ENHANCED_MRI = ["1.2.840.10008.5.1.4.1.1.4.1", "1.2.840.10008.5.1.4.1.1.4.4"];

/** Whether a file holds all slices of a volume as frames. */
export function isEnhancedMri(file: Uint8Array): boolean {
  const header = headerOf(file);
  return header !== null && ENHANCED_MRI.includes(header.text("x00080016"));
}

function headerOf(file: Uint8Array): Header | null {
  try {
    return new Header([dicomParser.parseDicom(file, { untilTag: "x7fe00010" })]);
  } catch {
    return null; // reading it as an image says what is wrong
  }
}

/** Null for what is no single slice in space: reports, screenshots, enhanced objects, damaged files. */
export function sliceOf(file: Uint8Array, index: number, name: string): DicomSlice | null {
  const header = headerOf(file);
  if (header === null) return null;
  const [position, cosines, spacing] = [finite(header, TAG.position, 3), finite(header, TAG.orientation, 6), finite(header, TAG.spacing, 2)];
  const [rows, columns] = [header.integer(TAG.rows), header.integer(TAG.columns)];
  const isFlat = rows !== undefined && columns !== undefined && numberOf(header, TAG.frames, 1) === 1;
  if (!isFlat || !position || !cosines || !spacing || Math.min(...spacing) <= 0) return null;
  const times = timesOf(header);
  const said = [header.text(NUMBERS.seriesNumber ?? ""), header.text(TAG.description).slice(0, 40)].filter(Boolean);
  return {
    index,
    name,
    modality: modalityOf(header),
    study: header.text(TAG.study),
    studyDate: studyDateOf(header),
    series: header.text(TAG.series),
    title: said.join(" ") || "without a name",
    isDerived: header.text(TAG.imageType).split("\\").includes("DERIVED"),
    frameOfReference: header.text(TAG.frameOfReference),
    shape: [rows, columns],
    spacingMm: [spacing[0], spacing[1]],
    positionMm: [position[0], position[1], position[2]],
    orientation: cosines,
    slope: numberOf(header, TAG.slope, 1),
    intercept: numberOf(header, TAG.intercept, 0),
    times,
  };
}

function timesOf(header: Header): DicomSlice["times"] {
  const found: Partial<Record<Moment, number>> = {};
  for (const moment of new Set<Moment>([...MOMENTS, ...STARTS])) {
    const [tag, date] = TIMES[moment] ?? [NUMBERS[moment] ?? "", ""];
    const text = header.text(tag);
    if (text === "") continue;
    const value = date ? secondsOf(text) + SECONDS * dayOf(header.text(date)) : numberOf(header, tag, NaN);
    if (Number.isFinite(value)) found[moment] = value;
  }
  return found;
}

/** Of a DICOM time, HHMMSS.FFFFFF with what follows the hours optional; PS3.5 6.2. */
function secondsOf(text: string): number {
  const [whole, fraction = ""] = text.replaceAll(":", "").trim().split(/\.(.*)/);
  const digits = whole.padEnd(6, "0");
  if (!/^\d+$/.test(digits) || !/^\d*$/.test(fraction)) return NaN;
  return Number(digits.slice(0, 2)) * 3600 + Number(digits.slice(2, 4)) * 60 + Number(digits.slice(4, 6)) + Number(`0.${fraction}0`);
}

/** A day's number; later days have larger ones, and one without a date is day 0. */
function dayOf(date: string): number {
  const digits = /^(\d{4})(\d{2})(\d{2})/.exec(date.replaceAll(".", ""));
  if (!digits) return 0;
  const [year, month, day] = digits.slice(1).map(Number);
  const moment = new Date(Date.UTC(year, month - 1, day));
  return moment.getUTCMonth() === month - 1 && moment.getUTCDate() === day ? moment.getTime() / (1000 * SECONDS) + 719163 : 0;
}

/** The finite values of an element; null where there are more or fewer. */
function finite(header: Header, tag: string, count: number): number[] | null {
  try {
    const values = header.numbers(tag);
    return values.length === count && values.every(Number.isFinite) ? values : null;
  } catch {
    return null;
  }
}

function numberOf(header: Header, tag: string, otherwise: number): number {
  try {
    return header.number(tag, otherwise);
  } catch {
    return otherwise;
  }
}
