/** What a DICOM header says of distances, of the regions of an ultrasound screen and of what made the image. */
import type { Box } from "../box";
import type { Modality, Region } from "../image";
import type { Header } from "./dicom-header";

type Spacing = readonly [row: number, column: number];

const ROWS = "x00280010";
const COLUMNS = "x00280011";
const REGIONS = "x00186011";
const REGION = {
  format: "x00186012",
  dataType: "x00186014",
  left: "x00186018",
  top: "x0018601a",
  right: "x0018601c",
  bottom: "x0018601e",
  unitsX: "x00186024",
  unitsY: "x00186026",
  deltaX: "x0018602c",
  deltaY: "x0018602e",
};
const TWO_DIMENSIONAL = 1;
const TISSUE = 1;
const COLOUR_FLOW = 2;
const CENTIMETRES = 3;
const PIXEL_SPACING = "x00280030";
const IMAGER_PIXEL_SPACING = "x00181164";
const MAGNIFICATION = "x00181114";
const SOURCE_TO_DETECTOR = "x00181110";
const SOURCE_TO_PATIENT = "x00181111";
const LARGEST_MAGNIFICATION = 10;
const MODALITY = "x00080060";
const BODY_PART = "x00180015";
const SOP_CLASS = "x00080016";
const INTENT = "x00080068";

const AT_THE_DETECTOR =
  "distances are those at the detector: the header states no magnification, so the lesion is smaller than measured";
const RAW =
  "the grey levels are raw (FOR PROCESSING), which no method here was made or measured for; " +
  "use the FOR PRESENTATION image of the same view";
/** Digital X-ray, digital mammography and intra-oral images for processing. */
const FOR_PROCESSING = ["1.1", "2.1", "3.1"].map((end) => `1.2.840.10008.5.1.4.1.1.1.${end}`);
const KNOWN: Partial<Record<string, Modality>> = {
  US: "ultrasound",
  MG: "mammography",
  MR: "mri",
  SM: "histopathology",
};
const FOREIGN =
  "CR DX BI BMD CT DG ES IO IVOCT IVUS KER LS NM OAM OCT OP OPM OPT OPTBSV OPTENF OPV OSS PA PT PX RF RG RTDOSE " +
  "RTIMAGE TG XA";

/**
 * The (row, column) spacing in the patient; null where it is not known. The calibrated regions of an ultrasound
 * image go first, then Pixel Spacing, then Imager Pixel Spacing over the magnification.
 */
export function spacingOf(header: Header): Spacing | null {
  if (reachesBeyond(header)) return null;
  const regions = regionSpacings(header);
  if (regions.length) return regions.every((one) => isClose(regions[0], one)) ? regions[0] : null;
  const imager = atTheDetector(header);
  if (!imager) return pair(header, PIXEL_SPACING);
  const magnification = magnificationOf(header) ?? 1;
  return [imager[0] / magnification, imager[1] / magnification];
}

/** All two-dimensional regions, each with its scale; none where one reaches beyond the image or none has a scale. */
export function regionsOf(header: Header, rows: number, columns: number): Region[] {
  if (reachesBeyond(header)) return [];
  const found = flatRegions(header).flatMap((region) => {
    const box = boxOf(region, rows, columns);
    return box ? [{ box, spacingMm: regionSpacing(region) }] : [];
  });
  return found.some(({ spacingMm }) => spacingMm) ? found : [];
}

/** What must be known before a result is trusted. */
export function remarksOf(header: Header): string[] {
  const intent = header.text(INTENT).toUpperCase();
  const isRaw = intent === "FOR PROCESSING" || (!intent && FOR_PROCESSING.includes(header.text(SOP_CLASS)));
  const isKnown = regionSpacings(header).length > 0 || magnificationOf(header) !== null;
  const isAtDetector = !isKnown && atTheDetector(header) !== null;
  return [isRaw && RAW, isAtDetector && AT_THE_DETECTOR].filter((remark) => remark !== false);
}

/** By Modality, with radiographs of the breast as mammograms. */
export function modalityOf(header: Header): Modality {
  const term = header.text(MODALITY).toUpperCase();
  const isBreast = header.text(BODY_PART).toUpperCase().includes("BREAST");
  if ((term === "CR" || term === "DX") && isBreast) return "mammography";
  return KNOWN[term] ?? (FOREIGN.split(" ").includes(term) ? "other" : "unknown");
}

function flatRegions(header: Header): Header[] {
  return header.items(REGIONS).filter((region) => region.integer(REGION.format) === TWO_DIMENSIONAL);
}

/** Whether a tissue region ends outside the image, which has then been made smaller than its header says. */
function reachesBeyond(header: Header): boolean {
  const rows = header.integer(ROWS) ?? 0;
  const columns = header.integer(COLUMNS) ?? 0;
  return flatRegions(header)
    .filter((region) => region.integer(REGION.dataType) === TISSUE)
    .some((region) => (region.long(REGION.bottom) ?? 0) > rows || (region.long(REGION.right) ?? 0) > columns);
}

function boxOf(region: Header, rows: number, columns: number): Box | null {
  const corners = [REGION.top, REGION.left, REGION.bottom, REGION.right].map((tag) => region.long(tag));
  const [top, left, bottom, right] = corners.map((corner) => corner ?? -1);
  const fits = top >= 0 && left >= 0 && top < bottom && bottom <= rows && left < right && right <= columns;
  // The last corner is a pixel of the region; some state the one after it.
  return fits ? [top, left, Math.min(bottom + 1, rows), Math.min(right + 1, columns)] : null;
}

/** In millimetres, of tissue in centimetres along both axes. */
function regionSpacing(region: Header): Spacing | null {
  const kind = region.integer(REGION.dataType);
  const isTissue = kind === TISSUE || kind === COLOUR_FLOW;
  const isLength = [REGION.unitsX, REGION.unitsY].every((tag) => region.integer(tag) === CENTIMETRES);
  // A delta may be negative: it then counts against the direction of the pixels.
  const row = Math.abs(region.double(REGION.deltaY) ?? 0);
  const column = Math.abs(region.double(REGION.deltaX) ?? 0);
  const isKnown = row > 0 && column > 0 && Number.isFinite(10 * row) && Number.isFinite(10 * column);
  return isTissue && isLength && isKnown ? [10 * row, 10 * column] : null;
}

function regionSpacings(header: Header): Spacing[] {
  return flatRegions(header).flatMap((region) => {
    const spacing = regionSpacing(region);
    return spacing ? [spacing] : [];
  });
}

/** Imager Pixel Spacing, where nothing better is stated. */
function atTheDetector(header: Header): Spacing | null {
  const pixel = pair(header, PIXEL_SPACING);
  const imager = pair(header, IMAGER_PIXEL_SPACING);
  return !imager || (pixel && !isClose(pixel, imager)) ? null : imager;
}

/** How much larger than the patient the picture at the detector is; null where it is not known. */
function magnificationOf(header: Header): number | null {
  const [factor, detector, patient] = [MAGNIFICATION, SOURCE_TO_DETECTOR, SOURCE_TO_PATIENT].map((tag) =>
    positive(header.numbers(tag)[0]),
  );
  const found = factor ?? (detector && patient ? detector / patient : null);
  return found !== null && found >= 1 && found <= LARGEST_MAGNIFICATION ? found : null;
}

function pair(header: Header, tag: string): Spacing | null {
  const parts = header.numbers(tag).map(positive);
  const [row, column] = parts;
  return parts.length === 2 && row !== null && column !== null ? [row, column] : null;
}

function positive(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) && value > 0 ? value : null;
}

/** Equal but for rounding: text in DICOM holds at most 16 characters. */
function isClose(one: Spacing, other: Spacing): boolean {
  return one.every((a, axis) => Math.abs(a - other[axis]) <= 1e-3 * Math.max(a, other[axis]));
}
