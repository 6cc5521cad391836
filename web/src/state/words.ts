/** Numbers and findings in words. */
import type { ImageInfo } from "../backend/backend";
import type { Figure, Training } from "../backend/projects";
import type { Measured } from "../mask/measure";
import type { Authors } from "./history";
import type { Session } from "./session";

/** What an image has several of: slices of a volume or of tomosynthesis, else frames of a loop. */
export function frameNoun({ kind, modality }: ImageInfo): "slice" | "frame" {
  return kind === "volume" || modality === "mammography" ? "slice" : "frame";
}

/** A DICOM name (PS3.5 6.2.1.1): family name first, other groups of letters in brackets. */
export function personText(name: string): string {
  const [first, ...others] = name.split("=").map((group) => {
    const [family, ...rest] = group.split("^");
    return [family, rest.filter((part) => part !== "").join(" ")].filter((part) => part !== "").join(", ");
  }).filter((group) => group !== "");
  return others.length === 0 ? first : `${first} (${others.join("; ")})`;
}

/** What tells an image from another one of the same name. */
export function describe(image: ImageInfo): string {
  const { name, number, modality, view, frames, kind, rows, columns, studyDate } = image;
  const size = `${columns} x ${rows}`;
  const several = kind === "volume" ? "volume" : frameNoun(image) === "slice" ? "tomosynthesis" : "cine loop";
  const what = frames > 1 ? `${several}, ${frames} ${frameNoun(image)}s of ${size}` : size;
  const place = name.endsWith(number) ? "" : number;
  return [modality === "unknown" ? "" : modality, view, place, studyDate, what].filter((part) => part !== "").join(", ");
}

/** With the unit; millimetres with one decimal, pixels without, as in reports. */
export function lengthText(length: number, unit: "mm" | "px"): string {
  return `${unit === "mm" ? length.toFixed(1) : length.toFixed(0)} ${unit}`;
}

export function areaText(area: number, unit: "mm" | "px"): string {
  return `${unit === "mm" && area < 100 ? area.toFixed(1) : area.toFixed(0)} ${unit}²`;
}

export function sizeText({ longest, perpendicular, unit }: Measured): string {
  const digits = unit === "mm" ? 1 : 0;
  return `${longest.length.toFixed(digits)} x ${perpendicular.length.toFixed(digits)} ${unit === "mm" ? "mm" : "px (pixel spacing unknown)"}`;
}

/** In mm and per cent, with their signs. */
export function growthText(grown: { millimetres: number; percent: number } | null): string {
  if (grown === null) return "not known: the pixel spacing of both is needed";
  const sign = grown.millimetres >= 0 ? "+" : "";
  return `${sign}${grown.millimetres.toFixed(1)} mm, ${sign}${grown.percent.toFixed(0)} %`;
}

export function volumeText({ voxels, cubicMm }: Session["volume"]): string {
  return cubicMm === null ? `${voxels} voxels` : `${(cubicMm / 1000).toFixed(2)} cm³`;
}

/** Seconds below two minutes, then minutes. */
export function durationText(seconds: number): string {
  return seconds < 120 ? `${seconds.toFixed(0)} s` : `${(seconds / 60).toFixed(1)} min`;
}

/** Dice of both methods on the images held out, with the mean change and its 95 % interval. */
export function diceText({ before, after, dice_gained: change }: Pick<NonNullable<Training["outcome"]>, "before" | "after" | "dice_gained">): string {
  if (before.dice === null || after.dice === null || change === null) return "None of the images held out has a lesion, so there is no Dice.";
  return `Dice, mean over the images held out that have a lesion: ${before.dice.value.toFixed(3)} before, ${after.dice.value.toFixed(3)} after (${changeText(change)}).`;
}

function changeText({ value, low, high }: Figure): string {
  const change = signed(value) === "0.000" ? "no change" : signed(value);
  return low == null || high == null ? change : `${change} [${signed(low)}, ${signed(high)}]`;
}

function signed(figure: number): string {
  const rounded = Math.round(figure * 1000) / 1000;
  return rounded > 0 ? `+${rounded.toFixed(3)}` : (rounded || 0).toFixed(3); // no sign before a zero
}

/** Whether a person has moved one of its diameters. */
export function isMoved({ longest, perpendicular }: Measured): boolean {
  return longest.byHand === true || perpendicular.byHand === true;
}

/** Whose work a mask is, in words. */
export function madeBy({ by, byHand }: Authors): string {
  if (by.length === 0) return "drawn by hand";
  const names = [by.slice(0, -1).join(", "), by[by.length - 1]].filter((part) => part !== "").join(" and ");
  return `outlined by ${names}${byHand ? ", corrected by hand" : ""}`;
}

/** The sentence to paste into a report. */
export function sentence(session: Session): string {
  const { lesions, image } = session;
  const { authors } = session;
  if (authors.by.length === 0 && !authors.byHand) return "No lesion was outlined. Research use only.";
  const by = madeBy(authors);
  const where = image.frames > 1 ? ` on ${frameNoun(image)} ${session.frame + 1}` : "";
  if (lesions.length === 0) return `No lesion${where} (${by}). Research use only.`;
  const count = lesions.length === 1 ? "1 lesion" : `${lesions.length} lesions, the largest`;
  const moved = isMoved(lesions[0]) ? ", diameters moved by hand" : "";
  return `${count}${where}: ${sizeText(lesions[0])} (${by}${moved}). Research use only.`;
}
